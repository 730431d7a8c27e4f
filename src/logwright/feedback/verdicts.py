"""Verdicts: what one would change, told before it acts; giving one, and taking it back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logwright.errors import InputError
from logwright.feedback.kept import Kept, Now
from logwright.feedback.questions import Question, questions
from logwright.feedback.scopes import scopes
from logwright.feedback.standing import Found, Standing
from logwright.findings.finding import State
from logwright.findings.run import many, short_id
from logwright.findings.verdict import Undo, Verdict

if TYPE_CHECKING:
    from logwright.store.base import Store

__all__ = ["Effect", "Judged", "give", "label", "lookup", "preview", "take_back", "undo"]

_ID = re.compile(r"([fpq])-[0-9a-f]{1,16}")
_VERBS: dict[State, str] = {"suppressed": "closes", "confirmed": "confirms", "open": "reopens"}


@dataclass(frozen=True, slots=True)
class Effect:
    """What a verdict, or its undo, does to the findings that are kept.

    `moves` counts the findings that change, by the state before and after; `also` counts those
    of them whose pattern was not named. A wider scope would take `wider` patterns more. `alone`
    says what the verdict is narrowed to, where it reaches only findings of nothing else.
    """

    moves: Mapping[tuple[State, State], int]
    patterns: int = 0
    hosts: int = 0
    also: int = 0
    also_patterns: int = 0
    wider: int = 0
    alone: str = ""

    @property
    def findings(self) -> int:
        """How many findings change."""
        return sum(self.moves.values())

    @property
    def sentence(self) -> str:
        """What changes, in words.

        >>> Effect({("open", "suppressed"): 212}, patterns=3, hosts=2).sentence
        'closes 212 findings of 3 patterns on 2 hosts'
        """
        if not self.moves:
            return "changes no finding so far"
        verbs = Counter[str]()
        for (_, after), number in self.moves.items():
            verbs[_VERBS[after]] += number
        told = " and ".join(f"{verb} {many(n, 'finding')}" for verb, n in verbs.items())
        told += f" of {many(self.patterns, 'pattern')}"
        if self.alone:
            told += f" that {'is' if self.findings == 1 else 'are'} of this {self.alone} alone"
        elif self.hosts:
            told += f" on {many(self.hosts, 'host')}"
        if self.also:
            others = many(self.also_patterns, "pattern")
            verb = "was" if self.also_patterns == 1 else "were"
            told += f", {self.also:,} of them of {others} that {verb} not named"
        return told

    def record(self) -> dict[str, Any]:
        """The effect for the audit, and as JSON."""
        return {
            "findings": self.findings,
            "patterns": self.patterns,
            "hosts": self.hosts,
            "also": self.also,
            "moves": {f"{a} to {b}": n for (a, b), n in sorted(self.moves.items())},
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to be judged: alarms of different patterns; the finding or question it was named by.
    `text` may come from logs."""

    found: tuple[Found, ...]
    text: str
    finding: str | None = None
    question: Question | None = None


def lookup(store: Store, kept: Kept, name: str) -> Judged:
    """What an id, or its beginning, names: a finding, a pattern or a question; else `InputError`.

    >>> lookup(None, Kept(), "disk")
    Traceback (most recent call last):
    logwright.errors.InputError: 'disk' is no id: expected that of a finding (f-...), ...
    """
    match = _ID.fullmatch(name)
    if match is None:
        raise InputError(
            f"{name!r:.60} is no id: expected that of a finding (f-...), pattern (p-...) or "
            "question (q-...), or the beginning of one"
        )
    if match[1] == "f":
        finding = store.finding(name)
        return Judged((Found.of(finding),), finding.summary, finding.id)
    if match[1] == "p":
        row = store.pattern(name)
        return Judged((kept.found(row.id),), row.summary, row.finding)
    return _asked(kept, name)


def _asked(kept: Kept, name: str) -> Judged:
    every = questions(kept)
    fitting = [question for question in every if question.id.startswith(name)]
    if len(fitting) == 1:
        (question,) = fitting
        found = tuple(pattern.found for pattern in question.patterns)
        return Judged(found, question.text, question.patterns[0].row.finding, question)
    if fitting:
        named = ", ".join(question.id for question in fitting[:8])
        raise InputError(f"{name} may be several questions: {named}")
    raise InputError(
        f"there is no open question {name}: answers change which there are, `logwright review "
        "--json` lists them"
    )


def preview(store: Store, verdict: Verdict, kept: Kept | None = None) -> Effect:
    """What a verdict would change. Who looks at several gives what is `kept`, to read it once."""
    kept = kept or Kept.of(store)
    numbered = verdict.model_copy(update={"number": kept.newest + 1})
    touched = kept.touched(verdict)
    after = kept.under(Standing([*kept.entries, numbered]), touched)
    return _difference(kept, after, verdict, _wider(kept, verdict))


