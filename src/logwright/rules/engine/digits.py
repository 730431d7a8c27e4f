"""Digits: numbers of many lines at once, for lines that differ in their digits alone.

Where a pattern takes all digits alike, what it matches stands at the same bytes in each of these
lines; it is found once, and the numbers there are read as columns (contract 3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int64s
from logwright.rules.engine.atoms import Atom
from logwright.rules.engine.patterns import is_level
from logwright.rules.engine.pointwise import LINE, compare
from logwright.rules.language.plain import READ, Line, compiled
from logwright.rules.language.tree import Call, Compare, Const, Field

__all__ = ["Digits"]

_EXACT = 15  # digits that a float holds exactly
_TEXT = Field(LINE, "text")


@dataclass(frozen=True, slots=True)
class Digits:
    """A comparison with the number at bytes `begin` to `stop` of lines; `plain` where digits are
    all that it holds."""

    begin: int
    stop: int
    plain: bool
    test: Callable[[NDArray[np.float64]], NDArray[np.bool_]]

    @staticmethod
    def of(atom: Atom, line: Line) -> Digits | None:
        """The comparison that an atom is, on lines of this level; None where it is another thing.

        >>> number = Call("number", (Const(r"took (\\d+)"), _TEXT))
        >>> atom = Atom.of(Compare(">", number, Const(500)))
        >>> digits = Digits.of(atom, Line("took 000 ms"))
        >>> digits.holds(b"took 512 ms;took 400 ms", np.array([0, 12])).tolist()
        [True, False]
        """
        match atom.expr:
            case Compare(op, Call("number", (Const(str() as pattern), of)), Const(limit)):
                test = compare(op, limit, flipped=False)
            case Compare(op, Const(limit), Call("number", (Const(str() as pattern), of))):
                test = compare(op, limit, flipped=True)
            case _:
                return None
        if of != _TEXT or not is_level(pattern):
            return None
        match = compiled(pattern).search(line.text, 0, READ)
        if match is None:
            return None
        size = len(line.text[: match.start(1)].encode("utf-8", "surrogateescape"))
        held = match.group(1)
        return Digits(size, size + len(held), set(held) == {"0"} and len(held) <= _EXACT, test)

    def holds(self, buf: bytes, begin: Int64s) -> NDArray[np.bool_]:
        """Whether it holds for each of the lines that begin there."""
        at, width = begin + self.begin, self.stop - self.begin
        if not self.plain:
            values = [float(buf[a : a + width]) for a in at.tolist()]
            return self.test(np.array(values))
        digits = np.frombuffer(buf, np.uint8)[at[:, None] + np.arange(width)] - 48
        powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
        return self.test((digits.astype(np.int64) @ powers).astype(np.float64))
