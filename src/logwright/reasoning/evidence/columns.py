"""`Columns`: the lines of a material as one buffer, with numbers about every line.

Lines are looked at all together: where they begin, which shape they have, which source they are of.
Times are in `moments`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, MatchKind
from numpy.typing import NDArray

from logwright.logs import kernel
from logwright.logs.batch import Int8s, Int32s, Int64s
from logwright.reasoning.evidence.literals import literals
from logwright.reasoning.evidence.moments import moments
from logwright.reasoning.material import Material
from logwright.templates.wording import PATTERNS

__all__ = ["ERROR", "INFO", "NO_LEVEL", "WARNING", "Columns"]

NO_LEVEL, INFO, WARNING, ERROR = 0, 1, 2, 3
"""Levels: none is given; nothing is wrong; a warning; an error or worse."""

_HEAD = 400
"""Bytes of a line in which its level is looked for: it stands in the header."""

_MOST = 10_000
"""Characters of a line that are looked at: longer ones carry a load, and say early what it is."""

_WORDS = {
    ERROR: "FATAL CRITICAL CRIT EMERG ALERT PANIC ERROR ERR SEVERE FAILURE",
    WARNING: "WARNING WARN Warning",
    INFO: "INFO DEBUG TRACE NOTICE FINE",
}
_SMALL = {
    ERROR: "fatal critical crit emerg alert panic error err severe",
    WARNING: "warning warn",
    INFO: "information info debug trace notice",
}
_FIELDS = [
    f"{name}{quote}{sign}{space}{begin}"
    for name in ("level", "severity", "lvl")
    for quote in ('"', "")
    for sign in ":="
    for space in ("", " ")
    for begin in ('"', "")
]
_SPELLED: list[tuple[bytes, int]] = [
    *((word.encode(), level) for level, words in _WORDS.items() for word in words.split()),
    *(
        (f"{before}{word}{behind}".encode(), level)
        for level, words in _SMALL.items()
        for word in words.split()
        for before, behind in [("[", "]"), ("<", ">"), *((field, "") for field in _FIELDS)]
    ),
    *(
        (f"{field}{word}".encode(), level)
        for level, words in _SMALL.items()
        for word in map(str.capitalize, words.split())
        for field in _FIELDS
    ),
]
_LEVELS = np.array([level for _, level in _SPELLED], np.int8)
_LETTER = np.zeros(256, np.bool_)
_LETTER[[*range(65, 91), *range(97, 123)]] = True


@cache
def _automaton() -> BytesAhoCorasick:
    return BytesAhoCorasick([word for word, _ in _SPELLED], matchkind=MatchKind.LeftmostLongest)


@cache
def _trouble_words() -> BytesAhoCorasick:
    return BytesAhoCorasick(
        [word.encode() for pattern in PATTERNS for word in sorted(literals(pattern.pattern))]
    )


@dataclass(frozen=True)
class Columns:
    """`buffer` holds the lines as bytes, their first 10,000 characters, each ended by a newline;
    `start` and `end` (int64, one entry per line) tell where they stand in it. Line `i` here is
    number `i + 1` of the material.

    >>> columns = Columns.of(Material.of_lines(["INFO took 3 ms", "INFO took 5 ms", "ERROR bad"]))
    >>> columns.shape.tolist(), columns.level.tolist()
    ([0, 0, 1], [1, 1, 3])
    """

    material: Material
    buffer: bytes
    start: Int64s
    end: Int64s
    shape: Int32s
    """The code of each line's shape, from 0 on: lines of a shape differ in values alone."""
    first: Int64s
    """The line in which each shape first stands."""

    @staticmethod
    def of(material: Material, table: kernel.Table | None = None) -> Columns:
        """The columns of a material. Materials that are compared share a `table` of shapes."""
        buffer = _joined(material.lines)
        start, end = kernel.lines(buffer, len(material))
        # An empty table is false.
        table = kernel.Table() if table is None else table
        shape, fresh = table.encode(buffer, start, end)
        return Columns(material, buffer, start, end, shape, fresh)

    def __len__(self) -> int:
        return len(self.start)

    @cached_property
    def lowered(self) -> bytes:
        """The buffer in lower case (ASCII letters, so that positions stay)."""
        return self.buffer.lower()

    @cached_property
    def source(self) -> Int32s:
        """Which source each line is of, numbered in order."""
        number: dict[str, int] = {}
        codes = np.zeros(len(self), np.int32)
        for part in self.material.parts:
            codes[part.begin - 1 :] = number.setdefault(part.source, len(number))
        return codes

    @cached_property
    def level(self) -> Int8s:
        """The level of each line: `NO_LEVEL` to `ERROR`."""
        levels = np.zeros(len(self), np.int8)
        found = _automaton().find_matches_as_indexes(self.buffer)
        which, begin, stop = np.array(found, np.int64).reshape(-1, 3).T
        text = np.frombuffer(self.buffer, np.uint8)
        line = np.searchsorted(self.start, begin, "right") - 1
        # Words in the middle of others are none: before the first byte stands a line end.
        alone = ~(_LETTER[text[begin - 1]] & _LETTER[text[begin]] & (begin > 0))
        alone &= ~(_LETTER[text[np.minimum(stop, len(text) - 1)]] & _LETTER[text[stop - 1]])
        kept = np.flatnonzero(alone & (begin - self.start[line] < _HEAD))[::-1]
        levels[line[kept]] = _LEVELS[which[kept]]  # the first of a line is written last
        return levels

    @cached_property
    def worded(self) -> NDArray[np.bool_]:
        """Whether the first line of each shape holds something without which `wording.trouble` is
        0: who asks for that need not ask about the others."""
        lines = [self.lowered[self.start[row] : self.end[row] + 1] for row in self.first.tolist()]
        ends = np.cumsum([len(line) for line in lines])
        found = _trouble_words().find_matches_as_indexes(b"".join(lines))
        held = np.zeros(len(lines), np.bool_)
        held[np.searchsorted(ends, [begin for _, begin, _ in found], "right")] = True
        return held

    @cached_property
    def time(self) -> Int64s:
        """When each line was written, nanoseconds (UTC, or as the source has it); a line without
        a time has that of the one above it in its source, `NO_TIME` where there is none."""
        return moments(self.buffer, self.start, self.end, self.source)

    def line_at(self, position: int) -> int:
        """The line in which a position of the buffer stands."""
        return int(np.searchsorted(self.start, position, "right")) - 1


def _joined(lines: tuple[str, ...]) -> bytes:
    if max(map(len, lines), default=0) > _MOST:
        lines = tuple(line[:_MOST] for line in lines)
    # Line ends inside a line (from JSON, or a caller's own cut) would shift all numbers.
    text = "\n".join(lines) + "\n"
    if text.count("\n") != len(lines) or "\r" in text:
        text = "".join(line.replace("\n", " ").replace("\r", " ") + "\n" for line in lines)
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, as JSON can hold it
        return text.encode("utf-8", "replace")
