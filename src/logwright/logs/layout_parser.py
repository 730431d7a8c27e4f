"""The parser of layouts: a layout's text to the operations of a header program.

The language is told in `logs.layout`. Parsing gives parts; each part knows the bytes that it can
begin with, so that the field before it knows where to stop.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from logwright.errors import FormatError
from logwright.logs import program as p

__all__ = ["FIELDS", "parse"]

FIELDS = {
    "component": "component logger loggername class module tag process program app service unit",
    "host": "host hostname node server machine",
    "level": "level severity loglevel levelname priority",
    "label": "label",
}
"""What each slot's field may be called; where two of a layout's fields could fill a slot, the name
that stands first here does."""

_CONTENT = ("content", "message", "msg")
_TIME_NAMES = ("date", "time", "timestamp", "datetime", "day", "month", "year", "asctime")

_BLANKS = frozenset(b" \t")
_TAB = frozenset(b"\t")
_DIGITS = frozenset(b"0123456789")
_NONE: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Part:
    """A piece of a layout. `first` holds the bytes it can begin with, None for any."""

    column: int
    first: frozenset[int] | None
    ops: bytes = b""
    field: str = ""  # a field's name
    slot: int = p.IGNORE
    raw: bool = False
    empty: bool = False  # a field that may be empty
    span: tuple[int, int] = (0, 0)  # where a field stands in the layout's text
    inner: list[_Part] | None = None  # an optional part's pieces
    number: int = 0  # the most digits of a number
    blank: bool = False


_CODES = {
    "Y": ("year", 4, 4),
    "y": ("year2", 2, 2),
    "m": ("month", 1, 2),
    "d": ("day", 1, 2),
    "H": ("hour", 1, 2),
    "I": ("hour", 1, 2),
    "M": ("minute", 1, 2),
    "S": ("second", 1, 2),
    "f": ("fraction", 1, 18),
    "s": ("epoch", 9, 19),
}
_OPENING = dict(zip("[(\"'", "])\"'", strict=True))


class _Parser:
    """One pass over a layout's text."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.content = False

    def fail(self, column: int, expectation: str) -> FormatError:
        return FormatError(f"layout {self.text!r} column {column + 1}: {expectation}")

    def parts(self, closing: str, opened: int, times: bool = False) -> list[_Part]:
        """The parts up to `closing` (the end for ""), which was opened at column `opened`."""
        found: list[_Part] = []
        while self.at < len(self.text):
            at, char = self.at, self.text[self.at]
            self.at += 1
            if char == closing:
                return found
            if self.content:
                raise self.fail(at, "nothing may follow the content")
            if char == "\\" and self.at < len(self.text):
                self.at += 1
                found += _literal(at, self.text[at + 1])
            elif char in " \t":
                if not (found and found[-1].blank):
                    found.append(_Part(at, _BLANKS, p.op(p.WS, 1), blank=True))
            elif char == "{":
                inner = self.parts("}", at, times)
                if not inner:
                    raise self.fail(at, "an optional part must not be empty")
                found.append(_Part(at, inner[0].first, inner=inner))
            elif char == "}":
                raise self.fail(at, "'}' closes nothing (a literal one is written \\})")
            elif times and char == "%":
                found += self.code(at)
            elif char == "<":
                if times:
                    raise self.fail(opened, "'<' is not closed")
                found += self.field(at)
            else:
                found += _literal(at, char)
        if closing:
            raise self.fail(opened, f"{'<' if closing == '>' else '{'!r} is not closed")
        return found

    def field(self, at: int) -> list[_Part]:
        if self.text.startswith("time:", self.at):
            self.at += 5
            found = _exact(self.parts(">", at, True))
            if not found:
                raise self.fail(at, "a time needs a pattern such as <time:%H:%M:%S>")
            found[-1].field = "time:"
            return found
        end = self.text.find(">", self.at)
        if end < 0:
            raise self.fail(at, "'<' is not closed")
        name, self.at = self.text[self.at : end].strip().lower(), end + 1
        raw = name.endswith("...")
        name = name.removesuffix("...").rstrip()
        if name == "?":
            return [_Part(at, _NONE, p.op(p.MARK))]
        empty = name.endswith("?")
        name = name.removesuffix("?").rstrip()
        if not name or "<" in name:
            raise self.fail(at, "a field needs a name, such as <level> or <_>")
        if name in _CONTENT:
            self.content = True
            return []
        if name == "pri":
            # The slot keeps the '<' that tells a priority from a severity (see `level_code`).
            ops = p.op(p.FIELD, p.SLOTS["level"], ord(">")) + p.op(p.LIT, ord(">"))
            return [_Part(at, frozenset(b"<"), ops)]
        before = self.text[at - 1] if at else ""
        raw = raw or (before in _OPENING and self.text.startswith(_OPENING[before], end + 1))
        raw = raw or (before in _OPENING and self.text.startswith(f"\\{_OPENING[before]}", end + 1))
        return [_Part(at, None, field=name, raw=raw, empty=empty, span=(at, self.at))]

    def code(self, at: int) -> list[_Part]:
        code = self.text[self.at : self.at + 1]
        self.at += 1
        if code in _CODES:
            part, least, most = _CODES[code]
            first = {"m": frozenset(b"01"), "Y": frozenset(b"12")}.get(code, _DIGITS)
            return [_Part(at, first, p.op(p.NUM, p.PARTS[part], least, most), number=most)]
        if code == "e":
            return [
                _Part(at, _BLANKS | _DIGITS, p.op(p.WS, 0)),
                _Part(at, _DIGITS, p.op(p.NUM, p.PARTS["day"], 1, 2)),
            ]
        if code == "b":
            return [_Part(at, frozenset(b"JFMASONDjfmasond"), p.op(p.MONTH))]
        if code == "z":
            return [_Part(at, frozenset(b"ZUG+-"), p.op(p.ZONE))]
        if code == "p":
            return [_Part(at, frozenset(b"APap"), p.op(p.AMPM))]
        if code == "a":
            return [_Part(at, None, field="_")]
        if code == "%":
            return _literal(at, "%")
        known = " ".join(f"%{c}" for c in "YymbdeHIpMSfzas%")
        raise self.fail(at, f"'%{code}' is not one of {known}")

    def emit(self, parts: list[_Part], after: frozenset[int]) -> bytes:
        """The operations of `parts`; `after` holds the bytes that can follow them."""
        ops = b""
        for index, part in enumerate(parts):
            follow = self.following(parts, index, after)
            if part.inner is not None:
                inner = self.emit(part.inner, follow)
                ops += self.option(part, len(inner) // 4) + inner
            elif part.ops:
                ops += part.ops
            else:
                ops += self.reading(part, follow)
        return ops

    def reading(self, part: _Part, follow: frozenset[int]) -> bytes:
        """The operation that reads a field; `follow` holds the bytes that can end it."""
        stops = sorted(follow - _BLANKS)
        if part.raw and follow == _TAB:
            stops = sorted(_TAB)
        if part.empty and follow == _BLANKS:
            stops = [ord(" ")]
        if (part.raw or part.empty) and len(stops) != 1:
            mark = "?" if part.empty else "..."
            raise self.fail(part.column, f"'{mark}' needs one character that ends the field")
        if len(stops) > 2:
            what = "a field can end at two different characters at most, or at a space"
            raise self.fail(part.column, what)
        raw = part.raw or part.empty
        return p.op(p.RAW if raw else p.FIELD, part.slot, *stops)

    def following(self, parts: list[_Part], index: int, after: frozenset[int]) -> frozenset[int]:
        """The bytes with which the line can go on after `parts[index]`."""
        found = _NONE
        for part in parts[index + 1 :]:
            if part.first is None:
                if parts[index].field and not parts[index].ops:
                    raise self.fail(part.column, "two fields need a space or text between them")
                return found
            found |= part.first
            if part.inner is None and part.first:
                return found
        return found | after

    def option(self, part: _Part, count: int) -> bytes:
        """``OPT`` before an optional part of `count` operations."""
        first = part.first or _NONE
        if count > 255:
            raise self.fail(part.column, "an optional part is too long")
        if first == _DIGITS:
            return p.op(p.OPT, 0, 0, count)
        if not 0 < len(first) <= 2:
            what = "an optional part must begin with a character, a space or a number"
            raise self.fail(part.column, what)
        return p.op(p.OPT, min(first), max(first), count)


def _literal(column: int, char: str) -> list[_Part]:
    return [_Part(column, frozenset((b,)), p.op(p.LIT, b)) for b in char.encode()]


def _exact(parts: list[_Part]) -> list[_Part]:
    """Numbers that touch must have all their digits: 081109 is not the 8th of something."""
    for left, right in itertools.pairwise(parts):
        if left.number and right.number:
            for part in (left, right):
                if part.number == 2:
                    part.ops = part.ops[:2] + bytes((2, 2))
    return parts


def _flat(parts: list[_Part]) -> list[_Part]:
    return [part for top in parts for part in (_flat(top.inner) if top.inner else [top])]


def _fill_slots(parts: list[_Part]) -> None:
    """Give each slot to the field whose name fits it best, wherever that name stands."""
    for slot, names in FIELDS.items():
        fields = _flat(parts)
        best = next((name for name in names.split() if any(f.field == name for f in fields)), None)
        for part in fields:
            if best is not None and part.field == best:
                part.slot = p.SLOTS[slot]


def _forgive(parts: list[_Part]) -> list[_Part]:
    """Put a mark behind the time, and behind each space in the text that follows it."""
    timed = [i for i, part in enumerate(parts) if part.field == "time:"]
    if not timed:
        return parts
    mark = _Part(0, _NONE, p.op(p.MARK))
    found = [*parts[: timed[-1] + 1], mark]
    rest = parts[timed[-1] + 1 :]
    while rest and rest[0].ops and rest[0].first:
        found += [rest[0], mark] if rest[0].blank and len(rest) > 1 else rest[:1]
        rest = rest[1:]
    return found + rest


def parse(text: str) -> tuple[bytes, tuple[tuple[int, int], ...]]:
    """A layout's header program, and where in the text its fields stand that ask for a time.

    >>> program, asked = parse("<Date> <Level> <Content>")
    >>> len(program) // 4, asked
    (4, ((0, 6),))
    """
    parser = _Parser(text)
    parts = parser.parts("", 0)
    if not parts and not parser.content:
        raise parser.fail(0, "a layout needs fields, such as '<Time> <Level> <Content>'")
    _fill_slots(parts)
    asked = tuple(part.span for part in parts if part.field in _TIME_NAMES)
    return parser.emit(_forgive(parts), _NONE), asked
