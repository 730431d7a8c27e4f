"""What `Sessions` is made of: the records of open sessions, and when to look at a session again.

Both take time in proportion to what comes and goes, however much is open.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int64s
from logwright.windows.window import Events, distinct

__all__ = ["Calendar", "Chains", "grown"]

_SLACK = 65_536
_NEVER = np.iinfo(np.int64).max


def grown(array: NDArray[np.int64], size: int, value: int) -> NDArray[np.int64]:
    """An array of at least so many entries, further ones of this value; at least doubled.

    >>> grown(np.array([7]), 2, 0).tolist()
    [7, 0]
    """
    if size <= len(array):
        return array
    more = np.full(max(size, 2 * len(array)) - len(array), value, np.int64)
    return np.concatenate((array, more))


class Chains:
    """Records, each linked to the one before it in its session.

    >>> chains, events = Chains(), Events(*(np.arange(3, dtype=k) for k in ("i4", "i8", "i1",
    ...                                                                    "i4", "i8")))
    >>> chains.add(events, np.array([-1, -1, 0]))
    >>> taken = chains.take(np.array([2]), np.array([2]))
    >>> taken.row.tolist(), len(chains)
    ([0, 2], 1)
    """

    def __init__(self) -> None:
        self._events = Events.concat([])  # with room for more
        self._before = np.empty(0, np.int64)
        self._alive = np.empty(0, bool)
        self._used = self._held = 0

    def __len__(self) -> int:
        return self._held

    @property
    def next(self) -> int:
        """The place of the next record that is added."""
        return self._used

    def add(self, events: Events, before: Int64s) -> None:
        """Take records, each with the place of the one before it, -1 for none."""
        base, stop = self._used, self._used + len(events)
        if stop > len(self._alive):
            room = max(stop, 2 * len(self._alive)) - self._used
            here = slice(self._used)
            self._events = self._events.take(here).with_room(room)
            self._before = np.concatenate((self._before[here], np.empty(room, np.int64)))
            self._alive = np.concatenate((self._alive[here], np.zeros(room, bool)))
        self._events.put(base, events)
        self._before[base:stop] = before
        self._alive[base:stop] = True
        self._used = stop
        self._held += len(events)

    def take(self, tails: Int64s, sizes: Int64s) -> Events:
        """Take out whole chains, given their last places and how many records they have: their
        records, chain by chain and in order."""
        total = int(sizes.sum())
        out = np.empty(total, np.int64)
        before = self._before
        at, to = tails, np.cumsum(sizes) - 1
        while len(at):
            out[to] = at
            at = before[at]
            on = at >= 0
            at, to = at[on], to[on] - 1
        self._alive[out] = False
        self._held -= total
        return self._events.take(out)

    def held(self) -> tuple[Events, Int64s]:
        """All records in order of their rows, and the place of each."""
        at = np.flatnonzero(self._alive[: self._used])
        at = at[np.argsort(self._events.row[at], kind="stable")]
        return self._events.take(at), at

    def rows(self) -> Int64s:
        """The rows of all records, in no order."""
        return self._events.row[: self._used][self._alive[: self._used]]

    def packed(self) -> Int64s | None:
        """Let go the room of records that were taken out, where that is most of it: the new place
        of each old one, -1 in the last place; None where nothing moved."""
        if self._used <= 2 * self._held + _SLACK:
            return None
        alive = self._alive[: self._used]
        place = np.append(np.where(alive, np.cumsum(alive) - 1, -1), -1)
        self._before = place[self._before[: self._used][alive]]
        self._events = self._events.take(slice(self._used)).take(alive)
        self._used = self._held
        self._alive = np.ones(self._used, bool)
        return place


class Calendar:
    """Which numbers (of sessions) to look at, as a limit rises: each is filed under a value, that
    may rise without anybody telling the calendar.

    >>> calendar = Calendar(10)
    >>> calendar.file(np.array([0, 1]), np.array([5, 95]))
    >>> values = np.array([5, 95])
    >>> calendar.due(6, values).tolist(), calendar.due(90, values).tolist()
    ([0], [])
    """

    def __init__(self, width: int) -> None:
        self._width = max(width, 1)
        self._pages: dict[int, list[Int64s]] = {}
        self._page = np.empty(0, np.int64)  # where each number is filed

    def file(self, numbers: Int64s, values: Int64s) -> None:
        """File numbers under values; one that is filed under a smaller one stays there."""
        if not len(numbers):
            return
        self._page = grown(self._page, int(numbers.max()) + 1, _NEVER)
        page = values // self._width
        new = page < self._page[numbers]
        self._put(numbers[new], page[new])

    def _put(self, numbers: Int64s, page: Int64s) -> None:
        self._page[numbers] = page
        for one in _distinct(page):
            self._pages.setdefault(one, []).append(numbers[page == one])

    def due(self, limit: int, values: Int64s) -> Int64s:
        """Take out the numbers whose value, by number, is below the limit now."""
        last = limit // self._width
        pages = [page for page in self._pages if page <= last]
        if not pages:
            return np.empty(0, np.int64)
        numbers = []
        for page in sorted(pages):
            here = distinct(self._pages.pop(page))
            numbers.append(here[self._page[here] == page])
        found = np.concatenate(numbers)
        self._page[found] = _NEVER
        value = values[found]
        over = value < limit
        later = found[~over]
        self._put(later, value[~over] // self._width)
        due: Int64s = found[over]
        return due


def _distinct(page: Int64s) -> Iterable[int]:
    if len(page) and page[0] == page[-1] and bool((page == page[0]).all()):
        return (int(page[0]),)
    several: list[int] = np.unique(page).tolist()
    return several
