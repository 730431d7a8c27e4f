"""Lessons: history as sequences of events, read with a model's own pipeline.

History is cut into the model's windows; suspect stretches are left out, as in learning, and so are
sessions that go on beyond the input. In order of time, the first `LEARNED` of the windows train a
network, those up to `STOPPED` tell when it has learned enough, and the rest set the threshold.
Labels play no part. What verdicts say of windows comes along as a column, where it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.sequence import event_name
from logwright.errors import InputError
from logwright.findings.run import many
from logwright.gathering import Source, gather, joined
from logwright.intake import Intake, Progress
from logwright.learning import STEP, suspects_of, within
from logwright.logs.batch import Int32s
from logwright.logs.sessions import SessionKey
from logwright.model import Model
from logwright.pipeline import Assemblers, to_events
from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import EventVocabulary
from logwright.settings import Settings
from logwright.templates.miner import Miner
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.sessions import whole
from logwright.windows.window import Windows

__all__ = ["LEARNED", "STOPPED", "History", "Lesson", "history_of"]

LEARNED, STOPPED = 0.7, 0.8
"""Of the windows of history, by time: the end of those that train, and of those that tell when to
stop. The rest set the threshold."""

LEAST = 50
"""Windows that history has to hold."""

_MOST_STRANGE = 0.5
"""The share of history's lines that may be of templates which the model does not hold."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class History:
    """What a step is trained on: `windows` in order of time, by the templates of `vocabulary`;
    `marks` is what verdicts say of each (1 abnormal, 0 normal, -1 nothing), None where nobody
    asked. `span` is the time they cover (ns, 0 without times)."""

    windows: Windows
    vocabulary: Vocabulary
    marks: Int32s | None
    span: int
    lines: int
    sources: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def kind(self) -> str:
        """What a window is called."""
        return "session" if self.windows.kind == "session" else "window"

    def lesson(self) -> Lesson:
        """The windows as sequences of events, in three parts. What verdicts say is real is no part
        of what is normal."""
        real = np.zeros(len(self.windows), bool) if self.marks is None else self.marks == 1
        windows = self.windows.select(~real)
        n = len(windows)
        learned, stopped = int(n * LEARNED), int(n * STOPPED)
        hashes, templates = self.vocabulary.hashes, self.vocabulary.templates
        present = np.unique(windows.events.template[: windows.bounds[learned]]).tolist()
        names = [event_name(int(hashes[t])) for t in present]
        events = EventVocabulary(names, [templates[t].text for t in present])
        codes = [
            events.meet(event_name(number), template.text)
            for number, template in zip(hashes.tolist(), templates, strict=True)
        ]

        def sequences(part: Windows) -> Sequences:
            found = Sequences.of_windows(part, np.array(codes, np.int32))
            # Without the times, as they are scored: see `detectors.sequence`.
            return Sequences(found.events, found.bounds, found.weights)

        every = sequences(windows)
        return Lesson(
            events,
            every.take(slice(0, learned)),
            every.take(slice(learned, stopped)),
            windows.select(np.arange(n) >= stopped),
            sequences(self.windows.select(real)),
        )


@dataclass(frozen=True, slots=True)
class Lesson:
    """Normal windows in three parts, by time, and the events that the first one holds; `real` are
    those that verdicts say are no part of it."""

    events: EventVocabulary
    train: Sequences
    check: Sequences
    calibration: Windows
    real: Sequences


def history_of(
    inputs: Sequence[str],
    model: Model,
    settings: Settings,
    progress: Progress | None = None,
    verdicts: bool = False,
) -> History:
    """Read history with a model's templates and windows. `InputError` where it is too short, is of
    another log, or holds no order to learn."""
    settings = settings.model_copy(update=model.settings)
    given = Intake(inputs, settings)
    try:
        session = model.session if model.plan.kind == "session" else None
        given.reader.set_session(
            None if session is None else SessionKey(session.encode("latin-1"), "model")
        )
        given.read(Miner(settings.max_shapes), progress)  # for the shapes: the model has templates
        vocabulary = _met(given, model)
        given.sort()
        windows = _windows(given, model, vocabulary)
        marks = None
        if verdicts:
            with gather(inputs, settings, Source(model=model), progress=progress) as gathered:
                marks = gathered.labels
        keep = _usable(given, windows, vocabulary, model)
        _check(given, windows.select(keep), vocabulary, model)
        return History(
            windows.select(keep),
            vocabulary,
            None if marks is None else np.minimum(marks[keep], 1).astype(np.int32),
            given.span,
            given.recording.rows,
            tuple(source.stats.name for source in given.sources.sources),
            tuple(given.all_notes()),
        )
    finally:
        given.close()


def _met(given: Intake, model: Model) -> Vocabulary:
    """The model's vocabulary, with the shapes of what was read."""
    vocabulary = model.vocabulary()
    codes, _, texts = given.shapes()
    codes = np.unique(codes)
    contents = [texts[code] for code in codes.tolist()]
    vocabulary.meet_shapes(codes, given.reader.shapes.keys(codes), contents)
    return vocabulary


def _windows(given: Intake, model: Model, vocabulary: Vocabulary) -> Windows:
    assembler = Assemblers.of(model.plan, vocabulary).windows
    parts = [
        assembler.push(to_events(rows, columns, vocabulary))
        for rows, columns in given.recording.read(0, given.recording.rows, STEP)
    ]
    return joined([*parts, assembler.flush()])


def _usable(given: Intake, windows: Windows, vocabulary: Vocabulary, model: Model) -> Bools:
    """Windows that lie whole in the input and touch no suspect stretch."""
    keep = whole(windows, given.first, given.last, model.plan.edge) & (windows.sizes > 0)
    left_out = (
        [] if given.settings.keep_suspect else suspects_of(given, given.recording.rows, vocabulary)
    )
    for stretch in left_out:
        given.note(f"left out of what is normal: {stretch.reason}")
    touched = within(windows.events.row, left_out)
    if touched is not None:
        keep[windows.owner[touched]] = False
    return keep


def _check(given: Intake, windows: Windows, vocabulary: Vocabulary, model: Model) -> None:
    """`InputError` where there is nothing to learn from."""
    template = windows.events.template
    kind = "session" if model.plan.kind == "session" else "window"
    if kind == "session" and not len(windows):
        raise InputError(
            f"no line of this history belongs to a session (key {model.session!r:.80}): is it of "
            "the log, and in the format, that the model was learned from?"
        )
    strange = float(np.mean(template >= vocabulary.known)) if len(template) else 0.0
    if strange > _MOST_STRANGE:
        raise InputError(
            f"{strange:.0%} of the lines of this history are of templates that the model does not "
            "hold: is it of another log, or in another format? (else learn from it first)"
        )
    if len(windows) < LEAST:
        smaller = "" if kind == "session" else " (learn with a smaller --window, such as 20 lines)"
        raise InputError(
            f"this history comes to {many(len(windows), kind)}: {LEAST} at the least are needed to "
            f"train a sequence step and to set its threshold{smaller}"
        )
    if int(windows.sizes.max()) < 2:
        raise InputError(
            f"each {kind} of this history holds one event only: there is no order to learn"
        )
