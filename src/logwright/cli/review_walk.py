"""One walk through the questions of a review: what is asked next, and what becomes of answers."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from logwright.cli.feedback_parts import is_past, made, spelled
from logwright.cli.review_question import Asking

if TYPE_CHECKING:
    from logwright.feedback.advice import Advice
    from logwright.feedback.kept import Kept
    from logwright.feedback.questions import Question
    from logwright.feedback.scopes import Choice
    from logwright.feedback.second import SecondLook
    from logwright.findings.verdict import Verdict, Word
    from logwright.store.base import Store

__all__ = ["Walk"]


class Walk:
    """One walk through the questions, the `second` looks after the open ones; each answer is kept
    when it is given. `advice` is what a model said of questions, by their ids."""

    def __init__(
        self,
        store: Store,
        kept: Kept,
        by: str,
        limit: int | None,
        second: bool,
        advice: Mapping[str, Advice],
    ) -> None:
        from logwright.feedback.questions import Asker
        from logwright.feedback.second import SecondAsker

        self._store, self._kept, self._by, self._limit = store, kept, by, limit
        self.advice = advice
        self._asker = Asker(kept)
        self._given: list[int] = []
        self._skipped: set[str] = set()
        self._apart: set[str] = set()
        self._seen: set[str] = set()
        self._looked: set[str] = set()
        self._second = SecondAsker(kept) if second else None
        self._waiting()  # reads all there is

    def walk(self) -> None:
        """Ask until nothing is open, or the reader has enough."""
        while True:
            waiting = self._waiting()
            if not waiting:
                break
            question = waiting[0]
            if self._limit and len(self._seen | {question.id}) > self._limit:
                break
            self._seen.add(question.id)
            if not Asking(self, question, len(waiting)).answered():
                break
        answered, left = len(self._given), len(self._waiting())
        sys.stdout.write(f"{answered:,} answered, {left:,} left\n")

    def _waiting(self) -> list[Question]:
        """The questions that were not skipped, open ones before second looks; parts of one that
        was taken apart come first."""
        found = _without(self._asker.ask(self._apart), self._skipped)
        if self._second is not None:
            done = self._skipped | self._looked
            found += _without(self._second.ask(self._apart), done)
        return sorted(found, key=lambda q: q.patterns[0].row.id not in self._apart)

    @property
    def store(self) -> Store:
        """Where answers go."""
        return self._store

    @property
    def kept(self) -> Kept:
        """What is known, with the answers so far."""
        return self._kept

    @property
    def answered(self) -> int:
        """How many answers stand."""
        return len(self._given)

    def skip(self, question: Question) -> None:
        """Do not ask this again in this review."""
        self._skipped.update(p.row.id for p in question.patterns)

    def take_apart(self, question: Question) -> str:
        """Ask about the patterns of a question one by one; what is told of it."""
        self._apart.update(p.row.id for p in question.patterns)
        if self._limit is not None:
            self._limit += len(question.patterns)
        return f"one by one: {len(question.patterns):,} patterns"

    def said(self, question: Question, choice: Choice, word: Word, **limits: Any) -> Verdict:
        """The verdict that an answer is."""
        return made(
            word=word,
            subjects=tuple(p.found.subject() for p in question.patterns),
            scope=choice.scope,
            finding=question.patterns[0].row.finding,
            by=self._by,
            **limits,
        )

    def give(self, question: Question, verdict: Verdict) -> str:
        """Give a verdict; what it changed, in a line."""
        from logwright.feedback.second import SecondLook
        from logwright.feedback.verdicts import give

        given, effect = give(self._store, verdict, self._kept)
        self._given.append(given.number)
        self._looked.update(p.row.id for p in question.patterns)
        told = f"{given.word}: {effect.sentence} (verdict {given.number})"
        if isinstance(question, SecondLook):
            told = _looked_again(question, given, told)
        elif effect.findings == 0:  # asked again, it would be the same question
            self.skip(question)
            told += "; it covers none of these findings, which stay open"
        if is_past(given.until):
            told += f"; {spelled(given.until)} is past"
        return told

    def undo(self) -> str:
        """Take the last answer back; what that changed, in a line."""
        from logwright.feedback.verdicts import undo

        if not self._given:
            return "nothing was answered yet in this review"
        number = self._given.pop()
        _, verdict, effect = undo(self._store, number, by=self._by, kept=self._kept)
        # It is open again, and is to be asked.
        self._skipped.difference_update(verdict.patterns)
        self._looked.difference_update(verdict.patterns)
        return f"took back verdict {number}: {effect.sentence}"


def _without(questions: Sequence[Question], patterns: set[str]) -> list[Question]:
    """The questions that are about other patterns, too."""
    return [q for q in questions if not patterns.issuperset(p.row.id for p in q.patterns)]


def _looked_again(look: SecondLook, given: Verdict, told: str) -> str:
    """What a second look came to, in a line."""
    from logwright.findings.escape import safe

    before = look.verdict
    if given.word != before.word:
        return f"{told}; {safe(look.said_before)} is kept, the later acts"
    if given.scope != before.scope:
        return told
    return f"{given.word}: said twice now, not asked again (verdict {given.number})"
