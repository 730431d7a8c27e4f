"""Asking in order of time: an expert with the true labels answers what the judge asks.

Every window of the test part is judged with the verdicts given before it (prequential). A window
counts as flagged if an alarm in it is raised or confirmed at that moment; an answer never changes
what was flagged before it came, so that a question answered "benign" counts as a false alarm. The
second column, `f1_answered`, is what is left when each answer is applied to the window asked about.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.counts import UNITS, Counts
from logwright.detectors.trial import floor_of
from logwright.detectors.unseen import Unseen
from logwright.feedback.judge import Judge
from logwright.feedback.standing import Found
from logwright.findings.finding import SEVERITIES, pattern_id
from logwright.findings.severity import rank
from logwright.findings.verdict import Position, Subject, Verdict
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

__all__ = ["Expert", "Outcome", "Part", "ask"]


@dataclass(frozen=True, slots=True)
class Expert:
    """How the expert answers: at most `most` questions in all and `per_day` a day, `delay` windows
    late, and wrongly with a chance of `wrong`. A verdict that has acted on `again` windows is asked
    about once more, and a third time where the two answers differ."""

    most: int | None = None
    per_day: int | None = None
    delay: int = 0
    wrong: float = 0.0
    again: int | None = None
    seed: int = 0


@dataclass(slots=True)
class Outcome:
    """What was flagged, what would be with the answers applied, and the windows asked about."""

    flagged: NDArray[np.bool_]
    answered: NDArray[np.bool_]
    asked: list[int] = field(default_factory=list)
    benign: int = 0


class Part:
    """The test part of a data set, with what history says of each window.

    `texts` are the templates' texts by index, None where the set has none; `unit` is the make-up
    that is asked about besides templates ("template": none).
    """

    def __init__(
        self,
        history: Windows,
        test: Windows,
        vocabulary: Vocabulary,
        texts: Sequence[str] | None,
        unit: str,
        day: int,
    ) -> None:
        self.windows, self.day, self.unit = test, day, unit
        self.texts = texts
        self._vocabulary = vocabulary
        unseen = Unseen("template")
        unseen.fit(history, vocabulary)
        new = np.isin(vocabulary.hashes, unseen.new_keys(test, vocabulary))
        self.known = sorted(set(np.unique(history.events.template).tolist()))
        owner, template, _ = test.counts()
        at = np.flatnonzero(new[template])
        self._new: dict[int, list[int]] = {}
        for window, each in zip(owner[at].tolist(), template[at].tolist(), strict=True):
            self._new.setdefault(window, []).append(each)
        self._leveled = bool(test.events.level.any())
        self._found = {int(t): self._of_template(int(t)) for t in np.unique(template[at])}
        self._make_ups: Counts | Unseen | None = None
        make_ups = np.zeros(len(test), bool)
        if unit != "template":
            self._make_ups = _detector_of(unit)
            self._make_ups.fit(history, vocabulary)
            make_ups = self._make_ups.score(test, vocabulary) >= floor_of(self._make_ups)
        self.unseen = np.zeros(len(test), bool)
        self.unseen[list(self._new)] = True
        self._interesting = np.flatnonzero(make_ups | self.unseen).tolist()

    def _of_template(self, template: int) -> Found:
        name = f"t-{int(self._vocabulary.hashes[template]):016x}"
        texts = () if self.texts is None else (self.texts[template],)
        pattern = pattern_id("unseen", "template", [name])
        return Found(pattern, "unseen", "template", (name,), texts)

    def reworded(self, texts: Sequence[str]) -> Part:
        """The same part with other texts."""
        other = copy(self)
        other.texts = texts
        other._found = {t: other._of_template(t) for t in self._found}
        return other

    def judge(self) -> Judge:
        """A judge that knows the texts of history."""
        texts = self.texts
        return Judge(lambda: [] if texts is None else [texts[t] for t in self.known])

    def sight(self, window: int) -> list[Found]:
        """The new templates of a window, as grave as their lines' levels and their words are (where
        the set has levels)."""
        found = [self._found[t] for t in self._new.get(window, ())]
        if not (self._leveled and found):
            return found
        span = self.windows.span(window)
        events = self.windows.events
        template, level = events.template[span], events.level[span]
        return [
            replace(f, severity=SEVERITIES[rank(int(level[template == t].max()), f.texts)])
            for f, t in zip(found, self._new[window], strict=True)
        ]

    def make_up(self, window: int, normal: frozenset[str]) -> list[Found]:
        """The make-up of a window, where history never held it; templates that verdicts say are
        normal are not looked at."""
        if self._make_ups is None:
            return []
        one = self.windows.select_one(window)
        names = [self._found[t].templates[0] for t in self._new.get(window, ())]
        if normal and any(name in normal for name in names):
            mask = np.zeros(len(self._vocabulary), bool)
            mask[[t for t in self._new[window] if self._found[t].templates[0] in normal]] = True
            one = one.without(mask)
        new = self._make_ups.new_keys(one, self._vocabulary)
        return [Found(f"p-{int(key):016x}", self._make_ups.name, self.unit) for key in new]

    @property
    def interesting(self) -> list[int]:
        """The windows in which there is anything that history never held."""
        return self._interesting


def _detector_of(unit: str) -> Counts | Unseen:
    """What judges by a unit of make-up.

    >>> _detector_of("bigram").name, _detector_of("capped").name
    ('unseen', 'counts')
    """
    if unit == "bigram":
        return Unseen("bigram")
    return Counts(next(known for known in UNITS if known == unit))


def ask(part: Part, truth: NDArray[np.bool_], expert: Expert | None) -> Outcome:
    """Judge a part window by window; without an expert nobody answers."""
    asking = _Asking(part, truth, expert)
    for at in part.interesting:
        asking.take(at)
    asking.outcome.answered |= asking.outcome.flagged
    for at, real in asking.applied.items():
        asking.outcome.answered[at] = real
    return asking.outcome


class _Asking:
    def __init__(self, part: Part, truth: NDArray[np.bool_], expert: Expert | None) -> None:
        self.part, self.truth, self.expert = part, truth, expert
        self.outcome = Outcome(np.zeros(len(truth), bool), np.zeros(len(truth), bool))
        self.applied: dict[int, bool] = {}
        self._judge = part.judge()
        self._random = random.Random(0 if expert is None else expert.seed)
        self._waiting: deque[tuple[int, Verdict]] = deque()
        self._pending: set[str] = set()
        self._days: Counter[int] = Counter()
        self._acted: Counter[int] = Counter()
        self._number = 0

    def take(self, at: int) -> None:
        """Judge a window, and ask about it where there is something to ask."""
        while self._waiting and self._waiting[0][0] <= at:
            verdict = self._waiting.popleft()[1]
            self._judge.add(verdict)
            self._pending.difference_update(verdict.patterns)
        sight = self.part.sight(at)
        judged = self._judge.see(at, sight) if sight else []
        if all(j.state == "suppressed" for j in judged):
            made = self.part.make_up(at, self._judge.normal_templates)
            if made:
                sight, judged = made, self._judge.see(at, made)
        self.outcome.flagged[at] = any(j.raised for j in judged)
        if self.expert is None:
            return
        acting = {j.verdict.number: j.verdict for j in judged if j.verdict is not None}
        if len(acting) == 1 and all(j.verdict is not None for j in judged):
            self._ask_again(at, *acting.values())
        open_ = [f for f, j in zip(sight, judged, strict=True) if j.state == "open" and j.ask]
        settled = any(j.state == "confirmed" for j in judged)
        new = any(f.pattern not in self._pending for f in open_)
        if self.outcome.flagged[at] and new and not settled and self._may_ask(at):
            real = self._answer(at)
            self.applied[at] = real
            self._give(at, real, tuple(f.subject() for f in open_))

    def _may_ask(self, at: int) -> bool:
        assert self.expert is not None
        most, per_day = self.expert.most, self.expert.per_day
        if most is not None and len(self.outcome.asked) >= most:
            return False
        return per_day is None or self._days[at // self.part.day] < per_day

    def _answer(self, at: int) -> bool:
        """Ask, and get an answer: whether the window is abnormal."""
        assert self.expert is not None
        self._days[at // self.part.day] += 1
        self.outcome.asked.append(at)
        real = bool(self.truth[at])
        if self.expert.wrong and self._random.random() < self.expert.wrong:
            real = not real
        self.outcome.benign += not real
        return real

    def _give(self, at: int, real: bool, subjects: tuple[Subject, ...]) -> None:
        assert self.expert is not None
        self._number += 1
        verdict = Verdict(
            number=self._number,
            word="real" if real else "benign",
            subjects=subjects,
            position=Position(records=at + self.expert.delay),
        )
        if self.expert.delay:
            self._waiting.append((at + self.expert.delay, verdict))
            self._pending.update(verdict.patterns)
        else:
            self._judge.add(verdict)

    def _ask_again(self, at: int, verdict: Verdict) -> None:
        """The second opinion on a verdict that has acted often, and the third that decides."""
        assert self.expert is not None
        self._acted[verdict.number] += 1
        if self._acted[verdict.number] != self.expert.again or not self._may_ask(at):
            return
        before = verdict.word == "real"
        if self._answer(at) != before and self._answer(at) != before:
            self._give(at, not before, verdict.subjects)
