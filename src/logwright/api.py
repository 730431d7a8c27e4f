"""Learn, detect, scan: whole runs, from names of files to findings.

>>> import logwright as lw, tempfile, pathlib
>>> log = pathlib.Path(tempfile.mkdtemp(), "app.log")
>>> _ = log.write_text("".join(f"job {i} done\\n" for i in range(50)) + "disk full on /var\\n")
>>> [(f.severity, f.lines[0].line_no) for f in lw.scan(str(log)).findings]
[('low', 51)]
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from logwright.detectors.ladder import CHECK_SHARE, Budget, Ladder, Learner
from logwright.findings.finding import SEVERITIES, Finding
from logwright.findings.run import Run, ranked
from logwright.intake import Intake, Progress
from logwright.logs.batch import NO_TIME
from logwright.logs.sessions import SessionKey
from logwright.logs.timestamps import iso
from logwright.model import History, Model
from logwright.pipeline import Pipeline, to_events
from logwright.settings import Settings, load_settings
from logwright.templates.miner import Miner
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import WindowPlan, choose_plan
from logwright.windows.window import Windows

__all__ = ["PAST", "Result", "detect", "learn", "load", "scan"]

PAST = 0.5
"""The share of its lines that `scan` takes as a log's own past."""

_STEP = 1 << 20
_REMEMBERED = ("format", "label_prefix", "timezone", "max_line_bytes", "budget")
"""Settings that a model remembers, so that `detect` reads and judges as `learn` did."""


@dataclass(slots=True)
class Result:
    """Findings, most telling first, and what a report says of the run."""

    findings: list[Finding]
    run: Run


def _plan(given: Intake) -> WindowPlan:
    sessions = given.reader.session is not None
    return choose_plan(given.settings, sessions, given.recording.rows, given.span)


def _learn_ladder(
    given: Intake,
    rows: tuple[int, int],
    plan: WindowPlan,
    vocabulary: Vocabulary,
    settings: Settings,
    exploratory: bool,
) -> Ladder:
    """Fit the ladder on recorded rows: the first four fifths, then the check part."""
    first, stop = rows
    cut = first + int((stop - first) * (1.0 - CHECK_SHARE))
    budget = Budget(settings.budget)
    learner = Learner(plan.kind, plan.interval, vocabulary, budget, exploratory)
    windows, intervals, loose = plan.assembler(), plan.intervals(), plan.loose()

    def take(
        closed: Windows,
        closed_intervals: Windows | None,
        closed_loose: Windows | None,
        checking: bool,
    ) -> None:
        if not checking:
            learner.learn(closed, closed_intervals, closed_loose)
            return
        # A window of the first part that closes now is still one of the first part.
        old = closed.events.row[closed.bounds[:-1]] < cut
        if old.any():
            learner.learn(closed.select(old), None)
        learner.check(closed.select(~old), closed_intervals, closed_loose)

    for begin, end in ((first, cut), (cut, stop)):
        for numbers, columns in given.recording.read(begin, end, _STEP):
            events = to_events(numbers, columns, vocabulary)
            take(
                windows.push(events),
                None if intervals is None else intervals.push(events),
                None if loose is None else loose.push(events.take(events.session < 0)),
                begin >= cut,
            )
    take(
        windows.flush(),
        None if intervals is None else intervals.flush(),
        None if loose is None else loose.flush(),
        True,
    )
    return learner.finish()


def _model(
    given: Intake, settings: Settings, plan: WindowPlan, miner: Miner, ladder: Ladder, lines: int
) -> Model:
    session = given.reader.session
    return Model(
        miner,
        ladder,
        plan,
        None if session is None else session.pattern.decode("latin-1"),
        given.reader.session_reason,
        {k: getattr(settings, k) for k in _REMEMBERED},
        History(
            sources=tuple(s.stats.name for s in given.sources.sources),
            lines=lines,
            first=None if given.first == NO_TIME else iso(given.first),
            last=None if given.last == NO_TIME else iso(given.last),
            notes=tuple(given.all_notes()),
        ),
    )


def learn(
    *inputs: str, settings: Settings | None = None, progress: Progress | None = None, **options: Any
) -> Model:
    """Learn a model from history: files, globs, folders, or '-' for standard input.

    `options` are settings (`logwright.settings.Settings`). Raises `InputError` where nothing can be
    read.
    """
    settings = settings or load_settings(**options)
    given = Intake(inputs, settings)
    try:
        miner = Miner(settings.max_shapes)
        given.read(miner, progress)
        vocabulary = given.group(miner)
        given.sort()
        plan = _plan(given)
        rows = (0, given.recording.rows)
        ladder = _learn_ladder(given, rows, plan, vocabulary, settings, exploratory=False)
        return _model(given, settings, plan, miner, ladder, given.recording.rows)
    finally:
        given.close()


