"""Parts: what each step of a parsing strategy finds in lines whose templates are known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from logwright.reasoning.answer import Citation
from logwright.reasoning.building.scripts import Script
from logwright.reasoning.building.trajectories import mark
from logwright.reasoning.evidence.varying import Varying, varying

__all__ = ["SHOWN", "listed", "parts_told"]

SHOWN = 3
_LEAST_QUOTE = 3
_SIDE_BY_SIDE = re.compile(r"\s?")
_BOTH_ENDS = re.compile(r"(?i)\bconnect|\bclos|\bopen")


def parts_told(lines: Sequence[str], script: Script) -> list[str | None]:
    """What each step finds: "" where it finds something that needs no words, None where nothing.
    A step that takes no
    kind of part looks at the line itself."""
    every = [(number, part) for number, line in enumerate(lines, 1) for part in varying(line)]
    left = every
    told: list[str | None] = []
    for step in script.steps:
        if not step.takes:
            applies = any(
                _applies(step.id, line, [part for of, part in every if of == number])
                for number, line in enumerate(lines, 1)
            )
            told.append("" if applies or (step.id == "constant" and left == every) else None)
            continue
        mine = [one for one in left if one[1].kind in step.takes]
        left = [one for one in left if one not in mine]
        shown = dict.fromkeys(_named(number, lines[number - 1], part) for number, part in mine)
        told.append(listed(list(shown)[:SHOWN]) or None)
    return told


def _applies(step: str, line: str, parts: list[Varying]) -> bool:
    """Whether a step that takes no parts of its own has something to say about a line."""
    gaps = [line[one.end : two.begin] for one, two in pairwise(parts)]
    if step == "spaces":
        return "  " in line
    if step == "runs":
        return any(_SIDE_BY_SIDE.fullmatch(gap) for gap in gaps)
    if step == "dotted":
        return "." in gaps or any(part.kind == "address" for part in parts)
    ends = any(part.kind == "address" for part in parts)
    return step == "endpoints" and ends and _BOTH_ENDS.search(line) is not None


def listed(things: Sequence[str]) -> str:
    """As they are told in a sentence.

    >>> listed(["a", "b", "c"]), listed(["a"]), listed([])
    ('a, b and c', 'a', '')
    """
    return " and ".join([*([", ".join(things[:-1])] if things[1:] else []), *things[-1:]])


def _named(number: int, line: str, part: Varying) -> str:
    """A part of a line, with the words around it where it is short.

    >>> from logwright.reasoning.evidence.varying import varying
    >>> _named(1, "took 7 ms", varying("took 7 ms")[0])
    '"7" [1: "took 7"]'
    """
    begin, end = min(part.outer, part.begin), max(part.outer_end, part.end)
    while end - begin < _LEAST_QUOTE and begin > 0:
        begin = max(line.rfind(" ", 0, begin - 1) + 1, 0)
    if end - begin < _LEAST_QUOTE:
        end = len(line) if (gap := line.find(" ", end + 1)) < 0 else gap
    value = line[part.begin : part.end]
    return f'"{value}" {mark(Citation(line=number, quote=line[begin:end]))}'
