"""Backtest: how rules did on a log, from which windows they hit.

It knows nothing of how rules are run: `Trial` holds a matrix of windows by rules, and what labels
say of the windows, where there are labels. A rule that must hold hits where it does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, Int64s
from logwright.logs.timestamps import iso
from logwright.rules.book.standing import Rating

__all__ = ["Outcome", "Trial", "Word", "outcome", "words_of"]

Bools = NDArray[np.bool_]

ABNORMAL, NORMAL, UNCOVERED = 1, 0, -1
"""What a rulebook says of a window."""

_BLOCK = 1 << 16  # windows looked at in one go


@dataclass(frozen=True, slots=True)
class Word:
    """A rule as a backtest sees it: its name, the hash of its code, and what a hit of it says: that
    a window is abnormal, and of which class (`target`, "" for none), or normal."""

    name: str
    hash: str
    abnormal: bool
    target: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How often a word was said, and how often rightly, among windows that have a label."""

    said: int
    right: int
    wanted: int

    @property
    def precision(self) -> float | None:
        """The share of what was said that was right; None where nothing was said."""
        return self.right / self.said if self.said else None

    @property
    def recall(self) -> float | None:
        """The share of what should have been said; None where nothing should have been."""
        return self.right / self.wanted if self.wanted else None

    @property
    def f1(self) -> float:
        """2 right / (said + wanted), 0 where both are 0.

        >>> Outcome(4, 3, 5).f1
        0.6666666666666666
        """
        both = self.said + self.wanted
        return 2 * self.right / both if both else 0.0


def outcome(said: Bools, wanted: Bools, known: Bools) -> Outcome:
    """What a word was worth: which windows it was `said` of, of which it should have been, and
    which have a label at all.

    >>> outcome(np.array([True, True]), np.array([True, False]), np.array([True, True])).precision
    0.5
    """
    count = np.count_nonzero
    return Outcome(
        int(count(said & known)), int(count(said & wanted & known)), int(count(wanted & known))
    )


def words_of(hits: Bools, rules: Sequence[Word]) -> NDArray[np.int8]:
    """What rules say of each window together: abnormal where one says so, else normal where one
    says so, else uncovered.

    >>> rules = [Word("bad", "", True), Word("good", "", False)]
    >>> words_of(np.array([[True, True], [False, True], [False, False]]), rules).tolist()
    [1, 0, -1]
    """
    abnormal = np.array([rule.abnormal for rule in rules], bool)
    said = np.full(len(hits), UNCOVERED, np.int8)
    said[hits[:, ~abnormal].any(axis=1)] = NORMAL
    said[hits[:, abnormal].any(axis=1)] = ABNORMAL
    return said


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of rules over a log. `hits` has a row per window and a column per rule; `first` and
    `last` are the windows' times (ns); `abnormal` is what labels say, and `known` which windows
    they speak of (both None without labels); `classes` are the windows of each class of anomaly,
    where labels name several."""

    log: str
    lines: int
    rules: Sequence[Word]
    hits: Bools
    first: Int64s
    last: Int64s
    abnormal: Bools | None = None
    known: Bools | None = None
    classes: Mapping[str, Bools] = field(default_factory=dict)

    def ratings(self, seconds: Sequence[float], at: datetime | None = None) -> dict[str, Rating]:
        """The rating of each rule by name; `seconds` is what each took."""
        now = at or datetime.now(UTC)
        shared = self._shared()
        many = self.hits.sum(axis=1) > 1
        found = {}
        for i, rule in enumerate(self.rules):
            mine = self.hits[:, i]
            near, common = self._nearest(i, shared[i])
            worth = self.worth(mine, rule.abnormal, rule.target)
            found[rule.name] = Rating(
                at=now,
                hash=rule.hash,
                log=self.log[:2000],
                lines=self.lines,
                windows=len(self.hits),
                hits=int(mine.sum()),
                precision=worth.precision if worth else None,
                recall=worth.recall if worth else None,
                first=_time(self.first[mine], first=True),
                last=_time(self.last[mine], first=False),
                seconds=seconds[i],
                alone=int((mine & ~many).sum()),
                near=near,
                shared=common,
            )
        return found

    def _shared(self) -> NDArray[np.float64]:
        """How many windows each two rules both hit."""
        found = np.zeros((len(self.rules), len(self.rules)))
        for at in range(0, len(self.hits), _BLOCK):
            part = self.hits[at : at + _BLOCK].astype(np.float32)
            found += part.T @ part
        return found

    def worth(self, said: Bools, abnormal: bool, target: str = "") -> Outcome | None:
        """What it is worth to say "abnormal" (or "normal") of some windows, or that they are of a
        class, if labels know that one; None without labels."""
        if self.abnormal is None or self.known is None:
            return None
        wanted = self.abnormal if abnormal else ~self.abnormal
        return outcome(said, self.classes.get(target, wanted), self.known)

    def by_class(self) -> dict[str, Outcome]:
        """What the rules for each class are worth together."""
        found = {}
        for name in self.classes:
            own = np.array([rule.target == name for rule in self.rules], bool)
            said = np.asarray(self.hits[:, own].any(axis=1))
            worth = self.worth(said, True, name)
            if worth is not None:
                found[name] = worth
        return found

    def _nearest(self, i: int, shared: NDArray[np.float64]) -> tuple[str, int]:
        """The rule that shares most windows with rule `i`, and how many."""
        others = shared.copy()
        others[i] = 0
        at = int(others.argmax())
        return (self.rules[at].name, int(others[at])) if others[at] > 0 else ("", 0)


def _time(times: Int64s, first: bool) -> str | None:
    times = times[times != NO_TIME]
    if not len(times):
        return None
    return iso(int(times.min() if first else times.max()))
