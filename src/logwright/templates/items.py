"""Items: a shape's content as a sequence of constant words, delimiters and variable runs.

Everything here is a function of the masked bytes alone, so all lines of a shape give the same
items. A *run* is one or more variable tokens joined by spaces, commas or colons only: an
`ip:port`, a clock time, a list of block ids. Its length may differ between lines of one template;
a pair of empty brackets after a space holds an empty run.
"""

from __future__ import annotations

import re

from logwright.logs.shapes import DELIMITERS, is_variable, tokens
from logwright.templates.classes import SCHEMES, is_value

__all__ = ["RUN", "TOKENS_MAX", "Lexer", "cut", "run_of", "spans"]

TOKENS_MAX = 512
"""Tokens and delimiters of a line that are looked at; what follows is one variable tail."""

RUN = 0
"""The first byte of a run's item. No constant word holds it: a token with a NUL is variable."""

_D = re.escape(DELIMITERS)
# tried at token starts only, each token is read once: no input makes this slow
_DIGITS = re.compile(b"(?<![^%b])[^%b0-9\\x00]*+[0-9\\x00][^%b]*+" % (_D, _D, _D))
_SPACES = frozenset(bytes([b]) for b in b" \t\r\n\x0b\x0c")
# a value: a date's words, an address's name, "<" for less than; a unit, restated in another or not
_VALUE = r"(?:m,? +)*(?:[sh]:|(?<= )<(?=v(?!>)))?v(?: +z| +u(?: +\(v +u\))?)?"
_ITEM = re.compile(
    rf"(?:[vx]:){{3,}}[vx]|{_VALUE}(?:(?:[,;:|] *| +){_VALUE})*|(?<= \()(?=\))|(?<= \[)(?=\])| +|.",
    re.S,
)
_CLOCK = dict.fromkeys(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), "m")
_CLOCK.update(dict.fromkeys(b"mon tue wed thu fri sat sun".split(), "m"))
_CLOCK.update(dict.fromkeys(b"am pm utc gmt est edt cst cdt mst mdt pst pdt cet cest".split(), "z"))
_MANY = re.compile(" +")
_UNITS = frozenset(
    b"b kb mb gb tb pb kib mib gib tib byte bytes ns us ms s sec secs second seconds "
    b"min mins minute minutes hour hours".split()
)
_PAIR = re.compile(rb"[A-Fa-f]{2}")
_HOST = re.compile(rb"[a-z-]+(?:\.[a-z-]+)*\.([a-z]{2,})")
_SOURCE = frozenset(b"py rb go rs js ts java cpp cc hpp php pl sh so cs kt swift scala".split())
_KNOWN_MAX = 50_000
_KNOWN_BYTES = 64
_PLANS_MAX = 10_000


def cut(content: bytes) -> list[bytes]:
    """The tokens of a line, at most `TOKENS_MAX` and a tail."""
    found = tokens(content)
    if len(found) > TOKENS_MAX:
        found[TOKENS_MAX:] = [b"".join(found[TOKENS_MAX:])]
    return found


def spans(kinds: str) -> list[tuple[int, int]]:
    """Where each item begins and ends in the tokens, given one kind letter per token.

    >>> spans("w v:v w")
    [(0, 1), (1, 2), (2, 5), (5, 6), (6, 7)]
    """
    return [m.span() for m in _ITEM.finditer(kinds)]


def _kind_of(token: bytes) -> str:
    """The kind letter of a token that is no delimiter: see `Lexer`."""
    short = len(token) < 7 and token.isalpha()  # too short to be variable without a digit
    if (not short and is_variable(token)) or is_value(token):
        return "v"
    word = token.lower()
    if word in _UNITS:
        return "u"
    if word in SCHEMES or (len(token) == 1 and token.isupper()):
        return "s"
    if _PAIR.fullmatch(token):
        return "x"
    if word in _CLOCK and token[:1].isupper():
        return _CLOCK[word]
    if b"." in token and (host := _HOST.fullmatch(token)) and host[1] not in _SOURCE:
        return "h"
    return "w"


def run_of(kinds: str) -> bytes:
    """A run's item: what tells its layout from others."""
    return b"\x00" + _MANY.sub(" ", kinds).replace("x", "v").encode("latin-1")


class _Kinds(dict[bytes, str]):
    """Kind letters by token, worked out when they are first asked for; short tokens are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.forget()

    def forget(self) -> None:
        """Keep delimiters, spaces and the mask only."""
        self.clear()
        self.update({bytes([b]): chr(b) for b in DELIMITERS})
        self.update(dict.fromkeys(_SPACES, " "))
        self[b"\x00"] = "v"

    def __missing__(self, token: bytes) -> str:
        kind = _kind_of(token)
        if len(token) <= _KNOWN_BYTES:
            if len(self) >= _KNOWN_MAX:  # untrusted text must not grow this without bound
                self.forget()
            self[token] = kind
        return kind


class Lexer:
    """Cuts contents into items; remembers the kind of each constant token it has met.

    Kind letters: `v` variable or value; `s` and `h` a scheme and a dotted name, which belong to a
    value if a colon and a value follow; `m` and `z` the names of months, weekdays and zones, which
    belong to a time beside values; `u` units, which belong to the number before; `x` two
    hexadecimal letters; `w` any other word; a space for white space; a delimiter stands for itself.

    >>> Lexer().items(b"open  http://a.example.com:80 took 12 ms")
    [b'open', b' ', b'\\x00s:v:v', b' ', b'took', b' ', b'\\x00v u']
    """

    __slots__ = ("_known", "_plans")

    def __init__(self) -> None:
        self._plans: dict[str, tuple[list[bytes], list[tuple[int, int]]]] = {}
        self._known = _Kinds()

    def lex(self, content: bytes) -> tuple[list[bytes], str]:
        """The tokens, variable ones masked where cheap, and one kind letter for each."""
        found = tokens(_DIGITS.sub(b"\x00", content))
        tail = len(found) > TOKENS_MAX
        if tail:
            del found[TOKENS_MAX:]
        kinds = "".join(map(self._known.__getitem__, found))
        if tail:
            found.append(b"\x00")
            kinds += "v"
        return found, kinds

    def items(self, content: bytes) -> list[bytes]:
        """Words and delimiters as they are, white space as one space, a run as NUL + its kinds.

        White space at either end is left out.
        """
        found, kinds = self.lex(content)
        plan = self._plans.get(kinds)
        if plan is None:
            plan = self._plan(kinds)
        items = plan[0].copy()
        for at, place in plan[1]:
            items[at] = found[place]
        return items

    def _plan(self, kinds: str) -> tuple[list[bytes], list[tuple[int, int]]]:
        """The items that kinds alone decide, and which tokens the others are."""
        base: list[bytes] = []
        words = []
        for start, stop in spans(kinds):
            kind = kinds[start:stop]
            if kind[:1] == " ":
                base.append(b" ")
            elif len(kind) != 1 or kind == "v":
                base.append(run_of(kind))
            elif kind.isalpha():
                words.append((len(base), start))
                base.append(b"")
            else:
                base.append(kind.encode("latin-1"))
        if base and base[-1] == b" ":
            base.pop()
        if base and base[0] == b" ":
            del base[0]
            words = [(at - 1, place) for at, place in words]
        if len(self._plans) >= _PLANS_MAX:
            self._plans.clear()
        self._plans[kinds] = base, words
        return base, words
