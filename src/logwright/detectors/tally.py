"""Tally: which parts of a detector alarm where nothing should, and are better left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Floats

__all__ = ["Tally"]

UInt64s = NDArray[np.uint64]


class Tally:
    """What alarmed, and how strongly, where nothing should: to tell what is not to be relied on.

    >>> tally = Tally()
    >>> tally.add(np.array([7, 7, 9], np.uint64), np.array([5.0, 6.0, 4.0]))
    >>> tally.noisy(floor=3.0, allowed=1)
    {7}
    """

    def __init__(self) -> None:
        self._keys: list[UInt64s] = []
        self._digits: list[Floats] = []

    def add(self, keys: UInt64s, digits: Floats) -> None:
        """Take one score per alarm, with the key of what alarmed."""
        self._keys.append(keys)
        self._digits.append(digits)

    def noisy(self, floor: float, allowed: float) -> set[int]:
        """The keys to leave out, worst first, until at most `allowed` alarms remain."""
        if not self._keys:
            return set()
        over = np.concatenate(self._digits) >= floor
        keys, times = np.unique(np.concatenate(self._keys)[over], return_counts=True)
        worst = np.lexsort((keys, -times))
        left = int(times.sum()) - np.cumsum(times[worst])
        drop = 0 if times.sum() <= allowed else int(np.argmax(left <= allowed)) + 1
        return {int(k) for k in keys[worst[:drop]]}
