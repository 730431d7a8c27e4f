"""The shape coder: shape codes of lines, and what is worth telling the miner of each shape.

It hands out new shapes with the content of a line (`take`), and a few more lines of shapes that
hold masked tokens, from which the miner words its templates. Bounded: once `most` shapes are held,
lines of further shapes are counted under one code, `OVERFLOW`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int8s, Int32s, Int64s
from logwright.logs.continuation import EMPTY, line_kind
from logwright.logs.kernel import Table
from logwright.logs.redaction import redact_all
from logwright.snapshot import State, join

__all__ = ["BLANK", "OVERFLOW", "NewShapes", "ShapeCoder"]

BLANK, OVERFLOW = 0, 1
"""Shape codes of empty lines, and of lines whose shape is one too many."""

_OVERFLOW_TEXT = b"(a line whose shape is beyond the limit of max_shapes)"
_EXEMPLARS, _LOOKS = 8, 16
_LONGEST_EXEMPLAR = 64 << 10
_DIGIT = re.compile(rb"[0-9\x00]")


@dataclass(slots=True)
class NewShapes:
    """Shapes met for the first time, or again with another line: codes, keys and contents."""

    codes: Int32s
    keys: NDArray[np.uint64]
    contents: list[bytes]


class ShapeCoder:
    """Codes shapes for a whole run.

    >>> coder = ShapeCoder(100)
    >>> start, end = np.array([0, 4]), np.array([3, 7])
    >>> codes = coder.encode(b"a 1\\na 2", start, end)
    >>> coder.meet(b"a 1\\na 2", start, end, codes), coder.take().contents
    ([0], [b'a 1', b'a 2'])
    """

    def __init__(self, most: int, emails: bool = False) -> None:
        self.table = Table()
        self.overflowed = 0
        self._most, self._emails = most, emails
        self._looks = np.zeros(1024, np.int8)  # lines of a shape still to be looked at
        self._kinds = np.zeros(1024, np.int8)
        self._kept: dict[int, tuple[bytes, ...]] = {}
        self._new: list[tuple[int, bytes]] = []
        self._firsts: dict[int, bytes] | None = None
        for text in (b"", _OVERFLOW_TEXT):  # the codes BLANK and OVERFLOW
            self.table.encode(text, np.zeros(1, np.int64), np.array([len(text)]))
        self._kinds[BLANK] = EMPTY

    @property
    def kinds(self) -> Int8s:
        """`continuation.line_kind` of each shape code."""
        return self._kinds

    def encode(self, buf: bytes, content: Int64s, end: Int64s) -> Int32s:
        """Shape codes of lines."""
        codes, fresh = self.table.encode(buf, content, end)
        if self.table.span > len(self._looks):
            room = 2 * self.table.span
            self._looks = np.concatenate((self._looks, np.zeros(room - len(self._looks), np.int8)))
            self._kinds = np.concatenate((self._kinds, np.zeros(room - len(self._kinds), np.int8)))
        if len(self.table) > self._most and len(fresh):
            codes, fresh = self._without_excess(codes, fresh)
        if len(fresh):
            new = codes[fresh]
            spans = zip(content[fresh].tolist(), end[fresh].tolist(), strict=True)
            self._kinds[new] = [line_kind(buf[a:b]) for a, b in spans]
            self._looks[new] = np.where(self._kinds[new] == EMPTY, 0, _LOOKS)
        return np.where(self._kinds[codes] == EMPTY, np.int32(BLANK), codes)

    def _without_excess(self, codes: Int32s, fresh: Int64s) -> tuple[Int32s, Int64s]:
        # First come, first served, so that it does not matter where blocks end.
        room = max(self._most - (len(self.table) - len(fresh)), 0)
        over = codes[fresh[room:]]
        self.table.evict(over)
        if not self.overflowed:
            self._new.append((OVERFLOW, _OVERFLOW_TEXT))
        beyond = np.isin(codes, over)
        self.overflowed += int(np.count_nonzero(beyond))
        return np.where(beyond, np.int32(OVERFLOW), codes), fresh[:room]

    def meet(self, buf: bytes, content: Int64s, end: Int64s, codes: Int32s) -> list[int]:
        """Take note of lines that begin a record; gives the row of the first of each new shape."""
        firsts = []
        looks = self._looks.data  # one of them at a time is quicker here than from an array
        rows = np.flatnonzero(self._looks[codes] > 0)
        spans = zip(content[rows].tolist(), end[rows].tolist(), strict=True)
        for row, code, (a, b) in zip(rows.tolist(), codes[rows].tolist(), spans, strict=True):
            left = looks[code]
            if left > 0:
                text = buf[a : min(b, a + _LONGEST_EXEMPLAR)]
                if left == _LOOKS:
                    firsts.append(row)
                    if self._firsts is not None:
                        self._firsts[code] = text
                looks[code] = self._look(code, text, left)
        return firsts

    def _look(self, code: int, content: bytes, left: int) -> int:
        """Keep a line of a shape, unless it tells nothing new; how many more are to be seen."""
        kept = self._kept.pop(code, ())
        if content not in kept:
            kept = (*kept, content)
            self._new.append((code, content))
        if left == 1 or len(kept) >= _EXEMPLARS or not _DIGIT.search(content):
            return 0
        self._kept[code] = kept
        return left - 1

    def remember(self) -> None:
        """Keep the first line of each shape from now on, so that one may pause."""
        self._firsts = {}

    def paused(self) -> State:
        """The first line of each shape, in the order in which they were met."""
        assert self._firsts is not None
        codes = np.array(list(self._firsts), np.int32)
        sizes, lines = join(list(self._firsts.values()))
        shapes: dict[str, NDArray[Any]] = {"code": codes, "size": sizes}
        return State({"overflowed": self.overflowed}, {"shapes": shapes}, {"lines": lines})

    def resume(self, state: State) -> Int32s:
        """Meet these shapes anew: their codes now. Nothing more is to be learned of them."""
        sizes, lines = state.tables["shapes"]["size"], state.files["lines"]
        end = np.cumsum(sizes)
        if (sizes < 0).any() or int(sizes.sum()) != len(lines):
            raise ValueError("shapes and their lines do not fit")
        codes = self.encode(lines, end - sizes, end)
        self.meet(lines, end - sizes, end, codes)
        self._looks[codes], self._kept = 0, {}
        self.overflowed = int(state.meta["overflowed"])
        if self.overflowed:
            self._new.append((OVERFLOW, _OVERFLOW_TEXT))
        return codes

    def take(self) -> NewShapes:
        """Shapes, and further lines of shapes, met since the last call."""
        new, self._new = self._new, []
        codes = np.array([code for code, _ in new], np.int32)
        contents = redact_all([content for _, content in new], self._emails)
        return NewShapes(codes, self.table.keys(codes), contents)
