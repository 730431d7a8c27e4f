"""Parting: probes of parameters that tell windows of one class from others.

Of each number the threshold, above or below, that tells most of the class (information gain over
all values that lie between windows), of each place of few words the words that do. A threshold is
the roundest number in the gap that it may lie in.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from logwright.rules.induction.probes import Probe
from logwright.rules.induction.values import Column, Values
from logwright.windows.window import Windows

__all__ = ["parting", "roundest"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

_LEAST = 2
"""Windows of the class that must have the value."""

_SURE = 20.0
"""What a gain must come to, as a likelihood ratio (2 n times nats), to be none of chance: of many
thousand thresholds one or two reach it where labels are random."""

_MOST = 30
_DIGITS = 15


def parting(values: Values, windows: Windows, which: Bools, early: Bools) -> list[Probe]:
    """Probes that tell the windows in `which`, by those in `early`, the best first.

    >>> windows = Windows.of_sequences([[0]] * 90, "count")
    >>> rows = lambda asked: [f"took {row * 7 % 50} ms" for row in asked]
    >>> values = Values.of(windows, ["took <*> ms"], rows)
    >>> slow = np.arange(90) * 7 % 50 > 42
    >>> [probe.told for probe in parting(values, windows, slow, np.arange(90) < 80)]
    ["a number above 42 in 'took * ms'"]
    """
    found: list[tuple[float, Probe]] = []
    owner, target = windows.owner, which[early]
    number = np.cumsum(early) - 1
    for column in values.columns:
        held = column.at(windows.events.row)
        mine = ~np.isnan(held) & early[owner]
        of, numbers = number[owner[mine]], held[mine]
        probes = _words if column.words else _numbers
        found += [each for each in probes(column, of, numbers, target) if each[0] >= _SURE]
    found.sort(key=lambda each: -each[0])
    return [probe for _, probe in found[:_MOST]]


def _words(
    column: Column, owner: Int64s, codes: Floats, target: Bools
) -> Iterator[tuple[float, Probe]]:
    for code, word in enumerate(column.words):
        held = np.zeros(len(target), bool)
        held[owner[codes == code]] = True
        p, n = np.array([(held & target).sum()]), np.array([(held & ~target).sum()])
        gain = float(_ratios(p, n, target)[0])
        if word.isprintable() and not any(char.isdigit() for char in word):
            yield gain, Probe(column.place, words=(word,))


def _numbers(
    column: Column, owner: Int64s, numbers: Floats, target: Bools
) -> Iterator[tuple[float, Probe]]:
    for sign in (1.0, -1.0):
        most = np.full(len(target), -np.inf)
        np.maximum.at(most, owner, sign * numbers)
        order = np.argsort(-most, kind="stable")
        order = order[np.isfinite(most[order])]
        falling = most[order]
        p, n = np.cumsum(target[order]), np.cumsum(~target[order])
        ends = np.flatnonzero(np.diff(falling))  # the last window of each value but the lowest
        if not len(ends):
            continue
        gains = _ratios(p[ends], n[ends], target)
        at = int(np.argmax(gains))
        high, low = float(falling[ends[at]]), float(falling[ends[at] + 1])
        limit = roundest(low, high)
        if sign > 0:
            yield float(gains[at]), Probe(column.place, column.held, high=limit)
        else:
            yield float(gains[at]), Probe(column.place, column.held, low=-limit)


def _ratios(p: Int64s, n: Int64s, target: Bools) -> Floats:
    """2 n times the information gain (nats) of splits that have `p` of the target and `n` others on
    one side; 0 for such as do not tell of the target."""
    every, others = int(target.sum()), int((~target).sum())

    def bits(a: Int64s, b: Int64s) -> Floats:
        total = a + b
        out = np.zeros(len(total))
        for part in (a, b):
            some = part > 0
            out[some] -= part[some] * np.log(part[some] / total[some])
        return out

    whole = bits(np.array([every]), np.array([others]))
    gains = 2 * (whole - bits(p, n) - bits(every - p, others - n))
    tells = (p >= _LEAST) & (p * others > n * every)
    found: Floats = np.where(tells, gains, 0.0)
    return found


def roundest(low: float, high: float) -> float:
    """The number of fewest digits from `low` on and below `high`.

    >>> roundest(431.0, 968.0), roundest(-7.0, -5.0), roundest(0.11, 0.19)
    (700.0, -6.0, 0.15)
    """
    if low <= 0 < high:
        return 0.0
    start = math.floor(math.log10(max(abs(low), abs(high))))
    for places in range(-start, min(_DIGITS - start, sys.float_info.max_10_exp + 1)):
        scale = 10.0**places
        middle = round((low + high) / 2 * scale) / scale
        found = middle if low <= middle < high else math.ceil(low * scale) / scale
        found = round(found, max(places, 0))
        if low <= found < high:
            return found
    return low
