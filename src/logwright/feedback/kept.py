"""Kept: what a store holds, as feedback looks at it now.

The state of a finding is never stored as the truth: it is worked out from the verdicts that stand,
so that a verdict, or its undo, acts on the past at once. What cannot be worked out from findings
alone (novelty that decayed, likeness to a text of history) is taken from the run that raised them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logwright.feedback.judge import DECAYED, HELD, LIKE_HISTORY, in_words
from logwright.feedback.likeness import ALIKE, Likeness
from logwright.feedback.near import Near, words_of
from logwright.feedback.standing import Found, Standing
from logwright.findings.finding import SEVERITIES, Severity, State
from logwright.findings.ignore import wildcard
from logwright.findings.verdict import Entry, Position, Undo, Verdict

if TYPE_CHECKING:
    from logwright.store.base import PatternRow, Sight, Store

__all__ = ["Kept", "Now"]

_HIGH = SEVERITIES.index("high")


@dataclass(frozen=True, slots=True)
class Now:
    """The state and severity that a finding has now; the verdict that acts, or the policy, in
    words; and whether that settles it, so that nobody needs to be asked."""

    state: State = "open"
    verdict: Verdict | None = None
    because: str | None = None
    settled: bool = False
    severity: Severity = "low"


class Kept:
    """The patterns, findings and verdicts of a store; verdicts may be added. `load` gives the
    findings of some patterns, or of all, oldest first; each is asked for once.

    >>> kept = Kept()
    >>> kept.now(), kept.newest
    ({}, 0)
    """

    def __init__(
        self,
        patterns: Iterable[PatternRow] = (),
        load: Callable[[Collection[str] | None], Iterable[Sight]] = lambda patterns: (),
        entries: Iterable[Entry] = (),
        position: Position | None = None,
    ) -> None:
        self.patterns = {row.id: row for row in patterns}
        self.entries = list(entries)
        self.standing = Standing(self.entries)
        self.position = position or Position()
        self._load = load
        self._sights: dict[str, list[Sight]] = {}
        self._now: dict[str, dict[str, Now]] = {}
        self._rules: _Rules | None = None
        self._matching: dict[str, set[str]] = {}
        self._holding: dict[str, set[str]] | None = None
        self._new: Near | None = None
        self._together: dict[tuple[str, int], set[str]] = {}
        self._placed: set[str] = set()

    @staticmethod
    def of(store: Store) -> Kept:
        """What a store holds, read as far as it is asked for."""
        last = store.last_run()
        position = Position()
        if last is not None:
            timeline = last.run.timeline
            time = None if timeline.empty else timeline.bounds[1]
            position = Position(run=last.id[:200], records=last.run.lines, time=time)
        return Kept(store.patterns(), store.sights, store.entries(), position)

    @property
    def newest(self) -> int:
        """The highest number of an entry."""
        return self.standing.newest

    def add(self, entries: Iterable[Entry]) -> None:
        """Take entries that the store has numbered."""
        for entry in entries:
            self.entries.append(entry)
            verdict = self.standing.get(entry.undoes) if isinstance(entry, Undo) else entry
            changed = self.touched(verdict) if verdict else set[str]()
            self.standing.add(entry)
            for pattern in changed:
                self._now.pop(pattern, None)
        self._rules = None

    def read(self, patterns: Collection[str] | None = None) -> None:
        """Read the findings of some patterns, or all, at once: quicker than one after another."""
        wanted = self.patterns if patterns is None else self.patterns.keys() & set(patterns)
        missing = [pattern for pattern in wanted if pattern not in self._sights]
        if not missing:
            return
        found = self._load(None if len(missing) == len(self.patterns) else missing)
        self._sights.update((pattern, []) for pattern in missing)
        for sight in found:
            if sight.pattern in self._sights:  # else it has come since
                self._sights[sight.pattern].append(sight)

    def of_pattern(self, pattern: str) -> list[Sight]:
        """The findings of a pattern, oldest first."""
        self.read((pattern,))
        return self._sights.get(pattern, [])

    def found(self, pattern: str, sight: Sight | None = None) -> Found:
        """A pattern as feedback looks at it, by one of its findings: without one, by its first, or
        where none is left, by what the store knows of it."""
        row = self.patterns[pattern]
        what = (row.id, row.detector, row.unit, row.templates, row.texts)
        sight = sight or next(iter(self.of_pattern(pattern)), None)
        if sight is None:
            there = (row.first_seen, row.hosts, row.sources, row.summary, row.severity)
            return Found(*what, *there)
        there = (sight.time, sight.hosts, sight.sources, row.summary, sight.severity)
        return Found(*what, *there)

    def states(self, pattern: str) -> Mapping[str, Now]:
        """What each finding of a pattern is now, by id: the same object until that may change."""
        known = self._now.get(pattern)
        if known is None:
            if self._rules is None:
                self._rules = _Rules(self, self.standing)
            known = self._now[pattern] = self._rules.judged(pattern)
        return known

    def now(self) -> dict[str, Now]:
        """What each finding is now, by id."""
        self.read()
        return {name: now for p in self.patterns for name, now in self.states(p).items()}

    def under(self, standing: Standing, patterns: Collection[str]) -> dict[str, dict[str, Now]]:
        """What each finding of some patterns would be if these verdicts stood, by pattern."""
        self.read(patterns)
        rules = _Rules(self, standing)
        return {pattern: rules.judged(pattern) for pattern in patterns if pattern in self.patterns}

    def together(self, patterns: Iterable[str]) -> Mapping[tuple[str, int], set[str]]:
        """Which of these patterns, at least, are seen in a window, by detector and window."""
        missing = {p for p in patterns if p in self.patterns} - self._placed
        self.read(missing)
        for pattern in missing:
            for sight in self.of_pattern(pattern):
                place = self.patterns[pattern].detector, sight.window
                self._together.setdefault(place, set()).add(pattern)
        self._placed |= missing
        return self._together

    def reached(self, verdict: Verdict) -> set[str]:
        """The patterns that a verdict's scope reaches, on whatever host and of whatever source."""
        scope = verdict.scope
        if scope.kind == "pattern":
            return {p for p in verdict.patterns if p in self.patterns}
        if scope.kind == "text":
            text = scope.text or ""
            if text not in self._matching:
                self._matching[text] = {
                    row.id
                    for row in self.patterns.values()
                    if row.templates and row.texts and all(wildcard(text, t) for t in row.texts)
                }
            return self._matching[text]
        if self._holding is None:
            self._holding = {}
            for row in self.patterns.values():
                for template in row.templates:
                    self._holding.setdefault(template, set()).add(row.id)
        templates = {t for subject in verdict.subjects for t in subject.templates}
        named = set[str]().union(*(self._holding.get(t, ()) for t in templates))
        return {p for p in named if templates.issuperset(self.patterns[p].templates)}

    def touched(self, verdict: Verdict) -> set[str]:
        """The patterns whose findings may change when a verdict comes or goes: those it reaches,
        those that stood trial with them, and new templates that are like one of those judged."""
        patterns = self.reached(verdict).union(verdict.patterns)
        verdicts = [verdict]
        for number in self.standing.sharing(verdict):
            shared = self.standing.get(number)
            if shared is not None:
                verdicts.append(shared)
                patterns.update(shared.patterns)
        if self._new is None:
            new = (row for row in self.patterns.values() if _is_new_template(row))
            self._new = Near((row.id, row.texts[0]) for row in new)
        said = {s.texts[0] for v in verdicts for s in v.subjects if len(s.texts) == 1}
        for text in said:
            patterns.update(name for name, _ in self._new.of(words_of(text), ALIKE))
        return patterns & self.patterns.keys()


