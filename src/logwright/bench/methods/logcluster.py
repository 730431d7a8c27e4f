"""LogCluster: Q. Lin et al., Log Clustering Based Problem Identification, ICSE 2016 (SEIP).

Vectors of event weights are clustered from below (complete linkage) until clusters would be farther
apart than `DISTANCE`; of each the member nearest to all others represents it. The score is the
cosine distance to the nearest representative; beyond `DISTANCE` a window is no known cluster's.

The paper's weight of an event is .5 * sigmoid(idf) + .5 * contrast: contrast is 1 for an event that
the knowledge base (here history) never held, else 0. That is how this method sees new templates.
As in loglizer an event's weight is multiplied by its count, and the cut is .3. The paper's history
comes from a test environment and is taken for known, so it has to be chosen.

The paper's two phases, a base and then growth, are blocks of distinct vectors here, the most
frequent first: what is near no representative yet is clustered, and gives new ones.
"""

from __future__ import annotations

import numpy as np

from logwright.bench.methods.base import Needs
from logwright.bench.methods.columns import counted, idf
from logwright.bench.parts import Counted, Train
from logwright.detectors.base import Floats
from logwright.logs.batch import Int64s
from logwright.windows.window import Windows

__all__ = ["DISTANCE", "LogCluster"]

DISTANCE = 0.3
_BLOCK = 2_000


class LogCluster:
    """See the module. A higher score is more anomalous."""

    name = "LogCluster"
    needs: Needs = "normal"
    natural: float | None = None
    seeded = False

    def fit(self, train: Train) -> None:
        """Cluster history, and keep a representative of each cluster."""
        history = counted(train.windows, train.known)
        self._known = train.known
        contrast = history.matrix.sum(axis=0) == 0
        self._weights: Floats = 0.5 / (1 + np.exp(-idf(history))) + 0.5 * contrast
        order = np.argsort(-history.times, kind="stable")
        vectors, times = self._vectors(history)[order], history.times[order]
        self._chosen = np.empty((0, vectors.shape[1]))
        for start in range(0, len(vectors), _BLOCK):
            block = slice(start, start + _BLOCK)
            far = self._nearest(vectors[block]) > DISTANCE
            more = _representatives(vectors[block][far], times[block][far])
            self._chosen = np.concatenate((self._chosen, more))

    def score(self, windows: Windows) -> Floats:
        """The cosine distance to the nearest representative, 0 to 1."""
        distinct = counted(windows, self._known)
        return self._nearest(self._vectors(distinct))[distinct.inverse]

    def _vectors(self, of: Counted) -> Floats:
        """Weighted, and of length 1 (0 for an empty window)."""
        weighted = of.matrix * self._weights
        length = np.linalg.norm(weighted, axis=1, keepdims=True)
        vectors: Floats = weighted / np.maximum(length, 1e-12)
        return vectors

    def _nearest(self, vectors: Floats) -> Floats:
        if not len(self._chosen):
            return np.ones(len(vectors))
        nearest = np.empty(len(vectors))
        for start in range(0, len(vectors), _BLOCK):  # so that memory stays small
            block = slice(start, start + _BLOCK)
            nearest[block] = (vectors[block] @ self._chosen.T).max(axis=1)
        # rounded, as the last bits depend on which other windows are scored in the same call
        return np.clip(1 - nearest, 0, 1).round(9)


def _representatives(vectors: Floats, times: Int64s) -> Floats:
    """Of each cluster the vector with the smallest sum of distances to all its windows."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(vectors) < 2:
        return vectors
    distance = np.clip(1 - vectors @ vectors.T, 0, 1)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(distance, checks=False), "complete")
    clusters = fcluster(tree, DISTANCE, "distance")
    chosen = []
    for cluster in range(1, int(clusters.max()) + 1):
        members = np.flatnonzero(clusters == cluster)
        sums = distance[np.ix_(members, members)] @ times[members]
        chosen.append(members[np.argmin(sums)])
    return vectors[chosen]
