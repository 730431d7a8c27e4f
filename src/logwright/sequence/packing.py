"""`Packs`: sequences as rectangles for a network, with little room lost.

A sequence of T events gives T + 1 places: what goes in is the start and the events, what is to be
said is the events and the end. One longer than `piece` is cut in pieces that overlap; the overlap
is there to be read, and only what comes after it counts, so that every event counts once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from logwright.logs.batch import Int64s
from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import END, START

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Batch", "Packs"]


@dataclass(frozen=True, slots=True)
class Batch:
    """B pieces of up to T places, as columns [B, T]: `codes` in, `targets` to be said, `gaps` or
    None, `counted` 1.0 where a place counts (0 for padding and overlap); `weights` [B]."""

    codes: Int64s
    targets: Int64s
    gaps: Int64s | None
    counted: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    weights: Int64s

    @property
    def events(self) -> int:
        """Places that count."""
        return int(self.counted.sum())

    def to(self, device: str) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
        """Codes, gaps, targets and what counts, as tensors."""
        import torch

        columns = (self.codes, self.gaps, self.targets, self.counted)
        a, b, c, d = (None if x is None else torch.from_numpy(x).to(device) for x in columns)
        assert a is not None
        assert c is not None
        assert d is not None
        return a, b, c, d


class Packs:
    """The pieces of sequences, from which batches are drawn.

    >>> packs = Packs(Sequences.of_lists([[5, 6, 7], [5]]), piece=3, overlap=1)
    >>> batch = next(packs.all(100))
    >>> batch.codes.tolist()
    [[6, 7, 0], [0, 5, 0], [0, 5, 6]]
    >>> batch.targets.tolist(), batch.counted.astype(int).tolist()
    ([[7, 1, 1], [5, 1, 1], [5, 6, 7]], [[0, 1, 0], [1, 1, 0], [1, 1, 1]])
    """

    def __init__(self, sequences: Sequences, piece: int, overlap: int) -> None:
        """`piece`: most places of a piece, more than `overlap`."""
        if not 0 <= overlap < piece:
            raise ValueError("the overlap must be smaller than the piece")
        self.sequences = sequences
        places = sequences.lengths + 1
        steps = np.maximum(0, -(-(places - piece) // (piece - overlap)))
        self.owner = np.repeat(np.arange(len(sequences)), steps + 1)
        first = np.concatenate(([0], np.cumsum(steps + 1)))[:-1]
        number = np.arange(len(self.owner)) - first[self.owner]
        self.start = number * (piece - overlap)
        self.size = np.minimum(piece, places[self.owner] - self.start)
        self.read = np.where(number > 0, overlap, 0)
        self.weights = sequences.weights[self.owner]
        self._upto = np.cumsum(self.weights.astype(np.float64))
        drawn = (self.size - self.read) * self.weights
        self._each = float(drawn.sum()) / max(1.0, float(self.weights.sum()))

    @property
    def mark(self) -> str:
        """A short name of the data: equal for equal sequences."""
        s = self.sequences
        held = sha256(s.events.tobytes() + s.bounds.tobytes() + s.weights.tobytes())
        held.update(b"" if s.gaps is None else s.gaps.tobytes())
        return held.hexdigest()[:16]

    def all(self, most: int) -> Iterator[Batch]:
        """Every piece once, short ones first, in batches of at most `most` places, or one piece."""
        yield from self._cut(np.argsort(self.size, kind="stable"), most)

    def draw(self, rng: np.random.Generator, events: int, parts: int) -> list[Batch]:
        """About `events` places that count, of pieces drawn by weight with return, in `parts`
        batches or a few more, each of pieces of about one length."""
        number = max(1, round(events / self._each))
        drawn = np.searchsorted(self._upto, rng.random(number) * self._upto[-1], side="right")
        drawn = np.minimum(drawn, len(self.owner) - 1)
        order = drawn[np.argsort(self.size[drawn], kind="stable")]
        return list(self._cut(order, max(1, events // parts)))

    def _cut(self, order: Int64s, most: int) -> Iterator[Batch]:
        at = 0
        while at < len(order):
            longest = self.size[order[at:]]
            room = np.flatnonzero(longest * np.arange(1, len(longest) + 1) > most)
            stop = at + max(1, int(room[0]) if len(room) else len(longest))
            yield self._batch(order[at:stop])
            at = stop

    def _batch(self, pieces: Int64s) -> Batch:
        s = self.sequences
        width = int(self.size[pieces].max())
        place = np.arange(width)
        inside = place < self.size[pieces][:, None]
        within = self.start[pieces][:, None] + place  # 0 is the mark of the start
        at = s.bounds[self.owner[pieces]][:, None] + within
        last = within == s.lengths[self.owner[pieces]][:, None]
        codes = np.zeros(inside.shape, np.int64)
        targets = np.full(inside.shape, END, np.int64)
        before = inside & (within > 0)
        codes[before] = s.events[at[before] - 1]
        codes[inside & (within == 0)] = START
        after = inside & ~last
        targets[after] = s.events[at[after]]
        gaps = None
        if s.gaps is not None:
            gaps = np.zeros(inside.shape, np.int64)
            gaps[before] = s.gaps[at[before] - 1]
        counted = (inside & (place >= self.read[pieces][:, None])).astype(np.float32)
        return Batch(codes, targets, gaps, counted, self.weights[pieces])
