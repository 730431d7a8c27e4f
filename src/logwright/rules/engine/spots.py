"""Spots: constant texts that hold digits, looked for in many lines that differ in digits alone.

In the level of such lines (each digit made a 0) the text, with its own digits made 0, stands at the
same bytes; what is left to ask of each line is whether the digits there are those of the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int64s
from logwright.logs.shapes import DELIMITERS
from logwright.rules.engine.atoms import Atom
from logwright.rules.engine.patterns import level
from logwright.rules.engine.pointwise import LINE
from logwright.rules.language.plain import Line
from logwright.rules.language.tree import Call, Compare, Const, Field, Method

__all__ = ["Spots"]

_TEXT = Field(LINE, "text")
_EDGES = DELIMITERS.decode()
_MOST = 16


@dataclass(frozen=True, slots=True)
class Spots:
    """A text at one of some places (bytes from the message's begin): where its digits stand in it,
    and which they are."""

    places: tuple[int, ...]
    at: Int64s
    digits: NDArray[np.uint8]

    @staticmethod
    def of(atom: Atom, line: Line) -> Spots | None:
        """The text that an atom asks for, on lines of this level; None where it asks another thing,
        or for a text that stands at very many places.

        >>> atom = Atom.of(Compare("in", Const("code 17"), Field(LINE, "text")))
        >>> spots = Spots.of(atom, Line("exit code 000, signal 0"))
        >>> spots.holds(b"exit code 170, signal 9;exit code 117, signal 9", np.array([0, 24]))
        array([ True, False])
        """
        match atom.expr:
            case Compare("in", Const(str() as text), of):
                starts = _all(line.text, level(text))
            case Call("phrase", (of, Const(str() as text))):
                starts = (at for at in _all(line.text, level(text)) if _apart(line.text, text, at))
            case Method(of, "startswith", (Const(str() as text),)):
                starts = iter([0] if line.text.startswith(level(text)) else [])
            case Method(of, "endswith", (Const(str() as text),)):
                size = len(line.text) - len(text)
                starts = iter([size] if line.text.endswith(level(text)) else [])
            case Compare("==", of, Const(str() as text)):
                starts = iter([0] if line.text == level(text) else [])
            case _:
                return None
        if of != _TEXT:
            return None
        held = [at for at, _ in zip(starts, range(_MOST + 1), strict=False)]
        if len(held) > _MOST:
            return None
        raw = np.frombuffer(text.encode("utf-8", "surrogateescape"), np.uint8)
        at = np.flatnonzero((raw >= 48) & (raw < 58))
        places = tuple(len(line.text[:n].encode("utf-8", "surrogateescape")) for n in held)
        return Spots(places, at, raw[at])

    def holds(self, buf: bytes, begin: Int64s) -> NDArray[np.bool_]:
        """Whether it stands in each of the lines whose messages begin there."""
        held = np.frombuffer(buf, np.uint8)
        out = np.zeros(len(begin), bool)
        for place in self.places:
            where = (begin + place)[:, None] + self.at
            out |= (held[where] == self.digits).all(axis=1)
        return out


def _all(text: str, part: str) -> Iterator[int]:
    """All places at which a part stands, overlapping ones as well."""
    at = text.find(part) if part else -1
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _apart(line: str, words: str, at: int) -> bool:
    """Whether what stands there is cut off from its neighbours as a phrase is."""
    before, after = line[max(at - 1, 0) : at], line[at + len(words) :][:1]
    return (not before or before in _EDGES) and (not after or after in _EDGES)
