"""`Roster`: which slot the state of which session lies in, and which has to give way.

Sessions are known by an int64 key. There are `most` slots; when they are used up, the sessions not
heard of for longest give way, a few at once. Keys stand sorted in one array: finding a batch of
them is a binary search each, letting some in or out one move of the array; no object per session.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logwright.errors import SettingsError
from logwright.logs.batch import Int64s

__all__ = ["Roster"]

Slots = NDArray[np.intp]


class Roster:
    """Keys and slots. `evicted` counts sessions that had to give way, `opened` those that came.

    >>> roster = Roster(2)
    >>> slots, new = roster.admit(np.array([10, 20]))
    >>> slots, new = roster.admit(np.array([10, 30]))  # 20 was not heard of for longest
    >>> new.tolist(), roster.find(np.array([10, 20, 30])) >= 0, roster.evicted
    ([False, True], array([ True, False,  True]), 1)
    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise SettingsError(f"Room for {most} open sessions is none: name 1 or more")
        self.most = most
        self.opened = self.evicted = 0
        self._keys = np.zeros(0, np.int64)
        self._slots = np.zeros(0, np.intp)
        self._key_of = np.zeros(most, np.int64)
        self._heard = np.zeros(most, np.int64)
        self._free = np.arange(most)[::-1].copy()
        self._clock = 0

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def nbytes(self) -> int:
        """Memory with all slots in use, in bytes."""
        return self.most * (self._keys.itemsize + 4 * 8)

    def find(self, keys: Int64s) -> Slots:
        """The slot of each key, -1 where there is none."""
        if not len(self._keys):
            return np.full(len(keys), -1, np.intp)
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        return np.where(self._keys[at] == keys, self._slots[at], -1)

    def admit(self, keys: Int64s) -> tuple[Slots, NDArray[np.bool_]]:
        """The slot of each key, all different, sorted, and not more than `most`; True where the
        session is new, so that what its slot held is another's."""
        self._clock += 1
        slots = self.find(keys)
        new = slots < 0
        self._heard[slots[~new]] = self._clock
        number = int(np.count_nonzero(new))
        if number:
            if number > len(self._free):
                self._evict(number - len(self._free))
            slots[new] = self._free[-number:]
            self._free = self._free[:-number]
            self._key_of[slots[new]], self._heard[slots[new]] = keys[new], self._clock
            at = np.searchsorted(self._keys, keys[new])
            self._keys = np.insert(self._keys, at, keys[new])
            self._slots = np.insert(self._slots, at, slots[new])
            self.opened += number
        return slots, new

    def release(self, slots: Slots) -> None:
        """The sessions in these slots, all different, are over."""
        at = np.searchsorted(self._keys, self._key_of[slots])
        self._keys, self._slots = np.delete(self._keys, at), np.delete(self._slots, at)
        self._free = np.concatenate([self._free, slots])

    def _evict(self, number: int) -> None:
        """Make room for `number`, and for some more, so that this is not done at every batch."""
        idle = self._slots[self._heard[self._slots] < self._clock]
        number = min(len(idle), max(number, self.most // 64))
        oldest = np.lexsort((idle, self._heard[idle]))[:number]
        self.release(idle[oldest])
        self.evicted += number
