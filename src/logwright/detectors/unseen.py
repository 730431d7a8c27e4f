"""Unseen: templates, or 2-grams of templates, that history never held.

The score of something unseen is its surprise in decimal digits: minus log10 of the Good-Turing
estimate that the next record is new (the share of history's records whose template came once), so
that a first sight weighs more in a log that had settled than in one that always brings new text;
plus fixed weights for the record's level and for the trouble that its words name. Seen things score
0. With `unit="bigram"` sessions get a start and an end mark (session windows only: neighbours in
interleaved lines mean nothing).

Landauer et al. (FSE 2024) show how far these two go on the public sets.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Evidence, Floats, State, add_counts
from logwright.templates.vocabulary import Vocabulary
from logwright.templates.wording import trouble
from logwright.windows.window import Windows, pair_hash

__all__ = ["LEVEL_WEIGHT", "WORD_WEIGHT", "Unseen"]

LEVEL_WEIGHT = np.array([0.0, 0.0, 0.0, 0.0, 0.2, 1.0, 2.0, 3.0])
"""Added to a new template's surprise by level (unknown, trace, ... error, critical)."""

WORD_WEIGHT = np.array([0.0, 0.5, 1.5, 2.5, 3.5])
"""Added by what the words name (`templates.wording`): nothing, a hint, symptom, cause, worse."""

_START, _END = np.uint64(0x5354415254), np.uint64(0x454E44)
_MOST_KNOWN = 5_000_000  # templates or 2-grams held: 80 MB
_CITED = 5


