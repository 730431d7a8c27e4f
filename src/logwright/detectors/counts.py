"""Counts: what a window is made of, compared with every make-up that history held.

Units, from strict to lenient: `count_vector` (how often each template comes), `capped` (counts
above 3 are taken as 3), `event_set` (which templates come at all), `length` (the number of
records). A make-up seen in history scores below 1, by its rarity: log(windows / times seen) /
log(windows + 1). One never seen scores 1 + d, where d is the number of records (templates, for
`event_set`) by which it differs from the nearest of the most frequent make-ups.

Count vectors against a table are the strongest trivial detector of the public sets (Landauer et al.
FSE 2024, "ECVC"; `docs/detectors.md` has our figures). They need windows that are units of work,
such as sessions, and a history that has settled: the ladder checks both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Evidence, Floats, State, add_counts, known_among
from logwright.logs.batch import Int64s
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows, mix

__all__ = ["UNITS", "Counts"]

Unit = Literal["count_vector", "capped", "event_set", "length"]
UNITS: tuple[Unit, ...] = ("count_vector", "capped", "event_set", "length")

_CAP = 3
_NEAREST = 512  # make-ups that distances are taken to
_MOST_KNOWN = 5_000_000  # hashes held: 80 MB
_MOST_HELD = 20_000  # make-ups held in full while learning
_MEMO = 100_000
_CITED = 5


class Counts:
    """Scores windows by how new their make-up is.

    >>> from types import SimpleNamespace
    >>> v = SimpleNamespace(hashes=np.array([11, 22, 33], np.uint64))
    >>> d = Counts("count_vector")
    >>> d.fit(Windows.of_sequences([[0, 1], [1, 0], [0, 1, 1]]), v)
    >>> d.score(Windows.of_sequences([[1, 0], [0, 1, 1], [0, 2, 2]]), v).round(2).tolist()
    [0.29, 0.79, 4.0]
    """

    name = "counts"

    def __init__(self, unit: Unit = "count_vector") -> None:
        self.unit: str = unit
        self.windows = 0
        self._known = np.empty(0, np.uint64)
        self._seen = np.empty(0, np.int64)
        # Make-ups held in full: their keys; and sparse: vector number, template hash, count.
        self._held = np.empty(0, np.uint64)
        self._vector = np.empty(0, np.int64)
        self._template = np.empty(0, np.uint64)
        self._count = np.empty(0, np.int64)
        self._memo: dict[int, float] = {}
        self._matrix: tuple[Int64s, NDArray[np.uint64]] | None = None
        self._column = np.empty(0, np.int64)

    def keys(self, windows: Windows, vocabulary: Vocabulary) -> NDArray[np.uint64]:
        """One 64-bit key per window: equal for equal make-ups, whatever the records' order."""
        if self.unit == "length":
            return windows.sizes.astype(np.uint64)
        hashes = mix(vocabulary.hashes)
        if self.unit == "count_vector":  # the sum over records needs no sorting
            sums = np.concatenate(
                (
                    np.zeros(1, np.uint64),
                    np.cumsum(hashes[windows.events.template], dtype=np.uint64),
                )
            )
            return mix(sums[windows.bounds[1:]] - sums[windows.bounds[:-1]])
        owner, template, number = windows.counts()
        value = hashes[template]
        if self.unit == "capped":
            value = mix(value + np.minimum(number, _CAP).astype(np.uint64))
        sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(value, dtype=np.uint64)))
        at = np.searchsorted(owner, np.arange(len(windows) + 1))
        return mix(sums[at[1:]] - sums[at[:-1]])

    def new_keys(self, windows: Windows, vocabulary: Vocabulary) -> NDArray[np.uint64]:
        """The distinct make-ups of windows that history never held."""
        return np.setdiff1d(self.keys(windows, vocabulary), self._known)

    def fit(self, windows: Windows, vocabulary: Vocabulary) -> None:
        """Learn which make-ups history holds, and how often; more calls add to it."""
        keys = self.keys(windows, vocabulary)
        more, first, times = np.unique(keys, return_index=True, return_counts=True)
        new = np.isin(more, self._held, invert=True).nonzero()[0][: _MOST_HELD - len(self._held)]
        pick = np.zeros(len(windows), bool)
        pick[first[new]] = True
        owner, template, number = windows.select(pick).counts()
        self._vector = np.concatenate((self._vector, owner + len(self._held)))
        self._template = np.concatenate((self._template, vocabulary.hashes[template]))
        self._count = np.concatenate((self._count, number))
        self._held = np.concatenate((self._held, keys[pick]))
        self._known, self._seen = add_counts(self._known, self._seen, more, times)
        if len(self._known) > _MOST_KNOWN:
            keep = np.sort(np.argsort(-self._seen, kind="stable")[:_MOST_KNOWN])
            self._known, self._seen = self._known[keep], self._seen[keep]
        self.windows += len(windows)
        self._memo, self._matrix = {}, None

    def _frequent(self) -> None:
        """Keep only the most frequent of the make-ups held in full: distances go to these."""
        if len(self._held) <= _NEAREST:
            return
        at = np.searchsorted(self._known, self._held)
        at[at == len(self._known)] = 0
        seen = np.where(self._known[at] == self._held, self._seen[at], 0)
        keep = np.zeros(len(self._held), bool)
        keep[np.argsort(-seen, kind="stable")[:_NEAREST]] = True
        number = np.cumsum(keep) - 1
        mine = keep[self._vector]
        self._vector = number[self._vector[mine]]
        self._template, self._count = self._template[mine], self._count[mine]
        self._held = self._held[keep]

    def score(self, windows: Windows, vocabulary: Vocabulary) -> Floats:
        """Rarity (below 1) of known make-ups, 1 + distance of new ones."""
        keys = self.keys(windows, vocabulary)
        at = np.searchsorted(self._known, keys)
        at[at == len(self._known)] = 0
        out = np.empty(len(keys))
        known = self._known[at] == keys if len(self._known) else np.zeros(len(keys), bool)
        if known.any():
            seen = self._seen[at[known]]
            out[known] = np.log(self.windows / seen) / np.log(self.windows + 1)
        for i in np.flatnonzero(~known):
            key = int(keys[i])
            if key not in self._memo:
                if len(self._memo) >= _MEMO:
                    self._memo.clear()
                self._memo[key] = 1.0 + self._nearest(windows, int(i), vocabulary)[0]
            out[i] = self._memo[key]
        return out

    def _columns(self, vocabulary: Vocabulary) -> tuple[Int64s, Int64s]:
        """The frequent make-ups as a matrix (vector, column), and the column of each template by
        its index, -1 for those that none of them holds."""
        if self._matrix is None:
            self._frequent()
            hashes, column = np.unique(self._template, return_inverse=True)
            rows = int(self._vector.max()) + 1 if len(self._vector) else 0
            matrix = np.zeros((rows, len(hashes)), np.int64)
            matrix[self._vector, column] = self._cap(self._count)
            self._matrix = matrix, hashes
            self._column = np.empty(0, np.int64)
        matrix, hashes = self._matrix
        if len(self._column) < len(vocabulary.hashes):  # a stream may bring ever more templates
            new = vocabulary.hashes[len(self._column) :]
            found, at = known_among(hashes, new)
            column = np.full(len(new), -1, np.int64)
            column[at] = found
            self._column = np.concatenate((self._column, column))
        return matrix, self._column

    def _cap(self, count: Int64s) -> Int64s:
        if self.unit == "event_set":
            return np.minimum(count, 1)
        return np.minimum(count, _CAP) if self.unit == "capped" else count

    def _nearest(
        self, windows: Windows, i: int, vocabulary: Vocabulary
    ) -> tuple[float, Int64s, Int64s]:
        """Distance, own counts and nearest make-up's counts (by template index) of a window."""
        events = windows.events.template[windows.span(i)]
        own = np.bincount(events, minlength=len(vocabulary.hashes))
        own = self._cap(own)
        matrix, column = self._columns(vocabulary)
        usual = np.zeros_like(own)
        if not len(matrix):
            return float(len(events)), own, usual
        known = np.flatnonzero(column >= 0)
        if self.unit == "length":
            gap = np.abs(matrix.sum(axis=1) - len(events))
        else:
            mine = np.zeros(matrix.shape[1], np.int64)
            mine[column[known]] = own[known]
            gap = np.abs(matrix - mine).sum(axis=1) + (own.sum() - mine.sum())
        best = int(np.argmin(gap))
        usual[known] = matrix[best][column[known]]
        return float(gap[best]), own, usual

    def evidence(
        self, windows: Windows, i: int, vocabulary: Vocabulary, threshold: float
    ) -> list[Evidence]:
        """How window `i` differs from the nearest make-up of history."""
        score = float(self.score(windows.select(np.arange(len(windows)) == i), vocabulary)[0])
        _, own, usual = self._nearest(windows, i, vocabulary)
        span = windows.span(i)
        events, rows = windows.events.template[span], windows.events.row[span]
        if self.unit == "length":
            text = f"a {self._window_word(windows)} of {len(events):,} lines"
            near = int(usual.sum())
            return [
                Evidence(
                    score,
                    f"{text}; the nearest usual length is {near:,}",
                    f"{near:,} lines",
                    f"{len(events):,} lines",
                    rows[:_CITED].tolist(),
                    [],
                    [],
                    [f"length={len(events)}"],
                )
            ]
        differs = np.flatnonzero(own != usual)
        more = [t for t in differs if own[t] > usual[t]]
        key = rows[np.isin(events, more)][:_CITED].tolist()
        cited = sorted({*key, int(rows[0]), int(rows[-1])})
        name = self._window_word(windows)
        of_what = "set" if self.unit == "event_set" else "counts"
        if len(differs):
            shown = differs[np.argsort(-np.abs(own - usual)[differs], kind="stable")][:6].tolist()
            summary = (
                f"a {name} whose {of_what} of events history never held "
                f"({self.windows:,} {name}s): "
                f"{self._difference(own, usual, shown[:1], vocabulary)}"
            )
            expected = self._listed(usual, shown, vocabulary)
        else:
            shown = np.flatnonzero(own)[:6].tolist()
            summary = f"a {name} whose {of_what} of events history held rarely"
            expected = f"{of_what} that are more common"
        parts = [f"{vocabulary.templates[t].id}x{own[t]}" for t in np.flatnonzero(own).tolist()]
        return [
            Evidence(
                score,
                summary,
                expected,
                self._listed(own, shown, vocabulary),
                cited,
                key,
                shown,
                parts,
                usual=self._usual(usual, shown, name),
            )
        ]

    @staticmethod
    def _window_word(windows: Windows) -> str:
        return "session" if windows.kind == "session" else "window"

    @staticmethod
    def _usual(usual: Int64s, shown: list[int], name: str) -> Mapping[int, str]:
        return {t: f"{usual[t]} per {name}" for t in shown}

    @staticmethod
    def _difference(own: Int64s, usual: Int64s, shown: list[int], vocabulary: Vocabulary) -> str:
        return "; ".join(
            f"{own[t]} x '{vocabulary.templates[t].text}', nearest usual is {usual[t]}"
            for t in shown
        )

    @staticmethod
    def _listed(counts: Int64s, shown: list[int], vocabulary: Vocabulary) -> str:
        return "; ".join(f"{counts[t]} x {vocabulary.templates[t].text}" for t in shown)

    def save(self) -> State:
        """Known make-ups with how often each was seen, and the most frequent ones in full."""
        self._frequent()
        return State(
            {"unit": self.unit, "windows": self.windows},
            {
                "held": {"hash": self._held},
                "known": {"hash": self._known, "seen": self._seen},
                "frequent": {
                    "vector": self._vector,
                    "template": self._template,
                    "count": self._count,
                },
            },
        )

    def load(self, state: State) -> None:
        """Take over what was learned."""
        self.unit, self.windows = str(state.meta["unit"]), int(state.meta["windows"])
        known, frequent = state.tables["known"], state.tables["frequent"]
        self._held = np.asarray(state.tables["held"]["hash"], np.uint64)
        self._known = np.asarray(known["hash"], np.uint64)
        self._seen = np.asarray(known["seen"], np.int64)
        self._vector = np.asarray(frequent["vector"], np.int64)
        self._template = np.asarray(frequent["template"], np.uint64)
        self._count = np.asarray(frequent["count"], np.int64)
        self._memo, self._matrix = {}, None
