"""Covering: conjunctions found one after the other, each of which tells positives that those before
it left over (RIPPER-like: grow by information gain, prune on the validation slice, accept within
bounds, then leave out what the others cover).

It knows nothing of logs: rows are distinct cases with weights, columns are conditions. A condition
and its opposite are one column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

__all__ = ["Bounds", "Clause", "Cover", "Weights"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Literal_ = tuple[int, bool]

_NEARLY = 0.98
"""A gain this near to the best is as good, and the condition that is easier to read is taken."""

_LEVELS = (0.99, 0.97)
"""Precisions that are tried before the lowest one, so that what can be told well is told well."""

_FAILS, _MORE = 8, 3
"""Clauses in a row of search that are refused, and times as many clauses as may be kept, before it
ends."""

_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a clause must keep to: `precision` on train and validation together, `support`
    (positives it tells, by weight), `cases` (distinct ones), `conditions` and `rules` at most."""

    precision: float = 0.9
    support: float = 2.0
    cases: int = 2
    conditions: int = 5
    rules: int = 40


@dataclass(frozen=True, slots=True)
class Weights:
    """How many positives and negatives stand behind each case."""

    positive: Floats
    negative: Floats

    def __add__(self, other: Weights) -> Weights:
        return Weights(self.positive + other.positive, self.negative + other.negative)

    def damped(self, power: float) -> Weights:
        """Each case with its weight to a power: how often a form came says little of how often it
        will come, that it came at all says much."""
        total = self.positive + self.negative
        scale = np.where(total > 0, np.maximum(total, 1.0) ** (power - 1.0), 0.0)
        return Weights(self.positive * scale, self.negative * scale)

    def of(self, rows: Bools) -> tuple[float, float]:
        """Positives and negatives in some rows."""
        return float(self.positive[rows].sum()), float(self.negative[rows].sum())


@dataclass(slots=True)
class Clause:
    """Columns with the value wanted of each; `rows` are the cases for which all hold."""

    literals: list[Literal_]
    rows: Bools = field(repr=False)


