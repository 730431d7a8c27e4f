"""One question of a review on the screen, until a key settles what becomes of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from logwright.cli.evidence import asked, cited, facts, heading, reach
from logwright.cli.feedback_parts import columns, later
from logwright.cli.keys import key, line
from logwright.cli.review_advice import beside
from logwright.errors import LogwrightError

if TYPE_CHECKING:
    from logwright.cli.review_walk import Walk
    from logwright.feedback.questions import Question
    from logwright.feedback.scopes import Choice
    from logwright.findings.finding import Finding
    from logwright.findings.verdict import Word

__all__ = ["Asking"]

_LINES, _MORE = 6, 40
_KEYS = "r real  b benign  e expected  s skip  w wider  n narrower  u undo  o more  ? q"
_HELP = """\
  r  real: an alarm that matters; of several patterns, one or more of them
  b  benign: normal from now on; its findings are counted, and not shown
  e  expected: normal until a date, or inside a schedule
  s  skip: ask another time
  w  wider, n  narrower: how far the answer reaches; several patterns become single questions
  u  undo the last answer of this review
  o  more lines of evidence
  q  quit; every answer is kept already
"""


class Asking:
    """One question on the screen, until a key settles what becomes of it."""

    def __init__(self, review: Walk, question: Question, waiting: int) -> None:
        from logwright.feedback.scopes import Choice, scopes
        from logwright.feedback.second import SecondLook
        from logwright.findings.verdict import Scope

        self._review, self._question, self._waiting = review, question, waiting
        several = len({s for p in question.patterns for s in p.row.sources}) > 1
        choices = scopes([p.found for p in question.patterns])
        self._choices = [c for c in choices if c.name != "source" or several]
        self._look = question if isinstance(question, SecondLook) else None
        before = self._look.verdict.scope if self._look else Scope()
        if all(c.scope != before for c in self._choices):
            self._choices.append(Choice("before", before, "what it reached before"))
        self._at = next(i for i, c in enumerate(self._choices) if c.scope == before)
        self._finding = self._evidence()

    @property
    def _choice(self) -> Choice:
        return self._choices[self._at]

    def _evidence(self) -> Finding | None:
        wanted = self._question.patterns[0].row.finding
        return self._review.store.finding(wanted) if wanted is not None else None

    def answered(self) -> bool:
        """Show it and act on keys; False where the reader has enough."""
        self._show()
        while True:
            pressed = key(f"{_KEYS} > ").lower()
            if pressed in ("", "q"):
                _write([""] if pressed == "" else [])
                return False
            if pressed in ("r", "b", "e", "u", "s"):
                told = self._act(pressed)
                if told is not None:
                    _write([told, ""] if told else [""])
                    return True
            elif pressed in ("w", "n"):
                if self._moves(1 if pressed == "w" else -1):
                    return True
            elif pressed == "o":
                self._more()
            elif pressed == "?":
                _write([_HELP.rstrip()])
            else:
                _write(["one of these keys; ? tells what they do"])

    def _act(self, pressed: str) -> str | None:
        """Do what a key says; what is told of it, None where the question stays."""
        question, review = self._question, self._review
        if pressed == "s":
            review.skip(question)
            return ""
        if pressed == "u":
            told = review.undo()
            if told.startswith("nothing"):
                _write([told])
                return None
            return told
        if pressed == "e":
            return self._expected()
        if pressed == "r" and not question.can_be_real:
            return review.take_apart(question)
        if pressed == "b" and not self._is_sure():
            _write(["not answered"])
            return None
        word: Word = "real" if pressed == "r" else "benign"
        return review.give(question, review.said(question, self._choice, word))

    def _is_sure(self) -> bool:
        """Whether much, or what is critical, shall be closed at once."""
        question, patterns = self._question, len(self._question.patterns)
        if not question.is_weighty:
            return True
        what = f"{patterns:,} patterns" if patterns > 1 else "a pattern"
        what += ", critical ones among them" if question.severity == "critical" else ""
        return key(f"benign closes {what}. Go on? y/n ").lower() == "y"

    def _expected(self) -> str | None:
        text = line("until when? a date, '7d', or a schedule such as 'sat,sun 02:00-04:00' > ")
        text = text.strip()
        if not text:
            _write(["not answered"])
            return None
        try:
            try:
                limits: dict[str, Any] = {"until": later(text)}
            except LogwrightError:
                if not any(mark in text for mark in (":", ",")) and not text.isalpha():
                    raise
                limits = {"during": text}
            verdict = self._review.said(self._question, self._choice, "expected", **limits)
        except LogwrightError as error:
            _write([str(error)])
            return None
        return self._review.give(self._question, verdict)

    def _moves(self, by: int) -> bool:
        """Go to a wider or narrower scope; True where the question was taken apart."""
        at = self._at + by
        if 0 <= at < len(self._choices):
            self._at = at
            _write(self._reach())
            return False
        if by < 0 and len(self._question.patterns) > 1:
            _write([self._review.take_apart(self._question), ""])
            return True
        _write(["there is no wider scope" if by > 0 else "there is no narrower scope"])
        return False

    def _show(self) -> None:
        width, question = columns(), self._question
        done = f"{self._review.answered:,} answered, {self._waiting:,} left"
        kind = " -- second look" if self._look else ""
        head = f"-- {done}{kind} -- {question.severity} -- {question.id} "
        head += "-" * max(width - len(head), 0)
        lines = [head, heading(question.text, width), *asked(question, self._finding, width)]
        if self._finding is not None:
            most = _LINES if len(question.patterns) == 1 else _LINES // 2
            several = len({line.source for line in self._finding.lines}) > 1
            lines += cited(self._finding.lines, most, width, several)
        lines += beside(self._review.advice, question, width)
        if self._look and self._look.verdict.note:
            lines += facts([("said", self._look.verdict.note)], width, most=3)
        _write([*lines, *self._reach()])

    def _reach(self) -> list[str]:
        from logwright.feedback.verdicts import preview

        review = self._review
        answers = []
        words: tuple[Word, ...] = ("real", "benign")
        for word in words:
            verdict = review.said(self._question, self._choice, word)
            told = preview(review.store, verdict, review.kept).sentence
            if word == "real" and not self._question.can_be_real:
                told = "asks one by one which of them it is"
            elif self._look and self._look.verdict.word == word:
                told = "says it again: it stays so, and is not asked again"
            answers.append((word, told))
        return reach(self._choice, answers, columns())

    def _more(self) -> None:
        """More lines: of several patterns, some of each; of one, those of its last findings."""
        width, out = columns(), list[str]()
        several = len(self._question.patterns) > 1
        for pattern in self._question.patterns:
            if several:
                out += facts([("pattern", pattern.row.summary)], width)
            for finding in self._review.store.findings(pattern.row.id, limit=1 if several else 8):
                out += cited(finding.lines, 3 if several else _MORE, width)
            if len(out) > _MORE:
                out = [*out[:_MORE], "    and more: `logwright findings list --pattern ID`"]
                break
        _write(out or ["no lines are kept"])


def _write(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
