"""Questions: what is worth asking an expert, the most informative first.

A question is about one open pattern, or about several together: new templates that came in one
window, and *drift*: new templates of one component that came within minutes of each other, as after
a deploy or a reboot. What names trouble, by its words or its level, is no drift.

An answer is worth the alarms that it settles (on a logarithmic scale) times how open it is: the
entropy of the chance that it is real (`feedback.said`).
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from math import log2
from typing import TYPE_CHECKING, Literal

from logwright.feedback.kept import Kept, Now
from logwright.feedback.said import PRIOR, Alike, Said
from logwright.feedback.standing import Found
from logwright.findings.finding import SEVERITIES, Severity
from logwright.findings.run import many, moment
from logwright.templates.wording import SYMPTOM, trouble

if TYPE_CHECKING:
    from logwright.store.base import PatternRow, Sight

__all__ = [
    "MANY",
    "PRIOR",
    "Alike",
    "Asker",
    "Kind",
    "OpenPattern",
    "Question",
    "entropy",
    "questions",
]

_GAP, _WHOLE = timedelta(minutes=2), timedelta(minutes=15)
_LEAST_OF_DRIFT, _MOST_TOGETHER = 3, 1000
MANY = 10
"""Patterns that one answer may close without being asked whether it is meant so."""
_LONG_AGO, _NEVER = (t.replace(tzinfo=UTC) for t in (datetime.min, datetime.max))

Kind = Literal["pattern", "window", "drift"]


@dataclass(frozen=True)
class OpenPattern:
    """A pattern with the findings that are asked about, which nothing settles, oldest first; what
    it is `found` as is the first of them, as feedback looks at it."""

    row: PatternRow
    sights: tuple[Sight, ...]
    found: Found

    @cached_property
    def component(self) -> str:
        """What its first finding names first; empty where it names none."""
        return next(iter(self.sights[0].components), "")

    @cached_property
    def findings(self) -> int:
        """Open findings, with those that were counted only where nothing tells them apart."""
        whole = len(self.sights) == self.row.findings
        return len(self.sights) + (self.row.further if whole else 0)

    @cached_property
    def stream(self) -> str:
        """What drifts together with it: its component, else its source, else its host."""
        places = (self.component, *self.found.sources, *self.found.hosts)
        return next(filter(None, places), "")

    @cached_property
    def is_calm(self) -> bool:
        """Whether neither its words nor its level name trouble."""
        words = max(map(trouble, self.found.texts), default=0)
        return words < SYMPTOM and self.row.severity in ("low", "medium")


@dataclass(eq=False)
class Question:
    """One or more open patterns that are asked about together, the gravest first.

    `chance` is that of being real, `worth` the place in the order, `why` the reason for it; `text`
    and `alike` come from logs.
    """

    kind: Kind
    patterns: tuple[OpenPattern, ...]
    findings: int
    severity: Severity
    chance: float
    worth: float
    said: Said = field(repr=False)

    # Thousands are put in order for each that is asked, so only this one is put into words.
    @cached_property
    def id(self) -> str:
        """The id, made of those of its patterns."""
        return question_id(p.row.id for p in self.patterns)

    @cached_property
    def text(self) -> str:
        """What is asked about."""
        return _text(self.kind, self.patterns)

    @cached_property
    def why(self) -> str:
        """Why this is asked."""
        reason = self.said.reason(self._likeliest.row, self._likeliest.component)
        return f"settles {many(self.findings, 'finding')}; {_leaning(self.chance)}: {reason}"

    @cached_property
    def alike(self) -> tuple[Alike, ...]:
        """What was judged that is alike, the nearest first."""
        return tuple(self.said.alike(self._likeliest.row))

    @property
    def was_told(self) -> bool:
        """Whether the reason was told, which verdicts change."""
        return "why" in self.__dict__ or "alike" in self.__dict__

    @cached_property
    def place(self) -> tuple[float, timedelta, str]:
        """Its place in the order: of those that are worth the same, the one seen last."""
        age = _NEVER - (self.last_seen or _LONG_AGO)
        return -self.worth, age, self.patterns[0].row.id

    @property
    def _likeliest(self) -> OpenPattern:
        return max(self.patterns, key=lambda p: self.said.chance(p.row, p.component))

    @property
    def can_be_real(self) -> bool:
        """Whether one answer can be `real`: that acts where all suspects are seen together, and
        what drifted was not."""
        return self.kind != "drift"

    @property
    def is_weighty(self) -> bool:
        """Whether to close it is to close many patterns, or what is critical."""
        return self.severity == "critical" or len(self.patterns) > MANY

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts of its open findings."""
        sights = (sight for pattern in self.patterns for sight in pattern.sights)
        return tuple(dict.fromkeys(host for sight in sights for host in sight.hosts))

    @property
    def first_seen(self) -> datetime | None:
        """When it was first seen."""
        return min((t for p in self.patterns if (t := p.row.first_seen)), default=None)

    @property
    def last_seen(self) -> datetime | None:
        """When it was last seen."""
        return max((t for p in self.patterns if (t := p.row.last_seen)), default=None)


