"""Layouts: how a log line is built, as one readable line that compiles to a header program.

``<Date> <Time> <Level> <Component>: <Content>`` is a layout. What stands outside ``<...>`` must
stand in the line too; spaces match any run of spaces and tabs. Inside:

* a field. The name says what becomes of it, in any case: see `FIELDS`; `content` (or `message`)
  comes last; date and time names ask for a time, which is looked for in sample lines; anything
  else is skipped. A field ends at a space or where the next literal begins; between brackets or
  quotes it may hold spaces. ``<name...>`` reads up to the next literal, spaces included.
* ``<time:%Y-%m-%d %H:%M:%S,%f>``: a time, spelled out. Codes: %Y %y %m %b %d %e %H %I %p %M %S %f
  (1 digit or more), %z (Z, UTC, GMT, +02:00, +0200, +02), %a (a weekday, skipped), %s (seconds
  since 1970; ms, us or ns where there are more digits) and %%. Several time fields add up.
* ``<pri>``: a syslog priority with its angle brackets.
* ``<?>``: what does not fit from here on belongs to the message. One is put after the time by
  itself, so that a line with an unusual rest does not lose its time.

``{...}`` is read only if the line goes on with its first character. A backslash takes the next
character literally: ``\\<``, ``\\{``. There is no backtracking, so a field never shrinks to fit.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logwright.errors import FormatError
from logwright.logs import program as p
from logwright.logs.batch import NO_TIME
from logwright.logs.kernel import headers

__all__ = ["FIELDS", "TIMES", "Layout", "compile_layout", "level_code", "run_on"]

FIELDS = {
    "component": "component logger loggername class module tag process program app service unit",
    "host": "host hostname node server machine",
    "level": "level severity loglevel levelname priority",
    "label": "label",
}
"""What each slot's field may be called; where two of a layout's fields could fill a slot, the name
that stands first here does."""

_CONTENT = ("content", "message", "msg")
_TIME_NAMES = frozenset("date time timestamp datetime day month year asctime".split())

_F = "{.%f}{,%f}"
TIMES = (
    f"%Y-%m-%dT%H:%M:%S{_F}%z",
    f"%Y-%m-%dT%H:%M:%S{_F}",
    f"%Y-%m-%d %H:%M:%S{_F}%z",
    f"%Y-%m-%d %H:%M:%S{_F} %z",
    f"%Y-%m-%d %H:%M:%S{_F}",
    f"%Y/%m/%d %H:%M:%S{_F}",
    f"%Y.%m.%d %H:%M:%S{_F}",
    "%Y-%m-%d-%H.%M.%S.%f",
    "%Y%m%d-%H:%M:%S:%f",
    f"%Y%m%d %H:%M:%S{_F}",
    f"%Y%m%dT%H%M%S{_F}%z",
    f"%Y%m%dT%H%M%S{_F}",
    "%y%m%d %H%M%S",
    f"%y/%m/%d %H:%M:%S{_F}",
    "%d/%b/%Y:%H:%M:%S %z",
    f"%d/%b/%Y %H:%M:%S{_F}",
    f"%d-%b-%Y %H:%M:%S{_F}",
    f"%d %b %Y %H:%M:%S{_F}",
    f"%a %b %e %H:%M:%S{_F} %Y",
    "%a %b %e %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%b %e, %Y %I:%M:%S %p",
    f"%b %e, %Y %H:%M:%S{_F}",
    f"%b %e %Y %H:%M:%S{_F}",
    "%m/%d/%Y %I:%M:%S %p",
    f"%m/%d/%Y %H:%M:%S{_F}",
    f"%d/%m/%Y %H:%M:%S{_F}",
    f"%d.%m.%Y %H:%M:%S{_F}",
    "%s{.%f}",
    f"%b %e %H:%M:%S{_F}",
    f"%m-%d %H:%M:%S{_F}",
    "%m.%d %H:%M:%S",
    f"%H:%M:%S{_F}",
)
"""Times that are looked for where a layout only says <Date> or <Time>, the surest first."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A compiled layout: the header program, and what it reads.

    `text` is the layout with its times spelled out. `slots` names what is read besides the time.
    `time` tells whether a time is read at all; `names_day`, `names_year` and `names_zone` tell what
    the time itself says.
    """

    text: str
    program: bytes
    slots: tuple[str, ...] = ()
    time: bool = False
    names_day: bool = False
    names_year: bool = False
    names_zone: bool = False

    def labelled(self) -> Layout:
        """The same layout behind a label token, which is kept even where the rest does not fit.

        >>> compile_layout("<level> <content>").labelled().slots
        ('level', 'label')
        """
        label = p.op(p.FIELD, p.SLOTS["label"]) + p.op(p.WS, 0) + p.op(p.MARK)
        return _layout(f"<label> <?>{self.text}", label + self.program)


# --- parts of a layout, and their operations ------------------------------------------------------

_BLANKS = frozenset(b" \t")
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

    def parts(self, closing: str, times: bool) -> list[_Part]:
        """The parts up to `closing` (the end for "")."""
        found: list[_Part] = []
        opened = self.at - 1
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
                inner = self.parts("}", times)
                if not inner:
                    raise self.fail(at, "an optional part must not be empty")
                found.append(_Part(at, inner[0].first, inner=inner))
            elif char == "}":
                raise self.fail(at, "'}' closes nothing (a literal one is written \\})")
            elif times and char == "%":
                found += self.code(at)
            elif not times and char == "<":
                found += self.field(at)
            else:
                found += _literal(at, char)
        if closing:
            raise self.fail(opened, f"{'<' if closing == '>' else '{'!r} is not closed")
        return found

    def field(self, at: int) -> list[_Part]:
        if self.text.startswith("time:", self.at):
            self.at += 5
            found = _exact(self.parts(">", True))
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
        if not name or "<" in name:
            raise self.fail(at, "a field needs a name, such as <level> or <_>")
        if name == "?":
            return [_Part(at, _NONE, p.op(p.MARK))]
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
        return [_Part(at, None, field=name, raw=raw, span=(at, self.at))]

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
                stops = sorted(follow - _BLANKS)
                if part.raw and len(stops) != 1:
                    raise self.fail(part.column, "'...' needs one character that ends the field")
                if len(stops) > 2:
                    what = "a field can end at two different characters at most, or at a space"
                    raise self.fail(part.column, what)
                ops += p.op(p.RAW if part.raw else p.FIELD, part.slot, *stops)
        return ops

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
    for left, right in zip(parts, parts[1:], strict=False):
        if left.number and right.number:
            for part in (left, right):
                if part.number == 2:
                    part.ops = part.ops[:2] + bytes((2, 2))
    return parts


def _flat(parts: list[_Part]) -> list[_Part]:
    return [part for top in parts for part in (_flat(top.inner) if top.inner else [top])]


def _fill_slots(parts: list[_Part]) -> None:
    """Give each slot to the field whose name fits it best."""
    for slot, names in FIELDS.items():
        ranks = {name: rank for rank, name in enumerate(names.split())}
        fields = [part for part in _flat(parts) if part.field in ranks]
        if fields:
            min(fields, key=lambda part: ranks[part.field]).slot = p.SLOTS[slot]


def _forgive(parts: list[_Part]) -> list[_Part]:
    """Put a mark behind the time, and another behind the text that follows it."""
    timed = [i for i, part in enumerate(parts) if part.field == "time:"]
    if not timed:
        return parts
    first = last = timed[-1] + 1
    while last < len(parts) and parts[last].ops and parts[last].first:
        last += 1
    mark = _Part(0, _NONE, p.op(p.MARK))
    rest = [mark, *parts[last:]] if first < last < len(parts) else parts[last:]
    return [*parts[:first], mark, *parts[first:last], *rest]


def _layout(text: str, program: bytes) -> Layout:
    ops = [program[i : i + 4] for i in range(0, len(program), 4)]
    read = {op[1] for op in ops if op[0] == p.NUM}
    has = {name: part in read for name, part in p.PARTS.items()}
    filled = {op[1] for op in ops if op[0] in (p.FIELD, p.RAW)}
    epoch = has["epoch"]
    return Layout(
        text,
        program,
        tuple(name for name, slot in p.SLOTS.items() if slot in filled),
        time=epoch or has["day"] or has["hour"],
        names_day=epoch or has["day"],
        names_year=epoch or has["year"] or has["year2"],
        names_zone=epoch or any(op[0] == p.ZONE for op in ops),
    )


@functools.lru_cache(maxsize=4096)
def _compile(text: str) -> tuple[Layout, tuple[tuple[int, int], ...]]:
    """A layout, and where its fields stand that ask for a time."""
    parser = _Parser(text)
    parts = parser.parts("", False)
    if not parts and not parser.content:
        raise parser.fail(0, "a layout needs fields, such as '<Time> <Level> <Content>'")
    _fill_slots(parts)
    asked = tuple(part.span for part in parts if part.field in _TIME_NAMES)
    return _layout(text, parser.emit(_forgive(parts), _NONE)), asked


def compile_layout(layout: str, samples: Sequence[bytes] = ()) -> Layout:
    """Compile a layout; what its plain date and time fields hold is found in the samples.

    Without samples such fields are skipped. `FormatError` names the column of a mistake.

    >>> found = compile_layout("<Date> <Time> <Level> <Content>", [b"2024-05-01 10:00:00,5 INFO up"])
    >>> found.text
    '<time:%Y-%m-%d %H:%M:%S{.%f}{,%f}> <Level> <Content>'
    >>> compile_layout("<Date> <Tim")
    Traceback (most recent call last):
    logwright.errors.FormatError: layout '<Date> <Tim' column 8: '<' is not closed
    """
    found, asked = _compile(layout)
    if not asked or not samples:
        return found
    best, best_rank = found, (0.0, False, False, False, False, 0)
    tries = [
        (pattern, i, j)
        for i in range(len(asked))
        for j in range(i, len(asked))
        for pattern in TIMES
        if not set("<{") & set(layout[asked[i][1] : asked[j][0]])
    ]
    for pattern, i, j in tries:
        text = f"{layout[: asked[i][0]]}<time:{pattern}>{layout[asked[j][1] :]}"
        candidate, _ = _compile(text)
        _, ts, _, status = run_on(candidate.program, samples)
        share = float(np.mean((status == p.FULL) & (ts != NO_TIME)))
        if share <= 0:
            continue
        fraction = "%f" in pattern
        # Shares that are nearly alike count as alike, so that the more telling time wins.
        rank = (
            round(share, 1),
            candidate.names_day,
            candidate.names_year,
            candidate.names_zone,
            fraction,
            i - j,
        )
        if rank > best_rank:
            best, best_rank = candidate, rank
    if best is found and np.any(run_on(found.program, samples)[3] == p.FULL):
        name = layout[asked[0][0] : asked[0][1]]
        raise FormatError(
            f"layout {layout!r} column {asked[0][0] + 1}: no known time fits {name} in the sampled "
            "lines: spell it out, as in <time:%Y-%m-%d %H:%M:%S>"
        )
    return best


def run_on(
    program: bytes, samples: Sequence[bytes]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`kernel.headers` on some lines of their own; positions count in their concatenation.

    >>> run_on(p.op(p.LIT, 65), [b"A", b"B"])[3].tolist()
    [2, 0]
    """
    length = np.array([len(line) for line in samples], dtype=np.int64)
    end = np.cumsum(length)
    return headers(b"".join(samples), end - length, end, program, 2000, 0)


