"""The judge: what becomes of an alarm, by the verdicts that stand and by the policy for the rest.

An alarm that a verdict reaches is confirmed (`real`) or suppressed (`benign`, `expected`). Of the
others, a new template may be taken for normal by its likeness to a text that was judged benign
(suppressed) or that history holds (shown, but no alarm), or because its novelty has decayed
(`feedback.novelty`). What is left is open, and is asked about: a new template as soon as it is
raised, a new make-up of a session at its third sight, since half of them never come again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from logwright.feedback.likeness import Kind, Likeness
from logwright.feedback.novelty import SIGHTS, Novelty, Phase
from logwright.feedback.standing import Found, Standing
from logwright.findings.finding import SEVERITIES, Finding
from logwright.findings.verdict import Entry, Undo, Verdict
from logwright.snapshot import State
from logwright.templates.wording import GRAVE, SYMPTOM, trouble

__all__ = ["DECAYED", "HELD", "LIKE_HISTORY", "Judge", "Judgement", "in_words", "told"]

DECAYED = "decayed: it keeps coming, and nothing fails with it"
"""Why an alarm is suppressed whose novelty has decayed."""

HELD = "names no trouble, seen less than three times"
"""Why an alarm is not raised yet."""

LIKE_HISTORY = "which history holds"
"""How the reason ends of an alarm that is like a text of history."""

_MOST_SIGHTS = 200_000
_HIGH = SEVERITIES.index("high")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of an alarm: its state, the verdict that acts or the reason in words, whether it
    is raised (else it is shown as a note of low severity), and whether a question that its window
    raises is about it, too."""

    state: Literal["open", "suppressed", "confirmed"] = "open"
    verdict: Verdict | None = None
    because: str | None = None
    raised: bool = True
    ask: bool = True


