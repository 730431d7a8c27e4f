"""Measures: numbers that say something of a whole window, as columns over many and as source.

A measure and a threshold make a condition (`Limit`) that a person can read: how many lines hold a
phrase, what share of all lines they are, how long the window lasts, its longest pause, lines in a
second, lines of warnings and worse. What a limit says of windows here is what its source says of
them in the language (a test runs both).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from logwright.rules.engine.combine import seconds
from logwright.rules.induction.signs import Sign, phrases
from logwright.windows.window import Windows

__all__ = ["FAMILIES", "Family", "Limit", "Measure", "Texted", "between", "measures_of"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Kind = Literal["count", "share", "lines", "seconds", "gap", "pace", "severe", "severe share"]
Family = Literal["extent", "counts", "shares"]

FAMILIES: dict[Family, tuple[Kind, ...]] = {
    "extent": ("lines", "seconds", "gap", "pace", "severe", "severe share"),
    "counts": ("count",),
    "shares": ("share",),
}
"""Measures that are chosen, or not, together."""

_WARNING = 5
_COST: dict[Kind, int] = {"count": 1, "share": 2}
_SECONDS = "w.lines[-1].ts - w.lines[0].ts"
_SEVERE = f"sum(line.level >= {_WARNING} for line in w.lines)"
_TOLD: dict[Kind, tuple[str, str]] = {
    "lines": ("at least {} lines", "fewer than {} lines"),
    "seconds": ("it lasts {} seconds or longer", "it lasts less than {} seconds"),
    "gap": ("a pause of {} seconds or longer", "no pause of {} seconds or longer"),
    "pace": ("at least {} lines a second", "fewer than {} lines a second"),
    "severe": (
        "at least {} lines of warnings or worse",
        "fewer than {} lines of warnings or worse",
    ),
    "severe share": (
        "at least {} of the lines are warnings or worse",
        "fewer than {} of the lines are warnings or worse",
    ),
    "count": ("at least {} lines have {}", "fewer than {} lines have {}"),
    "share": ("at least {} of the lines have {}", "fewer than {} of the lines have {}"),
}


class Texted:
    """Windows whose templates have texts: `texts` and `ids` by template index.

    >>> windows = Windows.of_sequences([[0, 1, 1], [1]])
    >>> texted = Texted(windows, ["disk full", "disk ok"], ["a", "b"])
    >>> texted.count(Sign("phrase", "ok")).tolist()
    [2.0, 1.0]
    """

    def __init__(self, windows: Windows, texts: Sequence[str], ids: Sequence[str]) -> None:
        self.windows, self.texts, self._ids = windows, texts, ids

    def __len__(self) -> int:
        return len(self.windows)

    def count(self, sign: Sign) -> Floats:
        """Lines per window that have a sign."""
        pairs = zip(self.texts, self._ids, strict=True)
        held = np.fromiter((sign.matches(*pair) for pair in pairs), bool, len(self.texts))
        owner, template, number = self.windows.counts()
        mine = held[template]
        return np.bincount(owner[mine], number[mine], minlength=len(self)).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number per window. `sign` tells the lines that "count" and "share" are of; "gap" and
    "seconds" are in seconds, nan where a window's first or last line has no time, "pace" in lines a
    second, "severe" in lines of level warning or above.

    >>> windows = Windows.of_sequences([[0, 1, 1], [0]])
    >>> texted = Texted(windows, ["disk full", "disk ok"], ["a", "b"])
    >>> Measure("share", Sign("phrase", "full")).values(texted).round(2).tolist()
    [0.33, 1.0]
    """

    kind: Kind
    sign: Sign | None = None

    @property
    def cost(self) -> int:
        """How hard it is to read: of measures that tell as much the cheapest is taken."""
        return _COST.get(self.kind, 0)

    @property
    def source(self) -> str:
        """The number in the language of rules, on `w`."""
        match self.kind:
            case "lines":
                return "len(w.lines)"
            case "seconds":
                return _SECONDS
            case "gap":
                return "longest_gap(w)"
            case "pace":
                return f"ratio(len(w.lines), {_SECONDS})"
            case "severe":
                return _SEVERE
            case "severe share":
                return f"ratio({_SEVERE}, len(w.lines))"
        assert self.sign is not None
        count = f"sum({self.sign.source} for line in w.lines)"
        return count if self.kind == "count" else f"ratio({count}, len(w.lines))"

    def values(self, of: Texted) -> Floats:
        """The number of each window."""
        windows = of.windows
        match self.kind:
            case "lines":
                return windows.sizes.astype(np.float64)
            case "seconds":
                return _seconds(windows)
            case "gap":
                return _gaps(windows)
            case "pace":
                return _ratio(windows.sizes, _seconds(windows))
            case "severe":
                return _severe(windows)
            case "severe share":
                return _ratio(_severe(windows), windows.sizes)
        assert self.sign is not None
        count = of.count(self.sign)
        return count if self.kind == "count" else _ratio(count, windows.sizes)


