"""Random forest on count vectors: L. Breiman, Machine Learning 2001, with trees by scikit-learn.

100 trees, each grown to the end on as many windows as history has, drawn with repetition, with the
square root of the columns tried at each cut; classes not balanced (scikit-learn's defaults, as
LogLead runs it on logs). The score is the mean of the trees' shares of abnormal windows.

The draw is made of windows here, as numbers of each distinct vector: scikit-learn's own draws
distinct vectors, or windows, by its version. A template that history never held is not seen.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from logwright.bench.methods.base import Needs
from logwright.bench.methods.columns import counted, labelled, learner, probability
from logwright.bench.parts import Train
from logwright.detectors.base import Floats
from logwright.windows.window import Windows

__all__ = ["RandomForest"]

_TREES = 100


class RandomForest:
    """See the module. A higher score is more anomalous."""

    name = "random forest"
    needs: Needs = "labels"
    natural: float | None = 0.5
    seeded = True

    def fit(self, train: Train) -> None:
        """Grow the trees."""
        matrix, truth, times = labelled(train)
        self._known = train.known
        matrix32 = matrix.astype(np.float32)  # what scikit-learn turns it into for every tree
        tree = learner("tree", "DecisionTreeClassifier")
        random = np.random.default_rng(train.seed)
        self._trees: list[Any] = []
        for _ in range(_TREES):
            drawn = random.multinomial(times.sum(), times / times.sum())
            at = np.flatnonzero(drawn)
            grown = tree(max_features="sqrt", random_state=int(random.integers(2**31)))
            self._trees.append(grown.fit(matrix32[at], truth[at], sample_weight=drawn[at]))

    def score(self, windows: Windows) -> Floats:
        """The mean over the trees of the share of abnormal windows in the leaf."""
        distinct = counted(windows, self._known)
        if not len(distinct.times):
            return np.empty(0)
        matrix = distinct.matrix.astype(np.float32)
        total = np.sum([probability(tree, matrix) for tree in self._trees], axis=0)
        mean: Floats = total / _TREES
        return mean[distinct.inverse]
