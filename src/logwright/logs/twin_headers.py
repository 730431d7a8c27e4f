"""The numpy twin of the kernel's `headers`: a header program (`logs.program`) on all lines at once.

Each operation works on arrays with one entry per line: a cursor, what was read so far, and whether
the line is still alive. Loops run over operations and digits, never over lines.

Readings where the definition leaves room: an ``OPT`` whose second byte is 0 names one byte only;
``Z``, ``UTC`` and ``GMT`` are read in capitals only; the time of day alone also takes the fraction
and the zone; a number that int64 cannot hold fails the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from logwright.logs import program as p
from logwright.logs.batch import NO_TIME, Int8s, Int64s

__all__ = ["Bools", "Buffer", "UInt8s", "as_array", "check_spans", "headers", "members"]

Buffer: TypeAlias = bytes | bytearray | memoryview | NDArray[np.uint8]
UInt8s: TypeAlias = NDArray[np.uint8]
Bools: TypeAlias = NDArray[np.bool_]

_SECOND = 1_000_000_000
_LAST_SECOND = 9_223_372_034
"""Seconds from 1970 that int64 nanoseconds hold, with room for a fraction."""

_END = np.int16(-1)
"""The 'byte' that stands behind a line's end."""

_YEAR, _MONTH, _DAY, _HOUR, _MINUTE, _SECONDS, _FRACTION, _EPOCH, _YEAR2 = range(9)
_EPOCH_REST = _YEAR2
"""Row of the epoch's nanoseconds within its second: a two-digit year is kept in row `_YEAR`."""

_RANGE = {
    _YEAR: (0, 9_999_999),
    _MONTH: (1, 12),
    _DAY: (1, 31),
    _HOUR: (0, 23),
    _MINUTE: (0, 59),
    _SECONDS: (0, 60),
    _YEAR2: (0, 99),
}
_FULL_NUMBER = (2**63 - 10) // 10
"""A number above this cannot take one more digit."""

_POWERS = np.array([10**k for k in range(10)], dtype=np.int64)

_NAMES = b"jan feb mar apr may jun jul aug sep oct nov dec".split()


def as_array(buf: Buffer) -> UInt8s:
    """The bytes of `buf` as an array, without a copy."""
    return buf if isinstance(buf, np.ndarray) else np.frombuffer(buf, dtype=np.uint8)


def members(data: UInt8s, wanted: bytes) -> Bools:
    """Which bytes of `data` are among `wanted`."""
    table = np.zeros(256, dtype=np.bool_)
    table[list(wanted)] = True
    return table[data]


def check_spans(start: Int64s, end: Int64s, size: int) -> None:
    """Refuse spans that do not lie within a block of `size` bytes."""
    if len(start) and not (start.min() >= 0 and (start <= end).all() and end.max() <= size):
        raise ValueError("line outside the block")


@dataclass(slots=True)
class _State:
    """Where each line's cursor stands and what was read so far; parts and spans by row."""

    cursor: Int64s
    spans: Int64s
    parts: Int64s
    have: Bools
    zone: Int64s

    @classmethod
    def at(cls, start: Int64s) -> _State:
        n = len(start)
        return cls(
            start.copy(),
            np.full((8, n), -1, dtype=np.int64),
            np.zeros((9, n), dtype=np.int64),
            np.zeros((9, n), dtype=np.bool_),
            np.zeros(n, dtype=np.int64),
        )

    def keep(self, other: _State, where: Bools) -> None:
        np.copyto(self.cursor, other.cursor, where=where)
        np.copyto(self.spans, other.spans, where=where)
        np.copyto(self.parts, other.parts, where=where)
        np.copyto(self.have, other.have, where=where)
        np.copyto(self.zone, other.zone, where=where)

    def set(self, part: int, where: Bools, value: Int64s) -> None:
        np.copyto(self.parts[part], value, where=where)
        self.have[part] |= where


