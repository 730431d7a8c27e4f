"""What an answer costs: the processor's time for an incident of 10,000 lines, and the tokens until
the answer is there, in full mode and where the answer comes first."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, median
from typing import Any

from logwright.bench.reasoning_asked import Asked, ask
from logwright.bench.reasoning_sets import items
from logwright.reasoning.answer import Answer
from logwright.reasoning.building.build import build
from logwright.reasoning.building.labelled import Labelled
from logwright.reasoning.building.teaching import EvidenceTeacher
from logwright.reasoning.evidence.reasoner import EvidenceReasoner
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options, Reasoner
from logwright.reasoning.speaking.tags import render
from logwright.reasoning.task import Task

__all__ = ["LINES", "answer_first", "incident", "speed", "tokens", "worked", "written"]

LINES = 10_000
_REPEATS = 7
_BUILT_FROM = 300
"""Items of a task, at most about twice as many, that worked examples are built from."""
_QUICK = 12
_ASKED_AGAIN = 50
_TOKEN = re.compile(r"\w+|[^\w\s]")

Row = dict[str, Any]


def tokens(text: str) -> int:
    """Words and single signs: what tokenizers of language models cut about as fine.

    >>> tokens("disk full: /dev/sda")
    7
    """
    return sum(1 for _ in _TOKEN.finditer(text))


def incident(data: Path) -> tuple[Material, tuple[Material, ...]]:
    """An incident of 10,000 lines, made of the longest seen incidents one after another, and the
    healthy runs."""
    found = items(Task.ROOT_CAUSE, data, "seen", names=("incidents",))
    longest = sorted(found, key=lambda item: (-len(item.lines), item.name))
    lines = [line for item in longest for line in item.lines][:LINES]
    return Material.of_lines(lines, "incident.log"), longest[0].options.healthy


def speed(data: Path, quick: bool = False) -> Iterator[Row]:
    """Rows of the evidence reasoner, with healthy runs beside the incident and without any."""
    material, healthy = incident(data)
    for told, beside in (("alone", ()), (f"beside {len(healthy)} healthy runs", healthy)):
        for task in (Task.ROOT_CAUSE, Task.ANOMALY, Task.FAILURE, Task.INTERPRET, Task.SOLUTION):
            ms = [_ms(task, material, beside) for _ in range(2 if quick else _REPEATS)]
            yield {
                "table": "an incident of 10,000 lines",
                "source": f"{task}, {told}",
                "method": EvidenceReasoner.name,
                "items": len(material),
                "healthy_lines": sum(map(len, beside)),
                "cpu_ms_median": round(median(ms), 1),
                "cpu_ms_most": round(max(ms), 1),
            }


def _ms(task: Task, material: Material, healthy: tuple[Material, ...]) -> float:
    began = time.process_time()
    EvidenceReasoner().answer(task, material, Options(healthy=healthy))
    return (time.process_time() - began) * 1e3


def worked(data: Path, quick: bool = False) -> Iterator[Row]:
    """Rows of worked examples, as models are trained on: built from seen items by the evidence
    reasoner, of each task and of all. The means of both modes."""
    some: list[Labelled] = []
    for task in Task:
        found = items(task, data, "seen")
        step = max(len(found) // (_QUICK if quick else _BUILT_FROM), 1)
        some += [item.labelled() for item in found[::step]]
    by: dict[str, list[Answer]] = {"all tasks": []}
    for one in build(some, EvidenceTeacher()).kept:
        by["all tasks"].append(one.answered())
        by.setdefault(one.task, []).append(one.answered())
    for of, answers in by.items():
        if answers:
            full, fast = ([written(one, mode) for one in answers] for mode in (False, True))
            before = [mean(one[0] for one in mode) for mode in (full, fast)]
            told = _beside(f"worked examples, {of}", "evidence as teacher", full, fast)
            told["tokens_before_full"], told["tokens_before_fast"] = (round(n, 1) for n in before)
            yield {**told, "times_fewer_before": round(before[0] / before[1], 2)}


def answer_first(name: str, engine: Reasoner, asked: Sequence[Asked]) -> Iterator[Row]:
    """A row of a language model: all tokens it wrote for the same items in both modes. None for an
    engine that writes no tokens."""
    some = asked[:_ASKED_AGAIN]
    full = [one.answer.tokens for one in some if one.answer is not None]
    if any(full):
        again = [replace(o.item, options=replace(o.item.options, fast=True)) for o in some]
        fast = [one.answer.tokens for one in ask(engine, again) if one.answer is not None]
        if fast:
            yield _beside(name, engine.name, [(0, n) for n in full], [(0, n) for n in fast])


def _beside(
    of: str, method: str, full: Sequence[tuple[int, int]], fast: Sequence[tuple[int, int]]
) -> Row:
    whole, quick = (mean(one[1] for one in mode) for mode in (full, fast))
    return {
        "table": "answer first",
        "source": of,
        "method": method,
        "items": len(full),
        "tokens_full": round(whole, 1),
        "tokens_fast": round(quick, 1),
        "times_fewer": round(whole / max(quick, 1.0), 2),
    }


def written(answer: Answer, fast: bool) -> tuple[int, int]:
    """Tokens before the first word of an answer, and until its first line is there.

    >>> from logwright.reasoning.answer import Step
    >>> told = Answer(task=Task.ANOMALY, verdict="normal", text="All is well.", confidence=1,
    ...     steps=(Step(text="I look for trouble."), Step(text="There is none.")))
    >>> written(told, fast=True), written(told, fast=False)
    ((3, 4), (21, 22))
    """
    before, tag, rest = render(answer, fast).partition("<answer>")
    line = rest.partition("</answer>")[0].partition("\n")[0]
    return tokens(before + tag), tokens(before + tag + line)