class _Rules:
    """What verdicts and policy make of findings."""

    def __init__(self, kept: Kept, standing: Standing) -> None:
        self._kept, self._standing = kept, standing
        self._likeness = Likeness()
        self._reached: set[str] = set()
        suspects = set[str]()
        for verdict in standing.verdicts:
            self._reached |= kept.reached(verdict)
            if verdict.word == "real" and len(verdict.subjects) > 1:
                suspects.update(verdict.patterns)
            for _, text, kind in standing.said_of_new_templates(verdict.number):
                self._likeness.add(text, kind)
        self._together = kept.together(suspects)

    def judged(self, pattern: str) -> dict[str, Now]:
        """What each finding of a pattern is, by id."""
        kept, row = self._kept, self._kept.patterns[pattern]
        like: str | None = None
        is_new, is_reached = _is_new_template(row), pattern in self._reached
        if is_new and (normal := self._likeness.normal(row.texts[0])) is not None:
            like = f"like '{normal[1]}', which was judged benign"
        # Most findings of a pattern are judged alike, so few of these records are made.
        made: dict[tuple[int, Severity, str | None], Now] = {}
        out: dict[str, Now] = {}
        for sight in kept.of_pattern(pattern):
            verdict = None
            if is_reached:
                there = self._together.get((row.detector, sight.window), ())
                verdict = self._standing.acting(kept.found(pattern, sight), there)
            key = (verdict.number if verdict else 0, sight.severity, sight.because)
            now = made.get(key)
            if now is None:
                now = made[key] = _now(sight, verdict, is_new, like)
            out[sight.id] = now
        return out


def _now(sight: Sight, verdict: Verdict | None, is_new: bool, like: str | None) -> Now:
    own = sight.severity
    is_grave = SEVERITIES.index(own) >= _HIGH
    if verdict is not None:
        if verdict.word != "real":
            return Now("suppressed", verdict, in_words(verdict), settled=True, severity=own)
        severity = verdict.severity or (own if is_grave else "high")
        return Now("confirmed", verdict, in_words(verdict), settled=True, severity=severity)
    if not is_new or is_grave:  # as the judge has it: the policy is for new templates, not grave
        return Now(severity=own)
    if like is not None:
        return Now("suppressed", None, like, settled=True, severity=own)
    because = sight.because or ""
    if because == DECAYED:  # not raised any more, but still worth a word
        return Now("suppressed", None, because, severity=own)
    if because.endswith(LIKE_HISTORY):
        return Now("open", None, because, settled=True, severity="low")
    if because == HELD:
        return Now("open", None, because, severity="low")
    return Now(severity=own)


def _is_new_template(row: PatternRow) -> bool:
    new = row.detector == "unseen" and row.unit == "template" and len(row.templates) < 2
    return new and bool(row.texts)
