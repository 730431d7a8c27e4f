"""The learner: which detectors run on a given log, chosen from its history alone, with reasons.

Cheapest first: unseen templates (always), bursts and silences (where lines have times), lost
periods and gaps between events of a session (those that keep to the budget), parameters (those that
have settled), what sessions are made of, and their 2-grams. A unit of make-up is used only if
history gives no sign that it breaks the alarm budget: it is fitted on the first part of history,
and the last part (or a calibration slice, where one is given) must not raise more alarms than
allowed. Too little history to tell is said as "history too short".

Limit: the check assumes that sessions stay as they were. Where they do not (HDFS with 5 % to 20 %
of it as history) a unit passes and breaks the budget many times over, and at other lengths the best
unit is left out: docs/decisions/004 has the figures.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Detector, Floats
from logwright.detectors.counts import UNITS, Counts
from logwright.detectors.ladder import Budget, Ladder, Rung
from logwright.detectors.parameters import Parameters
from logwright.detectors.period import LEAST_DIGITS as LEAST_OVERDUE
from logwright.detectors.period import Period
from logwright.detectors.rate import Rate, duration
from logwright.detectors.slots import LEAST_DIGITS, Sketches, pooled
from logwright.detectors.tally import Tally
from logwright.detectors.thresholds import Threshold, by_budget
from logwright.detectors.timing import Timing
from logwright.detectors.unseen import Unseen
from logwright.detectors.words import Words
from logwright.findings.run import many
from logwright.logs.batch import Int32s, Int64s
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Events, Windows, mix

__all__ = ["CHECK_SHARE", "Learner", "floor_of"]

CHECK_SHARE = 0.2
"""The share of history, its last part, on which what was learned from the rest is checked."""

_ERROR = 6
_LEAST_INTERVALS = 20
_LEAST_EXPLORED = 100
_LINES_PER_WINDOW = 100
_EXPLORED_SHARE = 0.05
_LEAST_ALARMS = 0.1
_MANY_SESSIONS, _ONE_IN = 20_000, 8
"""Of so many sessions gaps are learned whole; of further ones from one key in so many."""

_CLEAN_WINDOWS = 3.0
"""Rule of three: a rate r is shown (95 %) by 3 / r windows without an alarm."""


class Learner:
    """Builds a ladder from history that comes in chunks of closed windows, in time order.

    `see` takes all records; `learn` and `learn_intervals` take the windows of the first part of
    history, `check` and `check_intervals` those of the rest: they are scored by detectors that have
    seen the first part only, and then learned as well. `finish` gives the ladder. `exploratory`
    (for `scan`, whose findings are looked at once) takes make-ups from 100 sessions on, unproven.
    """

    def __init__(
        self,
        kind: str,
        interval: int,
        vocabulary: Vocabulary,
        budget: Budget,
        exploratory: bool = False,
    ) -> None:
        self.exploratory = exploratory
        self.kind, self.interval = kind, interval
        self.vocabulary, self.budget = vocabulary, budget
        self.unseen = Unseen("template")
        self.rate = _Candidate(Rate(interval), Rate(interval))
        self.units = [_Unit(Counts(u), Counts(u)) for u in UNITS]
        self.units.append(_Unit(Unseen("bigram"), Unseen("bigram")))
        self.gaps, self.periods = _Watched(Timing()), _Watched(Period(interval))
        if kind != "session":
            self.units = []
        self.windows = self.checked = self.checked_intervals = self._known_before = 0
        self.parameters = Parameters()
        self._words = Words(vocabulary)
        self._left_out: list[str] = []
        self.errors = 0  # lines of level error or worse
        self._checking = False

    def see(self, events: Events, checking: bool) -> None:
        """Take all records of a chunk, whatever windows they fall in: which templates there are."""
        if checking and not self._checking:
            self._checking, self._known_before = True, self.unseen.templates
        self.errors += int(np.count_nonzero(events.level >= _ERROR))
        bounds = np.array([0, len(events)], np.int64)
        number = np.zeros(1, np.int64)
        everything = Windows("count", bounds, events, number, number, np.zeros(1, bool))
        self.unseen.fit(everything, self.vocabulary)
        self._words.see(events)

    def leave_out(self, start: int, end: int) -> None:
        """Say before anything is learned that history lacks this time (ns)."""
        for detector in (self.rate.trial, self.rate.final, self.periods.final):
            assert isinstance(detector, Rate | Period)
            detector.leave_out(start, end)

    def learn(self, windows: Windows, whole: NDArray[np.bool_] | None = None) -> None:
        """Take windows of the first part; sessions that are not `whole` teach no make-up."""
        self._fit(windows if whole is None or whole.all() else windows.select(whole), trial=True)

    def check(self, windows: Windows, whole: NDArray[np.bool_] | None = None) -> None:
        """Take windows of the last part."""
        if whole is not None and not whole.all():
            windows = windows.select(whole)
        for unit in self.units:
            unit.check(windows, self.vocabulary)
        if self.kind == "session":
            self.gaps.check(windows, self.vocabulary)
        self.checked += len(windows)
        self._fit(windows, trial=False)

    def _fit(self, windows: Windows, trial: bool) -> None:
        self.windows += len(windows)
        for unit in self.units:
            unit.fit(windows, self.vocabulary, trial)
        if self.kind == "session":
            self.gaps.fit(windows, self.vocabulary)

    def learn_intervals(self, intervals: Windows) -> None:
        """Take intervals of the first part."""
        self.rate.fit(intervals, self.vocabulary, trial=True)
        self.periods.fit(intervals, self.vocabulary)

    def check_intervals(self, intervals: Windows) -> None:
        """Take intervals of the last part."""
        self.rate.check(intervals, self.vocabulary)
        self.periods.check(intervals, self.vocabulary)
        self.checked_intervals += len(intervals)
        self.rate.fit(intervals, self.vocabulary, trial=False)
        self.periods.fit(intervals, self.vocabulary)

    def take_values(
        self,
        sketches: Sketches,
        shapes: tuple[Int32s, Int64s, list[bytes]],
        cut: int,
        stop: int,
        span: float,
        exemplars: bool,
    ) -> None:
        """Take what the variable tokens of history held, and its shapes (codes, rows of first
        lines, contents by code): rows before `stop`, the last part of them from `cut` on, over
        `span` ns (0 without times)."""
        slots = pooled(sketches, self.vocabulary) + self._words.slots(shapes)
        if span:
            alarms = self.budget.per_time(span)
        else:
            alarms = self.budget.per_session * stop / _LINES_PER_WINDOW
        self._left_out = self.parameters.learn(
            slots, cut, stop, max(alarms, _LEAST_ALARMS), exemplars
        )

    def asked(self) -> list[tuple[str, int, int, int]]:
        """What asking by each unit would have cost in the last part, from strict to lenient: its
        name, distinct new ones, alarms, windows. 2-grams come before sets, templates come last."""
        order = {"count_vector": 0, "capped": 1, "bigram": 2, "event_set": 3}
        units = sorted(
            (u for u in self.units if u.final.unit in order), key=lambda u: order[u.final.unit]
        )
        new = self.unseen.templates - self._known_before
        told = [(u.final.unit, u.questions, u.alarms, self.checked) for u in units]
        return [*told, ("template", new, new, self.checked)]

    def finish(self, calibration: Windows | None = None) -> Ladder:
        """The ladder, with reasons; `calibration` is a further slice of normal windows."""
        ladder = Ladder()
        unseen = Threshold(self.unseen.surprise, "any template that history never held")
        known = f"{many(self.unseen.templates, 'template')} in "
        known += f"{many(self.unseen.records, 'line')} of history"
        new = self.unseen.templates - self._known_before
        known += f", {new:,} of them first seen in its last {CHECK_SHARE:.0%}"
        ladder.rungs.append(Rung(self.unseen, unseen, "records", known))
        self._add_rate(ladder)
        self._add_timing(ladder)
        self._add_parameters(ladder)
        if self.kind == "session":
            self._add_unit(ladder, calibration)
        else:
            ladder.reasons.append("counts not used: lines are not grouped by session")
        ladder.reasons[:0] = [
            f"{r.detector.name} ({r.detector.unit}): {r.reason}" for r in ladder.rungs
        ]
        return ladder

    def _add_rate(self, ladder: Ladder) -> None:
        rate = self.rate.final
        assert isinstance(rate, Rate)
        if not self.interval or rate.slots < _LEAST_INTERVALS:
            why = f"history too short ({rate.slots} intervals, {_LEAST_INTERVALS} are needed)"
            ladder.reasons.append(f"rate not used: {why if self.interval else 'no times'}")
            return
        tests = len(self.vocabulary) * 86400e9 / self.interval
        floor = max(2.0, float(np.log10(max(tests / self.budget.alarms, 1.0))))
        scores = self.rate.scores(self.checked_intervals)
        allowed = self.budget.per_time(self.checked_intervals * self.interval)
        threshold = by_budget(scores, max(allowed, 1.0), floor)
        every = f"{rate.slots:,} intervals of {duration(self.interval)}"
        reason = f"{every}; alarms at {threshold.value:.1f} digits of improbability"
        ladder.rungs.append(Rung(rate, threshold, "intervals", reason))

    def _add_timing(self, ladder: Ladder) -> None:
        """Lost periods, which the rate's silences then leave alone, and gaps within sessions."""
        period, gap = self.periods.final, self.gaps.final
        assert isinstance(period, Period)
        assert isinstance(gap, Timing)
        allowed = self.budget.per_time(self.checked_intervals * self.interval)
        dropped = self.periods.drop(LEAST_OVERDUE, max(allowed, 1.0))
        if len(period.watched):
            assert isinstance(self.rate.final, Rate)
            self.rate.final.leave(period.watched)
            reason = f"{many(len(period.watched), 'template')} with a steady period"
            reason += f"; {dropped:,} left out, unsteady in the last part of history" * bool(
                dropped
            )
            overdue = Threshold(LEAST_OVERDUE, "a beat that is overdue")
            ladder.rungs.append(Rung(period, overdue, "intervals", reason))
        if self.kind != "session" or not self.windows:
            return
        per_session = self.unseen.records / self.windows
        floor = float(np.log10(max(per_session, 1.0) / self.budget.per_session))
        dropped = self.gaps.drop(floor, max(self.budget.per_session * self.checked, 1.0))
        if gap.pairs:
            reason = f"{many(gap.pairs, 'pair')} of events; alarms at {floor:.1f} digits"
            reason += f"; {dropped:,} left out, unsteady in the last part of history" * bool(
                dropped
            )
            improbable = Threshold(floor, "an improbable time between two events")
            ladder.rungs.append(Rung(gap, improbable, "windows", reason))

    def _add_parameters(self, ladder: Ladder) -> None:
        """The parameters that have settled, where there are any."""
        ladder.reasons += [f"parameters left out: {reason}" for reason in self._left_out]
        if not len(self.parameters):
            ladder.reasons.append("parameters not used: none has enough lines and has settled")
            return
        numbers, values, forms = self.parameters.watched
        watched = f"{many(numbers, 'number')}, {many(values, 'field')} of few values"
        reason = f"{watched}, {many(forms, 'form')}"
        threshold = Threshold(LEAST_DIGITS, "chosen per parameter, by the alarm budget")
        ladder.rungs.append(Rung(self.parameters, threshold, "records", reason))

    def _add_unit(self, ladder: Ladder, calibration: Windows | None) -> None:
        """The strictest unit of make-up that has settled; 2-grams where none has."""
        rate = self.budget.per_session
        needed = _CLEAN_WINDOWS / rate / CHECK_SHARE
        short = self.windows < needed
        if self.windows < (_LEAST_EXPLORED if self.exploratory else needed):
            ladder.reasons.append(
                f"counts not used: history too short ({self.windows:,} sessions; to show that "
                f"make-ups keep to the alarm budget takes {needed:,.0f})"
            )
            return
        for unit in self.units:
            final = unit.final
            name = f"{final.name} ({final.unit})"
            floor = floor_of(final)
            scores, basis = unit.scores(self.checked), "last part of history"
            over = int((scores >= floor).sum())
            if over <= max(rate * len(scores), 1.0) and calibration is not None:
                scores, basis = final.score(calibration, self.vocabulary), "calibration slice"
                over = int((scores >= floor).sum())
            allowed = max(rate * len(scores), 1.0)
            # A log that is scanned may hold in its past what is looked for: the threshold, not the
            # unit, keeps alarms within the budget there.
            if over > max(allowed, _EXPLORED_SHARE * len(scores) * self.exploratory):
                ladder.reasons.append(
                    f"{name} not used, has not settled: {over:,} of {len(scores):,} sessions of "
                    f"the {basis} would be alarms, {allowed:.3g} may"
                )
                continue
            threshold = by_budget(scores, allowed, floor)
            reason = f"{over:,} of {len(scores):,} sessions of the {basis} would be alarms"
            reason += f", {allowed:.3g} may"
            if threshold.value > floor:
                reason += f": threshold raised to {threshold.value:.3g}"
            if short:
                reason = f"unproven, history short ({self.windows:,} sessions): {reason}"
            ladder.rungs.append(Rung(final, threshold, "windows", reason))
            return


class _Watched:
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


class _Candidate:
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


class _Unit(_Candidate):
    """A unit of make-up, which is asked about, too: it counts what is new in the checked part."""

    def __init__(self, trial: Counts | Unseen, final: Counts | Unseen) -> None:
        super().__init__(trial, final)
        self._of_new = trial
        self._new: set[int] = set()
        self.alarms = 0

    def check(self, windows: Windows, vocabulary: Vocabulary) -> None:
        scores = self.trial.score(windows, vocabulary)
        self._scores.append(scores[scores > 0])
        new = scores >= floor_of(self.trial)
        if new.any():
            self.alarms += int(new.sum())
            keys = self._of_new.new_keys(windows.select(new), vocabulary)
            self._new.update(keys.tolist())

    @property
    def questions(self) -> int:
        """How many different new ones the checked part held."""
        return len(self._new)


def floor_of(detector: Detector) -> float:
    """The score from which on a make-up is a new one."""
    return 1.0 if isinstance(detector, Counts) else 1e-9
