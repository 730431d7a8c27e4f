"""`logwright review`: walks the open questions, one key each."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logwright.cli.evidence import asked, cited, facts, heading, reach
from logwright.cli.feedback_parts import (
    ByOption,
    ModelOption,
    StoreOption,
    author,
    columns,
    is_past,
    later,
    made,
    opened,
    spelled,
)
from logwright.cli.keys import key, line
from logwright.cli.template_parts import JsonOption, print_json
from logwright.errors import LogwrightError

if TYPE_CHECKING:
    from logwright.feedback.kept import Kept
    from logwright.feedback.questions import Question
    from logwright.feedback.scopes import Choice
    from logwright.findings.finding import Finding
    from logwright.findings.verdict import Verdict, Word
    from logwright.store.base import Store

__all__ = ["review"]

_LINES, _MORE = 6, 40
_MANY = 10
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


def review(
    model: ModelOption = None,
    store: StoreOption = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", metavar="N", min=1, help="Only the first N questions.", show_default=False
        ),
    ] = None,
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Walk the open questions, the most informative first, and answer each with one key.

    With `--json` they are only listed.

    Example: logwright review -m model
    """
    from logwright.feedback.kept import Kept

    with opened(model, store, write=not json) as there:
        kept = Kept.of(there)
        if json:
            from logwright.feedback.questions import questions

            print_json({"questions": [_record(q) for q in questions(kept)[:limit]]})
            return
        asking = _Review(there, kept, author(by), limit)
        gc.freeze()  # what was read stays to the end: no need to look through it at each answer
        asking.walk()


class _Review:
    """One walk through the questions; each answer is kept when it is given."""

    def __init__(self, store: Store, kept: Kept, by: str, limit: int | None) -> None:
        self._store, self._kept, self._by, self._limit = store, kept, by, limit
        from logwright.feedback.questions import Asker

        self._asker = Asker(kept)
        self._asker.ask()
        self._given: list[int] = []
        self._skipped: set[str] = set()
        self._apart: set[str] = set()
        self._seen: set[str] = set()

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
            if not _Asking(self, question, len(waiting)).answered():
                break
        answered, left = len(self._given), len(self._waiting())
        sys.stdout.write(f"{answered:,} answered, {left:,} left\n")

    def _waiting(self) -> list[Question]:
        """The questions that were not skipped; parts of one that was taken apart come first."""
        found = self._asker.ask(self._apart)
        found = [q for q in found if not self._skipped.issuperset(p.row.id for p in q.patterns)]
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
        from logwright.feedback.verdicts import give

        given, effect = give(self._store, verdict, self._kept)
        self._given.append(given.number)
        told = f"{given.word}: {effect.sentence} (verdict {given.number})"
        if effect.findings == 0:  # asked again, it would be the same question
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
        return f"took back verdict {number}: {effect.sentence}"


class _Asking:
    """One question on the screen, until a key settles what becomes of it."""

    def __init__(self, review: _Review, question: Question, waiting: int) -> None:
        from logwright.feedback.scopes import scopes

        self._review, self._question, self._waiting = review, question, waiting
        several = len({s for p in question.patterns for s in p.row.sources}) > 1
        choices = scopes([p.found for p in question.patterns])
        self._choices = [c for c in choices if c.name != "source" or several]
        self._at = next(i for i, c in enumerate(self._choices) if c.name == "pattern")
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
        if question.severity != "critical" and patterns <= _MANY:
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
        head = f"-- {done} -- {question.severity} -- {question.id} "
        head += "-" * max(width - len(head), 0)
        lines = [head, heading(question.text, width), *asked(question, self._finding, width)]
        if self._finding is not None:
            most = _LINES if len(question.patterns) == 1 else _LINES // 2
            several = len({line.source for line in self._finding.lines}) > 1
            lines += cited(self._finding.lines, most, width, several)
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


def _record(question: Question) -> dict[str, Any]:
    first, last = question.first_seen, question.last_seen
    return {
        "id": question.id,
        "kind": question.kind,
        "text": question.text,
        "why": question.why,
        "severity": question.severity,
        "findings": question.findings,
        "chance": round(question.chance, 4),
        "worth": round(question.worth, 4),
        "first_seen": first.isoformat() if first else None,
        "last_seen": last.isoformat() if last else None,
        "hosts": list(question.hosts),
        "patterns": [p.row.id for p in question.patterns],
    }
