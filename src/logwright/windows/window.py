"""`Events` and `Windows`: what detectors read, as columns.

`Events` is one row per record, in input order. `Windows` is a set of closed windows in compressed
rows: window ``i`` owns the events ``bounds[i]:bounds[i + 1]`` of its event columns, in input order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, Int8s, Int32s, Int64s
from logwright.snapshot import Moved

__all__ = ["Events", "Windows", "distinct", "mix", "pair_hash"]

UInt64s = NDArray[np.uint64]
Kind = Literal["session", "time", "count"]
_KINDS: dict[str, type] = {
    "template": np.int32,
    "ts": np.int64,
    "level": np.int8,
    "session": np.int32,
    "row": np.int64,
}


@dataclass(slots=True)
class Events:
    """Records as columns. `template` is an index into the vocabulary; `row` the record's global
    number in input order (0, 1, 2, ...); `session` a key code, -1 for none; `ts` int64 ns."""

    template: Int32s
    ts: Int64s
    level: Int8s
    session: Int32s
    row: Int64s

    def __len__(self) -> int:
        return len(self.row)

    def take(self, at: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Events:
        """The rows selected by an index, a mask or a slice."""
        return Events(
            self.template[at], self.ts[at], self.level[at], self.session[at], self.row[at]
        )

    def with_room(self, rows: int) -> Events:
        """The same, with room for so many rows behind, to be `put` there."""
        empty: dict[str, NDArray[Any]] = {
            name: np.empty(rows, kind) for name, kind in _KINDS.items()
        }
        return Events.concat([self, Events(**empty)])

    def put(self, at: int, events: Events) -> None:
        """Write rows over those from a place on."""
        stop = at + len(events)
        for name in _KINDS:
            getattr(self, name)[at:stop] = getattr(events, name)

    def paused(self) -> dict[str, NDArray[Any]]:
        """The columns, for a state."""
        return {name: getattr(self, name) for name in _KINDS}

    @staticmethod
    def resumed(columns: Mapping[str, NDArray[Any]], moved: Moved) -> Events:
        """The records of such columns, with today's templates and sessions."""
        if {len(columns[name]) for name in _KINDS} != {len(columns["row"])}:
            raise ValueError("columns of records are not of one length")
        held: dict[str, NDArray[Any]] = {
            name: np.asarray(columns[name], kind) for name, kind in _KINDS.items()
        }
        for name, table in (("template", moved.template), ("session", moved.session)):
            held[name] = table[held[name]]
        return Events(**held)

    @staticmethod
    def concat(parts: Sequence[Events]) -> Events:
        """Several in one, in order."""
        if len(parts) == 1:
            return parts[0]
        return Events(
            np.concatenate([p.template for p in parts] or [np.empty(0, np.int32)]),
            np.concatenate([p.ts for p in parts] or [np.empty(0, np.int64)]),
            np.concatenate([p.level for p in parts] or [np.empty(0, np.int8)]),
            np.concatenate([p.session for p in parts] or [np.empty(0, np.int32)]),
            np.concatenate([p.row for p in parts] or [np.empty(0, np.int64)]),
        )


