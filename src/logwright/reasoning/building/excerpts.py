"""Excerpts: of long material the lines that matter, with some around them, numbered anew."""

from __future__ import annotations

from collections.abc import Iterable

from logwright.reasoning.material import Material, Part

__all__ = ["MOST", "excerpt"]

MOST = 40
"""Lines of a worked example: more do not fit into the 2,048 tokens that reasoners train on."""
_ROOM = 4_500
"""Characters of lines beyond which none is added that does not tell."""


def excerpt(
    material: Material, telling: Iterable[int], most: int = MOST
) -> tuple[Material, dict[int, int]]:
    """At most so many lines, and the new number of each: the telling ones, most telling first, then
    those nearest before and after them, as long as all of it is not too much text.

    >>> material = Material.of_lines([f"line {n}" for n in range(1, 101)], "app.log")
    >>> short, number = excerpt(material, [50, 90], 4)
    >>> short.lines, number[90]
    (('line 49', 'line 50', 'line 51', 'line 90'), 4)
    >>> short.where(4)
    'app.log:90'
    """
    if len(material) <= most:
        return material, {number: number for number in range(1, len(material) + 1)}
    told = list(dict.fromkeys(telling))[:most] or [1]
    kept = set(told)
    away, room = 1, _ROOM - sum(len(material.text(number)) for number in kept)
    while len(kept) < most and room > 0:
        for near in (number + side for number in told for side in (-away, away)):
            if near not in kept and 1 <= near <= len(material) and len(kept) < most and room > 0:
                room -= len(material.text(near))
                kept.add(near)
        away += 1
    order = sorted(kept)
    parts: list[Part] = []
    for at, number in enumerate(order):
        source, _, line = material.where(number).rpartition(":")
        if not parts or (parts[-1].source, parts[-1].line_no + at + 1 - parts[-1].begin) != (
            source,
            int(line),
        ):
            parts.append(Part(source, at + 1, int(line)))
    lines = tuple(material.text(number) for number in order)
    return Material(lines, tuple(parts)), {number: at for at, number in enumerate(order, 1)}
