"""The ladder: the detectors that run on a log, cheapest first, and what they raise.

Unseen templates (always), bursts and silences, lost periods and gaps between events of a session,
parameters, what sessions are made of, and the order of their events, where that was trained. Which
of them run is chosen from history: see `learner`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Detector, Evidence
from logwright.detectors.parameters import Parameters
from logwright.detectors.period import Period
from logwright.detectors.rules import Rules
from logwright.detectors.sequence import NextEvent
from logwright.detectors.thresholds import Threshold
from logwright.detectors.timing import Timing
from logwright.errors import MissingExtraError
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

__all__ = ["Alarm", "Budget", "Ladder", "Reads", "Rung"]


@dataclass(frozen=True, slots=True)
class Budget:
    """Alarms that normal data may raise: per day of intervals, and per 10,000 sessions."""

    alarms: float

    def per_time(self, ns: float) -> float:
        """Alarms allowed over a length of time.

        >>> Budget(10).per_time(43_200e9)
        5.0
        """
        return self.alarms * ns / 86400e9

    @property
    def per_session(self) -> float:
        """The share of sessions that may raise an alarm."""
        return self.alarms / 10_000


Reads = Literal["records", "windows", "intervals", "own"]
"""What a detector reads: the plan's windows; the rate detector's intervals; all records, in the
plan's windows or, where a record belongs to no session, in `loose` ones; or windows of its `own`,
as rules do that were made for others than the plan's."""


@dataclass(slots=True)
class Rung:
    """One step: a detector with its threshold, what it reads, and why it runs."""

    detector: Detector
    threshold: Threshold
    reads: Reads
    reason: str


@dataclass(slots=True)
class Alarm:
    """What a rung raises for one window. Who takes it may say that it is `settled`, because a
    verdict says so: then it hides the window from no later rung."""

    window: int
    rung: Rung
    evidence: list[Evidence]
    settled: bool = False


@dataclass(slots=True)
class Ladder:
    """The chosen rungs, cheapest first, and what was left out and why (`reasons`)."""

    rungs: list[Rung] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    muted: int = 0
    """How often something was not raised because all its templates are muted."""

    @property
    def parameters(self) -> Parameters | None:
        """The detector of parameters, which looks at a run's batches before its windows close."""
        found = (r.detector for r in self.rungs if isinstance(r.detector, Parameters))
        return next(found, None)

    @property
    def rules(self) -> Rules | None:
        """The rules, which look at a run's batches before its windows close."""
        found = (r.detector for r in self.rungs if isinstance(r.detector, Rules))
        return next(found, None)

    def add_rules(self, rules: Rules, own: bool) -> None:
        """Put rules before what asks about the make-up of windows; on windows of their `own`, or on
        the plan's."""
        threshold = Threshold(1.0, "a rule says so")
        told = f"{len(rules) - len(rules.shadows):,} active"
        told += f", {len(rules.shadows):,} in shadow" if rules.shadows else ""
        rung = Rung(rules, threshold, "own" if own else "windows", told)
        at = next((i for i, r in enumerate(self.rungs) if r.reads == "windows"), len(self.rungs))
        self.rungs.insert(at, rung)
        self.reasons.insert(at, f"rules (rule): {told}")

    def add_sequence(self, rung: Rung) -> None:
        """Put a trained step last, in place of an earlier one."""
        told = f"{rung.detector.name} ({rung.detector.unit}): "
        self.rungs = [r for r in self.rungs if not isinstance(r.detector, NextEvent)]
        self.reasons = [reason for reason in self.reasons if not reason.startswith(told)]
        self.rungs.append(rung)
        self.reasons.append(f"{told}{rung.reason}")

    def leave_out(self) -> list[str]:
        """Take out the steps that cannot run as something is not installed, and say so, a sentence
        each."""
        said = []
        for rung in list(self.rungs):
            if isinstance(rung.detector, NextEvent):
                try:
                    rung.detector.open()
                except MissingExtraError as error:
                    self.rungs.remove(rung)
                    said.append(f"the sequence step of this model does not run: {error}")
        return said

    def fresh(self) -> Ladder:
        """A copy that starts anew, as if it had been saved and loaded."""
        rungs = []
        for rung in self.rungs:
            detector = type(rung.detector)()
            detector.load(rung.detector.save())
            rungs.append(Rung(detector, rung.threshold, rung.reads, rung.reason))
        return Ladder(rungs, list(self.reasons))

    def detect(
        self,
        kind: Literal["windows", "intervals", "loose", "own"],
        windows: Windows,
        vocabulary: Vocabulary,
        whole: NDArray[np.bool_] | None = None,
        normal: NDArray[np.bool_] | None = None,
    ) -> Iterable[Alarm]:
        """Every alarm among windows of one kind.

        Where `whole` says that the input shows only a part of a session, its make-up is not judged.
        Templates that are `normal` by now (a mask by index) are no part of a make-up.

        Rules may say that a window is normal, too: it is then not asked about its make-up.

        A window that a cheaper rung has flagged is not asked about its make-up again; what values
        and gaps say is neither hidden by others nor hides anything. Nothing is raised for muted
        templates alone.
        """
        if not len(windows):
            return
        flagged = np.zeros(len(windows), bool)
        for rung in self.rungs:
            every = rung.reads == "records" and kind in ("windows", "loose")
            if rung.reads != kind and not every:
                continue
            alone = isinstance(rung.detector, Parameters | Period | Timing)
            ruled = isinstance(rung.detector, Rules)
            make_up = rung.reads == "windows" and not alone and not ruled
            judged = windows
            if make_up and normal is not None and normal[windows.events.template].any():
                judged = windows.without(normal)
            fine = np.zeros(len(windows), bool)
            if isinstance(rung.detector, Rules):
                scores, fine = rung.detector.judged(judged, vocabulary, whole)
            elif isinstance(rung.detector, NextEvent):  # costs most: only what nobody has judged
                asked = ~flagged & (judged.sizes > 0) & (True if whole is None else whole)
                scores = np.zeros(len(judged))
                scores[asked] = rung.detector.score(judged.select(asked), vocabulary)
            else:
                scores = rung.detector.score(judged, vocabulary)
            alarms = rung.threshold.alarms(scores)
            if make_up:
                alarms &= ~flagged & (judged.sizes > 0)
                if whole is not None:
                    alarms &= whole
            for i in np.flatnonzero(alarms).tolist():
                found = rung.detector.evidence(judged, i, vocabulary, rung.threshold.value)
                heard = [e for e in found if not _is_muted(e, vocabulary)]
                self.muted += len(found) - len(heard)
                alarm = Alarm(i, rung, heard)
                if heard:
                    yield alarm
                alarms[i] = bool(heard) and not alarm.settled
            if not alone:
                flagged |= alarms | fine


def _is_muted(evidence: Evidence, vocabulary: Vocabulary) -> bool:
    told = [vocabulary.templates[t] for t in evidence.templates]
    return bool(told) and all(template.muted for template in told)
