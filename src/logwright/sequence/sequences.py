"""`Sequences`: sessions as codes of the event vocabulary, in compressed rows.

Most sessions of a log are alike: HDFS has 460,048 of them and some tens of thousands that differ.
So training and scoring work on the distinct ones, each with the number of times it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.errors import InputError
from logwright.logs.batch import NO_TIME, Int8s, Int32s, Int64s
from logwright.windows.window import Windows

__all__ = ["BUCKETS_OF_TIME", "Sequences", "bucket"]

_EDGES = 1_000_000 * 4 ** np.arange(14, dtype=np.int64)
BUCKETS_OF_TIME = len(_EDGES) + 2


def bucket(ns: Int64s) -> Int8s:
    """The bucket of the time (ns) since the event before: 0 where there is none (`NO_TIME`), 1
    below a millisecond (and for times that run backwards), then one per factor of four, 15 from
    18.6 hours on.

    >>> bucket(np.array([NO_TIME, -5, 0, 1_000_000, 5_000_000, 86_400 * 10**9])).tolist()
    [0, 1, 1, 2, 3, 15]
    """
    found = np.searchsorted(_EDGES, ns, side="right") + 1
    return np.where(ns == NO_TIME, 0, found).astype(np.int8)


@dataclass(frozen=True, slots=True)
class Sequences:
    """n sequences. `events`: codes, flat, without marks of start and end; sequence ``i`` owns
    ``events[bounds[i]:bounds[i + 1]]``. `weights`: how often each came. `gaps`: for each event the
    `bucket` of the time since the one before it, None where nothing has a time."""

    events: Int32s
    bounds: Int64s
    weights: Int64s
    gaps: Int8s | None = None

    def __post_init__(self) -> None:
        fits = (
            len(self.bounds) == len(self.weights) + 1
            and self.bounds[0] == 0
            and self.bounds[-1] == len(self.events)
            and (self.gaps is None or len(self.gaps) == len(self.events))
        )
        if not fits:
            raise ValueError("bounds, weights and gaps do not fit the events")

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def lengths(self) -> Int64s:
        """Events per sequence."""
        return np.diff(self.bounds)

    def one(self, i: int) -> Int32s:
        """The codes of sequence `i`."""
        return self.events[self.bounds[i] : self.bounds[i + 1]]

    def take(self, which: NDArray[Any] | slice) -> Sequences:
        """The sequences that an index, a mask or a slice selects, in its order.

        >>> s = Sequences.of_lists([[5, 6], [], [7]]).take(np.array([2, 0]))
        >>> s.one(0).tolist(), s.one(1).tolist()
        ([7], [5, 6])
        """
        number = np.arange(len(self), dtype=np.int64)[which]
        sizes = self.lengths[number]
        bounds = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        at = np.repeat(self.bounds[number] - bounds[:-1], sizes) + np.arange(bounds[-1])
        gaps = None if self.gaps is None else self.gaps[at]
        return Sequences(self.events[at], bounds, self.weights[number], gaps)

    def distinct(self) -> tuple[Sequences, Int64s]:
        """The sequences that differ, in order of first sight, with their weights added up; and for
        each sequence the number of its like among them.

        >>> distinct, inverse = Sequences.of_lists([[3], [4, 3], [3]]).distinct()
        >>> len(distinct), distinct.weights.tolist(), inverse.tolist()
        (2, [2, 1], [0, 1, 0])
        """
        seen: dict[tuple[bytes, bytes], int] = {}
        inverse = np.empty(len(self), np.int64)
        edges = self.bounds.tolist()
        for i in range(len(self)):
            span = slice(edges[i], edges[i + 1])
            gaps = b"" if self.gaps is None else self.gaps[span].tobytes()
            inverse[i] = seen.setdefault((self.events[span].tobytes(), gaps), len(seen))
        first = np.full(len(seen), len(self), np.int64)
        np.minimum.at(first, inverse, np.arange(len(self)))
        kept = self.take(first)
        weights = np.zeros(len(seen), np.int64)
        np.add.at(weights, inverse, self.weights)
        return Sequences(kept.events, kept.bounds, weights, kept.gaps), inverse

    def split(self, share: float) -> tuple[Sequences, Sequences]:
        """The first `share` of the sequences and the rest, by position: earlier and later."""
        if not 0 <= share <= 1:
            raise InputError(f"a share is between 0 and 1, not {share}")
        cut = round(share * len(self))
        return self.take(slice(0, cut)), self.take(slice(cut, None))

    @staticmethod
    def of_windows(windows: Windows, codes: Int32s) -> Sequences:
        """One sequence per window; `codes[t]` is the code of the template with index `t`.

        >>> windows = Windows.of_sequences([[1, 0], [1]])
        >>> s = Sequences.of_windows(windows, np.array([7, 9], np.int32))
        >>> s.events.tolist(), s.bounds.tolist(), s.gaps
        ([9, 7, 9], [0, 2, 3], None)
        """
        ts = windows.events.ts
        gaps = None
        if (ts != NO_TIME).any():
            since = np.full(len(ts), NO_TIME, np.int64)
            timed = (ts[1:] != NO_TIME) & (ts[:-1] != NO_TIME)
            since[1:][timed] = ts[1:][timed] - ts[:-1][timed]
            since[windows.bounds[:-1][windows.sizes > 0]] = NO_TIME
            gaps = bucket(since)
        events = codes[windows.events.template].astype(np.int32)
        return Sequences(events, windows.bounds, np.ones(len(windows), np.int64), gaps)

    @staticmethod
    def of_lists(lists: Sequence[Sequence[int]]) -> Sequences:
        """From lists of codes, each with weight 1 and no times."""
        sizes = [len(one) for one in lists]
        bounds = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        events = np.array([code for one in lists for code in one], np.int32)
        return Sequences(events, bounds, np.ones(len(lists), np.int64))
