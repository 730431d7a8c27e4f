"""Moments: when lines were written.

Almost all lines of a source have their time in the same place, in the same form: it is found on a
line and read there for all of them at once. Lines that have it elsewhere are read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, Int32s, Int64s

__all__ = ["moment", "moments"]

_SECOND = 1_000_000_000
_LOOKED_AT = 200
"""Bytes of a line in which its time may stand."""
_ONE_BY_ONE = 20_000
"""Lines whose times are read one by one, the first ones: a bound on what odd input costs."""

_TIME = rb"(?P<time>\d\d:\d\d:\d\d)(?:[.,](?P<part>\d{1,9}))?"
_FORMS = {
    "iso": re.compile(
        rb"(?P<day>\d{4}[-/]\d\d[-/]\d\d)[T ]" + _TIME + rb"(?P<zone>Z|[+-]\d\d:?\d\d)?"
    ),
    "syslog": re.compile(
        rb"\b(?P<day>(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2}) "
        + _TIME
        + rb"(?: (?P<year>\d{4})\b)?"
    ),
    "web": re.compile(
        rb"(?P<day>\d\d[/-]\w{3}[/-]\d{4})[: ]" + _TIME + rb"(?: (?P<zone>[+-]\d{4}))?"
    ),
    "clock": re.compile(rb"(?<![\d:.])" + _TIME + rb"(?![\d:])"),
}
_EPOCH = re.compile(rb"(?<![\d.])(1\d{9})(?:\.(\d{1,9})|(\d{3}|\d{6}|\d{9}))?(?![\d.])")
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_YEARS = range(1680, 2260)
"""Years whose days can be told in nanoseconds (int64): a time in another one is none."""
_LEAP = b"2000"  # where no year is given: one that has a 29 February

_ZERO, _COLON = b"0:"
_NONE = np.empty(0, np.int64)
_PLACES = np.array([0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18])
_MARKS = np.array([4, 7, 10, 13, 16])


def moment(line: bytes) -> int:
    """The time a line begins with, in nanoseconds; `NO_TIME` without one.

    >>> moment(b"2024-02-29 00:00:01,5 started") - moment(b"[2024-02-29T00:00:00+00:00] x")
    1500000000
    >>> moment(b"no time") == NO_TIME
    True
    """
    return _read(line[:_LOOKED_AT], _FORMS)[0]


def _read(text: bytes, forms: Iterable[str]) -> tuple[int, str]:
    """The time in a text, and in which of these forms it is ("" for none, and for seconds)."""
    for form in forms:
        found = _FORMS[form].search(text)
        if found is None:
            continue
        have = found.groupdict()
        day = _day(have.get("day", b""), have.get("year") or _LEAP, form)
        clock = _clock(have["time"])
        if day is None or clock is None:  # 31 February, hour 25, year 9999
            break
        part = int((have["part"] or b"0").ljust(9, b"0"))
        return day + clock + part - _zone(have.get("zone")), form
    else:
        if seconds := _EPOCH.search(text):
            part = int((seconds[2] or seconds[3] or b"0").ljust(9, b"0"))
            return int(seconds[1]) * _SECOND + part, ""
    return NO_TIME, ""


def moments(buffer: bytes, start: Int64s, end: Int64s, source: Int32s) -> Int64s:
    """The time of every line; lines without one have that of the line above in their source."""
    times = np.full(len(start), NO_TIME, np.int64)
    if not len(start):
        return times
    text = np.frombuffer(buffer, np.uint8)
    for offset in _offsets(buffer, start, end):
        rows = np.flatnonzero((times == NO_TIME) & (start + offset + 19 <= end))
        read, good = _iso_at(text, start[rows] + offset, end[rows])
        times[rows[good]] = read[good]
    forms = list(_FORMS)
    starts, ends = start.tolist(), np.minimum(end, start + _LOOKED_AT).tolist()
    rows = np.flatnonzero(times == NO_TIME)[:_ONE_BY_ONE]
    for row in rows[_clocked(text, start)[rows]].tolist():
        times[row], form = _read(buffer[starts[row] : ends[row]], forms)
        if form and form != forms[0]:  # the next line has the same form, most likely
            forms.remove(form)
            forms.insert(0, form)
    return _carried(times, source)


def _offsets(buffer: bytes, start: Int64s, end: Int64s) -> list[int]:
    """Where in a line times of the ISO form stand, by a sample of the lines."""
    found: dict[int, None] = {}
    for row in range(0, len(start), max(1, len(start) // 64)):
        at = _FORMS["iso"].search(buffer[start[row] : min(end[row], start[row] + _LOOKED_AT)])
        if at is not None and at["zone"] in (None, b"Z"):  # with another zone: one by one
            found[at.start()] = None
    return list(found)[:4]


def _iso_at(text: NDArray[np.uint8], at: Int64s, end: Int64s) -> tuple[Int64s, NDArray[np.bool_]]:
    """`2015-10-17 21:24:07,348` read at a position of each line, and where it stands there."""
    if not len(at):
        return np.empty(0, np.int64), np.empty(0, np.bool_)
    field = text[at[:, None] + np.arange(19)]
    digits = field[:, _PLACES].astype(np.int64) - 48
    marks = field[:, _MARKS]
    good = ((digits >= 0) & (digits <= 9)).all(axis=1)
    good &= (marks[:, 3] == 58) & (marks[:, 4] == 58)
    good &= ((marks[:, 0] == 45) | (marks[:, 0] == 47)) & (marks[:, 0] == marks[:, 1])
    good &= (marks[:, 2] == 32) | (marks[:, 2] == 84)
    year = digits[:, :4] @ np.array([1000, 100, 10, 1])
    month, day, hour, minute, second = (
        digits[:, n] * 10 + digits[:, n + 1] for n in range(4, 14, 2)
    )
    good &= (year >= _YEARS.start) & (year < _YEARS.stop)
    good &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31) & (hour < 24) & (minute < 60)
    # Days since 1970 by months that begin in March (a year's 29 February is then its last day).
    since = year - (month <= 2)
    in_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    days = since * 365 + since // 4 - since // 100 + since // 400 + in_year - 719_468
    read = (((days * 24 + hour) * 60 + minute) * 60 + second) * _SECOND
    behind = at[:, None] + 19 + np.arange(4)
    parts = text[np.minimum(behind, len(text) - 1)].astype(np.int64)
    parts[behind >= end[:, None]] = 0
    fraction = (parts[:, 0] == 44) | (parts[:, 0] == 46)
    fraction &= ((parts[:, 1:] >= 48) & (parts[:, 1:] <= 57)).all(axis=1)
    read += np.where(fraction, (parts[:, 1:] - 48) @ np.array([100, 10, 1]), 0) * 1_000_000
    return read, good


def _clocked(text: NDArray[np.uint8], start: Int64s) -> NDArray[np.bool_]:
    """Whether a line may hold a time: two colons with two digits between them, or ten digits."""
    digit = (text >= _ZERO) & (text <= _ZERO + 9)
    pair = digit[:-1] & digit[1:]
    four = pair[:-2] & pair[2:]
    ten = np.flatnonzero(four[:-6] & four[4:-2] & pair[8:]) if len(text) > 9 else _NONE
    colon = np.flatnonzero((text[:-3] == _COLON) & (text[3:] == _COLON) & pair[1:-1])
    held = np.zeros(len(start), np.bool_)
    for at in (colon, ten):
        held[np.searchsorted(start, at, "right") - 1] = True
    return held


def _carried(times: Int64s, source: Int32s) -> Int64s:
    rows = np.arange(len(times))
    begins = np.concatenate([[True], source[1:] != source[:-1]])
    stands = np.where((times != NO_TIME) | begins, rows, 0)
    carried: Int64s = times[np.maximum.accumulate(stands)]
    return carried


@lru_cache(maxsize=1 << 10)
def _day(text: bytes, year: bytes, form: str) -> int | None:
    """When a day begins, nanoseconds; None for none that exists."""
    try:
        match form:
            case "iso":
                day = date(int(text[:4]), int(text[5:7]), int(text[8:10]))
            case "syslog":
                day = date(int(year), _MONTHS.index(text[:3]) + 1, int(text[3:]))
            case "web":
                day = date(int(text[7:]), _MONTHS.index(text[3:6]) + 1, int(text[:2]))
            case _:
                day = date(int(_LEAP), 1, 1)
    except ValueError:
        return None
    if day.year not in _YEARS:
        return None
    return (day - date(1970, 1, 1)).days * 86_400 * _SECOND


@lru_cache(maxsize=1 << 16)
def _clock(text: bytes) -> int | None:
    """`23:59:59` as nanoseconds of the day; None for none that exists."""
    hour, minute, second = int(text[:2]), int(text[3:5]), int(text[6:])
    if hour > 23 or minute > 59 or second > 60:
        return None
    return ((hour * 60 + minute) * 60 + second) * _SECOND


@lru_cache(maxsize=128)
def _zone(text: bytes | None) -> int:
    """What a zone is ahead of UTC, in nanoseconds."""
    if not text or text == b"Z":
        return 0
    digits = text[1:].replace(b":", b"")
    ahead = (int(digits[:2]) * 60 + int(digits[2:])) * 60 * _SECOND
    return -ahead if text[:1] == b"-" else ahead
