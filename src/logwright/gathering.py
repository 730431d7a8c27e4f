"""Gathering: logs as windows with what labels say of them, for making and trying rules.

Logs are read once for their templates and windows, and, by `hits`, once more for rules, which then
know the templates. So they have to be files. Labels are columns beside the windows: nothing that
learns reads them from the log.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from logwright.errors import InputError
from logwright.feedback.judge import Judge
from logwright.findings.run import many
from logwright.intake import Intake, Progress
from logwright.learning import STEP, plan_of
from logwright.logs.batch import Int32s
from logwright.logs.inputs import expand
from logwright.logs.sessions import SessionKey
from logwright.marks import ABNORMAL, UNKNOWN, Marks, of_windows, verdicts_in
from logwright.model import Model
from logwright.pipeline import Assemblers, Pipeline, to_events
from logwright.rules.book.jury import Jury
from logwright.rules.language.plain import Window
from logwright.ruling import Ruling
from logwright.seeing import Seer
from logwright.settings import Settings
from logwright.templates.miner import Miner
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import WindowPlan
from logwright.windows.window import Events, Windows

__all__ = ["Gathered", "Run", "Source", "gather", "joined"]

Bools = NDArray[np.bool_]
_TIMED = 100_000  # lines by which the cost of single rules is measured
_EVERY = 1 << 40  # findings of a pattern: a verdict is on all of them


@dataclass(frozen=True, slots=True)
class Source:
    """Where labels come from: a file, the log's lines themselves (`prefix`), or the verdicts on a
    model's findings; nowhere, if none is given."""

    file: Path | None = None
    prefix: bool = False
    model: Model | None = None


@dataclass(slots=True)
class Stopwatch:
    """Seconds spent on some lines."""

    seconds: float = 0.0
    lines: int = 0
    _began: float = 0.0

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._began

    def over(self, lines: int) -> float:
        """Seconds for so many lines."""
        return self.seconds * lines / self.lines if self.lines else 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """Which rules (columns) hit which windows (rows), and the seconds that judging lines by each of
    them `alone` takes, of compiled ones worked out from the first lines."""

    hits: Bools
    alone: list[float]


