"""Gaps: the times between records of a session, as columns.

`inside` gives those between neighbours of a session, `ends` that from its first to its last record,
`Joints` those from the last record of a session to the first of the next one of the same key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, Int64s
from logwright.snapshot import Moved, State
from logwright.windows.window import Windows

__all__ = ["Gaps", "Joints", "ends", "inside"]

_MOST_KEYS = 1_000_000  # session keys whose last record is held: 20 MB
_LEAST_WHOLE = 3
_REACH = 1_000_000
"""Records within which the next session of a key is its continuation."""


@dataclass(slots=True)
class Gaps:
    """Gaps (ns) between two records each: their templates, their rows, and the window of the
    second (None for neighbours: it follows from the place). Only `valid` ones mean anything."""

    left: NDArray[Any]
    right: NDArray[Any]
    gap: Int64s
    first: Int64s
    second: Int64s
    window: Int64s | None
    valid: NDArray[np.bool_]


def inside(windows: Windows) -> Gaps:
    """Between neighbours of a session: gap ``i`` lies between events ``i`` and ``i + 1``.

    >>> w = Windows.of_sequences([[1, 2], [3, 4]])
    >>> w.events.ts[:] = [0, 5, 7, 8]
    >>> g = inside(w)
    >>> g.gap.tolist(), g.valid.tolist()
    ([5, 2, 1], [True, False, True])
    """
    t, ts, row = windows.events.template, windows.events.ts, windows.events.row
    gap = np.diff(ts)
    valid = gap >= 0
    edges = windows.bounds[1:-1]
    valid[edges[(edges > 0) & (edges < len(t))] - 1] = False
    timed = ts != NO_TIME
    if not timed.all():
        valid &= timed[1:] & timed[:-1]
    return Gaps(t[:-1], t[1:], gap, row[:-1], row[1:], None, valid)


def ends(windows: Windows) -> Gaps:
    """From the first to the last record of sessions of three records or more.

    >>> w = Windows.of_sequences([[1, 2, 3], [3, 4]])
    >>> w.events.ts[:] = [0, 5, 7, 8, 9]
    >>> ends(w).gap.tolist()
    [7]
    """
    number = np.flatnonzero(windows.sizes >= _LEAST_WHOLE).astype(np.int64)
    t, ts, row = windows.events.template, windows.events.ts, windows.events.row
    a, b = windows.bounds[:-1][number], windows.bounds[1:][number] - 1
    gap = ts[b] - ts[a]
    valid = (ts[a] != NO_TIME) & (ts[b] != NO_TIME) & (gap >= 0)
    return Gaps(t[a], t[b], gap, row[a], row[b], number, valid)


class Joints:
    """Holds the last record of each session key, from window to window.

    >>> w = Windows.of_sequences([[1, 2], [3], [4]])
    >>> w.events.ts[:], w.key[:] = [0, 5, 700, 800], [0, 0, 1]
    >>> g = Joints().take(w)
    >>> g.gap[g.valid].tolist(), g.window[g.valid].tolist()
    ([695], [1])
    """

    def __init__(self) -> None:
        self._template = np.empty(0, np.int32)
        self._ts = np.empty(0, np.int64)
        self._row = np.empty(0, np.int64)

    def take(self, windows: Windows) -> Gaps:
        """The gaps that windows, in order, end; one place for every window of a known key."""
        ok = (windows.sizes > 0) & (windows.key >= 0) & (windows.key < _MOST_KEYS)
        number = np.flatnonzero(ok).astype(np.int64)
        number = number[np.argsort(windows.key[number], kind="stable")]
        key = windows.key[number]
        self._grow(int(key[-1]) + 1 if len(key) else 0)
        t, ts, row = windows.events.template, windows.events.ts, windows.events.row
        a, b = windows.bounds[:-1][number], windows.bounds[1:][number] - 1
        new = np.ones(len(key), bool)
        new[1:] = key[1:] != key[:-1]
        before = np.roll(b, 1)
        left = np.where(new, self._template[key], t[before])
        since = np.where(new, self._ts[key], ts[before])
        first = np.where(new, self._row[key], row[before])
        last = np.roll(new, -1)
        self._template[key[last]] = t[b[last]]
        self._ts[key[last]] = ts[b[last]]
        self._row[key[last]] = row[b[last]]
        valid = (since != NO_TIME) & (ts[a] != NO_TIME) & (row[a] - first < _REACH)
        gap = np.where(valid, ts[a] - since, -1)
        return Gaps(left, t[a], gap, first, row[a], number, valid & (gap >= 0))

    @property
    def rows(self) -> Int64s:
        """The last records of keys."""
        rows: Int64s = self._row[self._ts != NO_TIME]
        return rows

    def drop(self, row: int) -> Int64s:
        """Forget what no record from this row on continues; gives the keys of the rest."""
        held = self._ts != NO_TIME
        self._ts[held & (self._row <= row - _REACH)] = NO_TIME
        return np.flatnonzero(self._ts != NO_TIME)

    def paused(self) -> State:
        """The last record of each key."""
        key = np.flatnonzero(self._ts != NO_TIME)
        last: dict[str, NDArray[Any]] = {"key": key, "template": self._template[key]}
        last |= {"ts": self._ts[key], "row": self._row[key]}
        return State({}, {"last": last})

    def resume(self, state: State, moved: Moved) -> None:
        """Go on from there."""
        table = state.tables["last"]
        key, template = moved.session[table["key"]], moved.template[table["template"]]
        ok = (key >= 0) & (template >= 0)
        key = key[ok]
        self._grow(int(key.max(initial=-1)) + 1)
        self._template[key] = template[ok]
        self._ts[key], self._row[key] = table["ts"][ok], table["row"][ok]

    def _grow(self, size: int) -> None:
        if size <= len(self._ts):
            return
        more = max(size, 2 * len(self._ts)) - len(self._ts)
        self._template = np.append(self._template, np.zeros(more, np.int32))
        self._ts = np.append(self._ts, np.full(more, NO_TIME))
        self._row = np.append(self._row, np.full(more, -1))
