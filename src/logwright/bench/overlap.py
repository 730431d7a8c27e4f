"""Overlap: whether two stretches of numbered things, records or windows, were cut from one log.

Equal lines alone say nothing, heartbeats are in all logs. A sign is a run of 50 equal ones in the
same order that each stretch holds once, with at least 20 different pairs of neighbours: what beats,
goes in circles or is done every night has few such pairs, or comes again in the same stretch.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logwright.windows.window import mix

__all__ = ["RUN", "overlap"]

UInt64s = NDArray[np.uint64]

RUN = 50
_VARIED = 20


def overlap(a: UInt64s, b: UInt64s) -> int:
    """How many of `b` stand in such runs that `a` holds too; equal numbers stand for equal things.

    >>> log = np.arange(1_000, dtype=np.uint64)
    >>> overlap(log[:600], log[540:]), overlap(log[:600], log[600:])
    (60, 0)
    >>> overlap(np.repeat(log[:1], 500), np.repeat(log[:1], 300))
    0
    """
    if min(len(a), len(b)) < RUN:
        return 0
    runs, at = _once(_runs(b))
    at = at[np.isin(runs, _once(_runs(a))[0])]
    at = at[_variety(b, at) >= _VARIED]
    held = np.zeros(len(b) + 1, np.int64)
    held[at] += 1
    np.subtract.at(held, at + RUN, 1)
    return int(np.count_nonzero(np.cumsum(held)))


def _runs(numbers: UInt64s) -> UInt64s:
    """A number for the run that begins at each place: of two halves, and at last of two runs of 32
    that share what makes them 50."""
    runs, size = mix(numbers), 1
    while size < RUN:
        step = min(size, RUN - size)
        runs = mix(mix(runs[:-step]) + runs[step:])
        size += step
    return runs


def _once(runs: UInt64s) -> tuple[UInt64s, NDArray[np.intp]]:
    """The runs that come once, and where."""
    found, first, times = np.unique(runs, return_index=True, return_counts=True)
    return found[times == 1], first[times == 1]


def _variety(numbers: UInt64s, at: NDArray[np.intp]) -> NDArray[np.int64]:
    """How many different pairs of neighbours each of these runs holds."""
    pairs = mix(mix(numbers[:-1]) + numbers[1:])
    order = np.argsort(pairs, kind="stable")
    before = np.full(len(pairs), -1, np.int64)  # where the same pair last was
    same = pairs[order[1:]] == pairs[order[:-1]]
    before[order[1:][same]] = order[:-1][same]
    found = np.zeros(len(at), np.int64)
    for place in range(RUN - 1):
        found += before[at + place] < at
    return found
