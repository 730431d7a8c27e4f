"""Kept: what a store holds, as feedback looks at it now.

The state of a finding is never stored as the truth: it is worked out from the verdicts that stand,
so that a verdict, or its undo, acts on the past at once. What cannot be worked out from findings
alone (novelty that decayed, likeness to a text of history) is taken from the run that raised them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from logwright.feedback.judge import DECAYED, LIKE_HISTORY, in_words
from logwright.feedback.likeness import Likeness
from logwright.feedback.standing import Found, Standing
from logwright.findings.finding import Finding, Severity, State
from logwright.findings.verdict import Entry, Position, Verdict

if TYPE_CHECKING:
    from logwright.store.base import PatternRow, Store

__all__ = ["Kept", "Now", "Sight"]

_NO_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sight:
    """A finding that is kept, without its lines."""

    id: str
    found: Found
    severity: Severity
    window: str
    components: tuple[str, ...] = ()
    because: str | None = None

    @staticmethod
    def of(finding: Finding) -> Sight:
        """What is looked at in a finding."""
        window = finding.window
        return Sight(
            finding.id,
            Found.of(finding),
            finding.severity,
            f"{window.kind} {window.key} {window.start}",
            finding.components,
            finding.because,
        )


@dataclass(frozen=True, slots=True)
class Now:
    """The state that a finding has now; the verdict that acts, or the policy, in words; and whether
    that settles it, so that nobody needs to be asked."""

    state: State = "open"
    verdict: Verdict | None = None
    because: str | None = None
    settled: bool = False


class Kept:
    """The patterns, findings and verdicts of a store; verdicts may be added.

    >>> kept = Kept([], [], [])
    >>> kept.now(), kept.newest
    ({}, 0)
    """

    def __init__(
        self,
        patterns: Iterable[PatternRow],
        findings: Iterable[Finding],
        entries: Iterable[Entry],
        position: Position | None = None,
    ) -> None:
        self.patterns = {row.id: row for row in patterns}
        self.entries = list(entries)
        self.standing = Standing(self.entries)
        self.position = position or Position()
        sights = sorted(map(Sight.of, findings), key=lambda s: (s.found.time or _NO_TIME, s.id))
        self.sights = {sight.id: sight for sight in sights}
        self._of_pattern: dict[str, list[Sight]] = {}
        self._together: dict[tuple[str, str], set[str]] = {}
        for sight in sights:
            self._of_pattern.setdefault(sight.found.pattern, []).append(sight)
            self._together.setdefault(_place(sight), set()).add(sight.found.pattern)
        self._now: dict[str, Now] | None = None

    @staticmethod
    def of(store: Store) -> Kept:
        """All that a store holds."""
        last = store.last_run()
        position = Position()
        if last is not None:
            timeline = last.run.timeline
            time = None if timeline.empty else timeline.bounds[1]
            position = Position(run=last.id[:200], records=last.run.lines, time=time)
        return Kept(store.patterns(), store.findings(), store.entries(), position)

    @property
    def newest(self) -> int:
        """The highest number of an entry."""
        return self.standing.newest

    def add(self, entries: Iterable[Entry]) -> None:
        """Take entries that the store has numbered."""
        for entry in entries:
            self.entries.append(entry)
            self.standing.add(entry)
        self._now = None

    def of_pattern(self, pattern: str) -> list[Sight]:
        """The findings of a pattern, oldest first."""
        return self._of_pattern.get(pattern, [])

    def found(self, pattern: str) -> Found:
        """A pattern, by its first finding; where none is left, by what the store knows of it."""
        sights = self.of_pattern(pattern)
        if sights:
            return sights[0].found
        row = self.patterns[pattern]
        return Found(
            *(row.id, row.detector, row.unit, row.templates, row.texts, row.first_seen),
            *(row.hosts, row.sources, row.summary, row.severity != "low"),
        )

    def now(self) -> dict[str, Now]:
        """What each finding is now, by id."""
        if self._now is None:
            self._now = self.under(self.standing, self._of_pattern)
        return self._now

    def under(self, standing: Standing, patterns: Collection[str]) -> dict[str, Now]:
        """What each finding of some patterns would be if these verdicts stood."""
        likeness = Likeness()
        for verdict in standing.verdicts:
            for _, text, kind in standing.said_of_new_templates(verdict.number):
                likeness.add(text, kind)
        return {
            sight.id: self._judged(sight, standing, likeness)
            for pattern in patterns
            for sight in self.of_pattern(pattern)
        }

    def _judged(self, sight: Sight, standing: Standing, likeness: Likeness) -> Now:
        found = sight.found
        verdict = standing.acting(found, self._together[_place(sight)])
        if verdict is not None:
            state: State = "confirmed" if verdict.word == "real" else "suppressed"
            return Now(state, verdict, in_words(verdict), settled=True)
        if not (found.is_new_template and found.texts):
            return Now()
        alike = likeness.normal(found.texts[0])
        if alike is not None and alike[0] == "benign":
            because = f"like '{alike[1]}', which was judged benign"
            return Now("suppressed", None, because, settled=True)
        because = sight.because or ""
        if because == DECAYED:
            return Now("suppressed", None, because, settled=True)
        if because.endswith(LIKE_HISTORY):
            return Now("open", None, because, settled=True)
        return Now()

    def reached(self, verdict: Verdict) -> set[str]:
        """The patterns that a verdict's scope reaches, on whatever host and of whatever source."""
        everywhere = verdict.scope.model_copy(update={"host": None, "source": None})
        alone = Standing([verdict.model_copy(update={"number": 1, "scope": everywhere})])
        return {p for p, s in self._of_pattern.items() if alone.reaching(s[0].found)}

    def touched(self, verdict: Verdict) -> set[str]:
        """The patterns whose findings may change when a verdict comes or goes: those it reaches,
        those that stood trial with them, and all new templates, as one may be like another."""
        patterns = self.reached(verdict).union(verdict.patterns)
        for number in self.standing.sharing(verdict):
            shared = self.standing.get(number)
            patterns.update(shared.patterns if shared else ())
        new = (p for p, s in self._of_pattern.items() if s[0].found.is_new_template)
        return patterns.union(new)


def _place(sight: Sight) -> tuple[str, str]:
    return sight.found.detector, sight.window
