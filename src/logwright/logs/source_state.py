"""What the reader knows of one source, from block to block."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Block, Int64s
from logwright.logs.continuation import Continuation
from logwright.logs.formats import Detected, detect, sample_lines, use
from logwright.logs.json_lines import JsonLines
from logwright.logs.kernel import headers, lines
from logwright.logs.program import SLOTS
from logwright.logs.spikes import Spikes
from logwright.logs.timestamps import Clock
from logwright.settings import Settings

__all__ = ["SourceState"]


@dataclass(slots=True)
class SourceState:
    """A source's format, and what the lines read so far leave for those to come."""

    detected: Detected
    clock: Clock
    json: JsonLines | None
    continuation: Continuation
    chosen: bool = True
    """Whether the last line was in the selection's time; lines without a time go with it."""
    sample: bytes = b""
    kept: bool = False
    """Whether the last record was in the selection."""
    spikes: Spikes = field(default_factory=Spikes)
    text_spikes: Spikes = field(default_factory=Spikes)
    """Those of text among JSON lines."""
    waiting: Block | None = None
    """Lines that wait for the next block."""
    may_wait: bool = False
    _last: tuple[bytes, tuple[int, NDArray[np.int64]]] | None = None

    @staticmethod
    def begin(
        sample: bytes, settings: Settings, reference: float, before: Sequence[Detected]
    ) -> SourceState:
        """That of a source which begins with a `sample` and was last written at `reference`, in
        seconds since 1970; `before` are the formats that were found in other ones."""
        samples = sample_lines(sample)
        if settings.format:
            detected = use(settings.format, samples, label_prefix=settings.label_prefix)
        else:
            detected = detect(samples, label_prefix=settings.label_prefix, before=before)
        clock = Clock(
            settings.timezone,
            reference,
            names_year=detected.names_year,
            names_day=detected.names_day,
            names_zone=detected.names_zone,
        )
        json = JsonLines(samples, settings.timezone) if detected.format.kind == "json" else None
        if json is not None:
            keys = json.reason.removeprefix(f"{detected.format.title}: ")
            detected = replace(detected, reason=f"{detected.reason}; {keys}")
        continuation = Continuation.of(samples, bool(detected.program))
        return SourceState(detected, clock, json, continuation)

    def messages(self, sample: bytes) -> list[bytes]:
        """The messages of a text, such as the source's sample; text among JSON keeps its header."""
        if self.json is not None:
            columns = self.json.columns(Block(sample, 0, 0, 1))
            self.json.not_json = 0  # these lines are read, and counted, once more
            return columns.buf.splitlines()
        start, end = lines(sample)
        if self.detected.program:
            start, *_ = headers(sample, start, end, self.detected.program, 2000, 0)
        pairs = zip(start.tolist(), end.tolist(), strict=True)
        return [sample[a:b] for a, b in pairs if b > a]

    def message_at(self, text: bytes) -> int:
        """Where the message begins in one line's text: behind the header."""
        if self.json is not None and text.lstrip()[:1] == b"{":
            path = self.json.keys.message
            key = re.escape(path[-1].encode()) if path else b""
            match = re.search(b'"' + key + b'"\\s*:\\s*"', text) if path else None
            return match.end() if match else 0
        head = self._head(text)
        return 0 if head is None else head[0]

    def message(self, text: bytes) -> bytes:
        """The message of one line as batches have it: behind the header; of JSON decoded."""
        found = None if self.json is None else self.json.message(text)
        return text[self.message_at(text) :] if found is None else found

    def names(self, text: bytes) -> tuple[bytes, bytes]:
        """The host and the component that one line's header names, as batches have them; empty
        where it names none."""
        if self.json is not None and (found := self.json.names(text)) is not None:
            return found
        head = self._head(text)
        if head is None:
            return b"", b""
        (a, b), (c, d) = (head[1][2 * SLOTS[slot] :][:2] for slot in ("host", "component"))
        return text[max(a, 0) : max(b, 0)], text[max(c, 0) : max(d, 0)]  # -1 where there is none

    def _head(self, text: bytes) -> tuple[int, NDArray[np.int64]] | None:
        """Where one line's message begins, and the spans of its header; None without headers."""
        if not self.detected.program:
            return None
        if self._last is not None and self._last[0] == text:  # asked for its names, too
            return self._last[1]
        start, end = np.zeros(1, np.int64), np.array([len(text)])
        content, _, spans, _ = headers(text, start, end, self.detected.program, 2000, 0)
        self._last = text, (int(content[0]), spans[0])
        return self._last[1]

    def held(self, block: Block, ts: Int64s, start: Int64s) -> int:
        """How many of a block's lines need not wait; the others are held for the next block."""
        stop = self.spikes.waits(ts) if self.may_wait else len(ts)
        if stop < len(ts):
            at = int(start[stop])
            self.waiting = Block(
                block.buf[at:], block.source_id, block.offset + at, block.line_no + stop
            )
        return stop

    @property
    def remembered(self) -> list[int | bool]:
        """What to go on from, besides what has states of its own."""
        spikes, others = self.spikes, self.text_spikes
        numbers = spikes.before, spikes.found, others.before, others.found
        return [bool(self.chosen), bool(self.kept), *numbers]

    def remember(self, chosen: int, kept: int, *spikes: int) -> None:
        """Take what `remembered` gave."""
        self.chosen, self.kept = bool(chosen), bool(kept)
        self.spikes, self.text_spikes = Spikes(*spikes[:2]), Spikes(*spikes[2:])
