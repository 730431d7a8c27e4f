"""Drafts: rules as induction proposes them, with what history says of each, written as source."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from logwright.rules.induction.predicates import Condition, counting, placing
from logwright.rules.induction.sightings import Seen, Sightings
from logwright.rules.language.words import quoted

__all__ = ["Draft", "Facts", "named", "written"]

_COLUMNS = 96
_TOLD = 400


@dataclass(frozen=True, slots=True)
class Facts:
    """How often a rule fired in history: (rightly, wrongly) on train and on the validation slice;
    `cases` are the distinct windows among those it was right on."""

    train: tuple[int, int]
    check: tuple[int, int]
    cases: int

    @property
    def support(self) -> int:
        """Windows on which it was right."""
        return self.train[0] + self.check[0]

    @property
    def precision(self) -> float:
        """The share of windows on which it was right; 0 where it never fired.

        >>> Facts((8, 1), (1, 0), 3).precision
        0.9
        """
        fired = self.support + self.train[1] + self.check[1]
        return self.support / fired if fired else 0.0


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposed rule: all of `conditions` must hold.

    `basis` says where it comes from: "covering" (it tells labelled windows apart), "words" (it
    looks for words of abnormal lines in lines never seen: a guess that history cannot prove), or
    "invariant" (it held in history; where `must_hold`, a breach is a finding). `target` is the
    class of anomaly where labels name several. `single`: only one form of window supports it, so it
    should stay a draft. `examples` and `counter_examples` are numbers of windows of the sample.
    """

    name: str
    kind: Literal["abnormal", "normal"]
    basis: Literal["covering", "words", "invariant"]
    conditions: tuple[Condition, ...]
    facts: Facts
    must_hold: bool = False
    target: str = ""
    single: bool = False
    examples: tuple[int, ...] = ()
    counter_examples: tuple[int, ...] = ()

    def fires(self, table: Sightings) -> NDArray[np.bool_]:
        """Whether the rule is true, per window, as its source would say."""
        found = np.ones(len(table), bool)
        for condition in self.conditions:
            found &= condition.holds(table)
        return found

    @property
    def source(self) -> str:
        """The function in the language of rules."""
        return written(self.conditions, self._docstring())

    def _docstring(self) -> list[str]:
        told = " and ".join(condition.told for condition in self.conditions)
        if len(told) > _TOLD:
            told = told[: _TOLD - 3] + "..."
        facts = self.facts
        if self.basis == "invariant":
            broke = facts.train[1] + facts.check[1]
            first = f"Healthy: {told}."
            second = f"Held in {facts.support:,} windows of history; {broke:,} broke it."
            return [first, second]
        what = f"{self.target or 'abnormal'}" if self.kind == "abnormal" else "normal"
        first = f"{what.capitalize() if what.islower() else what}: {told}."
        second = (
            f"Of the windows where this holds {_share(facts.train)} of train and "
            f"{_share(facts.check)} of validation were {what} ({facts.cases:,} distinct)."
        )
        paragraphs = [first, second]
        if self.basis == "words":
            paragraphs.append(
                "These words stood in abnormal lines only. That other lines with them are abnormal "
                "too is a guess: watch it before it alarms."
            )
        if self.single:
            paragraphs.append("Only one form of window supports it: it stays a draft.")
        return paragraphs


def _share(counts: tuple[int, int]) -> str:
    return f"{counts[0]:,} of {sum(counts):,}"


def written(conditions: Sequence[Condition], paragraphs: Sequence[str]) -> str:
    """A rule of these conditions. What is compared or counted twice gets a name.

    >>> from logwright.rules.induction.signs import Sign
    >>> sign = Sign("phrase", "disk full")
    >>> print(written([Condition("has", sign)], ["Abnormal: a line has 'disk full'."]))
    def rule(w: Window) -> bool:
        \"\"\"Abnormal: a line has 'disk full'.\"\"\"
        return any(phrase(line.text, "disk full") for line in w.lines)
    <BLANKLINE>
    """
    names = _names(conditions)
    lines = ["def rule(w: Window) -> bool:", *_doc(paragraphs)]
    for (sign, what), name in names.items():
        value = counting(sign) if what == "count" else placing(sign)
        lines.append(f"    {name} = {value}")
    parts = [condition.source(names) for condition in conditions]
    whole = f"    return {' and '.join(parts)}"
    if len(whole) <= _COLUMNS + 4:
        lines.append(whole)
    else:
        lines += ["    return (", f"        {parts[0]}"]
        lines += [f"        and {part}" for part in parts[1:]]
        lines.append("    )")
    return "\n".join(lines) + "\n"


def _names(conditions: Iterable[Condition]) -> dict[tuple[Seen, Literal["count", "first"]], str]:
    names: dict[tuple[Seen, Literal["count", "first"]], str] = {}
    wanted: list[tuple[Seen, Literal["count", "first"], str]] = []
    for condition in conditions:
        wanted += [(sign, "count", f"n_{sign.label}") for sign in condition.counted]
        wanted += [(sign, "first", f"at_{sign.label}") for sign in condition.placed]
    for sign, what, stem in wanted:
        taken, name, number = set(names.values()), stem, 2
        while name in taken:
            name, number = f"{stem}_{number}", number + 1
        names.setdefault((sign, what), name)
    return names


def _doc(paragraphs: Sequence[str]) -> list[str]:
    safe = [quoted(p.replace('"', "'"))[1:-1] for p in paragraphs]
    wrapped = [textwrap.wrap(p, _COLUMNS - 4, break_long_words=False) for p in safe]
    if len(wrapped) == 1 and len(wrapped[0]) == 1:
        return [f'    """{wrapped[0][0]}"""']
    lines = [f'    """{wrapped[0][0]}', *(f"    {line}" for line in wrapped[0][1:])]
    for more in wrapped[1:]:
        lines += ["", *(f"    {line}" for line in more)]
    return [*lines, '    """']


def named(drafts: Iterable[Draft]) -> list[Draft]:
    """The same drafts, with names that differ."""
    taken: set[str] = set()
    found = []
    for draft in drafts:
        name, number = draft.name, 2
        while name in taken:
            name, number = f"{draft.name}_{number}", number + 1
        taken.add(name)
        found.append(replace(draft, name=name))
    return found
