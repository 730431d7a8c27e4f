"""Learn, detect, scan: whole runs, from names of files to findings.

>>> import logwright as lw, tempfile, pathlib
>>> log = pathlib.Path(tempfile.mkdtemp(), "app.log")
>>> _ = log.write_text("".join(f"job {i} done\\n" for i in range(50)) + "disk full on /var\\n")
>>> [(f.severity, f.lines[0].line_no) for f in lw.scan(str(log)).findings]
[('high', 51)]
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from logwright.detectors.ladder import Ladder
from logwright.errors import InputError, SettingsError
from logwright.findings.finding import SEVERITIES, Finding
from logwright.findings.incident import with_incidents
from logwright.findings.run import Run, many, ranked
from logwright.findings.sieve import Sieve
from logwright.intake import Intake, Progress
from logwright.learning import STEP, learn_ladder, plan_of
from logwright.live import LEAST_PAST, Live, Watcher, watch_for
from logwright.logs.batch import NO_TIME
from logwright.logs.sessions import SessionKey
from logwright.logs.timestamps import iso
from logwright.model import History, Model
from logwright.past import first_from, of_the_log, period, split, trouble_before
from logwright.pipeline import MOST_OF_PATTERN, Pipeline, to_events
from logwright.settings import Settings, load_settings
from logwright.templates.edits import Edit
from logwright.templates.miner import Miner
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import WindowPlan

__all__ = ["Result", "detect", "learn", "load", "scan"]

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
    *inputs: str,
    settings: Settings | None = None,
    progress: Progress | None = None,
    edits: Sequence[Edit] = (),
    **options: Any,
) -> Model:
    """Learn a model from history: files, globs, folders, or '-' for standard input.

    `edits` are a user's edits of templates (`templates.edits.read_edits`), replayed on what is
    learned; `options` are settings (`logwright.settings.Settings`). Raises `InputError` where
    nothing can be read.
    """
    settings = settings or load_settings(**options)
    given = Intake(inputs, settings)
    try:
        miner = Miner(settings.max_shapes, edits)
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
    watcher: Watcher | None = None,
    **options: Any,
) -> Result:
    """Findings of `inputs` against a model, in one streaming pass.

    With a `watcher`, standard input that stays open is live: findings are told as they come.
    """
    started = time.time()
    for key in _OF_MODEL:
        if options.get(key) is not None:
            raise SettingsError(f"{key} belongs to the model: learn again to change it")
    remembered = {k: v for k, v in model.settings.items() if k in _REMEMBERED}
    settings = (settings or load_settings(**options)).model_copy(update=remembered)
    inputs = list(inputs)
    Sieve(settings, 0)  # an ignore file that cannot be read is told before the work
    given = Intake(inputs, settings)
    for note in model.notes():
        given.note(note)
    several = len(given.sources.sources) > 1
    follows = watcher is not None and _may_be_live(inputs, settings)
    given.recording.keep_columns = several or follows
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
        if follows:
            watch_for(given)
        findings: list[Finding] = []
        for batch in given.reader.batches():
            if several:  # the files may overlap in time: judge them in its order, when all are read
                pipeline.record(batch)
            else:
                findings += pipeline.process(batch)
            given.tell(progress)
        past = f"{many(model.history.lines, 'line')} of {', '.join(model.history.sources)}"
        told = _Told(settings, title, started, past, model.history.lines)
        if watcher is not None and given.sources.sources[0].is_live:
            live = Live(given, pipeline, settings, watcher)
            live.run(past, live.catch_up(findings))
            if live.began or live.interrupted:
                return _result_of_live(given, pipeline, live, told)
        if not given.recording.rows and given.reader.left_out:
            raise InputError(
                f"no line lies in the selection ({given.reader.left_out:,} are outside): a time "
                "without a date is taken on the day on which the file was last written"
            )
        if several:
            given.sort()
            for rows, columns in given.recording.read(0, given.recording.rows, STEP):
                findings += pipeline.judge(to_events(rows, columns, pipeline.vocabulary))
        findings += pipeline.finish()
        return _result(given, pipeline, findings, told)
    finally:
        given.close()


def scan(
    *inputs: str,
    baseline: str | None = None,
    settings: Settings | None = None,
    title: str = "logwright scan",
    progress: Progress | None = None,
    watcher: Watcher | None = None,
    **options: Any,
) -> Result:
    """What stands out in a log, against its own past or a `baseline` file.

    The past is what comes before `since`, or the first half. With a `watcher`, standard input that
    stays open is live: what was read until then is the past, and findings are told as they come.
    """
    started = time.time()
    settings = settings or load_settings(**options)
    if baseline is not None:
        whole = settings.model_copy(update={"since": None, "until": None, "around": None})
        model = learn(baseline, settings=whole, progress=progress)
        return detect(
            inputs, model, settings=settings, title=title, progress=progress, watcher=watcher
        )
    asked = settings
    since, settings = period(inputs, asked)
    Sieve(settings, 0)  # an ignore file that cannot be read is told before the work
    given = Intake(inputs, settings)
    try:
        # Of a selection nobody knows when enough of it was read to be a past.
        if watcher is not None and _may_be_live(inputs, settings) and not settings.where:
            watch_for(given, LEAST_PAST)
        miner = Miner(settings.max_shapes)
        given.read(miner, progress)
        vocabulary = given.group(miner)
        given.sort()
        plan = plan_of(given)
        if watcher is not None and given.sources.sources[0].is_live:
            done = _scan_live(given, vocabulary, plan, since, watcher, (title, started))
            if done is not None:
                return done
        since, until = of_the_log(given, asked, since)
        first, past = split(given, since)
        stop = given.recording.rows if until == NO_TIME else first_from(given, until)
        ladder = learn_ladder(given, first, plan, vocabulary, exploratory=True)
        pipeline = Pipeline(vocabulary, ladder, plan, given, first_row=first)
        findings: list[Finding] = []
        begin = 0 if plan.kind == "session" else first
        for rows, columns in given.recording.read(begin, stop, STEP):
            findings += pipeline.judge(to_events(rows, columns, vocabulary))
        findings += pipeline.finish()
        if stop < given.recording.rows:
            left = many(given.recording.rows - stop, "line")
            given.note(f"{left} after the time that was asked for: left out")
        if since == NO_TIME and first < given.recording.rows:
            findings += trouble_before(given, vocabulary, plan, ladder, first)
        return _result(given, pipeline, findings, _Told(settings, title, started, past, first))
    finally:
        given.close()


def _scan_live(
    given: Intake,
    vocabulary: Vocabulary,
    plan: WindowPlan,
    since: int,
    watcher: Watcher,
    said: tuple[str, float],
) -> Result | None:
    """A scan whose input stays open; None where it ended after all, before another line came."""
    first = given.recording.rows
    past = f"what was read before the input paused ({many(first, 'line')})"
    if since != NO_TIME and given.last >= since:
        first, past = split(given, since)
    ladder = learn_ladder(given, first, plan, vocabulary, exploratory=True)
    pipeline = Pipeline(vocabulary, ladder, plan, given, first_row=first)
    live = Live(given, pipeline, given.settings, watcher)
    early: list[Finding] = []
    begin = 0 if plan.kind == "session" else first
    for rows, columns in given.recording.read(begin, given.recording.rows, STEP):
        early += pipeline.judge(to_events(rows, columns, vocabulary))
    live.run(past, live.catch_up(early, first))
    if not (live.began or live.interrupted):
        return None
    return _result_of_live(given, pipeline, live, _Told(given.settings, *said, past, first))


def _may_be_live(inputs: Sequence[str], settings: Settings) -> bool:
    """Whether standard input is all there is, and nothing says when to stop."""
    return list(inputs) == ["-"] and settings.live and not settings.until


@dataclass(frozen=True, slots=True)
class _Told:
    """What a report says of a run, and the run itself does not know."""

    settings: Settings
    title: str
    started: float
    past: str
    learned: int


def _result(given: Intake, pipeline: Pipeline, findings: list[Finding], told: _Told) -> Result:
    sieve = Sieve(told.settings, pipeline.plan.interval)
    findings = sieve.all(findings)
    return _told(given, pipeline, findings, told, sieve.notes(), pipeline.events_judged)


def _result_of_live(given: Intake, pipeline: Pipeline, live: Live, told: _Told) -> Result:
    pipeline.windows_scored += live.quick.windows_scored
    pipeline.counted_only += live.quick.counted_only
    return _told(given, pipeline, live.raised(), told, live.notes(), live.quick.events_judged)


def _told(
    given: Intake,
    pipeline: Pipeline,
    findings: list[Finding],
    told: _Told,
    left_out: list[str],
    judged: int,
) -> Result:
    settings = told.settings
    least = SEVERITIES.index(settings.severity)
    kept = [f for f in with_incidents(findings) if SEVERITIES.index(f.severity) >= least]
    reader = given.reader
    infos, notes = given.infos()
    notes += left_out
    if pipeline.counted_only:
        notes.append(
            f"{pipeline.counted_only:,} further findings of patterns with over "
            f"{MOST_OF_PATTERN:,} were counted, not kept"
        )
    if pipeline.ladder.muted:
        notes.append(f"{pipeline.ladder.muted:,} findings of muted templates were not raised")
    if pipeline.late_windows:
        notes.append(
            f"judged on their own: {many(pipeline.late_windows, 'window')} of late records"
        )
    ladder = list(pipeline.ladder.reasons)
    plan = pipeline.plan
    ladder.insert(0, f"windows: by {plan.kind} ({plan.reason})")
    if reader.session_reason:
        ladder.insert(1, reader.session_reason)
    run = Run(
        title=told.title,
        sources=infos,
        lines=sum(source.stats.lines for source in given.sources.sources),
        lines_learned=told.learned,
        lines_scored=judged,
        windows=pipeline.windows_scored,
        seconds=time.time() - told.started,
        started=datetime.fromtimestamp(told.started, UTC).isoformat(timespec="seconds"),
        baseline=told.past,
        budget=settings.budget,
        timeline=given.timeline.timeline(),
        ladder=tuple(ladder),
        notes=tuple(notes),
    )
    return Result(ranked(kept), run)
