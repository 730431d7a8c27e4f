"""Learning: from recorded history to a window plan and a fitted ladder."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.ladder import Budget, Ladder
from logwright.detectors.learner import CHECK_SHARE, Learner
from logwright.detectors.suspect import Suspect, Suspects, worded_levels
from logwright.findings.run import many
from logwright.intake import Intake
from logwright.logs.batch import NO_TIME, Int64s
from logwright.pipeline import Assemblers, to_events
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import WindowPlan, choose_plan
from logwright.windows.sessions import whole
from logwright.windows.window import Windows

__all__ = ["STEP", "learn_ladder", "plan_of", "suspects_of", "within"]

_MOST_WORDED = 20_000
"""Templates whose words are looked at for trouble; with more of them levels have to do."""

STEP = 1 << 20
"""Records taken at a time from a recording."""


def plan_of(given: Intake) -> WindowPlan:
    """The window plan of what was taken in."""
    sessions = given.reader.session is not None
    settings = given.settings_for_plan() if sessions else given.settings
    return choose_plan(settings, sessions, given.recording.rows, given.span)


def learn_ladder(
    given: Intake, stop: int, plan: WindowPlan, vocabulary: Vocabulary, exploratory: bool
) -> Ladder:
    """Fit the ladder on the recorded rows before `stop`: four fifths first, then the check part.

    Sessions are taken whole: one that began before `stop` is read on beyond it. Stretches that look
    like an incident are left out, with the sessions that touch them.
    """
    cut = int(stop * (1.0 - CHECK_SHARE))
    budget = Budget(given.settings.budget)
    learner = Learner(plan.kind, plan.interval, vocabulary, budget, exploratory)
    assemblers = Assemblers.of(plan, vocabulary)
    left_out = [] if given.settings.keep_suspect else suspects_of(given, stop, vocabulary)
    for stretch in left_out:
        given.note(f"left out of what is normal: {stretch.reason}")
        if plan.interval and stretch.start != NO_TIME:
            learner.leave_out(stretch.start, stretch.end)

    def take(windows: Windows, last: int) -> None:
        touched = within(windows.events.row, left_out)
        if touched is not None:
            healthy = np.ones(len(windows), bool)
            healthy[windows.owner[touched]] = False
            windows = windows.select(healthy)
        complete = whole(windows, given.first, last, plan.edge)
        row = windows.events.row[windows.bounds[:-1]]
        for part, learn in (
            (row < cut, learner.learn),
            ((row >= cut) & (row < stop), learner.check),
        ):
            learn(windows if part.all() else windows.select(part), complete[part])

    end = given.recording.rows if plan.kind == "session" else stop
    for begin, until in ((0, cut), (cut, stop), (stop, end)):
        for numbers, columns in given.recording.read(begin, until, STEP):
            events = to_events(numbers, columns, vocabulary)
            if begin < stop:
                touched = within(events.row, left_out)
                healthy_events = events if touched is None else events.take(~touched)
                learner.see(healthy_events, checking=begin >= cut)
                slots = assemblers.push_intervals(healthy_events)
                if slots is not None:
                    (learner.learn_intervals if begin < cut else learner.check_intervals)(slots)
            if plan.kind == "session":  # no detector learns from other windows
                take(assemblers.windows.push(events), NO_TIME)
    slots = assemblers.flush_intervals()
    if slots is not None:
        learner.check_intervals(slots)
    if plan.kind == "session":
        take(assemblers.windows.flush(), given.last)
    span = given.span * stop / max(given.recording.rows, 1)
    exemplars = given.settings.exemplars
    learner.take_values(given.sketches(), given.shapes(), cut, stop, span, exemplars)
    if exploratory and learner.errors:
        given.note(
            f"the past holds {many(learner.errors, 'line')} of level error or worse: what is "
            "common in it counts as normal (give a healthy log with --baseline to see it)"
        )
    return learner.finish()


def suspects_of(given: Intake, stop: int, vocabulary: Vocabulary) -> list[Suspect]:
    """The stretches of the rows before `stop` that look like an incident."""
    texts = [t.text for t in vocabulary.templates] if len(vocabulary) <= _MOST_WORDED else []
    worded = worded_levels(texts) if texts else np.zeros(len(vocabulary), np.int8)
    suspects = Suspects(timed=given.span > 0)
    for rows, columns in given.recording.read(0, stop, STEP):
        events = to_events(rows, columns, vocabulary)
        if not events.level.all():
            level = np.where(events.level == 0, worded[events.template], events.level)
            events = dataclasses.replace(events, level=level)
        suspects.add(events)
    found = suspects.found()
    if suspects.note:
        given.note(suspects.note)
    return found


def within(rows: Int64s, stretches: Sequence[Suspect]) -> NDArray[np.bool_] | None:
    """Which rows lie in one of the stretches; None where none does."""
    if not stretches or not len(rows):
        return None
    inside = np.zeros(len(rows), bool)
    for stretch in stretches:
        inside |= (rows >= stretch.first_row) & (rows <= stretch.last_row)
    return inside if inside.any() else None
