r"""Patterns: what the tree of a regular expression tells before any text is searched.

* `is_level`: it takes all digits alike, so that it matches a text where, and only where, it matches
  the text with each digit made a 0.
* `literals`: texts of which at least one stands in all that it matches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from re import _constants as ops  # type: ignore[attr-defined]  # isort: skip
from re import _parser as parser  # type: ignore[attr-defined]  # isort: skip

__all__ = ["is_level", "level", "literals"]

_DIGITS = frozenset(range(48, 58))
_ZEROS = str.maketrans("123456789", "000000000")
_WITH_DIGITS = frozenset({ops.CATEGORY_DIGIT, ops.CATEGORY_WORD, ops.CATEGORY_NOT_SPACE})
_FLAT = frozenset({ops.ANY, ops.AT, ops.CATEGORY})


def level(text: str) -> str:
    """The text with each ASCII digit made a 0.

    >>> level("core.2275")
    'core.0000'
    """
    return text.translate(_ZEROS)


@lru_cache(maxsize=4096)
def is_level(pattern: str) -> bool:
    r"""Whether the pattern takes all digits alike.

    >>> is_level(r"core\.\d+"), is_level("code=5"), is_level(r"(\d)\1")
    (True, False, False)
    """
    return _level(parser.parse(pattern, re.ASCII))


def _level(parsed: Iterable[Any]) -> bool:
    for op, value in parsed:
        if op in (ops.LITERAL, ops.NOT_LITERAL):
            fits = value not in _DIGITS
        elif op is ops.IN:
            fits = _set_is_level(value)
        elif op is ops.BRANCH:
            fits = all(map(_level, value[1]))
        elif op in (ops.SUBPATTERN, ops.MAX_REPEAT, ops.MIN_REPEAT, ops.ASSERT, ops.ASSERT_NOT):
            fits = _level(value[-1])
        else:
            fits = op in _FLAT
        if not fits:
            return False
    return True


def _set_is_level(items: Iterable[Any]) -> bool:
    held: set[int] = set()
    for op, value in items:
        if op is ops.LITERAL:
            held.add(value)
        elif op is ops.RANGE:
            held.update(range(max(value[0], 48), min(value[1], 57) + 1))
        elif op is ops.CATEGORY and value in _WITH_DIGITS:
            held |= _DIGITS
    return len(held & _DIGITS) in (0, 10)


@lru_cache(maxsize=4096)
def literals(pattern: str) -> tuple[bool, tuple[str, ...]]:
    r"""Whether the texts are in lower case, for a text made lower case, and the texts; none where
    nothing is known.

    >>> literals(r"core\.\d+"), literals("(?i)ERROR|panic"), literals(r"\d+")
    ((False, ('core.',)), (True, ('error', 'panic')), (False, ()))
    """
    parsed = parser.parse(pattern, re.ASCII)
    folded = bool(parsed.state.flags & re.IGNORECASE)
    found = _literals(parsed)
    if folded:
        found = tuple(text.lower() for text in found) if all(map(str.isascii, found)) else ()
    return folded, found


def _literals(parsed: Iterable[Any]) -> tuple[str, ...]:
    """The alternatives of which the shortest is longest."""
    best: tuple[str, ...] = ()
    run = ""
    for op, value in parsed:
        if op is ops.LITERAL:
            run += chr(value)
            best = _better(best, (run,))
            continue
        run = ""
        if op is ops.BRANCH:
            each = [_literals(branch) for branch in value[1]]
            if all(each):
                best = _better(best, tuple({text: None for texts in each for text in texts}))
        elif op is ops.SUBPATTERN:
            if not value[1] and not value[2]:  # else flags change inside
                best = _better(best, _literals(value[3]))
        elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT) and value[0] > 0:
            best = _better(best, _literals(value[2]))
    return best


def _better(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    return max(a, b, key=lambda texts: min(map(len, texts), default=0))
