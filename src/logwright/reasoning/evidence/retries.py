"""Retries: what was tried again, how often, and whether it was given up."""

from __future__ import annotations

import re
from dataclasses import dataclass

from logwright.reasoning.evidence.columns import Columns
from logwright.reasoning.evidence.phrases import Phrases

__all__ = ["Retries", "retries"]

_AGAIN = (
    "retrying", "retry attempt", "will retry", "retry in", "attempt * of", "already tried",
    "reconnecting", "trying again", "back-off restarting", "reattempt", "retry #", "retry number",
)  # fmt: skip
_UP = (
    "giving up", "gave up", "retries exhausted", "retry * exhausted", "max retries exceeded",
    "maximum number of retries", "exceeded max_failures", "after * attempts", "after * retries",
    "no more retries", "retries failed", "max attempts reached", "maximum attempts",
)  # fmt: skip
_PHRASES = Phrases([("again", phrase) for phrase in _AGAIN] + [("up", phrase) for phrase in _UP])
_NUMBER = re.compile(
    r"(?i)(?:tried|attempt|retry|retries)\D{0,12}(\d{1,6})|(\d{1,6})\s(?:attempts|retries)"
)


@dataclass(frozen=True, slots=True)
class Retries:
    """`lines` that tell of another try, in order; `most` is the largest number named in them (or
    the count of lines, where that is larger); `given_up` is the line that ends it, -1 for none."""

    lines: tuple[int, ...]
    most: int
    given_up: int

    @property
    def exhausted(self) -> bool:
        """Whether it was tried to the end in vain."""
        return self.given_up >= 0


def retries(columns: Columns) -> Retries | None:
    """What was tried again; None where nothing was.

    >>> from logwright.reasoning.material import Material
    >>> tries = [f"db: retrying, attempt {n} of 3" for n in (1, 2, 3)] + ["db: giving up"]
    >>> retries(Columns.of(Material.of_lines(tries)))
    Retries(lines=(0, 1, 2), most=3, given_up=3)
    """
    found = _PHRASES.find(columns)
    again = sorted(found.get("again", ()))
    up = min(found.get("up", ()), default=-1)
    if not again and up < 0:
        return None
    named = [
        _named(columns.material.lines[line]) for line in [*again[-200:], *([up] if up >= 0 else [])]
    ]
    return Retries(tuple(again), max([*named, len(again)]), up)


def _named(line: str) -> int:
    found = _NUMBER.search(line[:2000])
    return int(found[1] or found[2]) if found else 0
