"""Candidates: the conditions that a search may choose from, over distinct windows.

Windows that hold the same templates equally often (sessions also: first seen in the same order,
ending alike) are one case, so that a million sessions are some thousand rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int64s
from logwright.rules.induction.predicates import Condition
from logwright.rules.induction.probes import Probe
from logwright.rules.induction.sightings import Sightings
from logwright.rules.induction.signs import Sign, own_signs, shared_signs
from logwright.rules.induction.values import Messages, Values, sampled
from logwright.windows.window import UInt64s, Windows, mix, pair_hash

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

__all__ = ["Candidates", "Cases", "cases_of", "marks_of"]

Bools = NDArray[np.bool_]

_TIMES = (2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100)
_LENGTHS = (2, 3, 5, 8, 10, 15, 20, 30, 50, 75, 100, 200, 500)
_USUAL = 0.8
"""Share of windows from which on a relation of two templates is the usual one, so that its breach
means something."""

_GAPS = (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
_OPAQUE = 1
"""What it costs more to read a template's id, which says nothing, where others can be told by their
words."""

_COUNTED, _COMPARED, _SHARED = 200, 40, 2000
"""Templates that are counted, that are compared in pairs, and shared signs, the commonest first."""


@dataclass(frozen=True, slots=True)
class Cases:
    """Distinct windows: `first` is one window of each, `of` the case of every window."""

    first: Int64s
    of: Int64s

    def __len__(self) -> int:
        return len(self.first)

    def weights(self, which: Bools) -> NDArray[np.float64]:
        """How many of the chosen windows each case stands for."""
        return np.bincount(self.of[which], minlength=len(self)).astype(np.float64)


def cases_of(windows: Windows, marks: UInt64s | None = None) -> Cases:
    """The distinct windows; `marks`, of each window, differ where more than templates does.

    >>> cases = cases_of(Windows.of_sequences([[0, 1], [0, 1], [1, 0]]))
    >>> len(cases), cases.of.tolist()[:2] == cases.of.tolist()[1:]
    (2, False)
    """
    owner, template, number = windows.counts()
    keys = pair_hash(template.astype(np.uint64), number.astype(np.uint64))
    total = _summed(keys, owner, len(windows))
    if windows.kind == "session":
        total = pair_hash(total, _order(windows, owner, template))
    if marks is not None:
        total = pair_hash(total, marks)
    _, first, of = np.unique(total, return_index=True, return_inverse=True)
    return Cases(first.astype(np.int64), of.astype(np.int64))


def marks_of(windows: Windows, values: Values, probes: Sequence[Probe]) -> UInt64s:
    """Numbers that differ where windows hold other values for which one of the probes holds."""
    total = np.zeros(len(windows), np.uint64)
    owner, rows = windows.owner, windows.events.row
    for probe in probes:
        total = pair_hash(total, _summed(values.marks(probe, rows), owner, len(windows)))
    return total


def _summed(keys: UInt64s, owner: Int64s, n: int) -> UInt64s:
    """The sum of keys per window; `owner` is sorted."""
    with np.errstate(over="ignore"):
        sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(keys, dtype=np.uint64)))
        ends = np.searchsorted(owner, np.arange(n + 1))
        return sums[ends[1:]] - sums[ends[:-1]]


def _order(windows: Windows, owner: Int64s, template: NDArray[np.int32]) -> UInt64s:
    """A number for the order in which each window's templates are first seen, and its last one."""
    events = windows.events.template
    pairs = (windows.owner << 32) | events.astype(np.int64)
    _, seen = np.unique(pairs, return_index=True)  # in the order of `owner`, `template`
    by = np.lexsort((seen, owner))
    starts = np.searchsorted(owner, owner)
    rank = np.empty(len(owner), np.int64)
    rank[by] = np.arange(len(owner)) - starts
    keys = pair_hash(template.astype(np.uint64), mix(rank.astype(np.uint64)))
    total = _summed(keys, owner, len(windows))
    ends = np.full(len(windows), -1, np.int64)
    held = windows.sizes > 0
    ends[held] = events[windows.bounds[1:][held] - 1]
    return pair_hash(total, ends.astype(np.uint64))


