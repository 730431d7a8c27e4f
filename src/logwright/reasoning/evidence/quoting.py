"""Citations that hold: words of a line, whole and long enough to be found again."""

from __future__ import annotations

import re

from logwright.reasoning.answer import Citation
from logwright.reasoning.material import Material

__all__ = ["quoted", "sound", "whole"]

_LEAST = 3
_MOST = 200
_BEFORE, _BEHIND = re.compile(r"\S*\Z"), re.compile(r"\S*")


def quoted(material: Material, number: int, begin: int, end: int) -> Citation:
    """A citation of `begin:end` of a line, widened to whole words, and by the word before, or
    behind, where it is too short to be found again.

    >>> material = Material.of_lines(["took 5 ms"])
    >>> quoted(material, 1, 5, 6).quote
    'took 5'
    """
    line = material.text(number)
    begin, end = _words(line, begin, end)
    if len(line[begin:end].strip()) < _LEAST:
        begin, _ = _words(line, len(line[:begin].rstrip()), end)
    if len(line[begin:end].strip()) < _LEAST:
        rest = line[end:]
        _, end = _words(line, begin, end + len(rest) - len(rest.lstrip()))
    return Citation(line=number, quote=sound(line[begin:end], line))


def whole(material: Material, number: int) -> Citation:
    """A citation of a line, from its first word on."""
    line = material.text(number)
    return Citation(line=number, quote=sound(line, line))


def sound(words: str, line: str, most: int = _MOST) -> str:
    """Words of a line without the spaces around them, at most so many characters; its longest word
    where that leaves too little to be found again.

    >>> sound("  disk full", "b:  disk full"), sound("b: ", "b:  disk full")
    ('disk full', 'disk')
    """
    quote = words.strip()[:most].strip()
    if len(quote) >= _LEAST:
        return quote
    return max([quote, *line.split()], key=len)[:most]


def _words(line: str, begin: int, end: int) -> tuple[int, int]:
    """The whole words from `begin` to `end`, of long ones a part."""
    before = _BEFORE.search(line[max(0, begin - _MOST) : begin])
    behind = _BEHIND.match(line, end, end + _MOST)
    assert before is not None
    assert behind is not None
    return begin - len(before[0]), behind.end()
