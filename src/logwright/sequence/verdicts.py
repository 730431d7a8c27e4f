"""Verdicts on whole sessions, as plain columns, and which sessions are worth a verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.sequence.sequences import Sequences

__all__ = ["Verdicts", "questions"]

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """`real[i]` says whether sequence `i` was found abnormal (True) or benign (False), by an expert
    or by the cheaper detectors."""

    sequences: Sequences
    real: Bools

    def __post_init__(self) -> None:
        if len(self.sequences) != len(self.real):
            raise ValueError("there is one verdict for each sequence")

    def __len__(self) -> int:
        return len(self.real)

    def first(self, n: int) -> Verdicts:
        """The first `n`, in the order in which they were given.

        >>> v = Verdicts(Sequences.of_lists([[2], [3], [4]]), np.array([True, False, True]))
        >>> len(v.first(2)), v.first(2).real.tolist()
        (2, [True, False])
        """
        return Verdicts(self.sequences.take(slice(0, n)), self.real[:n])


def questions(scores: Floats, weights: Int64s, threshold: float, n: int) -> Int64s:
    """The numbers of the `n` distinct sessions to ask about, first ones first: of those over the
    threshold the ones that came most often, as each verdict then settles most alarms; after them
    those nearest below it.

    >>> questions(np.array([9.0, 8.0, 1.0, 4.0]), np.array([1, 5, 99, 9]), 5.0, 3).tolist()
    [1, 0, 3]
    """
    over = scores > threshold
    order = np.lexsort((-scores, np.where(over, -weights, 0), ~over))
    return order[:n].astype(np.int64)
