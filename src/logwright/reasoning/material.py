"""`Material`: the numbered lines that an answer is about, and may cite.

Lines are those of files, of a finding, or of text that was given: plain lines, JSON records, stack
traces and code, as they come. A line has a number in the material, from 1 on, which is what an
answer cites; `where` tells which line of which source it is.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from logwright.errors import InputError
from logwright.logs.inputs import expand
from logwright.logs.sources import open_sources
from logwright.settings import Settings

__all__ = ["MOST_LINES", "Material", "Part"]

MOST_LINES = 200_000
"""Lines that may be asked about at once: what is asked about is an incident, not an archive."""


@dataclass(frozen=True, slots=True)
class Part:
    """Lines that stand together in a source: the material's line `begin` (from 1) is line `line_no`
    of `source`."""

    source: str
    begin: int
    line_no: int


@dataclass(frozen=True, slots=True)
class Material:
    """`lines` without line ends, decoded with surrogateescape; `parts` in order.

    >>> material = Material.of_lines(["all well", "disk full"], "app.log", 41)
    >>> material.text(2), material.where(2)
    ('disk full', 'app.log:42')
    """

    lines: tuple[str, ...]
    parts: tuple[Part, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.lines)

    def text(self, number: int) -> str:
        """The line of this number, from 1 on."""
        if not 1 <= number <= len(self.lines):
            raise IndexError(number)
        return self.lines[number - 1]

    def where(self, number: int) -> str:
        """ "SOURCE:LINE" of the line of this number. Raw text: escape it before showing."""
        at = bisect_right([part.begin for part in self.parts], number) - 1
        if at < 0:
            return f"-:{number}"
        part = self.parts[at]
        return f"{part.source}:{part.line_no + number - part.begin}"

    @staticmethod
    def of_lines(lines: Iterable[str], source: str = "-", first: int = 1) -> Material:
        """Lines that stand together in a source from its line `first` on."""
        return Material(tuple(lines), (Part(source, 1, first),))

    @staticmethod
    def of_text(text: str, source: str = "-") -> Material:
        """The lines of a text."""
        return Material.of_lines(text.splitlines(), source)

    @staticmethod
    def joined(materials: Sequence[Material]) -> Material:
        """Several as one, numbered on.

        >>> one = Material.of_lines(["a"], "a.log")
        >>> Material.joined([one, Material.of_lines(["b"], "b.log", 7)]).where(2)
        'b.log:7'
        """
        lines: list[str] = []
        parts: list[Part] = []
        for material in materials:
            parts += [
                Part(part.source, len(lines) + part.begin, part.line_no) for part in material.parts
            ]
            lines += material.lines
        return Material(tuple(lines), tuple(parts))

    @staticmethod
    def read(inputs: Sequence[str], settings: Settings | None = None) -> Material:
        """The lines of files (packed ones and folders too, `-` for standard input). After `:` stand
        the lines to take: `app.log:100-180`, `app.log:100-`, `app.log:7`.

        Raises:
            InputError: a file cannot be read, has no such lines, or there is nothing in it, or more
                than `MOST_LINES`.
        """
        found, left = [], MOST_LINES
        for given in inputs:
            named, first, last = _cut(given)
            before = left
            for name in expand([named]):  # a line's number is that in its own file
                lines = _lines(name, first, last, left, settings or Settings())
                left -= len(lines)
                if lines:
                    found.append(Material.of_lines(lines, name, first))
            if left == before:
                many = "holds nothing" if (first, last) == (1, None) else f"has no line {first:,}"
                raise InputError(f"{named} {many}")
        return Material.joined(found)


def _cut(given: str) -> tuple[str, int, int | None]:
    """The file, the first line and the last one.

    >>> _cut("app.log:100-180"), _cut("app.log:7"), _cut("C:\\\\app.log")
    (('app.log', 100, 180), ('app.log', 7, 7), ('C:\\\\app.log', 1, None))
    """
    name, colon, cut = given.rpartition(":")
    first, dash, last = cut.partition("-")
    if not colon or not name or os.path.exists(given) or not first.isdecimal():
        return given, 1, None
    if last and not last.isdecimal():
        return given, 1, None
    end = int(last) if last else None if dash else int(first)
    if int(first) < 1 or (end is not None and end < int(first)):
        raise InputError(f"{given!r:.200}: expected lines from 1 on, such as app.log:100-180")
    return name, int(first), end


def _lines(name: str, first: int, last: int | None, most: int, settings: Settings) -> list[str]:
    lines: list[str] = []
    number = 1
    for block in open_sources([name], settings).blocks():
        for raw in block.buf.split(b"\n")[: -1 if block.buf.endswith(b"\n") else None]:
            if number >= first and (last is None or number <= last):
                if len(lines) == most:
                    raise InputError(
                        f"{name} has more than {MOST_LINES:,} lines to ask about at once: name "
                        f"those that matter, such as {name}:100-180"
                    )
                lines.append(raw.removesuffix(b"\r").decode("utf-8", "surrogateescape"))
            number += 1
        if last is not None and number > last:
            break
    return lines
