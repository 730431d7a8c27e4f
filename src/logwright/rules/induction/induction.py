"""Induction: rules from labelled windows, with no language model.

Distinct windows (`candidates`) are searched for conjunctions that tell abnormal ones (`covering`),
class by class, then for ones that tell normal ones and never fire on an abnormal one; then words of
abnormal lines are looked for that may be met again in lines never seen (`heard`). Without labels
only invariants of healthy windows are proposed (`invariants`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from logwright.errors import LogwrightError
from logwright.rules.induction.candidates import Candidates, cases_of, marks_of
from logwright.rules.induction.covering import Bounds, Clause, Cover, Weights
from logwright.rules.induction.drafts import Draft, Facts, named
from logwright.rules.induction.heard import heard_words, needed
from logwright.rules.induction.parting import parting
from logwright.rules.induction.predicates import Condition
from logwright.rules.induction.probes import Probe
from logwright.rules.induction.sightings import Sightings
from logwright.rules.induction.signs import Sign
from logwright.rules.induction.values import Messages, Values
from logwright.windows.window import Windows

__all__ = ["ABNORMAL", "NORMAL", "Sample", "induce"]

Bools = NDArray[np.bool_]
_Kind = Literal["abnormal", "normal"]

ABNORMAL = Bounds()
NORMAL = Bounds(precision=0.99, cases=1, conditions=4, rules=10)
"""What abnormal rules and normal rules must keep to."""

_DAMPING = 0.5
"""A form of window that came n times weighs n to this power."""

_NORMAL_SHARE = 0.01
"""A normal rule covers at least this share of the normal windows."""

_SURE = 0.9995
"""Precision of a normal rule, as it can hide what is abnormal."""

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Sample:
    """History to induce from, in order of time.

    `texts` are the templates' texts by index (None: not known) and `ids` their ids; `labels` tell
    each window's class, "" or False for normal; windows from number `check` on are the validation
    slice. `messages` gives what records hold, by the row numbers of events; without it, or without
    texts, no parameter is looked at.
    """

    windows: Windows
    texts: Sequence[str] | None
    ids: Sequence[str]
    labels: Sequence[str] | Bools
    check: int
    messages: Messages | None = None

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.windows):
            raise LogwrightError(
                f"{len(self.labels):,} labels for {len(self.windows):,} windows: expected one each"
            )

    def classes(self) -> dict[str, Bools]:
        """The windows of each class of anomaly; "" is the only one where labels name none.

        >>> windows = Windows.of_sequences([[0], [0], [0]])
        >>> sample = Sample(windows, None, ["a"], ["", "disk", "net"], 2)
        >>> {name: which.tolist() for name, which in sample.classes().items()}
        {'disk': [False, True, False], 'net': [False, False, True]}
        """
        if isinstance(self.labels, np.ndarray):
            return {"": self.labels.astype(bool)}
        array = np.array(self.labels, object)
        return {name: array == name for name in sorted(set(self.labels) - {""})}


def induce(
    sample: Sample,
    bounds: Bounds = ABNORMAL,
    normal: Bounds | None = NORMAL,
    words: bool = True,
) -> list[Draft]:
    """Rules for the classes of anomaly of a sample, and for normal windows (None: no such ones).

    >>> windows = Windows.of_sequences([[0], [0, 1], [0], [0, 0, 1], [0], [0, 1, 1]])
    >>> abnormal = np.array([False, True, False, True, False, True])
    >>> sample = Sample(windows, ["all is well", "disk <*> failed"], ["t-1", "t-2"], abnormal, 4)
    >>> print(induce(sample, normal=None, words=False)[0].source.splitlines()[-1].strip())
    return any(phrase(line.text, "failed") for line in w.lines)
    """
    return named(_Induction(sample).drafts(bounds, normal, words))


class _Induction:
    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        windows, texts, ids = sample.windows, sample.texts, sample.ids
        self.early = np.arange(len(windows)) < sample.check
        values, probes, marks = None, list[Probe](), None
        if texts is not None and sample.messages is not None:
            values = Values.of(windows, texts, sample.messages)
            told = (parting(values, windows, c, self.early) for c in sample.classes().values())
            probes = list(dict.fromkeys(probe for each in told for probe in each))
            marks = marks_of(windows, values, probes)
        self.cases = cases_of(windows, marks)
        self.candidates = Candidates(
            windows, texts, ids, self.cases, values, probes, sample.messages
        )
        self.table = Sightings(windows, texts, ids, values)

    def drafts(self, bounds: Bounds, normal: Bounds | None, words: bool) -> Iterator[Draft]:
        classes = self.sample.classes()
        abnormal = np.zeros(len(self.sample.windows), bool)
        for name, which in classes.items():
            abnormal |= which
            found = self._covered(which, bounds, "abnormal", name)
            yield from found
            yield from self._singles(which, bounds, name, found)
            if words and self.sample.texts is not None:
                yield from self._worded(which, bounds, name)
        if normal is not None and abnormal.any():
            least = max(_NORMAL_SHARE * float((~abnormal).sum()), normal.support)
            found = self._covered(~abnormal, normal, "normal", "")
            for draft in found:
                sure = draft.facts.precision >= _SURE and not draft.facts.check[1]
                if sure and draft.facts.support >= least:
                    yield draft

    def _weights(self, which: Bools, early: Bools) -> Weights:
        weights = Weights(self.cases.weights(early & which), self.cases.weights(early & ~which))
        return weights.damped(_DAMPING)

    def _covered(self, which: Bools, bounds: Bounds, kind: _Kind, target: str) -> list[Draft]:
        costs = self.candidates.costs
        if kind == "normal" and self.sample.windows.kind != "session":
            # One healthy line says nothing of the lines that happen to stand beside it.
            costs[:, [c.kind != "only" for c in self.candidates.conditions]] = np.inf
        cover = Cover(self.candidates.matrix, costs, bounds)
        train, check = self._weights(which, self.early), self._weights(which, ~self.early)
        return [
            self._draft(self._conditions(clause), which, kind, target)
            for clause in cover.clauses(train, check)
        ]

    def _singles(
        self, which: Bools, bounds: Bounds, target: str, found: Sequence[Draft]
    ) -> Iterator[Draft]:
        """Rules for what is left over, where only one form of window supports them."""
        left = which.copy()
        for draft in found:
            left &= ~draft.fires(self.table)
        if not left.any():
            return
        one = replace(bounds, precision=1.0, support=1.0, cases=1)
        cover = Cover(self.candidates.matrix, self.candidates.costs, one)
        both = self._weights(which, np.ones(len(which), bool))
        rest = Weights(np.where(self.cases.weights(left) > 0, both.positive, 0.0), both.negative)
        nothing = Weights(np.zeros(len(self.cases)), np.zeros(len(self.cases)))
        for clause in cover.clauses(rest, nothing):
            draft = self._draft(self._conditions(clause), which, "abnormal", target)
            yield replace(draft, single=draft.facts.cases < bounds.cases)

    def _conditions(self, clause: Clause) -> tuple[Condition, ...]:
        conditions = self.candidates.conditions
        found = [conditions[at] if yes else conditions[at].turned() for at, yes in clause.literals]
        return tuple(sorted(found, key=lambda condition: condition.cost))

    def _worded(self, which: Bools, bounds: Bounds, target: str) -> Iterator[Draft]:
        assert self.sample.texts is not None
        groups = heard_words(
            self.sample.windows, self.sample.texts, which, bounds.precision, bounds.support
        )
        asked = [(Condition("has", Sign("words", " ".join(words))),) for words in groups]
        for at in needed(groups, [self.table_holds(each) & which for each in asked]):
            draft = self._draft(asked[at], which, "abnormal", target)
            yield replace(
                draft,
                basis="words",
                name=f"words_{draft.name}",
                single=draft.facts.cases < bounds.cases,
            )

    def _draft(
        self, conditions: tuple[Condition, ...], which: Bools, kind: _Kind, target: str
    ) -> Draft:
        held = self.table_holds(conditions)
        hits = np.flatnonzero(held & which)
        misses = np.flatnonzero(~held & ~which)
        facts = Facts(
            (int((held & which & self.early).sum()), int((held & ~which & self.early).sum())),
            (int((held & which & ~self.early).sum()), int((held & ~which & ~self.early).sum())),
            len(np.unique(self.cases.of[hits])),
        )
        name = conditions[0].a.label if conditions[0].kind != "length" else "length"
        return Draft(
            name if kind == "abnormal" else f"normal_{name}",
            kind,
            "covering",
            conditions,
            facts,
            target=target,
            examples=self._distinct(hits),
            counter_examples=self._distinct(misses),
        )

    def table_holds(self, conditions: Sequence[Condition]) -> Bools:
        """Whether all conditions hold, per window."""
        held = np.ones(len(self.sample.windows), bool)
        for condition in conditions:
            held &= condition.holds(self.table)
        return held

    def _distinct(self, windows: NDArray[np.intp]) -> tuple[int, ...]:
        """A few windows of different forms, to be shown."""
        _, first = np.unique(self.cases.of[windows], return_index=True)
        return tuple(int(at) for at in np.sort(windows[first])[:_SHOWN])