def give(store: Store, verdict: Verdict, kept: Kept | None = None) -> tuple[Verdict, Effect]:
    """Give a verdict: it acts at once, from the end of the last run on, and is on the disk when
    this returns."""
    kept = kept or Kept.of(store)
    verdict = verdict.model_copy(update={"position": kept.position})
    effect = preview(store, verdict, kept)
    (given,) = store.add_entries([verdict], [effect.record()])
    _catch_up(store, kept)
    return verdict.model_copy(update={"number": given.number}), effect


def take_back(store: Store, number: int | None = None, kept: Kept | None = None) -> Verdict:
    """The verdict of a number that an undo would take back, the last that stands without one;
    `InputError` where none stands."""
    kept = kept or Kept.of(store)
    standing = kept.standing.verdicts
    if number is None:
        if not standing:
            raise InputError("there is no verdict to undo")
        return standing[-1]
    verdict = kept.standing.get(number)
    if verdict is None:
        numbers = ", ".join(str(v.number) for v in standing[-8:]) or "none"
        raise InputError(f"there is no verdict {number} to undo: standing are {numbers}")
    return verdict


def undo(
    store: Store,
    number: int | None = None,
    *,
    by: str = "",
    note: str = "",
    kept: Kept | None = None,
) -> tuple[Undo, Verdict, Effect]:
    """Take a verdict back, without a number the last one that stands: as if it was never given."""
    kept = kept or Kept.of(store)
    verdict = take_back(store, number, kept)
    left = [v for v in kept.standing.verdicts if v.number != verdict.number]
    after = kept.under(Standing(left), kept.touched(verdict))
    effect = _difference(kept, after, verdict)
    entry = Undo(undoes=verdict.number, by=by, note=note)
    (given,) = store.add_entries([entry], [effect.record()])
    _catch_up(store, kept)
    return entry.model_copy(update={"number": given.number}), verdict, effect


def _catch_up(store: Store, kept: Kept) -> None:
    # Not only the entry that was added: others write at the same time.
    kept.add(store.entries(after=kept.newest))


def _difference(
    kept: Kept, after: Mapping[str, Mapping[str, Now]], verdict: Verdict, wider: int = 0
) -> Effect:
    named = set(verdict.patterns)
    moves: Counter[tuple[State, State]] = Counter()
    patterns, hosts, also = set[str](), set[str](), 0
    for pattern, states in after.items():
        before = kept.states(pattern)
        for sight in kept.of_pattern(pattern):
            was, now = before[sight.id].state, states[sight.id].state
            if was == now:
                continue
            moves[was, now] += 1
            patterns.add(pattern)
            hosts.update(sight.hosts)
            also += pattern not in named
    scope, alone = verdict.scope, ""
    if verdict.word != "real" and (scope.host or scope.source):
        both = "host and source" if scope.host and scope.source else ""
        alone = both or ("host" if scope.host else "source")
    return Effect(moves, len(patterns), len(hosts), also, len(patterns - named), wider, alone)


def _wider(kept: Kept, verdict: Verdict) -> int:
    """How many patterns more the widest scope that can be chosen would reach."""
    found: Sequence[Found] = [kept.found(p) for p in verdict.patterns if p in kept.patterns]
    if not found or verdict.scope.kind == "text":
        return 0
    widest = scopes(found)[-1].scope
    reached = kept.reached(verdict.model_copy(update={"scope": widest}))
    return len(reached - kept.reached(verdict))


def label(verdict: Verdict) -> str:
    """What a verdict is about, in a clause; from logs, so escape it.

    >>> from logwright.findings.verdict import Scope, Subject
    >>> subject = Subject(pattern="p-00000000000000aa", detector="unseen", unit="template")
    >>> label(Verdict(word="benign", subjects=(subject,), scope=Scope(host="web7")))
    'p-00000000 on host web7'
    """
    first, scope = verdict.subjects[0], verdict.scope
    told = f"texts like '{scope.text}'" if scope.kind == "text" else first.summary
    if scope.kind != "text" and len(first.texts) == 1:
        told = f"'{first.texts[0]}'"
    told = told or short_id(first.pattern)
    if scope.kind != "text" and len(verdict.subjects) > 1:
        told += f" and {many(len(verdict.subjects) - 1, 'pattern')} more"
    told += ", whatever raises it" if scope.kind == "templates" else ""
    told += f" on host {scope.host}" if scope.host else ""
    return told + (f" of source {scope.source}" if scope.source else "")
