"""`Bar`: what was aimed at before it was measured, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Bar"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure and the least it should be, or, where `most` is set, the most. `of` says what was
    measured, `key` names the figure for programs."""

    of: str
    key: str
    what: str
    value: float
    aim: float
    most: bool = False

    @property
    def met(self) -> bool:
        """Whether it is what it should be.

        >>> Bar("x", "x", "questions", 9, 10, most=True).met
        True
        """
        return self.value <= self.aim if self.most else self.value >= self.aim

    @property
    def told(self) -> str:
        """In words.

        >>> Bar("x", "x", "F1", 0.9834, 0.97).told
        'F1 0.9834: at least 0.97, met'
        """
        bound, met = "at most" if self.most else "at least", "met" if self.met else "MISSED"
        return f"{self.what} {self.value:,.4g}: {bound} {self.aim:g}, {met}"