class Cover:
    """Clauses for positives, over a sparse matrix of cases by conditions.

    `costs` tell how hard each condition (row 0) and its opposite (row 1) are to read; what costs
    infinitely much is not used.

    >>> from scipy.sparse import csc_matrix
    >>> matrix = csc_matrix(np.array([[1, 1], [1, 0], [0, 1]], bool))
    >>> train = Weights(np.array([9.0, 0.0, 0.0]), np.array([0.0, 5.0, 5.0]))
    >>> cover = Cover(matrix, np.zeros((2, 2)), Bounds(cases=1))
    >>> [clause.literals for clause in cover.clauses(train, Weights(np.zeros(3), np.zeros(3)))]
    [[(0, True), (1, True)]]
    """

    def __init__(self, matrix: csc_matrix, costs: Floats, bounds: Bounds) -> None:
        self.matrix = matrix
        self._by_row = matrix.tocsr().astype(np.float64)
        self._costs, self.bounds = costs, bounds

    def column(self, literal: Literal_) -> Bools:
        """The rows for which a condition has the value wanted."""
        at, wanted = literal
        found = np.full(self.matrix.shape[0], not wanted)
        found[self.matrix.indices[self.matrix.indptr[at] : self.matrix.indptr[at + 1]]] = wanted
        return found

    def clauses(self, train: Weights, check: Weights) -> list[Clause]:
        """Clauses that tell positives: those of train, pruned on `check` (the validation slice),
        and those of what is left over in both; without those that the others make needless."""
        both = train + check
        found: list[Clause] = []
        for precision in sorted({*_LEVELS, self.bounds.precision}, reverse=True):
            if precision >= self.bounds.precision:
                strict = replace(self.bounds, precision=precision)
                found = self._search(train, check, both, found, strict)
                found = self._search(both, None, both, found, strict)
        return self.thinned(found, both)

    def _search(
        self,
        grow: Weights,
        check: Weights | None,
        both: Weights,
        found: list[Clause],
        bounds: Bounds,
    ) -> list[Clause]:
        covered = np.zeros(len(grow.positive), bool)
        for clause in found:
            covered |= clause.rows
        left = np.where(covered, 0.0, grow.positive)
        found, fails, most = list(found), 0, _MORE * bounds.rules
        against = self._sums(grow.negative)
        while left.sum() >= bounds.support and fails < _FAILS and len(found) < most:
            grown = self._grown(Weights(left, grow.negative), against)
            if grown is None:
                break
            clause = grown if check is None else self._pruned(grown, check, both, bounds)
            if accepts(clause.rows, both, np.where(covered, 0.0, both.positive), bounds):
                found.append(clause)
                covered |= clause.rows
            else:
                fails += 1
            left = np.where(clause.rows, 0.0, left)
        return found

    def _sums(self, weights: Floats) -> Floats:
        """The weight of the cases for which each condition holds."""
        at = np.flatnonzero(weights)
        sums: Floats = self._by_row[at].T @ weights[at]
        return sums

    def _grown(self, weights: Weights, against: Floats) -> Clause | None:
        """A clause for some positives; `against` are the sums of all negatives."""
        rows = np.ones(len(weights.positive), bool)
        literals: list[Literal_] = []
        while len(literals) < self.bounds.conditions:
            p0, n0 = weights.of(rows)
            if n0 <= _EPSILON or p0 <= _EPSILON:
                break
            p = self._sums(np.where(rows, weights.positive, 0.0))
            n = self._sums(np.where(rows, weights.negative, 0.0)) if literals else against
            best = self._best(p, n, p0, n0)
            if best is None:
                break
            literals.append(best)
            rows = rows & self.column(best)
        return Clause(literals, rows) if literals else None

    def _best(self, p: Floats, n: Floats, p0: float, n0: float) -> Literal_ | None:
        """The condition of the largest gain (FOIL): positives kept times bits gained on each."""
        gains = np.concatenate((_gain(p, n, p0, n0), _gain(p0 - p, n0 - n, p0, n0)))
        gains[np.isinf(self._costs.ravel())] = 0.0
        top = float(gains.max(initial=0.0))
        if top <= _EPSILON:
            return None
        near = np.flatnonzero(gains >= _NEARLY * top)
        costs = self._costs.ravel()[near]
        at = int(near[np.lexsort((-gains[near], costs))[0]])
        half = self._costs.shape[1]
        return (at, True) if at < half else (at - half, False)

    def _pruned(self, clause: Clause, check: Weights, both: Weights, bounds: Bounds) -> Clause:
        """Without the conditions that do not pay on the validation slice, within the bounds."""
        best, worth = clause, self._worth(clause.rows, check)
        while len(best.literals) > 1:
            shorter = []
            for at in range(len(best.literals)):
                literals = best.literals[:at] + best.literals[at + 1 :]
                rows = self._rows(literals)
                more = rows & ~best.rows
                if all(_pays(more, weights, bounds) for weights in (both, check)):
                    shorter.append((self._worth(rows, check), Clause(literals, rows)))
            if not shorter:
                break
            value, candidate = max(shorter, key=lambda pair: pair[0])
            if value < worth:
                break
            best, worth = candidate, value
        return best

    def _rows(self, literals: Sequence[Literal_]) -> Bools:
        rows = np.ones(self.matrix.shape[0], bool)
        for literal in literals:
            rows &= self.column(literal)
        return rows

    @staticmethod
    def _worth(rows: Bools, check: Weights) -> float:
        p, n = check.of(rows)
        return (p - n) / (p + n) if p + n else 0.0

    def thinned(self, found: Sequence[Clause], both: Weights) -> list[Clause]:
        """Without the clauses of which what they alone tell does not pay, the least precise first;
        of more than allowed, those that tell most."""
        kept = sorted(found, key=lambda c: (_precision(c.rows, both), both.of(c.rows)[0]))
        times = sum((c.rows.astype(np.int64) for c in kept), np.zeros(len(both.positive), np.int64))
        for clause in list(kept):
            alone = clause.rows & (times == 1)
            p, _ = both.of(alone)
            if p < self.bounds.support or not _pays(alone, both, self.bounds):
                kept.remove(clause)
                times = times - clause.rows
        chosen: list[Clause] = []
        left = both.positive.copy()
        while kept and len(chosen) < self.bounds.rules:
            at = int(np.argmax([float(left[c.rows].sum()) for c in kept]))
            chosen.append(kept.pop(at))
            left[chosen[-1].rows] = 0.0
        return chosen


def _precision(rows: Bools, weights: Weights) -> float:
    p, n = weights.of(rows)
    return p / (p + n) if p + n else 0.0


def _gain(p: Floats, n: Floats, p0: float, n0: float) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        bits = np.log2(np.maximum(p, _EPSILON) / np.maximum(p + n, _EPSILON))
    before = np.log2(p0 / (p0 + n0))
    gains: Floats = np.where(p > _EPSILON, p * (bits - before), 0.0)
    return gains


def accepts(rows: Bools, both: Weights, fresh: Floats, bounds: Bounds) -> bool:
    """Whether a clause keeps to the bounds; `fresh` are positives that no other tells."""
    if float(fresh[rows].sum()) < bounds.support:
        return False
    cases = int(np.count_nonzero(rows & (both.positive > 0)))
    return cases >= bounds.cases and _pays(rows, both, bounds)


def _pays(rows: Bools, weights: Weights, bounds: Bounds) -> bool:
    """Whether what is told of some rows is right often enough."""
    p, n = weights.of(rows)
    return p >= bounds.precision * (p + n)
