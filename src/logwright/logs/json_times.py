"""Timestamps of JSON records: columns of text or numbers to nanoseconds since 1970 UTC.

Text is ISO 8601 with any zone (or none), with `T` or a space, `-` or `/` in the date, `.` or `,`
before the fraction; or a number. Numbers are seconds, milliseconds, microseconds or nanoseconds,
told apart by their size: the four do not overlap between 1970-04 and 2255. What is neither, and
zero, which means "not set" in OpenTelemetry, has no time.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, Int64s

__all__ = ["number_times", "text_times"]

_WHOLE = r"^(\d{1,18}|[1-8]\d{18})$"
_DECIMAL = r"^\d{1,18}\.\d+$"
_DAY = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_ISO = _DAY + r"[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
_ZONE = r"(Z|[+-]\d\d(:?\d\d)?)$"
_UNITS = ((9e9, 10**9), (9e12, 10**6), (9e15, 10**3), (9.2e18, 1))  # below: nanoseconds in a unit


def number_times(values: NDArray[np.int64] | NDArray[np.float64]) -> Int64s:
    """Nanoseconds of epoch numbers of any unit.

    >>> number_times(np.array([1700000000, 1700000000123, 0])).tolist()[:2]
    [1700000000000000000, 1700000000123000000]
    """
    out = np.full(len(values), NO_TIME, np.int64)
    least = 0.0
    for most, scale in _UNITS:
        rows = (values > least) & (values < most)
        chosen = values[rows]
        if chosen.dtype.kind == "f":
            # A double holds seconds to about a quarter of a microsecond: digits beyond are noise.
            micros = np.rint(chosen * (scale / 1000))
            out[rows] = micros.astype(np.int64) * 1000
        else:
            out[rows] = chosen * scale
        least = np.nextafter(most, 0)
    return out


def text_times(values: pa.Array, zone: str) -> Int64s:
    """Nanoseconds of texts; `zone` is that of texts which name none.

    >>> text_times(pa.array(["2024-05-01T12:00:00+02:00", "no", None]), "UTC").tolist()[0]
    1714557600000000000
    """
    if pc.all(pc.ascii_is_decimal(values)).as_py():  # journald's microseconds
        fits = pc.match_substring_regex(values, _WHOLE)
        return number_times(pc.if_else(fits, values, "0").cast(pa.int64()).fill_null(0).to_numpy())
    # Whole columns of one layout first: with a zone, without, and as Python's logging has it.
    for zoned, comma in ((True, False), (False, False), (False, True)):
        try:
            whole = pc.replace_substring(values, ",", ".") if comma else values
            return _cast(whole, zone, zoned)
        except pa.ArrowInvalid:
            continue
    out = np.full(len(values), NO_TIME, np.int64)
    for pattern, kind in ((_WHOLE, pa.int64()), (_DECIMAL, pa.float64())):
        rows = _matching(values, pattern)
        if len(rows):
            out[rows] = number_times(values.take(rows).cast(kind).to_numpy())
    rows = _matching(values, r"^\d{4}[-/]")
    text = values.take(rows)
    text = pc.replace_substring_regex(text, r"^(\d{4})/(\d\d)/", r"\1-\2-")
    text = pc.replace_substring_regex(text, r" ?(z|UTC|GMT)$", "Z")
    text = pc.replace_substring_regex(text, r" ([+-]\d\d:?\d\d)$", r"\1")
    text = pc.replace_substring_regex(text, r":(\d\d)[.,](\d{1,9})\d*", r":\1.\2")
    for zoned, pattern in ((True, _ISO + _ZONE), (False, _ISO + "$")):
        fits = _matching(text, pattern)
        out[rows[fits]] = _cast_each(text.take(fits), zone, zoned)
    return out


def _matching(values: pa.Array, pattern: str) -> NDArray[np.int64]:
    found = pc.fill_null(pc.match_substring_regex(values, pattern), False)
    return np.flatnonzero(found.to_numpy(zero_copy_only=False))


def _cast_each(text: pa.Array, zone: str, zoned: bool) -> Int64s:
    """`_cast`, with no time for those that no calendar has (30 February, year 9999)."""
    try:
        return _cast(text, zone, zoned)
    except pa.ArrowInvalid:
        if len(text) <= 1:
            return np.full(len(text), NO_TIME, np.int64)
        half = len(text) // 2
        return np.concatenate(
            [_cast_each(text[:half], zone, zoned), _cast_each(text[half:], zone, zoned)]
        )


def _cast(text: pa.Array, zone: str, zoned: bool) -> Int64s:
    if zoned:
        times = text.cast(pa.timestamp("ns", "UTC"))
        shift = 0
    else:
        times = text.cast(pa.timestamp("ns"))
        offset = re.fullmatch(r"([+-])(\d\d):?(\d\d)", zone)
        shift = 0
        if offset:
            minutes = int(offset[2]) * 60 + int(offset[3])
            shift = minutes * 60 * 10**9 * (-1 if offset[1] == "+" else 1)
        elif zone != "UTC":
            times = pc.assume_timezone(times, zone, ambiguous="earliest", nonexistent="earliest")
    missing = times.is_null().to_numpy(zero_copy_only=False)
    numbers: Int64s = pc.fill_null(times.cast(pa.int64()), 0).to_numpy() + shift
    numbers[missing] = NO_TIME
    return numbers
