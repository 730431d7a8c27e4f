"""The rows of one trained network on one set: by each way to decide, alone and in the ladder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from logwright.bench.fitted import BUDGET, Fitted
from logwright.bench.methods.floors import UnseenTemplate
from logwright.bench.methods.ours import OurLadder
from logwright.bench.protocol import threshold
from logwright.bench.registry import METHODS
from logwright.bench.sequence_metrics import Weighted, calibration_error, figures, first_over
from logwright.bench.sequence_scored import Scored
from logwright.bench.sequence_sets import Held, Judged
from logwright.detectors.base import Floats
from logwright.detectors.thresholds import Threshold
from logwright.logs.batch import Int64s
from logwright.sequence.scoring import combined, largest, mean, running
from logwright.sequence.vocabulary import FIRST

__all__ = ["LABELS", "TABLES", "Ladder", "floors", "limit_of", "rows_of_run"]

LABELS = "normal windows chosen"

_COMBINED = "sequence model"
_LARGEST = "sequence model, by its least expected event"
_LADDER = "ladder with the sequence model"
_TOP_K = "sequence model, by Top-K as in papers"
_MEAN = "sequence model, by the mean of its events"
TABLES = (_COMBINED, _LADDER, _LARGEST, _MEAN, _TOP_K)
"""Tables by how scores become decisions, the default first."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The ladder without the step on a test part: scores of distinct sessions (an alarm from 1 on),
    and where in each session it would raise one. A new event is told as it comes, whatever else
    the ladder goes by when a session has ended."""

    scores: Floats
    first: Int64s

    @staticmethod
    def of(held: Held) -> Ladder:
        """Learned from the same history, on the whole test part."""
        fitted = Fitted.of(OurLadder, held.view, 0)
        every = fitted.run(held.view.of("normal")[2].test).scores
        test = held.test
        scores = np.zeros(len(test.sequences))
        scores[test.inverse] = every
        new = test.sequences.events >= FIRST + held.events.known
        first = first_over(new, test.sequences.bounds, 1)
        first = np.where(first < 0, test.weights.lengths, first)
        return Ladder(scores, np.where(scores >= 1.0, first, -1))

    def with_step(self, scores: Floats, first: Int64s, limit: float) -> Ladder:
        """With one more rung on top: it is asked about what no cheaper one has flagged, and where
        both raise an alarm, the earlier one counts."""
        flagged = self.scores >= 1.0
        share = scores / limit
        # Whatever the step says comes after what is flagged already: from 1 to 2 if it is an alarm.
        step = np.where(share >= 1.0, 2.0 - 1.0 / np.maximum(share, 1.0), share)
        never = np.iinfo(np.int64).max
        told = np.minimum(
            np.where(self.first < 0, never, self.first), np.where(first < 0, never, first)
        )
        # Among what the ladder finds alike, as is all that holds one new event, the step says more.
        alike = np.unique(self.scores, return_inverse=True)[1]
        both = np.where(flagged, 2.0 + alike + step / 2.0, step)
        return Ladder(both, np.where(told == never, -1, told))

    def figures(self, test: Judged) -> dict[str, Any]:
        """What it is worth."""
        return figures(self.scores, self.scores >= 1.0, self.first, test.weights)


def rows_of_run(held: Held, calm: Scored, test: Scored, ladder: Ladder) -> Iterator[dict[str, Any]]:
    """A row per table: each threshold keeps to the alarm budget on the normal sessions of
    validation, K too. Where these are too few for the budget, no session of them may lie beyond."""
    weights, bounds = held.test.weights, test.tokens.bounds
    scores = combined(test.tokens)
    limit = limit_of(combined(calm.tokens), held.calm)
    usual = int(np.median(np.repeat(calm.tokens.lengths, held.calm.weights.normal)))
    first = first_over(running(test.tokens, usual), bounds, limit.value)
    found = figures(scores, limit.alarms(scores), first, weights)
    yield {"table": _COMBINED, **found, **_calibration(held, test)}

    both = ladder.with_step(scores, first, limit.value)
    yield {"table": _LADDER, **both.figures(held.test)}

    scores = largest(test.tokens)
    limit = limit_of(largest(calm.tokens), held.calm)
    first = first_over(test.tokens.nll, bounds, limit.value)
    yield {"table": _LARGEST, **figures(scores, limit.alarms(scores), first, weights)}

    scores = mean(test.tokens)
    limit = limit_of(mean(calm.tokens), held.calm)
    yield {"table": _MEAN, **figures(scores, limit.alarms(scores), None, weights)}

    k = _k(calm.lowest, held.calm)
    first = first_over(test.tokens.rank, bounds, k + 1)
    found = figures(test.lowest.astype(np.float64), test.lowest > k, first, weights)
    yield {"table": _TOP_K, **found, "k": k}


def limit_of(scores: Floats, calm: Judged) -> Threshold:
    """The threshold that keeps the alarms on these normal sessions within the budget."""
    return threshold(np.repeat(scores, calm.weights.normal), BUDGET)


def _k(ranks: Int64s, calm: Judged) -> int:
    """The smallest K that keeps the alarms on validation within the budget.

    Ranks are whole numbers: there is no tail to go by where less than one alarm is allowed.
    """
    every = np.sort(np.repeat(ranks, calm.weights.normal))[::-1]
    return int(every[int(BUDGET * len(every) / 10_000)])


def _calibration(held: Held, test: Scored) -> dict[str, float]:
    """How far the probabilities of next events are from what comes, on normal test sessions."""
    weights = held.test.weights.normal[test.owner].astype(np.float64)
    return {"calibration_error": round(calibration_error(test.sure, test.right, weights), 4)}


def floors(held: Held) -> Iterator[dict[str, Any]]:
    """What needs no thought, on the same test part. Only of a new event is it clear when in a
    session it would be told."""
    test = held.view.of("normal")[2].test
    truth = test.truth.astype(np.int64)
    weights = Weighted(1 - truth, truth, test.windows.sizes)
    new = first_over(
        test.windows.events.template, test.windows.bounds, held.view.of("normal")[2].known
    )
    for make in METHODS:
        if make.floor and (held.view.split.texts is not None or not make.texts):
            fitted = Fitted.of(make, held.view, 0)
            run = fitted.run(held.view.of(fitted.method.needs)[2].test)
            found = figures(run.scores, run.alarms, new, weights)
            if not isinstance(fitted.method, UnseenTemplate):
                found = {key: v for key, v in found.items() if not key.startswith("lead")}
            used = "none" if fitted.method.needs == "nothing" else LABELS
            yield {"method": fitted.method.name, "labels_used": used, **found}
