"""Questions: what is worth asking an expert, the most informative first.

A question is about one open pattern, or about several together: new templates that came in one
window, and *drift*: new templates of one component that came within minutes of each other, as after
a deploy or a reboot. What names trouble, by its words or its level, is no drift.

An answer is worth the alarms that it settles (on a logarithmic scale) times how open it is: the
entropy of the chance that it is real. That chance is declared for each severity (`PRIOR`) and moves
with what verdicts said of texts that are alike, and of the same component, and with how rare the
pattern is among what came lately (`feedback.rarity`).
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log2
from typing import TYPE_CHECKING, Literal

from logwright.feedback.kept import Kept, Sight
from logwright.feedback.rarity import LATELY, Rarity
from logwright.feedback.standing import Found
from logwright.findings.finding import SEVERITIES, Severity
from logwright.findings.run import many, moment
from logwright.findings.verdict import Verdict
from logwright.templates.wording import SYMPTOM, trouble

if TYPE_CHECKING:
    from logwright.store.base import PatternRow

__all__ = ["PRIOR", "Alike", "OpenPattern", "Question", "questions"]

PRIOR: dict[Severity, float] = {"low": 0.1, "medium": 0.3, "high": 0.6, "critical": 0.8}
"""The chance that an alarm of a severity is real, before anything was said."""

_PRIOR_WEIGHS = 2.0  # as many verdicts on alike texts as weigh as much as the prior
_NEAR = 0.5
_LEAST = 0.05
_GAP, _WHOLE = timedelta(minutes=2), timedelta(minutes=15)
_LEAST_OF_DRIFT, _MOST_TOGETHER = 3, 1000
_WORD = re.compile(r"[A-Za-z]{2,}")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)

Kind = Literal["pattern", "window", "drift"]


@dataclass(frozen=True, slots=True)
class Alike:
    """A text that was judged, and how near it is: 1 for the same words."""

    text: str
    verdict: Verdict
    near: float


@dataclass(frozen=True, slots=True)
class OpenPattern:
    """A pattern with findings that nothing settles, oldest first."""

    row: PatternRow
    sights: tuple[Sight, ...]

    @property
    def found(self) -> Found:
        """Its first open finding, as feedback looks at it."""
        return self.sights[0].found

    @property
    def component(self) -> str:
        """What its first finding names first; empty where it names none."""
        return next(iter(self.sights[0].components), "")

    @property
    def findings(self) -> int:
        """Open findings, with those that were counted only where nothing tells them apart."""
        whole = len(self.sights) == self.row.findings
        return len(self.sights) + (self.row.further if whole else 0)


@dataclass(frozen=True, slots=True)
class Question:
    """One or more open patterns that are asked about together; `text` and `alike` come from logs.

    `chance` is that of being real, `worth` the place in the order, `why` the reason for it.
    """

    id: str
    kind: Kind
    patterns: tuple[OpenPattern, ...]
    text: str
    why: str
    findings: int
    severity: Severity
    chance: float
    worth: float
    alike: tuple[Alike, ...] = ()

    @property
    def can_be_real(self) -> bool:
        """Whether one answer can be `real`: that acts where all suspects are seen together, and
        what drifted was not."""
        return self.kind != "drift"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of its open findings."""
        sights = (sight for pattern in self.patterns for sight in pattern.sights)
        return tuple(dict.fromkeys(host for sight in sights for host in sight.found.hosts))

    @property
    def first_seen(self) -> datetime | None:
        """When it was first seen."""
        return min((t for p in self.patterns if (t := p.row.first_seen)), default=None)

    @property
    def last_seen(self) -> datetime | None:
        """When it was last seen."""
        return max((t for p in self.patterns if (t := p.row.last_seen)), default=None)


def questions(kept: Kept, apart: Collection[str] = ()) -> list[Question]:
    """The open questions, most informative first; every open pattern is in exactly one. The
    patterns `apart` are asked about one by one.

    >>> questions(Kept([], [], []))
    []
    """
    states = kept.now()
    waiting = []
    for pattern, row in kept.patterns.items():
        sights = tuple(s for s in kept.of_pattern(pattern) if not states[s.id].settled)
        if sights:
            waiting.append(OpenPattern(row, sights))
    said = _Said(kept)
    asked = [_question(kind, patterns, said) for kind, patterns in _together(waiting, apart)]
    return sorted(asked, key=_place)


