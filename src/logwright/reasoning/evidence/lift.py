"""Lift: what a failing run has and healthy ones have not, and where it parts from the nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.logs import kernel
from logwright.logs.batch import NO_TIME
from logwright.reasoning.evidence.columns import Columns
from logwright.reasoning.material import Material

__all__ = ["Lift"]


@dataclass(frozen=True, slots=True)
class Lift:
    """`share` (float64, one entry per shape): the share of healthy runs that have the shape.
    `nearest` is the number of the healthy run with most shapes in common, from 1 on (0 without
    any), `parts` the first line, in order of time, whose shape that run has not (-1 for none),
    `runs` the columns of the healthy runs, with the same codes for the same shapes."""

    share: NDArray[np.float64]
    nearest: int
    parts: int
    runs: tuple[Columns, ...] = ()

    @staticmethod
    def of(material: Material, healthy: Sequence[Material]) -> tuple[Columns, Lift]:
        """The columns of a material, and how it compares.

        >>> runs = [Material.of_lines(["start", "read 3 rows", "done"])]
        >>> columns, lift = Lift.of(Material.of_lines(["start", "read 9 rows", "disk full"]), runs)
        >>> lift.share.tolist(), lift.nearest, lift.parts
        ([1.0, 1.0, 0.0], 1, 2)
        """
        table = kernel.Table()
        columns = Columns.of(material, table)
        count = int(columns.shape.max(initial=-1)) + 1
        share = np.zeros(count)
        has = np.zeros((len(healthy), count), np.bool_)
        extra = np.zeros(len(healthy))
        runs = tuple(Columns.of(well, table) for well in healthy)
        for run, well in enumerate(runs):
            codes = np.unique(well.shape)
            has[run, codes[codes < count]] = True
            extra[run] = int((codes >= count).sum())
        if not healthy or not count:
            return columns, Lift(share, 0, -1)
        share = has.mean(axis=0)
        common = has.sum(axis=1)
        nearest = int(np.argmax(common / np.maximum(count + extra, 1)))
        new = np.flatnonzero(~has[nearest][columns.shape])
        if not len(new):
            return columns, Lift(share, nearest + 1, -1, runs)
        times = columns.time[new]
        times = np.where(times == NO_TIME, np.iinfo(np.int64).max, times)
        return columns, Lift(share, nearest + 1, int(new[np.argmin(times)]), runs)
