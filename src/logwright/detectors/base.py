"""The contract of detectors: fit, score, evidence, save, load. Higher score = more anomalous.

A detector reads closed `Windows` and a `Vocabulary`, and gives one score per window. Whether a
score is an alarm is not its business: that is a `Threshold` (`detectors.thresholds`). Its state is
plain numbers (`State`): it is written as JSON and Parquet, never pickled.

What every detector promises, tested by one suite (`tests/test_detectors.py`): the same input gives
the same scores; saving and loading change nothing; how windows are dealt into calls does not
matter; templates never seen in training, and no windows at all, are fine; memory is bounded by
stated limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from logwright.findings.finding import Severity
from logwright.logs.batch import Int64s
from logwright.snapshot import Moved, State
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

__all__ = ["Detector", "Evidence", "Floats", "Remembering", "State", "add_counts", "known_among"]

Floats = NDArray[np.float64]
UInt64s = NDArray[np.uint64]


def add_counts(
    known: UInt64s, seen: Int64s, more: UInt64s, times: Int64s
) -> tuple[UInt64s, Int64s]:
    """Add how often keys were seen to a sorted table of keys.

    >>> k, n = np.array([3, 5], np.uint64), np.array([1, 1])
    >>> [c.tolist() for c in add_counts(k, n, np.array([5, 9], np.uint64), np.array([2, 2]))]
    [[3, 5, 9], [1, 3, 2]]
    """
    keys, index = np.unique(np.concatenate((known, more)), return_inverse=True)
    total = np.zeros(len(keys), np.int64)
    np.add.at(total, index, np.concatenate((seen, times)))
    return keys, total


def known_among(known: UInt64s, hashes: UInt64s) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places in both of what stands in both; `known` is sorted, `hashes` differ.

    >>> mine, at = known_among(np.array([3, 5], np.uint64), np.array([9, 5], np.uint64))
    >>> mine.tolist(), at.tolist()
    ([1], [1])
    """
    _, mine, at = np.intersect1d(known, hashes, assume_unique=True, return_indices=True)
    return mine, at


@dataclass(slots=True)
class Evidence:
    """Why a window scored: the sentence, the facts, the records and templates behind it.

    `rows` are the global row numbers of records to cite, `key_rows` those among them that are the
    reason; `parts` name the pattern (template ids, or a predicate). `rule` is the rule that says
    so, which says how grave it is, too; where there is none, levels and words do.
    """

    score: float
    summary: str
    expected: str
    seen: str
    rows: list[int]
    key_rows: list[int]
    templates: list[int]
    parts: list[str]
    count: int = 1
    usual: Mapping[int, str] = field(default_factory=dict)
    rule: str | None = None
    severity: Severity | None = None


class Detector(Protocol):
    """What the ladder and the pipeline need of a detector."""

    name: str
    unit: str

    def fit(self, windows: Windows, vocabulary: Vocabulary) -> None:
        """Learn what is normal from windows of history; more calls add to what was learned."""

    def score(self, windows: Windows, vocabulary: Vocabulary) -> Floats:
        """One score per window; 0 is entirely normal, higher is more anomalous."""

    def evidence(
        self, windows: Windows, i: int, vocabulary: Vocabulary, threshold: float
    ) -> list[Evidence]:
        """Why window `i` scored at or above `threshold`: one entry per pattern in it."""

    def save(self) -> State:
        """What was learned."""

    def load(self, state: State) -> None:
        """Take over what was learned."""


@runtime_checkable
class Remembering(Protocol):
    """A detector that remembers something from window to window, besides what was learned."""

    def paused(self) -> State:
        """What it remembers."""

    def resume(self, state: State, moved: Moved) -> None:
        """Take that over, just loaded; `moved` says what today's templates and sessions are."""

    def cites(self) -> Int64s:
        """The rows that it may cite although no open window holds them."""
