"""`Teacher`: what writes worked examples for labelled items; and the one without a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from logwright.reasoning.answer import Citation, Step
from logwright.reasoning.building.excerpts import excerpt
from logwright.reasoning.building.facts import CALM, facts_of, lines_named, numbered_anew, telling
from logwright.reasoning.building.labelled import Labelled
from logwright.reasoning.building.monologue import monologue
from logwright.reasoning.building.trajectories import Trajectory, cited_in
from logwright.reasoning.evidence.reasoner import EvidenceReasoner
from logwright.reasoning.strategies import Strategy
from logwright.reasoning.task import Task
from logwright.templates.wording import trouble

__all__ = ["ELSEWHERE", "UNSURE", "WRONG", "EvidenceTeacher", "Job", "Teacher", "example"]

UNSURE = "the teacher finds not enough evidence"
ELSEWHERE = "what the teacher finds does not lead to the label"
WRONG = "the teacher's answer is not the label"

_CITED = 8
_BARE, _SAYS = "One line.", "It says "
_COMPARED = "Compared with the nearest healthy run"
_INFORMS = "Telling: the message is informational, no action is asked for"
_QUIET = re.compile(r"(?i)no (?:further )?action is (?:required|needed)|informational only")


@dataclass(frozen=True, slots=True)
class Job:
    """An item to explain along a strategy. The same `seed` gives the same wording."""

    item: Labelled
    strategy: Strategy
    seed: int


class Teacher(Protocol):
    """What writes worked examples, of so many jobs at once."""

    at_once: int

    @property
    def name(self) -> str:
        """Who it is, in trajectories."""

    def teach(self, jobs: Sequence[Job]) -> list[Trajectory | str]:
        """An example for each job in the same order, or why there is none. They are unchecked."""


class EvidenceTeacher:
    """Writes down what the evidence reasoner finds as someone would think it through. The label
    tells it where to keep silent, because it would have said something else; and where the label is
    a text, which words of the lines that text is about."""

    name = "evidence"
    at_once = 256

    def __init__(self) -> None:
        self._reasoner = EvidenceReasoner()

    def teach(self, jobs: Sequence[Job]) -> list[Trajectory | str]:
        """Jobs about the same item are best given one after another: it is answered once."""
        taught: list[Trajectory | str] = []
        item: Labelled | None = None
        for job in jobs:
            if job.item is not item:
                item = job.item
                found = self._found(item)
            taught.append(found if isinstance(found, str) else _told(job, *found))
        return taught

    def _found(self, item: Labelled) -> tuple[list[Step], tuple[Citation, ...]] | str:
        """The facts that lead to the label, and the lines that it rests on; or why not."""
        answer = self._reasoner.answer(item.task, item.material, item.options)
        if item.form == "verdict":
            if not answer.enough:
                return UNSURE
            same = answer.verdict.split() == item.truth.split()
            # Who learns from an example does not see the healthy runs.
            facts = [fact for fact in facts_of(answer) if not fact.text.startswith(_COMPARED)]
            return (facts, answer.citations) if same else WRONG
        shown = telling(item)
        quiet = item.task is Task.SOLUTION and _QUIET.search(item.truth) is not None
        if not answer.enough:
            # What the lines say is told all the same, if the label takes their words up.
            answer = self._reasoner.answer(Task.INTERPRET, item.material, item.options)
            if not answer.enough or (shown is None and not quiet):
                return UNSURE
        facts = [fact for fact in facts_of(answer) if fact.text != _BARE]
        if not _leads(facts, item):
            return ELSEWHERE
        if quiet:
            shown = Step(text=_INFORMS, citations=answer.citations[:1])
        if shown is None:
            return facts, answer.citations
        if len(item.material) == 1:
            # Of a line that is quoted in part it need not be said that it says so.
            facts = [fact for fact in facts if not fact.text.startswith(_SAYS)]
        return [*facts, shown], (*shown.citations, *answer.citations)


def _leads(facts: Sequence[Step], item: Labelled) -> bool:
    """Whether what is found and the label agree that something is wrong, or that nothing is."""
    calm = any(fact.text.startswith(CALM) for fact in facts)
    if item.task is Task.SOLUTION:
        return calm == (_QUIET.search(item.truth) is not None)
    if item.task is Task.INTERPRET:
        return calm == (trouble(item.truth) == 0)
    return not calm


def _told(job: Job, facts: Sequence[Step], cited: Sequence[Citation]) -> Trajectory | str:
    item = job.item
    important = [*(one.line for one in cited), *lines_named(facts)]
    lines, number = excerpt(item.material, important)
    shown = [numbered_anew(fact, number, item.material) for fact in facts]
    cited = tuple(
        Citation(line=number[one.line], quote=one.quote) for one in cited if one.line in number
    )[:_CITED]
    item = replace(item, material=lines)
    steps = [fact for fact in shown if fact is not None]
    told = monologue(item, job.strategy, steps, cited, job.seed)
    return example(job, lines.lines, told, cited, EvidenceTeacher.name)


def example(
    job: Job, lines: tuple[str, ...], reasoning: str, cited: tuple[Citation, ...], teacher: str
) -> Trajectory:
    """A worked example of a job; its answer is the label."""
    item = job.item
    return Trajectory(
        task=item.task,
        strategy=job.strategy.name,
        system=item.system,
        time=item.time,
        lines=lines,
        reasoning=reasoning,
        answer=item.truth,
        form=item.form,
        citations=cited or tuple(cited_in(reasoning)),
        teacher=teacher,
        source=item.source,
        question=item.options.question,
        rendering=item.options.rendering,
    )
