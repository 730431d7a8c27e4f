"""Gaps: silences that are long for a source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logwright.logs.batch import NO_TIME
from logwright.reasoning.evidence.columns import Columns

__all__ = ["Gap", "longest_gap"]

_SECOND = 1_000_000_000
_TIMES = 20
"""How many times longer than the usual pause (the 90th percentile) a silence must be."""
_LEAST = 5 * _SECOND


@dataclass(frozen=True, slots=True)
class Gap:
    """A silence: the line before it, the line behind it, and how long it lasts in seconds."""

    before: int
    behind: int
    seconds: float


def longest_gap(columns: Columns) -> Gap | None:
    """The longest silence within a source, where it stands out.

    >>> from logwright.reasoning.material import Material
    >>> at = ["12:00:00", "12:00:01", "12:00:02", "12:04:02", "12:04:03"]
    >>> longest_gap(Columns.of(Material.of_lines([f"{time} step" for time in at])))
    Gap(before=2, behind=3, seconds=240.0)
    """
    if len(columns) < 3:
        return None
    times, source = columns.time, columns.source
    same = (source[1:] == source[:-1]) & (times[1:] != NO_TIME) & (times[:-1] != NO_TIME)
    if not same.any():
        return None
    pauses = np.where(same, times[1:] - np.where(same, times[:-1], 0), 0)
    at = int(np.argmax(pauses))
    usual = float(np.sort(pauses[same])[int(0.9 * (same.sum() - 1))])
    if pauses[at] < max(_LEAST, _TIMES * usual) and not (len(columns) < 20 and pauses[at] > _LEAST):
        return None
    return Gap(at, at + 1, float(pauses[at]) / _SECOND)