def question_id(patterns: Iterable[str]) -> str:
    """The id of a question about these patterns.

    >>> question_id(["p-b", "p-a"]) == question_id(["p-a", "p-b"])
    True
    """
    return "q-" + hashlib.blake2b("\n".join(sorted(patterns)).encode(), digest_size=8).hexdigest()


def _place(question: Question) -> tuple[float, timedelta, str]:
    age = datetime.max.replace(tzinfo=UTC) - (question.last_seen or _LONG_AGO)
    return -question.worth, age, question.id


def _together(
    waiting: Iterable[OpenPattern], apart: Collection[str]
) -> list[tuple[Kind, list[OpenPattern]]]:
    """Patterns that are asked about together, each in one group."""
    groups: list[tuple[Kind, list[OpenPattern]]] = []
    new, streams = list[OpenPattern](), dict[str, list[OpenPattern]]()
    for pattern in sorted(waiting, key=lambda p: (p.found.time or _LONG_AGO, p.row.id)):
        if not pattern.found.is_new_template or pattern.row.id in apart:
            groups.append(("pattern", [pattern]))
            continue
        new.append(pattern)
        if pattern.found.time is not None and _is_calm(pattern):
            streams.setdefault(_stream(pattern), []).append(pattern)
    drifted: set[str] = set()
    for stream in streams.values():
        for chain in _chains(stream):
            if len(chain) >= _LEAST_OF_DRIFT:
                groups.append(("drift", chain))
                drifted.update(p.row.id for p in chain)
    windows: dict[tuple[str, int], list[OpenPattern]] = {}
    for at, pattern in enumerate(p for p in new if p.row.id not in drifted):
        # A window may hold any number of them; a verdict may not.
        windows.setdefault((pattern.sights[0].window, at // _MOST_TOGETHER), []).append(pattern)
    groups += [("window" if len(w) > 1 else "pattern", w) for w in windows.values()]
    return groups


def _stream(pattern: OpenPattern) -> str:
    places = (pattern.component, *pattern.found.sources, *pattern.found.hosts)
    return next(filter(None, places), "")


def _is_calm(pattern: OpenPattern) -> bool:
    words = max(map(trouble, pattern.found.texts), default=0)
    return words < SYMPTOM and pattern.row.severity in ("low", "medium")


def _chains(stream: Sequence[OpenPattern]) -> list[list[OpenPattern]]:
    """Runs of patterns in order of time that came soon after each other."""
    chains: list[list[OpenPattern]] = []
    for pattern in stream:
        time = pattern.found.time or _LONG_AGO
        if chains and len(chains[-1]) < _MOST_TOGETHER:
            first, last = chains[-1][0].found.time, chains[-1][-1].found.time
            if first and last and time - last <= _GAP and time - first <= _WHOLE:
                chains[-1].append(pattern)
                continue
        chains.append([pattern])
    return chains


def _question(kind: Kind, patterns: Sequence[OpenPattern], said: _Said) -> Question:
    # The gravest come first, and stand for all of them: one that is real makes the answer `real`.
    patterns = sorted(patterns, key=lambda p: -SEVERITIES.index(p.row.severity))
    chance, reason, alike = max((said.chance(p) for p in patterns), key=lambda c: c[0])
    findings = sum(p.findings for p in patterns)
    return Question(
        id=question_id(p.row.id for p in patterns),
        kind=kind,
        patterns=tuple(patterns),
        text=_text(kind, patterns),
        why=f"settles {many(findings, 'finding')}; {_leaning(chance)}: {reason}",
        findings=findings,
        severity=patterns[0].row.severity,
        chance=chance,
        worth=log2(1 + findings) * _entropy(chance),
        alike=tuple(alike),
    )


def _text(kind: Kind, patterns: Sequence[OpenPattern]) -> str:
    if kind == "pattern":
        return patterns[0].row.summary
    text = many(len(patterns), "new template")
    time = min((t for p in patterns if (t := p.found.time)), default=None)
    text += f", first at {moment(time.isoformat())}" if time else ""
    if kind == "window":
        return f"{text}, all in one window"
    components = {p.component for p in patterns}
    sources = {source for p in patterns for source in p.found.sources}
    if components != {""}:
        return f"{text}, all of component {components.pop()}"
    return f"{text}, all of {sources.pop()}" if len(sources) == 1 else text


def _entropy(chance: float) -> float:
    """How open a question is, from 0 to 1 bit; a prior is never 0 or 1.

    >>> [round(_entropy(chance), 2) for chance in (0.1, 0.5, 0.9)]
    [0.47, 1.0, 0.47]
    """
    return -chance * log2(chance) - (1 - chance) * log2(1 - chance)


def _leaning(chance: float) -> str:
    if chance < 0.35:
        return "more likely benign"
    return "more likely real" if chance > 0.65 else "real or not is open"


class _Said:
    """What verdicts said so far, by the words of texts and by component."""

    def __init__(self, kept: Kept) -> None:
        self._judged: list[tuple[str, frozenset[str], Verdict]] = []
        self._holding: dict[str, list[int]] = {}
        self._of_component: dict[str, Counter[str]] = {}
        lately = sorted(kept.patterns.values(), key=lambda row: row.last_seen or _LONG_AGO)
        self._rarity = Rarity.of([row.lines + row.further for row in lately[-LATELY:]])
        for verdict in kept.standing.verdicts:
            if verdict.word == "expected":
                continue
            suspects = kept.standing.suspects(verdict)
            for subject in verdict.subjects:
                if subject.pattern in suspects:
                    self._add(subject.texts, verdict)
                    for sight in kept.of_pattern(subject.pattern)[:1]:
                        for component in sight.components[:1]:
                            self._of_component.setdefault(component, Counter())[verdict.word] += 1

    def _add(self, texts: Sequence[str], verdict: Verdict) -> None:
        for text in texts[:1]:
            words = _words(text)
            for word in words:
                self._holding.setdefault(word, []).append(len(self._judged))
            self._judged.append((text, words, verdict))

    def chance(self, pattern: OpenPattern) -> tuple[float, str, list[Alike]]:
        """The chance that a pattern is real, the reason, and what is alike, the nearest first."""
        alike = self._alike(pattern.found.texts)
        votes = Counter(a.verdict.word for a in alike)
        there = self._of_component.get(pattern.component, Counter())
        weight, real = _PRIOR_WEIGHS, _PRIOR_WEIGHS * PRIOR[pattern.row.severity]
        weight, real = weight + len(alike), real + votes["real"]
        if there:  # of a component many things are said: together they weigh as much as one text
            weight, real = weight + 1, real + there["real"] / there.total()
        reasons = [f"{pattern.row.severity} severity"]
        if self._rarity is not None:
            rarity = self._rarity.score(pattern.row.lines + pattern.row.further)
            weight, real = weight + 1, real + min(max(rarity, _LEAST), 1 - _LEAST)
            if rarity > 0.8:
                reasons.append("rare among what came lately")
        if alike:
            reasons.append(f"of {len(alike):,} alike, {votes['real']:,} judged real")
        if there:
            judged = f"{there['real']:,} of {there.total():,} judged real"
            reasons.append(f"of the same component, {judged}")
        if not alike and not there:
            reasons.append("nothing alike was judged")
        return real / weight, ", ".join(reasons), alike

    def _alike(self, texts: Sequence[str]) -> list[Alike]:
        words = _words(texts[0]) if texts else frozenset[str]()
        shared = Counter(at for word in words for at in self._holding.get(word, ()))
        found = []
        for at, number in shared.items():
            text, others, verdict = self._judged[at]
            near = number / len(words | others)
            if near >= _NEAR:
                found.append(Alike(text, verdict, near))
        return sorted(found, key=lambda a: (-a.near, -a.verdict.number, a.text))


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text[:4096].lower()))
