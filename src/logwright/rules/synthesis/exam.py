"""Exam: whether a rule that a model wrote is good enough, and what to tell the model if not.

The rule is run on train and on the validation slice, which is later. The model is shown windows of
train only: of validation it learns that it failed there, never where.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.llm.placeholders import Placeholders
from logwright.logs.batch import Int64s
from logwright.rules.induction.drafts import Facts
from logwright.rules.language.plain import Window
from logwright.rules.language.tree import Function
from logwright.rules.sandbox.sandbox import Failure, Sandbox
from logwright.rules.synthesis.abstraction import Paraphrase, literals
from logwright.rules.synthesis.prompts import Kind
from logwright.rules.synthesis.tryout import Run, facts, said

__all__ = ["Exam", "Result", "Side"]

Bools = NDArray[np.bool_]

LEAST_PRECISION = {"abnormal": 0.95, "normal": 0.995}
"""Of a rule, on train; on the validation slice an abnormal rule may reach `LATER_PRECISION`, a
normal rule may not fire on any abnormal window."""
LATER_PRECISION = 0.9
LEAST_FORMS = 2
"""Distinct windows that a rule is right on."""
ENOUGH = 0.5
"""Share of its cluster from which on a rule needs no refinement."""
LEAST_STABLE = 0.5
"""Share of windows on which a rule must go on firing when their parameters are others."""

_PARAPHRASED, _USUAL = 40, 100
"""Windows whose parameters are changed, and others that show what varies."""
_SHOWN = 2


@dataclass(frozen=True)
class Side:
    """Which windows a rule is for: abnormal ones (of class `target`, where labels name several) or
    normal ones."""

    kind: Kind
    target: str
    which: Bools

    @property
    def told(self) -> str:
        """The side in words."""
        return f"{self.kind}, class {self.target}" if self.target else self.kind


@dataclass(frozen=True)
class Result:
    """What came out. `faults` say why the rule cannot be accepted, `lacks` what would make it
    better; `wrong` and `missed` are windows of train to show. Share: of its cluster."""

    fires: Bools
    facts: Facts
    share: float
    faults: tuple[str, ...]
    lacks: tuple[str, ...]
    wrong: tuple[int, ...]
    missed: tuple[int, ...]

    @property
    def accepted(self) -> bool:
        return not self.faults

    @property
    def told(self) -> str:
        """The numbers in one sentence."""
        f = self.facts
        return (
            f"right on {f.train[0]} and wrong on {f.train[1]} windows of train, right on "
            f"{f.check[0]} and wrong on {f.check[1]} of validation, {f.cases} distinct; "
            f"{self.share:.0%} of its cluster"
        )


class Exam:
    """Examines rules: `run` says what a rule says of all windows, `form` is the number of each
    window's content, windows from `check` on are the validation slice."""

    def __init__(
        self,
        sandbox: Sandbox,
        run: Run,
        read: Callable[[int], Window],
        check: int,
        form: Int64s,
        names: Collection[str],
    ) -> None:
        self._sandbox, self._run, self._read = sandbox, run, read
        self._check, self._form, self._names = check, form, names

    def tried(self, function: Function, windows: Sequence[int]) -> Failure | None:
        """Why the rule gives no answer on some windows, if so."""
        answers = said(self._sandbox, function, [self._read(i) for i in windows])
        return answers if isinstance(answers, Failure) else None

    def result(
        self, function: Function, side: Side, members: Int64s, hidden: Placeholders
    ) -> Result | Failure:
        """The whole exam of a rule for windows such as `members`."""
        fires = self._run(function)
        if isinstance(fires, Failure):
            return fires
        found = facts(fires, side.which, self._check, self._form)
        early = np.arange(len(fires)) < self._check
        share = float(fires[members].mean()) if len(members) else 0.0
        faults = [*literals(function, self._names, hidden), *_faults(found, side)]
        if not faults:
            faults += self._unstable(function, np.flatnonzero(fires & side.which & early))
        lacks = []
        if share < ENOUGH:
            lacks.append(f"It is True for {share:.0%} of the windows of this kind in train.")
        return Result(
            fires,
            found,
            share,
            tuple(faults),
            tuple(lacks),
            self._some(np.flatnonzero(fires & ~side.which & early)),
            self._some(members[~fires[members]]),
        )

    def _unstable(self, function: Function, windows: Int64s) -> list[str]:
        held = [self._read(int(i)) for i in _spread(windows, _PARAPHRASED)]
        usual = [self._read(int(i)) for i in _spread(np.arange(self._check), _USUAL)]
        other = Paraphrase([*held, *usual])
        answers = said(self._sandbox, function, [other(window) for window in held])
        if isinstance(answers, Failure):
            return [answers.sentence]
        still = sum(answers)
        if still >= LEAST_STABLE * len(held):
            return []
        return [
            f"With other digits in names, numbers and identifiers of the windows for which it is "
            f"True it is True for only {still} of {len(held)}: it must not depend on them."
        ]

    def _some(self, windows: Int64s) -> tuple[int, ...]:
        """A few windows of different content, the earliest of each."""
        _, first = np.unique(self._form[windows], return_index=True)
        return tuple(int(i) for i in _spread(windows[np.sort(first)], _SHOWN))


def _faults(found: Facts, side: Side) -> list[str]:
    right, wrong = found.train
    later_right, later_wrong = found.check
    faults = []
    if not right:
        faults.append(f"It is True for no {side.kind} window of train.")
    elif found.cases < LEAST_FORMS:
        faults.append("It is True for one distinct window only: it must catch a kind of window.")
    least = LEAST_PRECISION[side.kind]
    if right < least * (right + wrong) or (wrong and not right):
        faults.append(
            f"Of the {right + wrong} windows of train for which it is True, {wrong} are not "
            f"{side.kind} ones of this class; at most {1 - least:.1%} may be."
        )
    later = later_right + later_wrong
    allowed = 1 - LATER_PRECISION if side.kind == "abnormal" else 0.0
    if later_wrong > allowed * later:
        faults.append(
            f"In a later part of history it is wrong for {later_wrong} of the {later} windows for "
            f"which it is True: it is too broad, or too close to what was shown."
        )
    return faults


def _spread(windows: Int64s, most: int) -> Int64s:
    """At most so many of them, evenly."""
    if len(windows) <= most:
        return windows
    found: Int64s = windows[np.linspace(0, len(windows) - 1, most).astype(np.int64)]
    return found
