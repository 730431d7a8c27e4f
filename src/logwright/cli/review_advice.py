"""The advice of a language model on open questions, asked for before a person is."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from logwright.cli.evidence import facts
from logwright.cli.feedback_parts import columns

if TYPE_CHECKING:
    from logwright.feedback.advice import Advice
    from logwright.feedback.kept import Kept
    from logwright.feedback.questions import Question
    from logwright.llm import Chat
    from logwright.store.base import Store

__all__ = ["Advising", "beside"]

_REASON = 4  # lines of it


class Advising:
    """Asks a model about questions, one after the other, and says what came of it; each answer that
    counts is kept when it is given. Unless it is `quiet`, it writes."""

    def __init__(self, store: Store, kept: Kept, chat: Chat, quiet: bool = False) -> None:
        from logwright.feedback.advice import Adviser

        self._adviser = Adviser(store, kept, chat, chat.model)
        self._kept, self._chat, self._quiet = kept, chat, quiet
        self.advice: dict[str, Advice] = {}
        self.stopped = ""

    def ask(self, limit: int | None) -> None:
        """Ask about the open questions, or the first of them. What it costs is told even where
        it breaks off; where the budget ends or a batch has to wait, people go on."""
        from logwright.feedback.questions import questions

        wanted = self._adviser.wanted(questions(self._kept))[:limit]
        try:
            self._ask(wanted)
        finally:
            self._told(len(wanted))

    def record(self) -> dict[str, Any]:
        """What came of it as JSON, by the ids of questions."""
        return {
            "advice": {name: advice.record() for name, advice in self.advice.items()},
            "spending": self._chat.spending.told(),
            "stopped": self.stopped,
        }

    def _ask(self, wanted: Sequence[Question]) -> None:
        from textwrap import wrap

        from logwright.findings.escape import safe
        from logwright.findings.run import many
        from logwright.llm import BudgetError, Waiting

        first = f"asking {self._adviser.by} about {many(len(wanted), 'open question')}"
        self._write(wrap(safe(first), columns()))
        for at, question in enumerate(wanted, start=1):
            try:
                advice = self._adviser.advise(question)
            except Waiting as waiting:  # the next one may be answered; the last counts all
                self.stopped = str(waiting)
                continue
            except BudgetError as over:
                self.stopped = str(over)
                break
            self.advice[question.id] = advice
            self._write(_lines(at, len(wanted), question, advice))

    def _told(self, wanted: int) -> None:
        from textwrap import wrap

        from logwright.findings.escape import safe
        from logwright.findings.run import many

        given = sum(advice.verdict is not None for advice in self.advice.values())
        left = wanted - given
        lines = wrap(safe(self.stopped), columns())
        lines += [f"the model answered {given:,} and left {many(left, 'question')} to you"]
        self._write([*lines, *wrap(self._chat.spending.told(), columns()), ""])

    def _write(self, lines: Sequence[str]) -> None:
        if not self._quiet:
            sys.stdout.write("".join(f"{line}\n" for line in lines))
            sys.stdout.flush()


def beside(advice: Mapping[str, Advice], question: Question, width: int) -> list[str]:
    """What a model said of a question that is open, or no lines."""
    said = advice.get(question.id)
    if said is None or said.verdict is not None:
        return []
    rows = [("model says", said.sentence), ("left open", said.left)]
    return facts(rows, width, most=_REASON)


def _lines(at: int, number: int, question: Question, advice: Advice) -> list[str]:
    from logwright.findings.escape import fit

    width = columns()
    head = f"{at}/{number} "
    rows = [("says", advice.sentence)]
    if advice.verdict is None or advice.effect is None:
        rows.append(("left open", advice.left))
    else:
        rows.append(("effect", f"{advice.effect.sentence} (verdict {advice.verdict.number})"))
    return [head + fit(question.text, width - len(head)), *facts(rows, width, most=_REASON)]
