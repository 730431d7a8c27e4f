"""Learning: from recorded history to a window plan and a fitted ladder."""

from __future__ import annotations

from logwright.detectors.ladder import CHECK_SHARE, Budget, Ladder, Learner
from logwright.intake import Intake
from logwright.logs.batch import NO_TIME
from logwright.pipeline import Assemblers, to_events
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import WindowPlan, choose_plan
from logwright.windows.sessions import whole
from logwright.windows.window import Windows

__all__ = ["STEP", "learn_ladder", "plan_of"]

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

    Sessions are taken whole: one that began before `stop` is read on beyond it.
    """
    cut = int(stop * (1.0 - CHECK_SHARE))
    budget = Budget(given.settings.budget)
    learner = Learner(plan.kind, plan.interval, vocabulary, budget, exploratory)
    assemblers = Assemblers.of(plan, vocabulary)

    def take(windows: Windows, last: int) -> None:
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
                learner.see(events, checking=begin >= cut)
                slots = assemblers.push_intervals(events)
                if slots is not None:
                    (learner.learn_intervals if begin < cut else learner.check_intervals)(slots)
            take(assemblers.windows.push(events), NO_TIME)
    slots = assemblers.flush_intervals()
    if slots is not None:
        learner.check_intervals(slots)
    take(assemblers.windows.flush(), given.last)
    if exploratory and learner.errors:
        given.note(
            f"the past holds {learner.errors:,} lines of level error or worse, which count as "
            "normal: give a healthy log with --baseline to see them"
        )
    return learner.finish()
