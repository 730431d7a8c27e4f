"""Live: judging standard input as it comes, once it has turned out to stay open.

What was read until then is the past (`scan`), or was judged already (`detect`); from then on every
record is judged at once by the detectors that read records, by a pipeline of its own whose windows
hold one record, so that nothing depends on how a pipe cuts its lines. Sessions and intervals close
by their own rules in the run's pipeline, and by the clock while nothing comes. Memory is bounded:
columns are not kept, texts of what open windows hold, findings up to a number.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from logwright.detectors.ladder import Ladder
from logwright.detectors.parameters import Parameters
from logwright.findings.finding import Finding
from logwright.findings.run import many
from logwright.findings.sieve import Sieve
from logwright.intake import Intake
from logwright.logs.batch import NO_TIME, LineBatch
from logwright.logs.sources import Patience
from logwright.pipeline import Pipeline, to_events
from logwright.settings import Settings
from logwright.windows.window import Events

__all__ = ["LEAST_PAST", "Live", "Watcher", "watch_for"]

LEAST_PAST = 200
"""Lines of a pipe that `scan` takes as its past, at the least."""

_QUIET = "10m"
_PIECE = 1 << 10  # records judged at a time: evidence of an alarm costs as much as the piece
_CATCH_UP = 100_000
_ADVANCE = 5.0
_RENEW = 60.0
_KEEP = 2.0
_MOST_FINDINGS = 20_000


class Watcher(Protocol):
    """Who is told while a run is live."""

    def begins(self, text: str) -> None:
        """The run is live from now on; `text` is a clause that says with which past."""

    def raised(self, finding: Finding) -> None:
        """A finding is raised."""

    def repeated(self, finding: Finding) -> None:
        """A finding of a pattern that was raised lately was counted only."""

    def tick(self, lines: int) -> None:
        """Time passes; so many lines were read in all. Called about five times a second."""


def watch_for(given: Intake, lines: int = 0) -> None:
    """Let the intake of standard input end as soon as that turns out to be live, after so many
    lines at least."""
    given.sources.sources[0].patience = Patience(lines)


class Live:
    """The part of a run that is judged as it comes.

    `pipeline` is the run's own; `keep` is given the findings every few seconds. After `run`,
    `raised` gives the findings, `suppressed` those that nobody was told, `notes` what to say of
    them, and `began` tells whether a line came at all: a pipe that ends without one was only slow.
    """

    def __init__(
        self,
        given: Intake,
        pipeline: Pipeline,
        settings: Settings,
        watcher: Watcher,
        keep: Callable[[Sequence[Finding]], None] = lambda findings: None,
    ) -> None:
        self.sieve = Sieve(settings, pipeline.plan.interval, _QUIET)
        self.quick = _quick(given, pipeline)
        self.findings: list[Finding] = []
        self.suppressed: list[Finding] = []
        self._keep, self._unkept = keep, list[Finding]()
        self.began = self.interrupted = False
        self._given, self._pipeline, self._watcher = given, pipeline, watcher
        self._beyond = 0
        self._newest = NO_TIME
        self._heard = self._advanced = self._renewed = self._kept = time.monotonic()

    def catch_up(self, findings: Iterable[Finding], first_row: int = 0) -> list[Finding]:
        """`findings` of the run so far, and those of records, from `first_row` on, in windows that
        are still open."""
        told = list(findings)
        known = {f.pattern for f in told}
        recording = self._given.recording
        first = max(recording.rows - _CATCH_UP, first_row)
        for rows, columns in recording.read(first, recording.rows, _CATCH_UP):
            events = to_events(rows, columns, self._pipeline.vocabulary)
            if self._pipeline.floods is not None:
                events = self._pipeline.floods.without(events)
            told += [f for f in self.judge(events) if f.pattern not in known]
        return told

    def judge(self, events: Events) -> list[Finding]:
        """Findings of records, at once."""
        pieces = range(0, len(events), _PIECE)
        return [f for at in pieces for f in self.quick.judge(events.take(slice(at, at + _PIECE)))]

    def run(self, past: str, early: Iterable[Finding] = ()) -> None:
        """Judge what comes until the input ends, or somebody interrupts; `early` are findings of
        what was read before."""
        self._watcher.begins(past)
        self._raise(early)
        with _interruptible() as interrupted:
            for batch in _following(self._given):
                if batch is None:
                    self._idle()
                elif len(batch):
                    self._take(batch)
                self._renew()
                self._watcher.tick(self._given.recording.rows)
                if interrupted:
                    self.interrupted = True
                    break
        if self.began:
            self._raise([*self._pipeline.finish(), *self.quick.finish()])

    def _begin(self) -> None:
        """The first line has come: from now on records are judged by `quick` alone."""
        self.began = True
        if self._pipeline.feedback is not None:
            self._pipeline.feedback.whole = False  # nobody waits for the end to see what is new
        given, pipeline = self._given, self._pipeline
        # The pipelines record and look up there, too.
        given.recording = given.texts(given.recording)
        self.quick.sights.endless = pipeline.sights.endless = True
        self.quick.floods, pipeline.floods = pipeline.floods, None  # told of by what reads records
        rungs = [rung for rung in pipeline.ladder.rungs if rung.reads != "records"]
        pipeline.ladder = Ladder(rungs, pipeline.ladder.reasons)

    def _take(self, batch: LineBatch) -> None:
        if not self.began:
            self._begin()
        self._heard = self._advanced = time.monotonic()
        timed = batch.ts[batch.ts != NO_TIME]
        if len(timed):
            self._newest = max(self._newest, int(timed.max()))
        rows = self._pipeline.record(batch)
        columns = {name: getattr(batch, name) for name in ("shape", "ts", "level", "session")}
        events = to_events(rows, columns, self._pipeline.vocabulary)
        events, flood = self.quick.apart(events)
        self._raise([*flood, *self.judge(events), *self._pipeline.judge(events)])

    def _renew(self) -> None:
        """What was found is kept, so that verdicts can be given while the run goes on; what no open
        window holds is let go."""
        now = time.monotonic()
        if self._unkept and now - self._kept >= _KEEP:
            self._keep(self._unkept)
            self._kept, self._unkept = now, []
        if now - self._renewed >= _RENEW or self._pipeline.is_full:
            self._renewed = now
            if self.began:
                self._pipeline.forget()

    def _idle(self) -> None:
        """Close by the clock what the log's own time would have closed."""
        now = time.monotonic()
        if not self.began or self._newest == NO_TIME or now - self._advanced < _ADVANCE:
            return
        self._advanced = now
        passed = self._newest + int((now - self._heard) * 1e9)
        self._raise(self._pipeline.advance(passed))

    def _raise(self, found: Iterable[Finding]) -> None:
        for finding in self.sieve.known(found):
            if finding.state == "suppressed":
                room = max(_MOST_FINDINGS - len(self.suppressed), 0)
                self.suppressed += [finding][:room]
                self._unkept += [finding][:room]
                continue
            raised = self.sieve.damper.take(finding)
            for each in raised:
                self._watcher.raised(each)
            if not raised and self.sieve.damper.has_raised(finding.pattern):
                self._watcher.repeated(finding)
            room = _MOST_FINDINGS - len(self.findings)
            self.findings += raised[:room]
            self._unkept += raised[:room]
            self._beyond += max(len(raised) - room, 0)

    def raised(self) -> list[Finding]:
        """The findings that were raised, those with repeats telling of them."""
        return [self.sieve.damper.whole(f) for f in self.findings]

    def notes(self) -> list[str]:
        """What a summary should say."""
        told = self.sieve.notes()
        if self._beyond:
            told.append(
                f"{many(self._beyond, 'finding')} beyond {_MOST_FINDINGS:,} were told as they "
                "came, and are not in this summary"
            )
        return told


