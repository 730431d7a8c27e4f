"""Advice: what a language model says of open questions, and when that counts as an answer.

As in SeaLog, an expert may be a model, and tells its confidence. Its word is a verdict, signed as a
model's, only where it is sure, nothing in the evidence speaks to models, no person has spoken, and
nobody would be asked twice; else it is advice beside the question, which stays open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logwright.feedback.kept import Kept
from logwright.feedback.questions import MANY, Question
from logwright.feedback.speaker import is_model, signature
from logwright.feedback.verdicts import Effect, give
from logwright.findings.run import many
from logwright.findings.verdict import Undo, Verdict
from logwright.llm import Opinion, consult

if TYPE_CHECKING:
    from logwright.llm import ChatModel
    from logwright.store.base import Store

__all__ = ["SURE", "Advice", "Adviser"]

SURE = 0.8
"""The least confidence with which a model's word acts."""

_MOST_LINES = 24
_MOST_CHARACTERS = 600
_KINDS = "Lines that begin with 'found:', 'expected:' or 'seen:' tell what was found, all other \
lines are from the log."


@dataclass(frozen=True)
class Advice:
    """A model's opinion; the verdict that it became and what that changed, or else why it is left
    to a person. Reason and names may hold log text: escape them."""

    by: str
    opinion: Opinion
    left: str = ""
    verdict: Verdict | None = None
    effect: Effect | None = None

    @property
    def sentence(self) -> str:
        """The word, how sure it is, and the reason.

        >>> Advice("model:m", Opinion("unsure", 0.4, "Two lines do not tell.")).sentence
        'unsure (.40): Two lines do not tell.'
        """
        return f"{self.opinion.verdict} ({_share(self.opinion.confidence)}): {self.opinion.reason}"

    def record(self) -> dict[str, Any]:
        """The advice as JSON."""
        return {
            "by": self.by,
            "word": self.opinion.verdict,
            "confidence": self.opinion.confidence,
            "reason": self.opinion.reason,
            "suspicious": len(self.opinion.suspicious),
            "left": self.left,
            "verdict": None if self.verdict is None else self.verdict.number,
            "effect": None if self.effect is None else self.effect.record(),
        }


class Adviser:
    """Asks a model about questions, and gives the verdicts that count."""

    def __init__(self, store: Store, kept: Kept, chat: ChatModel, model: str) -> None:
        self._store, self._kept, self._chat = store, kept, chat
        self.by = signature(model)

    def wanted(self, questions: Sequence[Question]) -> list[Question]:
        """The questions that may be put to a model: of whose patterns no person has spoken, be it
        by taking a model's word back."""
        given = {e.number: e for e in self._kept.entries if isinstance(e, Verdict) and is_model(e)}
        undone = (given.get(e.undoes) for e in self._kept.entries if isinstance(e, Undo))
        refused = {pattern for verdict in undone if verdict for pattern in verdict.patterns}
        return [
            question
            for question in questions
            if not any(
                p.row.id in refused or self._kept.standing.is_judged(p.found)
                for p in question.patterns
            )
        ]

    def advise(self, question: Question) -> Advice:
        """Ask, and give the verdict where it counts."""
        opinion = consult(self._chat, asked(question), self._evidence(question))
        left = left_open(question, opinion)
        if left:
            return Advice(self.by, opinion, left)
        verdict = Verdict(
            word="real" if opinion.verdict == "real" else "benign",
            subjects=tuple(p.found.subject() for p in question.patterns),
            finding=question.patterns[0].row.finding,
            by=self.by,
            note=f"{opinion.reason} (confidence {_share(opinion.confidence)})",
        )
        given, effect = give(self._store, verdict, self._kept)
        return Advice(self.by, opinion, "", given, effect)

    def _evidence(self, question: Question) -> list[str]:
        """What was found and its lines. All that may hold log text is here, so that it goes out
        fenced and looked through."""
        chosen = question.patterns[:MANY]  # with more, nothing is closed
        out: list[str] = []
        for pattern in chosen:
            out.append(f"found: {pattern.row.summary}")
            if pattern.row.finding is None:  # its findings are gone
                continue
            finding = self._store.finding(pattern.row.finding)
            if len(chosen) == 1:
                out += [f"expected: {finding.expected}", f"seen: {finding.seen}"]
            first = sorted(finding.lines, key=lambda line: not line.highlight)
            out += [line.text for line in first[: _MOST_LINES // len(chosen)]]
        return [line[:_MOST_CHARACTERS] for line in out]


def asked(question: Question) -> str:
    """What a model is asked, in our own words only: nothing of it comes from a log."""
    number = len(question.patterns)
    of = "an alarm" if number == 1 else f"{number:,} alarms that came together"
    times = many(question.findings, "time")
    hosts = f" on {many(len(question.hosts), 'host')}" if question.hosts else ""
    text = f"Judge {of}, of severity {question.severity}, raised {times}{hosts}. {_KINDS}"
    if number > 1:
        text += " Say real if at least one of them is, and benign only if all are."
    return text


def left_open(question: Question, opinion: Opinion) -> str:
    """Why an opinion on a question is no answer to it; empty where it is one.

    >>> left_open(None, Opinion("benign", 0.7, ""))
    'less than .80 sure'
    """
    if opinion.suspicious:
        return "its evidence holds what looks like instructions to a model"
    if opinion.verdict == "unsure":
        return "the model is unsure"
    if opinion.confidence < SURE:
        return f"less than {_share(SURE)} sure"
    if opinion.verdict == "expected":
        return "until when it is expected, only you can say"
    if opinion.verdict == "real" and not question.can_be_real:
        return "which of them are real, only you can say"
    if opinion.verdict == "benign" and question.is_weighty:
        return "what is critical, or many patterns, is closed by people"
    return ""


def _share(number: float) -> str:
    return f"{number:.2f}".removeprefix("0")
