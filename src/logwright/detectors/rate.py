"""Rate and silence: templates that come far more often than ever, or stop coming.

Reads tumbling time windows (intervals) of all records. For each template, and for all lines
together, history gives the counts per interval and the gaps between intervals in which it came.

* Burst: the score is minus log10 of the chance of so high a count, from a generalised Pareto tail
  over log(1 + count) where at least 20 counts exceed the 90 % quantile; where the tail is too thin,
  from an exponential tail through history's largest count: P = (n + 1) ** -(log1p(c) / log1p(max)).
  Counts below 1.5 times history's largest, or less than 5 above it, score 0.
* Silence: the same second form over gaps, for templates that came in at least 20 intervals; it is
  scored when the silence reaches 2, 4, 8, ... times the longest gap of history.

The idea of extreme values over counts of recently seen templates is SeaLog's (arXiv 2306.05032),
which fits a generalised extreme value distribution; its exact equation is unpublished. Templates
that history never held are the business of `unseen` and score 0 here.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Evidence, Floats, State, known_among
from logwright.detectors.thresholds import Tail, fit_tail
from logwright.logs.batch import Int64s
from logwright.snapshot import Moved
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

__all__ = ["ALL_LINES", "Rate", "duration"]

ALL_LINES = np.uint64(0x414C4C)
"""The stand-in for a template hash under which all lines together are counted."""

_LEAST_GAPS = 20
_LEAST_SILENCE = 3
_GROWN, _GROWN_BY = 1.5, 5
"""A burst is half as many again as the largest count of history, and 5 more, at the least."""

_MOST_DIGITS = 30.0
_CITED = 5


def duration(ns: float) -> str:
    """A length of time in words.

    >>> duration(90e9), duration(7200e9), duration(45e9)
    ('90 seconds', '2 hours', '45 seconds')
    """
    for unit, size in (("day", 86400e9), ("hour", 3600e9), ("minute", 60e9)):
        if ns >= 2 * size or ns == size:
            n = ns / size
            number = f"{n:.0f}" if n == int(n) or n >= 10 else f"{n:.1f}"
            return f"{number} {unit}{'' if number == '1' else 's'}"
    return f"{ns / 1e9:.3g} second{'' if ns == 1e9 else 's'}"


@dataclass(slots=True)
class _Hit:
    """A burst or a silence of one template in one interval."""

    score: float
    template: int
    silence: int  # intervals of silence, 0 for a burst
    count: int  # of a burst; for a silence the row that came last


class Rate:
    """Scores intervals by their least likely count or silence.

    State changes only with closed windows, in order: when each template came last.
    """

    name = "rate"
    unit = "interval"

    def __init__(self, interval: int = 60_000_000_000) -> None:
        self.interval = interval
        self._slots = 0
        self._history: list[tuple[Int64s, NDArray[np.uint64], Int64s, Int64s]] = []
        self._hash = np.empty(0, np.uint64)  # sorted; ALL_LINES among them
        self._stats: NDArray[np.float64] | None = None  # by hash: see _COLUMNS
        self._last = np.empty(0, np.int64)  # the slot in which each came last
        self._row = np.empty(0, np.int64)  # and its row, -1 where that was another run's
        self._now = -1
        self._begun = False
        self._hits: dict[int, list[_Hit]] = {}
        self._left_out: list[tuple[int, int]] = []

    _COLUMNS = ("active", "largest", "median", "start", "scale", "shape", "rate", "longest_gap")

    @property
    def slots(self) -> int:
        """The number of intervals that history spans."""
        self._settle()
        return self._slots

    def fit(self, windows: Windows, vocabulary: Vocabulary) -> None:
        """Learn counts and gaps per template from intervals of history; more calls add to it."""
        on_time = windows.select(~windows.late)
        if not len(on_time):
            return
        owner, template, count, last_row = self._table(on_time, vocabulary)
        self._history.append((on_time.key[owner], template, count, last_row))
        self._stats = None

    def leave_out(self, start: int, end: int) -> None:
        """Say before `fit` that history lacks this time (ns): what spans it is no silence."""
        self._left_out.append((start // self.interval, end // self.interval))

    def _spans(self, since: Any, until: Any) -> Any:
        """Whether a stretch that was left out lies between two slots (arrays of them, too)."""
        inside = np.zeros(np.shape(until), bool)
        for start, end in self._left_out:
            inside |= (since <= end) & (until >= start)
        return inside

    def leave(self, hashes: NDArray[np.uint64]) -> None:
        """Watch no silence of these templates: somebody else does."""
        self._settle()[np.isin(self._hash, hashes), 7] = 0.0

    def _settle(self) -> NDArray[np.float64]:
        """The statistics of what was fitted, worked out when they are first needed."""
        if self._stats is not None:
            return self._stats
        if not self._history:
            self._stats = np.zeros((0, len(self._COLUMNS)))
            return self._stats
        slot, template, count, last_row = (
            np.concatenate(c) for c in zip(*self._history, strict=True)
        )
        self._hash, index = np.unique(template, return_inverse=True)
        lost = sum(end - start + 1 for start, end in self._left_out)
        self._slots = max(int(slot.max() - slot.min() + 1) - lost, 1)
        self._now, self._begun = int(slot.max()), False
        order = np.lexsort((slot, index))
        slot, count, last_row = slot[order], count[order], last_row[order]
        at = np.searchsorted(index[order], np.arange(len(self._hash) + 1))
        rows = [slice(int(a), int(b)) for a, b in itertools.pairwise(at)]
        self._stats = np.array([self._summary(slot[r], count[r].astype(float)) for r in rows])
        self._last, self._row = slot[at[1:] - 1], last_row[at[1:] - 1]
        return self._stats

    def _summary(self, slot: Int64s, count: Floats) -> list[float]:
        gaps = np.diff(slot)
        if self._left_out:
            gaps = gaps[~self._spans(slot[:-1], slot[1:])]
        tail = fit_tail(np.log1p(count))
        rate = tail.rate * len(count) / self._slots if tail else 0.0
        shape = (tail.start, tail.scale, tail.shape, rate) if tail else (0.0, 0.0, 0.0, 0.0)
        longest = float(gaps.max()) if len(gaps) else 0.0
        return [float(len(count)), float(count.max()), float(np.median(count)), *shape, longest]

    @staticmethod
    def _table(
        windows: Windows, vocabulary: Vocabulary
    ) -> tuple[Int64s, NDArray[np.uint64], Int64s, Int64s]:
        """(window, template hash, count, last row) of all that came, and of all lines together.

        The last row is that of the template in all of `windows`, not in the one window.
        """
        owner, template, count = windows.counts()
        hashes = vocabulary.hashes[template]
        everything = np.arange(len(windows), dtype=np.int64)
        last = np.zeros(len(vocabulary.hashes), np.int64)
        on_time: Any = slice(None)
        if windows.late.any():  # how late ones come with others depends on batches
            on_time = np.repeat(~windows.late, windows.sizes)
        last[windows.events.template[on_time]] = windows.events.row[on_time]  # the last one wins
        last_of_all = windows.events.row[windows.bounds[1:] - 1] if len(windows) else everything
        return (
            np.concatenate((owner, everything)),
            np.concatenate((hashes, np.full(len(windows), ALL_LINES))),
            np.concatenate((count, windows.sizes)),
            np.concatenate((last[template], last_of_all)),
        )

    def _burst_digits(self, i: int, count: int) -> float:
        active, largest, _, start, scale, shape, rate, _ = self._settle()[i]
        x = math.log1p(count)
        if rate > 0:
            return float(Tail(start, scale, shape, rate).digits(np.array([x]))[0])
        return min(x / math.log1p(largest) * math.log10(active + 1), _MOST_DIGITS)

    def _silence_digits(self, i: int, silence: int) -> float:
        active, longest = self._settle()[i, [0, 7]]
        if active <= _LEAST_GAPS or longest == 0:
            return 0.0
        return min(math.log1p(silence) / math.log1p(longest) * math.log10(active), _MOST_DIGITS)

    def score(self, windows: Windows, vocabulary: Vocabulary) -> Floats:
        """The least likely count or silence of each interval, in digits; late windows score 0."""
        self._hits = {}
        out = np.zeros(len(windows))
        stats = self._settle()
        if not len(self._hash) or not len(windows):
            return out
        owner, template, count, last_row = self._table(windows, vocabulary)
        at = np.searchsorted(self._hash, template)
        at[at == len(self._hash)] = 0
        keep = (self._hash[at] == template) & ~windows.late[owner]
        order = np.argsort(owner[keep], kind="stable")
        owner, at, count, last_row = (c[keep][order] for c in (owner, at, count, last_row))
        bounds = np.searchsorted(owner, np.arange(len(windows) + 1))
        index = self._index(vocabulary)
        for w in np.flatnonzero(~windows.late).tolist():
            slot = int(windows.key[w])
            mine = slice(int(bounds[w]), int(bounds[w + 1]))
            self._begin(slot)
            if self._left_out and self._spans(self._now, slot):
                self._last[:], self._now = slot, slot
            hits = self._silences(slot, index, stats)
            for hit in hits:  # what was seen last may stand in the windows at hand
                hit.count = self._last_row(windows, w, hit)
            largest = stats[at[mine], 1]
            grew = count[mine] >= np.maximum(_GROWN * largest, largest + _GROWN_BY)
            for i, c in zip(at[mine][grew].tolist(), count[mine][grew].tolist(), strict=True):
                hits.append(_Hit(self._burst_digits(i, c), int(index[i]), 0, c))
            self._last[at[mine]] = slot
            self._now = slot
            if hits:
                self._hits[w] = hits
                out[w] = max(h.score for h in hits)
        self._row[at] = last_row
        return out

    def _last_row(self, windows: Windows, w: int, hit: _Hit) -> int:
        """The row in which a silent template came last before window `w`; -1 in another run."""
        end = int(windows.bounds[w])
        mine = np.repeat(~windows.late[:w], windows.sizes[:w])
        if hit.template >= 0:
            mine &= windows.events.template[:end] == hit.template
        rows = windows.events.row[:end][mine]
        return int(rows[-1]) if len(rows) else hit.count

    def _index(self, vocabulary: Vocabulary) -> NDArray[np.int64]:
        """The template index of each known hash, -1 for all lines together."""
        hashes = vocabulary.hashes
        order = np.argsort(hashes)
        at = np.searchsorted(hashes, self._hash, sorter=order)
        at[at == len(hashes)] = 0
        index = order[at]
        return np.where(hashes[index] == self._hash, index, -1)

    def _begin(self, slot: int) -> None:
        """Silence is not counted over a gap between history and what is scored first."""
        if not self._begun and slot != self._now + 1:
            self._last[:], self._now = slot, slot
        self._begun = True

    def _silences(self, slot: int, index: Int64s, stats: NDArray[np.float64]) -> list[_Hit]:
        """Silences that reach 2, 4, 8, ... times the longest gap between the last slot and this."""
        step = np.maximum(2.0 * stats[:, 7], _LEAST_SILENCE)
        silence, before = slot - self._last, self._now - self._last
        due = np.flatnonzero((silence >= step) & (stats[:, 0] > _LEAST_GAPS))
        power = step[due] * 2.0 ** np.floor(np.log2(silence[due] / step[due]))
        due = due[power > before[due]]
        whole = due[self._hash[due] == ALL_LINES]
        due = whole if len(whole) else due  # a log that is silent has no need to list its parts
        return [
            _Hit(
                self._silence_digits(i, int(silence[i])),
                int(index[i]),
                int(silence[i]),
                int(self._row[i]),
            )
            for i in due.tolist()
        ]

    def evidence(
        self, windows: Windows, i: int, vocabulary: Vocabulary, threshold: float
    ) -> list[Evidence]:
        """The bursts and silences of window `i` of the windows that were scored last."""
        out = []
        for hit in self._hits.get(i, []):
            if hit.score >= threshold:
                make = self._silence if hit.silence else self._burst
                out.append(make(windows, i, hit, vocabulary))
        return out

    def _named(self, template: int, vocabulary: Vocabulary) -> tuple[list[str], list[int], int]:
        """Pattern part, templates and position in the statistics."""
        if template < 0:
            return ["all-lines"], [], int(np.searchsorted(self._hash, ALL_LINES))
        at = int(np.searchsorted(self._hash, vocabulary.hashes[template]))
        return [vocabulary.templates[template].id], [template], at

    def _usual(self, at: int) -> str:
        active, largest, median = self._settle()[at, :3]
        low = 0 if active < 0.95 * self.slots else int(median)
        return f"{low:,}-{int(largest):,} per {self._per()}"

    def _per(self) -> str:
        return duration(self.interval).removeprefix("1 ")

    def _burst(self, windows: Windows, i: int, hit: _Hit, vocabulary: Vocabulary) -> Evidence:
        parts, templates, at = self._named(hit.template, vocabulary)
        span = windows.span(i)
        rows = windows.events.row[span]
        if templates:
            rows = rows[windows.events.template[span] == hit.template]
        cited = rows[:_CITED].tolist()
        what = "burst of lines of any kind"
        if templates:
            what = f"burst of '{vocabulary.templates[templates[0]].text}'"
        usual = self._usual(at)
        return Evidence(
            hit.score,
            f"{what}, seen {hit.count:,} times in {duration(self.interval)}, usually {usual}",
            usual,
            f"{hit.count:,} in {duration(self.interval)}",
            cited,
            cited,
            templates,
            ["burst", *parts],
            count=hit.count,
            usual=dict.fromkeys(templates, usual),
        )

    def _silence(self, windows: Windows, i: int, hit: _Hit, vocabulary: Vocabulary) -> Evidence:
        parts, templates, at = self._named(hit.template, vocabulary)
        gap = duration(self._settle()[at, 7] * self.interval)
        quiet = duration(hit.silence * self.interval)
        what = "the whole log fell silent"
        if templates:
            what = f"vanished: '{vocabulary.templates[templates[0]].text}'"
        return Evidence(
            hit.score,
            f"{what}, not seen for {quiet}; in history never more than {gap} apart",
            f"a line at least every {gap}",
            f"none for {quiet}",
            [hit.count] if hit.count >= 0 else [],
            [hit.count] if hit.count >= 0 else [],
            templates,
            ["silence", *parts],
            usual=dict.fromkeys(templates, self._usual(at)),
        )

    def save(self) -> State:
        """Statistics per template, and when each came last."""
        stats = self._settle()
        columns: dict[str, NDArray[Any]] = {"hash": self._hash, "last": self._last}
        for j, name in enumerate(self._COLUMNS):
            columns[name] = stats[:, j]
        meta = {"interval": self.interval, "slots": self.slots, "now": self._now}
        return State(meta, {"templates": columns})

    def paused(self) -> State:
        """When each template came last."""
        self._settle()
        columns = {"hash": self._hash, "last": self._last, "row": self._row}
        return State({"now": self._now, "begun": self._begun}, {"templates": columns})

    def resume(self, state: State, moved: Moved) -> None:
        """Go on from there; what this model knows besides came last when the others had not."""
        table = state.tables["templates"]
        mine, at = known_among(self._hash, table["hash"])
        self._last[mine], self._row[mine] = table["last"][at], table["row"][at]
        self._now, self._begun = int(state.meta["now"]), bool(state.meta["begun"])

    def cites(self) -> Int64s:
        """The rows in which templates came last."""
        return self._row[self._row >= 0]

    def load(self, state: State) -> None:
        """Take over the statistics."""
        self.interval, self._slots = int(state.meta["interval"]), int(state.meta["slots"])
        columns = state.tables["templates"]
        self._hash = np.asarray(columns["hash"], np.uint64)
        self._stats = np.stack([np.asarray(columns[c], float) for c in self._COLUMNS], axis=1)
        self._last = np.array(columns["last"], np.int64)
        self._row = np.full(len(self._hash), -1, np.int64)
        self._now, self._begun = int(state.meta["now"]), False
