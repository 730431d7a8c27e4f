r"""Places: where a parameter stands in a message, as a pattern that a person can read.

A place is told by the constant words around it, as they are written: ``took <*> ms`` is
``^took (\d+) ms$``. Words that hold a digit, or touch another parameter, are never part of one;
nor is a number that ends a name (`core.17`, `blk_17`) a place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from logwright.logs.shapes import DELIMITERS, is_variable

__all__ = ["Place", "places"]

_DELIMITERS = DELIMITERS.decode()
_PIECES = re.compile(f"[{re.escape(_DELIMITERS)}\n]|[^{re.escape(_DELIMITERS)}\n]+", re.ASCII)
_HIDDEN = "\0"
_SPECIAL = re.compile(r"([\\.^$*+?{}\[\]|()])")
_WORDS_BEFORE, _WORDS_AFTER, _LONGEST = 4, 2, 60
_NAMED = re.compile(r"[A-Za-z]{2}")
_NAME = re.compile(r"(^|[^.])[._/#@$-]$|^-")
"""What makes a number part of a name: `core.17`, `blk_17`. A row of dots does not."""

_WORD = re.compile(r"[a-z0-9]+")
_CALLS = re.compile(
    r"(?i:(?<![a-z])(?:[pt]?id|[ug]id|ppid|ids|ports?|child|process|thread|session|inode|handle|seq))"
    r"[\s:=#(\[]*$|[a-z](?:Id|ID|Port)[\s:=#(\[]*$"
)
"""A word before a number that says what it is: the name of something, not how much of it."""


@dataclass(frozen=True, slots=True)
class Place:
    r"""Constant text `before` and `after` a parameter; whether the message begins with the one
    (`opens`) and ends with the other (`closes`).

    >>> place = Place("took ", " ms", opens=True, closes=False)
    >>> place.pattern(r"(\d+)"), place.told
    ('^took (\\d+) ms', 'took * ms')
    """

    before: str
    after: str
    opens: bool
    closes: bool

    def pattern(self, held: str) -> str:
        """A regular expression for the place, where `held` is one for what stands in it."""
        start = "^" if self.opens else r"\b" if self.before[:1].isalnum() else ""
        end = "$" if self.closes else ""
        return f"{start}{escaped(self.before)}{held}{escaped(self.after)}{end}"

    @property
    def named(self) -> bool:
        """Whether the word before it says that a name stands there.

        >>> Place("from port ", "", False, True).named, Place("took ", " ms", True, True).named
        (True, False)
        """
        return _CALLS.search(self.before) is not None

    @property
    def told(self) -> str:
        """The place as people read it."""
        return f"{self.before}*{self.after}".strip()

    @property
    def label(self) -> str:
        """A name of small letters, digits and underscores."""
        words = _WORD.findall(f"{self.before} {self.after}".lower())
        return "_".join(words)[-30:].strip("_")

    def may_be_in(self, text: str) -> bool:
        """Whether lines of a template can have the place, given its text.

        >>> Place("took ", " ms", True, True).may_be_in("took <*> ms")
        True
        """
        token = f"[^{re.escape(_DELIMITERS)}]+"
        hidden = text.replace("<*>", _HIDDEN)
        return re.search(self.pattern(token), hidden, re.ASCII) is not None


def escaped(text: str) -> str:
    """A text as a regular expression, with nothing escaped that need not be."""
    return _SPECIAL.sub(r"\\\1", text)


def places(text: str) -> Iterator[Place]:
    """The places of a template's parameters that words tell.

    >>> [place.told for place in places("job <*> of <*> took <*> ms")]
    ['job * of', 'of * took', 'took * ms']
    """
    pieces: list[str] = _PIECES.findall(text.replace("<*>", _HIDDEN))
    for at, piece in enumerate(pieces):
        if piece.count(_HIDDEN) != 1:
            continue
        head, tail = piece.split(_HIDDEN)
        if not _constant(head) or not _constant(tail) or _NAME.search(head):
            continue
        left, opens = _side(pieces[:at][::-1], _WORDS_BEFORE)
        right, closes = _side(pieces[at + 1 :], _WORDS_AFTER)
        before, after = "".join(left[::-1]) + head, tail + "".join(right)
        place = Place(before if opens else before.lstrip(_DELIMITERS), after, opens, closes)
        readable = (place.before + place.after).isprintable() and len(place.told) <= _LONGEST
        if readable and _NAMED.search(place.told) and (place.after or closes):
            yield place


def _constant(token: str) -> bool:
    return not token or not is_variable(token.encode("utf-8", "surrogateescape"))


def _side(pieces: list[str], most: int) -> tuple[list[str], bool]:
    """The pieces next to a parameter, outwards: up to so many words, or to the next token that
    varies; and whether the message ends with them."""
    found: list[str] = []
    words = last = 0
    for piece in pieces:
        if piece in _DELIMITERS:
            found.append(piece)
            continue
        if words == most or not _constant(piece):
            return found[: last or None], False
        found.append(piece)
        words, last = words + 1, len(found)
    return found, True
