"""Patterns: a row of items in which some positions may hold any word, or any list.

A template's pattern covers shapes that history did not hold. `Matcher` finds the pattern that
covers a row, the most specific first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from logwright.templates.grouping import is_delimiter

__all__ = ["Items", "Matcher", "Pattern", "aligned"]

Items = tuple[bytes, ...]
Places = frozenset[int]

_ANY, _LIST = b"\x00*", b"\x00+"


@dataclass(slots=True, frozen=True)
class Pattern:
    """A row of items; at the positions `wild` any word or run will do, at `lists` any run."""

    items: Items
    wild: Places = frozenset()
    lists: Places = frozenset()


class Matcher:
    """The number of the pattern that covers a row: the most specific, then the first.

    >>> user = Pattern((b"user", b" ", b"ann"), frozenset({2}))
    >>> Matcher([user]).match((b"user", b" ", b"bob"))
    0
    >>> Matcher([user, Pattern((b"user", b" ", b"bob"))]).match((b"user", b" ", b"bob"))
    1
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._numbers: dict[Items, int] = {}
        ways: dict[Items, set[tuple[Places, Places]]] = {}
        for number, p in enumerate(patterns):
            self._numbers.setdefault(_masked(p.items, p.wild, p.lists), number)
            ways.setdefault(_skeleton(p.items), set()).add((p.wild, p.lists))
        # by skeleton the positions that vary, fewest first
        self._ways = {
            key: sorted(found, key=lambda p: (len(p[0]) + len(p[1]), sorted(p[0]), sorted(p[1])))
            for key, found in ways.items()
        }

    def match(self, items: Items) -> int:
        """The pattern's number, -1 where none covers these items."""
        for wild, lists in self._ways.get(_skeleton(items), ()):
            number = self._numbers.get(_masked(items, wild, lists))
            if number is not None:
                return number
        return -1


def aligned(patterns: Sequence[Pattern]) -> tuple[Places, Places] | None:
    """The positions, wild and lists, in which patterns differ or vary; None where their delimiters
    differ, so that they have no common text.

    >>> aligned([Pattern((b"disk", b" ", b"sda")), Pattern((b"disk", b" ", b"sdb"))])
    (frozenset({2}), frozenset())
    """
    if len({_skeleton(p.items) for p in patterns}) != 1:
        return None
    rows = [_masked(p.items, p.wild, p.lists) for p in patterns]
    wild, lists = set(), set()
    for at, items in enumerate(zip(*rows, strict=True)):
        found = set(items)
        if _ANY in found or (len(found) > 1 and any(i[:1] != b"\x00" for i in found)):
            wild.add(at)
        elif _LIST in found or len(found) > 1:
            lists.add(at)
    return frozenset(wild), frozenset(lists)


def _skeleton(items: Items) -> Items:
    """The delimiters of a row, all else being alike."""
    return tuple([i if is_delimiter(i) else b"" for i in items])


def _masked(items: Items, wild: Places, lists: Places) -> Items:
    result = list(items)
    for at in wild:
        result[at] = _ANY
    for at in lists:
        if result[at][:1] == b"\x00":
            result[at] = _LIST
    return tuple(result)