@dataclass(slots=True)
class Windows:
    """Closed windows, ordered by (end, key). `key` is the session code, or the window's number for
    tumbling and sliding windows; `end` the closing time (ns, or a row number without time); `late`
    marks windows of records that came after their window had closed."""

    kind: Kind
    bounds: Int64s
    events: Events
    key: Int64s
    end: Int64s
    late: NDArray[np.bool_]
    _counts: tuple[Int64s, Int32s, Int64s] | None = None

    def __len__(self) -> int:
        return len(self.key)

    @property
    def sizes(self) -> Int64s:
        """Events per window."""
        return np.diff(self.bounds)

    @property
    def owner(self) -> Int64s:
        """The window number of each event."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.sizes)

    def span(self, i: int) -> slice:
        """Where window `i`'s events stand in `events`."""
        return slice(int(self.bounds[i]), int(self.bounds[i + 1]))

    def first_last(self, i: int) -> tuple[int, int]:
        """First and last timestamp of window `i`, `NO_TIME` where it has none."""
        times = self.events.ts[self.span(i)]
        times = times[times != NO_TIME]
        return (int(times.min()), int(times.max())) if len(times) else (NO_TIME, NO_TIME)

    def times(self) -> tuple[Int64s, Int64s]:
        """First and last timestamp of every window, `NO_TIME` where it has none.

        >>> windows = Windows.of_sequences([[0, 0], [], [0]])
        >>> windows.events.ts[:] = [7, 5, NO_TIME]
        >>> first, last = windows.times()
        >>> first.tolist() == [5, NO_TIME, NO_TIME], last.tolist() == [7, NO_TIME, NO_TIME]
        (True, True)
        """
        never = np.iinfo(np.int64).max
        ts = self.events.ts
        first = np.full(len(self), NO_TIME, np.int64)
        last = first.copy()
        held = np.flatnonzero(self.sizes > 0)
        if len(held):
            starts = self.bounds[:-1][held]
            first[held] = np.minimum.reduceat(np.where(ts == NO_TIME, never, ts), starts)
            last[held] = np.maximum.reduceat(ts, starts)
            first[first == never] = NO_TIME
        return first, last

    def counts(self) -> tuple[Int64s, Int32s, Int64s]:
        """Distinct (window, template) pairs with their counts, sorted: three equal columns.

        >>> w = Windows.of_sequences([[1, 1, 2], [2]])
        >>> [c.tolist() for c in w.counts()]
        [[0, 0, 1], [1, 2, 2], [2, 1, 1]]
        """
        if self._counts is None:
            self._counts = self._counted()
        return self._counts

    def _counted(self) -> tuple[Int64s, Int32s, Int64s]:
        pairs = (self.owner << 32) | self.events.template.astype(np.int64)
        pairs.sort()
        if not len(pairs):
            return pairs, np.empty(0, np.int32), pairs
        first = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1])))
        number = np.diff(np.concatenate((first, [len(pairs)])))
        return pairs[first] >> 32, (pairs[first] & 0xFFFFFFFF).astype(np.int32), number

    def select(self, which: NDArray[np.bool_]) -> Windows:
        """The windows for which the mask is true."""
        events = self.events.take(np.repeat(which, self.sizes))
        bounds = np.concatenate(([0], np.cumsum(self.sizes[which])))
        return Windows(
            self.kind, bounds, events, self.key[which], self.end[which], self.late[which]
        )

    def select_one(self, i: int) -> Windows:
        """Window `i` alone, quicker than by a mask.

        >>> Windows.of_sequences([[0, 1], [2]]).select_one(1).events.template.tolist()
        [2]
        """
        span = self.span(i)
        bounds = np.array([0, span.stop - span.start], np.int64)
        one = slice(i, i + 1)
        events = self.events.take(span)
        return Windows(self.kind, bounds, events, self.key[one], self.end[one], self.late[one])

    def without(self, templates: NDArray[np.bool_]) -> Windows:
        """The same windows without the events of templates (a mask by index).

        >>> w = Windows.of_sequences([[0, 1], [1, 1]]).without(np.array([False, True]))
        >>> w.sizes.tolist(), w.events.template.tolist()
        ([1, 0], [0])
        """
        keep = ~templates[self.events.template]
        bounds = np.concatenate(([0], np.cumsum(keep)))[self.bounds].astype(np.int64)
        events = self.events.take(keep)
        return Windows(self.kind, bounds, events, self.key, self.end, self.late)

    @staticmethod
    def of_sequences(sequences: Sequence[Sequence[int]], kind: Kind = "session") -> Windows:
        """Windows from lists of template indices, for tests and for data sets of event ids."""
        sizes = np.array([len(s) for s in sequences], np.int64)
        template = np.array([t for s in sequences for t in s], np.int32)
        n = len(template)
        owner = np.repeat(np.arange(len(sizes)), sizes)
        events = Events(
            template,
            np.full(n, NO_TIME, np.int64),
            np.zeros(n, np.int8),
            owner.astype(np.int32),
            np.arange(n, dtype=np.int64),
        )
        bounds = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        number = np.arange(len(sizes), dtype=np.int64)
        return Windows(kind, bounds, events, number, number, np.zeros(len(sizes), bool))


def distinct(parts: Sequence[Int64s]) -> Int64s:
    """The distinct rows of several columns, sorted. (`np.unique` takes far longer.)

    >>> distinct([np.array([5, 3]), np.array([3])]).tolist()
    [3, 5]
    """
    rows = np.sort(np.concatenate([np.empty(0, np.int64), *parts]))
    new = np.ones(len(rows), bool)
    new[1:] = rows[1:] != rows[:-1]
    return rows[new]


def mix(values: UInt64s) -> UInt64s:
    """A bijective scrambling of 64-bit numbers (the finalizer of splitmix64)."""
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def pair_hash(left: UInt64s, right: UInt64s) -> UInt64s:
    """One 64-bit hash of an ordered pair of 64-bit numbers."""
    with np.errstate(over="ignore"):
        return mix(left * np.uint64(0x9E3779B97F4A7C15) + right)
