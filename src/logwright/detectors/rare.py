"""Rare trouble: what a log says rarely, and what names trouble, though it is not new to it.

`scan` has no other past than the log itself. What went wrong in it would count as normal, since
history holds it. So templates of that history that name trouble, by level or by words, and that are
rare in the whole log are findings too. Their score is on the scale of `unseen`: the surprise of a
line of that template, in decimal digits, at most that of a new template less `_SEEN`, plus the same
weights for level and words. With a model or a baseline nothing of the kind is needed: there the
user has said what is normal.
"""

from __future__ import annotations

import numpy as np

from logwright.detectors.base import Evidence, Floats, State
from logwright.detectors.unseen import LEVEL_WEIGHT, WORD_WEIGHT
from logwright.logs.batch import Int8s, Int32s
from logwright.templates.vocabulary import Vocabulary
from logwright.templates.wording import SYMPTOM, trouble
from logwright.windows.window import Windows

__all__ = ["Rare"]

_WARNING = 5
_MOST_SHARE, _MOST_LINES = 0.005, 100
"""A template with more lines, in the log or of the log, is a habit."""

_SEEN = 0.5
_CITED = 5


class Rare:
    """Scores one window that holds all of a log: see the module's text.

    `fit` takes the log (all its windows); `surprise` is that of a template never seen.

    >>> Rare(surprise=3.0).unit
    'rare'
    """

    name, unit = "unseen", "rare"

    def __init__(self, surprise: float = 0.1) -> None:
        self.surprise = surprise
        self.records = 0
        self._seen = np.zeros(0, np.int64)
        self._level = np.zeros(0, np.int8)

    def fit(self, windows: Windows, vocabulary: Vocabulary) -> None:
        """Count the lines of each template, and find its worst level."""
        self.count(windows.events.template, windows.events.level, vocabulary)

    def count(self, template: Int32s, level_of: Int8s, vocabulary: Vocabulary) -> None:
        """Take records by their columns: all that counting needs."""
        size = len(vocabulary)
        seen, level = np.zeros(size, np.int64), np.zeros(size, np.int8)
        seen[: len(self._seen)], level[: len(self._level)] = self._seen, self._level
        code = template * np.int32(8) + level_of
        tally = np.bincount(code, minlength=8 * size).reshape(size, 8)
        worst = np.where(tally > 0, np.arange(8), 0).max(axis=1)
        self._seen, self._level = seen + tally.sum(axis=1), np.maximum(level, worst).astype(np.int8)
        self.records += len(template)

    def found(self, vocabulary: Vocabulary) -> dict[int, float]:
        """The templates that are rare and name trouble, with their scores."""
        most = min(_MOST_SHARE * self.records, _MOST_LINES)
        scores = {}
        for t in np.flatnonzero((self._seen > 0) & (self._seen <= max(most, 1))).tolist():
            words, level = trouble(vocabulary.templates[t].text), int(self._level[t])
            if words >= SYMPTOM or level >= _WARNING:
                rare = min(-np.log10(self._seen[t] / self.records), self.surprise - _SEEN)
                scores[t] = float(max(rare, 0.0) + LEVEL_WEIGHT[level] + WORD_WEIGHT[words])
        return scores

    def score(self, windows: Windows, vocabulary: Vocabulary) -> Floats:
        """The highest score in each window."""
        table = np.zeros(len(vocabulary))
        for t, score in self.found(vocabulary).items():
            table[t] = score
        out = np.zeros(len(windows))
        np.maximum.at(out, windows.owner, table[windows.events.template])
        return out

    def evidence(
        self, windows: Windows, i: int, vocabulary: Vocabulary, threshold: float
    ) -> list[Evidence]:
        """One entry per rare template of window `i`."""
        events, out = windows.events.take(windows.span(i)), []
        for t, score in self.found(vocabulary).items():
            rows = events.row[events.template == t].tolist()
            if not rows or score < threshold:
                continue
            text = vocabulary.templates[t].text
            times = "once" if len(rows) == 1 else f"{len(rows):,} times"
            names = "names trouble" if trouble(text) >= SYMPTOM else "is a warning or worse"
            out.append(
                Evidence(
                    score=score,
                    summary=f"rare: '{text}', seen {times} in {self.records:,} lines, {names}",
                    expected="no line that names trouble",
                    seen=f"{'1 line' if len(rows) == 1 else f'{len(rows):,} lines'}: {text}",
                    rows=rows[:_CITED],
                    key_rows=rows[:_CITED],
                    templates=[t],
                    parts=[vocabulary.templates[t].id],
                    count=len(rows),
                    usual={t: f"{len(rows):,} in {self.records:,} lines"},
                )
            )
        return out

    def save(self) -> State:
        """What was counted. (`scan` keeps no model; the contract asks for it.)"""
        meta = {"surprise": self.surprise, "records": self.records}
        return State(meta, {"templates": {"seen": self._seen, "level": self._level}})

    def load(self, state: State) -> None:
        """Take over what was counted."""
        self.surprise = float(state.meta["surprise"])
        self.records = int(state.meta["records"])
        self._seen = np.asarray(state.tables["templates"]["seen"], np.int64)
        self._level = np.asarray(state.tables["templates"]["level"], np.int8)
