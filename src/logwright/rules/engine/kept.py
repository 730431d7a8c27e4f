"""Kept: what the engine remembers of lines until the windows that hold them close."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int32s, Int64s

__all__ = ["Kept"]


class Kept:
    """The set code of each line by global row. Blocks of lines of which all have the same code
    take no room, others four bytes a line; `drop` lets go what is no longer asked for.

    >>> kept = Kept()
    >>> kept.add(10, np.array([0, 4], np.int32))
    >>> kept.at(np.array([11, 10])).tolist()
    [4, 0]
    """

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._stops: list[int] = []
        self._codes: list[Int32s] = []
        # What `keep` left of rows before these blocks.
        self._rows: Int64s = np.empty(0, np.int64)
        self._of_rows: Int32s = np.empty(0, np.int32)

    def __len__(self) -> int:
        return len(self._codes)

    def add(self, first: int, codes: Int32s) -> None:
        """Codes of the rows from `first` on, which are later than all that were added."""
        if len(codes):
            self._firsts.append(first)
            self._stops.append(first + len(codes))
            same = bool((codes == codes[0]).all())
            self._codes.append(codes[:1].copy() if same else codes)

    def at(self, rows: Int64s) -> Int32s:
        """The codes of rows that were added and not dropped, in any order; 0 of others."""
        out = np.zeros(len(rows), np.int32)
        if len(self._rows):
            at = np.searchsorted(self._rows, rows)
            at[at == len(self._rows)] = 0
            known = self._rows[at] == rows
            out[known] = self._of_rows[at[known]]
        if not len(rows) or not self._stops:
            return out
        later = np.flatnonzero((rows >= self._firsts[0]) & (rows < self._stops[-1]))
        if len(later):
            out[later] = self._in_blocks(rows[later])
        return out

    def _in_blocks(self, rows: Int64s) -> Int32s:
        out = np.empty(len(rows), np.int32)
        stops = np.array(self._stops)
        block = np.searchsorted(stops, rows, side="right")
        order = np.argsort(block, kind="stable")
        begins = np.flatnonzero(np.diff(block[order], prepend=-1))
        numbers, ends = block[order[begins]].tolist(), [*begins[1:].tolist(), len(rows)]
        for number, begin, end in zip(numbers, begins.tolist(), ends, strict=True):
            here, codes = order[begin:end], self._codes[number]
            out[here] = codes[rows[here] - self._firsts[number] if len(codes) > 1 else 0]
        return out

    def drop(self, before: int) -> None:
        """Let go blocks of rows before one; no window that is open holds any of them."""
        gone = sum(stop <= before for stop in self._stops)
        del self._firsts[:gone], self._stops[:gone], self._codes[:gone]

    def keep(self, rows: Int64s) -> None:
        """Let go all but these rows, which are sorted."""
        self._rows, self._of_rows = rows, self.at(rows)
        self._firsts, self._stops, self._codes = [], [], []

    def paused(self) -> dict[str, NDArray[Any]]:
        """What is kept, once `keep` was called, as columns."""
        return {"row": self._rows, "code": self._of_rows}

    def resume(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Go on from there."""
        self._rows = np.asarray(columns["row"], np.int64)
        self._of_rows = np.asarray(columns["code"], np.int32)

    def renumber(self, now: Callable[[Int64s], Int64s]) -> None:
        """Number all rows anew: `now` gives the new numbers of old ones."""
        if not self._codes:
            return
        spans = zip(self._firsts, self._stops, self._codes, strict=True)
        parts = [(np.arange(a, b), np.broadcast_to(c, b - a)) for a, b, c in spans]
        old = np.concatenate([rows for rows, _ in parts])
        codes = np.concatenate([codes for _, codes in parts])
        rows = now(old)
        if np.array_equal(rows, old):
            return
        order = np.argsort(rows)
        rows, codes = rows[order], codes[order]
        self._firsts, self._stops, self._codes = [], [], []
        cuts = [0, *(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)]
        for a, b in itertools.pairwise(cuts):
            self.add(int(rows[a]), codes[a:b])
