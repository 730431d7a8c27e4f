"""Layouts: how a log line is built, as one readable line that compiles to a header program.

``<Date> <Time> <Level> <Component>: <Content>`` is a layout. What stands outside ``<...>`` must
stand in the line too; spaces match any run of spaces and tabs. Inside:

* a field. The name says what becomes of it, in any case: see `FIELDS`; `content` (or `message`)
  comes last; date and time names ask for a time, which is looked for in sample lines; anything
  else is skipped. A field ends at a space or where the next literal begins; between brackets or
  quotes it may hold spaces. ``<name...>`` reads up to the next literal, spaces included;
  ``<name?>`` may be empty. Where a name stands twice, the last one that a line reaches counts.
* ``<time:%Y-%m-%d %H:%M:%S,%f>``: a time, spelled out. Codes: %Y %y %m %b %d %e %H %I %p %M %S %f
  (1 digit or more), %z (Z, UTC, GMT, +02:00, +0200, +02), %a (a weekday, skipped), %s (seconds
  since 1970; ms, us or ns where there are more digits) and %%. Several time fields add up.
* ``<pri>``: a syslog priority with its angle brackets.
* ``<?>``: what does not fit from here on belongs to the message. One is put after the time by
  itself, so that a line with an unusual rest does not lose its time.

``{...}`` is read only if the line goes on with its first character. A backslash takes the next
character literally, a tab too: ``\\<``, ``\\{``. There is no backtracking, so a field
never shrinks to fit.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from logwright.errors import FormatError
from logwright.logs import program as p
from logwright.logs.batch import NO_TIME
from logwright.logs.kernel import headers
from logwright.logs.layout_parser import FIELDS, parse

__all__ = ["FIELDS", "TIMES", "Layout", "compile_layout", "is_level", "level_code", "run_on"]

_F = "{.%f}{,%f}"
TIMES = (
    f"%Y-%m-%dT%H:%M:%S{_F}%z",
    f"%Y-%m-%dT%H:%M:%S{_F}",
    f"%Y-%m-%d %H:%M:%S{_F}%z",
    f"%Y-%m-%d %H:%M:%S{_F} %z",
    f"%Y-%m-%d %H:%M:%S{_F}",
    f"%Y/%m/%d %H:%M:%S{_F}",
    f"%Y.%m.%d %H:%M:%S{_F}",
    "%Y-%m-%d-%H.%M.%S.%f",
    "%Y%m%d-%H:%M:%S:%f",
    f"%Y%m%d %H:%M:%S{_F}",
    f"%Y%m%dT%H%M%S{_F}%z",
    f"%Y%m%dT%H%M%S{_F}",
    "%y%m%d %H%M%S",
    f"%y/%m/%d %H:%M:%S{_F}",
    "%d/%b/%Y:%H:%M:%S %z",
    f"%d/%b/%Y %H:%M:%S{_F}",
    f"%d-%b-%Y %H:%M:%S{_F}",
    f"%d %b %Y %H:%M:%S{_F}",
    f"%a %b %e %H:%M:%S{_F} %Y",
    "%a %b %e %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%b %e, %Y %I:%M:%S %p",
    f"%b %e, %Y %H:%M:%S{_F}",
    f"%b %e %Y %H:%M:%S{_F}",
    "%m/%d/%Y %I:%M:%S %p",
    f"%m/%d/%Y %H:%M:%S{_F}",
    f"%d/%m/%Y %H:%M:%S{_F}",
    f"%d.%m.%Y %H:%M:%S{_F}",
    "%s{.%f}",
    f"%b %e %H:%M:%S{_F}",
    f"%m-%d %H:%M:%S{_F}",
    "%m.%d %H:%M:%S",
    f"%H:%M:%S{_F}",
)
"""Times that are looked for where a layout only says <Date> or <Time>, the surest first."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A compiled layout: the header program, and what it reads.

    `text` is the layout with its times spelled out. `slots` names what is read besides the time.
    `time` tells whether a time is read at all; `names_day`, `names_year` and `names_zone` tell what
    the time itself says.
    """

    text: str
    program: bytes
    slots: tuple[str, ...] = ()
    time: bool = False
    names_day: bool = False
    names_year: bool = False
    names_zone: bool = False

    def labelled(self) -> Layout:
        """The same layout behind a label token, which is kept even where the rest does not fit.

        >>> compile_layout("<level> <content>").labelled().slots
        ('level', 'label')
        """
        label = p.op(p.FIELD, p.SLOTS["label"]) + p.op(p.WS, 0) + p.op(p.MARK)
        return _layout(f"<label> <?>{self.text}", label + self.program)


def _layout(text: str, program: bytes) -> Layout:
    ops = [program[i : i + 4] for i in range(0, len(program), 4)]
    read = {op[1] for op in ops if op[0] == p.NUM}
    has = {name: part in read for name, part in p.PARTS.items()}
    filled = {op[1] for op in ops if op[0] in (p.FIELD, p.RAW)}
    epoch = has["epoch"]
    return Layout(
        text,
        program,
        tuple(name for name, slot in p.SLOTS.items() if slot in filled),
        time=epoch or has["day"] or has["hour"],
        names_day=epoch or has["day"],
        names_year=epoch or has["year"] or has["year2"],
        names_zone=epoch or any(op[0] == p.ZONE for op in ops),
    )


@functools.lru_cache(maxsize=4096)
def _compile(text: str) -> tuple[Layout, tuple[tuple[int, int], ...]]:
    program, asked = parse(text)
    return _layout(text, program), asked


def compile_layout(layout: str, samples: Sequence[bytes] = ()) -> Layout:
    """Compile a layout; what its plain date and time fields hold is found in the samples.

    Without samples such fields are skipped. `FormatError` names the column of a mistake.

    >>> compile_layout("<Date> <Time> <Level> <Content>", [b"2024-05-01 10:00:00,5 INFO up"]).text
    '<time:%Y-%m-%d %H:%M:%S{.%f}{,%f}> <Level> <Content>'
    >>> compile_layout("<Date> <Tim")
    Traceback (most recent call last):
    logwright.errors.FormatError: layout '<Date> <Tim' column 8: '<' is not closed
    """
    found, asked = _compile(layout)
    if found.time or not asked or not samples:
        return found
    best, best_rank = found, (0.0, False, False, False, False, 0)
    for text, length in _with_times(layout, asked):
        candidate, _ = _compile(text)
        _, ts, _, status = run_on(candidate.program, samples)
        share = float(np.mean((status == p.FULL) & (ts != NO_TIME)))
        # Shares that are nearly alike count as alike, so that the more telling time wins.
        rank = (
            round(share, 1),
            candidate.names_day,
            candidate.names_year,
            candidate.names_zone,
            "%f" in text,
            -length,
        )
        if share > 0 and rank > best_rank:
            best, best_rank = candidate, rank
    if best is found and np.any(run_on(found.program, samples)[3] == p.FULL):
        name = layout[asked[0][0] : asked[0][1]]
        raise FormatError(
            f"layout {layout!r} column {asked[0][0] + 1}: no known time fits {name} in the sampled "
            "lines: spell it out, as in <time:%Y-%m-%d %H:%M:%S>"
        )
    return best


def _with_times(layout: str, asked: Sequence[tuple[int, int]]) -> Iterator[tuple[str, int]]:
    """The layout with each known time in place of each run of its time fields, and its length."""
    for i, (start, _) in enumerate(asked):
        for j in range(i, len(asked)):
            if j > i and "<" in layout[asked[j - 1][1] : asked[j][0]]:
                break  # another field stands between
            rest = layout[asked[j][1] :]
            for time in TIMES:
                # There is no way back from an optional fraction whose comma belongs to the text.
                pattern = time.replace("{,%f}", "") if rest.startswith(",") else time
                yield f"{layout[:start]}<time:{pattern}>{rest}", j - i


def run_on(
    program: bytes, samples: Sequence[bytes]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`kernel.headers` on some lines of their own; positions count in their concatenation.

    >>> run_on(p.op(p.LIT, 65), [b"A", b"B"])[3].tolist()
    [2, 0]
    """
    length = np.array([len(line) for line in samples], dtype=np.int64)
    end = np.cumsum(length)
    return headers(b"".join(samples), end - length, end, program, 2000, 0)


