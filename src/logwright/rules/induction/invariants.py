"""Invariants: what held in nearly all of a history whose labels nobody knows.

As many of one event as of another in a session; one event always followed by another, within so
many lines or seconds; an event at most so many times; each session opening, closing or once passing
with an event; where messages can be read, parameters in a range or a set (`ranges`). Each becomes
a normal rule that must hold: its breach is a finding.

History is taken for mostly healthy, not for clean: what a few windows of it broke still holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from logwright.rules.induction.drafts import Draft, Facts, named
from logwright.rules.induction.predicates import Condition
from logwright.rules.induction.probes import Probe
from logwright.rules.induction.ranges import kept_to
from logwright.rules.induction.sightings import Seen, Sightings
from logwright.rules.induction.signs import own_signs
from logwright.rules.induction.values import Messages, Values, sampled
from logwright.windows.window import Windows

__all__ = ["Limits", "invariants"]

Bools = NDArray[np.bool_]

_WITHIN = (1, 2, 3, 5, 8, 10, 20, 50, 100)
_SECONDS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
_TIMES = (1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000)
_TEMPLATES = 60
_SHOWN = 3
_PARAMETERS = 30
_SAME = 0.9
"""Two invariants are one where so many of the windows that break one break the other."""

_SLACK = 2
"""`at most k` says k where no more than half of it was seen."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an invariant must keep to: windows that put it to the test, the share of them that broke
    it at most (on train, and on the validation slice), and how many are proposed; `alarms` is the
    share of the validation slice that all those on parameters together may break."""

    support: int = 50
    broken: float = 0.01
    rules: int = 60
    alarms: float = 0.001


def invariants(
    windows: Windows,
    texts: Sequence[str] | None,
    ids: Sequence[str],
    check: int,
    limits: Limits = Limits(),
    messages: Messages | None = None,
) -> list[Draft]:
    """Invariants of windows in order of time, of which those from number `check` on only check;
    parameters are looked at where their messages can be read.

    >>> windows = Windows.of_sequences([[0, 1], [0, 2, 1], [0, 1, 0, 1]] * 40)
    >>> found = invariants(windows, ["open", "close", "read"], ["a", "b", "c"], 100)
    >>> [draft.conditions[0].told for draft in found][:2]
    ["as many lines have 'open' as 'close'", "'open' is always followed by 'close' within 2 lines"]
    """
    values = None
    if texts is not None and messages is not None:
        values = Values.of(windows, texts, messages)
    search = _Search(windows, texts, ids, check, limits, values, messages)
    return named(search.fresh())[: limits.rules]


class _Search:
    def __init__(
        self,
        windows: Windows,
        texts: Sequence[str] | None,
        ids: Sequence[str],
        check: int,
        limits: Limits,
        values: Values | None,
        messages: Messages | None,
    ) -> None:
        self.limits, self.check = limits, check
        self.table = Sightings(windows, texts, ids, values)
        self.early = np.arange(len(windows)) < check
        _, template, _ = windows.counts()
        number = np.bincount(template, minlength=len(ids))
        held = np.flatnonzero(number).tolist()
        signs = own_signs(
            None if texts is None else [texts[t] for t in held],
            [ids[t] for t in held],
            None if messages is None else lambda i: sampled(windows, messages, held[i]),
        )
        common = sorted(range(len(held)), key=lambda i: -int(number[held[i]]))[:_TEMPLATES]
        self.signs = [signs[i] for i in common if number[held[i]] >= limits.support]
        self.counts = [self.table.count(sign) for sign in self.signs]
        self._paired: set[tuple[Seen, Seen]] = set()

    def fresh(self) -> Iterator[Draft]:
        """What is found, without what the same windows break that broke others before."""
        seen = np.zeros(len(self.table), bool)
        for draft in self.found():
            if draft is None:
                continue
            breach = ~draft.fires(self.table)
            if not breach.any() or int((breach & seen).sum()) < _SAME * int(breach.sum()):
                seen |= breach
                yield draft

    def found(self) -> Iterator[Draft | None]:
        if self.table.windows.kind == "session":
            yield from self._balanced()
            yield from self._followed("followed", _WITHIN)
            if bool((self.table.windows.events.ts > 0).any()):
                yield from self._followed("soon", _SECONDS)
            yield from self._edges()
        yield from self._kept_to()
        yield from self._at_most()

    def _draft(
        self, condition: Condition, tested: Bools, holds: Bools | None = None
    ) -> Draft | None:
        """The invariant, if it holds often enough where it is put to the test."""
        if holds is None:
            holds = condition.holds(self.table)
        kept = [
            (int((tested & holds & part).sum()), int((tested & ~holds & part).sum()))
            for part in (self.early, ~self.early)
        ]
        if sum(kept[0]) < self.limits.support:
            return None
        if any(broke > self.limits.broken * (held + broke) for held, broke in kept):
            return None
        kind = "" if isinstance(condition.a, Probe) else f"{condition.kind}_"
        return Draft(
            f"holds_{kind}{condition.a.label}"[:56],
            "normal",
            "invariant",
            (condition,),
            Facts(kept[0], kept[1], 0),
            must_hold=True,
            examples=tuple(np.flatnonzero(tested & holds)[:_SHOWN].tolist()),
            counter_examples=tuple(np.flatnonzero(~holds)[:_SHOWN].tolist()),
        )

    def _balanced(self) -> Iterator[Draft | None]:
        """As many of A as of B; what follows from others is left out."""
        edges = []
        for i in range(len(self.signs)):
            for j in range(i + 1, len(self.signs)):
                differ = self.counts[i] != self.counts[j]
                edges.append((int(differ.sum()), i, j))
        group = list(range(len(self.signs)))
        for _, i, j in sorted(edges):
            if group[i] == group[j]:
                continue
            tested = (self.counts[i] > 0) | (self.counts[j] > 0)
            condition = Condition("differ", self.signs[i], self.signs[j], wanted=False)
            draft = self._draft(condition, tested, self.counts[i] == self.counts[j])
            if draft is not None:
                group = [group[i] if g == group[j] else g for g in group]
                yield draft

    def _followed(
        self, kind: Literal["followed", "soon"], scale: Sequence[int]
    ) -> Iterator[Draft | None]:
        """Of the events that follow A, the nearest one that always does. What is said of two events
        in lines is not said in seconds again."""
        measure = self.table.distance if kind == "followed" else self.table.delay
        for i, a in enumerate(self.signs):
            tested, best = self.counts[i] > 0, None
            for j, b in enumerate(self.signs):
                if i == j or self._seldom(tested, self.counts[j] > 0):
                    continue
                owner, far = measure(a, b)
                worst = np.zeros(len(self.table), far.dtype)
                np.maximum.at(worst, owner, far)
                k = self._least(worst, tested, scale)
                if k is not None and (best is None or k < best[0]):
                    best = k, b, worst
            if best is not None:
                k, b, worst = best
                draft = self._draft(Condition(kind, a, b, k=k), tested, worst <= k)
                if draft is not None and (a, b) not in self._paired:
                    self._paired.add((a, b))
                    yield draft

    def _seldom(self, tested: Bools, holds: Bools) -> bool:
        every = int(tested.sum())
        return int((tested & ~holds).sum()) > self.limits.broken * every

    def _least(self, worst: NDArray[Any], tested: Bools, scale: Sequence[int]) -> int | None:
        """The smallest step of the scale that is kept to nearly always."""
        return next((k for k in scale if not self._seldom(tested, worst <= k)), None)

    def _edges(self) -> Iterator[Draft | None]:
        every = np.ones(len(self.table), bool)
        for sign, count in zip(self.signs, self.counts, strict=True):
            yield self._draft(Condition("has", sign), every, count > 0)
            for kind in ("opens", "closes"):
                yield self._draft(Condition(kind, sign), every)

    def _kept_to(self) -> Iterator[Draft | None]:
        """Parameters in a range, or of a few words; the commonest first."""
        values, windows = self.table.values, self.table.windows
        if values is None:
            return
        found = list(kept_to(values, windows, self.check, self.limits.alarms))
        found.sort(key=lambda kept: -int(kept.tested.sum()))
        for kept in found[:_PARAMETERS]:
            yield self._draft(Condition("has", kept.probe, wanted=False), kept.tested)

    def _at_most(self) -> Iterator[Draft | None]:
        """Each event at most so often, with room for twice as often as history had it; not what
        windows of so many lines could not break."""
        windows = self.table.windows
        longest = int(windows.sizes.max(initial=0)) if windows.kind == "count" else max(_TIMES) + 1
        for sign, count in zip(self.signs, self.counts, strict=True):
            top = (
                int(np.quantile(count[count > 0], 1.0 - self.limits.broken / 2))
                if count.any()
                else 0
            )
            k = next((k for k in _TIMES if k >= _SLACK * top), None)
            if k is not None and k < longest:
                yield self._draft(Condition("count", sign, k=k + 1, wanted=False), count > 0)
