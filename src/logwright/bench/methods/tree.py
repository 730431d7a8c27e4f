"""Decision tree on count vectors: CART (L. Breiman et al., 1984), by scikit-learn.

As in loglizer (S. He et al., ISSRE 2016) and LightAD (B. Yu et al., ICSE 2024): Gini impurity,
grown to the end, classes not balanced. The score is the share of abnormal windows in the leaf.
Distinct vectors carry their numbers as weights, which gives the tree of all windows.
A template that history never held is no column that the tree could ask about: it does not see it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from logwright.bench.methods.base import Needs
from logwright.bench.methods.columns import counted, labelled, learner, probability
from logwright.bench.parts import Train
from logwright.detectors.base import Floats
from logwright.windows.window import Windows

__all__ = ["DecisionTree"]


class DecisionTree:
    """See the module. A higher score is more anomalous."""

    name = "decision tree"
    needs: Needs = "labels"
    natural: float | None = 0.5
    seeded = True

    def fit(self, train: Train) -> None:
        """Grow the tree; the seed decides between cuts that are equally good."""
        matrix, truth, times = labelled(train)
        self._known = train.known
        self._tree: Any = learner("tree", "DecisionTreeClassifier")(random_state=train.seed)
        self._tree.fit(matrix, truth, sample_weight=times)

    @property
    def leaves(self) -> int:
        """How many leaves the tree has."""
        return int(self._tree.get_n_leaves())

    def score(self, windows: Windows) -> Floats:
        """The share of abnormal windows of history in the leaf."""
        distinct = counted(windows, self._known)
        if not len(distinct.times):
            return np.empty(0)
        return probability(self._tree, distinct.matrix)[distinct.inverse]