def load(folder: str) -> Model:
    """Read a model that `Model.save` (or `logwright learn`) wrote."""
    return Model.load(folder)


def detect(
    inputs: Iterable[str],
    model: Model,
    *,
    settings: Settings | None = None,
    title: str = "logwright detect",
    progress: Progress | None = None,
    **options: Any,
) -> Result:
    """Findings of `inputs` against a model, in one streaming pass."""
    started = time.time()
    remembered = {k: v for k, v in model.settings.items() if options.get(k) is None}
    settings = settings or load_settings(**{**options, **remembered})
    given = Intake(list(inputs), settings)
    several = len(given.sources.sources) > 1
    given.recording.keep_columns = several
    try:
        key = (
            None if model.session is None else SessionKey(model.session.encode("latin-1"), "model")
        )
        given.reader.set_session(key)
        # A copy: detectors count silences as they go, and a model does not change by use.
        pipeline = Pipeline(
            model.vocabulary(),
            copy.deepcopy(model.ladder),
            model.plan,
            given.reader,
            given.recording,
            given.timeline,
        )
        findings: list[Finding] = []
        for batch in given.reader.batches():
            if several:  # the files may overlap in time: judge them in its order, when all are read
                pipeline.record(batch)
            else:
                findings += pipeline.process(batch)
            given.tell(progress)
        if several:
            given.sort()
            for rows, columns in given.recording.read(0, given.recording.rows, _STEP):
                findings += pipeline.judge(to_events(rows, columns, pipeline.vocabulary))
        findings += pipeline.finish()
        past = f"{model.history.lines:,} lines of {', '.join(model.history.sources)}"
        return _result(
            given, pipeline, findings, settings, title, started, past, model.history.lines
        )
    finally:
        given.close()


def scan(
    *inputs: str,
    baseline: str | None = None,
    settings: Settings | None = None,
    title: str = "logwright scan",
    progress: Progress | None = None,
    **options: Any,
) -> Result:
    """What stands out in a log, against its own past (its first half) or a `baseline` file."""
    started = time.time()
    settings = settings or load_settings(**options)
    if baseline is not None:
        model = learn(baseline, settings=settings, progress=progress)
        return detect(inputs, model, settings=settings, title=title, progress=progress)
    given = Intake(inputs, settings)
    try:
        miner = Miner(settings.max_shapes)
        given.read(miner, progress)
        vocabulary = given.group(miner)
        given.sort()
        plan = _plan(given)
        half = int(given.recording.rows * PAST)
        ladder = _learn_ladder(given, (0, half), plan, vocabulary, settings, exploratory=True)
        pipeline = Pipeline(vocabulary, ladder, plan, given.reader, given.recording, given.timeline)
        findings: list[Finding] = []
        for rows, columns in given.recording.read(half, given.recording.rows, _STEP):
            findings += pipeline.judge(to_events(rows, columns, vocabulary))
        findings += pipeline.finish()
        past = f"the first {PAST:.0%} of the input ({half:,} lines)"
        return _result(given, pipeline, findings, settings, title, started, past, half)
    finally:
        given.close()


def _result(
    given: Intake,
    pipeline: Pipeline,
    findings: list[Finding],
    settings: Settings,
    title: str,
    started: float,
    baseline: str,
    learned: int,
) -> Result:
    least = SEVERITIES.index(settings.severity)
    kept = [f for f in findings if SEVERITIES.index(f.severity) >= least]
    reader = given.reader
    infos, told = given.infos()
    if pipeline.late_windows:
        told.append(f"{pipeline.late_windows:,} windows of late records were judged on their own")
    ladder = list(pipeline.ladder.reasons)
    plan = pipeline.plan
    ladder.insert(0, f"windows: by {plan.kind} ({plan.reason})")
    if reader.session_reason:
        ladder.insert(1, reader.session_reason)
    run = Run(
        title=title,
        sources=infos,
        lines=given.recording.rows,
        lines_learned=learned,
        lines_scored=pipeline.events_judged,
        windows=pipeline.windows_scored,
        seconds=time.time() - started,
        started=datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        baseline=baseline,
        budget=settings.budget,
        timeline=given.timeline.timeline(),
        ladder=tuple(ladder),
        notes=tuple(told),
    )
    return Result(ranked(kept), run)
