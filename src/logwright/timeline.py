"""Counts of lines over time, for a report's plot: in few buckets, however long the log."""

from __future__ import annotations

import numpy as np

from logwright.findings.run import Timeline
from logwright.logs.batch import NO_TIME, Int8s, Int64s

__all__ = ["TimelineCounter"]

_ERROR = 6
_MOST = 20_000
_NICE = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


class TimelineCounter:
    """Adds up lines and error lines per bucket; buckets grow as the log gets longer.

    >>> counter = TimelineCounter()
    >>> counter.add(np.array([0, 10**9, 10**9]), np.array([3, 6, 3], np.int8))
    >>> counter.timeline(4).lines
    (1, 2)
    """

    def __init__(self) -> None:
        self._step = 1_000_000_000
        self._lines: dict[int, int] = {}
        self._errors: dict[int, int] = {}
        self._levels = False

    def add(self, ts: Int64s, level: Int8s) -> None:
        """Count the lines of a batch (those without a time are left out)."""
        self._levels = self._levels or bool((level > 0).any())
        self._count(self._lines, ts)
        errors = level >= _ERROR
        if errors.any():
            self._count(self._errors, ts[errors])
        while len(self._lines) > _MOST:
            self._step *= 10
            self._lines, self._errors = self._coarser(self._lines), self._coarser(self._errors)

    def _count(self, into: dict[int, int], ts: Int64s) -> None:
        slot = ts[ts != NO_TIME] // self._step
        if not len(slot):
            return
        # Times mostly rise, so counting runs is cheaper than sorting.
        first = np.flatnonzero(np.concatenate(([True], slot[1:] != slot[:-1])))
        number = np.diff(np.concatenate((first, [len(slot)])))
        for s, n in zip(slot[first].tolist(), number.tolist(), strict=True):
            into[s] = into.get(s, 0) + n

    @staticmethod
    def _coarser(counts: dict[int, int]) -> dict[int, int]:
        out: dict[int, int] = {}
        for slot, n in counts.items():
            out[slot // 10] = out.get(slot // 10, 0) + n
        return out

    @property
    def span(self) -> int:
        """The time (ns) that all but the first and last thousandth of the lines cover: a few wrong
        times do not stretch it."""
        slots = sorted(self._lines)
        if not slots:
            return 0
        passed = np.cumsum([self._lines[s] for s in slots])
        low = slots[int(np.searchsorted(passed, passed[-1] * 0.001))]
        high = slots[int(np.searchsorted(passed, passed[-1] * 0.999))]
        return (high - low + 1) * self._step

    def timeline(self, buckets: int = 120) -> Timeline:
        """At most about `buckets` buckets, of a length that reads well on an axis."""
        if not self._lines:
            return Timeline()
        first, last = min(self._lines), max(self._lines)
        seconds = (last - first + 1) * self._step / 1e9 / buckets
        nice = next((n for n in _NICE if n >= seconds), -(-int(seconds) // 86400) * 86400)
        factor = max(nice * 1_000_000_000 // self._step, 1)
        step = factor * self._step
        start = first // factor
        lines = [0] * (last // factor - start + 1)
        errors = [0] * len(lines)
        for counts, out in ((self._lines, lines), (self._errors, errors)):
            for slot, n in counts.items():
                out[slot // factor - start] += n
        return Timeline(
            start=start * step,
            step=step,
            lines=tuple(lines),
            errors=tuple(errors) if self._levels else (),
        )
