"""Sessions: records that share a key, closed by a gap, the end of input or a cap (contract 5).

Whether a record continues its session or begins a new one is decided per record, from the times of
the session's earlier records and the watermark when it came, so batch boundaries do not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, Int32s, Int64s
from logwright.windows.tumbling import fill_times, running_max
from logwright.windows.window import Events, Windows

__all__ = ["Sessions", "typical_gap", "whole"]

_FEW_OPEN = 65_536
_IDLE_ROWS = 1_000_000
"""Records without times: a session is closed when this many records have come since its last."""

_LEAST_GAP = 60_000_000_000
_GAPS = 10


def typical_gap(session: Int32s, ts: Int64s, most: int) -> int:
    """The gap (ns) that closes a session: ten times the gap that 99.9 % of neighbours in a session
    stay below, a minute at least, `most` at most.

    >>> ts = np.arange(100) * 10**9
    >>> typical_gap(np.zeros(100, np.int32), ts, 3600 * 10**9) // 10**9
    60
    """
    known = (session >= 0) & (ts != NO_TIME)
    order = np.lexsort((ts[known], session[known]))
    session, ts = session[known][order], ts[known][order]
    gaps = np.diff(ts)[session[1:] == session[:-1]]
    if not len(gaps):
        return most
    return int(min(max(_GAPS * np.quantile(gaps, 0.999), _LEAST_GAP), most))


def whole(windows: Windows, first: int, last: int, edge: int) -> NDArray[np.bool_]:
    """Which sessions lie inside the input: those that begin or end within `edge` ns of its first or
    last time (`NO_TIME` where not known) may go on beyond it.

    >>> whole(Windows.of_sequences([[1, 2]]), NO_TIME, NO_TIME, 5).tolist()
    [True]
    """
    out = np.ones(len(windows), bool)
    if windows.kind != "session" or not edge or not len(windows):
        return out
    begin = windows.events.ts[windows.bounds[:-1]]
    if first != NO_TIME:
        out &= (begin == NO_TIME) | (begin > first + edge)
    if last != NO_TIME:
        out &= (windows.end == NO_TIME) | (windows.end < last - edge)
    return out


@dataclass(slots=True)
class Sessions:
    """Open sessions as columns; `push` gives back the sessions that new records close.

    `ends` tells of templates whether they end their session (end markers).
    `gap` and `lateness` are ns; `cap` is the number of records after which a session is closed;
    `max_open` bounds the open sessions: beyond it those idle for longest are closed early. Records
    with no key (code -1) belong to no session and are left out.

    >>> events = Windows.of_sequences([[1, 2], [3]]).events
    >>> s = Sessions(gap=10, lateness=0, cap=100, max_open=100)
    >>> len(s.push(events)), s.flush().sizes.tolist()
    (0, [2, 1])
    """

    gap: int
    lateness: int
    cap: int
    max_open: int
    ends: Callable[[Int32s], NDArray[np.bool_]] | None = None
    newest: int = NO_TIME
    last: int = NO_TIME
    evicted: int = 0
    _row: int = -1
    _open: Events | None = None
    _seen: Int64s = field(default_factory=lambda: np.empty(0, np.int64))
    _waiting: list[tuple[Events, Int64s]] = field(default_factory=list)

    @property
    def oldest(self) -> int | None:
        """The first row that an open window holds; None where none is open."""
        held = [self._open, *(events for events, _ in self._waiting)]
        return min((int(e.row.min()) for e in held if e is not None and len(e)), default=None)

    def push(self, events: Events) -> Windows:
        """Take records in input order; give back the sessions that this closes.

        Where many records are open, new ones wait until they are half as many: going through all
        the open ones for each batch would take time that grows with its square.
        """
        self._take(events)
        is_open = 0 if self._open is None else len(self._open)
        if is_open > _FEW_OPEN and sum(len(e) for e, _ in self._waiting) < is_open // 2:
            return Windows.of_sequences([])
        return self._turn(final=False)

    def flush(self) -> Windows:
        """Close everything: the end of the input."""
        return self._turn(final=True)

    def _take(self, events: Events) -> None:
        ts = fill_times(events.ts, self.last)
        seen = running_max(ts, self.newest)
        if len(ts):
            self.last = int(ts[-1])
            self.newest = max(self.newest, int(ts.max()))
            self._row = int(events.row[-1])
        events = Events(events.template, ts, events.level, events.session, events.row)
        keyed = events.session >= 0
        if not keyed.all():
            events, seen = events.take(keyed), seen[keyed]
        if len(events):
            self._waiting.append((events, seen))

    def _turn(self, final: bool) -> Windows:
        waiting, self._waiting = self._waiting, []
        if self._open is not None:
            waiting.insert(0, (self._open, self._seen))
        events = Events.concat([e for e, _ in waiting])
        seen = np.concatenate([s for _, s in waiting] or [self._seen])
        n = len(events)
        if not n:
            return Windows.of_sequences([])
        # One sort of (session, position) instead of a stable argsort: several times faster.
        order = (events.session.astype(np.int64) << 32) | np.arange(n, dtype=np.int64)
        order.sort()
        order &= 0xFFFFFFFF
        events, seen = events.take(order), seen[order]
        marker = np.zeros(n, bool) if self.ends is None else self.ends(events.template)
        start = self._starts(events, seen, marker)
        first = np.flatnonzero(start)
        bounds = np.concatenate((first, [n])).astype(np.int64)
        newest = np.maximum.reduceat(events.ts, first)
        # The end is when a session is known to be over; sessions before another of the same key
        # are over already, the last of a key is over once the watermark has passed it.
        key = events.session[first].astype(np.int64)
        last_of_key = np.ones(len(first), bool)
        last_of_key[:-1] = key[1:] != key[:-1]
        done = ~last_of_key | (np.diff(bounds) >= self.cap)
        if final:
            done[:] = True
        elif self.newest != NO_TIME:
            over = newest < self.newest - self.lateness - self.gap
            done |= (newest != NO_TIME) & over
        done |= marker[bounds[1:] - 1]
        done |= (newest == NO_TIME) & (events.row[bounds[1:] - 1] < self._row - _IDLE_ROWS)
        is_open = int(np.count_nonzero(~done))
        if is_open > self.max_open:
            idle = np.flatnonzero(~done)[np.argsort(newest[~done], kind="stable")]
            done[idle[: is_open - self.max_open]] = True
            self.evicted += is_open - self.max_open
        every = Windows("session", bounds, events, key, newest, np.zeros(len(first), bool))
        keep = np.repeat(~done, every.sizes)
        # Back to input order, so that the next turn's positions rank them rightly.
        held = np.flatnonzero(keep)[np.argsort(events.row[keep], kind="stable")]
        self._open, self._seen = events.take(held), seen[held]
        return self._ordered(every.select(done))

    def _starts(self, events: Events, seen: Int64s, marker: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which sorted records begin a session: a new key, a gap, one that came too late, or one
        behind an end marker."""
        n = len(events)
        start = np.ones(n, bool)
        start[1:] = events.session[1:] != events.session[:-1]
        timed = events.ts != NO_TIME
        before = np.empty(n, np.int64)
        before[0], before[1:] = NO_TIME, events.ts[:-1]
        known = timed & (before != NO_TIME) & ~start
        jump = np.zeros(n, bool)
        jump[known] = events.ts[known] - before[known] > self.gap
        marked = known & (seen != NO_TIME)
        jump[marked] |= seen[marked] - self.lateness - self.gap > before[marked]
        idle = ~timed[1:] & (events.row[1:] - events.row[:-1] > _IDLE_ROWS)
        start |= jump
        start[1:] |= idle | marker[:-1]
        # The cap: positions within each session in steps of `cap`.
        first = np.flatnonzero(start)
        position = np.arange(n) - np.repeat(first, np.diff(np.concatenate((first, [n]))))
        start |= position % self.cap == 0
        return start

    @staticmethod
    def _ordered(windows: Windows) -> Windows:
        """In (end, key) order, which is the order in which detectors may change state."""
        rank = np.lexsort((windows.events.row[windows.bounds[:-1]], windows.key, windows.end))
        sizes = windows.sizes[rank]
        bounds = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        at = np.arange(bounds[-1]) - np.repeat(bounds[:-1] - windows.bounds[rank], sizes)
        return Windows(
            "session",
            bounds,
            windows.events.take(at),
            windows.key[rank],
            windows.end[rank],
            windows.late[rank],
        )
