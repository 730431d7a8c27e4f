"""The past: which lines `scan` judges, and which it takes as normal for them.

The past is what comes before `since`; where no time was asked for, the first half of the input. In
the second case nobody has said that the past was normal: what went wrong in it is told, too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

import numpy as np

from logwright.detectors.ladder import Ladder, Rung
from logwright.detectors.rare import Rare
from logwright.detectors.thresholds import Threshold
from logwright.detectors.unseen import Unseen
from logwright.errors import InputError
from logwright.feedback.judge import Judge
from logwright.findings.finding import Finding
from logwright.findings.run import from_ns, many
from logwright.intake import Intake
from logwright.learning import STEP
from logwright.logs.batch import NO_TIME
from logwright.logs.coder import BLANK
from logwright.logs.inputs import expand
from logwright.logs.selection import Selection
from logwright.logs.timestamps import iso
from logwright.pipeline import Pipeline, to_events
from logwright.settings import Settings
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import WindowPlan
from logwright.windows.window import Events

__all__ = ["PAST", "first_from", "of_the_log", "period", "split", "trouble_before"]

PAST = 0.5
"""The share of its lines that `scan` takes as a log's own past."""

_LEAST_PAST = 5


def period(inputs: Sequence[str], settings: Settings) -> tuple[int, Settings]:
    """The time (ns) from which on `scan` judges, `NO_TIME` where it is free to choose, and settings
    with which also the past before it is read."""
    if settings.since is None and settings.around is None:
        return NO_TIME, settings
    written = [os.stat(n).st_mtime for n in expand(inputs) if n != "-" and os.path.exists(n)]
    selection = Selection.of(settings, max(written, default=time.time()))
    assert selection is not None
    until = None if selection.until == NO_TIME else iso(selection.until)
    update = {"since": None, "around": None, "until": until}
    return selection.since, settings.model_copy(update=update)


def of_the_log(given: Intake, asked: Settings, since: int) -> tuple[int, int]:
    """`since`, and where the reader has not seen to it, until when (ns, or `NO_TIME`).

    A file that was copied looks newer than what it tells of: where no line is as late as `since`,
    times such as '10:00' and '15m' are those before the log's last line.
    """
    if since == NO_TIME or given.last == NO_TIME or since <= given.last:
        return since, NO_TIME
    selection = Selection.of(asked, given.last / 1e9)
    if selection is None or selection.since == since:
        return since, NO_TIME
    given.note(f"the log ends on {_clock(given.last)}: the time asked for is taken from there")
    return selection.since, selection.until


def split(given: Intake, since: int) -> tuple[int, str]:
    """The first row that `scan` judges, and in words what comes before it: the past."""
    rows = given.recording.rows
    if since == NO_TIME:
        first = int(rows * PAST)
        past = f"the first {PAST:.0%} of the input ({many(first, 'line')})"
        few = f"{many(rows, 'line')}: too few to have a past, nothing is judged"
    else:
        first = first_from(given, since)
        past = f"the {many(first, 'line')} before {_clock(since)}"
        few = f"{many(first, 'line')} before {_clock(since)}: too few for a past: nothing is judged"
        _check_range(given, since, first)
    if first < _LEAST_PAST:
        given.note(few)
        first = rows
    return first, past


def trouble_before(
    given: Intake,
    vocabulary: Vocabulary,
    plan: WindowPlan,
    ladder: Ladder,
    first: int,
    judge: Judge | None,
) -> list[Finding]:
    """Findings of templates that name trouble and are rare in the log, though they come before row
    `first`, which makes them known (`detectors.rare`)."""
    surprise = next(r.threshold.value for r in ladder.rungs if isinstance(r.detector, Unseen))
    rare = Rare(surprise)
    known = np.zeros(len(vocabulary), bool)
    for begin, stop in ((0, first), (first, given.recording.rows)):
        for _, columns in given.recording.read(begin, stop, STEP, ("shape", "level")):
            filled = columns["shape"] != BLANK
            template = vocabulary.of(columns["shape"][filled])
            rare.count(template, columns["level"][filled], vocabulary)
            if begin < first:
                known |= np.bincount(template, minlength=len(vocabulary)) > 0
    wanted = np.zeros(len(vocabulary), bool)
    wanted[list(rare.found(vocabulary))] = True
    wanted &= known
    if not wanted.any():
        return []
    found = []
    for rows, columns in given.recording.read(0, given.recording.rows, STEP):
        events = to_events(rows, columns, vocabulary)
        found.append(events.take(wanted[events.template]))
    rung = Rung(rare, Threshold(1e-9, "any"), "records", "rare lines that name trouble")
    everything = {"kind": "count", "size": 1 << 40, "step": 1 << 40, "interval": 0}
    whole = plan.model_copy(update=everything)
    pipeline = Pipeline(vocabulary, Ladder([rung]), whole, given, judge=judge)
    return [*pipeline.judge(Events.concat(found)), *pipeline.finish()]


def first_from(given: Intake, since: int) -> int:
    """The first row that is not before `since`; the number of rows where there is none."""
    for rows, columns in given.recording.read(0, given.recording.rows, STEP):
        at = np.flatnonzero(columns["ts"] >= since)
        if len(at):
            return int(rows[at[0]])
    return given.recording.rows


def _check_range(given: Intake, since: int, first: int) -> None:
    if first < given.recording.rows:
        return
    if given.first == NO_TIME:
        raise InputError("a time was asked for, but no line has a time that can be read")
    span = f"{_clock(given.first)} to {_clock(given.last)}"
    raise InputError(f"no line from {_clock(since)} on: the lines that were read are from {span}")


def _clock(ns: int) -> str:
    return f"{from_ns(ns):%Y-%m-%d %H:%M:%S} UTC"
