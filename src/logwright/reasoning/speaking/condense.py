"""Material in the room there is: line by line where it fits, else as kinds with counts, and the
lines that matter with their own numbers.

Every number that stands before a text is the number of the line that says it, and the text is the
line's, in the form of `quotes.disarmed`; a long line is cut, with `…` where it goes on.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from logwright.llm.fence import visible
from logwright.logs.batch import NO_TIME
from logwright.logs.timestamps import iso
from logwright.reasoning.evidence.columns import Columns
from logwright.reasoning.material import Material
from logwright.reasoning.speaking.quotes import disarmed

__all__ = ["Condensed", "condense", "entire", "kinds"]

_LEAST_LINE = 200
"""Bytes of a line that are shown at least, where lines are cut."""
_MOST_LINE = 2_000
_KINDS_SHARE = 0.4
"""Of the room, for the table of kinds."""
_MOST_KIND = 200
_BESIDE = 2
"""Lines shown before and after one that matters."""
_END = 10
"""Lines shown of the end."""
_NO_YEAR = "2000-"
"""How times begin whose source gives no year."""


@dataclass(frozen=True, slots=True)
class Condensed:
    """`lines` are `12: words of line 12` in order, `numbers` their numbers. `kinds` is the table of
    all lines' kinds, empty where every line is shown, `first` the numbers of the lines in it."""

    lines: tuple[str, ...]
    numbers: tuple[int, ...]
    kinds: tuple[str, ...] = ()
    first: tuple[int, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every line is shown."""
        return not self.kinds


def entire(material: Material, room: int) -> Condensed | None:
    """The material line by line, if it fits in so many bytes."""
    every = range(1, len(material) + 1)
    longest = max(_LEAST_LINE, min(_MOST_LINE, room // max(len(material), 1)))
    if len(material) * 4 <= room:
        rows = [_row(material, number, longest) for number in every]
        if sum(map(_size, rows)) <= room:
            return Condensed(tuple(rows), tuple(every))
    return None


def condense(material: Material, room: int, keep: Collection[int] = ()) -> Condensed:
    """The material in at most `room` bytes; `keep` names lines that are to be shown first.

    >>> material = Material.of_lines([*(f"took {n} ms" for n in range(900)), "ERROR disk full"])
    >>> shown = condense(material, 165)
    >>> print(*shown.kinds, *shown.lines, sep="\\n")
    900 lines, 1 to 900: took 0 ms
    1 line, 901: ERROR disk full
    1: took 0 ms
    2: took 1 ms
    899: took 898 ms
    900: took 899 ms
    901: ERROR disk full
    """
    whole = entire(material, room)
    if whole is not None:
        return whole
    columns = Columns.of(material)
    table, first = _table(columns, int(room * _KINDS_SHARE))
    left = room - sum(map(_size, table))
    taken: dict[int, str] = {}
    for number in _order(columns, keep):
        if number in taken:
            continue
        row = _row(material, number, _LEAST_LINE if taken else _MOST_LINE)
        left -= _size(row)
        if left < 0:
            break
        taken[number] = row
    numbers = tuple(sorted(taken))
    return Condensed(tuple(taken[number] for number in numbers), numbers, tuple(table), first)


def kinds(material: Material, room: int) -> tuple[str, ...]:
    """The kinds of lines in it, in at most `room` bytes, as of a healthy run: nothing to cite."""
    return tuple(_table(Columns.of(material), room)[0])


def _table(columns: Columns, room: int) -> tuple[list[str], tuple[int, ...]]:
    """The kinds, in the order in which they first stand; where there is no room for all, the
    rarest and worst ones, and how many are left out."""
    shapes = len(columns.first)
    counts = np.bincount(columns.shape, minlength=shapes)
    last = np.zeros(shapes, np.int64)
    last[columns.shape] = np.arange(len(columns))
    level = columns.level[columns.first]
    rows: dict[int, str] = {}
    for code in np.lexsort((columns.first, counts, -level)).tolist():
        row = _kind(columns, int(columns.first[code]), int(last[code]), int(counts[code]))
        room -= _size(row)
        if room < 0:
            break
        rows[code] = row
    order = sorted(rows, key=lambda code: int(columns.first[code]))
    table = [rows[code] for code in order]
    if len(rows) < shapes:
        hidden = int(counts.sum() - sum(int(counts[code]) for code in rows))
        table.append(f"{hidden} more lines of {shapes - len(rows)} other kinds")
    return table, tuple(int(columns.first[code]) + 1 for code in order)


def _kind(columns: Columns, first: int, last: int, count: int) -> str:
    text = _cut(disarmed(columns.material.lines[first]), _MOST_KIND)
    if count == 1:
        return f"1 line, {first + 1}: {text}"
    begin, end = int(columns.time[first]), int(columns.time[last])
    when = f", {_time(begin)} to {_time(end)}" if NO_TIME not in (begin, end) else ""
    return f"{count} lines, {first + 1} to {last + 1}{when}: {text}"


def _time(ns: int) -> str:
    return iso(ns).removeprefix(_NO_YEAR)


def _order(columns: Columns, keep: Collection[int]) -> list[int]:
    """The numbers of lines, those that matter most first: what is to be kept, the first line of
    each kind from the rarest and worst on, what stands around these, then the last ones: how it
    ended. More of the same would cost tokens and tell nothing."""
    counts = np.bincount(columns.shape, minlength=len(columns.first))
    level = columns.level[columns.first]
    worst = columns.first[np.lexsort((columns.first, counts, -level))] + 1
    chief = [number for number in keep if 1 <= number <= len(columns)] + worst.tolist()
    beside = [
        number + step
        for number in chief
        for step in range(-_BESIDE, _BESIDE + 1)
        if step and 1 <= number + step <= len(columns)
    ]
    return [*chief, *beside, *range(len(columns), max(len(columns) - _END, 0), -1)]


def _row(material: Material, number: int, most: int) -> str:
    return f"{number}: {_cut(disarmed(material.text(number)), most)}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most] + "…"


def _size(row: str) -> int:
    return len(visible(row).encode("utf-8", "replace")) + 3  # with the fence's mark
