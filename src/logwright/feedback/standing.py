"""Standing: what the verdicts given so far say of an alarm. The latest that reaches it acts.

A verdict reaches an alarm by its pattern, or wider by templates or by a text (`findings.verdict`,
`Scope`). All verdicts are kept; an undo takes one away as if it had never been given, so what
stands is a function of the verdicts that are not undone, in whatever order undos came (tested as a
property). Where a person has spoken, a language model's word does not count (`feedback.speaker`),
and nowhere does it say anything of other patterns than those it was asked about.

*Suspects*: `real` said of several patterns means one or more of them. It acts on a window that
shows all of them that are still suspect; one that is judged benign afterwards is no suspect any
more, and the last one left is the culprit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from logwright.feedback.likeness import Kind
from logwright.feedback.speaker import is_model, rank
from logwright.findings.clean import clean
from logwright.findings.finding import Finding, Severity
from logwright.findings.ignore import wildcard
from logwright.findings.run import parse_time
from logwright.findings.schedule import Schedule
from logwright.findings.verdict import Entry, Scope, Subject, Undo, Verdict

__all__ = ["Found", "Standing"]

_MOST_REMEMBERED = 200_000


@dataclass(frozen=True, slots=True)
class Found:
    """An alarm, as feedback looks at it; `texts` are those of its templates, where it has any."""

    pattern: str
    detector: str
    unit: str
    templates: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    time: datetime | None = None
    hosts: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    summary: str = ""
    severity: Severity | None = None  # by level and words; None where nothing is known of levels

    @staticmethod
    def of(finding: Finding) -> Found:
        """What feedback looks at in a finding."""
        return Found(
            finding.pattern,
            finding.detector,
            finding.unit,
            tuple(t.id for t in finding.templates),
            tuple(t.text for t in finding.templates),
            parse_time(finding.first_seen or ""),
            tuple(map(clean, finding.hosts)),
            tuple(dict.fromkeys(clean(line.source) for line in finding.lines)),
            finding.summary,
            finding.own_severity or finding.severity,
        )

    @property
    def is_grave(self) -> bool:
        """Whether its level or its words make it high or critical."""
        return self.severity in ("high", "critical")

    @property
    def is_new_template(self) -> bool:
        """Whether it says that one template is new."""
        return self.detector == "unseen" and self.unit == "template" and len(self.templates) < 2

    @property
    def is_make_up(self) -> bool:
        """Whether it says what a session is made of, or that two events follow each other."""
        return self.detector == "counts" or self.unit == "bigram"

    def subject(self) -> Subject:
        """What a verdict on it judges."""
        return Subject(
            pattern=self.pattern,
            detector=self.detector,
            unit=self.unit,
            templates=self.templates,
            texts=tuple(text[:4096] for text in self.texts),
            summary=self.summary[:4096],
        )


class Standing:
    """The verdicts that stand. Adding one costs a few dictionary entries, however many there are.

    >>> subject = Subject(pattern="p-00000000000000aa", detector="unseen", unit="template")
    >>> standing = Standing([Verdict(number=1, word="benign", subjects=(subject,))])
    >>> found = Found("p-00000000000000aa", "unseen", "template")
    >>> standing.acting(found).word
    'benign'
    >>> standing.add(Undo(number=2, undoes=1))
    >>> standing.acting(found) is None
    True
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.newest = 0
        self.changes = 0
        self._verdicts: dict[int, Verdict] = {}
        self._schedules: dict[int, Schedule] = {}
        self._of_pattern: dict[str, set[int]] = {}
        self._of_template: dict[str, set[int]] = {}
        self._of_text: dict[int, str] = {}
        self._wide = 0  # counts changes to verdicts of which no index tells whom they reach
        self._remembered: dict[str, tuple[int, tuple[int, ...]]] = {}
        for entry in entries:
            self.add(entry)

    def __len__(self) -> int:
        return len(self._verdicts)

    @property
    def verdicts(self) -> list[Verdict]:
        """The verdicts that stand, in order."""
        return [self._verdicts[n] for n in sorted(self._verdicts)]

    def add(self, entry: Entry) -> None:
        """Take a verdict or an undo; entries come in order of their numbers."""
        self.newest = max(self.newest, entry.number)
        self.changes += 1
        if isinstance(entry, Undo):
            verdict = self._verdicts.pop(entry.undoes, None)
            if verdict is not None:
                self._index(verdict, gone=True)
            return
        self._verdicts[entry.number] = entry
        self._index(entry, gone=False)

    def _index(self, verdict: Verdict, gone: bool) -> None:
        number, kind = verdict.number, verdict.scope.kind
        if gone:
            self._schedules.pop(number, None)
        elif verdict.during is not None:
            self._schedules[number] = Schedule.parse(verdict.during)
        if kind == "text":
            self._wide += 1
            if gone:
                self._of_text.pop(number, None)
            else:
                self._of_text[number] = verdict.scope.text or ""
            return
        index, keys = self._of_pattern, list(verdict.patterns)
        if kind == "templates":
            self._wide += 1
            index = self._of_template
            keys = [template for subject in verdict.subjects for template in subject.templates]
        for key in keys:
            if not gone:
                index.setdefault(key, set()).add(number)
            elif key in index:
                index[key].discard(number)
                if not index[key]:
                    del index[key]
            self._remembered.pop(key, None)

    def get(self, number: int) -> Verdict | None:
        """The verdict of this number, where it stands."""
        return self._verdicts.get(number)

    def sharing(self, verdict: Verdict) -> set[int]:
        """Numbers of the verdicts that stand on patterns which a verdict names, too."""
        return set().union(*(self._of_pattern.get(p, ()) for p in verdict.patterns))

    def said_of_new_templates(self, number: int) -> list[tuple[str, str, Kind]]:
        """Template ids and texts that a verdict says are normal, or an alarm: where it stands, is
        the last one on them, and leaves no doubt which template it means."""
        verdict = self._verdicts.get(number)
        if verdict is None or verdict.word == "expected" or verdict.scope != Scope():
            return []
        if is_model(verdict):
            return []
        if verdict.word == "real" and len(self.suspects(verdict)) > 1:
            return []
        suspects = self.suspects(verdict) if verdict.word == "real" else set(verdict.patterns)
        kind: Kind = "real" if verdict.word == "real" else "benign"
        return [
            (s.templates[0], s.texts[0], kind)
            for s in verdict.subjects
            if s.detector == "unseen" and s.unit == "template" and len(s.texts) == 1
            if s.pattern in suspects and self._ranked(self._of_pattern[s.pattern])[0] == number
        ]

    def real_make_ups(self) -> dict[str, frozenset[str]]:
        """Patterns of make-ups, by unit, on which a verdict `real` acts wherever they come."""
        real: dict[str, set[str]] = {}
        for verdict in self._verdicts.values():
            for s in verdict.subjects if verdict.word == "real" and not is_model(verdict) else ():
                found = Found(s.pattern, s.detector, s.unit, s.templates, s.texts)
                acting = self.acting(found) if found.is_make_up else None
                if acting is not None and acting.word == "real":
                    real.setdefault(s.unit, set()).add(s.pattern)
        return {unit: frozenset(patterns) for unit, patterns in real.items()}

    def is_plain(self, pattern: str) -> bool:
        """Whether all alarms of a pattern are judged alike, wherever and whenever they come: no
        verdict that may reach it is narrowed, has a time, or means one of several."""
        numbers = {*self._of_pattern.get(pattern, ()), *self._of_text}
        numbers.update(*self._of_template.values())
        return all(
            verdict.word != "expected"
            and verdict.scope.host is None
            and verdict.scope.source is None
            and (verdict.word != "real" or len(verdict.subjects) == 1)
            for verdict in map(self._verdicts.__getitem__, numbers)
        )

    def reaching(self, found: Found) -> list[Verdict]:
        """The verdicts whose scope reaches an alarm, whether they act or not: persons' before
        models', and the latest first."""
        return [
            verdict
            for number in self._numbers(found)
            if _narrows(verdict := self._verdicts[number], found)
        ]

    def _numbers(self, found: Found) -> tuple[int, ...]:
        known = self._remembered.get(found.pattern)
        if known is not None and known[0] == self._wide:
            return known[1]
        numbers = set(self._of_pattern.get(found.pattern, ()))
        if found.templates:
            common = set.intersection(*(self._of_template.get(t, set()) for t in found.templates))
            numbers |= common
            for number, text in self._of_text.items():
                if found.texts and all(wildcard(text, each) for each in found.texts):
                    numbers.add(number)
        answer = self._ranked(numbers)
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[found.pattern] = (self._wide, answer)
        return answer

    def _ranked(self, numbers: Iterable[int]) -> tuple[int, ...]:
        return tuple(sorted(numbers, key=lambda n: rank(self._verdicts[n]), reverse=True))

    def is_judged(self, found: Found) -> bool:
        """Whether a person has spoken of a pattern, on whatever host and for whatever time."""
        numbers = self._numbers(found)
        return bool(numbers) and not is_model(self._verdicts[numbers[0]])

    def acting(self, found: Found, together: Collection[str] = ()) -> Verdict | None:
        """The verdict that acts on an alarm; `together` are the patterns of all alarms of its
        window, itself included."""
        for verdict in self.reaching(found):
            if is_model(verdict) and self.is_judged(found):
                return None
            if verdict.word == "expected" and not self._is_expected(verdict, found.time):
                continue
            if verdict.word == "real" and len(verdict.subjects) > 1:
                suspects = self.suspects(verdict)
                if found.pattern not in suspects or not suspects <= {found.pattern, *together}:
                    continue
            return verdict
        return None

    def suspects(self, verdict: Verdict) -> set[str]:
        """The patterns of a verdict `real` that nobody has judged benign since; of a model's, also
        those that a person had judged so before."""
        if verdict.scope.kind != "pattern" or len(verdict.subjects) < 2:
            return set(verdict.patterns)
        return {p for p in verdict.patterns if not self._is_cleared(p, verdict)}

    def _is_cleared(self, pattern: str, verdict: Verdict) -> bool:
        others = map(self._verdicts.__getitem__, self._of_pattern.get(pattern, ()))
        return any(v.word == "benign" and rank(v) > rank(verdict) for v in others)

    def _is_expected(self, verdict: Verdict, time: datetime | None) -> bool:
        if verdict.until is not None and (time or datetime.now(UTC)) >= verdict.until:
            return False
        schedule = self._schedules.get(verdict.number)
        return schedule is None or (time is not None and schedule.covers(time))

    def conflicts(self) -> list[list[Verdict]]:
        """Verdicts of different words on the same pattern, the one that acts first."""
        found = []
        for numbers in self._of_pattern.values():
            words = {self._verdicts[n].word for n in numbers}
            if len(words) > 1:
                found.append([self._verdicts[n] for n in self._ranked(numbers)])
        return found


def _narrows(verdict: Verdict, found: Found) -> bool:
    """Whether an alarm lies within a scope: what is suppressed is so as a whole, with all its hosts
    and sources; for an alarm that stands, one of them is enough."""
    for wanted, there in (
        (verdict.scope.host, found.hosts),
        (verdict.scope.source, found.sources),
    ):
        if wanted is None:
            continue
        if wanted not in there or (verdict.word != "real" and set(there) != {wanted}):
            return False
    return True
