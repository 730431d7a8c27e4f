"""Sightings: windows of template indices as columns of what signs say of their lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, Int64s
from logwright.rules.induction.probes import Probe
from logwright.rules.induction.signs import Sign
from logwright.rules.induction.values import Values
from logwright.windows.window import Windows

__all__ = ["NEVER", "Seen", "Sightings"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

Seen = Sign | Probe
"""What may be seen in a line: words, which its template tells, or the value of a parameter."""

NEVER = np.iinfo(np.int64).max
"""A distance that has no end."""


class Sightings:
    """Where and how often signs are seen in windows.

    `texts` are the templates' texts by index (None: not known), `ids` their ids, `values` what
    parameters hold (None: not known, so that no probe may be asked for).

    >>> windows = Windows.of_sequences([[0, 1, 1], [1]])
    >>> sightings = Sightings(windows, ["disk full", "disk ok"], ["a", "b"])
    >>> ok = Sign("phrase", "ok")
    >>> sightings.count(ok).tolist(), sightings.first(ok).tolist()
    ([2, 1], [1, 0])
    """

    def __init__(
        self,
        windows: Windows,
        texts: Sequence[str] | None,
        ids: Sequence[str],
        values: Values | None = None,
    ) -> None:
        self.windows, self._texts, self._ids, self.values = windows, texts, ids, values
        self._known: dict[Sign, Bools] = {}

    def __len__(self) -> int:
        return len(self.windows)

    def templates(self, sign: Sign) -> Bools:
        """Whether each template has the sign."""
        found = self._known.get(sign)
        if found is None:
            texts = self._texts or [""] * len(self._ids)
            held = (sign.matches(t, i) for t, i in zip(texts, self._ids, strict=True))
            found = self._known[sign] = np.fromiter(held, bool, len(self._ids))
        return found

    def tell(self, sign: Sign, templates: Iterable[int]) -> None:
        """Say which templates have a sign, where that is known already."""
        found = self._known[sign] = np.zeros(len(self._ids), bool)
        found[list(templates)] = True

    def lines(self, seen: Seen) -> Bools:
        """Whether each line has what is to be seen."""
        if isinstance(seen, Sign):
            return self.templates(seen)[self.windows.events.template]
        assert self.values is not None
        return self.values.holds(seen, self.windows.events.row)

    @cached_property
    def _by_template(self) -> tuple[Int64s, Int64s, Int64s]:
        """Window and number of each pair of window and template, by template, and where the
        pairs of each template begin."""
        owner, template, number = self.windows.counts()
        order = np.argsort(template, kind="stable")
        starts = np.searchsorted(template[order], np.arange(len(self._ids) + 1))
        return owner[order], number[order], starts

    def count(self, sign: Seen) -> Int64s:
        """Lines per window that have the sign."""
        if isinstance(sign, Probe):
            return np.bincount(self.windows.owner[self.lines(sign)], minlength=len(self))
        owner, number, starts = self._by_template
        found = np.zeros(len(self), np.int64)
        for template in np.flatnonzero(self.templates(sign)).tolist():
            mine = slice(starts[template], starts[template + 1])
            found[owner[mine]] += number[mine]
        return found

    def first(self, sign: Seen) -> Int64s:
        """The place of the first line that has the sign, -1 where there is none."""
        bounds, mine = self.windows.bounds, self.lines(sign)
        at = np.append(np.flatnonzero(mine), len(mine))
        nearest = at[np.searchsorted(at, bounds[:-1])]
        return np.where(nearest < bounds[1:], nearest - bounds[:-1], -1)

    def edge(self, sign: Seen, last: bool) -> Bools:
        """Whether the first (last) line of each window has the sign."""
        found = self.windows.sizes > 0
        at = self.windows.bounds[1:] - 1 if last else self.windows.bounds[:-1]
        found[found] = self.lines(sign)[at[found]]
        return found

    def distance(self, a: Seen, b: Seen) -> tuple[Int64s, Int64s]:
        """For each line that has `a`: its window, and how many places further on the next line of
        the window stands that has `b`; `NEVER` where there is none."""
        bounds = self.windows.bounds
        here = np.flatnonzero(self.lines(a))
        there = np.append(np.flatnonzero(self.lines(b)), NEVER)
        owner = np.searchsorted(bounds, here, side="right") - 1
        following = there[np.searchsorted(there, here, side="right")]
        inside = following < bounds[owner + 1]
        return owner, np.where(inside, following - here, NEVER)

    @cached_property
    def seconds(self) -> Floats:
        """The time of each line as rules see it: seconds since 1970, nan where there is none."""
        ts = self.windows.events.ts
        return np.where(ts == NO_TIME, np.nan, ts / 1e9)

    def delay(self, a: Seen, b: Seen) -> tuple[Int64s, Floats]:
        """For each line that has `a`: its window, and the seconds until the earliest of the lines
        after it in the window that have `b`; infinite where there is none, or no time."""
        bounds = self.windows.bounds
        here = np.flatnonzero(self.lines(a))
        there = np.flatnonzero(self.lines(b) & ~np.isnan(self.seconds))
        owner = np.searchsorted(bounds, here, side="right") - 1
        if not len(there):
            return owner, np.full(len(here), np.inf)
        home = np.searchsorted(bounds, there, side="right") - 1
        soonest = _least_to_come(self.seconds[there], home)
        following = np.searchsorted(there, here, side="right")
        at = np.minimum(following, len(there) - 1)
        inside = (following < len(there)) & (home[at] == owner)
        wait = np.where(inside, soonest[at] - self.seconds[here], np.inf)
        return owner, np.where(np.isnan(wait), np.inf, wait)

    @cached_property
    def gaps(self) -> Floats:
        """The longest time in seconds between neighbouring lines of each window that have times."""
        timed = np.flatnonzero(~np.isnan(self.seconds))
        owner = np.searchsorted(self.windows.bounds, timed, side="right") - 1
        found = np.zeros(len(self))
        pairs = np.flatnonzero(owner[1:] == owner[:-1])
        steps = self.seconds[timed[pairs + 1]] - self.seconds[timed[pairs]]
        found[owner[pairs]] = -np.inf
        np.maximum.at(found, owner[pairs], steps)
        return found


def _least_to_come(values: Floats, segment: Int64s) -> Floats:
    """The smallest of each value and those after it in its segment; segments lie together."""
    least, step = values.copy(), 1
    longest = int(np.bincount(segment - segment[0]).max())
    while step < longest:
        same = segment[step:] == segment[:-step]
        least[:-step] = np.where(same, np.minimum(least[:-step], least[step:]), least[:-step])
        step *= 2
    return least
