"""Flags: lines in which a parameter stands out, held until the windows that they are in are judged.

No more than `MOST` are held that are still to be judged, the highest-scoring ones of each slot; a
slot that flagged `MOST_OF_SLOT` lines in a stretch of `STRETCH` lines is loud until the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int64s
from logwright.snapshot import State, join, part

__all__ = ["MOST", "MOST_OF_SLOT", "Flag", "Flags"]

MOST = 100_000
MOST_OF_SLOT = 2_000
STRETCH = 1_000_000  # lines
_TEXT = 60


@dataclass(slots=True)
class Flag:
    """A line that stands out: by which slot, how, and what the token was."""

    row: int
    slot: int
    kind: int
    score: float
    text: bytes
    judged: bool = False


class Flags:
    """The lines that some slots flagged: *fresh* ones as they come, the others in order of rows.

    >>> flags = Flags(slots=2)
    >>> flags.add(7, 1, 0, 4.5, b"503")
    >>> flags.settle()
    >>> [(at, flag.text) for at, flag in flags.among(np.array([6, 7, 8]))]
    [(1, b'503')]
    """

    def __init__(self, slots: int = 0) -> None:
        self._fresh: list[Flag] = []
        self._flags: list[Flag] = []
        self._rows = np.empty(0, np.int64)
        self._times = [0] * slots
        """By slot: lines that it flagged in the stretch while reading."""
        self._stretch = [0] * slots
        """Which is this one."""
        self._thinned = False

    def add(self, row: int, slot: int, kind: int, score: float, text: bytes) -> None:
        """Flag a line of history."""
        self._fresh.append(Flag(row, slot, kind, score, text))

    def meet(self, row: int, slot: int, kind: int, score: float, text: bytes) -> None:
        """Flag a line that is read, and count it."""
        self._times[slot] += 1
        self.add(row, slot, kind, score, text[:_TEXT])

    def is_loud(self, slot: int, row: int) -> bool:
        """Whether a slot has flagged so many lines that it is not watched any longer."""
        stretch = row // STRETCH
        if self._stretch[slot] < stretch:
            self._times[slot], self._stretch[slot] = 0, stretch
        return self._times[slot] >= MOST_OF_SLOT

    def bound(self) -> None:
        """Let go of fresh ones where there are far too many."""
        if len(self._fresh) > 2 * MOST:
            self._fresh = self._thin(self._fresh)

    def place(self, now: Callable[[Int64s], Int64s]) -> None:
        """Number the fresh ones as records are numbered now, and put them among the others."""
        if self._fresh:
            rows = now(np.array([f.row for f in self._fresh], np.int64)).tolist()
            for flag, row in zip(self._fresh, rows, strict=True):
                flag.row = row
            self.settle()

    def settle(self) -> None:
        """Put the fresh ones among the others."""
        flags = self._flags + self._fresh
        if len(flags) > MOST:
            flags = [flag for flag in flags if not flag.judged]
        if len(flags) > MOST or self._thinned:
            flags = self._thin(flags)
        self._thinned = False
        self._flags, self._fresh = sorted(flags, key=lambda f: (f.row, f.slot)), []
        self._rows = np.array([f.row for f in self._flags], np.int64)

    def _thin(self, flags: list[Flag]) -> list[Flag]:
        """The highest-scoring flags of each slot, as many of each as there is room for.

        How many follows from all that a slot flagged in the run, so that what is left in the end
        does not depend on when this was done before.
        """
        self._thinned = True
        held = np.bincount([f.slot for f in flags], minlength=len(self._times))
        times = np.maximum(held, np.array(self._times, np.int64))
        each, most = 1, int(times.max(initial=1))
        while each < most:  # the largest number of each that stays within the limit
            middle = (each + most + 1) // 2
            fits = int(np.minimum(times, middle).sum()) <= MOST
            each, most = (middle, most) if fits else (each, middle - 1)
        left, kept = [each] * len(times), []
        for flag in sorted(flags, key=lambda f: (-f.score, f.row, f.slot)):
            if left[flag.slot]:
                left[flag.slot] -= 1
                kept.append(flag)
        return kept

    def among(self, rows: Int64s) -> list[tuple[int, Flag]]:
        """(position, flag) of all rows that are flagged."""
        if not len(self._rows) or not len(rows):
            return []
        near = np.flatnonzero((rows >= self._rows[0]) & (rows <= self._rows[-1]))
        begin = np.searchsorted(self._rows, rows[near], side="left")
        end = np.searchsorted(self._rows, rows[near], side="right")
        hit = np.flatnonzero(end > begin)
        triples = zip(near[hit].tolist(), begin[hit].tolist(), end[hit].tolist(), strict=True)
        return [(at, flag) for at, a, b in triples for flag in self._flags[a:b]]

    def drop(self, before: int) -> None:
        """Forget those of lines before a row, of which no open window holds one."""
        gone = int(np.searchsorted(self._rows, before))
        self._flags, self._rows = self._flags[gone:], self._rows[gone:]

    def paused(self) -> State:
        """The lines that were flagged, and how many each slot flagged."""
        flags = [*self._flags, *self._fresh]
        kinds = {"row": np.int64, "slot": np.int32, "kind": np.int8, "score": np.float64}
        columns: dict[str, NDArray[Any]] = {
            name: np.array([getattr(f, name) for f in flags], kind) for name, kind in kinds.items()
        }
        columns["judged"] = np.array([f.judged for f in flags], bool)
        columns["size"], texts = join([f.text for f in flags])
        meta = {"times": self._times, "stretch": self._stretch, "thinned": self._thinned}
        return State(meta, {"flags": columns}, {"texts": texts})

    def resume(self, state: State) -> None:
        """Go on from there; of other slots, as another model has, nothing is flagged."""
        table = state.tables["flags"]
        slots = len(state.meta["times"])
        if slots not in (0, len(self._times)):
            return
        texts = part(table["size"], state.files["texts"])
        columns = (table[name].tolist() for name in ("row", "slot", "kind", "score"))
        judged = table["judged"].tolist()
        self._flags = [Flag(*told) for told in zip(*columns, texts, judged, strict=True)]
        self._rows = np.array(table["row"], np.int64)
        if slots:
            self._times, self._stretch = list(state.meta["times"]), list(state.meta["stretch"])
        self._thinned = bool(state.meta["thinned"])
