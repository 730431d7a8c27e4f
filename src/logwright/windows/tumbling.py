"""Tumbling and sliding windows, by count or by time (contract 5).

Time windows close when the watermark (the largest timestamp so far minus the allowed lateness)
passes their end; a record whose window had closed when it came goes to a late window of its own
time slot. All of it is decided per record, so where one batch ends and the next begins does not
matter. A record without a time takes that of the record before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from logwright.logs.batch import NO_TIME, Int64s
from logwright.snapshot import Moved, State
from logwright.windows.window import Events, Windows, distinct

_LATE_ROWS = 65_536
_NEVER = np.iinfo(np.int64).max
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


class _Part(NamedTuple):
    """Records of open windows, their windows' numbers, and the blocks of rows in which late ones
    came (`ON_TIME` for others); the least of both."""

    events: Events
    slot: Int64s
    late: Int64s
    first: int
    late_first: int


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
    _open: list[_Part] = field(default_factory=list)
    _few: tuple[Int64s, ...] = field(default_factory=lambda: (np.empty(0, np.int64),) * 3)
    _few_to: int = -1

    @property
    def oldest(self) -> int | None:
        """The first row that an open window holds; None where none is open."""
        return min((int(part.events.row.min()) for part in self._open), default=None)

    @property
    def rows(self) -> Int64s:
        """The rows that open windows hold."""
        return distinct([part.events.row for part in self._open])

    @property
    def open(self) -> int:
        """How many windows are open."""
        # Records are almost in the order of their windows: runs first, then what is left.
        runs = [p.slot[np.flatnonzero(np.diff(p.slot, prepend=-_NEVER))] for p in self._open]
        return len(np.unique(np.concatenate(runs))) if runs else 0

    def few_rows(self, most: int) -> Int64s:
        """Of each template in each open window, the first rows, so many, and the last. Late windows
        may be left out: they are not judged by counts."""
        fresh = [part for part in self._open if part.events.row[-1] > self._few_to]
        slot, template, row = self._few
        mine = slot >= min((part.first for part in self._open), default=_NEVER)
        slot = np.concatenate([slot[mine], *(part.slot for part in fresh)])
        template = np.concatenate([template[mine], *(part.events.template for part in fresh)])
        row = np.concatenate([row[mine], *(part.events.row for part in fresh)])
        order = np.lexsort((row, template, slot))
        slot, template, row = slot[order], template[order], row[order]
        new = np.ones(len(row) + 1, bool)
        new[1:-1] = (slot[1:] != slot[:-1]) | (template[1:] != template[:-1])
        first = np.flatnonzero(new)
        nth = np.arange(len(row)) - np.repeat(first[:-1], np.diff(first))
        few = (nth < most) | new[1:]
        self._few, self._few_to = (slot[few], template[few], row[few]), self._row
        return distinct([row[few]])

    def push(self, events: Events) -> Windows:
        """Take records in input order; give back the windows that this closes."""
        ts = fill_times(events.ts, self.last)
        seen = running_max(ts, self.newest)
        if len(ts):
            self.last = int(ts[-1])
            self.newest = max(self.newest, int(ts.max()))
            self._row = int(events.row.max())
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
        self._keep(events, slot, late)
        if self.newest == NO_TIME:
            return Windows.of_sequences([], "time")
        return self._closed(self.newest - self.lateness, self._row // _LATE_ROWS)

    def _keep(self, events: Events, slot: Int64s, late: Int64s) -> None:
        if len(events):
            on_time = late == ON_TIME
            first = int(slot[on_time].min()) if on_time.any() else _NEVER
            latest = int(late[~on_time].min()) if not on_time.all() else _NEVER
            self._open.append(_Part(events, slot, late, first, latest))

    def _closed(self, watermark: int, block: int) -> Windows:
        """Close what the watermark has passed, and late windows of an earlier block of rows. Only
        the parts that hold such records are looked through."""
        last = (watermark - self.size) // self.step  # the last slot that has ended
        due = [part for part in self._open if part.first <= last or part.late_first < block]
        if not due:
            return Windows.of_sequences([], "time")
        self._open = [p for p in self._open if not (p.first <= last or p.late_first < block)]
        taken: list[tuple[Events, Int64s, Int64s]] = []
        for events, slot, late, _, _ in due:
            done = np.where(late == ON_TIME, slot <= last, late < block)
            taken.append((events.take(done), slot[done], late[done]))
            if not done.all():
                keep = ~done
                self._keep(events.take(keep), slot[keep], late[keep])
        return self._window(taken)

    def _window(self, parts: list[tuple[Events, Int64s, Int64s]]) -> Windows:
        events = Events.concat([events for events, _, _ in parts])
        slot = np.concatenate([slot for _, slot, _ in parts])
        late = np.concatenate([late for _, _, late in parts])
        return _grouped(events, slot, slot * self.step + self.size, late)

    def flush(self) -> Windows:
        """Close everything: the end of the input."""
        parts, self._open = self._open, []
        if not parts:
            return Windows.of_sequences([], "time")
        return self._window([part[:3] for part in parts])

    def paused(self) -> State:
        """The records of open windows, and where time stands."""
        events = Events.concat([part.events for part in self._open])
        columns = events.paused()
        none = [np.empty(0, np.int64)]
        columns["slot"] = np.concatenate([part.slot for part in self._open] or none)
        columns["late"] = np.concatenate([part.late for part in self._open] or none)
        return State(
            {"newest": self.newest, "last": self.last, "row": self._row}, {"events": columns}
        )

    def resume(self, state: State, moved: Moved) -> None:
        """Go on from there."""
        columns = state.tables["events"]
        events = Events.resumed(columns, moved)
        slot, late = (np.asarray(columns[name], np.int64) for name in ("slot", "late"))
        if len(slot) != len(events) or len(late) != len(events):
            raise ValueError("columns of records are not of one length")
        self._keep(events, slot, late)
        self.newest, self.last = int(state.meta["newest"]), int(state.meta["last"])
        self._row = int(state.meta["row"])


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

    @property
    def rows(self) -> Int64s:
        """The rows that open windows hold."""
        return distinct([] if self._open is None else [self._open.row])

    @property
    def open(self) -> int:
        """How many windows are open."""
        return 0 if self._open is None else -(-len(self._open) // self.step)

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

    def paused(self) -> State:
        """The records of open windows, and how many came before them."""
        events = Events.concat([]) if self._open is None else self._open
        return State({"base": self._base}, {"events": events.paused()})

    def resume(self, state: State, moved: Moved) -> None:
        """Go on from there."""
        self._open = Events.resumed(state.tables["events"], moved)
        self._base = int(state.meta["base"])
