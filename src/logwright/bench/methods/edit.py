"""Edit distance to the nearest sequence of history (Landauer et al., FSE 2024).

The number of insertions, deletions and exchanges that turn a window's events into those of a window
of history, over the longer of both lengths: 0 for a sequence that history held, 1 for nothing in
common. Measured on distinct sequences, against at most `most` of them, the most frequent ones.

All candidates are compared at once, a bit per event (Myers 1999, in the form of Hyyro 2003): a
machine word holds 64 events. Of longer windows the first 64 are compared, and the distance is then
at least the difference in length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logwright.bench.methods.base import Needs
from logwright.bench.parts import Train
from logwright.detectors.base import Floats, UInt64s
from logwright.logs.batch import Int32s, Int64s
from logwright.windows.window import Windows, mix

__all__ = ["EditDistance", "sequence_keys"]

_WORD = 64
_PAIRS = 1 << 17  # compared at once: a few arrays of 1 MB, which stay in the cache
_MOST_KNOWN = 5_000_000  # hashes of sequences: 40 MB


def sequence_keys(windows: Windows) -> UInt64s:
    """A hash per window, equal for equal sequences of templates.

    >>> keys = sequence_keys(Windows.of_sequences([[0, 1], [1, 0], [0, 1]]))
    >>> bool(keys[0] == keys[2]), bool(keys[0] == keys[1])
    (True, False)
    """
    place = np.arange(len(windows.events)) - windows.bounds[:-1][windows.owner]
    template = windows.events.template.astype(np.uint64)
    keys = mix(((place.astype(np.uint64) + np.uint64(1)) << np.uint64(32)) | template)
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(keys, dtype=np.uint64)))
    return mix(sums[windows.bounds[1:]] - sums[windows.bounds[:-1]])


class EditDistance:
    """Scores windows by their distance to the nearest sequence of history, 0 to 1."""

    name = "edit distance"
    needs: Needs = "normal"
    seeded = False

    def __init__(self, threshold: float | None = None, most: int = 512) -> None:
        self.natural = threshold
        self._most = most

    def fit(self, train: Train) -> None:
        """Learn the sequences: the most frequent in full, of the others that they are known."""
        keys, first, times = np.unique(
            sequence_keys(train.windows), return_index=True, return_counts=True
        )
        order = np.lexsort((first, -times))
        self._known = np.sort(keys[order[:_MOST_KNOWN]])
        kept = np.zeros(len(train.windows), bool)
        kept[first[order[: self._most]]] = True
        self._candidates = _Candidates(train.windows.select(kept))

    def score(self, windows: Windows) -> Floats:
        """The distance over the longer length, 0 for what history held."""
        keys, first, inverse = np.unique(
            sequence_keys(windows), return_index=True, return_inverse=True
        )
        distances = np.zeros(len(keys))
        new = np.flatnonzero(np.isin(keys, self._known, invert=True))
        pick = np.zeros(len(windows), bool)
        pick[first[new]] = True
        order = np.argsort(first[new], kind="stable")  # the order in which `select` leaves them
        distances[new[order]] = self._candidates.nearest(windows.select(pick))
        scores: Floats = distances[inverse]
        return scores


class _Candidates:
    """Sequences of history as bit masks: for each template, where each of them holds it."""

    def __init__(self, windows: Windows) -> None:
        self.sizes = windows.sizes
        self._cut = np.minimum(self.sizes, _WORD)
        events, width = windows.events.template, int(windows.events.template.max(initial=-1)) + 1
        place = np.arange(len(events)) - windows.bounds[:-1][windows.owner]
        near = place < _WORD
        bits = np.left_shift(np.uint64(1), place[near].astype(np.uint64))
        # The last row is that of templates which no candidate holds.
        self._masks = np.zeros((width + 1, len(windows)), np.uint64)
        np.bitwise_or.at(self._masks, (events[near], windows.owner[near]), bits)
        last = np.maximum(self._cut - 1, 0).astype(np.uint64)
        self._last = np.where(self._cut > 0, np.left_shift(np.uint64(1), last), np.uint64(0))

    def nearest(self, windows: Windows) -> Floats:
        """The distance of each window, none of which history held, to the nearest candidate."""
        out = np.ones(len(windows))
        if not len(self.sizes):
            return out
        cut = np.minimum(windows.sizes, _WORD)
        rows = max(_PAIRS // len(self.sizes), 1)
        for length in np.unique(cut).tolist():
            alike = np.flatnonzero(cut == length)
            for start in range(0, len(alike), rows):
                at = alike[start : start + rows]
                events = windows.events.template[windows.bounds[at][:, None] + np.arange(length)]
                out[at] = self._shares(self._distances(events), windows.sizes[at])
        return out

    def _shares(self, distances: Int64s, sizes: Int64s) -> Floats:
        gap = np.abs(sizes[:, None] - self.sizes)
        # A sequence that history never held differs, if only after the first 64 events.
        atleast = np.maximum(np.maximum(distances, gap), 1)
        longer = np.maximum(np.maximum(sizes[:, None], self.sizes), 1)
        shares: Floats = np.min(atleast / longer, axis=1)
        return shares

    def _distances(self, events: Int32s) -> Int64s:
        """Edit distances of equally long sequences (rows) to all candidates (columns)."""
        shape = (len(events), len(self.sizes))
        one = np.uint64(1)
        more = np.full(shape, np.iinfo(np.uint64).max, np.uint64)  # where a column rises by one
        less = np.zeros(shape, np.uint64)  # where it falls by one
        found = np.repeat(self._cut[None, :], len(events), axis=0)
        for step in range(events.shape[1]):
            same = self._masks[np.minimum(events[:, step], len(self._masks) - 1)]
            vertical = same | less
            horizontal = (((same & more) + more) ^ more) | same
            up: NDArray[np.uint64] = less | ~(horizontal | more)
            down = more & horizontal
            found += (up & self._last) != 0
            found -= (down & self._last) != 0
            up = (up << one) | one
            more = (down << one) | ~(vertical | up)
            less = up & vertical
        # An empty candidate has no last bit that could count.
        return np.where(self._cut > 0, found, events.shape[1])
