"""Values of one parameter on two sides: numbers by size, a few words by how often each comes.

What is neither, such as identifiers of which nearly every one is another, is not compared; nor is
what counts up, such as a sequence number, which differs in any two periods.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from logwright.compare import SLOTS, chances, shift, tail

__all__ = ["ValueChange", "compare_values"]

_AMOUNT = re.compile(rb"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s?([A-Za-z%\xc2\xb5]{0,5})")
_TIMES = {b"ns": 1e-6, b"us": 1e-3, b"\xc2\xb5s": 1e-3, b"ms": 1.0, b"s": 1e3, b"sec": 1e3}
_LEAST = 16
_NUMERIC = 0.95  # the share of values that must be numbers
_FEW_NUMBERS, _FEW_WORDS = 12, 40
_RATIO, _TAIL_RATIO = 1.25, 1.5
_LARGER = 0.15  # how far from one half the odds of the larger value must be
_LEAST_SHARE, _SHARE_RATIO = 0.02, 1.5
_HIGH = 95


@dataclass(frozen=True, slots=True)
class ValueChange:
    """What changed most: `measure` is "median", "95 % quantile", or a value whose share of the
    lines (in %) changed; `chance` is that of one of `tests` tests, `shown` a value that shows it.
    """

    chance: float
    tests: int
    measure: str = ""
    before: float = 0.0
    after: float = 0.0
    unit: str = ""
    shown: bytes = b""

    @property
    def effect(self) -> float:
        """The logarithm of the factor, at most that of 1,000."""
        low, high = sorted((abs(self.before), abs(self.after)))
        return float(min(np.log(max(high, 1e-9) / max(low, high / 1000, 1e-9)), np.log(1000.0)))


def compare_values(
    a: Sequence[bytes], b: Sequence[bytes], most_a: float, most_b: float
) -> ValueChange:
    """The least likely change of a parameter's values, both sides in order of time.

    `most_a` and `most_b` are the numbers of bursts that the lines came in. The chance is 1 where
    nothing changed by enough to matter.

    >>> found = compare_values([b"10", b"12", b"14"] * 30, [b"470", b"480", b"490"] * 30, 90, 90)
    >>> found.measure, found.before, found.after, found.chance < 1e-6
    ('median', 12.0, 480.0, True)
    """
    if min(len(a), len(b)) < _LEAST:
        return ValueChange(1.0, 0)
    distinct = len({*a, *b})
    found = ValueChange(1.0, 0)
    numbers = _numbers(a, b)  # what is no number among them is left out
    if numbers is not None:
        found = _sizes(*numbers, most_a, most_b)
        nearest = np.argmin(np.abs(numbers[1] - found.after))
        found = replace(found, shown=[v for v in b if _AMOUNT.fullmatch(v)][nearest])
        if (found.chance < 1 and found.measure == "median") or distinct > _FEW_NUMBERS:
            return found
    if distinct > _FEW_WORDS:
        return found
    shares = _shares(a, b, most_a, most_b)
    tests = found.tests + shares.tests
    # Of few values, such as status codes, the share of one says more than a quantile.
    return replace(shares if shares.chance < 1 else found, tests=tests)


def _numbers(
    a: Sequence[bytes], b: Sequence[bytes]
) -> tuple[NDArray[np.float64], NDArray[np.float64], str] | None:
    """Both sides as numbers of one unit; None where they are not that."""
    sides = []
    units: set[bytes] = set()
    for values in (a, b):
        found = [m for v in values if (m := _AMOUNT.fullmatch(v))]
        if len(found) < _NUMERIC * len(values):
            return None
        units.update(m[2] for m in found)
        sides.append(found)
    if len(units) == 1:
        before, after = (np.array([float(m[1]) for m in side]) for side in sides)
        return before, after, units.pop().decode("utf-8", "replace")
    if not units <= _TIMES.keys():
        return None
    before, after = (np.array([float(m[1]) * _TIMES[m[2]] for m in side]) for side in sides)
    return before, after, "ms"


def _sizes(
    a: NDArray[np.float64], b: NDArray[np.float64], unit: str, most_a: float, most_b: float
) -> ValueChange:
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return ValueChange(1.0, 0)
    chance, larger = shift(a, b, most_a, most_b)
    middle = (float(np.median(a)), float(np.median(b)))
    if abs(larger - 0.5) < _LARGER or not _apart(*middle, _RATIO):
        chance = 1.0
    chance_high = tail(a, b, most_a, most_b)
    high = (float(np.percentile(a, _HIGH)), float(np.percentile(b, _HIGH)))
    if not _apart(*high, _TAIL_RATIO):
        chance_high = 1.0
    if min(chance, chance_high) >= 1.0:
        return ValueChange(1.0, 2)
    if chance <= chance_high:
        return ValueChange(chance, 2, "median", *middle, unit)
    return ValueChange(chance_high, 2, f"{_HIGH} % quantile", *high, unit)


def _apart(before: float, after: float, ratio: float) -> bool:
    low, high = sorted((abs(before), abs(after)))
    return before * after < 0 or high > low * ratio


def _shares(a: Sequence[bytes], b: Sequence[bytes], most_a: float, most_b: float) -> ValueChange:
    n, m = len(a), len(b)
    counts_a, counts_b = Counter(a), Counter(b)
    values = sorted({*counts_a, *counts_b})
    at = {value: i for i, value in enumerate(values)}
    tables = []
    for side in (a, b):
        index = np.array([at[v] for v in side]) * SLOTS + np.arange(len(side)) * SLOTS // len(side)
        table = np.bincount(index, minlength=len(values) * SLOTS).reshape(-1, SLOTS)
        tables.append(table)
    least = max(n / max(most_a, 1.0), m / max(most_b, 1.0), 1.0)
    chance = chances(tables[0], tables[1], m / (n + m), least)
    found = []
    for value, p in zip(values, chance.tolist(), strict=True):
        before, after = counts_a[value] / n, counts_b[value] / m
        low, high = sorted((before, after))
        if high - low >= _LEAST_SHARE and high >= _SHARE_RATIO * low:
            name = value.decode("utf-8", "backslashreplace")
            found.append(ValueChange(p, len(values), name, 100 * before, 100 * after, "%", value))
    if not found:
        return ValueChange(1.0, len(values))
    # Among those that are about as unlikely, what came says more than what went.
    least = 10 * min(change.chance for change in found)
    alike = [change for change in found if change.chance <= least]
    return max(alike, key=lambda change: change.after - change.before)
