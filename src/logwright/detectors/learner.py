"""The learner: which detectors run on a given log, chosen from its history alone, with reasons.

Cheapest first: unseen templates (always), bursts and silences (where lines have times), lost
periods and gaps between events of a session (those that keep to the budget), parameters (those that
have settled), and what sessions are made of, by one unit.

The unit is the strictest one that asks rarely enough (`unit.choose`): each is fitted on the first
part of history, and what the last part (or a calibration slice, where one is given) holds that is
new is counted. As a pattern is asked about once, a make-up that comes a hundred times is one
question; it does not raise the threshold either, since that would hide what comes once. Too little
history to tell is said as "history too short". For `scan`, where each finding is looked at and
nobody has answered yet, each alarm counts, and the threshold keeps them within the budget.

Limit: the check assumes that sessions stay as they were. Where they do not (HDFS with 5 % to 20 %
of it as history) a unit passes and alarms many times over the budget until its questions are
answered: docs/decisions/004 has the figures.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.counts import UNITS, Counts
from logwright.detectors.ladder import Budget, Ladder, Rung
from logwright.detectors.parameters import Parameters
from logwright.detectors.period import LEAST_DIGITS as LEAST_OVERDUE
from logwright.detectors.period import Period
from logwright.detectors.rate import Rate, duration
from logwright.detectors.slots import LEAST_DIGITS, Sketches, pooled
from logwright.detectors.thresholds import Threshold, by_budget
from logwright.detectors.timing import Timing
from logwright.detectors.trial import Candidate, MakeUp, Watched, floor_of
from logwright.detectors.unit import ORDER, Expected, choose
from logwright.detectors.unseen import Unseen
from logwright.detectors.words import Words
from logwright.findings.run import many
from logwright.logs.batch import Int32s, Int64s
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Events, Windows

__all__ = ["CHECK_SHARE", "Learner"]

CHECK_SHARE = 0.2
"""The share of history, its last part, on which what was learned from the rest is checked."""

_ERROR = 6
_LEAST_INTERVALS = 20
_LEAST_EXPLORED = 100
_LINES_PER_WINDOW = 100
_EXPLORED_SHARE = 0.05
_LEAST_ALARMS = 0.1
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
        self.rate = Candidate(Rate(interval), Rate(interval))
        self.units = [MakeUp(Counts(u), Counts(u)) for u in UNITS if exploratory or u in ORDER]
        self.units.append(MakeUp(Unseen("bigram"), Unseen("bigram")))
        self.gaps, self.periods = Watched(Timing()), Watched(Period(interval))
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

    def asked(self) -> list[Expected]:
        """What asking by each unit would have cost in the last part, from strict to lenient."""
        units = {u.final.unit: u.expected() for u in self.units}
        new = self.unseen.templates - self._known_before
        units["template"] = Expected("template", new, new, self.checked)
        return [units[name] for name in ORDER if name in units]

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
        """The unit of make-up that is asked about, if it is not the template alone."""
        needed = _CLEAN_WINDOWS / self.budget.per_session / CHECK_SHARE
        if self.exploratory and self.windows >= _LEAST_EXPLORED:
            self._add_explored(ladder, short=self.windows < needed)
            return
        if self.windows < needed:
            ladder.reasons.append(
                f"counts not used, questions are asked by template: history too short "
                f"({self.windows:,} sessions; to show that make-ups keep to the alarm budget takes "
                f"{needed:,.0f})"
            )
            return
        candidates = {u.final.unit: u for u in self.units}
        units = self.asked()
        if calibration is not None:
            for at, last in enumerate(units[:-1]):  # what either says against a unit counts
                later = candidates[last.unit].calibrated(calibration, self.vocabulary)
                units[at] = max(last, later, key=lambda each: each.rate)
        choice = choose(units, 1000.0 * self.budget.per_session)
        if choice.unit not in candidates:
            ladder.reasons.append(f"counts not used: {choice.reason}")
            return
        final = candidates[choice.unit].final
        threshold = Threshold(floor_of(final), "any make-up that history never held")
        ladder.rungs.append(Rung(final, threshold, "windows", choice.reason))

    def _add_explored(self, ladder: Ladder, short: bool) -> None:
        """The strictest unit that flags few sessions, with a threshold that keeps to the budget: a
        log that is scanned may hold in its past what is looked for."""
        for unit in self.units:
            final = unit.final
            name, floor = f"{final.name} ({final.unit})", floor_of(final)
            scores = unit.scores(self.checked)
            over, allowed = int((scores >= floor).sum()), self.budget.per_session * len(scores)
            told = f"{over:,} of {len(scores):,} sessions of the last part of history would be "
            told += f"alarms, {max(allowed, 1.0):.3g} may"
            if over > max(allowed, 1.0, _EXPLORED_SHARE * len(scores)):
                ladder.reasons.append(f"{name} not used, has not settled: {told}")
                continue
            threshold = by_budget(scores, max(allowed, 1.0), floor)
            if threshold.value > floor:
                told += f": threshold raised to {threshold.value:.3g}"
            if short:
                told = f"unproven, history short ({self.windows:,} sessions): {told}"
            ladder.rungs.append(Rung(final, threshold, "windows", told))
            return
