"""The shape coder: shape codes of lines, and what is worth telling the miner of each shape.

It hands out new shapes with the content of a line (`take`), and a few more lines of shapes that
hold masked tokens, from which the miner words its templates. Bounded: once `most` shapes are held,
lines of further shapes are counted under one code, `OVERFLOW`; and so are those of new shapes that
are beyond an allowance, until it grows.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.logs.allowance import STRETCH, Allowance
from logwright.logs.batch import Int8s, Int32s, Int64s
from logwright.logs.continuation import EMPTY, line_kind
from logwright.logs.kernel import Table
from logwright.logs.redaction import redact_all
from logwright.snapshot import State

__all__ = ["BLANK", "OVERFLOW", "NewShapes", "ShapeCoder"]

BLANK, OVERFLOW = 0, 1
"""Shape codes of empty lines, and of lines whose shape is one too many."""

_OVERFLOW_TEXT = b"(a line whose shape is one too many)"
_EXEMPLARS, _LOOKS = 8, 16
_LONGEST_EXEMPLAR = 64 << 10
_DIGIT = re.compile(rb"[0-9\x00]")


@dataclass(slots=True)
class NewShapes:
    """Shapes met for the first time, or again with another line: codes, keys and contents, and
    the line (by number, from 0) at which each was met first."""

    codes: Int32s
    keys: NDArray[np.uint64]
    contents: list[bytes]
    lines: Int64s


class _Firsts:
    """The first line of each shape: there may be a million, and a `bytes` each would take twice as
    much memory."""

    def __init__(self) -> None:
        self.codes, self.sizes, self.lines = array("i"), array("i"), bytearray()

    def add(self, code: int, line: bytes) -> None:
        self.codes.append(code)
        self.sizes.append(len(line))
        self.lines += line


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
        self.overflowed = self.refused = 0  # lines: beyond `most`, and beyond the allowance
        self._most, self._emails = most, emails
        self._looks = np.zeros(1024, np.int8)  # lines of a shape still to be looked at
        self._kinds = np.zeros(1024, np.int8)
        self._kept: dict[int, tuple[bytes, ...]] = {}
        self._new: list[tuple[int, bytes]] = []
        self._firsts: _Firsts | None = None
        self._lines = 0
        self._met = np.zeros(1024, np.int64)  # the line at which a shape was met
        self._knows: Callable[[NDArray[np.uint64]], NDArray[np.bool_]] | None = None
        self._allowance: Allowance | None = None
        for text in (b"", _OVERFLOW_TEXT):  # the codes BLANK and OVERFLOW
            self.table.encode(text, np.zeros(1, np.int64), np.array([len(text)]))
        self._kinds[BLANK] = EMPTY

    @property
    def kinds(self) -> Int8s:
        """`continuation.line_kind` of each shape code."""
        return self._kinds

    def expect(
        self, knows: Callable[[NDArray[np.uint64]], NDArray[np.bool_]], allowance: Allowance
    ) -> None:
        """From now on hold only as many shapes as are allowed, of those whose keys nobody knows;
        and hand out one line of each, as templates are not worded anew from more of them."""
        self._knows, self._allowance = knows, allowance

    @property
    def overflow(self) -> tuple[NDArray[np.uint64], bytes]:
        """The key and the text that stand for lines whose shapes are not held."""
        return self.table.keys(np.array([OVERFLOW], np.int32)), _OVERFLOW_TEXT

    def encode(self, buf: bytes, content: Int64s, end: Int64s) -> Int32s:
        """Shape codes of lines."""
        first, stop = self._lines, self._lines + len(content)
        self._lines = stop
        if self._allowance is None or first // STRETCH == (stop - 1) // STRETCH:
            return self._encoded(buf, content, end, first)
        # One stretch at a time: what is refused in one may be allowed in the next.
        ends = [*range(STRETCH - first % STRETCH, stop - first, STRETCH), stop - first]
        begins = [0, *ends]
        pieces = (slice(a, b) for a, b in zip(begins, ends, strict=False))
        return np.concatenate(
            [self._encoded(buf, content[p], end[p], first + p.start) for p in pieces]
        )

    def _encoded(self, buf: bytes, content: Int64s, end: Int64s, line: int) -> Int32s:
        codes, fresh = self.table.encode(buf, content, end)
        if self.table.span > len(self._looks):
            room = 2 * self.table.span
            self._looks = np.concatenate((self._looks, np.zeros(room - len(self._looks), np.int8)))
            self._kinds = np.concatenate((self._kinds, np.zeros(room - len(self._kinds), np.int8)))
            self._met = np.concatenate((self._met, np.zeros(room - len(self._met), np.int64)))
        if len(fresh) and self._allowance is not None:
            codes, fresh = self._allowed(codes, fresh, line, self._allowance)
        if len(self.table) > self._most and len(fresh):
            room = max(self._most - (len(self.table) - len(fresh)), 0)
            # First come, first served, so that it does not matter where blocks end.
            codes, fresh, lines = self._without(codes, fresh, np.arange(len(fresh)) >= room)
            self.overflowed += lines
        if len(fresh):
            new = codes[fresh]
            spans = zip(content[fresh].tolist(), end[fresh].tolist(), strict=True)
            self._kinds[new] = [line_kind(buf[a:b]) for a, b in spans]
            self._looks[new] = np.where(self._kinds[new] == EMPTY, 0, _LOOKS)
            self._met[new] = line + fresh
        return np.where(self._kinds[codes] == EMPTY, np.int32(BLANK), codes)

    def _allowed(
        self, codes: Int32s, fresh: Int64s, line: int, allowance: Allowance
    ) -> tuple[Int32s, Int64s]:
        assert self._knows is not None
        unknown = np.flatnonzero(~self._knows(self.table.keys(codes[fresh])))
        granted = allowance.take(line, len(unknown))
        if granted == len(unknown):
            return codes, fresh
        gone = np.zeros(len(fresh), bool)
        gone[unknown[granted:]] = True
        codes, fresh, lines = self._without(codes, fresh, gone)
        self.refused += lines
        return codes, fresh

    def _without(
        self, codes: Int32s, fresh: Int64s, gone: NDArray[np.bool_]
    ) -> tuple[Int32s, Int64s, int]:
        over = codes[fresh[gone]]
        self.table.evict(over)
        if not (self.overflowed or self.refused):
            self._new.append((OVERFLOW, _OVERFLOW_TEXT))
        beyond = np.zeros(len(self._looks), bool)
        beyond[over] = True
        beyond = beyond[codes]
        lines = int(np.count_nonzero(beyond))
        return np.where(beyond, np.int32(OVERFLOW), codes), fresh[~gone], lines

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
                        self._firsts.add(code, text)
                looks[code] = self._look(code, text, left)
        return firsts

    def _look(self, code: int, content: bytes, left: int) -> int:
        """Keep a line of a shape, unless it tells nothing new; how many more are to be seen."""
        if self._allowance is not None:
            self._new.append((code, content))
            return 0
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
        self._firsts = _Firsts()

    def paused(self) -> State:
        """The first line of each shape, in the order in which they were met."""
        assert self._firsts is not None
        shapes: dict[str, NDArray[Any]] = {
            "code": np.array(self._firsts.codes, np.int32),
            "size": np.array(self._firsts.sizes, np.int64),
        }
        meta = {"overflowed": self.overflowed, "refused": self.refused, "lines": self._lines}
        return State(meta, {"shapes": shapes}, {"lines": bytes(self._firsts.lines)})

    def resume(self, state: State) -> Int32s:
        """Meet these shapes anew: their codes now. Nothing more is to be learned of them."""
        sizes, lines = state.tables["shapes"]["size"], state.files["lines"]
        end = np.cumsum(sizes)
        if (sizes < 0).any() or int(sizes.sum()) != len(lines):
            raise ValueError("shapes and their lines do not fit")
        codes = self._resumed(lines, end - sizes, end)
        self._lines = int(state.meta.get("lines", 0))
        self.meet(lines, end - sizes, end, codes)
        self._looks[codes], self._kept = 0, {}
        self.overflowed = int(state.meta["overflowed"])
        self.refused = int(state.meta.get("refused", 0))  # older ones have none
        if self.overflowed or self.refused:
            self._new.append((OVERFLOW, _OVERFLOW_TEXT))
        return codes

    def _resumed(self, lines: bytes, start: Int64s, end: Int64s) -> Int32s:
        """Codes of shapes that were held: they have been allowed."""
        allowance, self._allowance = self._allowance, None
        codes = self.encode(lines, start, end)
        self._allowance = allowance
        return codes

    def take(self) -> NewShapes:
        """Shapes, and further lines of shapes, met since the last call."""
        new, self._new = self._new, []
        codes = np.array([code for code, _ in new], np.int32)
        contents = redact_all([content for _, content in new], self._emails)
        return NewShapes(codes, self.table.keys(codes), contents, self._met[codes])