class Unseen:
    """Scores windows by the most surprising template or 2-gram that history never held.

    >>> w = Windows.of_sequences([[0, 1], [0, 1], [1, 0]])
    >>> Unseen.bigram_hashes(w, np.array([7, 9], np.uint64)).shape
    (9,)
    """

    name = "unseen"

    def __init__(self, unit: Literal["template", "bigram"] = "template") -> None:
        self.unit: str = unit
        self.surprise = 0.1
        self.records = 0
        self._known = np.empty(0, np.uint64)
        self._seen = np.empty(0, np.int64)

    @property
    def templates(self) -> int:
        """How many different templates (or 2-grams) history held."""
        return len(self._known)

    def _hashes(self, windows: Windows, vocabulary: Vocabulary) -> NDArray[np.uint64]:
        if self.unit == "bigram":
            return self.bigram_hashes(windows, vocabulary.hashes)
        return vocabulary.hashes[windows.events.template]

    @staticmethod
    def bigram_hashes(windows: Windows, template_hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Hashes of all 2-grams: window i's ``size + 1`` ones begin at ``bounds[i] + i``."""
        events = template_hashes[windows.events.template]
        n, m = len(events), len(windows)
        at = np.arange(n) + windows.owner
        left, right = np.empty(n + m, np.uint64), np.empty(n + m, np.uint64)
        right[at], left[at + 1] = events, events
        index = np.arange(m)
        left[windows.bounds[:-1] + index] = _START
        right[windows.bounds[1:] + index] = _END
        return pair_hash(left, right)

    def fit(self, windows: Windows, vocabulary: Vocabulary) -> None:
        """Learn what history holds; more calls add to it."""
        if self.unit == "template":  # counting by index is quicker than sorting hashes
            events, rows = windows.events.template, windows.events.row
            if (rows[1:] <= rows[:-1]).any():  # sliding windows hold a record several times
                events = events[np.unique(rows, return_index=True)[1]]
            tally = np.bincount(events, minlength=len(vocabulary))
            more, times = vocabulary.hashes[tally > 0], tally[tally > 0]
        else:
            more, times = np.unique(self._hashes(windows, vocabulary), return_counts=True)
        known, seen = add_counts(self._known, self._seen, more, times)
        if len(known) > _MOST_KNOWN:  # keep the most frequent
            keep = np.sort(np.argsort(-seen, kind="stable")[:_MOST_KNOWN])
            known, seen = known[keep], seen[keep]
        self._known, self._seen = known, seen
        self.records = int(seen.sum())
        once = max(int((seen == 1).sum()), 0.5)
        self.surprise = max(float(-np.log10(once / max(self.records, 1))), 0.1)

    def new_keys(self, windows: Windows, vocabulary: Vocabulary) -> NDArray[np.uint64]:
        """The distinct templates (or 2-grams) of windows that history never held, hashed."""
        return np.setdiff1d(self._hashes(windows, vocabulary), self._known)

    def _is_new(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        at = np.searchsorted(self._known, hashes)
        at[at == len(self._known)] = 0
        return self._known[at] != hashes if len(self._known) else np.ones(len(hashes), bool)

    def _new_records(
        self, windows: Windows, vocabulary: Vocabulary
    ) -> tuple[NDArray[np.bool_], Floats]:
        """Which units are new, and their scores where they are."""
        if self.unit == "template":
            events = windows.events.template
            if len(vocabulary) <= len(events):
                new = self._is_new(vocabulary.hashes)[events]
            else:  # a small window need not look at all templates
                new = self._is_new(vocabulary.hashes[events])
            score = np.zeros(len(new))
            score[new] = self.surprise + LEVEL_WEIGHT[windows.events.level[new]]
            which, at = np.unique(windows.events.template[new], return_inverse=True)
            words = [trouble(vocabulary.templates[t].text) for t in which.tolist()]
            score[new] += WORD_WEIGHT[words][at]
            return new, score
        new = self._is_new(self._hashes(windows, vocabulary))
        return new, np.where(new, self.surprise, 0.0)

    def score(self, windows: Windows, vocabulary: Vocabulary) -> Floats:
        """The largest surprise in each window, 0 where nothing is new."""
        new, score = self._new_records(windows, vocabulary)
        out = np.zeros(len(windows))
        at = np.flatnonzero(new)
        bounds = windows.bounds
        if self.unit == "bigram":
            bounds = bounds + np.arange(len(windows) + 1)
        owner = np.searchsorted(bounds, at, side="right") - 1
        np.maximum.at(out, owner, score[at])
        return out

    def evidence(
        self, windows: Windows, i: int, vocabulary: Vocabulary, threshold: float
    ) -> list[Evidence]:
        """One entry per new template (or 2-gram) of window `i`."""
        one = windows.select_one(i)
        new, score = self._new_records(one, vocabulary)
        if self.unit == "bigram":
            return self._bigrams(one, np.flatnonzero(new), vocabulary)
        found: dict[int, list[int]] = {}
        for at in np.flatnonzero(new & (score >= threshold)):
            found.setdefault(int(one.events.template[at]), []).append(int(at))
        out = []
        for template, rows in found.items():
            cited = one.events.row[rows[:_CITED]].tolist()
            times = "once" if len(rows) == 1 else f"{len(rows):,} times"
            out.append(
                Evidence(
                    score=float(score[rows].max()),
                    summary=f"new: '{vocabulary.templates[template].text}', seen {times}, "
                    f"never in the {self.records:,} lines of history",
                    expected="no line of this template",
                    seen=f"{times.replace('once', '1 line').replace(' times', ' lines')}: "
                    f"{vocabulary.templates[template].text}",
                    rows=cited,
                    key_rows=cited,
                    templates=[template],
                    parts=[vocabulary.templates[template].id],
                    count=len(rows),
                    usual={template: "never"},
                )
            )
        return out

    def _bigrams(
        self, one: Windows, new: NDArray[np.intp], vocabulary: Vocabulary
    ) -> list[Evidence]:
        out, done = [], set()
        events = one.events.template
        for at in new:
            left = int(events[at - 1]) if at > 0 else -1
            right = int(events[at]) if at < len(events) else -1
            if (left, right) in done:
                continue
            done.add((left, right))
            names = [vocabulary.templates[t].text if t >= 0 else "" for t in (left, right)]
            ids = [vocabulary.templates[t].id if t >= 0 else "-" for t in (left, right)]
            rows = [int(one.events.row[r]) for r in (at - 1, at) if 0 <= r < len(events)]
            if left < 0:
                summary, seen = "a session begins as none did before", f"begins with: {names[1]}"
            elif right < 0:
                summary, seen = "a session ends as none did before", f"ends with: {names[0]}"
            else:
                summary = "two events follow each other as never before"
                seen = f"{names[0]}  followed by  {names[1]}"
            expected = "an order of events that history holds"
            parts = [f"{ids[0]}>{ids[1]}"]
            templates = [t for t in (left, right) if t >= 0]
            out.append(
                Evidence(self.surprise, summary, expected, seen, rows, rows, templates, parts)
            )
        return out

    def save(self) -> State:
        """Known hashes, and the surprise."""
        meta = {"unit": self.unit, "surprise": self.surprise, "records": self.records}
        return State(meta, {"known": {"hash": self._known, "seen": self._seen}})

    def load(self, state: State) -> None:
        """Take over what was learned."""
        self.unit = str(state.meta["unit"])
        self.surprise = float(state.meta["surprise"])
        self.records = int(state.meta["records"])
        self._known = np.asarray(state.tables["known"]["hash"], np.uint64)
        self._seen = np.asarray(state.tables["known"]["seen"], np.int64)
