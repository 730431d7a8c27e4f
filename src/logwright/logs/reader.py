"""The reader: blocks of bytes to `LineBatch`es, with the run's dictionaries of codes.

For each source it detects the format once, from the first block, and says why. Lines that continue
a record (`logs.continuation`) are joined to it, and lines outside the selection are left out: every
physical line is a record's head, one of the `joined`, or one of those `left_out`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from logwright.logs.batch import NO_TIME, Block, Int32s, Int64s, LineBatch, Note
from logwright.logs.coder import BLANK, OVERFLOW, NewShapes, ShapeCoder
from logwright.logs.continuation import joined
from logwright.logs.formats import Detected
from logwright.logs.rows import Read, Rows
from logwright.logs.sampling import sampled
from logwright.logs.selection import Selection
from logwright.logs.sessions import SessionKey, find_key
from logwright.logs.source_state import SourceState
from logwright.logs.sources import Sources
from logwright.settings import Settings
from logwright.snapshot import State

__all__ = ["BLANK", "OVERFLOW", "NewShapes", "Reader"]

_SAMPLE_LINES = 20_000
_COUNTED = ("joined", "left_out", "_rows", "_keyed")
_FEW_KEYED = 0.03


class Reader:
    """Turns the blocks of `sources` into batches; one for a whole run."""

    def __init__(
        self, sources: Sources, settings: Settings, reference: float | None = None
    ) -> None:
        """`reference`, in seconds since 1970, says when the sources were last written, where they
        are no files."""
        self.sources, self.settings, self._written = sources, settings, reference
        self.coder = ShapeCoder(settings.max_shapes, settings.emails)
        self.shapes = self.coder.table
        self.joined = self.left_out = 0
        self.selection = Selection.of(settings, self._now())
        self._columns = Rows(self.coder)
        self.hosts, self.components = self._columns.hosts, self._columns.components
        self.labels = self._columns.labels
        self.session: SessionKey | None = None
        self.session_reason = ""
        self._states: dict[int, SourceState] = {}
        self._samples: list[tuple[int, bytes]] = []
        self._rows = self._keyed = 0
        self._session_done = settings.session == "none"
        self.remembers = False
        if settings.session and not self._session_done:
            self.set_session(SessionKey(settings.session.encode(), f"{settings.session} as asked"))

    def set_session(self, key: SessionKey | None) -> None:
        """Use this session key (None: no sessions) from the first batch on."""
        self.session, self._session_done = key, True
        if key is not None:
            self.session_reason = f"sessions by key: {key.reason}"

    @property
    def formats(self) -> dict[int, Detected]:
        """The format of each source number that has been read."""
        return {i: s.detected for i, s in self._states.items()}

    @property
    def notes(self) -> list[Note]:
        """What a person should know about the input."""
        notes = self.sources.notes
        for i, state in self._states.items():
            name = self.sources.sources[i].stats.name
            notes += [Note(name, text) for text in state.clock.notes]
            if state.json is not None:
                notes += state.json.notes(name)
        spikes = sum(s.spikes.found + s.text_spikes.found for s in self._states.values())
        if spikes:
            many_times = "1 time" if spikes == 1 else f"{spikes:,} times"
            text = f"{many_times} that jumped by over a day for one line: ignored"
            notes.append(Note("all", text))
        if self.session is not None and self._keyed < _FEW_KEYED * self._rows:
            shown = self.session.pattern.decode("utf-8", "backslashreplace")
            share = f"{self._keyed / self._rows:.2%} of" if self._keyed else "no"
            notes.append(Note("all", f"{share} lines hold the session key {shown}"))
        if self.joined:
            text = f"{self.joined:,} lines (stack traces, indented lines) are joined to the record"
            notes.append(Note("all", f"{text} before them"))
        if self.left_out:
            notes.append(Note("all", f"{self.left_out:,} lines outside the selection: left out"))
        if self.coder.overflowed:
            limit = self.settings.max_shapes
            text = f"{self.coder.overflowed:,} lines have shapes beyond the {limit:,} that are held"
            notes.append(Note("all", f"{text}: counted as one template (raise max_shapes)"))
        return notes

    def batches(self) -> Iterator[LineBatch]:
        """All batches of all sources, in order."""
        before = -1
        for block in sampled(self.sources.blocks(), self.begin_source, self._begin_run):
            if before not in (-1, block.source_id):
                yield from self.rest(before)
            before = block.source_id
            yield self.read(block)
        if before >= 0:
            yield from self.rest(before)

    def rest(self, source_id: int) -> Iterator[LineBatch]:
        """The lines of a source that wait for the next ones (`logs.spikes`), which do not come."""
        state = self._states.get(source_id)
        if state is not None and state.waiting is not None:
            block, state.waiting = state.waiting, None
            yield self.read(block, last=True)

    def read(self, block: Block, last: bool = False) -> LineBatch:
        """One block of a source that has begun; blocks of a source come in order. Lines of it may
        wait for the next one, unless it is the `last`."""
        state = self._states[block.source_id]
        if state.waiting is not None:
            waiting, state.waiting = state.waiting, None
            buf = waiting.buf + block.buf
            block = replace(block, buf=buf, offset=waiting.offset, line_no=waiting.line_no)
            block.newlines = None
        state.may_wait = not last and not block.cut and block.buf.endswith(b"\n")
        batch = self._records(self._columns.read(block, state), state)
        return self._selected(batch, block, state)

    def remember(self) -> None:
        """Remember from now on what `paused` and `drop_keys` need; before the first block."""
        self.remembers = True
        self.coder.remember()
        if self.session is not None:
            self.session.remember()

    def drop_keys(self, wanted: Int64s) -> None:
        """Forget all session keys but those with these codes."""
        if self.session is not None:
            self.session.drop(wanted)

    def paused(self) -> dict[str, State]:
        """What is known of the first source and its lines."""
        state = self._states[0]
        meta: dict[str, Any] = {name: getattr(self, name) for name in _COUNTED}
        meta |= {"state": state.remembered, "reference": self._reference(0)}
        waiting = state.waiting
        meta["waiting"] = None if waiting is None else [waiting.offset, waiting.line_no]
        meta["not_json"] = 0 if state.json is None else state.json.not_json
        buf = b"" if waiting is None else waiting.buf
        states = {
            "reader": State(meta, files={"sample": state.sample, "waiting": buf}),
            "clock": state.clock.paused(),
            "continuation": state.continuation.paused(),
            "shapes": self.coder.paused(),
        }
        if self.session is not None:
            shapes = states["shapes"].tables["shapes"]
            shapes["token"] = self.session.tokens(shapes["code"])
            states["keys"] = self.session.paused()
        return states

    def resume(self, states: Mapping[str, State]) -> tuple[Int32s, Int32s]:
        """Go on from there with a reader that has read nothing. Gives today's codes of the shapes,
        in order, and of session keys, by those then."""
        meta = states["reader"].meta
        self.begin_source(0, states["reader"].files["sample"], float(meta["reference"]))
        state = self._states[0]
        for name in _COUNTED:
            setattr(self, name, int(meta[name]))
        state.remember(*map(int, meta["state"]))
        if meta["waiting"] is not None:
            state.waiting = Block(states["reader"].files["waiting"], 0, *map(int, meta["waiting"]))
        if state.json is not None:
            state.json.not_json = int(meta["not_json"])
        state.clock.resume(states["clock"])
        state.continuation.resume(states["continuation"])
        now = self.coder.resume(states["shapes"])
        keys = np.full(1, -1, np.int32)
        if self.session is not None:
            tokens = states["shapes"].tables["shapes"]["token"]
            self.session.know(now, np.asarray(tokens, np.int32))
            keys = self.session.resume(states["keys"])
        return now, keys

    def message_at(self, source_id: int, text: bytes) -> int:
        """Where the message begins in one line's text: behind the header of its source's format."""
        return self._states[source_id].message_at(text)

    def message(self, source_id: int, text: bytes) -> bytes:
        """The message of one line as batches have it: behind the header; of JSON decoded."""
        return self._states[source_id].message(text)

    def names_at(self, source_id: int, text: bytes) -> tuple[bytes, bytes]:
        """The host and the component that one line's header names, as batches have them; empty
        where it names none."""
        return self._states[source_id].names(text)

    def take_shapes(self) -> NewShapes:
        """Shapes, and further lines of shapes, met since the last call."""
        return self.coder.take()

    def begin_source(self, source_id: int, sample: bytes, written: float | None = None) -> None:
        """Find the format of a source from its sample. `written`, in seconds since 1970, says when
        it was last written, where it is no file."""
        if written is not None:
            self._written = written
        before = {s.detected.layout.text: s.detected for s in self._states.values()}
        state = SourceState.begin(
            sample, self.settings, self._reference(source_id), list(before.values())
        )
        state.chosen = self.selection is None or self.selection.since == NO_TIME
        if self.remembers:
            state.sample = sample
        self._states[source_id] = state
        if not self._session_done:
            self._samples.append((source_id, sample))

    def _begin_run(self) -> None:
        """Find the session key, from the samples of the first sources together."""
        samples, self._samples = self._samples, []
        if self._session_done:
            return
        contents: list[bytes] = []
        for source_id, sample in samples:
            contents += self._states[source_id].messages(sample)
        key = find_key(contents[:_SAMPLE_LINES])
        self.set_session(key)
        if key is None:
            self.session_reason = "no sessions: no identifier recurs across templates"

    def _now(self) -> float:
        """When the newest source was last written, seconds since 1970."""
        return max(map(self._reference, range(len(self.sources.sources))), default=time.time())

    def _reference(self, source_id: int) -> float:
        """Seconds since 1970 at which the source was last written: no line is much younger."""
        if self._written is not None:
            return self._written
        name = self.sources.sources[source_id].stats.name
        try:
            return os.stat(name).st_mtime
        except OSError:
            return time.time()

    def _records(self, read: Read, state: SourceState) -> LineBatch:
        """The lines of a block as records."""
        batch, status, (text, start, end) = read
        joins = state.continuation.rows(
            batch.buf,
            batch.start,
            batch.content_start,
            batch.end,
            status,
            batch.shape,
            self.coder.kinds,
        )
        if joins is not None:
            batch, start, end = joined(batch, joins), start[~joins], end[~joins]
        firsts = self.coder.meet(text, start, end, batch.shape)
        if self.session is not None:
            if len(firsts):
                messages = [batch.content(row) for row in firsts]
                self.session.learn(batch.shape[firsts], messages)
            batch.session = self.session.codes(
                batch.buf, batch.content_start, batch.end, batch.shape
            )
            self._rows += len(batch)
            self._keyed += int(np.count_nonzero(batch.session >= 0))
        return batch

    def _selected(self, batch: LineBatch, block: Block, state: SourceState) -> LineBatch:
        """The records of the selection; counts the lines."""
        continued = 0 if batch.joined is None else int(batch.joined.sum())
        physical = len(batch) + continued + batch.carried
        stats = self.sources.sources[block.source_id].stats
        stats.lines += physical
        if self.selection is not None:
            if not state.kept:
                batch.carried = 0
            which = self.selection.rows(
                batch, block.buf, state, stats.name, self.hosts, self.components
            )
            if len(batch):
                state.kept = bool(which[-1])
            batch = batch.take(which)
            continued = 0 if batch.joined is None else int(batch.joined.sum())
        self.joined += continued + batch.carried
        self.left_out += physical - len(batch) - continued - batch.carried
        return batch
