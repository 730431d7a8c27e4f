"""ECVC: the distance of a window's event counts to the nearest count vector of history.

Landauer et al. (FSE 2024, "event count vector clustering") found it the strongest of the trivial
detectors. Two count vectors, each divided by its window's length, are as far apart as the sum of
their differences over the sum of their larger values: 0 for the same shares, 1 for nothing in
common. With `idf` an event weighs log10((1 + N) / n), where n of N windows of history hold it, and
1 where none does. `combined` adds what needs no distance: an event that history never held, or a
length outside history's range, counts as farther than any distance.

Measured on the distinct count vectors, against at most 4,096 of them, the most frequent ones of
history; what history held exactly is at distance 0 whether or not it is among them.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from logwright.bench.methods.base import Needs
from logwright.bench.methods.floors import Known
from logwright.bench.parts import Counted, Train
from logwright.detectors.base import Floats
from logwright.logs.batch import Int64s
from logwright.windows.window import Windows, mix

__all__ = ["Ecvc", "EventOrLength", "Nearest"]

_MOST_VECTORS = 4_096
_MOST_KNOWN = 5_000_000  # hashes of make-ups: 40 MB
_DIGITS = 12  # what sums in another order leave over must not decide between equal distances


class Nearest:
    """The distance to the nearest of some count vectors; `weights` by template, 1 from there on.

    >>> near = Nearest(np.array([[1, 1], [0, 4]]), np.ones(2))
    >>> near.distances(np.array([[3, 3, 0], [1, 3, 0], [0, 0, 1]])).round(3).tolist()
    [0.0, 0.4, 1.0]
    """

    def __init__(self, vectors: Int64s, weights: Floats) -> None:
        shares = vectors / np.maximum(vectors.sum(axis=1, keepdims=True), 1) * weights
        self._weights = weights
        self._columns = np.ascontiguousarray(shares.T)
        self._totals = shares.sum(axis=1)

    def distances(self, vectors: Int64s) -> Floats:
        """One distance per row; columns beyond those of history are of new templates."""
        out = np.ones(len(vectors))
        if not len(self._totals):
            return out
        sizes = np.maximum(vectors.sum(axis=1), 1)
        for i, row in enumerate(vectors):
            at = np.flatnonzero(row)
            share = row[at] / sizes[i]
            old = at < len(self._weights)
            mine = share[old] * self._weights[at[old]]
            # The larger values add up to both sums less the smaller ones, and those are 0 wherever
            # this window has nothing: only its own templates are looked at.
            both = np.minimum(self._columns[at[old]], mine[:, None]).sum(axis=0)
            larger = mine.sum() + share[~old].sum() + self._totals - both
            alike = np.divide(both, larger, out=np.ones_like(both), where=larger > 0)
            out[i] = 1.0 - alike.max()
        return np.maximum(out.round(_DIGITS), 0.0)


class EventOrLength:
    """An event that history never held, a length outside history's range, or either of them."""

    needs: Needs = "normal"
    natural: float | None = 1.0
    seeded = False

    def __init__(self, looks_at: Literal["event", "length", "event + length"]) -> None:
        self.name: str = looks_at
        self._event, self._length = "event" in looks_at, "length" in looks_at

    def fit(self, train: Train) -> None:
        """Learn the events and the range of lengths."""
        self._known = Known(train.windows)
        sizes = train.windows.sizes
        self._range = (int(sizes.min()), int(sizes.max())) if len(sizes) else (0, 0)

    def score(self, windows: Windows) -> Floats:
        """1 where there is something new, else 0."""
        flagged = np.zeros(len(windows), bool)
        if self._event:
            flagged |= self._known.records(windows) > 0
        if self._length:
            sizes = windows.sizes
            flagged |= (sizes < self._range[0]) | (sizes > self._range[1])
        return flagged.astype(np.float64)


class Ecvc:
    """Scores windows by the distance of their counts, 0 to 1; 1 to 2 where `combined` flags them.

    Without a `threshold` the runner takes one from validation, as for any other score.
    """

    needs: Needs = "normal"
    seeded = False

    def __init__(
        self, idf: bool = False, combined: bool = False, threshold: float | None = None
    ) -> None:
        self.name = "event + length + ECVC" if combined else "ECVC"
        self.name += ", idf" * idf
        self.natural = threshold
        self._idf = idf
        self._others = EventOrLength("event + length") if combined else None

    def fit(self, train: Train) -> None:
        """Learn the count vectors of history, and how many windows hold each event."""
        windows = train.windows
        width = int(windows.events.template.max(initial=-1)) + 1
        counted = Counted.of(windows, width)
        weights = np.ones(width)
        if self._idf:
            holding = ((counted.matrix > 0) * counted.times[:, None]).sum(axis=0)
            found = holding > 0
            weights[found] = np.log10((1 + len(windows)) / holding[found])
        frequent = np.argsort(-counted.times, kind="stable")
        self._nearest = Nearest(counted.matrix[np.sort(frequent[:_MOST_VECTORS])], weights)
        keys = _keys(counted.matrix)
        self._known = np.unique(keys[frequent[:_MOST_KNOWN]])
        if self._others is not None:
            self._others.fit(train)

    def score(self, windows: Windows) -> Floats:
        """The distance, and 1 more where an event or the length is new."""
        width = int(windows.events.template.max(initial=-1)) + 1
        counted = Counted.of(windows, width)
        distances = np.zeros(len(counted.matrix))
        new = np.isin(_keys(counted.matrix), self._known, invert=True)
        distances[new] = self._nearest.distances(counted.matrix[new])
        scores: Floats = distances[counted.inverse]
        if self._others is not None:
            scores = scores + self._others.score(windows)
        return scores


def _keys(vectors: Int64s) -> NDArray[np.uint64]:
    """A hash per count vector, whatever further columns of zeros it has."""
    hashes = mix(np.arange(1, vectors.shape[1] + 1, dtype=np.uint64))
    sums: NDArray[np.uint64] = vectors.astype(np.uint64) @ hashes
    return mix(sums)
