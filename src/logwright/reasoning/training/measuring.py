"""What a model can do, on items it did not learn from: numbers of its replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from logwright.reasoning import rewards
from logwright.reasoning.task import Task
from logwright.reasoning.training.examples import Example

__all__ = ["Measures", "PlanMeasures", "balances", "measure_answers", "measure_plans", "right"]


@dataclass(frozen=True, slots=True)
class PlanMeasures:
    """Shares of replies: `named` has the true strategy's name at its head, `whole` is its plan word
    for word."""

    items: int
    named: float
    whole: float

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Measures:
    """Means over replies. `answers` is the share that is right (see `right`); `format` the share
    with all tags in order; `citations` the mean share of citations that hold, none counting 0;
    `sound` the share that is right, in form, and cites nothing wrong; `reward` that of `ours`."""

    items: int
    format: float
    answers: float
    citations: float
    sound: float
    reward: float
    words: float
    by_task: dict[str, float]

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def measure_plans(examples: Sequence[Example], replies: Sequence[str]) -> PlanMeasures:
    """How well plans were written."""
    wanted = [example.reply.strip() for example in examples]
    heads = [reply.split(":")[0].strip() for reply in replies]
    named = [head == want.split(":")[0] for head, want in zip(heads, wanted, strict=True)]
    whole = [reply.strip() == want for reply, want in zip(replies, wanted, strict=True)]
    return PlanMeasures(len(examples), fmean(named), fmean(whole))


def balances(examples: Sequence[Example]) -> dict[Task, rewards.Balance]:
    """The balance of each task's verdicts."""
    truths: dict[Task, list[str]] = {}
    for example in examples:
        truths.setdefault(example.item.task, []).append(example.item.answer)
    return {task: rewards.Balance.of(found) for task, found in truths.items() if task.verdicts}


def right(task: Task, answer: str, truth: str) -> float:
    """1 for the true verdict or template; for a text, its likeness of wording, at most 1.

    >>> right(Task.ANOMALY, "Normal", "normal"), right(Task.PARSE, "a <*>", "a  <*>")
    (1.0, 1.0)
    """
    if task is Task.PARSE or task.verdicts:
        said = rewards.verdict_of(answer)
        return float(said.lower().split() == truth.lower().split())
    return min(1.0, rewards.worded(answer, truth))


def measure_answers(examples: Sequence[Example], replies: Sequence[str]) -> Measures:
    """How well answers were written; one number per thing that can go wrong."""
    weights = balances(examples)
    formats, answers, citations, earned = [], [], [], []
    by_task: dict[str, list[float]] = {}
    for example, reply in zip(examples, replies, strict=True):
        item, found = example.item, rewards.parts(reply)
        formats.append(float(found is not None))
        answers.append(right(item.task, found.answer, item.answer) if found else 0.0)
        citations.append(rewards.cited(reply, item.lines))
        balance = weights.get(item.task)
        earned.append(rewards.ours(item.task, reply, item.answer, item.lines, balance).total)
        by_task.setdefault(item.task.value, []).append(answers[-1])
    sound = [float(a == c == 1.0) for a, c in zip(answers, citations, strict=True)]
    return Measures(
        items=len(examples),
        format=fmean(formats),
        answers=fmean(answers),
        citations=fmean(citations),
        sound=fmean(sound),
        reward=fmean(earned),
        words=fmean(len(reply.split()) for reply in replies),
        by_task={task: fmean(values) for task, values in sorted(by_task.items())},
    )
