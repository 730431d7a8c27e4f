"""Isolation forest: F. Liu, K. Ting and Z. Zhou, ICDM 2008, on count vectors, as in loglizer.

100 trees of 256 windows each cut at random until every window is alone; what few cuts set apart
is anomalous. The score is the paper's, 2^(-mean path / expected path), by scikit-learn.

The paper needs no labels, and anomalies in history are what the trees learn to set apart: of normal
windows alone they learn little. The trees are grown on at most
100 * 256 windows drawn once without repetition, as no more could enter them anyhow.
A template that history never held is no column that a tree could cut, so this method does not see
it; nor does it see a count beyond history's as farther than the largest of history.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from logwright.bench.methods.base import Needs
from logwright.bench.methods.columns import counted, learner
from logwright.bench.parts import Train
from logwright.detectors.base import Floats
from logwright.windows.window import Windows

__all__ = ["IsolationForest"]

_TREES = 100
_SAMPLE = 256


class IsolationForest:
    """See the module. A higher score is more anomalous."""

    name = "isolation forest"
    natural: float | None = None
    seeded = True

    def __init__(self, needs: Needs = "nothing") -> None:
        self.needs: Needs = needs

    def fit(self, train: Train) -> None:
        """Grow the trees."""
        history = counted(train.windows, train.known)
        self._known = train.known
        windows = len(history.inverse)
        drawn = np.random.default_rng(train.seed).permutation(windows)[: _TREES * _SAMPLE]
        forest = learner("ensemble", "IsolationForest")
        self._forest: Any = forest(
            n_estimators=_TREES, max_samples=min(_SAMPLE, len(drawn)), random_state=train.seed
        )
        self._forest.fit(history.matrix[history.inverse[drawn]].astype(np.float32))

    def score(self, windows: Windows) -> Floats:
        """The anomaly score of the paper, above 0 and at most 1."""
        distinct = counted(windows, self._known)
        if not len(distinct.times):
            return np.empty(0)
        scores: Floats = -self._forest.score_samples(distinct.matrix.astype(np.float32))
        return scores[distinct.inverse]
