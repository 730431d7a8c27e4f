"""`varying`: the parts of a line that the program fills in, told from the line alone.

A template needs many lines where they are at hand (`templates/`); here is one line only, so that a
part is judged by its form: a number, an address, a path, an identifier with its fixed prefix. Each
part names its kind, which is what an answer gives as the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from logwright.templates.classes import SCHEMES

__all__ = ["MOST", "Kind", "Varying", "varying"]

MOST = 10_000
"""Characters of a line in which parts are looked for: what stands behind is taken as it is."""

Kind = Literal[
    "number",
    "counter",
    "size",
    "time",
    "duration",
    "hex",
    "address",
    "port",
    "host",
    "path",
    "boolean",
    "identifier",
    "user",
    "account",
]


@dataclass(frozen=True, slots=True)
class Varying:
    """`line[begin:end]` is what varies; `line[outer:outer_end]` is the whole word it stands in."""

    begin: int
    end: int
    kind: Kind
    outer: int
    outer_end: int

    def moved(self, by: int) -> Varying:
        """The same, further right."""
        return Varying(
            self.begin + by, self.end + by, self.kind, self.outer + by, self.outer_end + by
        )


_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?: ?[AP]M\b)?"
_HEX4 = "[0-9a-fA-F]"
_WHOLE: tuple[tuple[Kind, str], ...] = (
    (
        "time",
        rf"(?:{_DAY},? )?(?:{_MONTH} {{1,2}}\d{{1,2}}|\d{{1,2}}[ /-]{_MONTH})\b,?(?:[ /-]\d{{4}})?"
        rf"(?:[ :]{_CLOCK})?(?: [A-Z]{{3,4}}\b| ?[+-]\d{{4}})?(?: \d{{4}})?",
    ),
    (
        "time",
        rf"\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}(?:[T ,:_-]{{1,2}}{_CLOCK})?"
        r"(?:Z|[+-]\d{2}:?\d{2}\b)?",
    ),
    ("time", rf"{_CLOCK}(?:Z|[+-]\d{{2}}:?\d{{2}})?(?![:.\d])"),
    ("identifier", rf"{_HEX4}{{8}}-(?:{_HEX4}{{4}}-){{3}}{_HEX4}{{12}}"),
    ("address", rf"(?:{_HEX4}{{2}}[:-]){{5,}}{_HEX4}{{2}}(?!\w)"),
    ("address", rf"(?=[\w:]*\d){_HEX4}{{0,4}}::{_HEX4}[0-9a-fA-F:]*(?![:\w])"),
    ("address", rf"(?:{_HEX4}{{0,4}}:){{3,7}}{_HEX4}{{1,4}}(?![:\w])"),
    ("number", r"[-+]?\d{1,3}(?:,\d{3})+(?![,\d])"),
)
_SPREAD = re.compile("|".join(rf"(?P<k{i}>{p})" for i, (_, p) in enumerate(_WHOLE)))
_SPREAD_AT = re.compile(r"(?<![\w.:])(?=[\dA-Fa-fJMNODSFTW:+-])")

_MORE = re.compile(r"(?:[-.:_]\d+)*")

_USER = re.compile(
    r"\b(?:(?:for|by|of|from|as|invalid|illegal) user "
    r"|(?:password|failures?) for (?!invalid|user|the )|(?:r?user|username|login|account)=)"
    r"(?!unknown|id\b)(?P<user>[A-Za-z_][\w.$-]*)"
)
_ACCOUNT = re.compile(r"\be?[ug]id[=: ]$", re.I)
_SIZED = re.compile(r"\b(?:size|length|bytes|capacity|memory)\W{0,3}$", re.I)
_UNIT = re.compile(r"\s?(?:bytes?|[KMGT]i?B|kb|mb|gb)\b")
_SPAN = re.compile(r"\s?(?:ms|us|ns|s|msecs?|secs?|seconds?|minutes?|mins?|hours?|days?)\b")

_TEXT = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*:/|(?<![^\s\"'(=]))/[^\s,;()\[\]{}<>\"'|`?]+\?[^\s\"'<>`]+"
    r"|[a-z][a-z0-9+.-]*://[^\s\"'<>`(){}\[\]]+"
    r"|(?:(?!\.\.)[^\s=,;()\[\]{}<>\"'|`#])+"
)
_DIGIT = re.compile(r"\d")
_FEW = 4
"""Digits of a number that counts workers, slots or attempts; more make an identifier."""

_EDGE = ".:!?*$~+@&%"

_NOTHING = frozenset(("null", "none", "nil", "nan"))
_VALUES = _NOTHING | {"true", "false"}
_SHORT = 100
"""Characters of a word whose parts are kept for the next time it stands in a line."""
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?%?")
_AMOUNT = re.compile(
    r"([-+]?\d+(?:\.\d+)?)(?:[munp]s|s|secs?|min|[hdxBKMGTk]|[KMGTkmgt]i?[Bb]|[kMG]?[Hh]z|C|W|V)"
)
_HEX = re.compile(r"0[xX][0-9a-fA-F]+|(?=[a-fA-F]*\d)(?=\d*[a-fA-F])[0-9a-fA-F]{6,}")
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_HOST = re.compile(
    r"(?!(?:com|org|net|edu|io|java|javax|sun)\.)[\w-]+(?:\.[\w-]+)*\.([A-Za-z]{2,})"
)
_ZONES = frozenset(
    re.findall("[a-z]+", "com net org edu gov mil info biz arpa local localdomain internal lan io")
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"(?P<scheme>(?:[A-Za-z][A-Za-z0-9+-]*:)+)(?P<slashes>//)?(?P<rest>.+)")
_DRIVE = re.compile(r"[A-Za-z]:[\\/].+")
_SECRET = re.compile(r"(?=(?:\D*\d){3})(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9+/]{12,}={0,2}")
_PREFIXED = re.compile(
    r"(?P<fixed>[A-Za-z_$-][A-Za-z_$.-]*?[_.-]|[A-Za-z]{2,})"
    r"(?P<rest>-?(?:(?<=[_-])[A-Z]{1,2})?\d.*)"
)
# Names whose digits belong to what they name: log4j, HttpServer2, md5, v2, ext3, jetty-6.1
_NAMED = re.compile(
    r"[A-Za-z]+\d{1,2}[A-Za-z]+|[A-Z][a-z]+(?:[A-Z][a-z]+)+\d(?:\$\w+)?|[A-Z]\d|v\d+"
    r"|(?i:ext|ipv|md|sha|utf|utf-|base|http|x|int|float|win|i|log|eth|ssh|java|tls)\d{1,3}"
    r"|[A-Za-z]+-\d+\.\d+(?:\.\d+)*"
)


def varying(line: str) -> list[Varying]:
    """The parts that vary, in order, none overlapping another.

    >>> line = "read 512 bytes of blk_-88 from /10.0.0.7:50010 in 3ms"
    >>> for v in varying(line):
    ...     print(line[v.begin : v.end], v.kind)
    512 size
    -88 identifier
    10.0.0.7 address
    50010 port
    3 duration
    """
    line = line[:MOST]
    found = list(_spread(line))
    taken = bytearray(len(line) + 1)
    for part in found:
        taken[part.begin : part.end] = b"\x01" * (part.end - part.begin)
    for match in _TEXT.finditer(line):
        begin, end = match.span()
        if match[0].isalpha() and match[0].lower() not in _VALUES:
            continue  # most words by far
        while begin < end and line[begin] in _EDGE:
            begin += 1
        while begin < end and line[end - 1] in _EDGE and line[end - 2 : end] != "/*":
            end -= 1
        # A name with an empty pair of brackets is a function's, whatever digits it holds.
        if begin == end or any(taken[begin:end]) or line.startswith("()", end):
            continue
        if line[begin:end].lower() in _NOTHING and line[max(0, begin - 4) : begin].rstrip()[
            -1:
        ] in ("=", ":"):
            found.append(Varying(begin, end, "boolean", begin, end))
        word = line[begin:end]
        for part in _word(word) if len(word) <= _SHORT else _parts(word):
            found.append(_named(line, part.moved(begin)))
    found.sort(key=lambda part: part.begin)
    return found


def _spread(line: str) -> Iterator[Varying]:
    """What is known before the line is cut into words: dates, times, UUIDs, users."""
    at = 0
    while (start := _SPREAD_AT.search(line, at)) is not None:
        match = _SPREAD.match(line, start.start())
        if match is None or match.end() == match.start():
            at = start.start() + 1
            continue
        kind = _WHOLE[int((match.lastgroup or "k0")[1:])][0]
        # A date may go on in its own way: 2005-06-03-15.42.50.363779.
        more = _MORE.match(line, match.end()) if kind == "time" else None
        end = match.end() if more is None else more.end()
        # A clock with more digits after a colon is no clock: it belongs to a longer address.
        if line[end : end + 1].isalnum():
            at = start.start() + 1
            continue
        yield Varying(match.start(), end, kind, match.start(), end)
        at = end
    for match in _USER.finditer(line):
        begin, end = match.span("user")
        end -= len(line[begin:end]) - len(line[begin:end].rstrip("."))
        if not any(c.isdigit() for c in line[begin:end]):
            yield Varying(begin, end, "user", begin, end)


def _named(line: str, part: Varying) -> Varying:
    """A number is a size, a duration or an account's number by the words beside it."""
    kind = part.kind
    if kind == "number":
        before = line[max(0, part.begin - 12) : part.begin]
        if _ACCOUNT.search(before):
            kind = "account"
        elif _SIZED.search(before) or _UNIT.match(line, part.end):
            kind = "size"
        elif _SPAN.match(line, part.end):
            kind = "duration"
    return Varying(part.begin, part.end, kind, part.outer, part.outer_end)


