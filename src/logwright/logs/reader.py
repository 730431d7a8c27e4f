"""The reader: blocks of bytes to `LineBatch`es, with the run's dictionaries of codes.

For each source it detects the format once, from the first block, and says why. Lines that continue
a record (`logs.continuation`) are joined to it, and lines outside the selection are left out: every
physical line is a record's head, one of the `joined`, or one of those `left_out`.

Dictionaries of hosts, components and labels are bounded by `_MOST_NAMES`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, Block, Int8s, Int32s, Int64s, LineBatch, Note
from logwright.logs.coder import BLANK, OVERFLOW, NewShapes, ShapeCoder
from logwright.logs.continuation import INDENTED_MOST, Continuation
from logwright.logs.formats import Detected, detect, sample_lines, use
from logwright.logs.json_lines import JsonLines
from logwright.logs.kernel import Table, headers, lines
from logwright.logs.layout import level_code
from logwright.logs.program import FULL, NONE, SLOTS
from logwright.logs.sampling import sampled
from logwright.logs.selection import Selection, holds
from logwright.logs.sessions import SessionKey, find_key
from logwright.logs.source_state import SourceState
from logwright.logs.sources import Sources
from logwright.logs.timestamps import Clock
from logwright.settings import Settings
from logwright.snapshot import State

__all__ = ["BLANK", "OVERFLOW", "NewShapes", "Reader"]

_MOST_NAMES = 1_000_000
_SAMPLE_LINES = 20_000
_COUNTED = ("joined", "left_out", "_rows", "_keyed")
_FEW_KEYED = 0.03


@dataclass(slots=True)
class Names:
    """A dictionary of byte strings, filled by interning spans of blocks."""

    table: Table = field(default_factory=Table)
    values: list[bytes] = field(default_factory=list)

    def code(self, buf: bytes, start: Int64s, end: Int64s) -> Int32s:
        """Codes of the spans, -1 where there is none (or there are too many different ones)."""
        if len(self.values) >= _MOST_NAMES:
            return np.full(len(start), -1, np.int32)
        codes, fresh = self.table.intern(buf, start, end)
        self.values.extend(buf[int(start[i]) : int(end[i])] for i in fresh.tolist())
        return codes


class _Headers(NamedTuple):
    content: Int64s
    ts: Int64s
    level: Int8s
    host: Int32s
    component: Int32s
    label: Int32s
    status: Int8s | None
    """None where the source has no headers."""


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
        self.hosts, self.components, self.labels = Names(), Names(), Names()
        self.session: SessionKey | None = None
        self.session_reason = ""
        self._levels, self._level_codes = Names(), np.zeros(1, np.int8)
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
        if state.json is not None:
            batch = self._json_batch(block, state, state.json)
        else:
            batch = self._batch(block, state)
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
        state = self._states[source_id]
        if state.json is not None and text.lstrip()[:1] == b"{":
            path = state.json.keys.message
            key = re.escape(path[-1].encode()) if path else b""
            match = re.search(b'"' + key + b'"\\s*:\\s*"', text) if path else None
            return match.end() if match else 0
        program = state.detected.program
        if not program:
            return 0
        content, *_ = headers(text, np.zeros(1, np.int64), np.array([len(text)]), program, 2000, 0)
        return int(content[0])

    def message(self, source_id: int, text: bytes) -> bytes:
        """The message of one line as batches have it: behind the header; of JSON decoded."""
        json = self._states[source_id].json
        found = None if json is None else json.message(text)
        return text[self.message_at(source_id, text) :] if found is None else found

    def names_at(self, source_id: int, text: bytes) -> tuple[bytes, bytes]:
        """The host and the component that one line's header names, as batches have them; empty
        where it names none."""
        state = self._states[source_id]
        if state.json is not None and (found := state.json.names(text)) is not None:
            return found
        program = state.detected.program
        if not program:
            return b"", b""
        end = np.array([len(text)])
        _, _, spans, _ = headers(text, np.zeros(1, np.int64), end, program, 2000, 0)
        (a, b), (c, d) = (spans[0, 2 * SLOTS[slot] :][:2] for slot in ("host", "component"))
        return text[max(a, 0) : max(b, 0)], text[max(c, 0) : max(d, 0)]  # -1 where there is none

    def take_shapes(self) -> NewShapes:
        """Shapes, and further lines of shapes, met since the last call."""
        return self.coder.take()

    def begin_source(self, source_id: int, sample: bytes, written: float | None = None) -> None:
        """Find the format of a source from its sample. `written`, in seconds since 1970, says when
        it was last written, where it is no file."""
        if written is not None:
            self._written = written
        samples, settings = sample_lines(sample), self.settings
        if settings.format:
            detected = use(settings.format, samples, label_prefix=settings.label_prefix)
        else:
            before = {s.detected.layout.text: s.detected for s in self._states.values()}
            detected = detect(
                samples, label_prefix=settings.label_prefix, before=list(before.values())
            )
        clock = Clock(
            settings.timezone,
            self._reference(source_id),
            names_year=detected.names_year,
            names_day=detected.names_day,
            names_zone=detected.names_zone,
        )
        json = JsonLines(samples, settings.timezone) if detected.format.kind == "json" else None
        if json is not None:
            keys = json.reason.removeprefix(f"{detected.format.title}: ")
            detected = replace(detected, reason=f"{detected.reason}; {keys}")
        begun = self.selection is None or self.selection.since == NO_TIME
        continuation = _continuation(samples, detected)
        self._states[source_id] = SourceState(
            detected, clock, json, continuation, begun, sample if self.remembers else b""
        )
        if not self._session_done:
            self._samples.append((source_id, sample))

    def _begin_run(self) -> None:
        """Find the session key, from the samples of the first sources together."""
        samples, self._samples = self._samples, []
        if self._session_done:
            return
        contents: list[bytes] = []
        for source_id, sample in samples:
            state = self._states[source_id]
            if state.json is not None:
                columns = state.json.columns(Block(sample, source_id, 0, 1))
                contents += columns.buf.splitlines()
                state.json.not_json = 0  # these lines are read, and counted, once more
                continue
            start, end = lines(sample)
            if state.detected.program:
                start, *_ = headers(sample, start, end, state.detected.program, 2000, 0)
            pairs = zip(start.tolist(), end.tolist(), strict=True)
            contents += [sample[a:b] for a, b in pairs if b > a]
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

    def _header_columns(
        self,
        buf: bytes,
        start: Int64s,
        end: Int64s,
        state: SourceState,
        block: Block | None = None,
    ) -> _Headers:
        """What the header program of a source reads on some lines: on those of a block that need
        not wait, or on all of the text among JSON lines."""
        n = len(start)
        program, status = state.detected.program, None
        if program:
            content, ts, spans, status = headers(
                buf, start, end, program, state.clock.year, state.clock.day
            )
            if block is not None:
                n = state.held(block, ts, start)
                content, spans, status = content[:n], spans[:n], status[:n]
            spikes = state.text_spikes if block is None else state.spikes
            ts = state.clock.fix(spikes.without(ts, n))
        else:
            content, ts = start, np.full(n, NO_TIME, np.int64)
            spans = np.full((n, 8), -1, np.int64)
        names = {}
        for slot in state.detected.slots:
            at = 2 * SLOTS[slot]
            names[slot] = (spans[:, at], spans[:, at + 1])
        absent = np.full(n, -1, np.int32)
        level = np.zeros(n, np.int8)
        if "level" in names:
            level = self._level(self._levels.code(buf, *names["level"]))
        host, component, label = (
            dictionary.code(buf, *names[slot]) if slot in names else absent
            for slot, dictionary in (
                ("host", self.hosts),
                ("component", self.components),
                ("label", self.labels),
            )
        )
        return _Headers(content, ts, level, host, component, label, status)

    def _batch(self, block: Block, state: SourceState) -> LineBatch:
        start, end = lines(block.buf, block.newlines)
        head = self._header_columns(block.buf, start, end, state, block)
        buf, n = block.buf, len(head.content)
        if n < len(start):
            buf, start, end = buf[: int(start[n])], start[:n], end[:n]
        shape = self.coder.encode(buf, head.content, end)
        batch = LineBatch(
            buf,
            block.source_id,
            start,
            end,
            head.content,
            shape,
            head.ts,
            head.level,
            head.host,
            head.component,
            np.full(len(start), -1, np.int32),
            head.label,
            start + block.offset,
            np.arange(block.line_no, block.line_no + len(start), dtype=np.int64),
            base=block.offset,
        )
        return self._records(batch, state, head.status, (buf, head.content, end))

    def _json_batch(self, block: Block, state: SourceState, json: JsonLines) -> LineBatch:
        not_json, columns = json.not_json, json.columns(block)
        ts = columns.ts
        stop = state.held(block, ts, columns.offset - block.offset)
        if stop < len(ts):
            json.not_json = not_json
            block = replace(block, buf=block.buf[: int(columns.offset[stop]) - block.offset])
            columns = json.columns(block)
        count = len(columns.start)
        status = np.full(count, FULL, np.int8)
        rows = np.flatnonzero(columns.text)
        start = columns.start[rows]
        head = self._header_columns(columns.buf, start, columns.end[rows], state)
        status[rows] = NONE if head.status is None else head.status
        text, begin, end = columns.template or (columns.buf, columns.start, columns.end)
        begin, content = begin.copy(), columns.start.copy()
        begin[rows] += head.content - start
        content[rows] = head.content

        def recoded(dictionary: Names, coded: tuple[Int32s, list[bytes]]) -> Int32s:
            codes, values = coded
            ends = np.cumsum([len(v) for v in values], dtype=np.int64)
            starts = np.concatenate(([0], ends[:-1])).astype(np.int64) if values else ends
            table = dictionary.code(b"".join(values), starts, ends)
            return np.append(table, np.int32(-1))[codes]

        batch = LineBatch(
            columns.buf,
            block.source_id,
            columns.start,
            columns.end,
            content,
            self.coder.encode(text, begin, end),
            state.spikes.without(ts, stop),
            self._level(recoded(self._levels, columns.level)),
            recoded(self.hosts, columns.host),
            recoded(self.components, columns.component),
            np.full(count, -1, np.int32),
            np.full(count, -1, np.int32),
            columns.offset,
            columns.line_no,
            block.buf,
            base=block.offset,
        )
        batch.ts[rows], batch.level[rows] = head.ts, head.level
        batch.host[rows], batch.component[rows] = head.host, head.component
        return self._records(batch, state, status, (text, begin, end))

    def _records(
        self,
        batch: LineBatch,
        state: SourceState,
        status: Int8s | None,
        named: tuple[bytes, Int64s, Int64s],
    ) -> LineBatch:
        """A batch of lines as records; `named` holds the texts that their shapes come from."""
        joins = state.continuation.rows(
            batch.buf,
            batch.start,
            batch.content_start,
            batch.end,
            status,
            batch.shape,
            self.coder.kinds,
        )
        text, start, end = named
        if joins is not None:
            batch, start, end = _joined(batch, joins), start[~joins], end[~joins]
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
        joined = 0 if batch.joined is None else int(batch.joined.sum())
        physical = len(batch) + joined + batch.carried
        self.sources.sources[block.source_id].stats.lines += physical
        if self.selection is not None:
            if not state.kept:
                batch.carried = 0
            which = self._in_selection(self.selection, batch, block, state)
            if len(batch):
                state.kept = bool(which[-1])
            batch = batch.take(which)
            joined = 0 if batch.joined is None else int(batch.joined.sum())
        self.joined += joined + batch.carried
        self.left_out += physical - len(batch) - joined - batch.carried
        return batch

    def _in_selection(
        self, selection: Selection, batch: LineBatch, block: Block, state: SourceState
    ) -> NDArray[np.bool_]:
        which = np.ones(len(batch), bool)
        if not len(batch):
            return which
        if max(selection.since, selection.until) != NO_TIME:
            timed = batch.ts != NO_TIME
            inside = batch.ts >= selection.since
            if selection.until != NO_TIME:
                inside &= batch.ts < selection.until
            last = np.maximum.accumulate(np.where(timed, np.arange(len(batch)), -1))
            which = np.where(last >= 0, inside[last], state.chosen)
            state.chosen = bool(which[-1])
        slots = {"host": self.hosts.values, "component": self.components.values}
        source = self.sources.sources[block.source_id].stats.name
        raw = block.buf
        for key, value in selection.where:
            name = value.encode("utf-8", "surrogateescape")
            codes = getattr(batch, key) if key in slots else None
            if key == "source":
                which &= value in (source, os.path.basename(source))
            elif key == "level" and level_code(name):
                which &= batch.level == level_code(name)
            elif codes is not None and (codes >= 0).any():
                known = slots[key]
                which &= codes == (known.index(name) if name in known else -2)
            else:
                which &= holds(raw, batch.offset - block.offset, key, value)
        return which

    def _level(self, codes: Int32s) -> Int8s:
        known = len(self._level_codes) - 1
        values = self._levels.values
        if len(values) > known:  # the last entry is what code -1 finds
            more = [level_code(v) for v in values[known:]]
            self._level_codes = np.concatenate((self._level_codes[:-1], more, [0])).astype(np.int8)
        return self._level_codes[codes]


def _continuation(samples: list[bytes], detected: Detected) -> Continuation:
    """Whether indentation tells records apart: it does not in text that is indented anyhow."""
    if detected.program:
        return Continuation()
    indented = sum(line[:1] in b" \t" for line in samples)
    return Continuation(indents=indented <= INDENTED_MOST * max(len(samples), 1))


def _joined(batch: LineBatch, joins: NDArray[np.bool_]) -> LineBatch:
    """The records of a batch of lines, of which some continue a record."""
    heads = np.flatnonzero(~joins)
    records = batch.take(heads)
    ends = np.append(heads[1:], len(joins))
    records.joined = (ends - heads - 1).astype(np.int32)
    records.carried = int(heads[0]) if len(heads) else len(joins)
    return records
