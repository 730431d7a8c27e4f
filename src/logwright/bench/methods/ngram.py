"""2-grams: two events that follow each other as they never did in history.

The windows' starts and ends are marked, so that a first or a last event can be new as well. One
unknown 2-gram is an alarm (Forrest et al. 1996 for system calls, Landauer et al. FSE 2024 for
logs). Neighbours in interleaved lines mean little: it is a method for sessions.
"""

from __future__ import annotations

import numpy as np

from logwright.bench.methods.base import Needs
from logwright.bench.parts import Train
from logwright.detectors.base import Floats, UInt64s
from logwright.detectors.unseen import Unseen
from logwright.windows.window import Windows, mix

__all__ = ["Bigrams"]

_MOST_KNOWN = 5_000_000  # 40 MB


class Bigrams:
    """How many 2-grams of a window history never held; one is an alarm."""

    name = "2-gram"
    needs: Needs = "normal"
    natural: float | None = 1.0
    seeded = False

    def fit(self, train: Train) -> None:
        """Learn the 2-grams; of too many, the most frequent."""
        keys, times = np.unique(_hashes(train.windows), return_counts=True)
        kept = np.argsort(-times, kind="stable")[:_MOST_KNOWN]
        self._known = np.sort(keys[kept])

    def score(self, windows: Windows) -> Floats:
        """The number of unknown 2-grams."""
        keys = _hashes(windows)
        new = np.ones(len(keys), bool)
        if len(self._known):
            at = np.minimum(np.searchsorted(self._known, keys), len(self._known) - 1)
            new = self._known[at] != keys
        sums = np.concatenate(([0], np.cumsum(new)))
        bounds = windows.bounds + np.arange(len(windows) + 1)  # a window has one more than records
        numbers: Floats = np.diff(sums[bounds]).astype(np.float64)
        return numbers


def _hashes(windows: Windows) -> UInt64s:
    width = int(windows.events.template.max(initial=-1)) + 1
    return Unseen.bigram_hashes(windows, mix(np.arange(1, width + 1, dtype=np.uint64)))
