"""Citations that hold: words of a line, whole and long enough to be found again."""

from __future__ import annotations

from logwright.reasoning.answer import Citation
from logwright.reasoning.material import Material

__all__ = ["quoted", "whole"]

_LEAST = 3
_MOST = 200


def quoted(material: Material, number: int, begin: int, end: int) -> Citation:
    """A citation of `begin:end` of a line, widened to whole words, and by the word before where it
    is too short to be found again.

    >>> material = Material.of_lines(["took 5 ms"])
    >>> quoted(material, 1, 5, 6).quote
    'took 5'
    """
    line = material.text(number)
    while begin > 0 and not line[begin - 1].isspace():
        begin -= 1
    while end < len(line) and not line[end].isspace():
        end += 1
    while len(line[begin:end].strip()) < _LEAST and begin > 0:
        begin -= 1
        while begin > 0 and not line[begin - 1].isspace():
            begin -= 1
    while len(line[begin:end].strip()) < _LEAST and end < len(line):
        end += 1
        while end < len(line) and not line[end].isspace():
            end += 1
    return Citation(line=number, quote=line[begin : min(end, begin + _MOST)].strip())


def whole(material: Material, number: int) -> Citation:
    """A citation of a line, from its first word on."""
    return Citation(line=number, quote=material.text(number).strip()[:_MOST].strip())
