"""Pattern tree: regular expressions of the syntax that Python's `re` and RE2 share and read alike.
What only one of them has, or has no linear run time, is refused by name.

A set of characters is a set of codes: those of ASCII, and `OTHER` for all characters beyond.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import NoReturn

from logwright.rules.language.problem import RuleError

__all__ = ["ALL", "OTHER", "Alt", "At", "Chars", "Group", "Node", "Repeat", "Seq", "read_pattern"]

OTHER = 128
ALL = frozenset(range(129))
MOST_GROUPS = 10
MOST_COUNT = 1_000
_DEEPEST = 20

_DIGITS = frozenset(map(ord, string.digits))
_WORD = frozenset(map(ord, string.ascii_letters + string.digits + "_"))
_SPACE = frozenset(map(ord, " \t\n\r\f\v"))
_CLASSES = {
    "d": _DIGITS, "D": ALL - _DIGITS, "w": _WORD, "W": ALL - _WORD, "s": _SPACE, "S": ALL - _SPACE,
}  # fmt: skip
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of a set; `char` where it is a certain one."""

    codes: frozenset[int]
    char: str = ""


@dataclass(frozen=True, slots=True)
class At:
    """A place: ^ $ b B A."""

    kind: str


@dataclass(frozen=True, slots=True)
class Seq:
    """One after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alt:
    """One of them."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Brackets."""

    part: Node


@dataclass(frozen=True, slots=True)
class Repeat:
    """At least `least` times, at most `most` (None: any number of times)."""

    part: Node
    least: int
    most: int | None


Node = Chars | At | Seq | Alt | Group | Repeat


