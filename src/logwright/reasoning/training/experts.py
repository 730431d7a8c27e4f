"""What people said, as training data: corrections of answers, and verdicts on findings.

A correction is a pair as it is: the answer that was wrong, and what the expert says instead. A
verdict on a finding says only "real" or "benign". Where the evidence reasoner thinks the same of
its lines, its answer becomes a worked example; where it does not, its answer is the rejected side.

Rows come from the store as plain values: nothing here knows of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from logwright.reasoning.answer import Answer, Citation, Step
from logwright.reasoning.building.trajectories import Trajectory, mark
from logwright.reasoning.evidence.reasoner import EvidenceReasoner
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options, Rendering
from logwright.reasoning.speaking.tags import render
from logwright.reasoning.task import Task
from logwright.reasoning.training.examples import asked_of, finished, hidden
from logwright.reasoning.training.pairs import Pair

__all__ = ["Corrected", "Judged", "expert_pairs", "judged_items"]

_EXPERT = "expert"


@dataclass(frozen=True, slots=True)
class Corrected:
    """An answer that somebody corrected, with the lines it is about."""

    lines: tuple[str, ...]
    said: Answer
    better: Answer
    rendering: Rendering = "words"
    question: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A finding's lines, and whether an expert calls them real; `order` is that of the verdicts."""

    lines: tuple[str, ...]
    real: bool
    order: int


def expert_pairs(rows: Iterable[Corrected]) -> list[Pair]:
    """A pair for each correction that changes something.

    >>> said = Answer(task=Task.ANOMALY, verdict="normal", text="normal", confidence=0.6,
    ...     citations=(Citation(line=1, quote="disk full"),))
    >>> better = said.model_copy(update={"verdict": "abnormal", "text": "abnormal"})
    >>> pair = expert_pairs([Corrected(("disk full",), said, better)])[0]
    >>> "<answer>abnormal" in pair.chosen, "<answer>normal" in pair.rejected, pair.origin
    (True, True, 'expert')
    """
    pairs = []
    for row in rows:
        if (row.said.verdict, row.said.text) == (row.better.verdict, row.better.text):
            continue
        # Both sides through one item, so that what is hidden has the same name in each.
        said = _hidden(row, row.said)
        better = _hidden(row, row.better)
        prompt = finished(asked_of(said[0]))
        pairs.append(Pair(prompt, render(_reasoned(better[1])), render(said[1]), _EXPERT))
    return pairs


def _hidden(row: Corrected, answer: Answer) -> tuple[Trajectory, Answer]:
    item = hidden(
        Trajectory(
            task=answer.task,
            strategy="",
            system=_EXPERT,
            time=0,
            lines=row.lines,
            reasoning="\n".join(_marked(step) for step in answer.steps),
            answer=answer.text,
            form="text" if answer.task in (Task.INTERPRET, Task.SOLUTION) else "verdict",
            citations=answer.citations,
            teacher=answer.engine,
            source=_EXPERT,
            question=row.question,
            rendering=row.rendering,
            confidence=answer.confidence,
        )
    )
    whole = item.answered()
    if item.lines != row.lines:
        return item, whole.model_copy(update={"verdict": answer.verdict, "enough": answer.enough})
    return item, answer


def _marked(step: Step) -> str:
    told = (mark(citation) for citation in step.citations)
    return " ".join((step.text, *(one for one in told if one not in step.text)))


def _reasoned(answer: Answer) -> Answer:
    """With the expert's lines as its reasoning, where there is none: a reply without any would
    teach to leave it out."""
    if answer.steps or not answer.citations:
        return answer
    step = Step(text="This is what tells it.", citations=answer.citations)
    return answer.model_copy(update={"steps": (step,)})


def judged_items(rows: Sequence[Judged]) -> tuple[list[Trajectory], list[Corrected]]:
    """Worked examples of verdicts that the evidence agrees with, and corrections of the evidence
    reasoner for those it does not."""
    items, corrected = [], []
    reasoner = EvidenceReasoner()
    for row in rows:
        if not any(line.strip() for line in row.lines):
            continue
        answer = reasoner.answer(Task.ANOMALY, Material.of_lines(row.lines), Options())
        verdict = Task.ANOMALY.verdicts[0 if row.real else 1]
        if answer.enough and answer.verdict == verdict:
            items.append(_item(row, answer))
            continue
        first = next(n for n, line in enumerate(row.lines, 1) if line.strip())
        cited = answer.citations or (Citation(line=first, quote=row.lines[first - 1].strip()),)
        better = Answer(
            task=Task.ANOMALY,
            verdict=verdict,
            text=verdict,
            citations=cited,
            confidence=1.0,
            engine=_EXPERT,
        )
        corrected.append(Corrected(row.lines, answer, better))
    return items, corrected


def _item(row: Judged, answer: Answer) -> Trajectory:
    return Trajectory(
        task=Task.ANOMALY,
        strategy="",
        system=_EXPERT,
        time=row.order,
        lines=row.lines,
        reasoning="\n".join(_marked(step) for step in answer.steps),
        answer=answer.verdict,
        form="verdict",
        citations=answer.citations,
        teacher="evidence",
        source=f"verdict:{row.order}",
        confidence=answer.confidence,
    )
