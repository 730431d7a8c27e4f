"""Sessions: records that share a key, closed by a gap, the end of input or a cap (contract 5).

Whether a record continues its session or begins a new one is decided per record, from the times of
the session's earlier records and the watermark when it came, so batch boundaries do not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, Int32s, Int64s
from logwright.snapshot import Moved, State
from logwright.windows.chains import Calendar, Chains, grown
from logwright.windows.tumbling import fill_times, running_max
from logwright.windows.window import Events, Windows

__all__ = ["Sessions", "typical_gap", "whole"]

_PAGES = 64
_MOST_RECORDS = 16_000_000  # held of open sessions: 600 MB
_NEVER = np.iinfo(np.int64).max
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


class _Closed(NamedTuple):
    """Sessions that were closed: their records, one session after the other, how many each has, its
    key and its newest time."""

    events: Events
    sizes: Int64s
    key: Int64s
    newest: Int64s


class Sessions:
    """Open sessions; `push` gives back the sessions that new records close.

    `ends` tells of templates whether they end their session (end markers).
    `gap` and `lateness` are ns; `cap` is the number of records after which a session is closed;
    `max_open` bounds the open sessions, and `most` their records: beyond either those idle
    for longest are closed early, and counted (`evicted`). Records with no key (code -1) belong to
    no session and are left out.

    A push takes time in proportion to its records and to those of the sessions that it closes.

    >>> events = Windows.of_sequences([[1, 2], [3]]).events
    >>> s = Sessions(gap=10, lateness=0, cap=100, max_open=100)
    >>> len(s.push(events)), s.flush().sizes.tolist()
    (0, [2, 1])
    """

    def __init__(
        self,
        gap: int,
        lateness: int,
        cap: int,
        max_open: int,
        ends: Callable[[Int32s], NDArray[np.bool_]] | None = None,
    ) -> None:
        self.gap, self.lateness, self.cap, self.max_open = gap, lateness, cap, max_open
        self.ends, self.most = ends, _MOST_RECORDS
        self.newest = self.last = NO_TIME
        self.evicted = self.open = 0
        self._row = -1
        self._chains = Chains()
        # By session code, what is known of the open session; those without records are not open.
        self._size, self._newest, self._ts, self._tail, self._first_row, self._last_row = (
            np.empty(0, np.int64) for _ in range(6)
        )
        self._timed, self._untimed = Calendar(gap // _PAGES), Calendar(_IDLE_ROWS // _PAGES)

    @property
    def oldest(self) -> int | None:
        """The first row that an open window holds; None where none is open."""
        return int(self._first_row[self._size > 0].min()) if self.open else None

    @property
    def rows(self) -> Int64s:
        """The rows that open windows hold."""
        return self._chains.rows()

    @property
    def codes(self) -> Int64s:
        """The codes of the keys of which a session is open."""
        return np.flatnonzero(self._size > 0)

    def push(self, events: Events) -> Windows:
        """Take records in input order; give back the sessions that this closes."""
        ts = fill_times(events.ts, self.last)
        seen = running_max(ts, self.newest)
        events = Events(events.template, ts, events.level, events.session, events.row)
        closed: list[_Closed] = []
        begin = 0
        for stop, full in self._stops(events.row):
            if stop > begin:
                self.last, self._row = int(ts[stop - 1]), int(events.row[stop - 1])
                self.newest = max(self.newest, int(ts[begin:stop].max()))
            closed += self._take(events.take(slice(begin, stop)), seen[begin:stop])
            if full:
                closed += self._evict()
            begin = stop
        place = self._chains.packed()
        if place is not None:
            self._tail = place[self._tail]
        return _windows(closed)

    def _stops(self, rows: Int64s) -> list[tuple[int, bool]]:
        """Where to look for too many open sessions: at rows that nothing else decides, so that it
        does not matter where batches end."""
        n = len(rows)
        if self.open + n <= self.max_open and len(self._chains) + n <= self.most:
            return [(n, False)]
        step = max(self.max_open // _PAGES, 1)
        block = np.append((self._row + 1) // step, (rows + 1) // step)
        stops = (np.flatnonzero(np.diff(block)) + 1).tolist()
        return [(stop, True) for stop in stops] + [(n, False)] * (not stops or stops[-1] < n)

    def _evict(self) -> list[_Closed]:
        """Close the sessions that are too many, and some more."""
        over, records = self.open - self.max_open, len(self._chains) - self.most
        if over <= 0 and records <= 0:
            return []
        idle = self.codes
        idle = idle[np.argsort(self._newest[idle], kind="stable")]
        number = over + self.max_open // _PAGES if over > 0 else 0
        if records > 0:
            held = np.cumsum(self._size[idle])
            number = max(number, int(np.searchsorted(held, records + self.most // _PAGES)) + 1)
        self.evicted += len(idle[:number])
        return [self._close(idle[:number])]

    def flush(self) -> Windows:
        """Close everything: the end of the input."""
        return _windows([self._close(self.codes)])

    def _close(self, codes: Int64s) -> _Closed:
        """Close the open sessions of some keys."""
        sizes, newest = self._size[codes], self._newest[codes]
        events = self._chains.take(self._tail[codes], sizes)
        self._size[codes] = 0
        self.open -= len(codes)
        return _Closed(events, sizes, codes, newest)

    def _take(self, events: Events, seen: Int64s) -> list[_Closed]:
        """Take records; close what they, and the watermark, close."""
        closed = []
        keyed = events.session >= 0
        if not keyed.all():
            events, seen = events.take(keyed), seen[keyed]
        if len(events):
            closed += self._sorted(events, seen)
        if self.newest != NO_TIME:
            over = self._timed.due(self.newest - self.lateness - self.gap, self._newest)
            over = over[self._size[over] > 0]
            closed += [self._close(over)] if len(over) else []
        idle = self._untimed.due(self._row - _IDLE_ROWS, self._last_row)
        idle = idle[(self._size[idle] > 0) & (self._newest[idle] == NO_TIME)]
        return closed + ([self._close(idle)] if len(idle) else [])

    def _sorted(self, events: Events, seen: Int64s) -> list[_Closed]:
        """Take keyed records; close what is followed by another session of its key, full or ended.
        The end is when a session is known to be over."""
        n = len(events)
        # One sort of (session, position) instead of a stable argsort: several times faster.
        order = (events.session.astype(np.int64) << 32) | np.arange(n, dtype=np.int64)
        order.sort()
        order &= 0xFFFFFFFF
        events, seen = events.take(order), seen[order]
        key = events.session.astype(np.int64)
        self._grow(int(key[-1]) + 1)
        head = np.ones(n, bool)
        head[1:] = key[1:] != key[:-1]
        marker = np.zeros(n, bool) if self.ends is None else self.ends(events.template)
        start = self._starts(events, seen, marker, head)
        first = np.flatnonzero(start | head)
        code, goes_on = key[first], ~start[first]
        ended = code[(self._size[code] > 0) & head[first] & ~goes_on]
        closed = [self._close(ended)] if len(ended) else []

        final = np.append(first[1:], n) - 1
        newest = np.maximum.reduceat(events.ts, first)
        newest[goes_on] = np.maximum(newest[goes_on], self._newest[code[goes_on]])
        size = final + 1 - first
        size[goes_on] += self._size[code[goes_on]]
        base = self._chains.next
        link = np.arange(base - 1, base + n - 1)
        link[first] = np.where(goes_on, self._tail[code], -1)
        self._chains.add(events, link)
        done = (size >= self.cap) | marker[final]
        done[:-1] |= code[1:] == code[:-1]
        self._size[code[goes_on]] = 0  # they are counted anew here
        if done.any():
            taken = self._chains.take(base + final[done], size[done])
            closed.append(_Closed(taken, size[done], code[done], newest[done]))
        self.open += int(np.count_nonzero(~done)) - int(np.count_nonzero(goes_on))
        self._note(events, first[~done], final[~done], goes_on[~done], base)
        self._size[code[~done]], self._newest[code[~done]] = size[~done], newest[~done]
        return closed

    def _note(
        self, events: Events, first: Int64s, final: Int64s, goes_on: NDArray[np.bool_], base: int
    ) -> None:
        """Note of sessions that stay open, from `first` to `final`, where they go on from."""
        code, ts, row = events.session[first].astype(np.int64), events.ts, events.row
        new = ~goes_on
        self._first_row[code[new]] = row[first[new]]
        self._ts[code], self._last_row[code] = ts[final], row[final]
        self._tail[code] = base + final
        timed = ts[final] != NO_TIME
        self._timed.file(code[timed], ts[first[timed]])
        self._untimed.file(code[~timed], row[first[~timed]])

    def _grow(self, size: int) -> None:
        for name in ("_size", "_newest", "_ts", "_tail", "_first_row", "_last_row"):
            setattr(self, name, grown(getattr(self, name), size, 0))

    def _starts(
        self,
        events: Events,
        seen: Int64s,
        marker: NDArray[np.bool_],
        head: NDArray[np.bool_],
    ) -> NDArray[np.bool_]:
        """Which sorted records begin a session: a new key, a gap, one that came too late, or one
        behind an end marker."""
        n, at = len(events), np.flatnonzero(head)
        code = events.session[at]
        is_open = self._size[code] > 0
        before, row_before = np.empty(n, np.int64), np.empty(n, np.int64)
        before[1:], row_before[1:] = events.ts[:-1], events.row[:-1]
        before[at], row_before[at] = self._ts[code], self._last_row[code]
        start = np.zeros(n, bool)
        start[at] = ~is_open
        timed = events.ts != NO_TIME
        known = timed & (before != NO_TIME) & ~start
        jump = np.zeros(n, bool)
        jump[known] = events.ts[known] - before[known] > self.gap
        marked = known & (seen != NO_TIME)
        jump[marked] |= seen[marked] - self.lateness - self.gap > before[marked]
        start |= jump
        start |= ~timed & (events.row - row_before > _IDLE_ROWS)
        start[1:] |= marker[:-1] & ~head[1:]
        # The cap: positions within each session in steps of `cap`.
        first = np.flatnonzero(start | head)
        sizes = np.diff(first, append=n)
        held = np.where(start[first], 0, self._size[events.session[first]])
        position = np.arange(n) - np.repeat(first - held, sizes)
        start |= position % self.cap == 0
        return start

    def paused(self) -> State:
        """The records of open sessions, and where time stands."""
        events, _ = self._chains.held()
        meta = {name: getattr(self, name) for name in ("newest", "last", "evicted", "_row")}
        return State(meta, {"events": events.paused()})

    def resume(self, state: State, moved: Moved) -> None:
        """Go on from there."""
        events = Events.resumed(state.tables["events"], moved)
        newest = self.newest
        # Nothing of what is open has ended: as one batch, it is open as it was.
        gap, self.gap = self.gap, _NEVER
        ends, self.ends = self.ends, None
        closed = self._sorted(events, np.full(len(events), NO_TIME)) if len(events) else []
        assert not closed
        self.gap, self.ends, self.newest = gap, ends, newest
        for name in ("newest", "last", "evicted", "_row"):
            setattr(self, name, int(state.meta[name]))


def _windows(closed: Sequence[_Closed]) -> Windows:
    """Closed sessions in (end, key) order, which is that in which detectors may change state."""
    closed = [part for part in closed if len(part.key)]
    if not closed:
        return Windows.of_sequences([])
    events = Events.concat([part.events for part in closed])
    sizes, key, end = (np.concatenate(c) for c in zip(*(part[1:] for part in closed), strict=True))
    begin = np.cumsum(sizes) - sizes
    rank = np.lexsort((events.row[begin], key, end))
    sizes = sizes[rank]
    bounds = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    at = np.arange(bounds[-1]) - np.repeat(bounds[:-1] - begin[rank], sizes)
    return Windows(
        "session", bounds, events.take(at), key[rank], end[rank], np.zeros(len(rank), bool)
    )
