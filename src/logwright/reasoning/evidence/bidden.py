"""Bidden: lines that tell of an end that was asked for: a container that its own master killed,
because it had done its work or a faster copy of it had, ends with a code like one that was killed
for its memory."""

from __future__ import annotations

from logwright.reasoning.evidence.columns import Columns

__all__ = ["bidden"]

_SAID = (b"killed by the applicationmaster", b"killed by the application master")
_CODES = (b"exit code is 137", b"exit code is 143", b"exit code 137", b"exit code 143")
_BEHIND = 3
"""Lines behind the one that says so, in which the code may stand."""


def bidden(columns: Columns) -> frozenset[int]:
    """These lines: the one that says so, and those behind it that tell with which code.

    >>> from logwright.reasoning.material import Material
    >>> told = ["Container killed by the ApplicationMaster.", "Exit code is 137", "Exit code is 1"]
    >>> sorted(bidden(Columns.of(Material.of_lines([*told, "up", *told[1:]]))))
    [0, 1]
    """
    text, found = columns.lowered, set[int]()
    for said in _SAID:
        at = text.find(said)
        while at >= 0:
            line = columns.line_at(at)
            found.add(line)
            for behind in range(line + 1, min(line + 1 + _BEHIND, len(columns))):
                words = text[columns.start[behind] : columns.end[behind]]
                if any(code in words for code in _CODES):
                    found.add(behind)
            at = text.find(said, int(columns.end[line]))
    return frozenset(found)