@lru_cache(maxsize=1 << 14)
def _word(word: str) -> tuple[Varying, ...]:
    return tuple(_parts(word))


def _parts(word: str) -> Iterator[Varying]:
    whole = len(word)
    url = _URL.fullmatch(word)
    if _DRIVE.fullmatch(word) or _MAIL.fullmatch(word):
        yield Varying(0, whole, "path" if word[1] == ":" else "host", 0, whole)
    elif url is not None and (
        url["slashes"] or url["scheme"].split(":")[0].lower().encode() in SCHEMES
    ):
        begin = url.start("rest")
        inside = list(_pieces(url["rest"])) if "/" not in url["rest"] else []
        if not inside:
            inside = [Varying(0, whole - begin, "path", 0, 0)]
        for part in inside:
            yield Varying(part.begin + begin, part.end + begin, part.kind, 0, whole)
    elif "/" in word or "\\" in word:
        yield from _slashed(word)
    else:
        yield from _pieces(word)


def _slashed(word: str) -> Iterator[Varying]:
    whole = len(word)
    names = re.split(r"[/\\]", word)
    last = names[-1]
    if (
        names[0].isupper()
        and len(names) == 2
        and not names[0].isdecimal()
        and _NUMBER.fullmatch(last)
    ):
        return  # HTTP/1.1: the version of a protocol
    telling = any(c.isdigit() for c in word) or "." in last
    machine = any(_is_machine(name.split(":")[0]) for name in names)
    if last == "*" and word[0] == "/":
        yield Varying(1, whole - 2, "path", 0, whole)
    elif machine or len([n for n in names if n]) < 2 or not (word[0] in "/~." or telling):
        # host/address:port, 12/40, read/write, /10.0.0.7:50010, /default-rack
        at = 0
        for name in names:
            for part in _pieces(name, hosts=machine):
                moved = part.moved(at)
                outer = 0 if word[0] == "/" and len(names) == 2 else moved.outer
                yield Varying(moved.begin, moved.end, moved.kind, outer, moved.outer_end)
            at += len(name) + 1
    elif word[0] in "/~." or len(names) > 2 or "." in last:
        cut = whole - len(last)
        inside = _PREFIXED.fullmatch(last)
        if word[0] == "/" and inside is not None and inside["fixed"][-1] in "_-":
            yield Varying(1, cut - 1, "path", 0, whole)
            begin = cut + inside.start("rest")
            yield Varying(begin, _last_digit(word) + 1, "identifier", 0, whole)
        else:
            yield Varying(0, whole, "path", 0, whole)
    else:
        at = 0
        for name in names:
            yield from (part.moved(at) for part in _pieces(name))
            at += len(name) + 1


