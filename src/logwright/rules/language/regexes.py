"""Regexes: which patterns rules may use, and what text every match of one must hold.

Accepted is what runs in linear time under RE2 and Hyperscan, and close to it under engines that try
one way after the other, as Python's `re` does. How many ways there can be is bounded from the tree:
a repetition whose next character can also be the one that follows it is a choice at each place. Of
such ones without an end there may be one, and none behind it that can begin inside what it matches,
so that a search costs at most the square of the text's length. The choices of all others together
may be at most `MOST_WAYS`. Several gaps in one pattern are what `like` is for, which is linear.
"""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Any

from logwright.rules.language.pattern_tree import (
    ALL,
    Alt,
    At,
    Chars,
    Group,
    Node,
    Repeat,
    Seq,
    read_pattern,
)  # fmt: skip
from logwright.rules.language.problem import RuleError

__all__ = ["check", "literals"]

MOST_PATTERN = 500
MOST_WAYS = 64
_MOST_UNBOUNDED = 8
_LONG = 16
"""A counted repetition of more than so many is taken for one without an end."""

_MOST_LITERALS = 20
_END = -1
"""What stands for the end of the text in sets of what can come next."""

_LINE_END = frozenset({10, _END})


@lru_cache(maxsize=4096)
def check(pattern: str) -> int:
    r"""The number of groups of a pattern that rules may use; `RuleError` says why one is refused.

    >>> check(r"took (\d+) ms")
    1
    >>> check("a.*b.*c")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    logwright.rules.language.problem.RuleError: <rule>: the pattern has two repetitions ...
    """
    if not pattern:
        raise RuleError("the pattern is empty: it would match anything")
    if len(pattern) > MOST_PATTERN:
        raise RuleError(f"the pattern has {len(pattern)} characters: write at most {MOST_PATTERN}")
    node, groups, _ = read_pattern(pattern)
    _Ways().check(node)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            re.compile(pattern, re.ASCII)
        except (re.error, Warning, RecursionError, OverflowError) as error:
            raise RuleError(f"the pattern cannot be read: {error}") from None
    _check_re2(pattern)
    return groups


def _check_re2(pattern: str) -> None:
    """RE2 has the last word where it is installed (extra `fast`)."""
    try:
        import re2
    except ImportError:
        return
    try:
        re2.compile(pattern)
    except Exception as error:  # noqa: BLE001 - its errors have no common base
        raise RuleError(f"the pattern cannot be read by RE2: {error}") from None


class _Ways:
    def __init__(self) -> None:
        self.unbounded, self.open, self.total = 0, 0, 1

    def check(self, node: Node) -> None:
        self._visit(node, frozenset(), frozenset(), True)

    def _visit(
        self, node: Node, behind: frozenset[int], follow: frozenset[int], last: bool
    ) -> None:
        """Count the choices below; `behind` is what can stand before, `follow` what can come next,
        `last` whether nothing must."""
        match node:
            case Group(part):
                self._visit(part, behind, follow, last)
            case Seq(parts):
                for i, part in enumerate(parts):
                    rest, before = parts[i + 1 :], parts[:i]
                    ahead, past = _firsts(rest), _lasts(before)
                    free = all(map(_empty, rest))
                    ahead = ahead | follow if free else ahead
                    past = past | behind if all(map(_empty, before)) else past
                    self._visit(part, past, ahead, last and free)
            case Alt(parts):
                firsts = [_first(part) for part in parts]
                crossing = sum(bool(a & b) for i, a in enumerate(firsts) for b in firsts[:i])
                if crossing:
                    self._more(1 + min(crossing, len(parts) - 1))
                for part in parts:
                    self._visit(part, behind, follow, last)
            case Repeat():
                self._repeat(node, behind, follow, last)

    def _repeat(
        self, node: Repeat, behind: frozenset[int], follow: frozenset[int], last: bool
    ) -> None:
        part, most = node.part, node.most
        endless = most is None or most > _LONG
        again = _first(part)
        if most is None or most > 1:
            self._inside(part, most, again | follow)
        else:
            self._visit(part, behind, follow, last)
        self.unbounded += endless
        if self.unbounded > _MOST_UNBOUNDED:
            raise RuleError(f"the pattern has more than {_MOST_UNBOUNDED} repetitions: write two")
        restarts = endless and self.open > 0 and bool(again & behind)
        if last or not (again & follow or restarts):
            return
        if endless:
            self.open += 1
            if self.open > 1:
                raise RuleError(
                    "the pattern has two repetitions that can each end at many places: write two "
                    'searches joined by and, or like(text, "*a*b*")'
                )
        else:
            assert most is not None
            self._more(most - node.least + 1)

    def _inside(self, part: Node, most: int | None, follow: frozenset[int]) -> None:
        """What stands inside a repetition must be read in one way only."""
        if _empty(part):
            raise RuleError("the pattern repeats what can be empty: leave one repetition out")
        inner = _Ways()
        inner._visit(part, ALL, follow, False)
        if inner.unbounded:
            raise RuleError("the pattern repeats what itself repeats without an end: write one")
        if inner.total > 1:
            if most is None or most > _LONG:
                raise RuleError("the pattern repeats what can be read in several ways: write one")
            self._more(min(inner.total**most, MOST_WAYS + 1))

    def _more(self, ways: int) -> None:
        self.total *= ways
        if self.total > MOST_WAYS:
            raise RuleError(
                "the pattern can be read in too many ways: write several searches joined by or"
            )


