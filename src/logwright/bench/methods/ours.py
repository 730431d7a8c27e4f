"""Ours: the ladder at each step, and the judge above it, with and without answers.

The ladder is what `learn` builds: it chooses from history which rungs run, and says why
(`reasons`). Its score is that of the rung that is surest: from 1 on the rung's own threshold is
reached, by which score 1 is an alarm. Rungs that judge lengths of time, or values in raw text, are
not part of it: the windows of a benchmark hold neither. Templates must be in the vocabulary.

`Judged` is what a user is shown who answers nothing; `AskOnce` is one who answers what is asked.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from logwright.bench import asking, parts
from logwright.bench.methods.base import Needs
from logwright.detectors.base import Floats
from logwright.detectors.ladder import Budget, Rung
from logwright.detectors.learner import CHECK_SHARE, Learner
from logwright.detectors.unit import choose
from logwright.settings import Settings
from logwright.windows.window import Windows

__all__ = ["AskOnce", "Judged", "OurLadder"]

_NOT_JUDGED = ("rate not used", "parameters not used")
_UNLABELLED = ", history as it came"
"""Added to names where history was not rid of what is abnormal in it, as a user's is not."""

_BELOW = float(np.nextafter(1.0, 0.0))
_LINES_A_DAY = 1  # experts here have no daily limit, for which alone a day's length matters
_STEPS = {
    "unseen": "ladder: unseen template",
    "make-up": "ladder: and make-up of windows",
    "whole": "ladder: whole",
}


def _learned(train: parts.Train) -> Learner:
    """A learner that has seen history as `learn` shows it: its last part is for checking."""
    windows = train.windows
    learner = Learner(windows.kind, 0, train.vocabulary, Budget(Settings().budget))
    first = np.arange(len(windows)) < int(len(windows) * (1 - CHECK_SHARE))
    for which, checking in ((first, False), (~first, True)):
        one = windows.select(which)
        learner.see(one.events, checking)
        (learner.check if checking else learner.learn)(one)
    return learner


class OurLadder:
    """The ladder up to a step, with a calibration slice where validation has windows."""

    natural: float | None = 1.0
    seeded = False

    def __init__(
        self, step: Literal["unseen", "make-up", "whole"] = "whole", needs: Needs = "normal"
    ) -> None:
        self.name = _STEPS[step] + _UNLABELLED * (needs == "nothing")
        self.needs = needs
        self.reasons: list[str] = []
        self._step = step

    def fit(self, train: parts.Train) -> None:
        """Choose the rungs and their thresholds from history."""
        ladder = _learned(train).finish(train.validation if len(train.validation) else None)
        self.reasons = [r for r in ladder.reasons if not r.startswith(_NOT_JUDGED)]
        self._vocabulary = train.vocabulary
        self._rungs = [rung for rung in ladder.rungs if self._belongs(rung)]

    def _belongs(self, rung: Rung) -> bool:
        if rung.reads == "intervals":  # they judge lengths of time, not these windows
            return False
        first = rung.detector.name == "unseen" and rung.detector.unit == "template"
        make_up = rung.detector.name == "counts" or rung.detector.unit == "bigram"
        return first or (make_up and self._step == "make-up") or self._step == "whole"

    def score(self, windows: Windows) -> Floats:
        """The surest rung: its share of the threshold below 1, from there 1 and the excess."""
        out = np.zeros(len(windows))
        for rung in self._rungs:
            scores, limit = rung.detector.score(windows, self._vocabulary), rung.threshold.value
            above = 1.0 + (scores - limit)
            share = np.minimum(scores / limit, _BELOW)
            np.maximum(out, np.where(rung.threshold.alarms(scores), above, share), out=out)
        return out


class _Asked:
    """What the judge is given: history, and the unit that the product asks by."""

    seeded = False
    _called = ""

    def __init__(self, needs: Needs = "normal") -> None:
        self.name = self._called + _UNLABELLED * (needs == "nothing")
        self.needs = needs
        self.reasons: list[str] = []

    def fit(self, train: parts.Train) -> None:
        """Choose the unit to ask by from history."""
        choice = choose(_learned(train).asked())
        self.reasons = [choice.reason]
        self._train, self._unit = train, choice.unit

    def _part(self, windows: Windows) -> asking.Part:
        train = self._train
        return asking.Part(
            train.windows, windows, train.vocabulary, train.texts, self._unit, _LINES_A_DAY
        )


class Judged(_Asked):
    """The judge, and nobody answers: an alarm for each window it would still raise.

    It judges windows in their order, and what it has raised often it takes for less: the windows of
    one call are one run. Each call begins anew.
    """

    natural: float | None = 1.0
    _called = "judge: nobody answers"

    def score(self, windows: Windows) -> Floats:
        """1 where the judge raises something, else 0."""
        outcome = asking.ask(self._part(windows), np.zeros(len(windows), bool), None)
        return outcome.flagged.astype(np.float64)


class AskOnce(_Asked):
    """An expert answers each question by the true labels, as it comes. No method in the sense of
    `base.Method`, since it reads the labels of the test part, one per question: a table of its own.
    """

    _called = "judge: ask once"

    def answer(self, part: parts.Part, expert: asking.Expert | None = None) -> asking.Outcome:
        """What was flagged before each answer, what is left with the answers applied, and which
        windows were asked about (`Outcome.asked`)."""
        return asking.ask(self._part(part.windows), part.truth, expert or asking.Expert())
