"""An engine asked about items: its answers, what they cost, and whether their form holds.

Seconds of the processor are of this process alone: they tell what the evidence reasoner costs
whatever else a machine does, and nothing of a language model elsewhere. For these there are the
seconds that passed, and the tokens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

from logwright.bench.reasoning_sets import Item
from logwright.llm.errors import ModelAnswerError, Waiting
from logwright.reasoning.answer import Answer, Citation, problems
from logwright.reasoning.reasoner import Reasoner

__all__ = ["Asked", "ask", "costs", "floor", "form"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of it: no answer where the engine had none whose form and citations hold."""

    item: Item
    answer: Answer | None
    cpu_ms: float
    seconds: float

    @property
    def said(self) -> str:
        """The verdict, or the text where the task has none; empty where there is no answer."""
        if self.answer is None or not self.answer.enough:
            return ""
        return self.answer.verdict or self.answer.text


def ask(engine: Reasoner, items: Iterable[Item]) -> list[Asked]:
    """All items in order. An engine that breaks breaks the run; one that has no answer that holds
    is counted. What no later item would mend, such as a wrong key, is raised; so is that requests
    wait in a batch, once all of them lie there."""
    asked, waiting = [], None
    for item in items:
        try:
            asked.append(_asked(engine, item))
        except Waiting as still:
            waiting = still
    if waiting is not None:
        raise waiting
    return asked


def _asked(engine: Reasoner, item: Item) -> Asked:
    answer: Answer | None = None
    cpu, began = time.process_time(), time.perf_counter()
    try:
        answer = engine.answer(item.task, item.material, item.options)
    except ModelAnswerError as error:
        if error.final:
            raise
    cpu, passed = time.process_time() - cpu, time.perf_counter() - began
    return Asked(item, answer, cpu * 1e3, passed)


def floor(
    items: Iterable[Item],
    say: Callable[[Item], str],
    cite: Callable[[Item], Iterable[Citation]] | None = None,
) -> list[Asked]:
    """What something says that needs no thought: a verdict, and lines it cites, if any."""

    def answer(item: Item) -> Answer:
        cited = () if cite is None else tuple(cite(item))
        return Answer(task=item.task, verdict=say(item), text="", citations=cited, confidence=0.0)

    return [Asked(item, answer(item), 0.0, 0.0) for item in items]


def form(asked: Sequence[Asked]) -> dict[str, float]:
    """How many answers there are and how their form holds: the shares of items that got an
    answer whose form holds, that got more than "not enough evidence", and of citations that hold.
    """
    answers = [one.answer for one in asked]
    wrong = [_wrong(one) for one in asked]
    held, cited = 0, 0
    for one in asked:
        for citation in () if one.answer is None else one.answer.every_citation():
            quoted = Answer(
                task=one.item.task,
                verdict="",
                text="",
                citations=(citation,),
                confidence=0.0,
                enough=False,
            )
            cited += 1
            held += not problems(quoted, one.item.material)
    share = {
        "well_formed": sum(not problem for problem in wrong) / len(asked),
        "answered": sum(a is not None and a.enough for a in answers) / len(asked),
    }
    if cited:
        share["citations_valid"] = held / cited
        share["citations"] = cited / len(asked)
    return {name: round(value, 4) for name, value in share.items()}


def _wrong(one: Asked) -> bool:
    return one.answer is None or bool(problems(one.answer, one.item.material))


def costs(asked: Sequence[Asked]) -> dict[str, Any]:
    """What answers cost: medians and the worst, in milliseconds of this processor and in seconds
    that passed; tokens that a model wrote."""
    cpu = [one.cpu_ms for one in asked]
    passed = [one.seconds for one in asked]
    tokens = [one.answer.tokens for one in asked if one.answer is not None]
    told = {
        "cpu_ms_median": round(median(cpu), 2),
        "cpu_ms_most": round(max(cpu), 1),
        "seconds_median": round(median(passed), 4),
    }
    return told | ({"tokens_mean": round(mean(tokens), 1)} if any(tokens) else {})
