"""Said: how likely verdicts on others make it that a pattern is real.

The chance declared for each severity (`PRIOR`) moves with what verdicts said of texts that are
alike, and of the same component, and with how rare the pattern is among what came lately
(`feedback.rarity`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logwright.feedback.kept import Kept
from logwright.feedback.near import Near, words_of
from logwright.feedback.rarity import LATELY, Rarity
from logwright.findings.finding import Severity
from logwright.findings.verdict import Verdict

if TYPE_CHECKING:
    from logwright.store.base import PatternRow

__all__ = ["PRIOR", "Alike", "Said"]

PRIOR: dict[Severity, float] = {"low": 0.1, "medium": 0.3, "high": 0.6, "critical": 0.8}
"""The chance that an alarm of a severity is real, before anything was said."""

_PRIOR_WEIGHS = 2.0  # as many verdicts on alike texts as weigh as much as the prior
_NEAR = 0.5
_LEAST = 0.05
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Alike:
    """A text that was judged, and how near it is: 1 for the same words."""

    text: str
    verdict: Verdict
    near: float


class Said:
    """What the verdicts that stand said, by the words of texts and by component."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        rows = kept.patterns.values()
        self._texts = Near((row.id, row.texts[0]) for row in rows if row.texts)
        lately = sorted(rows, key=lambda row: row.last_seen or _LONG_AGO)
        self._rarity = Rarity.of([row.lines + row.further for row in lately[-LATELY:]])
        self._rare: dict[str, float] = {}
        # By number: the patterns a verdict means, and what it says of others.
        self._meant: dict[int, frozenset[str]] = {}
        self._told: dict[int, tuple[list[tuple[str, Alike]], list[tuple[str, str]]]] = {}
        self._alike: dict[str, list[Alike]] = {}
        self._votes: dict[str, tuple[int, int]] = {}  # by pattern: alike, and real among them
        self._of_component: dict[str, Counter[str]] = {}

    def refresh(self) -> None:
        """Take the verdicts that came, and leave out those that went, since."""
        standing = self._kept.standing
        meant = {
            verdict.number: frozenset(standing.suspects(verdict))
            for verdict in standing.verdicts
            if verdict.word != "expected"
        }
        for number in [n for n, was in self._meant.items() if meant.get(n) != was]:
            near, components = self._told.pop(number)
            for pattern, alike in near:
                self._alike[pattern].remove(alike)
                self._vote(pattern, alike.verdict, -1)
            for component, word in components:
                self._of_component[component][word] -= 1
            del self._meant[number]
        for number in meant.keys() - self._meant.keys():
            verdict = standing.get(number)
            if verdict is not None:
                self._add(verdict, meant[number])

    def _add(self, verdict: Verdict, meant: frozenset[str]) -> None:
        near: list[tuple[str, Alike]] = []
        components: list[tuple[str, str]] = []
        for subject in verdict.subjects:
            if subject.pattern not in meant:
                continue
            for text in subject.texts[:1]:
                for pattern, share in self._texts.of(words_of(text), _NEAR):
                    near.append((pattern, Alike(text, verdict, share)))
            for sight in self._kept.of_pattern(subject.pattern)[:1]:
                components += [(component, verdict.word) for component in sight.components[:1]]
        for pattern, alike in near:
            self._alike.setdefault(pattern, []).append(alike)
            self._vote(pattern, verdict, 1)
        for component, word in components:
            self._of_component.setdefault(component, Counter())[word] += 1
        self._meant[verdict.number] = meant
        self._told[verdict.number] = near, components

    def alike(self, row: PatternRow) -> list[Alike]:
        """What was judged that is like a pattern, the nearest first."""
        found = self._alike.get(row.id, [])
        return sorted(found, key=lambda a: (-a.near, -a.verdict.number, a.text))

    def chance(self, row: PatternRow, component: str) -> float:
        """The chance that a pattern of a component is real."""
        alike, of_them = self._votes.get(row.id, (0, 0))
        weight, real = _PRIOR_WEIGHS + alike, _PRIOR_WEIGHS * PRIOR[row.severity] + of_them
        there, judged = self._there(component)
        if judged:  # of a component many things are said: together they weigh as much as one text
            weight, real = weight + 1, real + there / judged
        if self._rarity is not None:
            weight, real = weight + 1, real + min(max(self._rarity_of(row), _LEAST), 1 - _LEAST)
        return real / weight

    def reason(self, row: PatternRow, component: str) -> str:
        """Why the chance is what it is."""
        reasons = [f"{row.severity} severity"]
        if self._rarity is not None and self._rarity_of(row) > 0.8:
            reasons.append("rare among what came lately")
        (alike, of_them), (there, judged) = self._votes.get(row.id, (0, 0)), self._there(component)
        if alike:
            reasons.append(f"of {alike:,} alike, {of_them:,} judged real")
        if judged:
            reasons.append(f"of the same component, {there:,} of {judged:,} judged real")
        if not alike and not judged:
            reasons.append("nothing alike was judged")
        return ", ".join(reasons)

    def _vote(self, pattern: str, verdict: Verdict, number: int) -> None:
        alike, real = self._votes.get(pattern, (0, 0))
        self._votes[pattern] = alike + number, real + number * (verdict.word == "real")

    def _there(self, component: str) -> tuple[int, int]:
        """How many verdicts on a component say `real`, and how many there are."""
        words = self._of_component.get(component)
        return (words["real"], words["real"] + words["benign"]) if words else (0, 0)

    def _rarity_of(self, row: PatternRow) -> float:
        known = self._rare.get(row.id)
        if known is None:
            assert self._rarity is not None
            known = self._rare[row.id] = self._rarity.score(row.lines + row.further)
        return known
