"""The watcher: which variable tokens of which shapes the kernel looks at (`logs.kernel.watch`).

A shape's lines have the same constant bytes between their variable tokens (its `Layout`), so that
the kernel steps over them. A variable token that is watched has a *slot*: a record of what need not
be told of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int32s, Int64s, LineBatch
from logwright.logs.kernel import FORMS, KNOWN, WATCH, watch
from logwright.logs.redaction import redact
from logwright.logs.shapes import DELIMITERS, is_variable, tokens

__all__ = ["LONGEST_LINE", "SHOWN", "Layout", "Watcher", "kinds_of", "layout_of"]

LONGEST_LINE = 4096
"""Bytes of a line that has slots, at most, and of a token that are looked at."""

SHOWN = 80
"""Bytes of a token that are kept, and of a label on either side of the token."""

_AROUND = 9
"""Tokens and delimiters on either side of a token in its label."""

_DELIMITER = frozenset(DELIMITERS)


class Layout(NamedTuple):
    """Where a shape's variable tokens stand: constant bytes in front of each, its number among all
    tokens, how many tokens there are in all, and the line with `<*>` for each."""

    gaps: tuple[int, ...]
    ordinals: tuple[int, ...]
    tokens: int
    pieces: tuple[bytes, ...]

    def label(self, at: int) -> str:
        """The variable token number `at` with a few tokens around it, for people."""
        variable = [i for i, piece in enumerate(self.pieces) if piece == b"<*>"]
        pieces = ["…".encode() if piece == b"<*>" else piece for piece in self.pieces]
        where = variable[at]
        before = redact(b"".join(pieces[max(where - _AROUND, 0) : where]).lstrip())
        after = redact(b"".join(pieces[where + 1 : where + 1 + _AROUND]).rstrip())
        text = before[-SHOWN:].decode("utf-8", "backslashreplace") + "<*>"
        return text + after[:SHOWN].decode("utf-8", "backslashreplace")


def layout_of(content: bytes) -> Layout | None:
    """The layout of a line's shape; None for lines too long, and lines without variable tokens.

    >>> layout = layout_of(b"took 12 ms for blk_7")
    >>> layout.gaps, layout.ordinals, layout.tokens, layout.label(0)
    ((5, 8), (1, 4), 5, 'took <*> ms for …')
    """
    if len(content) > LONGEST_LINE:
        return None
    gaps, ordinals, pieces = [], [], []
    gap = number = 0
    for token in tokens(content):
        delimiter = token[0] in _DELIMITER
        if not delimiter and is_variable(token):
            gaps.append(gap)
            ordinals.append(number)
            pieces.append(b"<*>")
            gap = 0
        else:
            gap += len(token)
            pieces.append(token)
        number += not delimiter
    if not gaps:
        return None
    return Layout(tuple(gaps), tuple(ordinals), number, tuple(pieces))


def kinds_of(token: bytes) -> int:
    """The kinds of characters in a token, as bits of `FORMS`.

    >>> kinds_of(b"12") , kinds_of(b"a-7") == (1 | 2 | 256)
    (1, True)
    """
    if not token:
        return 0
    return int(np.bitwise_or.reduce(FORMS[np.frombuffer(token, np.uint8)]))


class Watcher:
    """Which slots of which shapes are watched, as the kernel wants it.

    `wait` lines of each shape pass before `walk` asks for its layout; -1 for shapes that are named
    by `place` alone.
    """

    def __init__(self, wait: int = -1) -> None:
        self._slots, self._known = np.zeros(0, WATCH), np.zeros((0, KNOWN), np.uint64)
        self._fresh = -1 if wait < 0 else -1 - wait
        self._plan = np.full(2, -1, np.int32)  # blank lines, and those of too many shapes
        self._layout = np.full(1, -1, np.int32)
        self._placed: dict[int, tuple[tuple[int, ...], list[int]]] = {}
        self._changed = False
        self.size = 0

    @property
    def slots(self) -> NDArray[Any]:
        """The slots, of `WATCH`."""
        return self._slots[: self.size]

    @property
    def known(self) -> NDArray[np.uint64]:
        """The table of known values of each slot."""
        return self._known[: self.size]

    def add(self) -> int:
        """One slot more; gives its number."""
        if self.size == len(self._slots):
            room = max(2 * self.size, 64)
            more = room - self.size
            self._slots = np.concatenate((self._slots, np.zeros(more, WATCH)))
            self._known = np.concatenate((self._known, np.zeros((more, KNOWN), np.uint64)))
        self.size += 1
        return self.size - 1

    def know(self, slot: int, values: Sequence[int]) -> None:
        """Enter the hashes of the values that a slot knows."""
        row = self._known[slot]
        row[:] = 0
        for value in values:
            at = value % KNOWN
            while row[at] and row[at] != value:
                at = (at + 1) % KNOWN
            row[at] = value

    def place(self, code: int, layout: Layout, slots: Sequence[int]) -> None:
        """Watch a shape: the slot of each of its variable tokens, -1 for none."""
        self._room(code + 1)
        self._placed[code] = layout.gaps, list(slots)
        self._changed = True

    def drop(self, gone: set[int]) -> None:
        """Watch these slots no longer."""
        for _, slots in self._placed.values():
            slots[:] = [-1 if slot in gone else slot for slot in slots]
        self._changed = True

    def _room(self, codes: int) -> None:
        if codes > len(self._plan):
            more = max(codes, 2 * len(self._plan)) - len(self._plan)
            self._plan = np.concatenate((self._plan, np.full(more, self._fresh, np.int32)))

    def _arrange(self) -> None:
        flat: list[int] = []
        for code, (gaps, slots) in list(self._placed.items()):
            last = max((i for i, slot in enumerate(slots) if slot >= 0), default=-1)
            self._plan[code] = len(flat) if last >= 0 else -1
            if last < 0:
                del self._placed[code]
                continue
            for gap, slot in zip(gaps[: last + 1], slots, strict=False):
                flat += (gap, slot)
            flat.append(-1)
        self._layout = np.array(flat or [-1], np.int32)
        self._changed = False

    def waiting(self, shape: Int32s) -> NDArray[np.intp]:
        """Which lines, given the shapes of some that `walk` has yet to see, are among the first
        `wait` of theirs."""
        if not len(shape):
            return np.empty(0, np.intp)
        self._room(int(shape.max()) + 1)
        rows = np.flatnonzero(self._plan[shape] < -1)
        order = rows[np.argsort(shape[rows], kind="stable")]
        code = shape[order]
        first = np.flatnonzero(np.diff(code, prepend=-1))
        nth = np.arange(len(code)) - np.repeat(first, np.diff(np.append(first, len(code))))
        return np.sort(order[nth < -1 - self._plan[code]])

    def walk(
        self, batch: LineBatch, rows: NDArray[np.intp] | None = None
    ) -> tuple[Int64s, NDArray[np.float64]]:
        """What stands out in a batch (of its `rows`): see `logs.kernel.watch`."""
        start, end, shape = batch.content_start, batch.end, batch.shape
        if rows is not None:
            start, end, shape = start[rows], end[rows], shape[rows]
        if len(shape):
            self._room(int(shape.max()) + 1)
        found, numbers = self.walk_over(batch.buf, start, end, shape)
        if rows is not None and len(found):
            found[:, 0] = rows[found[:, 0]]
        return found, numbers

    def walk_over(
        self, buf: bytes, start: Int64s, end: Int64s, shape: Int32s
    ) -> tuple[Int64s, NDArray[np.float64]]:
        """The same of lines in a buffer, whose shapes were all met."""
        if self._changed:
            self._arrange()
        return watch(buf, start, end, shape, self._plan, self._layout, self.slots, self.known)
