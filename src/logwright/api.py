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
from pathlib import Path
from typing import Any

from logwright.bundle import History
from logwright.detectors.ladder import Ladder
from logwright.errors import InputError, SettingsError
from logwright.findings.finding import Finding
from logwright.findings.run import many
from logwright.findings.sieve import Sieve
from logwright.floods import Floods
from logwright.intake import Intake, Progress
from logwright.keeping import Keeper
from logwright.learning import STEP, learn_ladder, plan_of
from logwright.live import LEAST_PAST, Live, Watcher, watch_for
from logwright.logs.batch import NO_TIME
from logwright.logs.sessions import SessionKey
from logwright.logs.timestamps import iso
from logwright.model import Model
from logwright.outcome import Result, Told, outcome, outcome_of_live
from logwright.past import first_from, of_the_log, period, split, trouble_before
from logwright.pipeline import Pipeline, to_events
from logwright.ruling import Ruling
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
    store: Path | None = None,
    **options: Any,
) -> Result:
    """Findings of `inputs` against a model, in one streaming pass.

    With a `watcher`, standard input that stays open is live: findings are told as they come. With
    a `store` (a file, made where it is absent), the verdicts in it act on the findings, which are
    kept in it.
    """
    started = time.time()
    for key in _OF_MODEL:
        if options.get(key) is not None:
            raise SettingsError(f"{key} belongs to the model: learn again to change it")
    remembered = {k: v for k, v in model.settings.items() if k in _REMEMBERED}
    settings = (settings or load_settings(**options)).model_copy(update=remembered)
    inputs = list(inputs)
    Sieve(settings, 0)  # an ignore file that cannot be read is told before the work
    keeper = Keeper(store, lambda: (t.text for t in model.templates), policy=True)
    ruling = Ruling(settings, None if model.folder is None else model.folder / "rules")
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
        ladder = model.ladder.fresh()
        ruling.join(ladder, model.plan, given)
        pipeline = Pipeline(model.vocabulary(), ladder, model.plan, given, judge=keeper.judge)
        pipeline.floods = Floods(given, pipeline.vocabulary, model.history.lines)
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
        told = Told(settings, title, started, past, model.history.lines, keeper, ruling)
        if watcher is not None and given.sources.sources[0].is_live:
            live = Live(given, pipeline, settings, watcher, lambda found: told.keep(given, found))
            live.run(past, live.catch_up(findings))
            if live.began or live.interrupted:
                return outcome_of_live(given, pipeline, live, told)
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
        return outcome(given, pipeline, findings, told)
    finally:
        ruling.close()
        given.close()
        keeper.close()


def scan(
    *inputs: str,
    baseline: str | None = None,
    settings: Settings | None = None,
    title: str = "logwright scan",
    progress: Progress | None = None,
    watcher: Watcher | None = None,
    store: Path | None = None,
    **options: Any,
) -> Result:
    """What stands out in a log, against its own past or a `baseline` file.

    The past is what comes before `since`, or the first half. With a `watcher`, standard input that
    stays open is live: what was read until then is the past, and findings are told as they come.
    With a `store`, the verdicts in it act on the findings, which are kept in it.
    """
    started = time.time()
    settings = settings or load_settings(**options)
    if baseline is not None:
        whole = settings.model_copy(update={"since": None, "until": None, "around": None})
        model = learn(baseline, settings=whole, progress=progress)
        return detect(
            inputs,
            model,
            settings=settings,
            title=title,
            progress=progress,
            watcher=watcher,
            store=store,
        )
    asked = settings
    since, settings = period(inputs, asked)
    Sieve(settings, 0)  # an ignore file that cannot be read is told before the work
    keeper = Keeper(store)
    ruling = Ruling(settings)
    given = Intake(inputs, settings)
    ruling.look(given)
    try:
        # Of a selection nobody knows when enough of it was read to be a past.
        if watcher is not None and _may_be_live(inputs, settings) and not settings.where:
            watch_for(given, LEAST_PAST)
        miner = Miner(settings.max_shapes)
        given.read(miner, progress, ruling.seen)
        vocabulary = given.group(miner)
        given.sort()
        plan = plan_of(given)
        if watcher is not None and given.sources.sources[0].is_live:
            done = _scan_live(
                given, vocabulary, plan, since, watcher, (title, started), keeper, ruling
            )
            if done is not None:
                return done
        since, until = of_the_log(given, asked, since)
        first, past = split(given, since)
        stop = given.recording.rows if until == NO_TIME else first_from(given, until)
        ladder = learn_ladder(given, first, plan, vocabulary, exploratory=True)
        ruling.join(ladder, plan, given)
        pipeline = Pipeline(vocabulary, ladder, plan, given, first_row=first, judge=keeper.judge)
        findings: list[Finding] = []
        begin = 0 if plan.kind == "session" else first
        for rows, columns in given.recording.read(begin, stop, STEP):
            findings += pipeline.judge(to_events(rows, columns, vocabulary))
        findings += pipeline.finish()
        if stop < given.recording.rows:
            left = many(given.recording.rows - stop, "line")
            given.note(f"{left} after the time that was asked for: left out")
        if since == NO_TIME and first < given.recording.rows:
            findings += trouble_before(given, vocabulary, plan, ladder, first, keeper.judge)
        told = Told(settings, title, started, past, first, keeper, ruling)
        return outcome(given, pipeline, findings, told)
    finally:
        ruling.close()
        given.close()
        keeper.close()


def _scan_live(
    given: Intake,
    vocabulary: Vocabulary,
    plan: WindowPlan,
    since: int,
    watcher: Watcher,
    said: tuple[str, float],
    keeper: Keeper,
    ruling: Ruling,
) -> Result | None:
    """A scan whose input stays open; None where it ended after all, before another line came."""
    first = given.recording.rows
    past = f"what was read before the input paused ({many(first, 'line')})"
    if since != NO_TIME and given.last >= since:
        first, past = split(given, since)
    ladder = learn_ladder(given, first, plan, vocabulary, exploratory=True)
    ruling.join(ladder, plan, given)
    pipeline = Pipeline(vocabulary, ladder, plan, given, first_row=first, judge=keeper.judge)
    told = Told(given.settings, *said, past, first, keeper, ruling)
    live = Live(given, pipeline, given.settings, watcher, lambda found: told.keep(given, found))
    early: list[Finding] = []
    begin = 0 if plan.kind == "session" else first
    for rows, columns in given.recording.read(begin, given.recording.rows, STEP):
        early += pipeline.judge(to_events(rows, columns, vocabulary))
    live.run(past, live.catch_up(early, first))
    if not (live.began or live.interrupted):
        return None
    return outcome_of_live(given, pipeline, live, told)


def _may_be_live(inputs: Sequence[str], settings: Settings) -> bool:
    """Whether standard input is all there is, and nothing says when to stop."""
    return list(inputs) == ["-"] and settings.live and not settings.until
