"""The reader: blocks of bytes to `LineBatch`es, with the run's dictionaries of codes.

For each source it detects the format once, from the first block, and says why. It hands out new
shapes with the content of a line (`take_shapes`), and a few more lines of shapes that hold masked
tokens, from which the miner words its templates.

Bounded: once `max_shapes` shapes are held, lines of further shapes are counted under one code,
`OVERFLOW`, and the summary says how many. Dictionaries of hosts, components and labels are bounded
in the same way by `_MOST_NAMES`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, Block, Int8s, Int32s, Int64s, LineBatch, Note
from logwright.logs.formats import Detected, detect, sample_lines, use
from logwright.logs.json_lines import JsonLines
from logwright.logs.kernel import Table, headers, lines
from logwright.logs.layout import level_code
from logwright.logs.program import SLOTS
from logwright.logs.redaction import redact
from logwright.logs.sampling import sampled
from logwright.logs.sessions import SessionKey, find_key
from logwright.logs.sources import Sources
from logwright.logs.timestamps import Clock
from logwright.settings import Settings

__all__ = ["BLANK", "OVERFLOW", "NewShapes", "Reader"]

BLANK, OVERFLOW = 0, 1
"""Shape codes of empty lines, and of lines whose shape is one too many."""

_OVERFLOW_TEXT = b"(a line whose shape is beyond the limit of max_shapes)"
_MOST_NAMES = 1_000_000
_EXEMPLARS, _LOOKS = 8, 16
_LONGEST_EXEMPLAR = 64 << 10
_SAMPLE_LINES = 20_000
_DAY = 86_400_000_000_000
_FEW_KEYED = 0.03
_DIGIT = re.compile(rb"[0-9\x00]")


@dataclass(slots=True)
class NewShapes:
    """Shapes met for the first time, or again with another line: codes, keys and contents."""

    codes: Int32s
    keys: NDArray[np.uint64]
    contents: list[bytes]


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


@dataclass(slots=True)
class _SourceState:
    detected: Detected
    clock: Clock
    json: JsonLines | None


class Reader:
    """Turns the blocks of `sources` into batches; one for a whole run."""

    def __init__(self, sources: Sources, settings: Settings) -> None:
        self.sources, self.settings = sources, settings
        self.shapes = Table()
        self.hosts, self.components, self.labels = Names(), Names(), Names()
        self.session: SessionKey | None = None
        self.session_reason = ""
        self.overflowed = 0
        self._levels, self._level_codes = Names(), np.zeros(1, np.int8)
        self._looks = np.zeros(1024, np.int8)  # lines of a shape still to be looked at
        self._kept: dict[int, set[bytes]] = {}
        self._new: list[tuple[int, bytes]] = []
        self._states: dict[int, _SourceState] = {}
        self._samples: list[tuple[int, bytes]] = []
        self._rows = self._keyed = self._spikes = 0
        self._blank = np.array([BLANK], np.int32)  # shapes of white space alone
        for text in (b"", _OVERFLOW_TEXT):  # the codes BLANK and OVERFLOW
            self.shapes.encode(text, np.zeros(1, np.int64), np.array([len(text)]))
        self._session_done = settings.session == "none"
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
        if self._spikes:
            many_times = "1 time" if self._spikes == 1 else f"{self._spikes:,} times"
            text = f"{many_times} that jumped by over a day for one line: ignored"
            notes.append(Note("all", text))
        if self.session is not None and self._keyed < _FEW_KEYED * self._rows:
            shown = self.session.pattern.decode("utf-8", "backslashreplace")
            share = f"{self._keyed / self._rows:.2%} of" if self._keyed else "no"
            notes.append(Note("all", f"{share} lines hold the session key {shown}"))
        if self.overflowed:
            limit = self.settings.max_shapes
            text = f"{self.overflowed:,} lines have shapes beyond the {limit:,} that are held"
            notes.append(Note("all", f"{text}: counted as one template (raise max_shapes)"))
        return notes

    def batches(self) -> Iterator[LineBatch]:
        """All batches of all sources, in order."""
        for block in sampled(self.sources.blocks(), self._begin_source, self._begin_run):
            batch = self._batch(block)
            self.sources.sources[block.source_id].stats.lines += len(batch)
            yield batch

    def message_at(self, source_id: int, text: bytes) -> int:
        """Where the message begins in one line's text: behind the header of its source's format."""
        state = self._states[source_id]
        if state.json is not None:
            path = state.json.keys.message
            key = re.escape(path[-1].encode()) if path else b""
            match = re.search(b'"' + key + b'"\\s*:\\s*"', text) if path else None
            return match.end() if match else 0
        program = state.detected.program
        if not program:
            return 0
        content, *_ = headers(text, np.zeros(1, np.int64), np.array([len(text)]), program, 2000, 0)
        return int(content[0])

    def take_shapes(self) -> NewShapes:
        """Shapes, and further lines of shapes, met since the last call."""
        new, self._new = self._new, []
        codes = np.array([code for code, _ in new], np.int32)
        return NewShapes(codes, self.shapes.keys(codes), [redact(content) for _, content in new])

    def _begin_source(self, source_id: int, sample: bytes) -> None:
        """Find the format of a source from its sample."""
        samples, settings = sample_lines(sample), self.settings
        if settings.format:
            detected = use(settings.format, samples, label_prefix=settings.label_prefix)
        else:
            detected = detect(samples, label_prefix=settings.label_prefix)
        clock = Clock(
            settings.timezone,
            self._reference(source_id),
            names_year=detected.names_year,
            names_day=detected.names_day,
            names_zone=detected.names_zone,
        )
        json = JsonLines(samples, settings.timezone) if detected.format.kind == "json" else None
        self._states[source_id] = _SourceState(detected, clock, json)
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

    def _reference(self, source_id: int) -> float:
        """Seconds since 1970 at which the source was last written: no line is much younger."""
        name = self.sources.sources[source_id].stats.name
        try:
            return os.stat(name).st_mtime
        except OSError:
            return time.time()

    def _batch(self, block: Block) -> LineBatch:
        state = self._states[block.source_id]
        if state.json is not None:
            return self._json_batch(block, state, state.json)
        start, end = lines(block.buf)
        n = len(start)
        program = state.detected.program
        if program:
            content, ts, spans, _ = headers(
                block.buf, start, end, program, state.clock.year, state.clock.day
            )
            ts = state.clock.fix(self._without_spikes(ts))
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
            level = self._level(self._levels.code(block.buf, *names["level"]))
        coded = {
            slot: dictionary.code(block.buf, *names[slot]) if slot in names else absent
            for slot, dictionary in (
                ("host", self.hosts),
                ("component", self.components),
                ("label", self.labels),
            )
        }
        shape = self._shape(block.buf, content, end)
        return LineBatch(
            block.buf,
            block.source_id,
            start,
            end,
            content,
            shape,
            ts,
            level,
            coded["host"],
            coded["component"],
            self._sessions(block.buf, content, end, shape),
            coded["label"],
            start + block.offset,
            np.arange(block.line_no, block.line_no + n, dtype=np.int64),
        )

    def _json_batch(self, block: Block, state: _SourceState, json: JsonLines) -> LineBatch:
        columns = json.columns(block)
        ts = self._without_spikes(columns.ts)
        shape = self._shape(columns.buf, columns.start, columns.end)

        def recoded(dictionary: Names, coded: tuple[Int32s, list[bytes]]) -> Int32s:
            codes, values = coded
            ends = np.cumsum([len(v) for v in values], dtype=np.int64)
            starts = np.concatenate(([0], ends[:-1])).astype(np.int64) if values else ends
            table = dictionary.code(b"".join(values), starts, ends)
            return np.append(table, np.int32(-1))[codes]

        return LineBatch(
            columns.buf,
            block.source_id,
            columns.start,
            columns.end,
            columns.start,
            shape,
            ts,
            self._level(recoded(self._levels, columns.level)),
            recoded(self.hosts, columns.host),
            recoded(self.components, columns.component),
            self._sessions(columns.buf, columns.start, columns.end, shape),
            np.full(len(shape), -1, np.int32),
            columns.offset,
            columns.line_no,
            block.buf,
        )

    def _without_spikes(self, ts: Int64s) -> Int64s:
        """Times without those that jump by more than a day for one line and back: a wrong one
        among right ones would close all windows."""
        timed = np.flatnonzero(ts != NO_TIME)
        if len(timed) < 3:
            return ts
        jump = np.abs(np.diff(ts[timed])) > _DAY
        if not jump.any():
            return ts
        spike = np.flatnonzero(jump[1:] & jump[:-1]) + 1
        spike = spike[np.abs(ts[timed[spike + 1]] - ts[timed[spike - 1]]) <= _DAY]
        if len(spike):
            self._spikes += len(spike)
            ts = ts.copy()
            ts[timed[spike]] = NO_TIME
        return ts

    def _level(self, codes: Int32s) -> Int8s:
        known = len(self._level_codes) - 1
        values = self._levels.values
        if len(values) > known:  # the last entry is what code -1 finds
            more = [level_code(v) for v in values[known:]]
            self._level_codes = np.concatenate((self._level_codes[:-1], more, [0])).astype(np.int8)
        return self._level_codes[codes]

    def _shape(self, buf: bytes, content: Int64s, end: Int64s) -> Int32s:
        codes, fresh = self.shapes.encode(buf, content, end)
        if self.shapes.span > len(self._looks):
            grown = np.zeros(2 * self.shapes.span, np.int8)
            grown[: len(self._looks)] = self._looks
            self._looks = grown
        if len(self.shapes) > self.settings.max_shapes and len(fresh):
            # First come, first served, so that it does not matter where blocks end.
            room = self.settings.max_shapes - (len(self.shapes) - len(fresh))
            over = codes[fresh[max(room, 0) :]]
            fresh = fresh[: max(room, 0)]
            self.shapes.evict(over)
            if not self.overflowed:
                self._new.append((OVERFLOW, _OVERFLOW_TEXT))
            beyond = np.isin(codes, over)
            self.overflowed += int(np.count_nonzero(beyond))
            codes = np.where(beyond, np.int32(OVERFLOW), codes)
        if len(fresh):
            self._looks[codes[fresh]] = _LOOKS
            blank = [i for i in fresh.tolist() if not buf[content[i] : end[i]].strip()]
            self._blank = np.concatenate((self._blank, codes[blank]))
            self._looks[self._blank] = 0
        if len(self._blank) > 1:
            codes = np.where(np.isin(codes, self._blank), np.int32(BLANK), codes)
        again = np.flatnonzero(self._looks[codes] > 0)
        first_new = len(self._new)
        for row, code in zip(again.tolist(), codes[again].tolist(), strict=True):
            self._look(code, buf[int(content[row]) : int(end[row])])
        if self.session is not None and len(fresh):
            fresh_codes = set(codes[fresh].tolist())
            firsts = dict(reversed([s for s in self._new[first_new:] if s[0] in fresh_codes]))
            self.session.learn(np.array(list(firsts), np.int32), list(firsts.values()))
        return codes

    def _look(self, code: int, content: bytes) -> None:
        """Keep a line of a shape, unless it tells nothing new."""
        left = int(self._looks[code])
        if left <= 0:
            return
        kept = self._kept.setdefault(code, set())
        if len(content) > _LONGEST_EXEMPLAR:
            content = content[:_LONGEST_EXEMPLAR]
        if content not in kept:
            kept.add(content)
            self._new.append((code, content))
        if left == 1 or len(kept) >= _EXEMPLARS or not _DIGIT.search(content):
            self._looks[code] = 0
            del self._kept[code]
        else:
            self._looks[code] = left - 1

    def _sessions(self, buf: bytes, content: Int64s, end: Int64s, shape: Int32s) -> Int32s:
        if self.session is None:
            return np.full(len(shape), -1, np.int32)
        codes = self.session.codes(buf, content, end, shape)
        self._rows += len(codes)
        self._keyed += int(np.count_nonzero(codes >= 0))
        return codes
