"""Comparing two sides: the odds that a difference between counts, or between values, is chance.

Lines of logs come in bursts, so counts are not Poisson. A side is cut into `SLOTS` stretches of
equal length; how much more than a Poisson count the number of lines varies between stretches is the
*spread*: about the number of lines in a burst. It is measured over stretches of 1/64 to 1/8 of the
side, and carried on to its whole length at the pace at which it grew. A count divided by its spread
is the number of bursts, and numbers of bursts are compared by the exact binomial test. The spread
is itself an estimate: the result is read off Student's distribution, not the normal one.

Values are compared by their mean rank (Mann and Whitney's test), with a variance that is spread in
the same way, and never with more values than there are bursts of lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SLOTS", "Family", "chances", "family", "pace", "shift", "spread", "tail"]

Floats = NDArray[np.float64]
Table = NDArray[np.int64]

SLOTS = 64
"""Stretches of a side."""

_COARSEST = 8
_DEGREES = 15.0
"""Degrees of freedom of the spread: those of the coarsest stretches of two sides, and a bit."""

_LEAST_CHANCE = 1e-300
_LEAST_VALUES = 2 * _COARSEST
_ALIKE, _LEAST_PACED = 1.5, 5
_LEAST_PACE = 1.25
_TAIL = 0.9


def spread(table: Table) -> Floats:
    """Lines per burst of each row of `table` (rows of lines per stretch, `SLOTS` of them); 1 at
    the least.

    >>> steady, burst = np.full(SLOTS, 5), np.zeros(SLOTS, int)
    >>> burst[40] = 320
    >>> spread(np.array([steady, burst])).round().tolist()
    [1.0, 320.0]
    """
    found = []
    while table.shape[1] >= _COARSEST:
        mean = table.mean(axis=1)
        found.append(table.var(axis=1, ddof=1) / np.maximum(mean, 1e-12))
        table = table[:, 0::2] + table[:, 1::2]
    return _carried_on(np.maximum(np.array(found), 1.0))


def _carried_on(found: Floats) -> Floats:
    """The spread over a whole side, from those over ever longer stretches (one a row)."""
    growth = np.log2(found[-1] / found[0]) / (len(found) - 1)
    result: Floats = np.maximum(
        found.max(axis=0), found[-1] * _COARSEST ** np.clip(growth, 0.0, 1.0)
    )
    return result


def chances(a: Table, b: Table, share: float, least: Floats | float = 1.0) -> Floats:
    """The chance of so large a difference between the rows of two sides that do not differ.

    `share` is what side `b` has of all that was looked at (time, or lines); `least` a spread that
    is known to be there. Two-sided, for each row on its own.

    >>> steady, none, burst = np.full(SLOTS, 5), np.zeros(SLOTS, int), np.zeros(SLOTS, int)
    >>> burst[40] = 320
    >>> a, b = np.array([none, none, steady]), np.array([steady, burst, steady])
    >>> (chances(a, b, 0.5) < 1e-6).tolist()
    [True, False, False]
    """
    bursts = np.maximum(np.maximum(spread(a), spread(b)), least)
    return of_bursts(a.sum(axis=1) / bursts, b.sum(axis=1) / bursts, share)


def of_bursts(x: Floats, y: Floats, share: float) -> Floats:
    """The chance of `x` bursts on one side and `y` on the other, which has `share` of all."""
    from scipy.special import betainc

    more = np.where(y > 0, betainc(np.maximum(y, 1e-9), x + 1, share), 1.0)
    fewer = np.where(x > 0, betainc(np.maximum(x, 1e-9), y + 1, 1 - share), 1.0)
    return _student(2 * np.minimum(more, fewer))


def _student(chance: Floats) -> Floats:
    """A chance by the normal distribution as one by Student's."""
    from scipy.special import ndtri, stdtr

    deviation = ndtri(np.clip(chance, _LEAST_CHANCE, 1.0) / 2)
    result: Floats = np.minimum(2 * stdtr(_DEGREES, deviation), 1.0)
    return result


@dataclass(frozen=True, slots=True)
class Family:
    """What is tested together: which rows, and by how much each chance is multiplied."""

    tested: NDArray[np.bool_]
    factor: int


def family(total: NDArray[np.int64], share: float, level: float) -> Family:
    """The rows that come often enough to be told apart at all, from their numbers of lines on both
    sides together (Tarone's correction).

    A row whose chance cannot get small enough, however its lines are dealt to the sides, cannot
    raise a false alarm, so it need not be counted among those that Bonferroni's correction divides
    the level by.

    >>> family(np.array([1, 2, 3, 500, 700]), 0.5, 0.01)
    Family(tested=array([False, False, False,  True,  True]), factor=2)
    """
    counts = total.astype(float)
    none = np.zeros(len(counts))
    least = np.minimum(of_bursts(counts, none, share), of_bursts(none, counts, share))
    ordered = np.sort(least)
    # The smallest factor k such that at most k rows can reach level / k.
    factor = 1
    while np.searchsorted(ordered, level / factor, side="right") > factor:
        factor = max(factor + 1, int(factor * 1.02))
    return Family(least <= level / factor, factor)


