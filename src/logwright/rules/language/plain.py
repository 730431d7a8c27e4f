"""Plain: what a rule sees and may call, as ordinary Python. This is the oracle of the engine.

`Window` and `Line` are what `def rule(w: Window) -> bool` reads (contract 9); `NAMES` are the
functions of the language. All of them are total: they give a value for any text and any numbers, so
that a rule that has passed the gate cannot raise. Only the standard library is imported, because
the sandbox's child loads this module before it locks itself in.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

__all__ = ["FIELDS", "NAMES", "READ", "Line", "Lines", "Window", "compiled", "like", "phrase"]

READ = 2_048
"""The characters of a text, from its beginning on, that `search` and `number` read: what a pattern
costs can grow with the square of them."""

FIELDS = {
    "text": "str",
    "ts": "float",
    "level": "int",
    "template": "str",
    "params": "strs",
    "component": "str",
    "host": "str",
}
"""The attributes of a line and their types."""

_EDGES = frozenset(" \t\r\n\x0b\x0c,;:=()[]{}<>\"'|?&`")
"""What cuts tokens: the delimiters of shapes (`logs.shapes.DELIMITERS`; a test compares them)."""

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?")
_NAN = math.nan


class Strings(tuple[str, ...]):
    """Texts by position; beyond the end stands the empty text."""

    __slots__ = ()

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return Strings(super().__getitem__(at))
        return super().__getitem__(at) if -len(self) <= at < len(self) else ""


class Line:
    """One record: `text` (the message after the header), `ts` (seconds since 1970 UTC, nan where
    absent), `level` (0 unknown, 1 trace to 7 critical), `template` (its id), `params`, `component`
    and `host` ("" where absent).

    >>> Line("disk 3 failed").text, Line("x").level
    ('disk 3 failed', 0)
    """

    __slots__ = ("component", "host", "level", "params", "template", "text", "ts")

    def __init__(
        self,
        text: str = "",
        ts: float = _NAN,
        level: int = 0,
        template: str = "",
        params: Iterable[str] = (),
        component: str = "",
        host: str = "",
    ) -> None:
        self.text, self.ts, self.level, self.template = text, ts, level, template
        self.params, self.component, self.host = Strings(params), component, host


_NO_LINE = Line()


class Lines(tuple[Line, ...]):
    """Lines by position; beyond the end stands an empty line.

    >>> Lines([Line("a")])[7].text
    ''
    """

    __slots__ = ()

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return Lines(super().__getitem__(at))
        return super().__getitem__(at) if -len(self) <= at < len(self) else _NO_LINE


class Window:
    """What a rule is called with: `lines` in input order, and the window's `key`."""

    __slots__ = ("key", "lines")

    def __init__(self, lines: Iterable[Line], key: str = "") -> None:
        self.lines, self.key = Lines(lines), key

    @staticmethod
    def of_texts(texts: Iterable[str], key: str = "") -> Window:
        """A window of bare messages, as examples of rules are written."""
        return Window(map(Line, texts), key)


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> re.Pattern[str]:
    r"""A pattern as rules mean it: ``\d``, ``\w`` and ``\s`` are those of ASCII, as in RE2."""
    return re.compile(pattern, re.ASCII)


def search(pattern: str, text: str) -> bool:
    r"""Whether the pattern matches anywhere in the first `READ` characters of the text.

    >>> search(r"core\.\d+", "generating core.2275")
    True
    """
    return compiled(pattern).search(text, 0, READ) is not None


def number(pattern: str, text: str) -> float:
    r"""The number that group 1 of the first match in the first `READ` characters holds; nan where
    there is none.

    >>> number(r"took (\d+) ms", "took 512 ms"), number(r"took (\d+)", "no")
    (512.0, nan)
    """
    match = compiled(pattern).search(text, 0, READ)
    held = match.group(1) if match is not None and match.re.groups else None
    return float(held) if held is not None and _NUMBER.fullmatch(held) else _NAN


