"""The unit to ask about: which description of a window an expert should judge, and why.

A strict unit (how often each template comes) tells more apart than a lenient one (which templates
come), down to the template alone; but the more it tells apart, the more often it asks. How often is
measured on history itself: each unit is learned from the first part, and what the last part holds
that is new is counted: distinct ones (questions, if each is asked once and answered) and windows
that hold one (questions, if each alarm were asked about by itself). The strictest unit that keeps
to the alarm budget (one question per 1,000 windows) is chosen: the ladder
raises by it, so the product asks by it. The limit is declared, and its margin is thin: see
docs/feedback.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logwright.findings.run import many

__all__ = ["MOST_QUESTIONS", "ORDER", "Choice", "Expected", "choose"]

ORDER = ("count_vector", "capped", "bigram", "event_set", "template")
"""From strict to lenient."""

MOST_QUESTIONS = 1.0
"""Per 1,000 windows of normal history: the default alarm budget, 10 per 10,000."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What asking by a unit would have cost in normal windows that were not learned: distinct new
    ones, and windows that hold one.

    >>> Expected("event_set", questions=2, alarms=30, windows=4_000).rate
    0.5
    """

    unit: str
    questions: int
    alarms: int
    windows: int
    basis: str = "last part of history"

    @property
    def rate(self) -> float:
        """Questions per 1,000 windows."""
        return 1000.0 * self.questions / max(self.windows, 1)


@dataclass(frozen=True, slots=True)
class Choice:
    """The unit, and why in words."""

    unit: str
    reason: str


def choose(units: Sequence[Expected], most: float = MOST_QUESTIONS) -> Choice:
    """The strictest unit that asks at most so many questions per 1,000 windows; `units` from strict
    to lenient, the last one is taken where none does.

    >>> choose([Expected("count_vector", 115, 2241, 5059), Expected("template", 1, 1, 5059)]).unit
    'template'
    """
    chosen = next((u for u in units if u.rate <= most), units[-1])
    told = [
        f"{_few(chosen.rate)} questions per 1,000 windows expected in place of "
        f"{_few(1000.0 * chosen.alarms / max(chosen.windows, 1))} if each alarm were asked about "
        f"({many(chosen.questions, 'question')}, {many(chosen.alarms, 'alarm')} in "
        f"{many(chosen.windows, 'window')} of the {chosen.basis})"
    ]
    stricter = units[: units.index(chosen)]
    if stricter:
        others = ", ".join(f"{u.unit} {_few(u.rate)}" for u in stricter)
        told.append(f"stricter units would ask more than {most:.3g} ({others})")
    return Choice(chosen.unit, f"questions are asked by {chosen.unit}: {'; '.join(told)}")


def _few(number: float) -> str:
    """In three digits, or without fractions.

    >>> _few(0.03759), _few(1.0361), _few(1234.5)
    ('0.0376', '1.04', '1,234')
    """
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
