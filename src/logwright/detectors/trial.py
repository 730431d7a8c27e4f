"""Trials: what a detector would have raised in the last part of history, had it seen only the rest.

Each detector that history must allow is kept twice: a trial that sees the first part, and the final
one, which sees all. What the trial says of the last part decides whether, and from which score on,
the final one runs (`learner`).
"""

from __future__ import annotations

import numpy as np

from logwright.detectors.base import Detector, Floats
from logwright.detectors.counts import Counts
from logwright.detectors.period import Period
from logwright.detectors.tally import Tally
from logwright.detectors.timing import Timing
from logwright.detectors.unit import Expected
from logwright.detectors.unseen import Unseen
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows, mix

__all__ = ["Candidate", "MakeUp", "Watched", "floor_of"]

_MANY_SESSIONS, _ONE_IN = 20_000, 8
"""Of so many sessions gaps are learned whole; of further ones from one key in so many."""


class Watched:
    """A detector of gaps or periods; its trial is a copy, made when checking begins, that notes
    what would have alarmed."""

    def __init__(self, final: Timing | Period) -> None:
        self.final = final
        self._trial: Timing | Period | None = None
        self._sessions = 0

    def fit(self, windows: Windows, vocabulary: Vocabulary) -> None:
        number = self._sessions + np.arange(len(windows))
        self._sessions += len(windows)
        if windows.kind == "session" and self._sessions > _MANY_SESSIONS:
            # What is common shows in some of them, too.
            some = mix(windows.key.astype(np.uint64)) % np.uint64(_ONE_IN) == 0
            windows = windows.select(some | (number < _MANY_SESSIONS))
        self.final.fit(windows, vocabulary)

    def check(self, windows: Windows, vocabulary: Vocabulary) -> None:
        if self._trial is None:
            self._trial = type(self.final)()
            self._trial.load(self.final.save())
            self._trial.tally = Tally()
        self._trial.score(windows, vocabulary)

    def drop(self, floor: float, allowed: float) -> int:
        """Leave out, at the end, what broke the budget; gives how many."""
        tally = self._trial.tally if self._trial is not None else None
        noisy = tally.noisy(floor, allowed) if tally is not None else set()
        self.final.drop(noisy)
        return len(noisy)


class Candidate:
    """A detector twice: a trial that sees the first part of history only, and the final one."""

    def __init__(self, trial: Detector, final: Detector) -> None:
        self.trial, self.final = trial, final
        self._scores: list[Floats] = []

    def fit(self, windows: Windows, vocabulary: Vocabulary, trial: bool) -> None:
        self.final.fit(windows, vocabulary)
        if trial:
            self.trial.fit(windows, vocabulary)

    def check(self, windows: Windows, vocabulary: Vocabulary) -> None:
        scores = self.trial.score(windows, vocabulary)
        self._scores.append(scores[scores > 0])

    def scores(self, windows: int) -> Floats:
        """All scores of the checked part; the zeros were not kept one by one."""
        above = np.concatenate(self._scores or [np.empty(0)])
        return np.concatenate((above, np.zeros(max(windows - len(above), 0))))


class MakeUp(Candidate):
    """A unit of make-up, which is asked about: it counts what is new in the checked part."""

    def __init__(self, trial: Counts | Unseen, final: Counts | Unseen) -> None:
        super().__init__(trial, final)
        self._judges = trial, final
        self._new: set[int] = set()
        self._alarms = self._windows = 0

    def check(self, windows: Windows, vocabulary: Vocabulary) -> None:
        scores = self.trial.score(windows, vocabulary)
        self._scores.append(scores[scores > 0])
        new = scores >= floor_of(self.trial)
        self._windows += len(windows)
        if new.any():
            self._alarms += int(new.sum())
            keys = self._judges[0].new_keys(windows.select(new), vocabulary)
            self._new.update(keys.tolist())

    def expected(self) -> Expected:
        """What asking by this unit would have cost in the checked part."""
        return Expected(self.final.unit, len(self._new), self._alarms, self._windows)

    def calibrated(self, windows: Windows, vocabulary: Vocabulary) -> Expected:
        """What it would cost, all of history learned, in normal windows that came after it."""
        new = self.final.score(windows, vocabulary) >= floor_of(self.final)
        alarms, keys = int(new.sum()), self._judges[1].new_keys(windows.select(new), vocabulary)
        return Expected(self.final.unit, len(keys), alarms, len(windows), "calibration slice")


def floor_of(detector: Detector) -> float:
    """The score from which on a make-up is a new one.

    >>> floor_of(Counts()), floor_of(Unseen("bigram"))
    (1.0, 1e-09)
    """
    return 1.0 if isinstance(detector, Counts) else 1e-9
