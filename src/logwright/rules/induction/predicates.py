"""Predicates: conditions on a window, evaluated as columns over many windows and written as source.

What a condition says of windows as `Sightings` is what its source says of each in the language (a
test runs both).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from logwright.rules.induction.probes import Probe
from logwright.rules.induction.sightings import Seen, Sightings
from logwright.rules.induction.signs import Sign

__all__ = ["Condition", "Kind", "Names", "counting", "placing"]

Bools = NDArray[np.bool_]
Names = Mapping[tuple[Seen, Literal["count", "first"]], str]
Kind = Literal[
    "has", "only", "count", "length", "opens", "closes", "more", "differ", "before",
    "followed", "soon", "gap",
]  # fmt: skip

_COST = {
    "has": 0, "only": 1, "count": 1, "opens": 2, "closes": 2, "length": 2,
    "differ": 3, "more": 3, "before": 4, "followed": 4, "soon": 4, "gap": 2,
}  # fmt: skip
_NO_SIGN = Sign("phrase", "")
_NEGATED, _AT_MOST = 0.5, 2.5
"""What an opposite costs more. "Fewer than 5" says less of what is wrong than anything else, and
holds only until a program is configured anew: it is the last choice."""

_VALUE = 1
"""What it costs more to read a value than to read words."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison over a window; `wanted` False turns it round.

    has: a line has the sign. only: all lines have it. count: at least `k` lines have it. length: at
    least `k` lines. opens, closes: the first, the last line has it. more: more lines have `a` than
    `b`; differ: not as many. before: both are there, `a` first. followed: each line that has `a` is
    followed by one that has `b` within `k` lines; soon: within `k` seconds. gap: at least `k`
    seconds between two neighbouring lines.

    >>> condition = Condition("count", Sign("phrase", "ok"), k=2)
    >>> condition.source({}), condition.turned().source({})
    ('sum(phrase(line.text, "ok") for line in w.lines) >= 2', \
'sum(phrase(line.text, "ok") for line in w.lines) < 2')
    """

    kind: Kind
    a: Seen = _NO_SIGN
    b: Seen | None = None
    k: int = 0
    wanted: bool = True

    def turned(self) -> Condition:
        """The opposite condition."""
        return replace(self, wanted=not self.wanted)

    @property
    def cost(self) -> float:
        """How hard it is to read: presence is easier than order."""
        cost = _COST[self.kind] + _VALUE * isinstance(self.a, Probe)
        if self.wanted:
            return float(cost)
        return cost + (_AT_MOST if self.kind in ("count", "length", "gap") else _NEGATED)

    @property
    def counted(self) -> tuple[Seen, ...]:
        """The signs whose lines are counted."""
        if self.kind in ("more", "differ"):
            assert self.b is not None
            return self.a, self.b
        return (self.a,) if self.kind == "count" else ()

    def holds(self, table: Sightings) -> Bools:
        """Whether it holds, per window."""
        found = self._raw(table)
        return found if self.wanted else ~found

    def _raw(self, table: Sightings) -> Bools:
        kind, a, b = self.kind, self.a, self.b
        found: Bools
        if kind == "length":
            found = table.windows.sizes >= self.k
        elif kind == "gap":
            found = table.gaps >= self.k
        elif kind in ("opens", "closes"):
            found = table.edge(a, kind == "closes")
        elif kind == "only":
            found = table.count(a) == table.windows.sizes
        elif b is None:
            found = table.count(a) >= (self.k if kind == "count" else 1)
        elif kind == "before":
            first, second = table.first(a), table.first(b)
            found = (first >= 0) & (first < second)
        elif kind in ("followed", "soon"):
            owner, far = (table.distance if kind == "followed" else table.delay)(a, b)
            found = np.ones(len(table), bool)
            found[owner[far > self.k]] = False
        else:
            left, right = table.count(a), table.count(b)
            found = left > right if kind == "more" else left != right
        return found

    @property
    def placed(self) -> tuple[Seen, ...]:
        """The signs whose first lines are looked for."""
        return () if self.kind != "before" or self.b is None else (self.a, self.b)

    def source(self, names: Names) -> str:
        """The condition in the language, on `w`; `names` are variables that hold counts, and places
        of first lines."""
        kind, a = self.kind, self.a
        if kind in ("has", "opens", "closes"):
            if kind == "has" and (a, "count") in names:
                return f"{names[a, 'count']} {'>= 1' if self.wanted else '== 0'}"
            where = {"has": "w.lines", "opens": "w.lines[:1]", "closes": "w.lines[-1:]"}[kind]
            found = f"any({a.source} for line in {where})"
            return found if self.wanted else f"not {found}"
        if kind == "only":
            found = f"all({a.source} for line in w.lines)"
            return found if self.wanted else f"not {found}"
        if kind == "length":
            return f"len(w.lines) {'>=' if self.wanted else '<'} {self.k}"
        if kind == "gap":
            return f"longest_gap(w) {'>=' if self.wanted else '<'} {self.k}"
        if kind == "count":
            return f"{_counted(a, names)} {'>=' if self.wanted else '<'} {self.k}"
        assert self.b is not None
        if kind == "before":
            first, second = _first(a, names), _first(self.b, names)
            if self.wanted:
                return f"{first} >= 0 and {first} < {second}"
            return f"({first} < 0 or {first} >= {second})"
        if kind in ("followed", "soon"):
            found = _followed(a, self.b, self.k, kind == "soon")
            return found if self.wanted else f"not {found}"
        op = {"more": (">", "<="), "differ": ("!=", "==")}[kind][not self.wanted]
        return f"{_counted(a, names)} {op} {_counted(self.b, names)}"

    @property
    def told(self) -> str:
        """The condition in words."""
        kind, a, k = self.kind, self.a.told, self.k
        yes = self.wanted
        if kind == "has":
            return f"a line has {a}" if yes else f"no line has {a}"
        if kind == "only":
            return f"all lines have {a}" if yes else f"not all lines have {a}"
        if kind == "length":
            return f"at least {k} lines" if yes else f"fewer than {k} lines"
        if kind == "gap":
            seconds = "1 second" if k == 1 else f"{k} seconds"
            return f"{'a' if yes else 'no'} gap of {seconds} or more between lines"
        if kind == "count":
            return f"at least {k} lines have {a}" if yes else f"fewer than {k} lines have {a}"
        if kind in ("opens", "closes"):
            which = "first" if kind == "opens" else "last"
            return f"the {which} line {'has' if yes else 'does not have'} {a}"
        assert self.b is not None
        b = self.b.told
        if kind == "before":
            return f"{a} comes before {b}" if yes else f"{a} does not come before {b}"
        if kind in ("followed", "soon"):
            unit = "line" if kind == "followed" else "second"
            within = f"within {k} {unit}{'' if k == 1 else 's'}"
            return f"{a} is {'always' if yes else 'not always'} followed by {b} {within}"
        if kind == "more":
            return f"more lines have {a} than {b}" if yes else f"no more lines have {a} than {b}"
        return f"{a} and {b} differ in number" if yes else f"as many lines have {a} as {b}"


def _counted(sign: Seen, names: Names) -> str:
    return names.get((sign, "count")) or counting(sign)


def _first(sign: Seen, names: Names) -> str:
    return names.get((sign, "first")) or placing(sign)


def counting(sign: Seen) -> str:
    """How many lines have a sign, in the language."""
    return f"sum({sign.source} for line in w.lines)"


def placing(sign: Seen) -> str:
    """Where the first line that has a sign stands, in the language."""
    return f"first({sign.source} for line in w.lines)"


def _followed(a: Seen, b: Seen, k: int, timed: bool) -> str:
    first, second = (f"[{sign.source} for line in w.lines]" for sign in (a, b))
    if timed:
        return f"followed_in(w, {first}, {second}, seconds={k})"
    return f"followed({first}, {second}, events={k})"
