"""The view: a split as methods see it, and nothing of it is seen before the guard has looked."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logwright.bench.methods.base import Needs
from logwright.bench.parts import Guard, Part, Split
from logwright.bench.protocol import learned
from logwright.detectors.counts import Counts

__all__ = ["View"]


class View:
    """A split as methods see it: per need, what they may learn from. The guard compares the lines
    and sessions of all that is learned from with those of the test part before anything is
    fitted."""

    def __init__(self, split: Split) -> None:
        self.split = split
        self._by_needs: dict[Needs, tuple[Part, Part, Split]] = {}
        self._told: dict[str, float] | None = None
        self._distinct: NDArray[np.intp] | None = None

    def of(self, needs: Needs) -> tuple[Part, Part, Split]:
        """Train, validation, and the split in the numbering that fits them."""
        if needs not in self._by_needs:
            train, validation, split = learned(self.split, needs)
            guard = Guard()
            if split.parsed is not None:
                guard.see_rows(split.parsed)
            for part in (train, validation):
                guard.see(part.windows)
            guard.check(split.test)
            # Of sets that come as windows each is a session; its lines tell it from others.
            if split.by_time and split.parsed is not None:
                guard.check_sessions(split.test)
            self._by_needs[needs] = train, validation, split
        return self._by_needs[needs]

    @property
    def distinct(self) -> NDArray[np.intp]:
        """One test window for each make-up and truth."""
        if self._distinct is None:
            keys = self._keys(self.split.test)
            both = np.stack((keys, self.split.test.truth.astype(np.uint64)))
            self._distinct = np.unique(both, axis=1, return_index=True)[1]
        return self._distinct

    def _keys(self, part: Part) -> NDArray[np.uint64]:
        return Counts("count_vector").keys(part.windows, self.split.vocabulary)

    def told(self) -> dict[str, float]:
        """What every table tells of the data."""
        if self._told is None:
            test = self._keys(self.split.test)
            self._told = {
                "windows": len(test),
                "positive_rate": round(float(self.split.test.truth.mean()), 4),
                "distinct_windows": len(np.unique(test)),
                "test_seen_in_train": round(
                    float(np.isin(test, self._keys(self.split.train)).mean()), 4
                ),
            }
        return self._told
