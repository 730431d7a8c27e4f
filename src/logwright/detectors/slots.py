"""Slots of history: which parameters have settled, and what would stand out in them.

A slot pools what all shapes of a template held at one variable token. `settle` decides, from the
rows before the check part, which numbers have a tail and which fields and forms bring nothing new,
counts what they would have flagged in the check part, and leaves out what breaks the alarm budget.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Floats
from logwright.detectors.thresholds import Tail
from logwright.logs.kernel import FORM, NUMBER, VALUE
from logwright.templates.values import Record, Sketch
from logwright.templates.vocabulary import Vocabulary

__all__ = [
    "COLUMNS",
    "FORM_NEW",
    "GROWN",
    "GROWN_BY",
    "HIGH",
    "LEAST_DIGITS",
    "LOW",
    "NO_NUMBER",
    "SIDES",
    "VALUE_NEW",
    "Pair",
    "Side",
    "Sketches",
    "Slot",
    "pooled",
    "row_of",
    "settle",
    "sound",
]

Sketches = Iterable[tuple[int, int, int, Sketch]]
"""What the slots of a run held: `templates.values.Values.sketches`."""

LEAST_DIGITS = 3.0
"""The score from which a line is told of: what comes once in 1,000 lines or less."""

HIGH, LOW, VALUE_NEW, FORM_NEW = range(4)
"""Ways to stand out: a number too large or too small, a new value, a new form."""

GROWN, GROWN_BY = 2, 8
"""A token is too long from twice the longest of history, and 8 more, on."""

NO_NUMBER = 1 << 30
"""The form of a token that is no number where all others are."""

SIDES = ("high", "low")

COLUMNS: dict[str, type] = {
    "template": np.uint64,
    "tokens": np.int32,
    "ordinal": np.int32,
    "lines": np.int64,
    **{f"{s}_{c}": np.float64 for s in SIDES for c in (*Tail.__slots__, "unit", "limit", "most")},
    "value_digits": np.float64,
    "form_digits": np.float64,
    "kinds": np.int32,
    "longest": np.int32,
}
"""What is kept of a slot; limits are NaN, and digits 0, for what is not watched."""

_LEAST_LINES, _LEAST_SETTLED = 300, 1_000
_LEAST_DISTINCT = 20
_LEAST_EXTREMES, _BEYOND, _FARTHEST_BEYOND = 20, 2.0, 4.0
_NARROWEST, _HEAVIEST = 0.05, 0.45
_LATE, _MOST_LATE = 0.2, 0.6
_QUIET = (0.5, 0.75, 0.875)
_FEW_ODD = 64
_PIECE = re.compile(r"\w+|\W")
_FARTHEST = 700.0  # beyond it a limit is no float


@dataclass(frozen=True, slots=True)
class Side:
    """The tail of one side (sign 1: high), over sign * arcsinh(number / unit); what lies beyond
    `limit` is told of. More digits than `most` are beyond what history can tell."""

    sign: float
    unit: float
    tail: Tail
    limit: float
    most: float

    @staticmethod
    def of(extremes: Floats, sign: float, lines: int, digits: float) -> Side | None:
        """The tail of the extremes of so many lines, told of from so many digits on.

        >>> side = Side.of(np.arange(100.0, 140.0), 1.0, 1000, 6.0)
        >>> round(side.limit), round(side.digits(side.limit), 3)
        (1123, 6.0)
        """
        x = np.sort(sign * extremes)[::-1][: max(lines // 10, _LEAST_EXTREMES)]
        if len(x) < _LEAST_EXTREMES:
            return None
        start = float(x[-1])
        apart = np.abs(x[x != 0])
        unit = abs(start) / 100 or (float(apart.min()) if len(apart) else 1.0)
        y = np.arcsinh(x / unit)
        excess = y - y[-1]
        mean, variance = float(excess.mean()), float(excess.var())
        heavy = 0.5 * (1.0 - mean * mean / variance) if variance > 1e-12 else 0.0
        heavy = min(max(heavy, 0.0), _HEAVIEST)
        scale = max(mean * (1.0 - heavy) * (1.0 + 2.0 / math.sqrt(len(x))), _NARROWEST)
        tail = Tail(float(y[-1]), scale, heavy, min(len(x) / lines, 1.0))
        limit = max(tail.value(min(10.0**-digits, tail.rate)), float(np.nextafter(y[0], np.inf)))
        if limit > _FARTHEST:
            return None
        most = max(math.log10(lines) + _FARTHEST_BEYOND, digits)
        return Side(sign, unit, tail, sign * unit * math.sinh(limit), most)

    def digits(self, number: float) -> float:
        """Minus log10 of the chance of a number as far out as this, or farther."""
        y = np.array([self.sign * math.asinh(number / self.unit)])
        return min(float(self.tail.digits(y)[0]), self.most)

    def beyond(self, numbers: Floats) -> NDArray[np.bool_]:
        """Which numbers are told of."""
        return self.sign * numbers >= self.sign * self.limit


Pair = tuple[Side | None, Side | None]


@dataclass(slots=True, eq=False)
class Slot:
    """A slot of history: what shapes of one template with so many tokens held, together."""

    template: int
    tokens: int
    ordinal: int
    label: str
    sketch: Sketch
    sides: Pair = (None, None)
    digits: dict[int, float] = field(default_factory=dict)

    def lines(self, before: int) -> int:
        """About how many of its lines came before a row."""
        rows = self.sketch.sample[0]
        return round(self.sketch.seen * np.count_nonzero(rows < before) / max(len(rows), 1))

    def late(self, stop: int) -> bool:
        """Whether the extremes of the lines before a row come mostly late: the numbers grow."""
        rows = self.sketch.sample[0]
        past = rows[rows < stop]
        if not len(past) or self.lines(stop) < _LEAST_LINES:
            return False
        late = float(np.quantile(past, 1.0 - _LATE))
        held = (row[row < stop] for row, _ in (self.sketch.high, self.sketch.low))
        return any(len(r) >= _LEAST_EXTREMES and np.mean(r >= late) > _MOST_LATE for r in held)

    def tails(self, stop: int, beyond: float) -> Pair:
        """The tails of the lines before a row; None for a side that has not settled."""
        lines = self.lines(stop)
        if lines < _LEAST_LINES:
            return None, None
        if self.late(stop):
            return None, None
        rows, numbers = self.sketch.sample
        past = rows < stop
        every = [numbers[past], *(x[row < stop] for row, x in (self.sketch.high, self.sketch.low))]
        if len(np.unique(np.concatenate(every))) < _LEAST_DISTINCT:
            return None, None  # ports, codes: names rather than numbers
        sides: list[Side | None] = []
        digits = math.log10(lines) + beyond
        for sign, (row, number) in ((1.0, self.sketch.high), (-1.0, self.sketch.low)):
            mine = row < stop
            x = number[mine]
            if len(x) < _LEAST_EXTREMES and len(row) > len(x):  # what came later drove them out
                x = np.sort(-sign * numbers[past & ~np.isnan(numbers)])[
                    : np.count_nonzero(past) // 3
                ]
                sides.append(Side.of(-sign * x, sign, 3 * len(x), digits))
            else:
                sides.append(Side.of(x, sign, lines, digits))
        return sides[0], sides[1]

    def outside(self, sides: Pair, begin: int, stop: int) -> list[tuple[int, float, float, int]]:
        """(row, number, digits, kind) of extreme numbers in rows [begin, stop) that are told of."""
        out = []
        extremes = self.sketch.high, self.sketch.low
        for kind, side, (rows, numbers) in zip((HIGH, LOW), sides, extremes, strict=True):
            if side is None:
                continue
            told = (rows >= begin) & (rows < stop) & side.beyond(numbers)
            for row, number in zip(rows[told].tolist(), numbers[told].tolist(), strict=True):
                out.append((row, number, side.digits(number), kind))
        return sorted(out)

    def news(self, kind: int) -> list[Record]:
        """What was new when it came, in order of rows: values, or forms."""
        out: list[Record] = []
        if kind == VALUE_NEW:
            seen: set[int] = set()
            for record in self.sketch.values:
                if record.what not in seen:
                    out.append(record)
                    seen.add(record.what)
            return out
        if self.sketch.mode & NUMBER:
            return [record._replace(what=NO_NUMBER) for record in self.sketch.odd]
        kinds = longest = 0
        for record in self.sketch.forms:
            if record.what & ~kinds or record.length > GROWN * longest + GROWN_BY:
                out.append(record)
            kinds, longest = kinds | record.what, max(longest, record.length)
        return out

    def settled(self, kind: int, stop: int, quiet: float) -> float:
        """Digits of surprise at something new from row `stop` on; 0 where it has not settled: where
        in the last part (a share `quiet`) of its lines something new came."""
        lines = self.lines(stop)
        last = max((r.row for r in self.news(kind) if r.row < stop), default=-1)
        calm = lines - self.lines(last)
        if calm < max(quiet * lines, _LEAST_SETTLED / 2) or lines < _LEAST_SETTLED:
            return 0.0
        if kind == VALUE_NEW and last < 0:
            return 0.0
        return max(math.log10(calm), LEAST_DIGITS)


def pooled(sketches: Sketches, vocabulary: Vocabulary) -> list[Slot]:
    """The slots of all shapes of a template with as many tokens, together; in a stable order."""
    pieces: dict[tuple[int, int, int], list[Sketch]] = {}
    for code, tokens, ordinal, sketch in sketches:
        at = int(vocabulary.of(np.array([code], np.int32))[0])
        if at < 0:
            continue
        key = (int(vocabulary.hashes[at]), tokens, ordinal)
        pieces.setdefault(key, []).append(sketch)
    slots = []
    for key, (first, *more) in sorted(pieces.items(), key=lambda piece: piece[0]):
        label = reduce(_common, sorted({first.label, *(sketch.label for sketch in more)}))
        slots.append(Slot(*key, label, first.merged(more) if more else first))
    return slots


def _common(one: str, other: str) -> str:
    """Two labels as one: what differs is left open.

    >>> _common("user ann took <*> ms", "user bob took <*> ms")
    'user … took <*> ms'
    """
    pieces, others = (_PIECE.findall(label) for label in (one, other))
    if len(pieces) != len(others):
        return min(one, other)
    return "".join(a if a == b else "…" for a, b in zip(pieces, others, strict=True))


def settle(slots: list[Slot], cut: int, stop: int, alarms: float) -> list[tuple[str, list[str]]]:
    """Fit all slots on the rows before `stop`, tried on those from `cut` on.

    `alarms` is how many normal data may raise in as long a time as history. Gives what was left
    out: what it is, and the slots' labels.
    """
    allowed = max(alarms * (stop - cut) / max(stop, 1), 1.0)
    return [
        ("numbers", _settle_tails(slots, cut, stop, alarms, allowed)),
        ("fields of few values", _settle_news(slots, VALUE_NEW, cut, stop, allowed)),
        ("forms", _settle_news(slots, FORM_NEW, cut, stop, allowed)),
    ]


def _settle_tails(
    slots: list[Slot], cut: int, stop: int, alarms: float, allowed: float
) -> list[str]:
    """Fit the tails of all slots, but for those that grow or break the budget: their labels."""
    numeric = [s for s in slots if s.sketch.mode & NUMBER and len(s.sketch.odd) < _FEW_ODD]
    beyond = max(_BEYOND, math.log10(max(2 * len(numeric) / alarms, 1.0)))
    left, tried = [], []
    for slot in numeric:
        outside = len(slot.outside(slot.tails(cut, beyond), cut, stop))
        tried.append((outside, slot.label, slot))
    over = sum(n for n, _, _ in tried)
    for outside, label, slot in sorted(tried, key=lambda t: (-t[0], t[1])):
        if over > allowed and outside:
            over -= outside
            left.append(label)
            continue
        slot.sides = slot.tails(stop, beyond)
        if slot.sides == (None, None) and slot.late(stop):
            left.append(label)
    return left


def _settle_news(slots: list[Slot], kind: int, cut: int, stop: int, allowed: float) -> list[str]:
    """Set the digits of something new for slots that have settled; gives the labels of others.

    How long a slot must have been quiet follows from what then would have been told of in the last
    part of history.
    """
    if kind == VALUE_NEW:
        mine = [s for s in slots if s.sketch.mode & VALUE]
    else:
        mine = [s for s in slots if s.sketch.mode & (FORM | NUMBER)]
    for quiet in _QUIET:
        told = sum(
            sum(cut <= r.row < stop for r in s.news(kind))
            for s in mine
            if s.settled(kind, cut, quiet)
        )
        if told <= allowed:
            break
    left = []
    for slot in mine:
        digits = slot.settled(kind, stop, quiet) if told <= allowed else 0.0
        if digits:
            slot.digits[kind] = digits
        elif slot.lines(stop) >= _LEAST_SETTLED:
            left.append(slot.label)
    return left


def row_of(slot: Slot, stop: int) -> dict[str, Any]:
    """A slot as a row of the table."""
    number = bool(slot.sketch.mode & NUMBER)
    past = [r for r in slot.sketch.forms if r.row < stop]
    kinds = NO_NUMBER if number else int(np.bitwise_or.reduce([0, *(r.what for r in past)]))
    row: dict[str, Any] = {
        "template": slot.template,
        "tokens": slot.tokens,
        "ordinal": slot.ordinal,
        "lines": slot.lines(stop),
        "value_digits": slot.digits.get(VALUE_NEW, 0.0),
        "form_digits": slot.digits.get(FORM_NEW, 0.0),
        "kinds": kinds,
        "longest": GROWN * max((r.length for r in past), default=0) + GROWN_BY,
    }
    for name, side in zip(SIDES, slot.sides, strict=True):
        for c in Tail.__slots__:
            row[f"{name}_{c}"] = 0.0 if side is None else getattr(side.tail, c)
        row[f"{name}_unit"] = 1.0 if side is None else side.unit
        row[f"{name}_limit"] = math.nan if side is None else side.limit
        row[f"{name}_most"] = 0.0 if side is None else side.most
    return row


def sound(columns: dict[str, NDArray[Any]]) -> bool:
    """Whether a loaded table holds what `row_of` can have written."""
    for name, column in columns.items():
        limit = name.endswith("_limit")
        if np.isinf(column).any() or (np.isnan(column).any() and not limit):
            return False
        if not (limit or name.endswith(("_start", "_shape", "tokens"))) and (column < 0).any():
            return False
    for side in SIDES:
        watched = ~np.isnan(columns[f"{side}_limit"])
        for part in ("unit", "scale", "rate"):
            if (columns[f"{side}_{part}"][watched] <= 0).any():
                return False
    return True
