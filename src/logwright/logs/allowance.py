"""An allowance: how many new things a stream of lines may bring.

What is over it is told of together, so that a flood of ever-new text costs little more than other
lines. What is granted is a function of the lines alone, however they come in blocks: nothing is
earned within a stretch of lines, so that what one line was refused no later one of the stretch
gets.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["STRETCH", "Allowance"]

STRETCH = 10_000
"""Lines after which more is granted."""


class Allowance:
    """Grants `most` at first, `each` more with every stretch, and never more than `most` at once
    or `whole` in all.

    >>> allowance = Allowance(3, 1, 5)
    >>> [allowance.take(line, 2) for line in (5, 9, STRETCH, 2 * STRETCH, 3 * STRETCH)]
    [2, 1, 1, 1, 0]
    """

    __slots__ = ("_each", "_left", "_most", "_stretch", "_whole")

    def __init__(self, most: int, each: int, whole: int = sys.maxsize) -> None:
        self._most, self._each, self._whole = most, each, whole
        self._left, self._stretch = most, 0

    def take(self, line: int, wanted: int) -> int:
        """How many of those wanted by lines of one stretch are granted; `line` is one of these."""
        stretch = line // STRETCH
        if stretch > self._stretch:
            self._left = min(self._left + self._each * (stretch - self._stretch), self._most)
            self._stretch = stretch
        granted = min(wanted, self._left, self._whole)
        self._left -= granted
        self._whole -= granted
        return granted

    def paused(self) -> list[int]:
        """What is left, since when, and of the whole."""
        return [self._left, self._stretch, self._whole]

    def resume(self, state: Sequence[int]) -> None:
        """Go on from there."""
        self._left, self._stretch, self._whole = map(int, state)
