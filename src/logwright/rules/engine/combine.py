"""Combine: facts of many windows at once, and rules over them, as columns.

Most predicates are true of few lines. So the lines of a set of predicates are brought together
once, and each fact is worked out from the places of the lines that it is about.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, Int32s, Int64s
from logwright.rules.engine.plan import (
    At,
    Count,
    Distinct,
    Fact,
    Followed,
    FollowedIn,
    Gap,
    Held,
    KeyIs,
    Length,
    Place,
    Time,
)  # fmt: skip
from logwright.rules.engine.pointwise import closure
from logwright.rules.language.tree import (
    And,
    Arith,
    Call,
    Choice,
    Compare,
    Const,
    Neg,
    Not,
    Or,
)  # fmt: skip

__all__ = ["Facts", "Floats", "seconds", "value"]

Floats = NDArray[np.float64]

_OPS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


class _Keyed:
    def __init__(self, key: str) -> None:
        self.key = key


def seconds(ts: Int64s) -> Floats:
    """Times of columns as rules see them: seconds since 1970 UTC, nan where there is none.

    >>> seconds(np.array([1_500_000_000, NO_TIME])).tolist()
    [1.5, nan]
    """
    return np.where(ts == NO_TIME, np.nan, ts / 1e9)


class Facts:
    """Facts of windows: `bounds` as in `Windows`; `sets` is each line's set of predicates, `held`
    what the codes of sets stand for, `times` gives the lines' times (`seconds`), `templates`
    numbers that are equal where the templates' ids are, `keys` the windows' keys."""

    def __init__(
        self,
        bounds: Int64s,
        sets: Int32s,
        held: Sequence[tuple[int, ...]],
        times: Callable[[], Floats],
        templates: Callable[[], Int64s],
        keys: Callable[[], Sequence[str]],
    ) -> None:
        self.bounds, self._sets, self._held = bounds, sets, held
        self.sizes: Int64s = np.diff(bounds)
        self._owner: Int64s | None = None
        self._seconds: Floats | None = None
        self._take_times, self._templates, self._keys = times, templates, keys
        self._grouped: dict[int, list[Int64s]] | None = None
        self._places: dict[int, Int64s] = {}
        self._known: dict[Fact, Any] = {}

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def met(self) -> set[int]:
        """The predicates that are true of any line."""
        return set(self._groups)

    @property
    def alike(self) -> list[bytes]:
        """Of each window bytes that are equal where the sets of its lines are, one after the
        other: what no fact but those of times, templates and keys tells apart."""
        ends = self.bounds.tolist()
        return [self._sets[a:b].tobytes() for a, b in itertools.pairwise(ends)]

    def only(self, windows: Int64s) -> Facts:
        """Facts of some of the windows, but of no times, templates and keys."""
        sizes = self.sizes[windows]
        bounds = np.concatenate(([0], np.cumsum(sizes)))
        at = np.arange(bounds[-1]) + np.repeat(self.bounds[windows] - bounds[:-1], sizes)
        none = np.empty(0)
        return Facts(
            bounds, self._sets[at], self._held, lambda: none, lambda: none.astype(np.int64), list
        )

    @property
    def _groups(self) -> dict[int, list[Int64s]]:
        """Where each predicate holds, in parts."""
        if self._grouped is None:
            self._grouped = {}
            self._group(self._grouped)
        return self._grouped

    def _group(self, groups: dict[int, list[Int64s]]) -> None:
        filled = np.flatnonzero(self._sets)
        if not len(filled):
            return
        codes = self._sets[filled]
        # numpy sorts numbers of 16 bits by counting
        few = codes.astype(np.uint16) if len(self._held) <= 1 << 16 else codes
        order = np.argsort(few, kind="stable")
        codes, filled = codes[order], filled[order]
        begin = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
        stops = [*begin[1:].tolist(), len(codes)]
        for at, stop in zip(begin.tolist(), stops, strict=True):
            for predicate in self._held[int(codes[at])]:
                groups.setdefault(predicate, []).append(filled[at:stop])

    @property
    def owner(self) -> Int64s:
        """The window of each line."""
        if self._owner is None:
            self._owner = np.repeat(np.arange(len(self), dtype=np.int64), self.sizes)
        return self._owner

    @property
    def times(self) -> Floats:
        """The lines' times."""
        if self._seconds is None:
            self._seconds = self._take_times()
        return self._seconds

    def places(self, line: Held) -> Int64s:
        """Where the lines stand for which a predicate holds, in order."""
        found = self._places.get(line.number)
        if found is None:
            groups = self._groups.get(line.number, [])
            found = groups[0] if len(groups) == 1 else np.sort(_concatenated(groups))
            self._places[line.number] = found
        if line.turned:
            mask = np.ones(len(self._sets), bool)
            mask[found] = False
            return np.flatnonzero(mask)
        return found

    def fact(self, fact: Fact) -> Any:
        """A fact of each window."""
        found = self._known.get(fact)
        if found is None:
            found = self._known[fact] = self._worked_out(fact)
        return found

    def _worked_out(self, fact: Fact) -> Any:
        match fact:
            case Length(low, high):
                begin, stop = self._part(low, high)
                return stop - begin
            case Count(Held() as line, low, high):
                return self._count(line, low, high)
            case Place(Held() as line, low, high, last):
                return self._place(line, low, high, last)
            case Followed(Held() as a, Held() as b, events):
                return self._followed(self.places(a), self.places(b), events)
            case FollowedIn(Held() as a, Held() as b, limit):
                return self._followed_in(self.places(a), self.places(b), limit)
            case Gap():
                return self._gap()
            case Distinct():
                pairs = np.unique((self.owner << 32) | self._templates())
                return np.bincount(pairs >> 32, minlength=len(self)).astype(np.int64)
            case At(Held() as line, index, missing):
                return self._at(line, index, missing)
            case Time(index):
                at, there = self._index(index)
                times = np.full(len(self), np.nan)
                times[there] = self.times[at[there]]
                return times
            case KeyIs(expr):
                test = closure(expr)
                return np.array([test(_Keyed(key)) for key in self._keys()], bool)
        raise AssertionError(f"{fact} has no numbers for its predicates")

    def _part(self, low: int | None, high: int | None) -> tuple[Int64s, Int64s]:
        """Where a slice of each window begins and stops, within the window."""
        sizes = self.sizes
        ends = []
        for end, default in ((low, np.zeros_like(sizes)), (high, sizes)):
            if end is None:
                ends.append(default)
            else:
                ends.append(np.clip(end + sizes if end < 0 else end, 0, sizes))
        begin, stop = ends
        return begin, np.maximum(begin, stop)

    def _within(self, line: Held, low: int | None, high: int | None) -> tuple[Int64s, Int64s]:
        """Places of a predicate within a slice: the windows, and the places within the slice."""
        at = self.places(line)
        owner = self.owner[at]
        begin, stop = self._part(low, high)
        within = at - self.bounds[:-1][owner]
        inside = (within >= begin[owner]) & (within < stop[owner])
        owner = owner[inside]
        return owner, within[inside] - begin[owner]

    def _count(self, line: Held, low: int | None, high: int | None) -> Int64s:
        held = self._counted(line.number, low, high)
        if not line.turned:
            return held
        sizes: Int64s = self.fact(Length(low, high))
        return sizes - held

    def _counted(self, number: int, low: int | None, high: int | None) -> Int64s:
        at = _concatenated(self._groups.get(number, []))
        owner = self.owner[at]
        if (low, high) != (None, None):
            begin, stop = self._part(low, high)
            within = at - self.bounds[:-1][owner]
            owner = owner[(within >= begin[owner]) & (within < stop[owner])]
        return np.bincount(owner, minlength=len(self)).astype(np.int64, copy=False)

    def _place(self, line: Held, low: int | None, high: int | None, last: bool) -> Int64s:
        owner, within = self._within(line, low, high)
        out = np.full(len(self), -1, np.int64)
        if last:
            out[owner] = within  # of equal indices the last one is kept
        else:
            out[owner[::-1]] = within[::-1]
        return out

    def _followed(self, a: Int64s, b: Int64s, events: int) -> NDArray[np.bool_]:
        out = np.ones(len(self), bool)
        if len(a):
            after = np.searchsorted(b, a, side="right")
            nearest = np.append(b, len(self._sets) + 1)[after]
            late = (nearest >= self.bounds[1:][self.owner[a]]) | (nearest - a > events)
            out[self.owner[a[late]]] = False
        return out

    def _followed_in(self, a: Int64s, b: Int64s, limit: float) -> NDArray[np.bool_]:
        out = np.ones(len(self), bool)
        if not len(a):
            return out
        times = self.times
        b = b[~np.isnan(times[b])]
        # The earliest time of a `b` from each one on in its window: ranks in place of times, and
        # windows that come later have larger numbers, so that one running minimum serves all.
        order = np.argsort(times[b], kind="stable")
        rank = np.empty(len(b), np.int64)
        rank[order] = np.arange(len(b))
        keys = self.owner[b] * max(len(b), 1) + rank
        least = np.minimum.accumulate(keys[::-1])[::-1]
        earliest = times[b][order][least - self.owner[b] * max(len(b), 1)]
        after = np.searchsorted(b, a, side="right")
        ends = np.append(b, len(self._sets))[after] >= self.bounds[1:][self.owner[a]]
        first = np.append(earliest, np.nan)[after]
        in_time = ~ends & (first - times[a] <= limit)
        out[self.owner[a[~in_time]]] = False
        return out

    def _gap(self) -> Floats:
        out = np.zeros(len(self))
        timed = np.flatnonzero(~np.isnan(self.times))
        owner, times = self.owner[timed], self.times[timed]
        same = owner[1:] == owner[:-1]
        owner, gaps = owner[1:][same], np.diff(times)[same]
        if len(gaps):
            begin = np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1])))
            out[owner[begin]] = np.maximum.reduceat(gaps, begin)
        return out

    def _index(self, index: int) -> tuple[Int64s, NDArray[np.bool_]]:
        """Where ``w.lines[index]`` stands, and whether it is there."""
        within = np.full(len(self), index) if index >= 0 else self.sizes + index
        return self.bounds[:-1] + within, (within >= 0) & (within < self.sizes)

    def _at(self, line: Held, index: int, missing: bool) -> NDArray[np.bool_]:
        holds = np.array([line.number in each for each in self._held], bool) ^ line.turned
        at, there = self._index(index)
        out = np.full(len(self), missing)
        out[there] = holds[self._sets[at[there]]]
        return out


