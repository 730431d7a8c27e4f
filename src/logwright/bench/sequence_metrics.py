"""Figures of the sequence suite, of distinct sessions that count as often as they came.

A session's alarm is at its first event over the threshold, so that lead is how many of its events
were still to come then. Recall at a share of false positives takes its threshold from the test
part's own normal sessions: it compares scores, and no detector could have known it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.bench.metrics import Tally, Triple
from logwright.bench.parts import Bools
from logwright.detectors.base import Floats
from logwright.logs.batch import Int64s

__all__ = [
    "FALSE_SHARES",
    "Weighted",
    "calibration_error",
    "figures",
    "first_over",
    "recall_at",
]

FALSE_SHARES = {"recall_at_fp_0.1%": 0.001, "recall_at_fp_0.5%": 0.005, "recall_at_fp_1%": 0.01}
"""Columns of recall by the share of normal test sessions that are alarms."""

_BINS = 15
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Weighted:
    """Distinct sessions: how often each came normal and abnormal, and how many events it has."""

    normal: Int64s
    abnormal: Int64s
    lengths: Int64s

    def tally(self, alarms: Bools) -> Tally:
        """Sessions by alarm and truth.

        >>> held = Weighted(np.array([5, 1]), np.array([0, 3]), np.array([4, 4]))
        >>> held.tally(np.array([False, True]))
        Tally(tp=3, fp=1, fn=0, tn=5)
        """
        tp, fp = int(self.abnormal[alarms].sum()), int(self.normal[alarms].sum())
        return Tally(tp, fp, int(self.abnormal.sum()) - tp, int(self.normal.sum()) - fp)


def recall_at(scores: Floats, held: Weighted, share: float) -> float | None:
    """The best recall at which no more than this share of normal sessions is an alarm; equal scores
    are alarms together. None without anything abnormal.

    >>> held = Weighted(np.array([8, 1, 1]), np.array([0, 0, 4]), np.array([1, 1, 1]))
    >>> recall_at(np.array([0.0, 2.0, 1.0]), held, 0.1)
    0.0
    >>> recall_at(np.array([0.0, 2.0, 1.0]), held, 0.2)
    1.0
    """
    total = int(held.abnormal.sum())
    if not total:
        return None
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0.0, True)  # of those that are equal
    false, true = np.cumsum(held.normal[order])[last], np.cumsum(held.abnormal[order])[last]
    within = true[false <= share * held.normal.sum()]
    return float(within[-1] / total) if len(within) else 0.0


def first_over(values: NDArray[Any], bounds: Int64s, limit: float) -> Int64s:
    """Where in each session (`bounds[i]:bounds[i + 1]` of `values`) a value is first at or above
    the limit; -1 where none is.

    >>> first_over(np.array([1, 5, 7, 0, 0]), np.array([0, 3, 5]), 5).tolist()
    [1, -1]
    """
    first = np.full(len(bounds) - 1, -1, np.int64)
    # A limit just above a score is that score in single precision.
    over = np.flatnonzero(values.astype(np.float64) >= limit)
    session = np.searchsorted(bounds, over, side="right") - 1
    session, at = np.unique(session, return_index=True)
    first[session] = over[at] - bounds[session]
    return first


def calibration_error(sure: Floats, right: Bools, weights: Floats) -> float:
    """Expected calibration error: how far the probability of the likeliest next event is from how
    often that event comes, in bins of equal width, by how many events a bin holds.

    >>> calibration_error(np.array([0.75] * 4), np.array([True, True, True, False]), np.ones(4))
    0.0
    """
    at = np.minimum((sure * _BINS).astype(np.int64), _BINS - 1)
    said = np.bincount(at, sure * weights, _BINS)
    came = np.bincount(at, right * weights, _BINS)
    return float(np.abs(said - came).sum() / weights.sum())


def figures(
    scores: Floats, alarms: Bools, first: Int64s | None, held: Weighted
) -> dict[str, float | None]:
    """What one run is worth. `first` is where in each session its alarm was raised (the number of
    its event, from 0; -1 where a session has ended before); None where that is so for all."""
    tally = held.tally(alarms)
    triple = Triple(*np.round([tally.precision, tally.recall, tally.f1], _DIGITS).tolist())
    found = held.abnormal * alarms
    middle = mean = None
    if found.sum():
        at = np.full(len(scores), -1, np.int64) if first is None else first
        # An end that does not come as expected is told after the last event.
        lead = np.where(at < 0, 0, np.maximum(held.lengths - 1 - at, 0))
        mean, middle = float(np.average(lead, weights=found)), _median(lead, found)
    every = {
        "precision": triple.precision,
        "recall": triple.recall,
        "f1": triple.f1,
        "specificity": tally.specificity,
        **{key: recall_at(scores, held, share) for key, share in FALSE_SHARES.items()},
        "lead_median": middle,
        "lead_mean": mean,
        "false_per_10k": 1e4 * tally.fp / max(tally.fp + tally.tn, 1),
    }
    return {key: None if value is None else round(value, _DIGITS) for key, value in every.items()}


def _median(values: Int64s, weights: Int64s) -> float:
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(sums, sums[-1] / 2.0)])
