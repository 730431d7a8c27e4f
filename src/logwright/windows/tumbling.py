"""Tumbling and sliding windows, by count or by time (contract 5).

Time windows close when the watermark (the largest timestamp so far minus the allowed lateness)
passes their end; a record whose window had closed when it came goes to a late window of its own
time slot. All of it is decided per record, so where one batch ends and the next begins does not
matter. A record without a time takes that of the record before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, Int64s
from logwright.windows.window import Events, Windows

_LATE_ROWS = 65_536
ON_TIME = NO_TIME
"""What `late` holds for a record that came in time."""

__all__ = ["CountWindows", "TimeWindows", "fill_times", "running_max"]


def running_max(ts: Int64s, before: int) -> Int64s:
    """The largest time among all records before each one (not counting itself)."""
    if not len(ts):
        return ts
    return np.maximum.accumulate(np.concatenate(([before], ts[:-1])))


def fill_times(ts: Int64s, before: int) -> Int64s:
    """Times with gaps filled from the record before (`before` for the first).

    >>> fill_times(np.array([NO_TIME, 5, NO_TIME]), 3).tolist()
    [3, 5, 5]
    """
    missing = ts == NO_TIME
    if not missing.any():
        return ts
    last = np.where(missing, -1, np.arange(len(ts)))
    last = np.maximum.accumulate(last) if len(last) else last
    return np.where(last < 0, before, ts[last])


def _grouped(events: Events, slot: Int64s, end: Int64s, late: Int64s) -> Windows:
    """Time windows from events with a slot each; ordered by (end, slot), late ones after."""
    row = events.row
    falls = (slot[1:] < slot[:-1]) | ((slot[1:] == slot[:-1]) & (row[1:] < row[:-1]))
    if (late != ON_TIME).any() or falls.any():  # already in order, mostly
        order = np.lexsort((events.row, late, slot))
        events, slot, late, end = events.take(order), slot[order], late[order], end[order]
    new = np.ones(len(slot), bool)
    new[1:] = (slot[1:] != slot[:-1]) | (late[1:] != late[:-1])
    first = np.flatnonzero(new)
    bounds = np.concatenate((first, [len(slot)])).astype(np.int64)
    was_late = late[first] != ON_TIME
    return Windows("time", bounds, events, slot[first], end[first], was_late)


@dataclass(slots=True)
class TimeWindows:
    """Windows of `size` ns every `step` ns (tumbling when they are equal).

    >>> t = np.array([0, 4, 11, 3], np.int64)
    >>> events = Events(np.zeros(4, np.int32), t, np.zeros(4, np.int8), np.zeros(4, np.int32),
    ...                 np.arange(4))
    >>> w = TimeWindows(size=10, step=10, lateness=0)
    >>> closed = Windows, w.push(events), w.flush()
    >>> [(x.key.tolist(), x.sizes.tolist(), x.late.tolist()) for x in closed[1:]]
    [([0], [2], [False]), ([0, 1], [1, 1], [True, False])]
    """

    size: int
    step: int
    lateness: int
    newest: int = NO_TIME
    last: int = NO_TIME
    _row: int = -1
    _open: Events | None = None
    _slot: Int64s = field(default_factory=lambda: np.empty(0, np.int64))
    _late: Int64s = field(default_factory=lambda: np.empty(0, np.int64))

    @property
    def oldest(self) -> int | None:
        """The first row that an open window holds; None where none is open."""
        return None if self._open is None or not len(self._open) else int(self._open.row.min())

    def push(self, events: Events) -> Windows:
        """Take records in input order; give back the windows that this closes."""
        ts = fill_times(events.ts, self.last)
        seen = running_max(ts, self.newest)
        if len(ts):
            self.last = int(ts[-1])
            self.newest = max(self.newest, int(ts.max()))
        events = Events(events.template, ts, events.level, events.session, events.row)
        copies = -(-self.size // self.step)
        # Records before the first time of all have none to go by: they fall in slot 0.
        base = np.where(ts == NO_TIME, 0, ts) // self.step
        slot = np.concatenate([base - back for back in range(copies)])
        if copies > 1:  # sliding: a record stands in several windows
            events, seen = Events.concat([events] * copies), np.tile(seen, copies)
            inside = slot * self.step + self.size > events.ts
            events, seen, slot = events.take(inside), seen[inside], slot[inside]
        # A late record is filed by its row, so that it meets the same fellows whichever batch
        # brings them, and so that late windows close even if time stands still.
        mark = np.where(seen == NO_TIME, 0, seen)
        is_late = (seen != NO_TIME) & (slot * self.step + self.size <= mark - self.lateness)
        late = np.where(is_late, events.row // _LATE_ROWS, ON_TIME)
        if len(events):
            self._row = int(events.row.max())
        if self._open is not None:
            events = Events.concat([self._open, events])
            slot = np.concatenate((self._slot, slot))
            late = np.concatenate((self._late, late))
        if self.newest == NO_TIME:
            return self._close(events, slot, late, np.zeros(len(slot), bool))
        done = slot * self.step + self.size <= self.newest - self.lateness
        done = np.where(late == ON_TIME, done, late < self._row // _LATE_ROWS)
        return self._close(events, slot, late, done)

    def _close(
        self, events: Events, slot: Int64s, late: Int64s, done: NDArray[np.bool_]
    ) -> Windows:
        keep = ~done
        self._open, self._slot, self._late = events.take(keep), slot[keep], late[keep]
        end = slot * self.step + self.size
        return _grouped(events.take(done), slot[done], end[done], late[done])

    def flush(self) -> Windows:
        """Close everything: the end of the input."""
        if self._open is None:
            return Windows.of_sequences([], "time")
        return self._close(self._open, self._slot, self._late, np.ones(len(self._slot), bool))


@dataclass(slots=True)
class CountWindows:
    """Windows of `size` records every `step` records; the last one may be shorter.

    >>> events = Windows.of_sequences([[1, 2, 3, 4, 5]]).events
    >>> w = CountWindows(size=2, step=2)
    >>> w.push(events).sizes.tolist(), w.flush().sizes.tolist()
    ([2, 2], [1])
    """

    size: int
    step: int
    _open: Events | None = None
    _base: int = 0  # how many records came before the open ones

    @property
    def oldest(self) -> int | None:
        """The first row that an open window holds; None where none is open."""
        return None if self._open is None or not len(self._open) else int(self._open.row.min())

    def push(self, events: Events) -> Windows:
        """Take records in input order; give back the windows that this closes."""
        if self._open is not None:
            events = Events.concat([self._open, events])
        first = -(-self._base // self.step)
        last = (self._base + len(events) - self.size) // self.step
        windows = self._cut(events, first, last)
        done = max((last + 1) * self.step - self._base, 0)
        self._open, self._base = events.take(slice(done, None)), self._base + done
        return windows

    def _cut(self, events: Events, first: int, last: int) -> Windows:
        """Windows number `first` to `last` of the open records."""
        number = np.arange(first, max(last + 1, first), dtype=np.int64)
        start = number * self.step - self._base
        sizes = np.maximum(np.minimum(start + self.size, len(events)) - start, 0)
        bounds = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        at = np.arange(bounds[-1]) - np.repeat(bounds[:-1] - start, sizes)
        end = number * self.step + self.size
        late = np.zeros(len(number), bool)
        return Windows("count", bounds, events.take(at), number, end, late)

    def flush(self) -> Windows:
        """Close what is open: one window with the records that no closed window held."""
        events, self._open = self._open, None
        held = self.size - self.step if self._base else 0
        if events is None or len(events) <= held:
            return Windows.of_sequences([], "count")
        number = self._base // self.step
        return self._cut(events, number, number)
