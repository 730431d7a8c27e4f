"""Suspect stretches of history: those that look like an incident, to be left out of learning.

What history holds is normal, whatever it was; a history recorded while something was broken makes
the break normal. `Suspects` cuts history into 100 to 200 slices (of time, or of rows where there
are no times) and looks for stretches of slices in which one of three things stands far above the
robust rest (medians, MAD and quantiles over slices):

* the share of lines of level error or worse;
* lines of templates that come nowhere else in history;
* lines per slice.

None of the three is enough by itself. At least half of what is too much must be of templates that
come almost only there: what recurs (a nightly job that prints errors) is a habit, not an incident.
New templates or many lines count only together with errors, or where half of the stretch is
warnings: neither the start-up at the beginning, nor a deploy, nor a rush of users is an incident.
Where lines have no levels, `worded_levels` tells which templates speak of trouble.

Where more than a fifth of history looks bad, nothing is left out: nobody knows then what is normal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Floats
from logwright.findings.run import many
from logwright.logs.batch import NO_TIME, Int8s, Int64s
from logwright.logs.timestamps import iso
from logwright.templates.wording import SYMPTOM, trouble
from logwright.windows.window import Events

__all__ = ["MOST_LINES", "MOST_SHARE", "Suspect", "Suspects", "worded_levels"]

MOST_SHARE, MOST_LINES = 0.2, 1 / 3
"""The shares of history, in slices and in lines, that may be left out (a storm is loud)."""

_SLICES = 200
_LEAST_SLICES = 20
_SECOND = 1_000_000_000
_FIRST_ROWS = 64
_ERROR, _WARNING = 6, 5
_SIGMAS, _WEAK = 8.0, 4.0
"""Robust standard deviations above the median: of a stretch's core, and of its edges."""
_ERROR_FLOOR, _ERROR_EDGE, _LEAST_ERRORS, _FEW_ERRORS = 0.02, 0.005, 10, 3
_NEW_FLOOR, _NEW_EDGE, _LEAST_NEW, _LEAST_NEW_LINES = 0.1, 0.05, 5, 20
_RATE_TIMES, _RATE_HIGH, _RATE_EDGE, _LEAST_LINES = 5.0, 2.5, 2.0, 200
_JOIN = 2
_HERE = 0.6
"""A template belongs to a stretch that holds this share of its lines (or of its errors)."""
_OWN = 0.5
_COMPANY = 0.01
_MAD = 1.4826


@dataclass(frozen=True, slots=True)
class Suspect:
    """A stretch of history: rows `first_row` to `last_row` (both in it), its first and last time
    (ns, `NO_TIME` without times), how many lines it has, and why it is suspect."""

    first_row: int
    last_row: int
    start: int
    end: int
    lines: int
    reason: str


