"""Learn, detect, scan: whole runs, from names of files to findings.

>>> import logwright as lw, tempfile, pathlib
>>> log = pathlib.Path(tempfile.mkdtemp(), "app.log")
>>> _ = log.write_text("".join(f"job {i} done\\n" for i in range(50)) + "disk full on /var\\n")
>>> [(f.severity, f.lines[0].line_no) for f in lw.scan(str(log)).findings]
[('low', 51)]
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from logwright.detectors.ladder import Ladder
from logwright.errors import SettingsError
from logwright.findings.finding import SEVERITIES, Finding
from logwright.findings.run import Run, many, ranked
from logwright.intake import Intake, Progress
from logwright.learning import STEP, learn_ladder, plan_of
from logwright.logs.batch import NO_TIME
from logwright.logs.sessions import SessionKey
from logwright.logs.timestamps import iso
from logwright.model import History, Model
from logwright.pipeline import MOST_OF_PATTERN, Pipeline, to_events
from logwright.settings import Settings, load_settings
from logwright.templates.miner import Miner
from logwright.windows.plan import WindowPlan

__all__ = ["PAST", "Result", "detect", "learn", "load", "scan"]

PAST = 0.5
"""The share of its lines that `scan` takes as a log's own past."""

_LEAST_PAST = 5
_REMEMBERED = ("format", "label_prefix", "timezone", "max_line_bytes", "budget", "exemplars")
"""Settings that a model remembers, so that `detect` reads and judges as `learn` did."""

_OF_MODEL = (
    *_REMEMBERED,
    "session",
    "session_end",
    "window",
    "session_gap",
    "max_session_lines",
    "lateness",
)


@dataclass(slots=True)
class Result:
    """Findings, most telling first, and what a report says of the run."""

    findings: list[Finding]
    run: Run


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
        plan = plan_of(given)
        ladder = learn_ladder(given, given.recording.rows, plan, vocabulary, exploratory=False)
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
    for key in _OF_MODEL:
        if options.get(key) is not None:
            raise SettingsError(f"{key} belongs to the model: learn again to change it")
    remembered = {k: v for k, v in model.settings.items() if k in _REMEMBERED}
    settings = (settings or load_settings(**options)).model_copy(update=remembered)
    given = Intake(list(inputs), settings)
    several = len(given.sources.sources) > 1
    given.recording.keep_columns = several
    try:
        session = (
            None if model.session is None else SessionKey(model.session.encode("latin-1"), "model")
        )
        given.reader.set_session(session)
        # Anew: detectors count silences as they go, and a model does not change by use.
        pipeline = Pipeline(
            model.vocabulary(),
            model.ladder.fresh(),
            model.plan,
            given,
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
            for rows, columns in given.recording.read(0, given.recording.rows, STEP):
                findings += pipeline.judge(to_events(rows, columns, pipeline.vocabulary))
        findings += pipeline.finish()
        past = f"{many(model.history.lines, 'line')} of {', '.join(model.history.sources)}"
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
        plan = plan_of(given)
        half = int(given.recording.rows * PAST)
        if half < _LEAST_PAST:
            given.note(
                f"{given.recording.rows:,} lines are too few to have a past: nothing is judged"
            )
            half = given.recording.rows
        ladder = learn_ladder(given, half, plan, vocabulary, exploratory=True)
        pipeline = Pipeline(vocabulary, ladder, plan, given, first_row=half)
        findings: list[Finding] = []
        begin = 0 if plan.kind == "session" else half
        for rows, columns in given.recording.read(begin, given.recording.rows, STEP):
            findings += pipeline.judge(to_events(rows, columns, vocabulary))
        findings += pipeline.finish()
        past = f"the first {PAST:.0%} of the input ({many(half, 'line')})"
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
    if pipeline.counted_only:
        told.append(
            f"{pipeline.counted_only:,} further findings of patterns with over "
            f"{MOST_OF_PATTERN:,} were counted, not kept"
        )
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