def _ratio(a: NDArray[np.generic], b: NDArray[np.generic]) -> Floats:
    """As `plain.ratio`: 0 where `b` is 0."""
    found: Floats = np.zeros(len(a))
    np.divide(a, b, out=found, where=b != 0, casting="unsafe")
    return found


def _seconds(windows: Windows) -> Floats:
    times, held = seconds(windows.events.ts), windows.sizes > 0
    found = np.full(len(windows), np.nan)
    ends, starts = windows.bounds[1:][held] - 1, windows.bounds[:-1][held]
    found[held] = times[ends] - times[starts]
    return found


def _gaps(windows: Windows) -> Floats:
    times = seconds(windows.events.ts)
    timed = ~np.isnan(times)
    times, owner = times[timed], windows.owner[timed]
    same = owner[1:] == owner[:-1]
    found = np.full(len(windows), -np.inf)
    np.maximum.at(found, owner[1:][same], np.diff(times)[same])
    return np.where(np.isneginf(found), 0.0, found)


def _severe(windows: Windows) -> Floats:
    marked = windows.events.level >= _WARNING
    return np.bincount(windows.owner[marked], minlength=len(windows)).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Limit:
    """A measure that is at least `at`, or below it where `least` is False. A measure that is nan
    keeps to neither.

    >>> limit = Limit(Measure("count", Sign("phrase", "ok")), 1.0, True)
    >>> limit.source
    'any(phrase(line.text, "ok") for line in w.lines)'
    >>> Limit(limit.measure, 3.0, False).told
    "fewer than 3 lines have 'ok'"
    """

    measure: Measure
    at: float
    least: bool

    def holds(self, values: Floats) -> Bools:
        """Whether it holds, by the measure's values."""
        found: Bools = values >= self.at if self.least else values < self.at
        return found

    @property
    def source(self) -> str:
        """The condition in the language of rules, on `w`."""
        measure = self.measure
        if measure.kind == "count" and measure.sign is not None and 0 < self.at <= 1:
            return f"{'' if self.least else 'not '}any({measure.sign.source} for line in w.lines)"
        return f"{measure.source} {'>=' if self.least else '<'} {_number(self.at)}"

    @property
    def told(self) -> str:
        """The condition in words."""
        kind, sign = self.measure.kind, self.measure.sign
        if kind == "count" and sign is not None and 0 < self.at <= 1:
            return f"{'a' if self.least else 'no'} line has {sign.told}"
        told = f"{self.at * 100:.6g} %" if kind.endswith("share") else _number(self.at)
        return _TOLD[kind][0 if self.least else 1].format(told, sign.told if sign else "")


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def between(low: float, high: float) -> float:
    """A threshold about in the middle of two numbers, with no more digits than that takes: it is
    above `low`, and `high` at most. Of whole numbers it is a whole one.

    >>> between(4.0, 5.0), between(0.0151, 0.0163), between(380.5, 432.0)
    (5.0, 0.0157, 400.0)
    """
    middle, slack = low + (high - low) / 2, (high - low) / 4
    if low.is_integer() and high.is_integer():
        return float(math.ceil(middle))
    for digits in range(1, 18):
        found = float(f"{middle:.{digits}g}")
        if abs(found - middle) <= slack and low < found <= high:
            return found
    return high


def measures_of(families: Sequence[Family], texts: Sequence[str]) -> Iterator[Measure]:
    """All measures of some families over the phrases of some texts, the more telling ones first:
    phrases of many words before those of few.

    >>> [m.sign.of for m in measures_of(["counts"], ["disk full"])]
    ['disk full', 'disk', 'full']
    """
    found = {words for text in texts for words in phrases(text) if any(map(str.isalpha, words))}
    ordered = sorted(found, key=lambda words: (-words.count(" "), -len(words), words))
    for family in families:
        for kind in FAMILIES[family]:
            if kind in ("count", "share"):
                for words in ordered:
                    yield Measure(kind, Sign("phrase", words))
            else:
                yield Measure(kind)