class Gathered:
    """Logs that were read: `windows` in order, with `labels` (see `marks`; None without any).
    `names` are those of abnormal labels; where they are `classes`, each window has one. `told` is a
    sentence on where the labels come from."""

    def __init__(
        self,
        given: Intake,
        inputs: Sequence[str],
        vocabulary: Vocabulary,
        plan: WindowPlan,
        windows: Windows,
        labels: Int32s | None,
        names: Sequence[str] = (),
        classes: bool = False,
        told: str = "",
    ) -> None:
        self.given, self.inputs, self.vocabulary, self.plan = given, inputs, vocabulary, plan
        self.windows, self.labels = windows, labels
        self.names, self.classes, self.told = names, classes, told
        self.seer = Seer(given, vocabulary)

    @property
    def lines(self) -> int:
        """How many records were read."""
        return self.given.recording.rows

    @property
    def log(self) -> str:
        """The logs in a few words."""
        first, *more = [source.stats.name for source in self.given.sources.sources]
        return f"{first} and {many(len(more), 'more file')}" if more else first

    @property
    def session(self) -> str | None:
        """The expression of the session key, None for none."""
        session = self.given.reader.session
        return None if session is None else session.pattern.decode("latin-1")

    @property
    def texts(self) -> list[str]:
        """The templates' texts by index."""
        return [template.text for template in self.vocabulary.templates]

    @property
    def ids(self) -> list[str]:
        """The templates' ids by index."""
        return [template.id for template in self.vocabulary.templates]

    def window(self, i: int) -> Window:
        """A window as rules see it."""
        return self.seer.window(self.windows, i)

    def labelled(self) -> tuple[Windows, Bools, NDArray[np.intp]]:
        """The windows that have a label, which of them are abnormal, and their numbers."""
        assert self.labels is not None
        known = self.labels != UNKNOWN
        windows = self.windows if known.all() else self.windows.select(known)
        return windows, self.labels[known] >= ABNORMAL, np.flatnonzero(known)

    @property
    def classed(self) -> dict[str, Bools]:
        """The windows of each class of anomaly, where labels tell classes."""
        if self.labels is None or not self.classes:
            return {}
        return {name: self.labels == ABNORMAL + at for at, name in enumerate(self.names)}

    def hits(self, jury: Jury, progress: Progress | None = None) -> Run:
        """Read the logs once more, and judge their windows by rules."""
        jury.read = self.seer.window
        each = [(Jury([rule]), Stopwatch()) for rule in jury.rules]
        again = Intake(self.inputs, self.given.settings)
        try:
            again.reader.set_session(self.given.reader.session)
            vocabulary = Vocabulary(self.vocabulary.miner, self.vocabulary.templates)
            seer, row = Seer(again, vocabulary), 0
            for batch in again.reader.batches():
                new = again.reader.take_shapes()
                vocabulary.meet_shapes(new.codes, new.keys, new.contents)
                naming = seer.naming()
                jury.look(batch, row, naming)
                for alone, watch in each if row < _TIMED else ():
                    with watch:
                        alone.look(batch, row, naming)
                    watch.lines += len(batch)
                row += len(batch)
                again.tell(progress)
        finally:
            again.close()
        if row != self.lines:
            raise InputError(f"{self.log} was changed while it was read: run it again")
        jury.place(self.given.recording.now)
        found = jury.hits(self.windows, lambda: self.seer.keys(self.windows), self.ids)
        pairs = zip(jury.rules, each, strict=True)
        spent = [w.over(self.lines) + jury.spent.get(rule.name, 0.0) for rule, (_, w) in pairs]
        return Run(found, spent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.given.close()


def gather(
    inputs: Sequence[str],
    settings: Settings,
    source: Source = Source(),
    plan: WindowPlan | None = None,
    session: str | None = None,
    progress: Progress | None = None,
) -> Gathered:
    """Read logs, cut them into windows (`plan`; chosen where None is given; those of the source's
    model, where it has one), and label these. Close what it gives."""
    if "-" in expand(inputs):
        raise InputError("rules are made from files, which are read twice: '-' cannot be")
    model = source.model
    if model is not None:
        settings = settings.model_copy(update=model.settings)
        plan, session = model.plan, model.session
    if source.prefix:
        settings = settings.model_copy(update={"label_prefix": True})
    given = Intake(inputs, settings)
    try:
        if plan is not None:
            given.reader.set_session(_key(plan, session))
        marks = Marks(given, source.file, source.prefix)
        if model is None:
            miner = Miner(settings.max_shapes)
            given.read(miner, progress, marks.look)
            vocabulary = given.group(miner)
        else:
            vocabulary = _met(given, model, marks, progress)
        given.sort()
        plan = plan or plan_of(given)
        windows = _windows(given, plan, vocabulary)
        told = ""
        if model is None:
            rows = marks.rows()
        else:
            rows, told = _judged(inputs, settings, model, marks)
        labels = None if rows is None else of_windows(windows, rows)
        return Gathered(
            given, inputs, vocabulary, plan, windows, labels, marks.names, marks.are_classes, told
        )
    except BaseException:
        given.close()
        raise


def _key(plan: WindowPlan, session: str | None) -> SessionKey | None:
    if session is None or plan.kind != "session":
        return None
    return SessionKey(session.encode("latin-1"), "rulebook")


def _met(given: Intake, model: Model, marks: Marks, progress: Progress | None) -> Vocabulary:
    """Read everything with a model's templates."""
    vocabulary = model.vocabulary()
    for batch in given.reader.batches():
        new = given.reader.take_shapes()
        vocabulary.meet_shapes(new.codes, new.keys, new.contents)
        marks.look(batch, given.recording.rows)
        given.recording.append(batch)
        given.tell(progress)
    if not given.recording.rows:
        raise InputError("the logs hold no lines")
    return vocabulary


def _windows(given: Intake, plan: WindowPlan, vocabulary: Vocabulary) -> Windows:
    assembler = Assemblers.of(plan, vocabulary).windows
    parts = []
    for rows, columns in given.recording.read(0, given.recording.rows, STEP):
        parts.append(assembler.push(to_events(rows, columns, vocabulary)))
    return joined([*parts, assembler.flush()])


def joined(parts: Sequence[Windows]) -> Windows:
    """Several sets of windows in one, in order.

    >>> both = joined([Windows.of_sequences([[0]]), Windows.of_sequences([[1, 1], [0]])])
    >>> both.sizes.tolist(), both.events.template.tolist()
    ([1, 2, 1], [0, 1, 1, 0])
    """
    held = [part for part in parts if len(part)] or list(parts[:1])
    sizes = np.concatenate([part.sizes for part in held])
    return Windows(
        held[0].kind,
        np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
        Events.concat([part.events for part in held]),
        np.concatenate([part.key for part in held]),
        np.concatenate([part.end for part in held]),
        np.concatenate([part.late for part in held]),
    )


def _judged(
    inputs: Sequence[str], settings: Settings, model: Model, marks: Marks
) -> tuple[Int32s, str]:
    """What the verdicts in a model's store say of each row, and whose they are: its findings in
    these logs are looked for anew, as a verdict is on all of its pattern."""
    entries, told = verdicts_in(model.folder)
    judge = Judge(
        lambda: (t.text for t in model.templates),
        lambda after: [entry for entry in entries if entry.number > after],
        policy=False,
        whole=True,
    )
    ruling = Ruling(settings, None if model.folder is None else model.folder / "rules")
    given = Intake(inputs, settings)
    try:
        given.reader.set_session(_key(model.plan, model.session))
        vocabulary, ladder = model.vocabulary(), model.ladder.fresh()
        ruling.join(ladder, model.plan, given)
        pipeline = Pipeline(vocabulary, ladder, model.plan, given, judge=judge, most=_EVERY)
        for batch in given.reader.batches():
            pipeline.record(batch)
        given.sort()
        findings = []
        for rows, columns in given.recording.read(0, given.recording.rows, STEP):
            findings += pipeline.judge(to_events(rows, columns, vocabulary))
        return marks.judged([*findings, *pipeline.finish()]), told
    finally:
        given.close()
        ruling.close()
