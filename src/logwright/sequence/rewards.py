"""Rewards: what a model is praised and blamed for, as pure functions of numbers.

A reward never sees the network: it gets the rank of the event that came (1 = the model thought it
the likeliest), or a session's score, and gives a number in [-1, 1]. Four kinds:

* `binary`: LogGPT (Han et al., 2023, arXiv 2309.14482): +1 for a rank within k, -1 beyond.
* `positional` and `graded`: LogNEO (Eje et al., 2026, arXiv 2606.08153) as far as its abstract
  tells: early hits earn more, late misses cost more, both exponentially; partial credit by rank.
  The formula is OUR reconstruction; the paper's is not published. `DECAY` is ours as well.
* `calibrated`: of the decision instead of the rank: how far a normal session stays below the
  threshold of an alarm budget, or a made-up abnormal one gets above it.
* `judged`: the same for sessions on which an expert gave a verdict.

The rank cut-off, the threshold and the margin's unit come from normal validation sessions
(`Yardstick.of`), never from labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BUDGET",
    "DECAY",
    "MISSES",
    "Yardstick",
    "binary",
    "calibrated",
    "graded",
    "judged",
    "places",
    "positional",
    "threshold_at",
]

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

DECAY = 1.0  # over a whole session the weight of a hit falls to exp(-DECAY) = 0.37
MISSES = 0.01  # the share of normal events that may lie beyond the cut-off k
BUDGET = 0.005  # the share of normal sessions that may be alarms


def places(bounds: Int64s) -> Floats:
    """Where in its session each event is: 0 = first, 1 = last; a single event is first.

    >>> places(np.array([0, 3, 4])).tolist()
    [0.0, 0.5, 1.0, 0.0]
    """
    lengths = np.diff(bounds)
    at = np.arange(int(bounds[-1])) - np.repeat(bounds[:-1], lengths)
    return np.asarray(at / np.repeat(np.maximum(lengths - 1, 1), lengths), np.float64)


def binary(ranks: Int64s, k: int) -> Floats:
    """+1 where the event that came is among the k likeliest, else -1.

    >>> binary(np.array([1, 5, 6]), k=5).tolist()
    [1.0, 1.0, -1.0]
    """
    return np.where(ranks <= k, 1.0, -1.0)


def positional(ranks: Int64s, at: Floats, k: int, decay: float = DECAY) -> Floats:
    """`binary`, weighted by place: a hit earns exp(-decay at), a miss costs exp(-decay (1 - at)).

    >>> positional(np.array([1, 1, 9, 9]), np.array([0.0, 1.0, 0.0, 1.0]), k=5).round(2).tolist()
    [1.0, 0.37, -0.37, -1.0]
    """
    return np.where(ranks <= k, np.exp(-decay * at), -np.exp(-decay * (1.0 - at)))


def graded(ranks: Int64s, at: Floats, k: int, decay: float = DECAY) -> Floats:
    """`positional` with partial credit: a hit earns 1 / (1 + log2 rank) of its weight, a miss
    costs 1 - k / rank of its, so that a near miss costs little.

    >>> graded(np.array([1, 2, 4, 8, 400]), np.zeros(5), k=4, decay=0.0).round(2).tolist()
    [1.0, 0.5, 0.33, -0.5, -0.99]
    """
    rank = np.maximum(ranks, 1).astype(np.float64)
    credit = 1.0 / (1.0 + np.log2(rank))
    blame = 1.0 - np.minimum(1.0, k / rank)
    hit, miss = np.exp(-decay * at), np.exp(-decay * (1.0 - at))
    return np.asarray(np.where(ranks <= k, hit * credit, -miss * blame), np.float64)


def calibrated(scores: Floats, threshold: float, unit: float) -> Floats:
    """How well a normal session's score stays below the threshold: the tanh of its margin, in
    units of `unit` nats. At the threshold 0; higher scores are more anomalous.

    >>> calibrated(np.array([0.0, 8.0, 12.0]), threshold=8.0, unit=4.0).round(2).tolist()
    [0.96, 0.0, -0.76]
    """
    return np.tanh((threshold - scores) / unit)


def judged(scores: Floats, real: Bools, threshold: float, unit: float) -> Floats:
    """`calibrated` for sessions with a verdict: what is real should score above the threshold.

    >>> judged(np.array([12.0, 12.0]), np.array([True, False]), 8.0, 4.0).round(2).tolist()
    [0.76, -0.76]
    """
    reward = calibrated(scores, threshold, unit)
    return np.where(real, -reward, reward)


def threshold_at(scores: Floats, weights: Int64s, share: float) -> float:
    """The smallest score that at most a `share` of sessions exceed; each came `weights` times.

    >>> threshold_at(np.array([1.0, 2.0, 9.0]), np.array([90, 9, 1]), share=0.01)
    2.0
    """
    if not len(scores):
        return 0.0
    order = np.argsort(scores, kind="stable")
    beyond = weights.sum() - np.cumsum(weights[order])
    return float(scores[order][np.argmax(beyond <= share * weights.sum() * (1 + 1e-12))])


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What rewards are measured by, from normal validation sessions.

    `k` is the rank that all but 1 % of their events keep within, `threshold` the score that all but
    a share `BUDGET` of them stay below, and `unit` the distance in nats from their median to it.
    """

    k: int
    threshold: float
    unit: float

    @classmethod
    def of(cls, ranks: Int64s, times: Int64s, scores: Floats, weights: Int64s) -> Yardstick:
        """From the rank of each event, with how often it came, and the score of each session.

        >>> Yardstick.of(np.array([1, 2, 7]), np.array([80, 19, 1]), np.array([1.0, 5.0]),
        ...              np.array([9, 1]))
        Yardstick(k=2, threshold=5.0, unit=4.0)
        """
        k = int(threshold_at(ranks.astype(np.float64), times, MISSES)) if len(ranks) else 1
        threshold = threshold_at(scores, weights, BUDGET)
        return cls(max(k, 1), threshold, max(threshold - threshold_at(scores, weights, 0.5), 1.0))