def _quick(given: Intake, pipeline: Pipeline) -> Pipeline:
    """A pipeline that judges every record at once, with the rungs that read records."""
    pairs = zip(pipeline.ladder.rungs, pipeline.ladder.fresh().rungs, strict=True)
    # Parameters have looked at what was read; the others keep no state between windows.
    rungs = [
        own if isinstance(own.detector, Parameters) else copy
        for own, copy in pairs
        if own.reads == "records"
    ]
    update = {"kind": "count", "size": 1, "step": 1, "interval": 0, "session_end": None}
    plan = pipeline.plan.model_copy(update=update)
    return Pipeline(pipeline.vocabulary, Ladder(rungs), plan, given, judge=pipeline.feedback)


def _following(given: Intake) -> Iterator[LineBatch | None]:
    """Batches of what the live source gives; None while it gives nothing."""
    for block in given.sources.sources[0].follow():
        if block is None:
            yield from given.reader.rest(0)
            yield None
        else:
            yield given.reader.read(block)
    yield from given.reader.rest(0)


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """A list that an interrupt (Ctrl-C, or the signal to end) fills, so that what is under way is
    ended in good order; a second one interrupts as usual."""
    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if seen:
            raise KeyboardInterrupt
        seen.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM)
    try:
        before = [signal.signal(number, note) for number in numbers]
    except ValueError:  # not in the main thread: interrupts go elsewhere
        yield seen
        return
    try:
        yield seen
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