def _concatenated(parts: Sequence[Int64s]) -> Int64s:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def value(node: Any, facts: Facts) -> Any:
    """The value of an expression over facts: a column, or one value for all windows."""
    match node:
        case Const(held):
            return held
        case And(parts):
            return reduce(operator.and_, (_bools(value(part, facts)) for part in parts))
        case Or(parts):
            return reduce(operator.or_, (_bools(value(part, facts)) for part in parts))
        case Not(part):
            return ~_bools(value(part, facts))
        case Neg(part):
            return -_number(value(part, facts))
        case Choice(test, yes, no):
            return np.where(_bools(value(test, facts)), value(yes, facts), value(no, facts))
        case Compare(op, a, b) | Arith(op, a, b):
            return _OPS[op](_number(value(a, facts)), _number(value(b, facts)))
        case Call("abs", (part,)):
            return abs(_number(value(part, facts)))
        case Call("ratio", (a, b)):
            return _ratio(_number(value(a, facts)), _number(value(b, facts)))
        case Call("min" | "max" as name, args):
            better = operator.lt if name == "min" else operator.gt
            values = [_number(value(arg, facts)) for arg in args]
            return reduce(lambda a, b: np.where(better(b, a), b, a), values)
    return facts.fact(node)


def _ratio(a: Any, b: Any) -> Any:
    """As `plain.ratio`; a divisor that is nan is no 0."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return np.where(b != 0, a / np.where(b != 0, b, 1.0), 0.0)


def _bools(given: Any) -> Any:
    return np.asarray(given, bool)


def _number(given: Any) -> Any:
    """Bools as whole numbers: columns of bools add up otherwise."""
    array = np.asarray(given)
    return array.astype(np.int64) if array.dtype == bool else array