class _Run:
    """One program's run over all lines."""

    def __init__(self, data: UInt8s, start: Int64s, end: Int64s) -> None:
        self.data = np.append(data, np.uint8(0))  # so that a look behind the end is allowed
        self.end = end
        self.now, self.kept = _State.at(start), _State.at(start)
        self.alive = np.ones(len(start), dtype=np.bool_)
        self.marked = np.zeros(len(start), dtype=np.bool_)
        self.resume = np.zeros(len(start), dtype=np.int64)  # operations before this are skipped
        self.stops: dict[bytes, Int64s] = {}

    def peek(self, ahead: int = 0) -> NDArray[np.int16]:
        """The byte `ahead` of the cursor, `_END` behind the line's end."""
        at = self.now.cursor + ahead
        return np.where(at < self.end, self.data[np.minimum(at, len(self.data) - 1)], _END)

    def digit(self, ahead: int) -> Int64s:
        """The digit `ahead` of the cursor, -1 where there is none."""
        value = self.peek(ahead).astype(np.int64) - 48
        return np.where((value >= 0) & (value <= 9), value, -1)

    def two_digits(self, ahead: int) -> Int64s:
        """The two-digit number `ahead` of the cursor, -1 where there is none."""
        high, low = self.digit(ahead), self.digit(ahead + 1)
        return np.where((high >= 0) & (low >= 0), high * 10 + low, -1)

    def word(self, count: int, fold: int) -> Int64s:
        """The next `count` bytes as one number, with the bits of `fold` set in each."""
        number = np.zeros(len(self.end), dtype=np.int64)
        for k in range(count):
            number = (number << 8) | ((self.peek(k).astype(np.int64) | fold) & 0xFF)
        return number

    def next_stop(self, wanted: bytes) -> Int64s:
        """The first position at or after the cursor that holds one of `wanted`."""
        if wanted not in self.stops:
            inside = np.flatnonzero(members(self.data[:-1], wanted))
            self.stops[wanted] = np.append(inside, len(self.data))
        stops = self.stops[wanted]
        return stops[np.searchsorted(stops, self.now.cursor)]

    def after_blanks(self) -> Int64s:
        """The first position at or after the cursor that is neither space nor tab."""
        if b"" not in self.stops:
            blank = members(self.data, b" \t")
            self.stops[b""] = np.flatnonzero(blank[:-1] & ~blank[1:]) + 1
        ends, first = self.stops[b""], self.peek()
        rank = np.searchsorted(ends, self.now.cursor, side="right")
        to = np.append(ends, len(self.data))[rank]
        blank = (first == 32) | (first == 9)
        return np.where(blank, np.minimum(to, self.end), self.now.cursor)

    def step(self, index: int, code: int, a: int, b: int, c: int) -> None:
        """Run operation number `index` on the lines that are alive and do not skip it."""
        active = self.alive & (self.resume <= index)
        if code == p.MARK:
            self.marked |= active
            self.kept.keep(self.now, active)
        elif code == p.OPT:
            byte = self.peek()
            taken = (byte == a) | (byte == (b or a)) if a else (byte >= 48) & (byte <= 57)
            self.resume[active & ~taken] = index + 1 + c
        else:
            ok, to = self.read(active, code, a, b, c)
            self.alive &= ok | ~active
            np.copyto(self.now.cursor, to, where=active & ok)

    def read(self, active: Bools, code: int, a: int, b: int, c: int) -> tuple[Bools, Int64s]:
        """What a reading operation gives: where it fits, and the cursor after it."""
        cursor = self.now.cursor
        if code == p.LIT:
            return self.peek() == a, cursor + 1
        if code == p.WS:
            to = self.after_blanks()
            return to - cursor >= a, to
        if code == p.FIELD:
            to = np.minimum(self.next_stop(bytes({32, 9, b, c} - {0})), self.end)
            return self.slot(active, a, to > cursor, to)
        if code == p.RAW:
            to = self.next_stop(bytes((b,)))
            return self.slot(active, a, to < self.end, to)
        if code == p.NUM and a <= _YEAR2:
            return self.number(active, a, b, c)
        if code == p.MONTH:
            word, month = self.word(3, 32), np.zeros(len(cursor), dtype=np.int64)
            for number, name in enumerate(_NAMES, 1):
                month[word == int.from_bytes(name)] = number
            self.now.set(_MONTH, active & (month > 0), month)
            return month > 0, cursor + 3
        if code == p.ZONE:
            return self.zone(active)
        if code == p.AMPM:
            word, hour = self.word(2, 32), self.now.parts[_HOUR]
            am, pm = word == int.from_bytes(b"am"), word == int.from_bytes(b"pm")
            hour[active & am & (hour == 12)] = 0
            hour[active & pm & (hour < 12)] += 12
            return am | pm, cursor + 2
        return np.zeros(len(cursor), dtype=np.bool_), cursor  # an operation that does not exist

    def slot(self, active: Bools, slot: int, ok: Bools, to: Int64s) -> tuple[Bools, Int64s]:
        if slot < 4:
            np.copyto(self.now.spans[2 * slot], self.now.cursor, where=active & ok)
            np.copyto(self.now.spans[2 * slot + 1], to, where=active & ok)
        return ok, to

    def number(self, active: Bools, part: int, least: int, most: int) -> tuple[Bools, Int64s]:
        value, width = np.zeros(len(active), dtype=np.int64), np.zeros(len(active), dtype=np.int64)
        running, fits = active.copy(), np.ones(len(active), dtype=np.bool_)
        counted = 9 if part == _FRACTION else most  # further digits are read over
        for k in range(most):
            digit = self.digit(k)
            running &= digit >= 0
            if not running.any():
                break
            width += running
            if k < counted:
                fits &= ~running | (value <= _FULL_NUMBER)
                running &= fits
                np.copyto(value, value * 10 + digit, where=running)
        low, high = _RANGE.get(part, (0, 2**63 - 1))
        ok = fits & (width >= least) & (value >= low) & (value <= high)
        if part == _EPOCH:
            exponent = 3 * ((width > 11).astype(np.int64) + (width > 14) + (width > 17))
            unit = _POWERS[exponent]
            self.now.set(_EPOCH_REST, active & ok, value % unit * (_SECOND // unit))
            value = value // unit
        elif part == _FRACTION:
            value = value * _POWERS[9 - np.minimum(width, 9)]
        elif part == _YEAR2:
            value, part = value + np.where(value >= 70, 1900, 2000), _YEAR
        self.now.set(part, active & ok, value)
        return ok, self.now.cursor + width

    def zone(self, active: Bools) -> tuple[Bools, Int64s]:
        sign, word = self.peek(), self.word(3, 0)
        named = np.where(sign == ord("Z"), 1, 0)
        named[(word == int.from_bytes(b"UTC")) | (word == int.from_bytes(b"GMT"))] = 3
        hour, minute = self.two_digits(1), self.two_digits(3)
        late = np.where(self.peek(3) == ord(":"), self.two_digits(4), -1)
        numbered = ((sign == ord("+")) | (sign == ord("-"))) & (hour >= 0)
        width = np.where(late >= 0, 6, np.where(minute >= 0, 5, 3))
        seconds = hour * 3600 + np.maximum(np.maximum(late, minute), 0) * 60
        ok = (named > 0) | numbered
        value = np.where(numbered, np.where(sign == ord("-"), -seconds, seconds), 0)
        np.copyto(self.now.zone, value, where=active & ok)
        return ok, self.now.cursor + np.where(numbered, width, named)


def _time(state: _State, year: int, day: int) -> Int64s:
    """The time of the parts read, in nanoseconds, `NO_TIME` where there is none."""
    parts, have = state.parts, state.have
    dated = have[_MONTH] & have[_DAY]
    years = np.where(have[_YEAR], parts[_YEAR], year)
    days, exists = _civil_days(years, parts[_MONTH], parts[_DAY])
    clock = np.where(have[_HOUR], parts[_HOUR], 0) * 3600 + parts[_MINUTE] * 60 + parts[_SECONDS]
    seconds = np.where(dated, days, day) * 86400 + clock - state.zone
    seconds = np.where(have[_EPOCH], parts[_EPOCH], seconds)
    rest = parts[_FRACTION] + np.where(have[_EPOCH], parts[_EPOCH_REST], 0)
    known = have[_EPOCH] | np.where(dated, exists, have[_HOUR])
    known &= (seconds >= -_LAST_SECOND - 1) & (seconds <= _LAST_SECOND)
    return np.where(known, np.where(known, seconds, 0) * _SECOND + rest, NO_TIME)


def _civil_days(year: Int64s, month: Int64s, day: Int64s) -> tuple[Int64s, Bools]:
    """Days since 1970 of a date, and whether there is such a day."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    length = np.array([31, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[month]
    shifted = year - (month <= 2)  # years that begin in March, so that the leap day comes last
    of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    days = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + of_year - 719468
    return days, day <= length + (leap & (month == 2))


def headers(
    buf: Buffer, start: Int64s, end: Int64s, program: bytes, year: int, day: int
) -> tuple[Int64s, Int64s, Int64s, Int8s]:
    """Run a header program on each line.

    >>> code = p.op(p.NUM, 3, 2, 2) + p.op(p.LIT, 58) + p.op(p.NUM, 4, 2, 2) + p.op(p.WS, 1)
    >>> line, start, end = b"12:00 ok", np.array([0]), np.array([8])
    >>> content, ts, spans, status = headers(line, start, end, code, 1970, 0)
    >>> int(content[0]), int(ts[0]) // 10**9, int(status[0]) == p.FULL
    (6, 43200, True)
    """
    data = as_array(buf)
    start, end = np.asarray(start, dtype=np.int64), np.asarray(end, dtype=np.int64)
    check_spans(start, end, len(data))
    run = _Run(data, start, end)
    for index in range(len(program) // 4):
        if not run.alive.any():
            break
        code, a, b, c = program[4 * index : 4 * index + 4]
        run.step(index, code, a, b, c)
    result = run.kept  # a failed line keeps what stood at its last MARK, or nothing
    result.keep(run.now, run.alive)
    status = np.where(run.alive, p.FULL, np.where(run.marked, p.PARTIAL, p.NONE)).astype(np.int8)
    spans = np.ascontiguousarray(result.spans.T)
    return result.cursor, _time(result, year, day), spans, status
