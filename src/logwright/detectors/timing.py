"""Timing: events of a session that follow each other far later, or far sooner, than ever.

Reads sessions. A *pair* is two templates of which the second directly follows the first in nearly
all sessions that hold the first; a *whole session* is a pair of its first and last template. For
each pair history gives the distribution of the time between the two. The score is the least
likely gap of a session, in digits of improbability (`pairs.digits_of`). A gap is looked at where it
is

* long: twice the longest of history or more, and longer by 0.1 s and by 5 times the resolution of
  the log's times;
* or short: half the shortest of history or less, with the same margins, and only for pairs whose
  gaps are alike (the longest at most 3 times the shortest).

A session may be closed by a long gap: the next session of the same key is taken as its
continuation, for pairs that history shows inside sessions. A second event that never comes is no
gap: that is the business of `counts`. Periods of single templates are the business of `period`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Evidence, Floats, State, add_counts
from logwright.detectors.gaps import Gaps, Joints, ends, inside
from logwright.detectors.pairs import COLUMNS, TIGHT, PairTable, digits_of, statistics
from logwright.detectors.rate import duration
from logwright.detectors.tally import Tally
from logwright.logs.batch import NO_TIME, Int32s, Int64s
from logwright.snapshot import Moved
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows, pair_hash

__all__ = ["Timing"]

UInt64s = NDArray[np.uint64]

_MOST_PAIRS = 2_000  # of neighbours, and as many of whole sessions
_LEAST_NUMBER = 100
_LEAST_SHARE = 0.8
"""Gaps of a pair, to sessions that hold its first template."""
_MOST_JOINTS = 0.1
_TIMES, _LEAST_EXCESS, _LEAST_UNITS = 2.0, 100_000_000, 5
_NEVER = np.iinfo(np.int64).max
_UNITS = (1_000_000_000, 1_000_000, 1_000, 1)
_WHOLE = np.uint64(0x57484F4C45)
"""Marks the pair of a session's first and last template apart from neighbours."""


@dataclass(slots=True)
class _Hit:
    """A gap out of the ordinary: its pair's place among those watched, and both rows."""

    digits: float
    pair: int
    gap: int
    first: int
    second: int


@dataclass(slots=True)
class _Lookup:
    """The limits of every pair of template indices, for one size of the vocabulary."""

    templates: int
    left: Int64s  # by template index: times the width of the table; 0 for none
    right: Int64s
    high: Int64s  # by left + right
    low: Int64s | None
    pair: Int32s

    def find(self, gaps: Gaps, windows: Windows) -> tuple[Int64s, ...]:
        """Gaps out of their pairs' limits, as columns: window, pair, gap and both rows."""
        # Few gaps are long for any pair: the others need not be looked up.
        may = gaps.gap >= self.high.min(initial=_NEVER)
        if self.low is not None:
            may |= gaps.gap <= self.low.max(initial=-1)
        at = np.flatnonzero(may)
        code = self.left[gaps.left[at]] + self.right[gaps.right[at]]
        out = gaps.gap[at] >= self.high[code]
        if self.low is not None:
            out |= gaps.gap[at] <= self.low[code]
        out &= gaps.valid[at]
        at, code = at[out], code[out]
        if gaps.window is None:
            window = np.searchsorted(windows.bounds, at, side="right") - 1
        else:
            window = gaps.window[at]
        columns = (window, self.pair[code], gaps.gap[at], gaps.first[at], gaps.second[at])
        return tuple(np.asarray(c, np.int64) for c in columns)


