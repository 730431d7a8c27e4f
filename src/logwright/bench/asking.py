"""Asking in order of time: an expert with the true labels answers what the judge asks.

Every window of the test part is judged with the verdicts given before it (prequential). A window
counts as flagged if an alarm in it is raised or confirmed at that moment; an answer never changes
what was flagged before it came, so that a question answered "benign" counts as a false alarm. The
second column, `f1_answered`, is what is left when each answer is applied to the window asked about.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.counts import Counts
from logwright.detectors.unseen import Unseen
from logwright.feedback.judge import Judge
from logwright.feedback.standing import Found
from logwright.findings.finding import pattern_id
from logwright.findings.verdict import Position, Verdict
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

__all__ = ["Expert", "Outcome", "Part", "ask"]


@dataclass(frozen=True, slots=True)
class Expert:
    """How the expert answers: at most `most` questions in all and `per_day` a day, `delay` windows
    late, and wrongly with a chance of `wrong`."""

    most: int | None = None
    per_day: int | None = None
    delay: int = 0
    wrong: float = 0.0
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
        self._found = {int(t): self._of_template(int(t)) for t in np.unique(template[at])}
        self._counts: Counts | None = None
        make_ups = np.zeros(len(test), bool)
        if unit != "template":
            self._counts = Counts(unit)  # type: ignore[arg-type]  # the chosen unit is one of them
            self._counts.fit(history, vocabulary)
            keys = self._counts.keys(test, vocabulary)
            make_ups = np.isin(keys, self._counts.new_keys(test, vocabulary))
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
        """The new templates of a window."""
        return [self._found[t] for t in self._new.get(window, ())]

    def make_up(self, window: int, normal: frozenset[str]) -> list[Found]:
        """The make-up of a window, where history never held it; templates that verdicts say are
        normal are not looked at."""
        if self._counts is None:
            return []
        one = self.windows.select_one(window)
        names = [self._found[t].templates[0] for t in self._new.get(window, ())]
        if normal and any(name in normal for name in names):
            mask = np.zeros(len(self._vocabulary), bool)
            mask[[t for t in self._new[window] if self._found[t].templates[0] in normal]] = True
            one = one.without(mask)
        new = self._counts.new_keys(one, self._vocabulary)
        return [Found(f"p-{int(key):016x}", "counts", self.unit) for key in new]

    @property
    def interesting(self) -> list[int]:
        """The windows in which there is anything that history never held."""
        return self._interesting


def ask(part: Part, truth: NDArray[np.bool_], expert: Expert | None) -> Outcome:
    """Judge a part window by window; without an expert nobody answers."""
    judge, random_ = part.judge(), random.Random(0 if expert is None else expert.seed)
    outcome = Outcome(np.zeros(len(truth), bool), np.zeros(len(truth), bool))
    waiting: deque[tuple[int, Verdict]] = deque()
    pending: set[str] = set()
    applied: dict[int, bool] = {}
    days: dict[int, int] = {}
    number = 0
    for at in part.interesting:
        while waiting and waiting[0][0] <= at:
            verdict = waiting.popleft()[1]
            judge.add(verdict)
            pending.difference_update(verdict.patterns)
        sight = part.sight(at)
        judged = judge.see(at, sight) if sight else []
        if all(j.state == "suppressed" for j in judged):
            made = part.make_up(at, judge.normal_templates)
            if made:
                sight, judged = made, judge.see(at, made)
        if not any(j.raised for j in judged):
            continue
        outcome.flagged[at] = True
        open_ = [f for f, j in zip(sight, judged, strict=True) if j.state == "open" and j.ask]
        settled = any(j.state == "confirmed" for j in judged)
        if expert is None or settled or not open_ or pending.issuperset(f.pattern for f in open_):
            continue
        today = at // part.day
        if expert.most is not None and number >= expert.most:
            continue
        if expert.per_day is not None and days.get(today, 0) >= expert.per_day:
            continue
        number += 1
        days[today] = days.get(today, 0) + 1
        real = bool(truth[at])
        if expert.wrong and random_.random() < expert.wrong:
            real = not real
        verdict = Verdict(
            number=number,
            word="real" if real else "benign",
            subjects=tuple(f.subject() for f in open_),
            position=Position(records=at + expert.delay),
        )
        outcome.asked.append(at)
        outcome.benign += not real
        applied[at] = real
        if expert.delay:
            waiting.append((at + expert.delay, verdict))
            pending.update(verdict.patterns)
        else:
            judge.add(verdict)
    outcome.answered = outcome.flagged.copy()
    for at, real in applied.items():
        outcome.answered[at] = real
    return outcome
