"""Scores of sequences: how surprising each event was, and one number for the whole.

A model of the next event gives each event its negative log-likelihood (nats) and its rank among all
events it could have been. `Tokens` holds both for many sequences; the functions here make of them
one score a sequence, higher is more anomalous:

* `combined`: the most surprising event plus `MEAN_WEIGHT` times the surprise per event. The
  default: an anomaly is most often a single event out of place, and one such event means more in a
  session that is odd throughout than in one that is else as expected.
* `largest`: the most surprising event alone.
* `mean`: surprise per event, its end included.
* `top_k`: how many events were not among the k likeliest, as DeepLog and LogGPT (arXiv 2309.14482)
  decide, who call a session abnormal from 1 on. One step of k moves it by far more than the others
  move between seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.errors import SettingsError
from logwright.logs.batch import Int32s, Int64s

__all__ = [
    "MEAN_WEIGHT",
    "Float32s",
    "Floats",
    "Tokens",
    "combined",
    "largest",
    "mean",
    "running",
    "surprise",
    "top_k",
]

Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]

MEAN_WEIGHT = 4.0
"""What the mean surprise counts beside the largest one. Chosen among 1, 2, 4 and 8 on HDFS with
labels in sight (docs/sequence_results.md); 2 to 4 hardly differ."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a model said about every event of some sequences, flat.

    `nll` is the negative log-likelihood in nats, `rank` the number of likelier events plus 1, so
    that 1 is the expected event. Sequence ``i`` owns ``bounds[i]:bounds[i + 1]``: one entry per
    event and a last one for its end.

    >>> tokens = Tokens.of_lists([[0.5, 2.0], [1.0]], [[1, 3], [1]])
    >>> largest(tokens), mean(tokens)
    (array([2., 1.]), array([1.25, 1.  ]))
    """

    nll: Float32s
    rank: Int32s
    bounds: Int64s

    def __len__(self) -> int:
        return len(self.bounds) - 1

    @property
    def lengths(self) -> Int64s:
        """Entries per sequence, the one of its end included."""
        return np.diff(self.bounds)

    def take(self, which: NDArray[np.int64] | NDArray[np.intp]) -> Tokens:
        """The sequences of these numbers, in this order, as often as they are named."""
        lengths = self.lengths[which]
        bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        at = np.arange(bounds[-1]) + np.repeat(self.bounds[:-1][which] - bounds[:-1], lengths)
        return Tokens(self.nll[at], self.rank[at], bounds)

    @staticmethod
    def of_lists(nll: Sequence[Sequence[float]], rank: Sequence[Sequence[int]]) -> Tokens:
        """Tokens of small examples."""
        return Tokens(
            np.array([v for row in nll for v in row], np.float32),
            np.array([v for row in rank for v in row], np.int32),
            np.cumsum([0, *map(len, nll)], dtype=np.int64),
        )


def combined(tokens: Tokens) -> Floats:
    """The largest surprise of each sequence plus `MEAN_WEIGHT` times its mean, in nats.

    >>> combined(Tokens.of_lists([[0.5, 2.0], [1.0]], [[1, 3], [1]]))
    array([7., 5.])
    """
    return largest(tokens) + MEAN_WEIGHT * mean(tokens)


def running(tokens: Tokens, usual: int) -> Floats:
    """What `combined` is known to be once each entry has come: [entries], in nats.

    What a sequence lacks to `usual` entries counts as expected: the mean of the first one or two
    events says nothing yet. Nothing that comes later is used.

    >>> running(Tokens.of_lists([[0.5, 2.0], [1.0]], [[1, 3], [1]]), usual=2)
    array([1.5, 7. , 3. ])
    """
    nll = tokens.nll.astype(np.float64)
    starts, lengths = tokens.bounds[:-1], tokens.lengths
    owner = np.repeat(np.arange(len(tokens)), lengths)
    # Each sequence is lifted above all before it, so that one pass serves them all.
    lift = owner * (float(nll.max(initial=0.0)) + 1.0)
    highest = np.maximum.accumulate(nll + lift) - lift
    total = np.cumsum(nll)
    before = np.repeat(total[starts] - nll[starts], lengths)
    so_far = np.arange(len(nll)) - np.repeat(starts, lengths) + 1
    known: Floats = highest + MEAN_WEIGHT * (total - before) / np.maximum(so_far, usual)
    return known


def largest(tokens: Tokens) -> Floats:
    """The surprise of the most surprising event of each sequence, in nats."""
    if not len(tokens):
        return np.zeros(0)
    return np.maximum.reduceat(tokens.nll, tokens.bounds[:-1]).astype(np.float64)


def mean(tokens: Tokens) -> Floats:
    """The surprise per event of each sequence, its end included, in nats."""
    if not len(tokens):
        return np.zeros(0)
    return np.add.reduceat(tokens.nll.astype(np.float64), tokens.bounds[:-1]) / tokens.lengths


def top_k(tokens: Tokens, k: int) -> Floats:
    """How many entries of each sequence were not among the `k` likeliest.

    >>> top_k(Tokens.of_lists([[0.5, 2.0], [1.0]], [[1, 3], [1]]), 2)
    array([1., 0.])
    """
    if k < 1:
        raise SettingsError(f"The k of Top-K is {k}, but at least 1 event has to be expected")
    if not len(tokens):
        return np.zeros(0)
    return np.add.reduceat((tokens.rank > k).astype(np.float64), tokens.bounds[:-1])


def surprise(logits: Float32s, own: Float32s, apart: NDArray[np.bool_]) -> tuple[Float32s, Int32s]:
    """Negative log-likelihood and rank of events among those a model knows.

    Args:
        logits: [n, V], of every event the model knows.
        own: [n], the logit of the event that came.
        apart: [n], True where that event is not among the V, so that it stands beside them.

    >>> nll, rank = surprise(np.log([[0.5, 0.25, 0.25]]), np.log([0.25]), np.array([False]))
    >>> round(float(nll[0]), 4), int(rank[0])
    (1.3863, 2)
    """
    top = np.maximum(logits.max(axis=1), own)
    mass = np.exp(logits - top[:, None]).sum(axis=1)
    mass += np.where(apart, np.exp(own - top), 0)
    # Rounding must not make an event likelier than certain.
    nll = np.maximum(np.log(mass) + top - own, 0)
    rank = (logits > own[:, None]).sum(axis=1) + 1
    return nll.astype(np.float32), rank.astype(np.int32)
