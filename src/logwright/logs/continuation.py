"""Continuation: which physical lines carry the record before them on.

A stack trace or an indented block belongs to the record whose head line stands above it. Whether a
line continues a record follows from its text, and from whether its source's header fits it, so it
is worked out once per shape and looked up per line:

* A *frame* (``at a.B.c(B.java:3)``, ``File "x.py", line 3, in f``, ``from x.rb:3:in 'f'``,
  ``goroutine 1 [running]:``, ``#0 0x7f in f``, ``... 12 more``, ``Traceback (most recent``)
  continues a record, behind a header too: containers put one before every line.
* An indented line without a header continues a record, unless its text names trouble
  ("    --- FAIL: TestPay"). In text without headers it does only where indentation is rare enough
  to mean something (`INDENTED_MOST`).
* Behind a frame every indented line continues, whatever it says (source code, carets, notes).

A line that names what went wrong (``ValueError: no user``, ``Caused by: ...``, ``panic: ...``) is
no frame: it stays a record of its own, so that a new exception is never hidden behind a head line
that is well known. See decision 005.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from logwright.logs import program as p
from logwright.logs.batch import Int8s, Int32s, Int64s, LineBatch
from logwright.snapshot import State

__all__ = ["EMPTY", "FRAME", "INDENTED_MOST", "TROUBLE", "Continuation", "joined", "line_kind"]

FRAME, TROUBLE, CODE, EMPTY = 1, 2, 4, 8
"""Bits of what a line is: a frame, something that names trouble, code as it stands behind frames,
white space alone."""

INDENTED_MOST = 0.5
"""Text without headers in which more of the lines are indented is laid out so for other reasons."""

_FRAMES = re.compile(
    # Java, Scala, C#: a dotted name, its argument list or file at once behind it.
    rb"at\s+[\w.$<>@/`-]{1,300}\.[\w$<>`]{1,200}(?:\[[^\]]{1,80}\])?\([^)]{0,300}\)"
    # JavaScript
    rb"|at\s.{1,200}\((?:[^()]{1,300}:\d+:\d+|index \d+|<anonymous>|native)\)$"
    rb"|at\s+(?:async )?\S{1,300}:\d+:\d+$"
    # Python
    rb"|File \"[^\"]{1,300}\", line \d+|Traceback \(most recent call|\[Previous line repeated"
    rb"|During handling of the above exc|The above exception was the direct"
    # Ruby, PHP, gdb and sanitizers
    rb"|from\s+\S{1,300}:\d+:in\s|#\d{1,3}\s+(?:0x[0-9a-fA-F]+|/\S+|\{main\})|Stack trace:$"
    # Go, Rust
    rb"|goroutine \d+ \[|\S{1,300}\.go:\d+(?: \+0x[0-9a-f]+)?$|stack backtrace:$"
    rb"|\d{1,3}:\s+0x[0-9a-f]{6,16} - |at (?:/|\./)\S{1,300}:\d+$"
    # what stands between frames
    rb"|\.\.\. \d+ (?:common frames omitted|more)$|-{2,3}\s?End of (?:inner|stack)"
)
_CODE = re.compile(
    rb"[\w./*()-]{1,200}\(.{0,300}\)$|[\])}>]{1,3}[;,]?$|created by \S+|note: (?:run with|Some)"
)
# Of the line in lower case: `(?i)` would take four times as long.
_TROUBLE = re.compile(
    rb"error|exception|fail|fatal|panic|abort|denied|refus|timed? ?out|unable|cannot|corrupt"
    rb"|\blost\b|crash|killed|critical|assert|unreachable|invalid|segfault|out of memory"
)


def line_kind(content: bytes) -> int:
    """What a line's text is, as bits.

    >>> line_kind(b"\\tat a.B.c(B.java:3)") == FRAME, line_kind(b"  disk failed") == TROUBLE
    (True, True)
    >>> line_kind(b"Caused by: java.io.IOException: x") == TROUBLE, line_kind(b"started")
    (True, 0)
    """
    text = content.strip()[:1000]
    if not text:
        return EMPTY
    if _FRAMES.match(text):
        return FRAME
    return (TROUBLE if _TROUBLE.search(text.lower()) else 0) | (CODE if _CODE.match(text) else 0)


@dataclass(slots=True)
class Continuation:
    """Which lines of one source continue a record, block after block.

    `kinds` (shared by all sources) holds `line_kind` per shape code; `indents` says whether an
    indented line without a header continues. `joined` counts the lines found to continue.
    """

    indents: bool = True
    joined: int = 0
    _begun: bool = False
    _in_trace: bool = False
    _white: NDArray[np.bool_] = field(default_factory=lambda: _white_table(), repr=False)

    @staticmethod
    def of(samples: Sequence[bytes], headed: bool) -> Continuation:
        """That of a source whose lines have headers, or of one whose lines look like `samples`:
        indentation tells no records apart in text that is indented anyhow.

        >>> Continuation.of([b"  up", b"  down"], headed=False).indents
        False
        """
        indented = sum(line[:1] in b" \t" for line in samples)
        return Continuation(headed or indented <= INDENTED_MOST * max(len(samples), 1))

    def paused(self) -> State:
        """Whether a record is open, and a trace."""
        return State({name: getattr(self, name) for name in ("joined", "_begun", "_in_trace")})

    def resume(self, state: State) -> None:
        """Go on from there."""
        self.joined = int(state.meta["joined"])
        self._begun, self._in_trace = bool(state.meta["_begun"]), bool(state.meta["_in_trace"])

    def rows(
        self,
        buf: bytes,
        start: Int64s,
        content: Int64s,
        end: Int64s,
        status: Int8s | None,
        shape: Int32s,
        kinds: Int8s,
    ) -> NDArray[np.bool_] | None:
        """Which of a block's lines continue a record, None where none does. `status` is that of
        the header program per line, None where the source has no headers."""
        n = len(start)
        if not n:
            return None
        kind = kinds[shape]
        frame = (kind & FRAME) > 0
        bare = np.ones(n, bool) if status is None else status == p.NONE
        chars = np.frombuffer(buf, np.uint8)
        filled = (kind & EMPTY) == 0
        indented = np.zeros(n, bool)
        at = np.flatnonzero(bare & filled)
        indented[at] = self._white[chars[start[at]]]
        sure = frame | (indented & ((kind & TROUBLE) == 0) & self.indents)
        if not sure.any() and not self._in_trace:
            self._begun = True
            return None
        # Behind a header the white space before the message is not part of it.
        at = np.flatnonzero(~bare & (content >= start + 2))
        before = self._white[chars[content[at] - 1]] & self._white[chars[content[at] - 2]]
        indented[at] = before | (chars[content[at] - 1] == 9)
        at = np.flatnonzero(~bare & (content < end))
        indented[at] |= self._white[chars[content[at]]]
        behind = indented | (bare & ((kind & CODE) > 0))
        place = np.arange(1, n + 1)
        last_frame = np.maximum.accumulate(np.where(frame, place, 0))
        stops = np.maximum.accumulate(np.where(frame | behind, -1, place))
        last_frame[last_frame == 0] = 0 if self._in_trace else -2
        in_trace = last_frame > stops
        found: NDArray[np.bool_] = (sure | in_trace) & filled
        found[0] &= self._begun
        self._begun, self._in_trace = True, bool(in_trace[-1])
        self.joined += int(np.count_nonzero(found))
        return found


def joined(batch: LineBatch, joins: NDArray[np.bool_]) -> LineBatch:
    """The records of a batch of lines, of which some continue a record."""
    heads = np.flatnonzero(~joins)
    records = batch.take(heads)
    ends = np.append(heads[1:], len(joins))
    records.joined = (ends - heads - 1).astype(np.int32)
    records.carried = int(heads[0]) if len(heads) else len(joins)
    return records


def _white_table() -> NDArray[np.bool_]:
    table = np.zeros(256, bool)
    table[[9, 32]] = True
    return table
