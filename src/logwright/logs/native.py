"""The C kernel's functions with the arguments of `logs.kernel`: allocates results, checks types."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

import logwright._kernel as _kernel
from logwright.logs.batch import Int8s, Int32s, Int64s

__all__ = ["Table", "headers", "lines", "token_spans", "watch"]

Buffer = bytes | memoryview


def _positions(array: Int64s) -> Int64s:
    return np.ascontiguousarray(array, np.int64)


def lines(buf: Buffer, newlines: int | None = None) -> tuple[Int64s, Int64s]:
    """Start and end of every line of a block that holds so many newlines."""
    if newlines is None:  # twice as fast as bytes.count
        newlines = int(np.count_nonzero(np.frombuffer(buf, np.uint8) == 10))
    room = newlines + 1
    start, end = np.empty(room, np.int64), np.empty(room, np.int64)
    n = _kernel.lines(buf, start, end)
    return start[:n], end[:n]


def headers(
    buf: Buffer, start: Int64s, end: Int64s, program: bytes, year: int, day: int
) -> tuple[Int64s, Int64s, Int64s, Int8s]:
    """Run a header program on every line: content starts, times, slot spans, status."""
    n = len(start)
    content, ts = np.empty(n, np.int64), np.empty(n, np.int64)
    spans, status = np.empty((n, 8), np.int64), np.empty(n, np.int8)
    positions = _positions(start), _positions(end)
    _kernel.headers(buf, *positions, content, ts, spans, status, program, year, day)
    return content, ts, spans, status


def token_spans(buf: Buffer, start: Int64s, end: Int64s, ordinal: Int32s) -> tuple[Int64s, Int64s]:
    """Where token number `ordinal` of each line stands; -1 where there is none."""
    begin, stop = np.empty(len(start), np.int64), np.empty(len(start), np.int64)
    wanted = np.ascontiguousarray(ordinal, np.int32)
    _kernel.token_spans(buf, _positions(start), _positions(end), wanted, begin, stop)
    return begin, stop


_ROWS, _WIDEST = 16_384, 16
"""Rows walked over at a time, and findings in a row that room is made for at first."""


def watch(
    buf: Buffer,
    start: Int64s,
    end: Int64s,
    shape: Int32s,
    plan: Int32s,
    layout: Int32s,
    slots: NDArray[Any],
    known: NDArray[np.uint64],
) -> tuple[Int64s, NDArray[np.float64]]:
    """What stands out among the watched tokens (see `logs.kernel`)."""
    start, end, shape = _positions(start), _positions(end), np.ascontiguousarray(shape, np.int32)
    steps = np.flatnonzero(layout < 0)
    widest = max(_WIDEST, int(np.diff(steps, prepend=0).max()) if len(steps) else len(layout))
    room = min(_ROWS, len(start)) * widest
    found, numbers = np.empty((room, 6), np.int64), np.empty(room)
    parts = []
    for at in range(0, len(start), _ROWS):
        rows = slice(at, at + _ROWS)
        columns = start[rows], end[rows], shape[rows]
        n = _kernel.watch(buf, *columns, plan, layout, slots, known, found, numbers)
        if n:
            parts.append((found[:n].copy(), numbers[:n].copy()))
            parts[-1][0][:, 0] += at
    if not parts:
        return np.empty((0, 6), np.int64), np.empty(0)
    return np.concatenate([f for f, _ in parts]), np.concatenate([x for _, x in parts])


_SALT = int.from_bytes(os.urandom(8), "little")
"""Says where a table looks for keys first. It is this process's own, so that nobody can write lines
whose keys all meet in one place; codes do not depend on it."""


class Table:
    """A growing map from 128-bit keys to int32 codes.

    >>> codes, fresh = Table().encode(b"a 1\\na 2", np.array([0, 4]), np.array([3, 7]))
    >>> codes.tolist(), fresh.tolist()
    ([0, 0], [0])
    """

    __slots__ = ("_table",)

    def __init__(self, salt: int = _SALT) -> None:
        self._table = _kernel.Table(salt)

    def __len__(self) -> int:
        return len(self._table)

    @property
    def span(self) -> int:
        """One more than the largest code given out."""
        return int(self._table.span)

    def encode(self, buf: Buffer, start: Int64s, end: Int64s) -> tuple[Int32s, Int64s]:
        """Shape codes of lines, and the row where each new code first stands."""
        codes, fresh = np.empty(len(start), np.int32), np.empty(len(start), np.int64)
        n = self._table.encode(buf, _positions(start), _positions(end), codes, fresh)
        return codes, fresh[:n].copy()

    def intern(self, buf: Buffer, start: Int64s, end: Int64s) -> tuple[Int32s, Int64s]:
        """Codes of raw byte spans (-1 for a negative start), and the rows of new ones."""
        codes, fresh = np.empty(len(start), np.int32), np.empty(len(start), np.int64)
        n = self._table.intern(buf, _positions(start), _positions(end), codes, fresh)
        return codes, fresh[:n].copy()

    def keys(self, codes: Int32s) -> NDArray[np.uint64]:
        """The 128-bit keys of codes, uint64 (m, 2)."""
        out = np.empty((len(codes), 2), np.uint64)
        self._table.keys(np.ascontiguousarray(codes, np.int32), out)
        return out

    def evict(self, codes: Int32s) -> None:
        """Forget codes; their numbers are given out again, the largest first."""
        self._table.evict(np.unique(np.asarray(codes, np.int32)))