class Suspects:
    """Collects counts per slice from chunks of events in time order; `found` judges them.

    >>> w = np.zeros(4000, np.int64)
    >>> level, template = np.full(4000, 3, np.int8), np.arange(4000, dtype=np.int32) % 4
    >>> level[2000:2200], template[2000:2200] = 6, 9
    >>> s = Suspects(timed=True)
    >>> s.add(Events(template, np.arange(4000) * 10**9, level, template, np.arange(4000)))
    >>> [(x.first_row <= 2000, x.last_row >= 2199, x.lines < 300) for x in s.found()]
    [(True, True, True)]
    """

    def __init__(self, timed: bool) -> None:
        self.timed = timed
        self.note: str | None = None  # what else there is to say, once `found` was asked
        self._step = _SECOND if timed else _FIRST_ROWS
        self._newest = NO_TIME
        self._low: int | None = None
        self._high = 0
        self._entries: list[
            Int64s
        ] = []  # rows of 5: begin of the slice, template, times, errors, warnings or worse
        self._edges: list[Int64s] = []  # rows of 5: begin, first row, last row, start, end
        self._fresh = 0

    def add(self, events: Events) -> None:
        """Take a chunk of history."""
        if not len(events):
            return
        # Slices are runs of rows, so time may not fall back.
        ts = np.maximum.accumulate(np.concatenate(([self._newest], events.ts)))[1:]
        self._newest = int(ts[-1])
        if self.timed and ts[0] == NO_TIME:
            kept = int(np.searchsorted(ts, NO_TIME, side="right"))
            events, ts = events.take(slice(kept, None)), ts[kept:]
            if not len(events):
                return
        clock = ts if self.timed else events.row
        low, high = int(clock[0]), int(clock[-1])
        self._low, self._high = low if self._low is None else self._low, high
        while self._high // self._step - self._low // self._step >= _SLICES:
            self._step *= 2
        self._count(events, ts, clock)
        if self._fresh > 4 * _SLICES:
            self._merge()

    def _count(self, events: Events, ts: Int64s, clock: Int64s) -> None:
        slots = np.arange(int(clock[0]) // self._step, int(clock[-1]) // self._step + 2)
        bounds = np.searchsorted(clock, slots * self._step)
        top = int(events.template.max()) + 1
        for slot, a, b in zip(
            slots[:-1].tolist(), bounds[:-1].tolist(), bounds[1:].tolist(), strict=True
        ):
            if a == b:
                continue
            template, level = events.template[a:b], events.level[a:b]
            tally = np.bincount(template * np.int32(8) + level, minlength=8 * top).reshape(top, 8)
            times = tally.sum(axis=1)
            came = np.flatnonzero(times)
            begin = np.full(len(came), slot * self._step)
            bad = (tally[came, k:].sum(axis=1) for k in (_ERROR, _WARNING))
            table = np.stack((begin, came, times[came], *bad), axis=1)
            self._entries.append(table.astype(np.int64))
            edge = (slot * self._step, events.row[a], events.row[b - 1], ts[a], ts[b - 1])
            self._edges.append(np.array([edge], np.int64))
            self._fresh += 1

    def _merge(self) -> None:
        """Add up what is of the same slice, with the step as it is now."""
        entries, edges = np.concatenate(self._entries), np.concatenate(self._edges)
        slot = entries[:, 0] // self._step
        base = int(slot[0])
        keys, index = np.unique((slot - base) << 32 | entries[:, 1], return_inverse=True)
        merged = np.zeros((len(keys), 5), np.int64)
        merged[:, 0], merged[:, 1] = ((keys >> 32) + base) * self._step, keys & 0xFFFFFFFF
        for column in (2, 3, 4):
            np.add.at(merged[:, column], index, entries[:, column])
        slot = edges[:, 0] // self._step
        first = np.flatnonzero(np.concatenate(([True], slot[1:] != slot[:-1])))
        last = np.concatenate((first[1:], [len(slot)])) - 1
        rows, ts = (edges[first, 1], edges[last, 2]), (edges[first, 3], edges[last, 4])
        columns = (slot[first] * self._step, *rows, *ts)
        self._entries, self._edges = [merged], [np.stack(columns, axis=1)]
        self._fresh = 0

    def found(self) -> list[Suspect]:
        """The suspect stretches, in order; none, and a `note`, where too much looks bad."""
        self.note = None
        if not self._edges:
            return []
        self._merge()
        slices = _Slices.of(self._entries[0], self._edges[0])
        n = len(slices.lines)
        if n < _LEAST_SLICES:
            return []
        chosen = slices.suspects()
        count = sum(b - a + 1 for a, b in chosen)
        lines = sum(int(slices.lines[a : b + 1].sum()) for a, b in chosen)
        share = lines / int(slices.lines.sum())
        if count > MOST_SHARE * n or share > MOST_LINES:
            self.note = (
                f"{count / n:.0%} of history ({share:.0%} of its lines) looks like trouble: too "
                "much to tell what is normal, so all of it was learned"
            )
            return []
        return [slices.told(a, b, self.timed) for a, b in chosen]


@dataclass(slots=True)
class _Slices:
    """The slices that hold lines, in order, and counts of (slice, template) as columns."""

    lines: Int64s
    errors: Int64s
    edges: Int64s  # rows of 5, as in `Suspects`
    at: Int64s  # the slice's place, by entry
    template: Int64s
    times: Int64s
    bad: Int64s  # of `times`, those of level error or worse
    poor: Int64s  # of `times`, those of level warning or worse

    @staticmethod
    def of(entries: Int64s, edges: Int64s) -> _Slices:
        at = np.searchsorted(edges[:, 0], entries[:, 0])
        lines = np.zeros(len(edges), np.int64)
        errors = np.zeros(len(edges), np.int64)
        np.add.at(lines, at, entries[:, 2])
        np.add.at(errors, at, entries[:, 3])
        return _Slices(lines, errors, edges, at, *entries[:, 1:].T)

    def suspects(self) -> list[tuple[int, int]]:
        """First and last slices of the stretches that look like an incident."""
        found = [s for s in _stretches(*self._errors_up()) if self._broken(*s)]
        for core, edge in (self._new_up(), self._lines_up()):
            found += [s for s in _stretches(core, edge) if self._poor(*s)]
        joined: list[tuple[int, int]] = []
        for a, b in sorted(found):
            if joined and a - joined[-1][1] <= 1:
                joined[-1] = (joined[-1][0], max(b, joined[-1][1]))
            else:
                joined.append((a, b))
        return joined

    def _errors_up(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Slices with far too many errors, and with rather many."""
        share = self.errors / self.lines
        surely = (self.errors - 3.0 * np.sqrt(self.errors)) / self.lines
        middle, spread = _robust(share)
        core = surely > middle + np.maximum(_SIGMAS * spread, max(_ERROR_FLOOR, 4.0 * middle))
        edge = share > middle + np.maximum(_WEAK * spread, max(_ERROR_EDGE, middle))
        return core & (self.errors >= _LEAST_ERRORS), edge & (self.errors > 1)

    def _new_up(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Slices with many templates that come in a short stretch of history only."""
        n = len(self.lines)
        low = np.full(int(self.template.max()) + 1, n)
        high = np.full(len(low), -1)
        np.minimum.at(low, self.template, self.at)
        np.maximum.at(high, self.template, self.at)
        local = (high - low < MOST_SHARE * n)[self.template]
        kinds = np.bincount(self.at[local], minlength=n)
        lines = np.bincount(self.at[local], self.times[local], minlength=n)
        share = lines / self.lines
        middle, spread = _robust(share)
        most, varies = _robust(kinds.astype(float))
        core = share > middle + np.maximum(_SIGMAS * spread, _NEW_FLOOR)
        core &= (kinds >= max(_LEAST_NEW, most + _SIGMAS * varies)) & (lines >= _LEAST_NEW_LINES)
        edge = share > middle + np.maximum(_WEAK * spread, _NEW_EDGE)
        return core, edge & (kinds > 1)

    def _lines_up(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Slices with far too many lines, and with rather many."""
        middle = float(np.median(self.lines))
        high = float(np.quantile(self.lines, 1.0 - MOST_SHARE))
        core = self.lines > max(_RATE_TIMES * middle, _RATE_HIGH * high, _LEAST_LINES)
        return core, self.lines > max(_RATE_EDGE * middle, high)

    def _more_errors(self, a: int, b: int) -> float:
        """Errors beyond what is usual, where at least half of them are of the stretch's own."""
        usual, _ = _robust(self.errors / self.lines)
        span = slice(a, b + 1)
        more = float(self.errors[span].sum() - usual * self.lines[span].sum())
        return more if self._own(a, b, self.bad) >= _OWN * more else 0.0

    def _broken(self, a: int, b: int) -> bool:
        """Whether a stretch of many errors is more than a habit."""
        return self._more_errors(a, b) >= _LEAST_ERRORS

    def _poor(self, a: int, b: int) -> bool:
        """Whether a stretch of new templates or many lines is of its own kind, and trouble."""
        lines = int(self.lines[a : b + 1].sum())
        too_many = lines - float(np.median(self.lines)) * (b - a + 1)
        trouble = self._more_errors(a, b) >= max(_FEW_ERRORS, _COMPANY * lines)
        trouble |= self._own(a, b, self.poor) >= _OWN * lines
        own = len(self.only(a, b)) >= _LEAST_NEW or self._own(a, b, self.times) > _OWN * too_many
        return trouble and own

    def _own(self, a: int, b: int, times: Int64s) -> float:
        """How many lines of a stretch are of templates that come mostly there."""
        here = (self.at >= a) & (self.at <= b)
        every = np.bincount(self.template, times)
        mine = np.bincount(self.template[here], times[here], minlength=len(every))
        return float(mine[mine >= _HERE * every].sum())

    def only(self, a: int, b: int) -> Int64s:
        """The templates that come in the slices `a` to `b` and nowhere else."""
        here = (self.at >= a) & (self.at <= b)
        return np.setdiff1d(self.template[here], self.template[~here])

    def told(self, a: int, b: int, timed: bool) -> Suspect:
        """The stretch in words."""
        span = slice(a, b + 1)
        lines, errors = int(self.lines[span].sum()), int(self.errors[span].sum())
        other = max(int(self.lines.sum()) - lines, 1)
        rest = (int(self.errors.sum()) - errors) / other
        first, last = int(self.edges[a, 1]), int(self.edges[b, 2])
        start, end = int(self.edges[a, 3]), int(self.edges[b, 4])
        facts = []
        poor = int(self.poor[(self.at >= a) & (self.at <= b)].sum())
        poor_rest = (int(self.poor.sum()) - poor) / other
        if errors / lines > _RATE_EDGE * rest:
            facts.append(f"{_percent(errors / lines)} errors against {_percent(rest)} elsewhere")
        elif poor / lines > _RATE_EDGE * poor_rest:
            share = f"{_percent(poor / lines)} warnings or worse"
            facts.append(f"{share} against {_percent(poor_rest)} elsewhere")
        new = len(self.only(a, b))
        if new:
            facts.append(f"{many(new, 'template')} seen only there")
        usual = float(np.median(self.lines))
        rate = lines / (b - a + 1) / usual
        if timed and rate >= _RATE_EDGE:
            facts.append(f"{rate:.0f} times as many lines as usual")
        where = f"lines {first + 1:,} to {last + 1:,}"
        if timed:
            where = f"{_clock(start)} to {_clock(end, start)} ({many(lines, 'line')})"
        return Suspect(first, last, start, end, lines, f"{where}: {', '.join(facts)}")


def _stretches(core: NDArray[np.bool_], edge: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of `edge` around each `core`, joined where they are near."""
    found: list[tuple[int, int]] = []
    for i in np.flatnonzero(core).tolist():
        a = b = i
        while a > 0 and edge[a - 1]:
            a -= 1
        while b + 1 < len(edge) and edge[b + 1]:
            b += 1
        if found and a - found[-1][1] <= _JOIN + 1:
            found[-1] = (found[-1][0], max(b, found[-1][1]))
        else:
            found.append((a, b))
    return found


def worded_levels(texts: Sequence[str]) -> Int8s:
    """Level error for the texts of templates that speak of trouble, 0 for others.

    >>> worded_levels(["disk failed on <*>", "job <*> done"]).tolist()
    [6, 0]
    """
    return np.array([_ERROR if trouble(t) >= SYMPTOM else 0 for t in texts], np.int8)


def _robust(values: Floats) -> tuple[float, float]:
    """Median, and the standard deviation that the median deviation from it stands for."""
    middle = float(np.median(values))
    return middle, _MAD * float(np.median(np.abs(values - middle)))


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 or not share else f"{100 * share:.2g}%"


def _clock(ns: int, before: int | None = None) -> str:
    """Date and time to the minute (UTC); the time alone where the day is that of `before`."""
    text = iso(ns)[:16].replace("T", " ")
    same_day = before is not None and iso(before)[:10] == text[:10]
    return text[11:] if same_day else text
