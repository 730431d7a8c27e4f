"""Second looks: verdicts that rest on one answer and act on much, asked about once more.

One wrong answer in ten costs most where it closes thousands of findings: on BGL, F1 is .87 with
such an expert, and .96 where verdicts that act often are asked about again (docs/feedback.md,
Measured). The same answer confirms; another one is a conflict, of which both are kept and the later
acts, and which a third answer decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log2
from typing import TYPE_CHECKING

from logwright.feedback.judge import in_words
from logwright.feedback.questions import Kind, OpenPattern, Question, entropy
from logwright.feedback.said import Said
from logwright.feedback.speaker import is_model
from logwright.findings.finding import SEVERITIES
from logwright.findings.run import many

if TYPE_CHECKING:
    from logwright.feedback.kept import Kept, Now
    from logwright.feedback.said import Alike
    from logwright.findings.verdict import Scope, Verdict

__all__ = ["SecondAsker", "SecondLook"]


@dataclass(eq=False)
class SecondLook(Question):
    """A question about what a `verdict` has settled; `findings` are those it acts on, and `against`
    the verdicts of another word on the same. The patterns are those that were judged."""

    verdict: Verdict
    against: tuple[Verdict, ...] = ()

    @cached_property
    def why(self) -> str:
        """What was said, by whom, and on how much it acts."""
        told = f"one answer acts on {many(self.findings, 'finding')}: {self.said_before}"
        if self.against:
            told += "; against it: " + ", ".join(map(_briefly, self.against))
        return told

    @property
    def said_before(self) -> str:
        """What was said, and by whom."""
        return _briefly(self.verdict)

    @cached_property
    def alike(self) -> tuple[Alike, ...]:
        """What was judged that is alike, besides what was said of this itself."""
        own = {self.verdict.number, *(v.number for v in self.against)}
        return tuple(a for a in super().alike if a.verdict.number not in own)


class SecondAsker:
    """Offers second looks, and works out anew only what an answer changed.

    `expected` is not among them: it is a plan, not a judgement.

    >>> from logwright.feedback.kept import Kept
    >>> SecondAsker(Kept()).ask()
    []
    """

    def __init__(self, kept: Kept) -> None:
        self._kept, self._said = kept, Said(kept)
        self._acting: dict[str, tuple[Mapping[str, Now], Counter[int]]] = {}

    def ask(self, apart: Collection[str] = ()) -> list[SecondLook]:
        """The second looks, those first that act on most findings. The patterns `apart` are asked
        about one by one."""
        self._kept.read()
        self._said.refresh()
        acts = Counter[int]()
        for pattern in self._kept.patterns:
            acts.update(self._acts(pattern))
        standing = self._kept.standing.verdicts
        once = _once(v for v in standing if v.word != "expected")
        found: list[SecondLook] = []
        for verdict in once:
            number, names = verdict.number, verdict.patterns
            groups = [(names, acts[number])]
            if len(names) > 1 and not set(names).isdisjoint(apart):
                groups = [((p,), self._acts(p)[number]) for p in names if p in self._kept.patterns]
            looks = [self._look(verdict, group, acted) for group, acted in groups if acted]
            found += [look for look in looks if look is not None]
        return sorted(found, key=lambda look: (-look.findings, -look.verdict.number))

    def _acts(self, pattern: str) -> Counter[int]:
        """On how many findings of a pattern each verdict acts, by number."""
        states = self._kept.states(pattern)
        known = self._acting.get(pattern)
        if known is None or known[0] is not states:
            numbers = Counter(now.verdict.number for now in states.values() if now.verdict)
            known = self._acting[pattern] = (states, numbers)
        return known[1]

    def _look(self, verdict: Verdict, names: Sequence[str], findings: int) -> SecondLook | None:
        """The question about a verdict on some of its patterns; None where the store has none."""
        patterns = [p for name in names if (p := self._pattern(name, verdict.number))]
        if not patterns:
            return None
        patterns.sort(key=lambda p: -SEVERITIES.index(p.row.severity))
        first = patterns[0]
        chance = max(self._said.chance(p.row, p.component) for p in patterns)
        reaching = self._kept.standing.reaching(first.found)
        return SecondLook(
            self._kind(verdict, patterns),
            tuple(patterns),
            findings,
            first.row.severity,
            chance,
            log2(1 + findings) * entropy(chance),
            self._said,
            verdict,
            tuple(v for v in reaching if v.word != verdict.word),
        )

    def _pattern(self, name: str, number: int) -> OpenPattern | None:
        sights = self._kept.of_pattern(name) if name in self._kept.patterns else []
        states = self._kept.states(name) if sights else {}
        acted = [s for s in sights if (v := states[s.id].verdict) and v.number == number]
        if not sights:
            return None
        shown = acted or sights
        found = self._kept.found(name, shown[0])
        return OpenPattern(self._kept.patterns[name], tuple(shown), found)

    def _kind(self, verdict: Verdict, patterns: list[OpenPattern]) -> Kind:
        """What was judged together; where no window shows all of it, no one answer can be real."""
        if len(patterns) == 1:
            return "pattern"
        names = {p.row.id for p in patterns}
        windows = self._kept.together(names).values()
        one = verdict.word == "real" or any(names <= there for there in windows)
        return "window" if one else "drift"


def _briefly(verdict: Verdict) -> str:
    return in_words(verdict.model_copy(update={"note": ""}))


def _once(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """The verdicts that no other one says again. `benign` is said again by what says it of more
    patterns, too; `real` of several means one of them, so only by the same. What models say counts
    as one answer, however many say it."""
    saying: dict[tuple[str, Scope, str], set[int]] = {}
    by_number = {verdict.number: verdict for verdict in verdicts}
    for verdict in by_number.values():
        for pattern in verdict.patterns:
            saying.setdefault((verdict.word, verdict.scope, pattern), set()).add(verdict.number)
    once = []
    for verdict in by_number.values():
        key = verdict.word, verdict.scope
        others = set.intersection(*(saying[(*key, p)] for p in verdict.patterns))
        if not any(_says_again(by_number[n], verdict) for n in others):
            once.append(verdict)
    return once


def _says_again(other: Verdict, verdict: Verdict) -> bool:
    if other.number == verdict.number or (is_model(other) and is_model(verdict)):
        return False
    return verdict.word == "benign" or set(other.patterns) == set(verdict.patterns)