def phrase(text: str, words: str) -> bool:
    """Whether the words stand in the text as whole tokens, one after the other. What cuts tokens
    is what cuts those of shapes: blanks and ``,;:=()[]{}<>"'|?&`` and the back-quote.

    >>> phrase("data TLB error interrupt", "TLB error"), phrase("DTLB error", "TLB error")
    (True, False)
    """
    size = len(words)
    at = text.find(words) if words else -1
    while at >= 0:
        end = at + size
        if (at == 0 or text[at - 1] in _EDGES) and (end == len(text) or text[end] in _EDGES):
            return True
        at = text.find(words, at + 1)
    return False


def like(text: str, pattern: str) -> bool:
    """Whether the whole text is as the pattern says, where ``*`` is any run of characters.

    >>> like("read 12 of 40", "read * of *"), like("read 12", "read * of *")
    (True, False)
    """
    pieces = pattern.split("*")
    if len(pieces) == 1:
        return text == pattern
    head, tail = pieces[0], pieces[-1]
    if len(text) < len(head) + len(tail) or not text.startswith(head) or not text.endswith(tail):
        return False
    at, stop = len(head), len(text) - len(tail)
    for piece in pieces[1:-1]:
        at = text.find(piece, at, stop)
        if at < 0:
            return False
        at += len(piece)
    return True


def first(flags: Iterable[bool]) -> int:
    """The position of the first True, -1 where there is none.

    >>> first([False, True, True]), first([])
    (1, -1)
    """
    return next((i for i, flag in enumerate(flags) if flag), -1)


def last(flags: Iterable[bool]) -> int:
    """The position of the last True, -1 where there is none."""
    at = -1
    for i, flag in enumerate(flags):
        if flag:
            at = i
    return at


def followed(a: Iterable[bool], b: Iterable[bool], events: int) -> bool:
    """Whether each True of `a` has a True of `b` at one of the next `events` places.

    >>> followed([True, False, False], [False, False, True], 2)
    True
    >>> followed([True, False, False], [False, False, True], 1)
    False
    """
    nearest, held = math.inf, list(b)
    flags = list(a)
    for i in range(len(flags) - 1, -1, -1):
        if flags[i] and nearest - i > events:
            return False
        if i < len(held) and held[i]:
            nearest = i
    return True


def followed_in(w: Window, a: Iterable[bool], b: Iterable[bool], seconds: float) -> bool:
    """Whether each True of `a` has a True of `b` at a later place and at most `seconds` after it;
    `a` and `b` go over all lines of `w`. A line without a time is never in time.

    >>> w = Window([Line("open", 0.0), Line("close", 5.0)])
    >>> followed_in(w, [True, False], [False, True], 5.0)
    True
    """
    earliest, held, flags = _NAN, list(b), list(a)
    for i in range(min(len(flags), len(w.lines)) - 1, -1, -1):
        at = w.lines[i].ts
        if flags[i] and not earliest - at <= seconds:
            return False
        if i < len(held) and held[i] and at == at:
            earliest = min(at, earliest) if earliest == earliest else at
    return True


def longest_gap(w: Window) -> float:
    """The longest time in seconds between two neighbouring lines that have times; 0 for none."""
    times = [line.ts for line in w.lines if line.ts == line.ts]
    return max((b - a for a, b in itertools.pairwise(times)), default=0.0)


def distinct(texts: Iterable[str]) -> int:
    """How many different texts there are."""
    return len(set(texts))


def ratio(a: float, b: float) -> float:
    """`a / b`, and 0 where `b` is 0 (what a division by something that varies is turned into)."""
    return a / b if b else 0.0


def _least(*values: Any) -> Any:
    """min; nan where there is nothing."""
    return min(values[0] if len(values) == 1 else values, default=_NAN)


def _most(*values: Any) -> Any:
    """max; nan where there is nothing."""
    return max(values[0] if len(values) == 1 else values, default=_NAN)


def _size(of: Sequence[Any]) -> int:
    return len(of)


def _total(values: Iterator[Any]) -> Any:
    return sum(values)


NAMES: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "all": all,
    "any": any,
    "distinct": distinct,
    "enumerate": enumerate,
    "first": first,
    "followed": followed,
    "followed_in": followed_in,
    "last": last,
    "len": _size,
    "like": like,
    "longest_gap": longest_gap,
    "max": _most,
    "min": _least,
    "number": number,
    "phrase": phrase,
    "range": range,
    "ratio": ratio,
    "search": search,
    "sum": _total,
}
"""The functions of the language by name."""
