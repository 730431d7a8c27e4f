"""Hypotheses: the causes that lines speak for, weighed against each other.

A line that names a cause is worth more than one that only fits it; less where its level says that
nothing is wrong, and nothing where healthy runs have it too. A cause whose messages follow from
another one (the catalogue tells) counts as that one's victim, unless it came well before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logwright.logs.batch import NO_TIME
from logwright.reasoning.evidence.catalogue import HINTS, SAYS, Cause, catalogue
from logwright.reasoning.evidence.clues import Clues
from logwright.reasoning.evidence.columns import WARNING

__all__ = ["LEAST", "Evidence", "Hypothesis", "weighed"]

LEAST = 0.3
"""The weight from which on a cause is named."""

_NAMES, _FITS = 0.75, 0.3
_VICTIM = 0.35
"""What is left of the weight of a cause that follows from another one."""
_WRAPPER = 0.5
"""What a line of an exception is worth that another one caused."""
_EXPLAINS = 0.4
"""The weight of a line from which on it names a cause: more than a line that only fits has."""
_EARLIER = 600 * 1_000_000_000
"""So much earlier (ns) is too early for a victim."""
_FIRST = 1.15
"""What the first in time of several causes is worth more: a warning that comes first outweighs an
error that comes later."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A line that speaks for a cause, where in it (bytes), and how much."""

    line: int
    span: tuple[int, int] | None
    weight: float


@dataclass(slots=True)
class Hypothesis:
    """A cause, what speaks for it (one line of each shape, the weightiest first, then by time),
    its weight, and the cause that it follows from, if any."""

    cause: Cause
    evidence: list[Evidence]
    weight: float
    first: int
    behind: str = ""
    told: bool = False
    """Whether a flowchart weighed it against others: then it is not their victim."""
    ruled_out: bool = False
    """Whether a flowchart ruled it out: then nothing follows from it."""


def weighed(
    clues: Clues, told: Sequence[tuple[str, Sequence[Evidence], float]] = ()
) -> list[Hypothesis]:
    """The hypotheses, the weightiest first. `told` is what a flowchart has found out already: a
    cause, its evidence, and what is left of its weight (1 for the cause it leads to)."""
    found = []
    extra = {name: evidence for name, evidence, _ in told}
    left = {name: share for name, _, share in told}
    for cause in catalogue():
        evidence = [*extra.get(cause.name, ()), *_evidence(clues, cause)]
        if evidence:
            found.append(_hypothesis(clues, cause, evidence))
            found[-1].told = cause.name in extra
            found[-1].ruled_out = left.get(cause.name, 1.0) < 1
            found[-1].weight *= left.get(cause.name, 1.0)
    _subordinate(clues, found)
    lead = max((h.weight for h in found if h.told and not h.ruled_out), default=1.0)
    for hypothesis in found:
        if hypothesis.ruled_out:  # by a flowchart: it does not come before the cause that was found
            hypothesis.weight = min(hypothesis.weight, left[hypothesis.cause.name] * lead)
    earliest = min(
        (h.first for h in found if not h.behind and not h.ruled_out), key=clues.time, default=-1
    )
    for hypothesis in found:
        if hypothesis.first == earliest:
            hypothesis.weight = min(0.97, hypothesis.weight * _FIRST)
    order = {cause.name: place for place, cause in enumerate(catalogue())}
    return sorted(
        found, key=lambda h: (-round(h.weight, 3), clues.time(h.first), order[h.cause.name])
    )


def _evidence(clues: Clues, cause: Cause) -> list[Evidence]:
    found: dict[int, Evidence] = {}
    for names, worth in ((SAYS, _NAMES), (HINTS, _FITS)):
        for line, span in clues.hits.get(names + cause.name, {}).items():
            if names == HINTS and 0 < clues.columns.level[line] < WARNING:
                continue
            weight = worth * clues.grave(line) * (1 - clues.usual(line))
            if line in clues.wrappers:
                weight *= _WRAPPER
            if weight > 0 and line not in found:
                found[line] = Evidence(line, span, weight)
    return list(found.values())


def _hypothesis(clues: Clues, cause: Cause, evidence: list[Evidence]) -> Hypothesis:
    best: dict[int, Evidence] = {}
    for one in evidence:
        shape = int(clues.columns.shape[one.line])
        held = best.get(shape)
        if held is None or (-one.weight, clues.time(one.line), one.line) < (
            -held.weight, clues.time(held.line), held.line
        ):  # fmt: skip
            best[shape] = one
    kept = sorted(best.values(), key=lambda e: (-round(e.weight, 1), clues.time(e.line), e.line))
    doubt = 1.0
    for place, one in enumerate(kept[:5]):
        doubt *= 1 - one.weight * (1.0 if place == 0 else 0.4)
    first = clues.by_time([one.line for one in evidence])[0]
    return Hypothesis(cause, kept, 1 - doubt, first)


def _subordinate(clues: Clues, found: list[Hypothesis]) -> None:
    """Take victims back behind what they follow from."""
    for victim in found:
        for other in found:
            if (
                other is victim
                or (victim.told and other.told)
                or victim.cause.name not in other.cause.explains
            ):
                continue
            if other.ruled_out or not _sure(other) or other.behind == victim.cause.name:
                continue
            if _too_early(clues, victim.first, other.first):
                continue
            victim.behind = other.cause.name
            break
    for hypothesis in found:
        if hypothesis.behind:
            hypothesis.weight *= _VICTIM


def _sure(hypothesis: Hypothesis) -> bool:
    """Whether a line names it, so that others can follow from it."""
    return hypothesis.evidence[0].weight >= _EXPLAINS


def _too_early(clues: Clues, victim: int, other: int) -> bool:
    at, than = clues.time(victim), clues.time(other)
    return NO_TIME not in (at, than) and than - at > _EARLIER