# --- levels ---------------------------------------------------------------------------------------

_LEVELS = {
    1: "trace t verbose v vrb finest finer silly",
    2: "debug d dbg fine config debug1 debug2 debug3 debug4 debug5 7",
    3: "info i inf information informational log success 6",
    4: "notice n note 5",
    5: "warning w warn wrn warnings 4",
    6: "error e err eror severe failed fail exception 3",
    7: "critical c crit fatal f ftl failure alert emerg emergency panic dpanic assert a 2 1 0",
}
_LEVEL_CODES = {name.encode(): code for code, names in _LEVELS.items() for name in names.split()}


def level_code(text: bytes) -> int:
    """The level a text names: 0 unknown, 1 trace, 2 debug, 3 info, 4 notice, 5 warning, 6 error,
    7 critical. Digits are syslog severities; ``<13`` (with its bracket) is a syslog priority.

    >>> [level_code(t) for t in (b"INFO", b"Warn", b"[E]", b"FATAL", b"<13", b"chatty")]
    [3, 5, 6, 7, 4, 0]
    """
    if text[:1] == b"<" and text[1:].isdigit() and len(text) < 6:
        text = b"%d" % (int(text[1:]) % 8)
    return _LEVEL_CODES.get(text.strip(b" \t[](){}<>:|*-.,\"'").lower(), 0)
