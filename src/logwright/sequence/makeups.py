"""`Makeups`: which events may come next if a session is to end as sessions of the history ended.

The make-up of a session is how often each event is in it, counted up to a cap. The order of events
varies from session to session, by chance of threads and machines; the make-up hardly does. So it
is the reward of a model that makes sessions up: an event is permitted if some make-up of the
history can still be reached with it, the end only where one is complete. That is the label-free
ladder's verdict on the whole session, told at the event that decides it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import END, FIRST

__all__ = ["CAPS", "Makeups", "reordered"]

Bools = NDArray[np.bool_]
Counts = NDArray[np.uint8]

CAPS = (3, 2, 1)
"""Caps tried, finest first: 1 tells only whether an event is there."""
MISSES = 0.01
"""The share of normal validation sessions whose make-up may be new."""
MOST = 512
"""More make-ups than this are no regularity, and dear to look up."""
_KEPT = 20_000
_REACHES = (2, 4, 8)


class Makeups:
    """The make-ups [n, V] of a history of events with codes below V, counted up to `cap`.

    >>> makeups = Makeups(Sequences.of_lists([[2, 3, 3], [2, 4]]), size=5, cap=3)
    >>> makeups.permitted(np.array([[0, 2, 3, 3]]))[0].astype(int).tolist()
    [[0, 0, 1, 1, 1], [0, 0, 0, 1, 1], [0, 0, 0, 1, 0], [0, 1, 0, 0, 0]]
    """

    def __init__(self, history: Sequences, size: int, cap: int) -> None:
        self.size, self.cap = size, cap
        self.known: Counts = np.unique(self._of(history), axis=0)
        self._found: dict[bytes, Bools] = {}

    @classmethod
    def learn(cls, history: Sequences, check: Sequences, size: int) -> Makeups | None:
        """With the finest cap at which at most 1 % of later normal sessions have a new make-up and
        the history has no more than `MOST`; None where there is none: then make-ups tell nothing.

        >>> steady = Sequences.of_lists([[2, 3], [3, 2]])
        >>> Makeups.learn(steady, steady, size=4).cap
        3
        >>> Makeups.learn(steady, Sequences.of_lists([[2, 2], [3, 3]]), size=4) is None
        True
        """
        for cap in CAPS:
            makeups = cls(history, size, cap)
            new = check.weights[~makeups.knows(check)].sum()
            if len(makeups.known) <= MOST and new <= MISSES * check.weights.sum():
                return makeups
        return None

    def knows(self, sequences: Sequences) -> Bools:
        """Which sequences have a make-up of the history."""
        held = {row.tobytes() for row in self.known}
        known = [row.tobytes() in held for row in self._of(sequences)]
        strange = np.zeros(len(sequences), bool)
        owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
        strange[owner[sequences.events >= self.size]] = True
        return np.array(known, bool) & ~strange

    def permitted(self, codes: NDArray[np.int64]) -> Bools:
        """[B, T, V]: what may come after each of the `codes` [B, T], whose first is `START`. After
        an event that was not permitted, nothing is."""
        rows, places = codes.shape
        counts = np.zeros((rows, self.size), np.uint8)
        out = np.zeros((rows, places, self.size), bool)
        every = np.arange(rows)
        for place in range(places):
            code = codes[:, place]
            is_event = (code >= FIRST) & (code < self.size)
            at = np.where(is_event, code, 0)
            counts[every, at] = np.minimum(counts[every, at] + is_event, self.cap)
            for row in range(rows):
                out[row, place] = self._next(counts[row])
        return out

    def _next(self, counts: Counts) -> Bools:
        key = counts.tobytes()
        if key not in self._found:
            within = self.known[(self.known >= counts).all(1)]
            # At the cap an event may come any number of times more.
            found: Bools = np.any((within > counts) | (within >= self.cap), axis=0)
            found[END] = bool((within == counts).all(1).any())
            if len(self._found) >= _KEPT:
                self._found.clear()
            self._found[key] = found
        return self._found[key]

    def _of(self, sequences: Sequences) -> Counts:
        owner = np.repeat(np.arange(len(sequences)), sequences.lengths)
        inside = sequences.events < self.size
        flat = owner[inside] * self.size + sequences.events[inside]
        counts = np.bincount(flat, minlength=len(sequences) * self.size)
        shaped = counts.reshape(len(sequences), self.size)
        return np.minimum(shaped, self.cap).astype(np.uint8)


def reordered(
    codes: NDArray[np.int64], sizes: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Sessions with their events moved by up to 2, 4 or 8 places: the same make-ups, in an order
    that may never have been. `codes` [B, T] begin with `START`; `sizes` [B] are their events.

    >>> other = reordered(np.array([[0, 2, 3, 4, 9]]), np.array([3]), np.random.default_rng(3))
    >>> sorted(other[0, 1:4].tolist()), other[0, [0, 4]].tolist()
    ([2, 3, 4], [0, 9])
    """
    rows, places = codes.shape
    place = np.arange(places)
    reach = rng.choice(_REACHES, size=(rows, 1))
    moves = (place > 0) & (place <= sizes[:, None])
    key = place + np.where(moves, rng.random((rows, places)) * reach, 0.0)
    # What does not move keeps its place: the start before, what is after the events behind.
    key = np.where(place > sizes[:, None], place + places, key)
    return np.take_along_axis(codes, np.argsort(key, axis=1, kind="stable"), axis=1)
