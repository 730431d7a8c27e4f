"""Rows: the lines of a block as columns, with the run's dictionaries of codes.

What a line is (text, or an object of JSON) is its source's; here it becomes times, levels, codes of
names and codes of shapes. Which of the lines are records is another matter (`logs.continuation`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from logwright.logs.batch import NO_TIME, Block, Int8s, Int32s, Int64s, LineBatch
from logwright.logs.coder import ShapeCoder
from logwright.logs.json_lines import JsonLines
from logwright.logs.kernel import headers, lines
from logwright.logs.names import Levels, Names
from logwright.logs.program import FULL, NONE, SLOTS
from logwright.logs.source_state import SourceState

__all__ = ["Named", "Read", "Rows"]


class Named(NamedTuple):
    """The texts that shapes come from: of the lines as they are, or of templates they name."""

    text: bytes
    start: Int64s
    end: Int64s


class Read(NamedTuple):
    """The lines of a block."""

    batch: LineBatch
    status: Int8s | None
    """Of the header program, by line; None where the source has no headers."""
    named: Named


class _Headers(NamedTuple):
    content: Int64s
    ts: Int64s
    level: Int8s
    host: Int32s
    component: Int32s
    label: Int32s
    status: Int8s | None


class Rows:
    """Turns blocks into columns; one for a whole run, whose dictionaries it holds."""

    def __init__(self, coder: ShapeCoder) -> None:
        self.coder = coder
        self.hosts, self.components, self.labels = Names(), Names(), Names()
        self._levels = Levels()

    def read(self, block: Block, state: SourceState) -> Read:
        """The lines of a block of a source, but for those that wait for the next block."""
        if state.json is not None:
            return self._json(block, state, state.json)
        return self._text(block, state)

    def _text(self, block: Block, state: SourceState) -> Read:
        start, end = lines(block.buf, block.newlines)
        head = self._headers(block.buf, start, end, state, block)
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
            np.full(n, -1, np.int32),
            head.label,
            start + block.offset,
            np.arange(block.line_no, block.line_no + n, dtype=np.int64),
            base=block.offset,
        )
        return Read(batch, head.status, Named(buf, head.content, end))

    def _json(self, block: Block, state: SourceState, json: JsonLines) -> Read:
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
        head = self._headers(columns.buf, start, columns.end[rows], state)
        status[rows] = NONE if head.status is None else head.status
        text, begin, end = columns.template or (columns.buf, columns.start, columns.end)
        begin, content = begin.copy(), columns.start.copy()
        begin[rows] += head.content - start
        content[rows] = head.content
        batch = LineBatch(
            columns.buf,
            block.source_id,
            columns.start,
            columns.end,
            content,
            self.coder.encode(text, begin, end),
            state.spikes.without(ts, stop),
            self._levels.of(self._levels.words.recode(*columns.level)),
            self.hosts.recode(*columns.host),
            self.components.recode(*columns.component),
            np.full(count, -1, np.int32),
            np.full(count, -1, np.int32),
            columns.offset,
            columns.line_no,
            block.buf,
            base=block.offset,
        )
        batch.ts[rows], batch.level[rows] = head.ts, head.level
        batch.host[rows], batch.component[rows] = head.host, head.component
        return Read(batch, status, Named(text, begin, end))

    def _headers(
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
            level = self._levels.of(self._levels.words.code(buf, *names["level"]))
        host, component, label = (
            dictionary.code(buf, *names[slot]) if slot in names else absent
            for slot, dictionary in (
                ("host", self.hosts),
                ("component", self.components),
                ("label", self.labels),
            )
        )
        return _Headers(content, ts, level, host, component, label, status)