class Asker:
    """Asks again after each answer, and works out anew only what that changed.

    >>> Asker(Kept()).ask()
    []
    """

    def __init__(self, kept: Kept) -> None:
        self._kept, self._said = kept, Said(kept)
        self._open: dict[str, tuple[Mapping[str, Now], OpenPattern | None]] = {}
        self._asked: dict[str, Question] = {}  # by its first pattern

    def ask(self, apart: Collection[str] = ()) -> list[Question]:
        """The open questions, most informative first; every open pattern is in exactly one. The
        patterns `apart` are asked about one by one."""
        self._kept.read()
        self._said.refresh()
        waiting = [p for p in map(self._waiting, self._kept.patterns) if p is not None]
        asked = [self._question(*group) for group in _together(waiting, apart)]
        return sorted(asked, key=lambda question: question.place)

    def _question(self, kind: Kind, patterns: Sequence[OpenPattern]) -> Question:
        # The gravest come first, and stand for all: one that is real makes the answer `real`.
        if len(patterns) > 1:
            patterns = sorted(patterns, key=lambda p: -SEVERITIES.index(p.row.severity))
        first = patterns[0]
        chance = max([self._said.chance(p.row, p.component) for p in patterns])
        known = self._asked.get(first.row.id)
        if known and known.kind == kind and known.chance == chance and not known.was_told:
            same = len(patterns) == len(known.patterns)
            if same and all(map(operator.is_, patterns, known.patterns)):
                return known
        findings = sum([p.findings for p in patterns])
        worth = log2(1 + findings) * entropy(chance)
        question = Question(
            kind, tuple(patterns), findings, first.row.severity, chance, worth, self._said
        )
        self._asked[first.row.id] = question
        return question

    def _waiting(self, pattern: str) -> OpenPattern | None:
        states = self._kept.states(pattern)
        known = self._open.get(pattern)
        if known is None or known[0] is not states:
            sights = [s for s in self._kept.of_pattern(pattern) if not states[s.id].settled]
            waits = None
            if sights:
                found = self._kept.found(pattern, sights[0])
                waits = OpenPattern(self._kept.patterns[pattern], tuple(sights), found)
            known = self._open[pattern] = (states, waits)
        return known[1]


def questions(kept: Kept, apart: Collection[str] = ()) -> list[Question]:
    """The open questions of one moment, as `Asker` has them."""
    return Asker(kept).ask(apart)


def question_id(patterns: Iterable[str]) -> str:
    """The id of a question about these patterns.

    >>> question_id(["p-b", "p-a"]) == question_id(["p-a", "p-b"])
    True
    """
    return "q-" + hashlib.blake2b("\n".join(sorted(patterns)).encode(), digest_size=8).hexdigest()


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
        if pattern.found.time is not None and pattern.is_calm:
            streams.setdefault(pattern.stream, []).append(pattern)
    drifted: set[str] = set()
    for stream in streams.values():
        for chain in _chains(stream):
            if len(chain) >= _LEAST_OF_DRIFT:
                groups.append(("drift", chain))
                drifted.update(p.row.id for p in chain)
    windows: dict[tuple[int, int], list[OpenPattern]] = {}
    for at, pattern in enumerate(p for p in new if p.row.id not in drifted):
        # A window may hold any number of them; a verdict may not.
        windows.setdefault((pattern.sights[0].window, at // _MOST_TOGETHER), []).append(pattern)
    groups += [("window" if len(w) > 1 else "pattern", w) for w in windows.values()]
    return groups


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


def entropy(chance: float) -> float:
    """How open a question is, from 0 to 1 bit; a prior is never 0 or 1.

    >>> [round(entropy(chance), 2) for chance in (0.1, 0.5, 0.9)]
    [0.47, 1.0, 0.47]
    """
    return -chance * log2(chance) - (1 - chance) * log2(1 - chance)


def _leaning(chance: float) -> str:
    if chance < 0.35:
        return "more likely benign"
    return "more likely real" if chance > 0.65 else "real or not is open"