def _empty(node: Node) -> bool:
    match node:
        case Group(part):
            return _empty(part)
        case Seq(parts):
            return all(map(_empty, parts))
        case Alt(parts):
            return any(map(_empty, parts))
        case Repeat(part, least, _):
            return not least or _empty(part)
    return False


def _first(node: Node) -> frozenset[int]:
    match node:
        case Chars(codes, _):
            return codes
        case At(kind):
            return _LINE_END if kind == "$" else ALL | {_END}
        case Group(part) | Repeat(part, _, _):
            return _first(part)
        case Seq(parts):
            return _firsts(parts)
        case Alt(parts):
            return frozenset().union(*map(_first, parts))


def _firsts(parts: tuple[Node, ...]) -> frozenset[int]:
    found: frozenset[int] = frozenset()
    for part in parts:
        found |= _first(part)
        if not _empty(part):
            break
    return found


def _last(node: Node) -> frozenset[int]:
    match node:
        case Chars(codes, _):
            return codes
        case At():
            return ALL
        case Group(part) | Repeat(part, _, _):
            return _last(part)
        case Seq(parts):
            return _lasts(parts)
        case Alt(parts):
            return frozenset().union(*map(_last, parts))


def _lasts(parts: tuple[Node, ...]) -> frozenset[int]:
    found: frozenset[int] = frozenset()
    for part in reversed(parts):
        found |= _last(part)
        if not _empty(part):
            break
    return found


@lru_cache(maxsize=4096)
def literals(pattern: str) -> tuple[str, ...]:
    r"""Texts one of which stands in every text the pattern matches; none where nothing is sure.

    >>> literals(r"in \d+ (failed|gone)"), literals(r"\d+"), literals("(?i)disk")
    (('failed', 'gone'), (), ())
    """
    node, _, folds = read_pattern(pattern)
    found = () if folds else _must(node)
    return found if len(found) <= _MOST_LITERALS else ()


def _must(node: Node) -> tuple[str, ...]:
    match node:
        case Chars(_, char):
            return (char,) if char else ()
        case Group(part):
            return _must(part)
        case Repeat(part, least, _):
            return _must(part) if least else ()
        case Alt(parts):
            each = [_must(part) for part in parts]
            return tuple(dict.fromkeys(t for one in each for t in one)) if all(each) else ()
        case Seq(parts):
            return max(_runs(parts), key=_worth, default=())
    return ()


def _runs(parts: tuple[Node, ...]) -> list[tuple[str, ...]]:
    """What each part, and each run of single characters, asks for."""
    found: list[tuple[str, ...]] = []
    run = ""
    for part in parts:
        if isinstance(part, Chars) and part.char:
            run += part.char
            continue
        found.append((run,) if run else ())
        run = ""
        found.append(_must(part))
    return [*found, (run,) if run else ()]


def _worth(texts: tuple[str, ...]) -> Any:
    shortest = min(map(len, texts), default=0)
    return min(shortest, 6), -len(texts), shortest
