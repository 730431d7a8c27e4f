"""The unit to ask about: which description of a window an expert should judge, and why.

A strict unit (how often each template comes) tells more apart than a lenient one (which templates
come), down to the template alone; but the more it tells apart, the more often it asks. How often is
measured on history itself: each unit is learned from the first part, and what the last part holds
that is new is counted, distinct ones (questions, if each is asked once and answered) and windows
that hold one (questions, if each alarm were asked about by itself). The strictest unit that stays
below one question per 1,000 windows is chosen. The limit is declared, and its margin is thin: see
docs/feedback.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["MOST_QUESTIONS", "Choice", "Expected", "choose"]

MOST_QUESTIONS = 1.0
"""Per 1,000 windows of normal history."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What asking by a unit would have cost in the last part of history: distinct new ones, and
    windows that hold one."""

    unit: str
    questions: int
    alarms: int
    windows: int

    @property
    def rate(self) -> float:
        """Questions per 1,000 windows."""
        return 1000.0 * self.questions / max(self.windows, 1)


@dataclass(frozen=True, slots=True)
class Choice:
    """The unit, and why in words."""

    unit: str
    reason: str


def choose(units: Sequence[Expected]) -> Choice:
    """The strictest unit that asks rarely enough; `units` from strict to lenient, the last one is
    taken where none does.

    >>> choose([Expected("count_vector", 115, 2241, 5059), Expected("template", 1, 1, 5059)]).unit
    'template'
    """
    chosen = next((u for u in units if u.rate <= MOST_QUESTIONS), units[-1])
    told = [
        f"{chosen.rate:.2g} questions per 1,000 windows expected in place of "
        f"{1000.0 * chosen.alarms / max(chosen.windows, 1):.2g} if each alarm were asked about"
    ]
    stricter = units[: units.index(chosen)]
    if stricter:
        others = ", ".join(f"{u.unit} {u.rate:.2g}" for u in stricter)
        told.append(f"stricter units would ask more than {MOST_QUESTIONS:.0f} ({others})")
    return Choice(chosen.unit, f"questions are asked by {chosen.unit}: {'; '.join(told)}")
