"""What the reader knows of one source, from block to block."""

from __future__ import annotations

from dataclasses import dataclass, field

from logwright.logs.batch import Block, Int64s
from logwright.logs.continuation import Continuation
from logwright.logs.formats import Detected
from logwright.logs.json_lines import JsonLines
from logwright.logs.spikes import Spikes
from logwright.logs.timestamps import Clock

__all__ = ["SourceState"]


@dataclass(slots=True)
class SourceState:
    """A source's format, and what the lines read so far leave for those to come."""

    detected: Detected
    clock: Clock
    json: JsonLines | None
    continuation: Continuation
    chosen: bool
    """Whether the last line was in the selection's time; lines without a time go with it."""
    sample: bytes
    kept: bool = False
    """Whether the last record was in the selection."""
    spikes: Spikes = field(default_factory=Spikes)
    text_spikes: Spikes = field(default_factory=Spikes)
    """Those of text among JSON lines."""
    waiting: Block | None = None
    """Lines that wait for the next block."""
    may_wait: bool = False

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
