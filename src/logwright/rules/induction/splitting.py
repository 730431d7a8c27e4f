"""Splitting: conjunctions of thresholds on columns of numbers that tell one class from the others.

Like `covering`, it knows nothing of logs; but columns are numbers here, and every threshold that
history can tell from others is tried, as windows are few and each counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Split", "Splitter", "reliability"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_SAME = 1e-9
_LEAST_RIGHT, _LEAST_PRECISION = 2, 0.6
_MOST_PER_CLASS = 4
_OPPOSITE = 0.5
"""What "below" costs more than "at least": what is there says more than what is not."""


@dataclass(frozen=True, slots=True)
class Split:
    """One side of a threshold between the neighbouring values `low` and `high` of a column: `high`
    and more where `least`, otherwise `low` and less."""

    column: int
    low: float
    high: float
    least: bool

    def rows(self, values: Floats) -> Bools:
        """The rows of a matrix on this side."""
        of: Bools = values[:, self.column] >= self.high
        return of if self.least else ~of


def reliability(right: float, fired: float, prior: float, m: float = 1.0) -> float:
    """The share a rule is right, as if it had fired `m` more times and been right as often as
    anything is (the m-estimate of Cestnik, 1990).

    >>> reliability(3, 3, 0.2), reliability(0, 0, 0.2)
    (0.8, 0.2)
    """
    return (right + m * prior) / (fired + m)


class Splitter:
    """Conjunctions over a matrix of rows by columns (no nan; a nan row of a column is never told by
    it, so leave such columns out). `costs` tell how hard each column is to read.

    >>> values = np.array([[1.0], [2.0], [8.0], [9.0]])
    >>> told = np.array([False, False, True, True])
    >>> [split] = next(Splitter(values, np.zeros(1)).clauses(told, depth=2))
    >>> split.low, split.high, split.least
    (2.0, 8.0, True)
    """

    def __init__(self, values: Floats, costs: Floats) -> None:
        self._values, self._costs = values, costs
        self._order = np.argsort(values, axis=0, kind="stable")
        self._sorted = np.take_along_axis(values, self._order, axis=0)
        self._differ = self._sorted[1:] > self._sorted[:-1]
        logs = np.sign(self._sorted) * np.log1p(np.abs(self._sorted))
        self._room = logs[1:] - logs[:-1]

    def clauses(self, told: Bools, depth: int) -> Iterator[list[Split]]:
        """Conjunctions of at most `depth` splits for the rows of a class, each grown on what those
        before it left over, as long as they are right often enough."""
        left = told.copy()
        for _ in range(_MOST_PER_CLASS):
            if left.sum() < _LEAST_RIGHT:
                return
            clause, rows = self._grown(told, left, depth)
            right = int((rows & told).sum())
            if not clause or right < _LEAST_RIGHT or right < _LEAST_PRECISION * rows.sum():
                return
            yield clause
            if not (left & rows).any():
                return
            left &= ~rows

    def _grown(self, told: Bools, left: Bools, depth: int) -> tuple[list[Split], Bools]:
        prior = float(told.mean())
        rows, clause = np.ones(len(told), bool), list[Split]()
        current = prior
        for _ in range(depth):
            split = self._best(rows & left, rows & ~told)
            if split is None:
                break
            narrower = rows & split.rows(self._values)
            value = reliability(float((narrower & told).sum()), float(narrower.sum()), prior)
            if value <= current + _SAME:
                break
            clause.append(split)
            rows, current = narrower, value
        return clause, rows

    def _best(self, positive: Bools, negative: Bools) -> Split | None:
        """The split with the largest difference between the share of positives and the share of
        negatives it holds; of equal ones the easiest to read, then the one with most room."""
        p, n = int(positive.sum()), int(negative.sum())
        if not p or not n:
            return None
        signed = positive / p - negative / n
        below = np.cumsum(signed[self._order], axis=0)[:-1]
        worth = np.where(self._differ, np.abs(below), -1.0)
        top = float(worth.max(initial=-1.0))
        if top <= _SAME:
            return None
        near = np.argwhere(worth >= top - _SAME)
        least = below[near[:, 0], near[:, 1]] < 0
        cost = self._costs[near[:, 1]] + np.where(least, 0.0, _OPPOSITE)
        room = self._room[near[:, 0], near[:, 1]]
        at = int(np.lexsort((near[:, 1], -room, cost))[0])
        row, column = near[at].tolist()
        low, high = self._sorted[row : row + 2, column].tolist()
        return Split(column, low, high, bool(least[at]))
