"""Pairs of templates and the times between them: counted in full, sampled in bounded memory.

For each pair the table keeps how often it came, its shortest and longest gap, and a sample of at
most 512 gaps: those whose record's number has the smallest hash. Which gaps these are does not
depend on the order or the portions in which they came.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Floats
from logwright.detectors.thresholds import fit_tail
from logwright.logs.batch import Int32s, Int64s
from logwright.windows.window import mix, pair_hash

__all__ = ["COLUMNS", "SAMPLE", "TIGHT", "PairTable", "digits_of", "statistics"]

UInt64s = NDArray[np.uint64]

SAMPLE = 512
TIGHT = 3.0
"""Gaps are alike where the largest is at most this times the shortest."""

_MOST_HELD = 4_000  # pairs held while learning: 50 MB with their samples
_MOST_CELLS = 1 << 22
_SLACK = 4
_ALL = np.uint64(2**64 - 1)
_NARROWEST = math.log(1.5)
"""Logarithms of gaps are taken to spread by a factor of 1.5 at the least."""

COLUMNS = (
    *("number", "shortest", "median", "largest"),
    *("long_start", "long_scale", "long_shape", "long_rate"),
    *("short_start", "short_scale", "short_shape", "short_rate"),
)
"""What is kept of a distribution of gaps: gaps in ns, tails over log(1 + gap / unit)."""


def statistics(sample: Floats, number: int, shortest: int, largest: int, unit: int) -> list[float]:
    """One row of `COLUMNS` from a sample of gaps; `unit` (ns) is the resolution of the times.

    >>> row = statistics(np.array([1e9, 2e9, 3e9]), 3, 10**9, 3 * 10**9, 10**9)
    >>> row[:4]
    [3.0, 1000000000.0, 2000000000.0, 3000000000.0]
    """
    logs = np.log1p(sample / unit)
    row = [float(number), float(shortest), float(np.median(sample)), float(largest)]
    short = fit_tail(-logs) if largest <= TIGHT * shortest else None
    for tail in (fit_tail(logs), short):
        row += [tail.start, tail.scale, tail.shape, tail.rate] if tail else [0.0] * 4
    return row


def digits_of(rows: NDArray[np.float64], gaps: Floats, unit: int) -> Floats:
    """How improbable each gap is, in decimal digits, by its row of `COLUMNS`.

    The smaller of two estimates: an exponential tail over the logarithm that passes through the
    largest (for short gaps: shortest) gap of history, and, where the sample allows one, the
    generalised Pareto tail. The second alone takes its own bound for certain.

    >>> rows = np.array([[99, 1e9, 1e9, 3e9] + [0.0] * 8])
    >>> digits_of(rows, np.array([3e9]), 10**9).round(2).tolist()
    [2.0]
    """
    number, shortest, median, largest = rows[:, :4].T
    x, centre = np.log1p(gaps / unit), np.log1p(median / unit)
    long = gaps >= median
    bound = np.log1p(np.where(long, largest, shortest) / unit)
    far = np.maximum(np.abs(bound - centre), _NARROWEST)
    simple = np.log10(number + 1) * np.abs(x - centre) / far
    start, scale, shape, rate = np.where(long[:, None], rows[:, 4:8], rows[:, 8:12]).T
    fitted = rate > 0
    y = np.maximum(np.where(long, x, -x) - start, 0.0) / np.where(fitted, scale, 1.0)
    curve = np.where(np.abs(shape) < 1e-9, 1.0, shape)
    bent = np.log(np.maximum(1.0 + curve * y, 1e-300)) / curve
    tail = np.where(np.abs(shape) < 1e-9, y, bent) / math.log(10)
    tail -= np.log10(np.where(fitted, rate, 1.0))
    digits: Floats = np.minimum(np.where(fitted, np.minimum(simple, tail), simple), 30.0)
    return digits


def _no_keys() -> UInt64s:
    return np.empty(0, np.uint64)


def _no_numbers() -> Int64s:
    return np.empty(0, np.int64)


@dataclass(slots=True)
class PairTable:
    """Gaps between ordered pairs of templates, by the hashes of the templates.

    >>> table, h = PairTable(), np.array([11, 22], np.uint64)
    >>> one = np.ones(3, np.int32)
    >>> table.add(one * 0, one, np.array([5, 7, 6]), np.arange(3), one == 1, h)
    >>> table.number.tolist(), table.shortest.tolist(), table.largest.tolist()
    ([3], [5], [7])
    """

    key: UInt64s = field(default_factory=_no_keys)  # sorted
    left: UInt64s = field(default_factory=_no_keys)
    right: UInt64s = field(default_factory=_no_keys)
    number: Int64s = field(default_factory=_no_numbers)
    shortest: Int64s = field(default_factory=_no_numbers)
    largest: Int64s = field(default_factory=_no_numbers)
    limit: UInt64s = field(default_factory=_no_keys)  # ranks below it are sampled
    _pair: list[UInt64s] = field(default_factory=list)
    _rank: list[UInt64s] = field(default_factory=list)
    _gap: list[Int64s] = field(default_factory=list)
    _waiting: int = 0

    def __len__(self) -> int:
        return len(self.key)

    def add(
        self,
        left: Int32s,
        right: Int32s,
        gap: Int64s,
        row: Int64s,
        valid: NDArray[np.bool_],
        hashes: UInt64s,
    ) -> None:
        """Take gaps between templates `left` and `right` (indices) where `valid`; `row` is the
        second record's number."""
        code, present, tally = _tally(left, right, valid, len(hashes))
        if not len(present):
            return
        first, second = hashes[present // len(hashes)], hashes[present % len(hashes)]
        keys = pair_hash(first, second)
        self._enter(keys, first, second, tally)
        place = np.searchsorted(self.key, keys)
        place[place == len(self.key)] = 0
        held = self.key[place] == keys
        self.number[place[held]] += tally[held]
        # Far more than are kept, so that whole portions need no sorting.
        share = np.minimum(_SLACK * SAMPLE / tally[held], 1.0) * (1.0 - 1e-9)
        fence = np.where(share < 0.99, share * 2.0**64, 2.0**64 - 2048).astype(np.uint64)
        self.limit[place[held]] = np.minimum(self.limit[place[held]], fence)
        where = np.full(_cells(len(hashes), len(present)), -1, np.int32)
        where[_cell(present, present, len(hashes))] = np.where(held, place, -1)
        pair = where[code if _dense(len(hashes)) else np.searchsorted(present, code)]
        if not valid.all() or not held.all():
            keep = valid & (pair >= 0)
            pair, gap, row = pair[keep], gap[keep], row[keep]
        self._extremes(pair, gap)
        rank = mix(row.astype(np.uint64))
        near = np.flatnonzero(rank < self.limit[pair])
        self._pair.append(self.key[pair[near]])
        self._rank.append(rank[near])
        self._gap.append(gap[near])
        self._waiting += len(near)
        if self._waiting > 2 * SAMPLE * max(len(self), 64):
            self._shrink()

    def _extremes(self, pair: Int32s, gap: Int64s) -> None:
        high, low = gap > self.largest[pair], gap < self.shortest[pair]
        np.maximum.at(self.largest, pair[high], gap[high])
        np.minimum.at(self.shortest, pair[low], gap[low])

    def _enter(self, keys: UInt64s, left: UInt64s, right: UInt64s, tally: Int64s) -> None:
        """Make room for new pairs; beyond the limit the most frequent are kept."""
        new = ~np.isin(keys, self.key)
        room = np.zeros(int(new.sum()), np.int64)
        number = np.concatenate((self.number, room))
        order = np.argsort(np.concatenate((self.key, keys[new])), kind="stable")
        if len(order) > _MOST_HELD:
            weight = np.concatenate((self.number, tally[new]))[order]
            order = np.sort(order[np.argsort(-weight, kind="stable")[:_MOST_HELD]])
            merged = np.concatenate((self.key, keys[new]))[order]
            order = order[np.argsort(merged)]
        self.key = np.concatenate((self.key, keys[new]))[order]
        self.left = np.concatenate((self.left, left[new]))[order]
        self.right = np.concatenate((self.right, right[new]))[order]
        self.number = number[order]
        most = np.iinfo(np.int64).max
        self.shortest = np.concatenate((self.shortest, room + most))[order]
        self.largest = np.concatenate((self.largest, room - 1))[order]
        self.limit = np.concatenate((self.limit, np.full(len(room), _ALL)))[order]

    def _shrink(self) -> None:
        """Keep the sample of each pair alone, and lower the limits to it."""
        pair, rank = np.concatenate(self._pair), np.concatenate(self._rank)
        gap = np.concatenate(self._gap)
        order = np.lexsort((rank, pair))
        pair, rank, gap = pair[order], rank[order], gap[order]
        first = np.searchsorted(pair, pair)
        keep = np.arange(len(pair)) - first < SAMPLE
        at = np.searchsorted(self.key, pair)
        at[at == len(self.key)] = 0
        full = (np.arange(len(pair)) - first == SAMPLE - 1) & (self.key[at] == pair)
        self.limit[at[full]] = np.minimum(self.limit[at[full]], rank[full] + np.uint64(1))
        keep &= self.key[at] == pair
        self._pair, self._rank, self._gap = [pair[keep]], [rank[keep]], [gap[keep]]
        self._waiting = int(keep.sum())

    def samples(self, which: NDArray[np.intp]) -> list[Int64s]:
        """The sampled gaps (ns) of each pair asked for, by its place."""
        if not self._pair:
            return [_no_numbers() for _ in which]
        self._shrink()
        pair, gap = self._pair[0], self._gap[0]
        begin = np.searchsorted(pair, self.key[which])
        end = np.searchsorted(pair, self.key[which], side="right")
        return [gap[a:b] for a, b in zip(begin.tolist(), end.tolist(), strict=True)]


def _dense(templates: int) -> bool:
    return templates * templates < _MOST_CELLS


def _cells(templates: int, present: int) -> int:
    return templates * templates + 1 if _dense(templates) else present + 1


def _cell(codes: Any, present: Int64s, templates: int) -> Any:
    return codes if _dense(templates) else np.arange(len(present))


def _tally(
    left: Int32s, right: Int32s, valid: NDArray[np.bool_], templates: int
) -> tuple[Int64s, Int64s, Int64s]:
    """The code of each pair, the codes that are present where `valid`, and how often each is."""
    code = left * np.int64(templates) + right
    if not valid.all():
        code[~valid] = templates * templates
    if _dense(templates):
        times = np.bincount(code, minlength=templates * templates + 1)[:-1]
        present = np.flatnonzero(times)
        return code, present, times[present]
    present, times = np.unique(code, return_counts=True)
    real = present < templates * templates
    return code, present[real], times[real]
