"""Nearest neighbour, as in LightAD: B. Yu et al., Deep Learning or Classical Machine Learning? An
Empirical Study on Log-Based Anomaly Detection, ICSE 2024.

The label of the nearest window of history (k = 1). Where the set has texts, distance is Jaccard's
between the sets of words of the windows' templates, words with a digit or without a letter left
out; else it is Euclid's between count vectors, as the paper has it for HDFS. The score is the share
of abnormal windows among all windows of history at the smallest distance; equal votes are an alarm.

The paper has labels by line and matches lines; here they are by window, so windows are matched.
A template that history never held brings its words; where the set has no texts all such templates
are one more column, in which every window of history has 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from logwright.bench.methods.base import Needs
from logwright.bench.methods.columns import counted
from logwright.bench.parts import Counted, Train
from logwright.detectors.base import Floats
from logwright.windows.window import Windows

__all__ = ["NearestNeighbour"]

_BLOCK = 256


class NearestNeighbour:
    """See the module. A higher score is more anomalous."""

    name = "nearest neighbour"
    needs: Needs = "labels"
    natural: float | None = 0.5
    seeded = False

    def fit(self, train: Train) -> None:
        """Keep the distinct windows of history, with the numbers of either label."""
        assert train.truth is not None, "this method learns from labels"
        self._words = None if train.texts is None else _Words(train.texts)
        self._columns = train.known if train.texts is None else len(train.texts)
        vectors, inverse = self._vectors(train.windows)
        self._history, at = np.unique(vectors, axis=0, return_inverse=True)
        at = at.ravel()[inverse]
        rows = len(self._history)
        self._windows = np.bincount(at, minlength=rows).astype(np.float64)
        self._abnormal = np.bincount(at, weights=train.truth, minlength=rows)

    def score(self, windows: Windows) -> Floats:
        """The share of abnormal windows among the nearest."""
        vectors, inverse = self._vectors(windows)
        wide = ((0, 0), (0, vectors.shape[1] - self._history.shape[1]))
        history = np.pad(self._history, wide)  # it holds no word that came up later
        distances = _euclid if self._words is None else _jaccard
        scores = np.empty(len(vectors))
        for start in range(0, len(vectors), _BLOCK):  # so that memory stays small
            block = slice(start, start + _BLOCK)
            distance = distances(vectors[block], history)
            nearest = (distance == distance.min(axis=1, keepdims=True)).astype(np.float64)
            scores[block] = (nearest @ self._abnormal) / (nearest @ self._windows)
        return scores[inverse]

    def _vectors(self, windows: Windows) -> tuple[Floats, NDArray[np.intp]]:
        """Distinct count vectors, or sets of words as 0 and 1, and the row of each window."""
        distinct: Counted = counted(windows, self._columns)
        if self._words is None:
            return distinct.matrix.astype(np.float64), distinct.inverse
        held = np.flatnonzero(distinct.matrix.any(axis=0))
        words = self._words.rows(held.tolist())
        here = (distinct.matrix[:, held] > 0).astype(np.float32) @ words
        return (here > 0).astype(np.float64), distinct.inverse


class _Words:
    """The words of templates as columns, in order of first sight; the first is that of templates
    without text. A text is read when a window holds it: some are of the test part.

    >>> words = _Words(["disk full", "disk 0x1f :"])
    >>> words.rows([1, 2]).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    >>> words.rows([0]).tolist()
    [[0.0, 1.0, 1.0]]
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = texts
        self._place = {"": 0}  # no word is empty
        self._of: dict[int, list[int]] = {}

    def rows(self, templates: Sequence[int]) -> NDArray[np.float32]:
        """One row per template, one column per word that has come up so far."""
        columns = [self._columns(template) for template in templates]
        matrix = np.zeros((len(columns), len(self._place)), np.float32)
        for row, mine in enumerate(columns):
            matrix[row, mine] = 1
        return matrix

    def _columns(self, template: int) -> list[int]:
        if template not in self._of:
            held = template < len(self._texts)
            words = filter(_counts, self._texts[template].split()) if held else [""]
            self._of[template] = [self._place.setdefault(word, len(self._place)) for word in words]
        return self._of[template]


def _counts(word: str) -> bool:
    return any(c.isalpha() for c in word) and not any(c.isdigit() for c in word)


def _euclid(left: Floats, right: Floats) -> Floats:
    """Squared distances, exact as counts are whole numbers.

    >>> _euclid(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 0.0]])).tolist()
    [[4.0, 5.0]]
    """
    squares: Floats = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)
    return squares - 2 * (left @ right.T)


def _jaccard(left: Floats, right: Floats) -> Floats:
    """1 - shared / all words; two empty sets are alike.

    >>> _jaccard(np.array([[1.0, 1.0]]), np.array([[1.0, 0.0], [1.0, 1.0]])).tolist()
    [[0.5, 0.0]]
    """
    shared = left @ right.T
    either = left.sum(axis=1)[:, None] + right.sum(axis=1) - shared
    return np.where(either > 0, 1 - shared / np.maximum(either, 1), 0.0)
