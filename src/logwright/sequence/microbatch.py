"""`Batcher`: events gathered until there are enough of them or the first has waited long enough.

A model is quicker per event the more sessions it steps at once, and an event must not wait for
company for ever. The clock is handed in as numbers, so that nothing here sleeps or asks the time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.errors import SettingsError
from logwright.logs.batch import Int8s, Int32s, Int64s

__all__ = ["Batch", "Batcher"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in order of arrival; `arrived` is when each came, in seconds of the caller's clock."""

    keys: Int64s
    codes: Int32s
    gaps: Int8s
    arrived: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.keys)


class Batcher:
    """Gathers events into batches of at most `size`, the first of which waits at most `delay`
    seconds. At most `room` events are held; `refused` counts those there was no room for.

    >>> batcher = Batcher(size=3, delay=0.002)
    >>> codes, gaps = np.array([5, 6], np.int32), np.zeros(2, np.int8)
    >>> batcher.offer(np.array([1, 2]), codes, gaps, now=10.0)
    2
    >>> batcher.ready(10.0), round(batcher.wait(10.0), 4), batcher.ready(10.002)
    (False, 0.002, True)
    >>> batcher.take().codes.tolist()
    [5, 6]
    """

    def __init__(self, size: int = 256, delay: float = 0.002, room: int = 1 << 16) -> None:
        if size < 1 or room < size or not 0 <= delay < float("inf"):
            raise SettingsError(
                f"Batches of {size} events after {delay} s with room for {room} cannot be:"
                " name a size of 1 or more, a delay of 0 or more, and room for a batch"
            )
        self.size, self.delay, self.room = size, delay, room
        self.refused = 0
        # A ring: the oldest event is at `_begin`.
        self._keys = np.zeros(room, np.int64)
        self._codes = np.zeros(room, np.int32)
        self._gaps = np.zeros(room, np.int8)
        self._arrived = np.zeros(room)
        self._begin = self._held = 0

    def __len__(self) -> int:
        return self._held

    def offer(
        self, keys: Int64s, codes: Int32s, gaps: Int8s, now: float | NDArray[np.float64]
    ) -> int:
        """Take in events that came at `now`, or each at its own time, in order; how many of them,
        from the first on, had room."""
        number = min(len(keys), self.room - self._held)
        at = (self._begin + self._held + np.arange(number)) % self.room
        self._keys[at], self._codes[at] = keys[:number], codes[:number]
        self._gaps[at] = gaps[:number]
        self._arrived[at] = np.broadcast_to(now, len(keys))[:number]
        self._held += number
        self.refused += len(keys) - number
        return number

    def ready(self, now: float) -> bool:
        """Whether a batch is full or due."""
        return self._held >= self.size or (self._held > 0 and self.wait(now) <= 0)

    def wait(self, now: float) -> float:
        """Seconds until the oldest event is due, 0 or less if it is; infinite with none held."""
        if not self._held:
            return float("inf")
        return float(self._arrived[self._begin]) + self.delay - now

    def take(self) -> Batch:
        """The oldest events, at most `size`, whether due or not."""
        number = min(self._held, self.size)
        at = (self._begin + np.arange(number)) % self.room
        self._begin, self._held = (self._begin + number) % self.room, self._held - number
        return Batch(self._keys[at], self._codes[at], self._gaps[at], self._arrived[at])