class Timing:
    """Scores sessions by their least likely gap between paired events.

    Its state besides what was learned, the last record of each session key, changes only with
    closed windows, in order.
    """

    name = "timing"
    unit = "gap"

    def __init__(self) -> None:
        self.resolution = _UNITS[0]  # ns that all times are multiples of
        self.tally: Tally | None = None  # set it to have alarms noted
        self._neighbours, self._wholes = PairTable(), PairTable()
        self._across, self._joints = PairTable(), Joints()
        self._holding = (np.empty(0, np.uint64), np.empty(0, np.int64))
        self._left, self._right = np.empty(0, np.uint64), np.empty(0, np.uint64)
        self._whole = np.empty(0, bool)
        self._stats: NDArray[np.float64] | None = np.zeros((0, len(COLUMNS)))
        self._lookups: list[_Lookup] = []
        self._hits: dict[int, list[_Hit]] = {}

    @property
    def pairs(self) -> int:
        """How many pairs are watched."""
        return len(self._settle())

    def fit(self, windows: Windows, vocabulary: Vocabulary) -> None:
        """Learn the gaps of history; more calls add to it."""
        if windows.kind != "session" or not len(windows):
            return
        events, hashes = windows.events, vocabulary.hashes
        times = events.ts[events.ts != NO_TIME]
        while (times % self.resolution).any():
            self.resolution = _UNITS[_UNITS.index(self.resolution) + 1]
        for table, gaps in (
            (self._neighbours, inside(windows)),
            (self._wholes, ends(windows)),
            (self._across, self._joints.take(windows)),
        ):
            table.add(gaps.left, gaps.right, gaps.gap, gaps.second, gaps.valid, hashes)
        _, template, _ = windows.counts()
        held = np.bincount(template, minlength=len(hashes))
        self._holding = add_counts(*self._holding, hashes[held > 0], held[held > 0])
        self._stats = None

    def _settle(self) -> NDArray[np.float64]:
        """Choose the pairs to watch, and fit their gaps, when they are first needed."""
        if self._stats is not None:
            return self._stats
        rows, left, right, whole = [], [], [], []
        for table, is_whole in ((self._neighbours, False), (self._wholes, True)):
            which = self._chosen(table, is_whole)
            for i, sample in zip(which.tolist(), table.samples(which), strict=True):
                bounds = int(table.number[i]), int(table.shortest[i]), int(table.largest[i])
                rows.append(statistics(sample.astype(float), *bounds, self.resolution))
            left.append(table.left[which])
            right.append(table.right[which])
            whole.append(np.full(len(which), is_whole))
        self._stats = np.array(rows).reshape(-1, len(COLUMNS))
        self._left, self._right = np.concatenate(left), np.concatenate(right)
        self._whole, self._lookups = np.concatenate(whole), []
        return self._stats

    def _chosen(self, table: PairTable, whole: bool) -> NDArray[np.intp]:
        ok = table.number >= _LEAST_NUMBER
        if not whole:
            hashes, times = self._holding
            if len(hashes):
                ok &= table.number >= _LEAST_SHARE * times[np.searchsorted(hashes, table.left)]
            at = np.searchsorted(table.key, self._across.key)
            at[at == len(table)] = 0
            joints = np.zeros(len(table), np.int64)
            if len(table):
                same = table.key[at] == self._across.key
                joints[at[same]] = self._across.number[same]
            ok &= joints <= _MOST_JOINTS * table.number
        which = np.flatnonzero(ok)
        most = which[np.argsort(-table.number[which], kind="stable")[:_MOST_PAIRS]]
        return np.sort(most)

    def _limits(self) -> tuple[Int64s, Int64s]:
        """At and above the first a gap is long, at and below the second it is short (-1: never)."""
        number, shortest, median, largest = self._settle()[:, :4].T
        margin = max(_LEAST_EXCESS, _LEAST_UNITS * self.resolution)
        high = np.maximum(_TIMES * largest, largest + margin)
        low = np.minimum(shortest / _TIMES, shortest - margin)
        tight = (largest <= TIGHT * shortest) & (low >= 0) & (number > 0) & (median > 0)
        most = float(_NEVER // 2)
        return np.minimum(high, most).astype(np.int64), np.where(tight, low, -1).astype(np.int64)

    def _lookup(self, vocabulary: Vocabulary, whole: bool) -> _Lookup:
        hashes = vocabulary.hashes
        if not self._lookups or self._lookups[0].templates != len(hashes):
            self._settle()
            self._lookups = [self._table(hashes, self._whole == w) for w in (False, True)]
        return self._lookups[whole]

    def _table(self, hashes: UInt64s, mine: NDArray[np.bool_]) -> _Lookup:
        place = np.flatnonzero(mine)
        high, low = self._limits()
        sides = []
        numbers = []
        for side in (self._left[place], self._right[place]):
            known, number = np.unique(side, return_inverse=True)
            at = np.searchsorted(known, hashes)
            at[at == len(known)] = 0
            same = known[at] == hashes if len(known) else np.zeros(len(hashes), bool)
            sides.append(np.where(same, at + 1, 0).astype(np.int64))
            numbers.append((number + 1, len(known) + 1))
        (a, rows), (b, width) = numbers
        code = a * width + b
        highs = np.full(rows * width, _NEVER)
        lows = np.full(rows * width, -1)
        pair = np.full(rows * width, -1, np.int32)
        highs[code], lows[code], pair[code] = high[place], low[place], place
        short = lows if (lows >= 0).any() else None
        return _Lookup(len(hashes), sides[0] * width, sides[1], highs, short, pair)

    def score(self, windows: Windows, vocabulary: Vocabulary) -> Floats:
        """The least likely gap of each session, in digits; 0 where none is out of the ordinary."""
        self._hits = {}
        out = np.zeros(len(windows))
        if windows.kind != "session" or not len(windows) or not len(self._settle()):
            return out
        near, whole = self._lookup(vocabulary, False), self._lookup(vocabulary, True)
        found = [
            near.find(inside(windows), windows),
            whole.find(ends(windows), windows),
            near.find(self._joints.take(windows), windows),
        ]
        window, pair, gap, first, second = (np.concatenate(c) for c in zip(*found, strict=True))
        if not len(window):
            return out
        digits = digits_of(self._settle()[pair], gap.astype(float), self.resolution)
        if self.tally is not None:
            seen = np.unique((window << 32) | pair, return_index=True)[1]
            self.tally.add(self._keys()[pair[seen]], digits[seen])
        told = self._reasons(window, pair, gap, len(out))
        columns = (c[told].tolist() for c in (digits, pair, gap, first, second))
        np.maximum.at(out, window[told], digits[told])
        for w, *hit in zip(window[told].tolist(), *columns, strict=True):
            self._hits.setdefault(w, []).append(_Hit(*hit))
        return out

    def _reasons(self, window: Int64s, pair: Int64s, gap: Int64s, n: int) -> NDArray[np.bool_]:
        """All but whole sessions in which a gap between neighbours is the reason."""
        whole, long = self._whole[pair], gap > self._settle()[pair, 3]
        longest, hasty = np.zeros(n, np.int64), np.zeros(n, bool)
        np.maximum.at(longest, window[~whole], gap[~whole])
        hasty[window[~whole & ~long]] = True
        return ~whole | np.where(long, gap > 2 * longest[window], ~hasty[window])

    def _keys(self) -> UInt64s:
        """One number per pair that is watched, the same in every process."""
        keys = pair_hash(self._left, self._right)
        return np.where(self._whole, keys ^ _WHOLE, keys)

    def drop(self, keys: Collection[int]) -> None:
        """Watch these pairs (of a `Tally`) no longer."""
        stats = self._settle()
        stay = ~np.isin(self._keys(), np.array(sorted(keys), np.uint64))
        self._stats, self._lookups = stats[stay], []
        self._left, self._right = self._left[stay], self._right[stay]
        self._whole = self._whole[stay]

    def evidence(
        self, windows: Windows, i: int, vocabulary: Vocabulary, threshold: float
    ) -> list[Evidence]:
        """The worst gap of each pair in window `i` of the windows that were scored last."""
        best: dict[int, _Hit] = {}
        for hit in self._hits.get(i, []):
            known = best.get(hit.pair)
            if hit.digits >= threshold and (known is None or hit.digits > known.digits):
                best[hit.pair] = hit
        found = sorted(best.values(), key=lambda h: (-h.digits, h.pair))
        return [self._told(hit, vocabulary) for hit in found]

    def _told(self, hit: _Hit, vocabulary: Vocabulary) -> Evidence:
        pair, gap = hit.pair, hit.gap
        number, shortest, median, largest = self._settle()[pair, :4]
        hashes = vocabulary.hashes
        a = int(np.flatnonzero(hashes == self._left[pair])[0])
        b = int(np.flatnonzero(hashes == self._right[pair])[0])
        names = [vocabulary.templates[t].text for t in (a, b)]
        long = gap > largest
        limit = f"above {duration(largest)}" if long else f"below {duration(shortest)}"
        usual = f"usually {duration(median)}, never {limit}"
        if self._whole[pair]:
            what, kind = f"a session from '{names[0]}' to '{names[1]}'", "session"
            many = f"{int(number):,} sessions"
        else:
            what, kind, many = f"'{names[0]}' to '{names[1]}'", "pair", f"{int(number):,} pairs"
        took = f"took {'' if long else 'only '}{duration(gap)}"
        rows = [r for r in (hit.first, hit.second) if r >= 0]
        ids = [vocabulary.templates[t].id for t in (a, b)]
        return Evidence(
            hit.digits,
            f"{what} {took}; in {many} of history never {limit}",
            f"{usual} in {many}",
            duration(gap),
            rows,
            rows[-1:],
            list(dict.fromkeys((a, b))),
            [f"{kind}-{'long' if long else 'short'}", f"{ids[0]}>{ids[1]}"],
            usual=dict.fromkeys((a, b), usual),
        )

    def paused(self) -> State:
        """The last record of each session key."""
        return self._joints.paused()

    def resume(self, state: State, moved: Moved) -> None:
        """Go on from there."""
        self._joints.resume(state, moved)

    def cites(self) -> Int64s:
        """The last record of each session key."""
        return self._joints.rows

    def forget(self, row: int) -> Int64s:
        """Forget what no record from this row on continues; gives the session keys of the rest."""
        return self._joints.drop(row)

    def save(self) -> State:
        """The pairs that are watched, with their gaps."""
        stats = self._settle()
        table: dict[str, NDArray[Any]] = {c: stats[:, j] for j, c in enumerate(COLUMNS)}
        table |= {"left": self._left, "right": self._right, "whole": self._whole}
        return State({"resolution": self.resolution}, {"pairs": table})

    def load(self, state: State) -> None:
        """Take over the pairs; no session has been seen yet."""
        table = state.tables["pairs"]
        self.resolution = int(state.meta["resolution"])
        self._stats = np.stack([np.asarray(table[c], float) for c in COLUMNS], axis=1)
        self._left = np.asarray(table["left"], np.uint64)
        self._right = np.asarray(table["right"], np.uint64)
        self._whole = np.asarray(table["whole"], bool)
        self._lookups = []
