r"""Poison: lines at which judging breaks by a bug of ours, and how they are found.

The next start would break at the same line, and so for ever. So the line is looked for by judging
parts of what was read, each from the same state and to the end, where all windows close; and as
many spaces are judged in its place: numbers and offsets of lines stay.

What is no line's fault is not mended: a judging that breaks at blank lines, too.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from logwright.findings.escape import fit
from logwright.logs.redaction import redact
from logwright.stream.feed import Entry

__all__ = ["Mended", "blank", "culprit", "fault", "mended", "size_of", "split_at"]

Breaks = Callable[[Sequence[bytes]], bool]
"""Whether judging breaks at these lines, from a state that is always the same, or at their end."""

_SHOWN = 200  # characters of an error


@dataclass(frozen=True, slots=True)
class Mended:
    """Entries that can be judged now; the lines of them that were left out, by number from 0; and
    the entries behind them, which were not looked at."""

    entries: list[Entry]
    left_out: list[int]
    rest: list[Entry]


def blank(line: bytes) -> bytes:
    r"""Spaces in place of a line.

    >>> blank(b"disk full\n")
    b'         \n'
    """
    return b" " * (len(line) - 1) + b"\n"


def size_of(entries: Iterable[Entry]) -> int:
    """How many lines these are."""
    return sum(entry.data.count(b"\n") for entry in entries)


def split_at(entries: Sequence[Entry], lines: int) -> tuple[list[Entry], list[Entry]]:
    r"""The first lines of some entries, and the rest; the entry between may be cut.

    >>> parts = split_at([Entry(b"a\nb\n", "1", 0), Entry(b"c\nd\n", "2", 0)], 3)
    >>> [[e.data for e in part] for part in parts]
    [[b'a\nb\n', b'c\n'], [b'd\n']]
    """
    first, rest = list[Entry](), list[Entry]()
    for entry in entries:
        mine = _lines(entry.data)
        for part, some in ((first, mine[: max(lines, 0)]), (rest, mine[max(lines, 0) :])):
            if some:
                part.append(replace(entry, data=b"".join(some)))
        lines -= len(mine)
    return first, rest


def _lines(data: bytes) -> list[bytes]:
    return [line + b"\n" for line in data.split(b"\n")[:-1]]  # a carriage return ends none


def culprit(lines: Sequence[bytes], breaks: Breaks) -> int | None:
    r"""Which line to leave out of lines at which judging breaks: the last one of the shortest part
    from the begin at which it does. None where it breaks at nothing, or at a blank line.

    >>> culprit([b"up\n", b"bad\n", b"end\n"], lambda some: b"bad\n" in some)
    1
    """
    if breaks([]):
        return None
    low, high = 1, len(lines)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if breaks(lines[:middle]) else (middle + 1, high)
    return None if lines[low - 1] == blank(lines[low - 1]) else low - 1


def mended(entries: Sequence[Entry], breaks: Breaks, most: int) -> Mended | None:
    """Entries without what judging breaks at: up to the end of the entry that held the first such
    lines, or all of them where judging does not break any more. None where it is no line's fault,
    or that of more than `most` lines.

    A checkpoint can be made behind an entry only. So what has to be left out for that, and no more,
    is left out at once.
    """
    lines = [line for entry in entries for line in _lines(entry.data)]
    ends = [size_of(entries[: n + 1]) for n in range(len(entries))]
    size, left_out = len(lines), list[int]()
    while breaks(lines[:size]):
        at = culprit(lines[:size], breaks)
        if at is None or len(left_out) == most:
            return None
        lines[at] = blank(lines[at])
        left_out.append(at)
        size = next(end for end in ends if end > max(left_out))
    whole = ends.index(size) + 1
    good = [
        replace(entry, data=b"".join(lines[begin:end]))
        for entry, begin, end in zip(entries[:whole], [0, *ends], ends, strict=False)
    ]
    return Mended(good, sorted(left_out), list(entries[whole:]))


def fault(error: BaseException) -> str:
    r"""An error in one line for people, with the place that raised it: harmless to show, as it may
    hold parts of a line.

    >>> fault(ValueError("no number: '\x1b[31m', password=hunter2"))
    "ValueError: no number: '\\x1b[31m', password=[redacted secret]"
    """
    told = "".join(traceback.format_exception_only(error)).strip()
    shown = redact(told.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    return fit(shown, _SHOWN) + where