# --- levels ---------------------------------------------------------------------------------------

_LEVELS = {
    1: "trace trce t verbose v vrb finest finer silly",
    2: "debug d dbg dbug fine config debug1 debug2 debug3 debug4 debug5 7",
    3: "info i inf information informational log success 6",
    4: "notice n note 5",
    5: "warning w warn wrn warnings 4",
    6: "error e err eror severe failed fail exception 3",
    7: "critical c crit fatal f ftl failure alert emerg emergency panic dpanic assert a 2 1 0",
}
_RARE_LEVELS = {
    1: "evel>5",
    2: "d1 d2 d3 d4 d5 db",
    3: "default df system evel>0 evel>4",
    4: "*",
    5: "deprecated # evel>3",
    6: "recoverable catchable evel>2",
    7: "fault parse evel>1",
}
"""Levels of a few formats that are words like others elsewhere: those of MongoDB, macOS, MySQL, PHP
and Redis, and Windows' ``<Level>4</Level>``, whose numbers are not syslog's."""


def _codes(levels: dict[int, str]) -> dict[bytes, int]:
    return {name.encode(): code for code, names in levels.items() for name in names.split()}


_LEVEL_CODES, _RARE_CODES = _codes(_LEVELS), _codes(_RARE_LEVELS)


def level_code(text: bytes) -> int:
    """The level a text names: 0 unknown, 1 trace, 2 debug, 3 info, 4 notice, 5 warning, 6 error,
    7 critical. Digits are syslog severities; ``<13`` (with its bracket) is a syslog priority.

    >>> [level_code(t) for t in (b"INFO", b"Warn", b"[E]", b"FATAL", b"<13", b"chatty")]
    [3, 5, 6, 7, 4, 0]
    """
    name = _level_name(text)
    return _LEVEL_CODES.get(name) or _RARE_CODES.get(name, 0)


def is_level(text: bytes, also: Sequence[str] = ()) -> bool:
    """Whether a text names a level anywhere, or is one of `also`, names of one format.

    >>> is_level(b"INFO"), is_level(b"*"), is_level(b"*", "*#")
    (True, False, True)
    """
    name = _level_name(text)
    return name in _LEVEL_CODES or name.decode("utf-8", "replace") in also


def _level_name(text: bytes) -> bytes:
    if text[:1] == b"<" and text[1:].isdigit() and len(text) < 6:
        return b"%d" % (int(text[1:]) % 8)
    return text.strip(b" \t[](){}<>:|*-.,\"'").lower() or text.strip()
