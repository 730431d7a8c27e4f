"""Ranges: what the parameters of healthy lines kept to, as probes of which none may hold.

A number has limits beyond the farthest that train held, a share of its spread away. How large a
share, later lines decide: the smallest that limits from the first half of train would have kept to
in what came then, those from three quarters too, and those from all of it in the validation slice;
and one step more. A place of few words has all of them, each seen more than now and then. What
changed late in train has not settled. All of them together may raise so many alarms in validation;
what raises most goes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.rules.induction.probes import Probe
from logwright.rules.induction.values import Column, Values
from logwright.windows.window import Windows

__all__ = ["Kept", "kept_to"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_LEAST, _LEAST_CHECK = 300, 30
"""Lines of train and of validation that have a place, with fewer of which nothing is said of it."""

_STRAYS = 0.001
"""The share of the numbers of train that may be incidents, and lie beyond the limits."""

_SPREADS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""How far beyond what train held a limit may be, in parts of the way there from the median."""

_FEW, _OFTEN = 8, 5
"""Numbers so few, each seen so often, are codes: their limits are what was seen."""

_LATE, _MOST_LATE, _EXTREMES = 0.2, 0.6, 10
_MARGIN = 1
_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Kept:
    """A probe that held for hardly a line; `tested` are the windows that have its place."""

    probe: Probe
    tested: Bools


def kept_to(values: Values, windows: Windows, check: int, alarms: float) -> Iterator[Kept]:
    """What windows in order of time kept to, of which those from number `check` on only check;
    `alarms` is the share of these that may break any of it (one may always).

    >>> windows = Windows.of_sequences([[0, 0, 0]] * 200)
    >>> rows = lambda asked: [f"took {row * 7 % 50} ms" for row in asked]
    >>> values = Values.of(windows, ["took <*> ms"], rows)
    >>> [kept.probe.told for kept in kept_to(values, windows, 150, 0.001)]
    ["a number above 62 in 'took * ms'"]
    """
    early = windows.owner < check
    found: list[tuple[int, Bools, Kept]] = []
    for column in values.columns:
        held = column.at(windows.events.row)
        known = ~np.isnan(held)
        past, late = held[known & early], held[known & ~early]
        if len(past) < _LEAST or len(late) < _LEAST_CHECK:
            continue
        probe = _words(column, past) if column.words else _range(column, past, late)
        if probe is not None:
            over = np.zeros(len(windows), bool)
            over[windows.owner[values.holds(probe, windows.events.row) & ~early]] = True
            tested = np.zeros(len(windows), bool)
            tested[windows.owner[known]] = True
            found.append((int(over.sum()), over, Kept(probe, tested)))
    allowed = max(alarms * (len(windows) - check), 1.0)
    broken = np.zeros(len(windows), bool)
    for _, over, kept in sorted(found, key=lambda each: each[0]):
        if int((broken | over).sum()) <= allowed:
            broken |= over
            yield kept


def _words(column: Column, past: Floats) -> Probe | None:
    """The words of a place; None where some were seen now and then, or late."""
    codes, first, often = np.unique(past, return_index=True, return_counts=True)
    if len(codes) > _FEW or often.min() < _OFTEN or first.max() > len(past) // 2:
        return None
    words = sorted(column.words[int(code)] for code in codes)
    return Probe(column.place, words=tuple(words), others=True)


def _range(column: Column, past: Floats, late: Floats) -> Probe | None:
    """The range of a number; None where it has none."""
    distinct, often = np.unique(past, return_counts=True)
    if len(distinct) <= _FEW:
        if often.min() < _OFTEN:
            return None
        least, most = float(distinct[0]), float(distinct[-1])
        return Probe(column.place, column.held, least or None, most)
    above, below = _limit(past, late), _limit(-past, -late)
    high = None if above is None else _rounded(above)
    low = None if below is None else -_rounded(below)
    if low is not None and low <= 0 <= distinct[0]:
        low = None  # no number is below 0 there
    if high is None and low is None:
        return None
    return Probe(column.place, column.held, low, high)


def _limit(past: Floats, late: Floats) -> float | None:
    """The upper limit of some numbers; None where they grow, or where none is far enough away."""
    farthest = np.argsort(-past, kind="stable")[:_EXTREMES]
    if np.mean(farthest >= (1 - _LATE) * len(past)) > _MOST_LATE:
        return None
    half, most = len(past) // 2, len(past) * 3 // 4
    tries = [(past[:half], past[half:most]), (past[:most], past[most:]), (past, late)]
    steps = [_step(*_extent(before), after) for before, after in tries]
    if len(_SPREADS) in steps:
        return None
    top, reach = _extent(past)
    return top + _SPREADS[min(max(steps) + _MARGIN, len(_SPREADS) - 1)] * reach


def _extent(numbers: Floats) -> tuple[float, float]:
    """The top of some numbers but for strays, and how far above the median it is."""
    strays = int(_STRAYS * len(numbers))
    top = float(np.partition(numbers, -1 - strays)[-1 - strays])
    return top, top - float(np.median(numbers)) or abs(top) or 1.0


def _step(top: float, reach: float, after: Floats) -> int:
    """The first spread beyond which hardly a number came afterwards."""
    strays = int(_STRAYS * len(after))
    farthest = float(np.partition(after, -1 - strays)[-1 - strays])
    held = (step for step, spread in enumerate(_SPREADS) if farthest <= top + spread * reach)
    return next(held, len(_SPREADS))


def _rounded(limit: float) -> float:
    """The limit or a number a little higher, with few digits.

    >>> _rounded(1234.5), _rounded(-0.0271)
    (1300.0, -0.027)
    """
    if limit == 0:
        return 0.0
    places = _DIGITS - 1 - math.floor(math.log10(abs(limit)))
    scale = 10.0**places
    return round(math.ceil(limit * scale - 1e-9) / scale, max(places, 0))