def pace(x: NDArray[np.int64], y: NDArray[np.int64], bursts: Floats, share: float) -> float:
    """How many times as busy side b is as side a, going by the typical row; 1 where rows disagree,
    are too few, or hardly differ.

    >>> x = np.arange(100, 110)
    >>> round(pace(x, 2 * x, np.ones(10), 0.5), 2), pace(x[:3], 2 * x[:3], np.ones(3), 0.5)
    (2.0, 1.0)
    """
    known = np.minimum(x, y) / bursts >= _COARSEST
    if known.sum() < _LEAST_PACED:
        return 1.0
    ratio = np.log(y[known] / x[known] * (1 - share) / share)
    middle = float(np.median(ratio))
    alike = np.abs(ratio - middle) <= np.log(_ALIKE)
    if abs(middle) < np.log(_LEAST_PACE) or 2 * alike.sum() < len(ratio):
        return 1.0
    return float(np.exp(middle))


def shift(a: Floats, b: Floats, most_a: float, most_b: float) -> tuple[float, float]:
    """The chance of so different mean ranks of the values of two sides, and how often a value of b
    is the larger one of two.

    Both are in order of time; `most_a` and `most_b` are the numbers of bursts that they come from.

    >>> rng = np.random.default_rng(1)
    >>> few, many = rng.normal(10, 1, 200), rng.normal(20, 1, 200)
    >>> chance, larger = shift(few, many, 200, 200)
    >>> chance < 1e-9, larger
    (True, 1.0)
    """
    n, m = len(a), len(b)
    if min(n, m) < _LEAST_VALUES:
        return 1.0, 0.5
    ranks = _ranks(np.concatenate((a, b)))
    before, after = ranks[:n], ranks[n:]
    apart = float(after.mean() - before.mean())
    return _apart(before, after, apart, most_a, most_b), 0.5 + apart


def tail(a: Floats, b: Floats, most_a: float, most_b: float) -> float:
    """The chance of so different shares of large values: those over the 90 % quantile of all.

    >>> calm = np.tile(np.arange(10.0), 20)
    >>> spikes = np.where(np.arange(200) % 5 == 0, 400.0, calm)
    >>> tail(calm, spikes, 200, 200) < 1e-3
    True
    """
    if min(len(a), len(b)) < _LEAST_VALUES:
        return 1.0
    # Each side weighs the same, however many values it has.
    values, weight = np.concatenate((a, b)), np.repeat((1 / len(a), 1 / len(b)), (len(a), len(b)))
    order = np.argsort(values, kind="stable")
    at = int(np.searchsorted(np.cumsum(weight[order]), _TAIL * 2))
    limit = values[order][min(at, len(order) - 1)]
    over_a, over_b = (a >= limit).astype(float), (b >= limit).astype(float)
    return _apart(over_a, over_b, float(over_b.mean() - over_a.mean()), most_a, most_b)


def _apart(a: Floats, b: Floats, apart: float, most_a: float, most_b: float) -> float:
    """The chance of means that are so far apart, from their spread variances."""
    from scipy.special import ndtr

    variance = 0.0
    for values, most in ((a, most_a), (b, most_b)):
        known = min(len(values) / _block_spread(values), most)
        if known < 2:
            return 1.0
        # Values that are all alike have a variance all the same: one more might be another.
        variance += max(float(values.var(ddof=1)), 0.25 / known) / known
    return float(_student(np.array([2 * ndtr(-abs(apart) / np.sqrt(variance))]))[0])


def _block_spread(values: Floats) -> float:
    """How many times the variance of a mean is that of independent values."""
    whole = float(values.var(ddof=1))
    if whole == 0:
        return 1.0
    found = []
    blocks = SLOTS
    while blocks >= _COARSEST:
        size = len(values) // blocks
        if size:
            means = values[: size * blocks].reshape(blocks, size).mean(axis=1)
            found.append(max(float(means.var(ddof=1)) * size / whole, 1.0))
        blocks //= 2
    if len(found) == 1:
        return found[0]
    return float(_carried_on(np.array(found)[:, None])[0])


def _ranks(values: Floats) -> Floats:
    """Ranks from 0 to 1, ties in the middle."""
    ordered = np.sort(values)
    low = np.searchsorted(ordered, values, side="left")
    high = np.searchsorted(ordered, values, side="right")
    result: Floats = (low + high) / (2.0 * len(values))
    return result