def read_pattern(pattern: str) -> tuple[Node, int, bool]:
    r"""The tree, the number of capturing groups, and whether case does not count.

    >>> read_pattern("a+")[0]
    Repeat(part=Chars(codes=frozenset({97}), char='a'), least=1, most=None)
    """
    return _Parser(pattern).whole()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.groups, self.counted, self.deep = 0, 0, 0
        self.folds = False

    def refuse(self, what: str) -> NoReturn:
        raise self.fault(what)

    def fault(self, what: str) -> RuleError:
        return RuleError(f"the pattern has {what} (at character {self.at + 1} of it)")

    def whole(self) -> tuple[Node, int, bool]:
        if self.text.startswith("(?i)"):
            self.folds, self.at = True, 4
        node = self._alternatives()
        if self.at < len(self.text):
            self.refuse(r"a ) without a (: write \) for the character")
        return node, self.groups, self.folds

    def _peek(self, size: int = 1) -> str:
        return self.text[self.at : self.at + size]

    def _alternatives(self) -> Node:
        parts = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else Alt(tuple(parts))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        return parts[0] if len(parts) == 1 else Seq(tuple(parts))

    def _repeated(self, node: Node) -> Node:
        count = self._count()
        if count is None:
            return node
        if isinstance(node, At):
            self.refuse("a repetition of a place: leave it out")
        if self._peek() == "?":
            self.at += 1
        elif self._peek() == "+":
            self.refuse("a possessive repetition: leave the second + out")
        if self._count() is not None:
            self.refuse("a repetition of a repetition: write one")
        return Repeat(node, *count)

    def _count(self) -> tuple[int, int | None] | None:
        char = self._peek()
        if char == "*" or char == "+" or char == "?":
            self.at += 1
            return int(char == "+"), 1 if char == "?" else None
        if char != "{":
            return None
        end = self.text.find("}", self.at)
        inside = self.text[self.at + 1 : end] if end > 0 else ""
        low, comma, high = inside.partition(",")
        if not (low + high) or not set(low + high) <= set(string.digits):
            return None
        if not low:
            self.refuse("{,n}, which engines read differently: write {0,n}")
        if len(low) > 4 or len(high) > 4:
            self.refuse(f"a count above {MOST_COUNT}: use + or *")
        least, most = int(low), int(high) if high else None if comma else int(low)
        self.counted += most or least
        if self.counted > MOST_COUNT:
            self.refuse(f"counts of more than {MOST_COUNT} in all: use + or *")
        if most is not None and most < least:
            self.refuse("a count whose end is below its start")
        self.at = end + 1
        return least, most

    def _atom(self) -> Node:
        char = self._peek()
        if char in ("*", "+", "?") or self._count() is not None:
            self.refuse(rf"a {char} with nothing before it: write \{char} for the character")
        self.at += 1
        match char:
            case "(":
                return self._group()
            case "[":
                return self._class()
            case ".":
                return Chars(ALL - {10})
            case "^" | "$":
                return At(char)
            case "\\":
                return self._escape()
        return self._char(char)

    def _char(self, char: str) -> Chars:
        return Chars(self._folded(frozenset([_code(char)])), char)

    def _folded(self, codes: frozenset[int]) -> frozenset[int]:
        if not self.folds:
            return codes
        letters = {chr(code) for code in codes if code < OTHER}
        return codes | {ord(c) for a in letters for c in (a.lower(), a.upper())}

    def _group(self) -> Node:
        if self._peek() != "?":
            self.groups += 1
        elif self._peek(2) == "?:":
            self.at += 2
        elif self._peek(3) == "?P<":
            end = self.text.find(">", self.at)
            name = self.text[self.at + 3 : end] if end > 0 else ""
            if not (name.isascii() and name.isidentifier()):
                self.refuse("a group with a bad name: write (...)")
            self.at = end + 1
            self.groups += 1
        else:
            self.refuse(_unknown(self._peek(4)))
        self.deep += 1
        if self.groups > MOST_GROUPS or self.deep > _DEEPEST:
            self.refuse(f"more than {MOST_GROUPS} groups, or {_DEEPEST} inside each other")
        node = self._alternatives()
        if self._peek() != ")":
            self.refuse(r"a ( without a ): write \( for the character")
        self.at += 1
        self.deep -= 1
        return Group(node)

    def _escape(self) -> Node:
        char = self._peek()
        if char in ("b", "B", "A"):
            self.at += 1
            return At(char)
        if char in _CLASSES:
            self.at += 1
            return Chars(_CLASSES[char])
        return self._char(self._escaped())

    def _escaped(self) -> str:
        char = self._peek()
        self.at += 1
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char == "x":
            digits = self._peek(2)
            if len(digits) < 2 or not set(digits) <= set(string.hexdigits):
                self.refuse(r"a \x without two digits")
            self.at += 2
            return chr(int(digits, 16))
        if char and char in string.punctuation + " ":
            return char
        self.at -= 1
        if char and char in "123456789":
            self.refuse("a reference back to a group, which cannot run in linear time")
        hint = "write $" if char in ("Z", "z") else "write the character itself"
        raise self.fault(f"a \\{char} that engines read differently: {hint}")

    def _class(self) -> Node:
        negated = self._peek() == "^"
        self.at += negated
        codes: set[int] = set()
        items: list[str] = []
        begin = self.at
        while self._peek() != "]" or self.at == begin:
            if not self._peek():
                self.refuse(r"a [ without a ]: write \[ for the character")
            item = self._member()
            dash = self._peek() == "-" and self._peek(2)[1:] not in ("", "]")
            if dash:
                self.at += 1
                end = self._member()
                if isinstance(item, frozenset) or isinstance(end, frozenset) or end < item:
                    self.refuse("a range that runs from nowhere or backwards")
                codes.update(range(_code(item), _code(end) + 1))
            elif isinstance(item, frozenset):
                codes |= item
            else:
                codes.add(_code(item))
                items.append(item)
                continue
            items += ["", ""]
        self.at += 1
        found = self._folded(frozenset(codes))
        if negated:
            # Beyond ASCII there is always another character that is not in the class.
            return Chars((ALL - found) | {OTHER})
        return Chars(found, items[0] if len(items) == 1 else "")

    def _member(self) -> str | frozenset[int]:
        char = self._peek()
        self.at += 1
        if char == "\\":
            name = self._peek()
            if name in _CLASSES:
                self.at += 1
                return _CLASSES[name]
            return self._escaped()
        if char == "[" or char + self._peek() in ("--", "&&", "||", "~~"):
            self.at -= 1
            self.refuse(rf"a {char} in a class, which engines read differently: write \{char}")
        return char


def _code(char: str) -> int:
    return min(ord(char), OTHER)


def _unknown(head: str) -> str:
    if head.startswith(("?=", "?!", "?<=", "?<!")):
        return "a look around, which cannot run in linear time: join two searches with and, not"
    if head.startswith("?>"):
        return "an atomic group: write (?:...)"
    if head.startswith("?P="):
        return "a reference back to a group, which cannot run in linear time"
    if head.startswith("?i"):
        return "an (?i) that does not stand at its start: write it there"
    return "a group of a kind that rules have not: write (...) or (?:...)"
