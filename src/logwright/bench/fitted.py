"""A fitted method: learned from a view, its threshold set, and then run on test windows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from logwright.bench.asking import Outcome
from logwright.bench.methods.base import Method
from logwright.bench.parts import Bools, Part, Train
from logwright.bench.protocol import threshold
from logwright.bench.seal import Seal
from logwright.bench.view import View
from logwright.detectors.base import Floats
from logwright.detectors.thresholds import Threshold
from logwright.errors import LogwrightError
from logwright.settings import Settings

__all__ = ["BUDGET", "Asking", "Fitted", "Make", "Run", "run_method"]

BUDGET = Settings().budget
"""Alarms that may come in 10,000 normal windows, where a method has no threshold of its own."""

Make = Callable[[], Method]
"""What makes a fresh method: nothing is carried from one fit to the next."""


@runtime_checkable
class Asking(Protocol):
    """A method that asks an expert, who answers by the labels of the test part, one at a time."""

    def answer(self, part: Part) -> Outcome:
        """What was flagged before each answer, and which windows were asked about."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A method that has learned, with its threshold: a frozen configuration. The seal on what only
    the test part holds is broken when that is scored, and not when the threshold is set."""

    method: Method
    limit: Threshold
    seconds: float
    seal: Seal

    @staticmethod
    def of(make: Make, view: View, seed: int) -> Fitted:
        """Learn from what the view lets through."""
        method = make()
        train, validation, split = view.of(method.needs)
        truth = train.truth if method.needs == "labels" else None
        texts = split.texts
        size = max(len(split.vocabulary), len(texts or ()))
        seal = Seal([train.windows, validation.windows], size)
        given = Train(
            train.windows,
            truth,
            validation.windows,
            seal.vocabulary(split.vocabulary),
            None if texts is None else seal.texts(texts),
            split.known,
            seed,
        )
        started = time.perf_counter()
        method.fit(given)
        if isinstance(method, Asking):
            limit = Threshold(1.0, "what is raised at that moment")
        elif method.natural is not None:
            limit = Threshold(method.natural, "by the method's definition")
        else:
            # A set so small that validation holds no normal window: history has to do.
            calm = validation.windows if len(validation) else train.windows
            limit = threshold(_scores(method, calm, len(calm)), BUDGET)
        return Fitted(method, limit, time.perf_counter() - started, seal)

    def run(self, test: Part) -> Run:
        """Score a part and decide; where the method asks, an expert answers by the labels."""
        self.seal.open()
        started = time.perf_counter()
        questions = 0
        if isinstance(self.method, Asking):
            outcome = self.method.answer(test)
            scores, questions = outcome.flagged.astype(np.float64), len(outcome.asked)
        else:
            scores = _scores(self.method, test.windows, len(test))
        seconds = time.perf_counter() - started
        return Run(scores, self.limit.alarms(scores), self.seconds, seconds, questions)


def _scores(method: Method, windows: Any, n: int) -> Floats:
    scores = np.asarray(method.score(windows), np.float64)
    if scores.shape != (n,) or bool(np.isnan(scores).any()):
        raise LogwrightError(
            f"method {method.name}: score() has to give one number per window, "
            f"{n:,} here; it gave {scores.shape} with {int(np.isnan(scores).sum())} NaN"
        )
    return scores


@dataclass(frozen=True, slots=True)
class Run:
    """Scores and alarms of a test part, and what they took."""

    scores: Floats
    alarms: Bools
    fit_seconds: float
    score_seconds: float
    questions: int = 0

    def emptied(self) -> Run:
        """Without the scores of single windows."""
        return replace(self, scores=self.scores[:0], alarms=self.alarms[:0])


def run_method(make: Make, view: View, seed: int) -> Run:
    """Learn, then score the view's test part."""
    fitted = Fitted.of(make, view, seed)
    return fitted.run(view.of(fitted.method.needs)[2].test)
