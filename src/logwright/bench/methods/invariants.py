"""Invariants mining: J. Lou et al., Mining Invariants from Console Logs, USENIX ATC 2010.

Linear relations between counts that 98 % of the windows of history keep, such as "as many files are
closed as opened". The score is the number of relations that a window breaks; one is an alarm.

Looked for: a n(A) = b n(B) with a, b from 1 to 3, and n(A) = n(B) + n(C); the shorter and the less
broken first, and only what does not follow from those found before. The paper goes on to more
terms, led by the null space of the count matrix; that is left out. Of more than 100 templates the
100 most widespread are taken.

The paper learns from all windows without labels. As in loglizer, a relation holds where none of its
templates occurs, so any two rare templates are related, and one of them without the other is an
alarm. A template that history never held is in no relation: this method does not see it unless
others lack their counterparts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logwright.bench.methods.base import Needs
from logwright.bench.methods.columns import counted
from logwright.bench.parts import Train
from logwright.detectors.base import Floats
from logwright.logs.batch import Int64s
from logwright.windows.window import Windows

__all__ = ["InvariantsMining"]

_BROKEN = 0.02
_MOST_TEMPLATES = 100
_RATIOS = ((1, 1), (1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2))


class InvariantsMining:
    """See the module. A higher score is more anomalous.

    >>> from logwright.bench.hdfs import EventIds
    >>> windows = Windows.of_sequences([[0, 1], [0, 1, 0, 1], [0, 0, 1, 1]])
    >>> mining = InvariantsMining()
    >>> mining.fit(Train(windows, None, windows, EventIds(2), None, 2))
    >>> mining.relations
    [{0: 1, 1: -1}]
    """

    natural: float | None = 1.0
    seeded = False

    def __init__(self, needs: Needs = "nothing") -> None:
        self.needs: Needs = needs
        self.name = "invariants" + ", normal history" * (needs == "normal")

    def fit(self, train: Train) -> None:
        """Find the relations."""
        history = counted(train.windows, train.known)
        self._known = train.known
        having = history.times @ (history.matrix > 0)
        columns = np.argsort(-having, kind="stable")[:_MOST_TEMPLATES]
        columns = columns[having[columns] > 0]
        found = _mine(history.matrix[:, columns], history.times)
        self._factors = np.zeros((train.known + 1, found.shape[1]), np.int64)
        self._factors[columns] = found

    @property
    def relations(self) -> list[dict[int, int]]:
        """What was found: factors by template, whose weighted counts sum to 0."""
        return [{int(at): int(one[at]) for at in np.flatnonzero(one)} for one in self._factors.T]

    def score(self, windows: Windows) -> Floats:
        """The number of relations that do not hold."""
        distinct = counted(windows, self._known)
        broken: Floats = (distinct.matrix @ self._factors != 0).sum(axis=1).astype(np.float64)
        return broken[distinct.inverse]


def _mine(matrix: Int64s, times: Int64s) -> Int64s:
    """The relations as columns of factors over the columns of `matrix`."""
    size = matrix.shape[1]
    allowed = _BROKEN * times.sum()
    here = (matrix > 0).astype(np.float64)
    having = times @ here
    both = (here * times[:, None]).T @ here
    without = having[:, None] - both  # windows with the first and not the second
    pairs: list[tuple[float, int, Int64s]] = []
    # a window with only one of two breaks any relation of theirs
    for a, b in np.argwhere(np.triu(without + without.T <= allowed, 1)).tolist():
        sums = [times[i * matrix[:, a] != j * matrix[:, b]].sum() for i, j in _RATIOS]
        best = int(np.argmin(sums))
        if sums[best] <= allowed:
            factors = np.zeros(size, np.int64)
            factors[[a, b]] = _RATIOS[best][0], -_RATIOS[best][1]
            pairs.append((float(sums[best]), len(pairs), factors))
    space = _Space(size)
    for _, _, factors in sorted(pairs, key=lambda pair: pair[:2]):
        space.add(factors)
    for a in range(size):
        fits = (without[:, a, None] <= allowed) & (without[:, a] <= allowed)
        fits &= without[a][:, None] - both[a] <= allowed
        fits[a] = fits[:, a] = False
        for b, c in np.argwhere(np.triu(fits & space.open_sums(a), 1)).tolist():
            factors = np.zeros(size, np.int64)
            factors[[a, b, c]] = 1, -1, -1
            if space.is_open(factors) and times[matrix @ factors != 0].sum() <= allowed:
                space.add(factors)
    return np.array(space.found, np.int64).reshape(-1, size).T


class _Space:
    """The relations found so far, and the projection onto what does not follow from them."""

    def __init__(self, size: int) -> None:
        self.found: list[Int64s] = []
        self._rest = np.eye(size)

    def is_open(self, factors: Int64s) -> bool:
        """Whether a relation does not follow from those found."""
        return bool(np.abs(self._rest @ factors).max() > 1e-6)

    def open_sums(self, a: int) -> NDArray[np.bool_]:
        """For which (b, c) n(a) = n(b) + n(c) does not follow: by the length of the projection."""
        rest, own = self._rest, np.diag(self._rest)
        length = own[a] + own[:, None] + own - 2 * rest[a][:, None] - 2 * rest[a] + 2 * rest
        result: NDArray[np.bool_] = length > 1e-9
        return result

    def add(self, factors: Int64s) -> None:
        """Take a relation in, unless it follows from those found."""
        if self.is_open(factors):
            self.found.append(factors)
            new = self._rest @ factors
            self._rest = self._rest - np.outer(new, new) / (new @ new)