class Candidates:
    """Conditions and the matrix of cases by conditions. `occurred` are the templates of history: no
    other names a sign, or tells one from others. Of `probes` the cases must know (`marks_of`);
    `messages` are what records hold, by their rows."""

    def __init__(
        self,
        windows: Windows,
        texts: Sequence[str] | None,
        ids: Sequence[str],
        cases: Cases,
        values: Values | None = None,
        probes: Sequence[Probe] = (),
        messages: Messages | None = None,
    ) -> None:
        mask = np.zeros(len(windows), bool)
        mask[cases.first] = True
        order = np.argsort(np.argsort(cases.first))
        # `select` keeps the order of windows; rows are those of the cases.
        self._rows = order
        self.table = Sightings(windows.select(mask), texts, ids, values)
        self._probes = probes
        self.cases = cases
        weight = np.bincount(cases.of, minlength=len(cases)).astype(np.float64)
        self._weight = np.empty(len(cases))
        self._weight[order] = weight
        occurred = np.unique(windows.events.template)
        known = occurred.tolist()
        held = None if texts is None else [texts[t] for t in known]
        self._worded = held is not None
        lines = None if messages is None else lambda i: sampled(windows, messages, known[i])
        signs = own_signs(held, [ids[t] for t in known], lines)
        self.own: dict[int, Sign] = dict(zip(known, signs, strict=True))
        shared = shared_signs(held) if held is not None else {}
        for template, sign in self.own.items():
            self.table.tell(sign, [template])
        for of, sign in shared.items():
            self.table.tell(sign, [known[i] for i in of])
        # Those of the most templates first: there is a limit to how many are tried.
        ordered = sorted(shared.items(), key=lambda pair: (-len(pair[0]), pair[1].of))
        self.shared = [sign for _, sign in ordered]
        self.conditions: list[Condition] = []
        self.matrix = self._matrix()

    @property
    def costs(self) -> NDArray[np.float64]:
        """How hard to read the conditions (row 0) and their opposites (row 1) are. Opposites cost
        infinitely much, and are not used, in stretches of lines cut anywhere: only in a session
        does it say something that a line is absent."""
        opposites = [c.turned() for c in self.conditions]
        both = [[self._cost(c) for c in each] for each in (self.conditions, opposites)]
        costs = np.array(both, np.float64).reshape(2, len(self.conditions))
        if self.table.windows.kind != "session":
            costs[1] = np.inf
        return costs

    def _cost(self, condition: Condition) -> float:
        sign = condition.a
        opaque = self._worded and isinstance(sign, Sign) and sign.kind == "template"
        return condition.cost + _OPAQUE * opaque

    def _matrix(self) -> csc_matrix:
        from scipy.sparse import csc_matrix

        rows: list[NDArray[np.intp]] = []
        places: dict[bytes, int] = {}
        for condition, column in self._columns():
            at = np.flatnonzero(column[self._rows])
            if not 0 < len(at) < len(self.cases):
                continue
            same = places.setdefault(blake2b(at.tobytes(), digest_size=16).digest(), len(rows))
            if same == len(rows):
                self.conditions.append(condition)
                rows.append(at)
            elif self._cost(condition) < self._cost(self.conditions[same]):
                self.conditions[same] = condition
        starts = np.cumsum([0, *map(len, rows)])
        indices = np.concatenate(rows) if rows else np.empty(0, np.intp)
        ones = np.ones(len(indices), bool)
        return csc_matrix((ones, indices, starts), shape=(len(self.cases), len(rows)))

    def _columns(self) -> Iterator[tuple[Condition, Bools]]:
        table = self.table
        common = self._commonest()
        sizes = table.windows.sizes
        if table.windows.kind != "count":
            for k in _LENGTHS:
                yield Condition("length", k=k), sizes >= k
        if not np.isnan(table.seconds).all():
            for k in _GAPS:
                yield Condition("gap", k=k), table.gaps >= k
        for sign in [*self.own.values(), *self.shared[:_SHARED]]:
            count = table.count(sign)
            yield Condition("has", sign), count >= 1
            yield Condition("only", sign), count == sizes
        for probe in self._probes:
            count = table.count(probe)
            yield Condition("has", probe), count >= 1
            for k in _TIMES:
                yield Condition("count", probe, k=k), count >= k
        for template in common[:_COUNTED]:
            sign = self.own[template]
            count = table.count(sign)
            for k in _TIMES:
                yield Condition("count", sign, k=k), count >= k
        if table.windows.kind == "session":
            yield from self._pairs(common[:_COMPARED])

    def _commonest(self) -> list[int]:
        _, template, _ = self.table.windows.counts()
        number = np.bincount(template, minlength=max(self.own, default=0) + 1)
        return sorted(self.own, key=lambda t: -int(number[t]))

    def _pairs(self, templates: Sequence[int]) -> Iterator[tuple[Condition, Bools]]:
        table = self.table
        signs = [self.own[t] for t in templates]
        for sign in signs:
            yield Condition("opens", sign), table.edge(sign, last=False)
            yield Condition("closes", sign), table.edge(sign, last=True)
        counts = [table.count(sign) for sign in signs]
        firsts = [table.first(sign) for sign in signs]
        for i, a in enumerate(signs):
            for j, b in enumerate(signs):
                if i == j:
                    continue
                either = (counts[i] > 0) | (counts[j] > 0)
                both = (counts[i] > 0) & (counts[j] > 0)
                if i < j and self._mostly(counts[i] == counts[j], either):
                    yield Condition("differ", a, b), counts[i] != counts[j]
                elif self._mostly(counts[i] <= counts[j], either) and self._mostly(both, either):
                    yield Condition("more", a, b), counts[i] > counts[j]
                if self._mostly(firsts[i] < firsts[j], both):
                    yield Condition("before", b, a), both & (firsts[j] < firsts[i])

    def _mostly(self, holds: Bools, among: Bools) -> bool:
        """Whether a relation is the usual one: in most windows that could break it."""
        every = float(self._weight[among].sum())
        return every > 0 and float(self._weight[among & holds].sum()) >= _USUAL * every
