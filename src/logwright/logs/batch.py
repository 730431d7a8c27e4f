"""`Block` and `LineBatch`: the columnar records that every later stage reads (contract 1).

A source yields `Block`s: contiguous bytes of whole lines. The reader turns each block into a
`LineBatch`, one row per record, without making a Python object per line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NO_TIME", "Block", "Int8s", "Int32s", "Int64s", "LineBatch", "Note"]

Int8s = NDArray[np.int8]
Int32s = NDArray[np.int32]
Int64s = NDArray[np.int64]

NO_TIME = int(np.iinfo(np.int64).min)
"""The timestamp of a line that has none."""


@dataclass(slots=True, frozen=True)
class Note:
    """Something a person should know about an input, printed in the summary.

    `source` is the source's name; `text` one clause, such as "gzip stream ends early at byte 912".
    """

    source: str
    text: str


@dataclass(slots=True)
class Block:
    """Contiguous bytes of one source that begin at a line start and end at a line end.

    `buf` holds whole lines, each ended by ``\\n`` except perhaps the last one of a source.
    `offset` is the position of ``buf[0]`` in the (decompressed) source, in bytes; `line_no` the
    1-based number of its first line. Where the last line was longer than the limit, `cut` is the
    number of its bytes that were left out after `buf`'s end (0 otherwise). `newlines` is the number
    of newlines in `buf`, None where nobody has counted them.
    """

    buf: bytes
    source_id: int
    offset: int
    line_no: int
    cut: int = 0
    newlines: int | None = None


@dataclass(slots=True)
class LineBatch:
    """One block as columns, one row per record. All columns have the same length n.

    `buf` is the block's text. `start`, `end` and `content_start` are byte positions in it: the line
    (without its line end), and where the message begins after the header. `shape` is the
    process-local shape code. `ts` is nanoseconds since 1970 UTC, `NO_TIME` where absent. `level` is
    0 unknown, 1 trace, 2 debug, 3 info, 4 notice, 5 warning, 6 error, 7 critical. `host`,
    `component`, `session` and `label` are codes into the reader's dictionaries, -1 where absent;
    `label` is filled only when labels were asked for. `offset` and `line_no` locate each line in
    its source. `joined` counts the physical lines that continue each record (None where none
    does), `carried` those at the block's start that continue the source's last record before it.
    `base` is the block's offset in its source, `source_text` the block as it stands there where
    `buf` is not that (JSON lines, whose `buf` holds the decoded messages).
    """

    buf: bytes
    source_id: int
    start: Int64s
    end: Int64s
    content_start: Int64s
    shape: Int32s
    ts: Int64s
    level: Int8s
    host: Int32s
    component: Int32s
    session: Int32s
    label: Int32s
    offset: Int64s
    line_no: Int64s
    source_text: bytes | None = None
    joined: Int32s | None = None
    carried: int = 0
    base: int = 0

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> LineBatch:
        """The records selected by an index or a mask."""
        return LineBatch(
            self.buf,
            self.source_id,
            self.start[rows],
            self.end[rows],
            self.content_start[rows],
            self.shape[rows],
            self.ts[rows],
            self.level[rows],
            self.host[rows],
            self.component[rows],
            self.session[rows],
            self.label[rows],
            self.offset[rows],
            self.line_no[rows],
            self.source_text,
            None if self.joined is None else self.joined[rows],
            self.carried,
            self.base,
        )

    def text(self, row: int) -> bytes:
        """The bytes of record `row`'s head line, without its line end."""
        return self.buf[int(self.start[row]) : int(self.end[row])]

    def content(self, row: int) -> bytes:
        """The bytes of line `row` after its header."""
        return self.buf[int(self.content_start[row]) : int(self.end[row])]
