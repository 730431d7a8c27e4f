"""Severity: how bad lines are, by their level, and by what their words name."""

from __future__ import annotations

from collections.abc import Iterable

from logwright.templates.wording import GRAVE, SYMPTOM, trouble

__all__ = ["rank"]

_OF_LEVEL = {7: 3, 6: 2, 5: 1}
"""Ranks of critical, error and warning."""


def rank(level: int, texts: Iterable[str]) -> int:
    """The index into `SEVERITIES` for lines of this level at most, of templates with these texts:
    the higher one of what the level says and of what the words say.

    >>> rank(5, ["slow request"]), rank(3, ["request failed"]), rank(5, ["no space left on device"])
    (1, 1, 2)
    """
    named = max(map(trouble, texts), default=0)
    words = 2 if named >= GRAVE else int(named >= SYMPTOM)
    return max(_OF_LEVEL.get(level, 0), words)
