"""PCA of event counts: W. Xu et al., Detecting Large-Scale System Problems, SOSP 2009.

Count vectors weighted by TF-IDF; the principal components that hold 95 % of the variance span what
is normal; the score is the squared prediction error (SPE), the squared length of what they leave.

The paper learns from all sessions without labels, taking most for normal, and cuts at the
Q-statistic (J. Jackson and G. Mudholkar, 1979; alpha = .001): `limit` holds it, the score does
not use it. As in loglizer, vectors are centred and the weights are log(windows / windows with it).
How many components hold 95 % depends on how templates were mined: the paper has 4 on HDFS, these
event ids 6 or 7, so the number can be given.
A template that history never held has no variance, so its whole weighted count is in the score.
"""

from __future__ import annotations

import numpy as np

from logwright.bench.methods.base import Needs
from logwright.bench.methods.columns import counted, idf
from logwright.bench.parts import Train
from logwright.detectors.base import Floats
from logwright.windows.window import Windows

__all__ = ["Pca"]

_VARIANCE = 0.95
_C_ALPHA = 3.2905
"""The value for alpha = .001 in Xu et al. and in loglizer."""


class Pca:
    """See the module. A higher score is more anomalous."""

    natural: float | None = None
    seeded = False

    def __init__(self, needs: Needs = "nothing", components: int | None = None) -> None:
        self.needs: Needs = needs
        self.name = "PCA" + ", normal history" * (needs == "normal")
        self._components = components

    def fit(self, train: Train) -> None:
        """Weights, mean, and the projection onto what the main components leave."""
        history = counted(train.windows, train.known)
        self._known = train.known
        self._idf = idf(history)
        share = history.times / history.times.sum()
        matrix = history.matrix * self._idf
        self._mean = share @ matrix
        matrix -= self._mean
        variance, vectors = np.linalg.eigh((matrix * share[:, None]).T @ matrix)
        variance, vectors = np.maximum(variance[::-1], 0), vectors[:, ::-1]
        explained = np.cumsum(variance)
        enough = int(np.searchsorted(explained, _VARIANCE * explained[-1])) + 1
        keep = self._components or enough
        self._rest = vectors[:, keep:]
        self.limit = _q_statistic(variance[keep:])

    def score(self, windows: Windows) -> Floats:
        """The squared prediction error."""
        distinct = counted(windows, self._known)
        rest = (distinct.matrix * self._idf - self._mean) @ self._rest
        # rounded, as the last bits depend on which other windows are scored in the same call
        errors: Floats = (rest**2).sum(axis=1).round(9)
        return errors[distinct.inverse]


def _q_statistic(variance: Floats) -> float:
    """The SPE that normal windows exceed with probability alpha, from the variances left out.

    >>> round(_q_statistic(np.array([1.0, 0.5])), 2)
    13.74
    """
    one, two, three = ((variance**power).sum() for power in (1, 2, 3))
    if one < 1e-12:  # the components explain everything
        return 0.0
    h = 1 - 2 * one * three / (3 * two**2)
    inner = _C_ALPHA * np.sqrt(2 * two * h**2) / one + 1 + two * h * (h - 1) / one**2
    return float(one * inner ** (1 / h))
