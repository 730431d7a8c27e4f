"""Spikes: times that jump by more than a day for one line and back. A wrong one among right ones
would close all windows.

Whether a time is a spike is known once the next one is: until then its line, and those behind it,
have to wait. So it does not matter where blocks end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logwright.logs.batch import NO_TIME, Int64s

__all__ = ["Spikes"]

_DAY = 86_400_000_000_000
_FAR = 1_000
"""A time is no spike where so many lines without a time come behind it."""


@dataclass(slots=True)
class Spikes:
    """Finds the spikes of one source, block after block; `before` is the last time of the blocks
    before, `found` counts.

    >>> day, spikes = _DAY, Spikes()
    >>> spikes.waits(np.array([0, 5 * day])), spikes.waits(np.array([0, 5 * day, 1, 2]))
    (1, 4)
    >>> spikes.without(np.array([0, 5 * day, 1, 2]), 4).tolist()[1] == NO_TIME
    True
    """

    before: int = NO_TIME
    found: int = 0

    def waits(self, ts: Int64s) -> int:
        """From which line of a block on lines have to wait for the next block; its number of lines
        where none has to."""
        timed = np.flatnonzero(ts != NO_TIME)
        if not len(timed):
            return len(ts)
        last = int(timed[-1])
        before = int(ts[timed[-2]]) if len(timed) > 1 else self.before
        near = before == NO_TIME or abs(int(ts[last]) - before) <= _DAY
        return len(ts) if near or len(ts) - last > _FAR else last

    def without(self, ts: Int64s, stop: int) -> Int64s:
        """The times of a block's lines before `stop`, those that need not wait, without spikes."""
        timed = np.flatnonzero(ts != NO_TIME)
        if not len(timed) or timed[0] >= stop:
            return ts[:stop]
        times, row = ts[timed], timed
        if self.before != NO_TIME:
            times, row = np.append(self.before, times), np.append(-1, row)
        self.before = int(times[row < stop][-1])
        jump = np.abs(np.diff(times)) > _DAY
        spike = np.flatnonzero(jump[1:] & jump[:-1]) + 1
        if not len(spike):
            return ts[:stop]
        back = np.abs(times[spike + 1] - times[spike - 1]) <= _DAY
        spike = spike[back & (row[spike + 1] - row[spike] <= _FAR)]
        spike = spike[row[spike] < stop]
        self.found += len(spike)
        ts = ts[:stop].copy()
        ts[row[spike]] = NO_TIME
        return ts