def _pieces(word: str, hosts: bool = False) -> Iterator[Varying]:
    """The parts of a word without slashes, between its colons."""
    pieces = re.split(r"[:@]", word)
    at = 0
    for number, piece in enumerate(pieces):
        following = pieces[number + 1] if number + 1 < len(pieces) else ""
        port = following.isdecimal() and len(following) in range(2, 6)
        ended = number > 0 and piece.isdecimal() and _is_machine(pieces[number - 1])
        for begin, end, kind in _piece(piece, hosts or port):
            if ended:
                kind = "port"
            yield Varying(at + begin, at + end, kind, at, at + len(piece))
        at += len(piece) + 1


def _piece(piece: str, host: bool) -> Iterator[tuple[int, int, Kind]]:
    whole = len(piece)
    digits = _DIGIT.search(piece) is not None
    if piece.lower() in ("true", "false"):
        yield 0, whole, "boolean"
    elif _is_host(piece):
        yield 0, whole, "host"
    elif not digits:
        return
    elif _IP.fullmatch(piece):
        yield 0, whole, "address"
    elif _NUMBER.fullmatch(piece):
        yield 0, whole - piece.endswith("%"), "number"
    elif (amount := _AMOUNT.fullmatch(piece)) is not None:
        yield 0, amount.end(1), "duration" if piece[-1] == "s" else "number"
    elif _HEX.fullmatch(piece):
        yield 0, whole, "hex"
    elif host and "-" in piece and not piece[0].isdigit():
        yield 0, whole, "host"
    elif _NAMED.fullmatch(piece):
        return
    elif _SECRET.fullmatch(piece):
        yield 0, whole, "identifier"
    elif piece[0].isdigit() or piece[0] == "-":
        yield 0, _last_digit(piece) + 1 if piece[-3:].isalpha() else whole, "identifier"
    elif _dotted(piece):
        return
    elif (inside := _PREFIXED.fullmatch(piece)) is not None:
        begin, end = inside.start("rest"), _last_digit(piece) + 1
        few = piece[begin:end].isdecimal() and end - begin <= _FEW
        yield begin, end, "counter" if few else "identifier"
    elif sum(c.isdigit() for c in piece) > 1:
        yield 0, whole, "identifier"


def _is_machine(piece: str) -> bool:
    return _IP.fullmatch(piece) is not None or _is_host(piece)


def _is_host(piece: str) -> bool:
    match = _HOST.fullmatch(piece)
    if match is None:
        return False
    zone = match[1].lower()
    return zone in _ZONES or (len(zone) == 2 and piece.count(".") > 1)


def _dotted(piece: str) -> bool:
    """Whether the digits stand in a dotted name, such as org.slf4j.Log or metrics2.properties."""
    return "." in piece and re.search(r"[._-]\d", piece) is None


def _last_digit(text: str) -> int:
    return max(found.start() for found in _DIGIT.finditer(text))
