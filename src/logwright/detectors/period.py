"""Period: templates that come at a steady beat, and then do not (lost heartbeats, missed jobs).

Reads tumbling time windows (intervals) of all records. Lines of a template less than an interval
apart are one beat. A template is watched where history holds 8 gaps between beats or more, half of
them 2 intervals or longer, four fifths of them within 20 % of the median, none above 2.2 times the
median, and where its beat had not stopped when history ended. Lines of level error are no beats:
that they end is no loss.

A beat is overdue at 1.5 times the longest gap of history, and not before that is improbable by 4
digits on an exponential tail over the logarithm of gaps, through the longest one. It is told once
per loss: when an interval closes with the beat overdue, or with the beat that came too late.

Division of labour with `rate`, which tells of templates that vanish, from 3 intervals on: what
comes in most intervals is its business. What is watched here (`watched`) it should leave alone; a
log that falls silent as a whole is `rate`'s in any case, and all beats are timed anew after it.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Evidence, Floats, State, known_among
from logwright.detectors.rate import duration
from logwright.detectors.tally import Tally
from logwright.logs.batch import NO_TIME, Int64s
from logwright.snapshot import Moved
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

__all__ = ["LEAST_DIGITS", "Period"]

UInt64s = NDArray[np.uint64]

LEAST_DIGITS = 4.0
"""Below this a beat is not overdue; a threshold above it would let losses go untold."""

_LEAST_GAPS = 8
_LEAST_INTERVALS = 2
_NEAR, _NEAR_SHARE, _MOST_TIMES = 0.2, 0.8, 2.2
_OVERDUE = 1.5
_NARROWEST = math.log(1.1)
_LEAST_SILENCE = 3
_ERROR = 6
_MOST_BEATS = 2_000_000  # held while learning: 50 MB
_MOST_DIGITS = 30.0
_COLUMNS = ("number", "median", "largest")


@dataclass(slots=True)
class _Hit:
    """A lost beat: its place among those watched, how long it was away, rows before and after."""

    digits: float
    at: int
    away: int
    before: int
    after: int


class Period:
    """Scores intervals by the beats that are overdue in them.

    State changes only with closed windows, in order: when each beat came last.
    """

    name = "timing"
    unit = "period"

    def __init__(self, interval: int = 60_000_000_000) -> None:
        self.interval = interval
        self.tally: Tally | None = None  # set it to have alarms noted
        self._beats: list[tuple[UInt64s, Int64s, Int64s]] = []
        self._held = 0
        self._left_out: list[tuple[int, int]] = []
        self._longest = 1  # silence of the whole log in history, in intervals
        self._now = -1
        self._begun = False
        self._hash = np.empty(0, np.uint64)  # sorted
        self._stats: NDArray[np.float64] | None = np.zeros((0, len(_COLUMNS)))
        self._last = np.empty(0, np.int64)
        self._row = np.empty(0, np.int64)
        self._told = np.empty(0, bool)
        self._hits: dict[int, list[_Hit]] = {}

    @property
    def watched(self) -> UInt64s:
        """The hashes of the templates whose beat is watched."""
        self._settle()
        return self._hash

    def leave_out(self, start: int, end: int) -> None:
        """Say before `fit` that history lacks this time (ns): what spans it is no gap."""
        self._left_out.append((start, end))

    def _spans(self, since: int, until: int) -> bool:
        return any(since <= end and until >= start for start, end in self._left_out)

    def fit(self, windows: Windows, vocabulary: Vocabulary) -> None:
        """Learn when each template came; more calls, in order, add to it."""
        on_time = np.flatnonzero(~windows.late)
        hashes, events = vocabulary.hashes, windows.events
        first = np.full(len(hashes), -1, np.int64)
        for w in on_time.tolist():
            span, slot = windows.span(w), int(windows.key[w])
            template = events.template[span][::-1]
            first[template] = np.arange(span.stop - 1, span.start - 1, -1)  # the earliest wins
            present = np.flatnonzero(first >= 0)
            at = first[present]
            first[present] = -1
            usable = (events.ts[at] != NO_TIME) & (events.level[at] < _ERROR)
            at, present = at[usable], present[usable]
            self._beats.append((hashes[present], events.ts[at], events.row[at]))
            self._held += len(at)
            if self._now >= 0 and not self._spans(self._now * self.interval, slot * self.interval):
                self._longest = max(self._longest, slot - self._now)
            self._now = slot
        if len(on_time):
            self._stats = None
        if self._held > _MOST_BEATS:
            self._shrink()

    def _shrink(self) -> None:
        """Too many beats: forget the templates that came most often, which have no long period."""
        columns = [np.concatenate(c) for c in zip(*self._beats, strict=True)]
        keys, index, times = np.unique(columns[0], return_inverse=True, return_counts=True)
        order = np.argsort(times, kind="stable")
        keep = np.zeros(len(keys), bool)
        keep[order[np.cumsum(times[order]) <= _MOST_BEATS // 2]] = True
        mine = keep[index]
        self._beats = [(columns[0][mine], columns[1][mine], columns[2][mine])]
        self._held = int(mine.sum())

    def _settle(self) -> NDArray[np.float64]:
        """Choose the beats to watch, when they are first needed."""
        if self._stats is not None:
            return self._stats
        key, ts, row = (np.concatenate(c) for c in zip(*self._beats, strict=True))
        order = np.lexsort((ts, key))
        key, ts, row = key[order], ts[order], row[order]
        end = (self._now + 1) * self.interval
        found: list[tuple[int, list[float], int, int]] = []
        edges = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1], [True])))
        for a, b in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            if b - a <= _LEAST_GAPS:
                continue
            steps = np.diff(ts[a:b])
            beat = np.concatenate(([True], steps >= self.interval))
            begun = ts[a:b][beat]
            real = np.ones(len(begun) - 1, bool)
            for start, until in self._left_out:
                real &= (begun[:-1] > until) | (begun[1:] < start)
            stats = self._steady(np.diff(begun)[real].astype(float))
            if stats is not None and end - ts[b - 1] < _limit(*stats):
                found.append((int(key[a]), stats, int(ts[b - 1]), int(row[b - 1])))
        self._hash = np.array([f[0] for f in found], np.uint64)
        self._last = np.array([f[2] for f in found], np.int64)
        self._row = np.array([f[3] for f in found], np.int64)
        self._told = np.zeros(len(found), bool)
        self._begun = False
        self._stats = np.array([f[1] for f in found]).reshape(-1, len(_COLUMNS))
        return self._stats

    def _steady(self, gaps: Floats) -> list[float] | None:
        """Number, median and largest of gaps between beats, None where they are not steady."""
        if len(gaps) < _LEAST_GAPS:
            return None
        median, largest = float(np.median(gaps)), float(gaps.max())
        near = np.abs(gaps - median) <= _NEAR * median
        steady = near.mean() >= _NEAR_SHARE and largest <= _MOST_TIMES * median
        if not steady or median < _LEAST_INTERVALS * self.interval:
            return None
        return [float(len(gaps)), median, largest]

    def score(self, windows: Windows, vocabulary: Vocabulary) -> Floats:
        """The least likely loss of a beat in each interval, in digits; late windows score 0."""
        self._hits = {}
        out = np.zeros(len(windows))
        stats = self._settle()
        if not len(stats) or not len(windows):
            return out
        limit = np.array([_limit(*row) for row in stats.tolist()])
        beats = self._beats_of(windows, vocabulary)
        due = self._due(limit)
        for w in np.flatnonzero(~windows.late).tolist():
            slot = int(windows.key[w])
            if self._resume(slot):
                due = self._due(limit)
            end = (slot + 1) * self.interval
            self._now = slot
            if w not in beats and end < due:
                continue
            hits = self._arrivals(beats.get(w, []), limit)
            late = np.flatnonzero(~self._told & (end - self._last >= limit))
            hits += [self._lost(int(i), end - int(self._last[i]), -1) for i in late]
            self._told[late] = True
            due = self._due(limit)
            if hits:
                self._hits[w] = hits
                out[w] = max(h.digits for h in hits)
        if self.tally is not None and self._hits:
            hits = [h for found in self._hits.values() for h in found]
            keys, digits = self._hash[[h.at for h in hits]], [h.digits for h in hits]
            self.tally.add(keys, np.array(digits))
        return out

    def _beats_of(
        self, windows: Windows, vocabulary: Vocabulary
    ) -> dict[int, list[tuple[int, int, int, int, int]]]:
        """By window: place, first and last time, first and last row of the beats in it."""
        hashes, events = vocabulary.hashes, windows.events
        at = np.searchsorted(self._hash, hashes)
        at[at == len(self._hash)] = 0
        place = np.where(self._hash[at] == hashes, at, -1).astype(np.int32)
        mine = np.flatnonzero(place[events.template] >= 0)
        mine = mine[events.ts[mine] != NO_TIME]
        window = np.searchsorted(windows.bounds, mine, side="right") - 1
        beat = place[events.template[mine]]
        order = np.lexsort((mine, beat, window))
        mine, window, beat = mine[order], window[order], beat[order]
        new = np.ones(len(mine) + 1, bool)
        new[1:-1] = (window[1:] != window[:-1]) | (beat[1:] != beat[:-1])
        edges = np.flatnonzero(new)
        a, b = edges[:-1], edges[1:] - 1
        first, last = mine[a], mine[b]
        columns = (events.ts[first], events.ts[last], events.row[first], events.row[last])
        out: dict[int, list[tuple[int, int, int, int, int]]] = {}
        for w, *entry in zip(
            window[a].tolist(), beat[a].tolist(), *(c.tolist() for c in columns), strict=True
        ):
            out.setdefault(w, []).append((entry[0], entry[1], entry[2], entry[3], entry[4]))
        return out

    def _arrivals(self, beats: list[tuple[int, int, int, int, int]], limit: Floats) -> list[_Hit]:
        """Take beats; those that were away too long, and not told of yet, are hits."""
        hits = []
        for i, first, last, row, last_row in beats:
            away = first - int(self._last[i])
            if away >= limit[i] and not self._told[i]:
                hits.append(self._lost(i, away, row))
            self._last[i] = max(last, int(self._last[i]))
            self._row[i], self._told[i] = last_row, False
        return hits

    def _resume(self, slot: int) -> bool:
        """Time all beats anew over a gap between history and what is scored first, and where the
        whole log was silent for longer than ever."""
        silence = slot - self._now
        anew = silence != 1
        if self._begun:
            anew = silence >= max(2 * self._longest, _LEAST_SILENCE)
        self._begun = True
        if anew:
            self._last = np.full(len(self._last), slot * self.interval)
            self._row[:], self._told[:] = -1, False
        return anew

    def _due(self, limit: Floats) -> float:
        waiting = ~self._told
        return float((self._last + limit)[waiting].min()) if waiting.any() else math.inf

    def _lost(self, i: int, away: int, after: int) -> _Hit:
        number, median, largest = self._settle()[i].tolist()
        digits = math.log10(number + 1) * math.log(away / median) / _spread(median, largest)
        return _Hit(min(digits, _MOST_DIGITS), i, away, int(self._row[i]), after)

    def drop(self, keys: Collection[int]) -> None:
        """Watch these templates (of a `Tally`) no longer."""
        stats = self._settle()
        stay = ~np.isin(self._hash, np.array(sorted(keys), np.uint64))
        self._stats, self._hash = stats[stay], self._hash[stay]
        self._last, self._row = self._last[stay], self._row[stay]
        self._told = self._told[stay]

    def evidence(
        self, windows: Windows, i: int, vocabulary: Vocabulary, threshold: float
    ) -> list[Evidence]:
        """The beats lost in window `i` of the windows that were scored last."""
        return [
            self._evidence(hit, vocabulary)
            for hit in self._hits.get(i, [])
            if hit.digits >= threshold
        ]

    def _evidence(self, hit: _Hit, vocabulary: Vocabulary) -> Evidence:
        number, median, largest = self._settle()[hit.at].tolist()
        template = int(np.flatnonzero(vocabulary.hashes == self._hash[hit.at])[0])
        text = vocabulary.templates[template].text
        usual = f"every {duration(round(median)).removeprefix('1 ')}"
        away = f"not seen for {duration(hit.away)}"
        what = f"overdue: '{text}', {away}" if hit.after < 0 else f"'{text}' came late, {away}"
        rows = [r for r in (hit.before, hit.after) if r >= 0]
        return Evidence(
            hit.digits,
            f"{what}; it comes {usual}, in {int(number):,} beats of history never more than "
            f"{duration(largest)} apart",
            f"a line {usual}, {duration(largest)} at the most",
            f"none for {duration(hit.away)}",
            rows,
            rows[-1:],
            [template],
            ["overdue", vocabulary.templates[template].id],
            usual={template: usual},
        )

    def save(self) -> State:
        """The beats that are watched, and when each came last."""
        stats = self._settle()
        table: dict[str, NDArray[Any]] = {"hash": self._hash, "last": self._last}
        table |= {c: stats[:, j] for j, c in enumerate(_COLUMNS)}
        meta = {"interval": self.interval, "now": self._now, "longest": self._longest}
        return State(meta, {"beats": table})

    def paused(self) -> State:
        """When each beat came last, and whether its loss was told."""
        self._settle()
        columns = {"hash": self._hash, "last": self._last, "row": self._row, "told": self._told}
        meta = {"now": self._now, "begun": self._begun}
        return State(meta, {"beats": columns})

    def resume(self, state: State, moved: Moved) -> None:
        """Go on from there."""
        table = state.tables["beats"]
        mine, at = known_among(self._hash, table["hash"])
        self._last[mine], self._row[mine] = table["last"][at], table["row"][at]
        self._told[mine] = table["told"][at]
        self._now, self._begun = int(state.meta["now"]), bool(state.meta["begun"])

    def cites(self) -> Int64s:
        """The rows in which beats came last."""
        return self._row[self._row >= 0]

    def load(self, state: State) -> None:
        """Take over the beats; nothing has been scored yet."""
        self.interval, self._now = int(state.meta["interval"]), int(state.meta["now"])
        self._longest, self._begun = int(state.meta["longest"]), False
        table = state.tables["beats"]
        self._hash = np.asarray(table["hash"], np.uint64)
        self._last = np.array(table["last"], np.int64)
        self._row = np.full(len(self._hash), -1, np.int64)
        self._told = np.zeros(len(self._hash), bool)
        self._stats = np.stack([np.asarray(table[c], float) for c in _COLUMNS], axis=1)


def _spread(median: float, largest: float) -> float:
    return max(math.log(largest / median), _NARROWEST)


def _limit(number: float, median: float, largest: float) -> float:
    """How long (ns) a beat may be away."""
    rare = math.exp(LEAST_DIGITS * _spread(median, largest) / math.log10(number + 1.0))
    return max(_OVERDUE * largest, median * rare * (1 + 1e-9))
