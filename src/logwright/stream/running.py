"""Running: a model on one feed, without an end. Entries in, findings out; to be told as bytes.

What a feed says decides the findings, and nothing else does: the same lines in the same order give
the same findings with the same ids as `detect` on a file of them, however they are cut into entries
and however often the run was paused by `snapshot` and went on by `restored`.

The format of the feed is found from its first `SAMPLE_LINES` lines, or from fewer once `advance` or
`finish` is called: until then nothing is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from logwright.errors import StoreError
from logwright.feedback.judge import Judge
from logwright.findings.finding import Finding
from logwright.floods import Floods
from logwright.intake import Intake
from logwright.logs.batch import Block
from logwright.logs.sampling import SAMPLE_BYTES
from logwright.logs.sessions import SessionKey
from logwright.logs.sources import Source
from logwright.logs.streams import BOMS
from logwright.model import Model
from logwright.pipeline import Pipeline
from logwright.ruling import Ruling
from logwright.settings import Settings
from logwright.snapshot import State, decode, sealed
from logwright.stream.feed import Entry

__all__ = ["MOST_RECORDS", "SAMPLE_LINES", "Running"]

SAMPLE_LINES = 200
MOST_RECORDS = 4_000_000
"""Records of open sessions that are held; beyond it those idle for longest are closed early. With
its text, one takes about 150 bytes."""

_BOM = next(bom for bom, name in BOMS.items() if name == "UTF-8")
_SECOND = 1_000_000_000


class Running:
    """Judges what one feed gives. `source` is what findings cite; `rulebook` whether the rules that
    the settings name, or that lie beside the model, run.

    >>> import logwright as lw, tempfile, pathlib
    >>> log = pathlib.Path(tempfile.mkdtemp(), "app.log")
    >>> _ = log.write_text("".join(f"job {i} done\\n" for i in range(50)))
    >>> running = Running(lw.learn(str(log)), Settings(), "app")
    >>> running.push([Entry(b"job 51 done\\ndisk full\\n", "2", 0)])
    []
    >>> [(f.summary, f.lines[0].line_no) for f in running.finish()]
    [("new: 'disk full', seen once, never in the 50 lines of history", 2)]
    """

    def __init__(
        self,
        model: Model,
        settings: Settings,
        source: str,
        judge: Judge | None = None,
    ) -> None:
        self.settings = settings.model_copy(update=model.settings)
        self._model, self._judge = model, judge
        self._given = Intake(Source(source, 0, self.settings), self.settings, 0.0)
        session = None
        if model.session is not None:
            session = SessionKey(model.session.encode("latin-1"), "model")
        reader = self._given.reader
        reader.set_session(session)
        reader.remember()
        ladder = model.ladder.fresh()
        self._ruling = Ruling(
            self.settings, None if model.folder is None else model.folder / "rules"
        )
        self._ruling.join(ladder, model.plan, self._given)
        self.pipeline = Pipeline(model.vocabulary(), ladder, model.plan, self._given, judge=judge)
        self.pipeline.floods = Floods(self._given, self.pipeline.vocabulary, model.history.lines)
        self.pipeline.sights.endless = True
        self.pipeline.bound(MOST_RECORDS)
        self._begun = False
        self._head = bytearray()  # what came until the source has begun
        self._written: int | None = None  # when its first line arrived
        self._offset, self._line_no = 0, 1

    @property
    def lines(self) -> int:
        """The lines read."""
        return self._line_no - 1

    @property
    def taken(self) -> int:
        """The same, with those that wait for the format of the feed to be found."""
        return self.lines + self._head.count(b"\n")

    @property
    def newest(self) -> int:
        """The newest time that a line has told (ns), `NO_TIME` where none has."""
        return self.pipeline.newest

    @property
    def notes(self) -> list[str]:
        """What a person should know of the feed."""
        return self._given.all_notes()

    def push(self, entries: Sequence[Entry]) -> list[Finding]:
        """Findings of the windows that these lines close."""
        if not entries:
            return []
        data = entries[0].data if len(entries) == 1 else b"".join(e.data for e in entries)
        if self._begun:
            return self._judged(data)
        if self._written is None:
            self._written = entries[0].arrived
        self._head += data
        if self._head.count(b"\n") < SAMPLE_LINES and len(self._head) < SAMPLE_BYTES:
            return []
        return self._begin()

    def _begin(self) -> list[Finding]:
        """Find the format of the feed, and judge what has come."""
        if self._begun or not self._head:
            return []
        data, self._head = bytes(self._head), bytearray()
        if data.startswith(_BOM):
            self._offset = len(_BOM)
            data = data[len(_BOM) :]
        stop = -1
        for _ in range(SAMPLE_LINES):
            found = data.find(b"\n", stop + 1, SAMPLE_BYTES)
            if found < 0:
                break
            stop = found
        assert self._written is not None
        self._given.reader.begin_source(
            0, data[: stop + 1] or data[:SAMPLE_BYTES], self._written / _SECOND
        )
        self._begun = True
        return self._judged(data)

    def _judged(self, data: bytes) -> list[Finding]:
        findings: list[Finding] = []
        for block in self._blocks(data):
            findings += self.pipeline.process(self._given.reader.read(block))
            if self.pipeline.is_full:
                self.pipeline.forget()
        return findings

    def _rest(self) -> list[Finding]:
        """Findings of the lines that waited for others."""
        rest = self._given.reader.rest(0)
        return [*self._begin(), *(f for batch in rest for f in self.pipeline.process(batch))]

    def _blocks(self, data: bytes) -> Iterator[Block]:
        """Whole lines as blocks, with lines that are too long cut as those of a file are."""
        limit = self.settings.max_line_bytes
        ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
        sizes = np.diff(ends, prepend=-1) - 1
        begin = 0
        for at in np.flatnonzero(sizes > limit).tolist():
            stop = int(ends[at]) + 1
            kept = data[begin : stop - 1 - int(sizes[at]) + limit]
            yield self._block(kept, stop - begin - len(kept))
            begin = stop
        if begin < len(data):
            yield self._block(data[begin:] if begin else data, 0)

    def _block(self, buf: bytes, cut: int) -> Block:
        newlines = int(np.count_nonzero(np.frombuffer(buf, np.uint8) == 10))
        block = Block(buf, 0, self._offset, self._line_no, cut, newlines)
        self._offset += len(buf) + cut
        self._line_no += newlines + (cut > 0)
        return block

    def advance(self, now: int) -> list[Finding]:
        """Findings of the windows that close because it is `now` (ns), although no line came."""
        return [*self._rest(), *self.pipeline.advance(now)]

    def finish(self) -> list[Finding]:
        """Findings of all windows that are open: the end of the feed."""
        return [*self._rest(), *self.pipeline.finish()]

    def snapshot(self) -> bytes:
        """All that decides later findings, as bytes that `restored` goes on from."""
        return self.paused()()

    def paused(self) -> Callable[[], bytes]:
        """What gives the snapshot of now, in any thread, while this one goes on."""
        own = {"begun": self._begun, "written": self._written}
        meta = own | {"offset": self._offset, "line_no": self._line_no}
        states = {"running": State(meta, files={"head": bytes(self._head)})}
        if self._begun:
            states |= self.pipeline.paused()
        return sealed(states)

    @classmethod
    def restored(
        cls,
        model: Model,
        settings: Settings,
        source: str,
        data: bytes,
        judge: Judge | None = None,
    ) -> Running:
        """What a snapshot told of, in this process; `StoreError` where it cannot be read. The model
        may be another one of the same log."""
        running = cls(model, settings, source, judge)
        states = decode(data)
        try:
            state = states["running"]
            running._head = bytearray(state.files["head"])
            running._written = state.meta["written"]
            running._offset, running._line_no = state.meta["offset"], state.meta["line_no"]
            running._begun = bool(state.meta["begun"])
        except KeyError as error:
            raise StoreError(f"the snapshot is none of a feed: it has no {error}") from None
        if running._begun:
            running.pipeline.resume(states)
        return running

    def close(self) -> None:
        """Let go what is open."""
        self._ruling.close()
        self._given.close()
