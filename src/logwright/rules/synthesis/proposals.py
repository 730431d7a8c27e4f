"""Proposals: the rules that conversations ended with, without those that others make needless."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from logwright.llm.fence import visible
from logwright.rules.induction.drafts import Facts
from logwright.rules.language.emit import emit
from logwright.rules.language.tree import Function
from logwright.rules.synthesis.attempt import Accepted, Attempt
from logwright.rules.synthesis.diary import Diary
from logwright.rules.synthesis.exam import Side
from logwright.rules.synthesis.prompts import Kind

__all__ = ["Proposal", "kept", "label"]

Bools = NDArray[np.bool_]

_LEAST_NEW = 2
_NAME_WORDS, _NAME_CHARS = 5, 44
_EXAMPLES = 3


@dataclass(frozen=True)
class Proposal:
    """A draft that a model wrote. `examples` and `counter_examples` are numbers of windows that it
    must match and must not match."""

    name: str
    kind: Kind
    target: str
    function: Function
    facts: Facts
    examples: tuple[int, ...]
    counter_examples: tuple[int, ...]
    fires: Bools
    provenance: str = "model"

    @property
    def source(self) -> str:
        """The function in the language of rules."""
        return emit(self.function)


def kept(side: Side, attempts: Sequence[Attempt], diary: Diary) -> Iterator[Proposal]:
    """Greedy cover: the rule that tells most windows of a side, then the one that tells most of
    those left, until the next would tell fewer than two more."""
    rest = [(a, a.best) for a in attempts if a.side is side and a.best is not None]
    left, taken = side.which.copy(), set[str]()
    while rest:
        gains = [int((best.result.fires & left).sum()) for _, best in rest]
        at = int(np.argmax(gains))
        if gains[at] < _LEAST_NEW:
            for attempt, _ in rest:
                diary.say(f"{attempt.name} is left out: other rules tell its windows")
            return
        attempt, best = rest.pop(at)
        left &= ~best.result.fires
        yield _proposal(attempt, best, taken)


def label(text: str) -> str:
    """Small letters, digits and underscores.

    >>> label("Data TLB error!")
    'data_tlb_error'
    """
    return "_".join(re.findall(r"[a-z0-9]+", text.lower()))


def _proposal(attempt: Attempt, best: Accepted, taken: set[str]) -> Proposal:
    names, side, fires = attempt.hidden, attempt.side, best.result.fires
    # A docstring is read by people and by nobody else; yet it goes where hidden values do not.
    doc = "\n".join(map(visible, names.mask(names.hide(best.function.doc)).split("\n")))
    members = attempt.anchored.members
    return Proposal(
        _named(doc, side, taken),
        side.kind,
        side.target,
        replace(best.function, doc=doc),
        best.result.facts,
        tuple(int(i) for i in members[fires[members]][:_EXAMPLES]),
        tuple(i for i in attempt.anchored.opposites if not fires[i]),
        fires,
    )


def _named(doc: str, side: Side, taken: set[str]) -> str:
    """A file's name from the first words of a docstring, that no other rule of the side has."""
    parts = [label(side.target), label(" ".join(doc.split()[:_NAME_WORDS]))[:_NAME_CHARS]]
    stem = "_".join(part for part in parts if part).strip("_")[:_NAME_CHARS] or "rule"
    if side.kind == "normal" or not stem[0].isalpha():
        stem = f"{side.kind}_{stem}"
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}_{number}", number + 1
    taken.add(name)
    return name