class Judge:
    """Judges the alarms of one window after another; `known` gives the texts of history's
    templates, once they are asked for.

    `source` gives the entries after a number, for runs during which verdicts are given. Without
    the `policy` only verdicts act. A run whose findings are looked at when it is over is a
    `whole`: what is new in it is shown with all its findings, and decays from the next run on.

    >>> judge = Judge()
    >>> new = Found("p-00000000000000aa", "unseen", "template", ("t-1",), ("disk failed",))
    >>> judge.see(1, [new])[0].ask
    True
    >>> judge.add(Verdict(number=1, word="benign", subjects=(new.subject(),)))
    >>> judge.see(2, [new])[0].state
    'suppressed'
    """

    def __init__(
        self,
        known: Callable[[], Iterable[str]] = lambda: (),
        source: Callable[[int], Iterable[Entry]] = lambda after: (),
        policy: bool = True,
        whole: bool = False,
    ) -> None:
        self._source, self._policy, self.whole = source, policy, whole
        self.standing = Standing()
        self.novelty = Novelty()
        self._likeness = Likeness(known)
        self._told: dict[int, list[tuple[str, str, Kind]]] = {}  # template id, text, what it is
        self._templates: dict[Kind, Counter[str]] = {"benign": Counter(), "real": Counter()}
        self._made: tuple[int, dict[str, frozenset[str]]] = (0, {})
        self._kept: tuple[int, int, dict[str, Any], dict[str, Any]] | None = None
        self._begun: dict[str, Any] = {}
        self._span: tuple[int, int] | None = None
        self._goes_on = True
        self._sights: Counter[str] = Counter()
        self.refresh()

    def refresh(self) -> None:
        """Take the verdicts that were given since."""
        for entry in self._source(self.standing.newest):
            self.add(entry)

    @property
    def normal_templates(self) -> frozenset[str]:
        """Ids of new templates that verdicts say are normal."""
        return frozenset(self._templates["benign"])

    @property
    def real_templates(self) -> frozenset[str]:
        """Ids of templates that verdicts say are a problem."""
        return frozenset(self._templates["real"])

    @property
    def real_make_ups(self) -> dict[str, frozenset[str]]:
        """Patterns of make-ups that verdicts say are a problem, by unit."""
        if self._made[0] != self.standing.changes:
            self._made = self.standing.changes, self.standing.real_make_ups()
        return self._made[1]

    def add(self, entry: Entry) -> None:
        """Take a verdict or an undo; it acts from now on."""
        verdict = self.standing.get(entry.undoes) if isinstance(entry, Undo) else entry
        self.standing.add(entry)
        if verdict is None:
            return
        for number in {verdict.number, *self.standing.sharing(verdict)}:
            self._tell(number)

    def _tell(self, number: int) -> None:
        """Renew what one verdict says of texts."""
        for template, text, kind in self._told.pop(number, ()):
            self._likeness.discard(text, kind)
            self._templates[kind][template] -= 1
            if not self._templates[kind][template]:
                del self._templates[kind][template]
        said = self.standing.said_of_new_templates(number)
        for template, text, kind in said:
            self._likeness.add(text, kind)
            self._templates[kind][template] += 1
        if said:
            self._told[number] = said

    def see(self, at: int, sight: Sequence[Found]) -> list[Judgement]:
        """What becomes of the alarms that one detector raised in a window at piece `at` of the log
        (`novelty.RECORDS` records each)."""
        together = {found.pattern for found in sight}
        acting = [self.standing.acting(found, together) for found in sight]
        phases = self._phases(at, sight, acting)
        return [
            self._judgement(found, verdict, phases.get(found.pattern))
            for found, verdict in zip(sight, acting, strict=True)
        ]

    def _phases(
        self, at: int, sight: Sequence[Found], acting: Sequence[Verdict | None]
    ) -> dict[str, Phase]:
        """How new the new templates are that no verdict reaches and that are like no other."""
        troubles, also = {}, []
        host = ""
        for found, verdict in zip(sight, acting, strict=True):
            if not (found.is_new_template and found.texts):
                continue
            names_trouble = _words(found) >= SYMPTOM or found.severity not in (None, "low")
            if verdict is None:
                troubles[found.pattern] = names_trouble
                host = host or (found.hosts[0] if found.hosts else "")
            elif verdict.word == "real" and names_trouble:
                also.append(found.pattern)
        return self.novelty.see(at, troubles, also, host) if troubles or also else {}

    def _judgement(self, found: Found, verdict: Verdict | None, phase: Phase | None) -> Judgement:
        if verdict is not None:
            state: Literal["suppressed", "confirmed"] = (
                "confirmed" if verdict.word == "real" else "suppressed"
            )
            raised = verdict.word == "real"
            return Judgement(state, verdict, in_words(verdict), raised=raised, ask=False)
        if phase is None or not self._policy:
            due = True
            if found.is_make_up:
                due = self._count(found.pattern) >= SIGHTS
            return Judgement(ask=due)
        if found.is_grave:  # nobody wants to miss that because of what something else was
            return Judgement()
        alike = self._likeness.normal(found.texts[0])
        if alike is not None:
            kind, text = alike
            if kind == "benign":
                because = f"like '{text}', which was judged benign"
                return Judgement("suppressed", because=because, raised=False, ask=False)
            because = f"like '{text}', {LIKE_HISTORY}"
            return Judgement(because=because, raised=False, ask=False)
        if phase == "raised":
            return Judgement()
        if phase == "held":
            return Judgement(because=HELD, raised=False)
        if _words(found) >= GRAVE or (self.whole and not self.novelty.is_older(found.pattern)):
            return Judgement()
        return Judgement("suppressed", because=DECAYED, raised=False)

    def _count(self, pattern: str) -> int:
        if len(self._sights) > _MOST_SIGHTS:
            self._sights.clear()
        self._sights[pattern] += 1
        return self._sights[pattern]

    def paused(self) -> State:
        """What was seen so far, for a run that goes on with the same log; verdicts come anew, from
        where they are kept."""
        state = self.novelty.paused()
        judge = {"sights": dict(self._sights), "span": self._span, "goes_on": self._goes_on}
        state.meta["judge"] = judge | {"begun": self._begun, "newest": self.standing.newest}
        return state

    def resume(self, state: State) -> None:
        """Go on from there."""
        self.novelty.resume(state)
        told = state.meta["judge"]
        self._sights = Counter({str(p): int(n) for p, n in told["sights"].items()})
        self._span = None if told["span"] is None else (int(told["span"][0]), int(told["span"][1]))
        self._goes_on, self._begun = bool(told["goes_on"]), dict(told["begun"])

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what an earlier run saved, if this one turns out to come after it;
        `ValueError` where it is no such thing."""
        try:
            kept = (int(state["first"]), int(state["end"]), state["before"], state["after"])
            for novelty in kept[2:]:
                Novelty().load(novelty)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no state of the judge: {error}") from None
        self._kept = kept

    def passes(self, first: int, last: int) -> None:
        """Say from when to when (ns) the log reaches that was judged so far.

        What was seen before counts only for a log that begins after it: reading one again is no
        evidence of health. The log of the last run is judged as it was then.
        """
        if self._span is None and self._kept is not None:
            before, end, *states = self._kept
            self._goes_on = first > end or first == before
            if self._goes_on:
                self.novelty.load(states[first > end])
        if self._span is None:
            self._begun = self.novelty.save()
        self._span = (first, last)

    def save(self) -> dict[str, Any] | None:
        """What the next run goes on from, besides the verdicts; None where this one has no times,
        or did not come after the last one."""
        if self._span is None or not self._goes_on:
            return None
        first, end = self._span
        return {"first": first, "end": end, "before": self._begun, "after": self.novelty.save()}


def _words(found: Found) -> int:
    """How much trouble the texts of an alarm name."""
    return max(map(trouble, found.texts), default=0)


def told(finding: Finding, judgement: Judgement) -> Finding:
    """A finding with what became of it: its state and why, and its severity. A standing alarm has
    the severity that its verdict names, and is high at least where it names none."""
    verdict = judgement.verdict
    if judgement.state == "open" and judgement.because is None:
        return finding
    severity = finding.severity
    if judgement.state == "confirmed" and verdict is not None:
        least = verdict.severity or SEVERITIES[max(SEVERITIES.index(severity), _HIGH)]
        severity = least
    elif judgement.state == "open" and not judgement.raised:
        severity = "low"
    own = None if severity == finding.severity else finding.severity
    return finding.model_copy(
        update={
            "state": judgement.state,
            "because": judgement.because,
            "severity": severity,
            "own_severity": own,
        }
    )


def in_words(verdict: Verdict) -> str:
    """A verdict in a clause.

    >>> from logwright.findings.verdict import Subject
    >>> subject = Subject(pattern="p-00000000000000aa", detector="unseen", unit="template")
    >>> in_words(Verdict(number=3, word="benign", subjects=(subject,), by="ann", note="backup"))
    'benign by ann (verdict 3): backup'
    """
    told: str = verdict.word
    if verdict.until is not None:
        told += f" until {verdict.until:%Y-%m-%d %H:%M %Z}"
    if verdict.during is not None:
        told += f" during {verdict.during}"
    told += f" by {verdict.by}" if verdict.by else ""
    told += f" (verdict {verdict.number})"
    return f"{told}: {verdict.note}" if verdict.note else told
