"""One-class SVM: B. Schölkopf et al., Neural Computation 2001, on count vectors.

The smoothest surface (Gaussian kernel) that holds all but a share nu of history; the score is the
distance beyond it in the kernel's space, by scikit-learn (libsvm): nu = .01, gamma = "scale" over
the distinct vectors, counts weighted by TF-IDF as loglizer does for its SVM.

The paper takes history for normal but for that share. Distinct vectors carry their numbers as
weights. Of more than 2,000 distinct ones 2,000 are drawn evenly, each with its own weight, as the
cost grows with their square. A template that history never held adds to the distance as any other.
The kernel falls to nothing with distance: whatever is far away has the same score.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from logwright.bench.methods.base import Needs
from logwright.bench.methods.columns import counted, idf, learner
from logwright.bench.parts import Train
from logwright.detectors.base import Floats
from logwright.windows.window import Windows

__all__ = ["OneClassSvm"]

_NU = 0.01
_MOST = 2_000


class OneClassSvm:
    """See the module. A higher score is more anomalous."""

    name = "one-class SVM"
    needs: Needs = "normal"
    natural: float | None = None
    seeded = True

    def fit(self, train: Train) -> None:
        """Find the surface."""
        history = counted(train.windows, train.known)
        self._known = train.known
        rows = len(history.times)
        drawn = np.sort(np.random.default_rng(train.seed).permutation(rows)[:_MOST])
        times = history.times[drawn]
        self._idf = idf(history)
        self._svm: Any = learner("svm", "OneClassSVM")(nu=_NU, gamma="scale")
        # weights of mean 1 keep libsvm's tolerance meaningful
        self._svm.fit(history.matrix[drawn] * self._idf, sample_weight=times / times.mean())

    def score(self, windows: Windows) -> Floats:
        """How far beyond the surface; below zero within it."""
        distinct = counted(windows, self._known)
        if not len(distinct.times):
            return np.empty(0)
        scores: Floats = -self._svm.decision_function(distinct.matrix * self._idf)
        return scores[distinct.inverse]
