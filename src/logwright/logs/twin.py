"""The numpy twin of the C kernel: the same functions and the same results, without a compiler.

What each function returns is said in `logs.kernel`; what a header program means in `logs.program`;
what a shape is in `logs.shapes`. Everything here works on all lines of a block at once: loops run
over operations, digits or 8-byte words, never over lines, except over unique keys in `Table`.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int32s, Int64s
from logwright.logs.shapes import DELIMITERS, shape_key
from logwright.logs.twin_headers import (
    Bools,
    Buffer,
    UInt8s,
    as_array,
    check_spans,
    headers,
    members,
)

__all__ = [
    "ALL",
    "FORM",
    "FORMS",
    "KNOWN",
    "NUMBER",
    "SAMPLE",
    "UNITS",
    "VALUE",
    "WATCH",
    "Table",
    "headers",
    "lines",
    "token_spans",
    "watch",
]

UInt64s: TypeAlias = NDArray[np.uint64]

ALL, NUMBER, VALUE, FORM, SAMPLE = 1, 2, 4, 8, 16
KNOWN = 128
"""Places for values of a watched slot."""

WATCH = np.dtype(
    [
        ("low", "f8"),
        ("high", "f8"),
        ("seen", "i8"),
        ("stride", "i8"),
        ("mode", "i4"),
        ("shortest", "i4"),
        ("longest", "i4"),
        ("classes", "i4"),
    ]
)
"""A watched slot: see `logs.kernel`."""

_K, _M, _G = 1024.0, 1048576.0, 1073741824.0
UNITS = {b"": 1.0, b"%": 1.0, b"ns": 1e-9, b"us": 1e-6, b"ms": 1e-3, b"s": 1.0, b"min": 60.0}
UNITS |= {b"h": 3600.0, b"B": 1.0, b"k": _K, b"K": _K, b"kB": _K, b"KB": _K, b"KiB": _K}
UNITS |= {b"M": _M, b"MB": _M, b"MiB": _M, b"G": _G, b"GB": _G, b"GiB": _G}
"""What the units behind a number are worth, in seconds and bytes."""

FORMS = np.full(256, 128, np.int32)
"""The kind of each byte: digit, a-f, g-z, A-F, G-Z, beyond ASCII, control, other, and one of its
own for each of ``-._/@%``; 0 for delimiters."""

for _bit, _bytes in (
    (1, range(48, 58)),
    (2, range(97, 103)),
    (4, range(103, 123)),
    (8, range(65, 71)),
    (16, range(71, 91)),
    (32, range(128, 256)),
    (64, [*range(32), 127]),
    *((256 << i, [b]) for i, b in enumerate(b"-._/@%")),
    (0, DELIMITERS),
):
    FORMS[list(_bytes)] = _bit
_TENS = [float(f"1e{k}") for k in range(19)]
_NUMBER = re.compile(rb"([-+]?)([0-9]*)(?:\.([0-9]*))?(.*)", re.S)


def lines(buf: Buffer, newlines: int | None = None) -> tuple[Int64s, Int64s]:
    """Where each line of `buf` starts and ends.

    >>> [column.tolist() for column in lines(b"one\\r\\n\\ntwo")]
    [[0, 5, 6], [3, 5, 9]]
    """
    data = as_array(buf)
    end = np.flatnonzero(data == 10).astype(np.int64)
    if len(data) and data[-1] != 10:
        end = np.append(end, len(data))
    start = np.zeros_like(end)
    start[1:] = end[:-1] + 1
    ended = end < len(data)
    carriage = ended & (end > start)
    carriage[carriage] = data[end[carriage] - 1] == 13
    return start, end - carriage


def token_spans(buf: Buffer, start: Int64s, end: Int64s, ordinal: Int32s) -> tuple[Int64s, Int64s]:
    """Where the token number `ordinal` of each content stands.

    >>> text = b"size=12 ok"
    >>> token_spans(text, np.array([0]), np.array([10]), np.array([1], dtype=np.int32))
    (array([5]), array([7]))
    """
    data = as_array(buf)
    delimiter = np.append(members(data, DELIMITERS), True)
    opens = ~delimiter
    opens[1:] &= delimiter[:-1]
    opening = np.append(np.flatnonzero(opens), [len(data)] * 2)
    closing = np.flatnonzero(delimiter)
    start, end = np.asarray(start, dtype=np.int64), np.asarray(end, dtype=np.int64)
    inside = np.clip(start, 0, len(data))
    # A content may begin within a token of the block: its rest counts as token 0.
    split = ~delimiter[inside] & ~opens[inside]
    rank = np.searchsorted(opening, inside) + ordinal - split
    begin = np.where(split & (ordinal == 0), start, opening[np.clip(rank, 0, len(opening) - 1)])
    found = (ordinal >= 0) & (start >= 0) & (begin < end)
    stop = np.minimum(closing[np.searchsorted(closing, np.minimum(begin, len(data)))], end)
    return np.where(found, begin, -1), np.where(found, stop, -1)


def watch(
    buf: Buffer,
    start: Int64s,
    end: Int64s,
    shape: Int32s,
    plan: Int32s,
    layout: Int32s,
    slots: NDArray[Any],
    known: UInt64s,
) -> tuple[Int64s, NDArray[np.float64]]:
    """What stands out among the watched tokens: `logs.kernel` says what the arguments are."""
    data = as_array(buf)
    start, end = np.asarray(start, dtype=np.int64), np.asarray(end, dtype=np.int64)
    held = min(len(slots), len(known))
    place = np.full(len(start), -1, np.int64)
    inside = (shape >= 0) & (shape < len(plan))
    place[inside] = plan[shape[inside]]
    check_spans(start[place != -1], end[place != -1], len(data))
    due = _count_down(shape, place, plan)
    mark = np.full(len(due), -1, np.int64)
    none = np.zeros(len(due), np.int64)
    parts = [np.stack((due, mark, start[due], end[due], none), axis=1)]
    closing = np.flatnonzero(np.append(members(data, DELIMITERS), True))
    for offset in np.unique(place[place >= 0]).tolist():
        rows = np.flatnonzero(place == offset)
        stop, step = start[rows], offset
        while step + 1 < len(layout) and layout[step] >= 0:
            fits = layout[step] <= end[rows] - stop
            rows, begin = rows[fits], stop[fits] + layout[step]
            stop = np.minimum(closing[np.searchsorted(closing, begin)], end[rows])
            if 0 <= layout[step + 1] < held:
                slot = np.full(len(rows), layout[step + 1], np.int64)
                nth = np.full(len(rows), step - offset, np.int64)
                parts.append(np.stack((rows, slot, begin, stop, nth), axis=1))
            step += 2
    found = np.concatenate(parts)
    found = found[np.lexsort((found[:, 4], found[:, 0]))]
    return _standing_out(data, found, slots, known)


def _count_down(shape: Int32s, place: Int64s, plan: Int32s) -> Int64s:
    """Count the lines of shapes that are to be watched later; gives the rows that reach -1."""
    waiting = np.flatnonzero(place < -1)
    order = waiting[np.argsort(shape[waiting], kind="stable")]
    code = shape[order]
    first = np.flatnonzero(np.diff(code, prepend=-1) != 0)
    times = np.diff(np.append(first, len(code)))
    nth = np.arange(len(code)) - np.repeat(first, times) + 1
    due: Int64s = np.sort(order[nth == -1 - place[order]]).astype(np.int64)
    plan[code[first]] = np.minimum(plan[code[first]] + times, -1)
    return due


def _standing_out(
    data: UInt8s, found: Int64s, slots: NDArray[Any], known: UInt64s
) -> tuple[Int64s, NDArray[np.float64]]:
    """The tokens among those walked over (in order) that are told of, with hashes and numbers."""
    out, numbers = np.zeros((len(found), 6), np.int64), np.zeros(len(found))
    out[:, :4] = found[:, :4]
    told = found[:, 1] < 0
    for slot in np.unique(found[~told, 1]).tolist():
        mine, watch = np.flatnonzero(found[:, 1] == slot), slots[slot]
        begin, length = found[mine, 2], found[mine, 3] - found[mine, 2]
        count = int(watch["seen"]) + np.arange(len(mine))
        slots["seen"][slot] += len(mine)
        text, mode = _gather(data, begin, length), int(watch["mode"])
        tell = np.full(len(mine), bool(mode & ALL))
        if mode & SAMPLE and watch["stride"] > 0:
            tell |= count % watch["stride"] == 0
        if mode & (ALL | NUMBER):
            pieces = np.split(text, np.cumsum(length)[:-1])
            values = {piece: number_of(piece) for piece in {p.tobytes() for p in pieces}}
            numbers[mine] = [values[p.tobytes()] for p in pieces]
            if mode & NUMBER:
                tell |= ~((numbers[mine] >= watch["low"]) & (numbers[mine] <= watch["high"]))
        if mode & (ALL | VALUE):
            h = _hash(text, length)[0]
            out[mine, 5] = h.view(np.int64)
            if mode & VALUE:
                tell |= ~np.isin(h, known[slot])
        if mode & FORM:
            end = np.cumsum(length)
            filled = length > 0
            classes = np.zeros(len(mine), np.int64)
            if filled.any():
                classes[filled] = np.bitwise_or.reduceat(FORMS[text], (end - length)[filled])
            tell |= (classes & ~int(watch["classes"])) != 0
            tell |= (length < watch["shortest"]) | (length > watch["longest"])
        out[mine, 4] = count
        told[mine] = tell
    return out[told], numbers[told]


def number_of(token: bytes) -> float:
    """The number that a token is, NaN where it is none.

    >>> number_of(b"-1.5"), number_of(b"250ms"), number_of(b"7x")
    (-1.5, 0.25, nan)
    """
    match = _NUMBER.fullmatch(token)
    assert match is not None
    sign, whole, decimals, unit = match.groups(b"")
    digits = whole + decimals
    if not 1 <= len(digits) <= 18 or unit not in UNITS:
        return float("nan")
    value = float(-int(digits) if sign == b"-" else int(digits)) / _TENS[len(decimals)]
    return value * UNITS[unit] if unit else value


_DELIMITER, _VARIABLE, _NOT_HEX, _UPPER, _LOWER = 1, 2, 4, 8, 16
_CLASS = np.full(256, _NOT_HEX, dtype=np.uint8)
_CLASS[list(b"ABCDEFabcdef")] = 0
_CLASS[list(range(65, 91))] |= _UPPER
_CLASS[list(range(97, 123))] |= _LOWER
_CLASS[list(b"0123456789\x00")] |= _VARIABLE
_CLASS[list(DELIMITERS)] = _DELIMITER

# The weights of `shapes.looks_random`: of a byte, and of a pair of cases (1 upper, 2 lower).
_CASE = ((_CLASS & _UPPER) // _UPPER + (_CLASS & _LOWER) // _LOWER * 2).astype(np.uint8)
_BYTE_WEIGHT = np.where(_CASE > 0, -1, -2).astype(np.int64)
_BYTE_WEIGHT[list(b"jqxzkvwJQXZKVW")] = 6
_BYTE_WEIGHT[ord("+")] = 8
_PAIR_WEIGHT = np.array([[0, 0, 0], [0, 7, 2], [0, 2, -4]], dtype=np.int64)

_LONG = 4096
"""Words beyond which a line is hashed by itself: columns of one line would be slow."""


def _gather(data: UInt8s, start: Int64s, length: Int64s) -> UInt8s:
    """The bytes of all spans, one after another."""
    first = np.cumsum(length) - length
    return data[np.repeat(start - first, length) + np.arange(int(length.sum()))]


def _hash(data: UInt8s, length: Int64s) -> tuple[UInt64s, UInt64s]:
    """`shapes.shape_key` of each of the strings that stand one after another in `data`."""
    words = (length + 7) // 8
    first, first_word = np.cumsum(length) - length, np.cumsum(words) - words
    padded = np.zeros(8 * int(words.sum()), dtype=np.uint8)
    padded[np.repeat(8 * first_word - first, length) + np.arange(len(data))] = data
    word = padded.view("<u8").astype(np.uint64)
    k1, k2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0x94D049BB133111EB)
    h1 = np.full(len(length), 0x9E3779B97F4A7C15, dtype=np.uint64)
    h2 = np.full(len(length), 0xC2B2AE3D27D4EB4F, dtype=np.uint64)
    order = np.argsort(-words, kind="stable")  # so that the lines still read are a prefix
    order = order[words[order] <= _LONG]
    for k in range(int(words[order[0]]) if len(order) else 0):
        order = order[: np.searchsorted(-words[order], -k)]
        w = word[first_word[order] + k]
        x1, x2 = (h1[order] ^ w) * k1, (h2[order] + w) * k2
        h1[order], h2[order] = x1 ^ (x1 >> np.uint64(32)), x2 ^ (x2 >> np.uint64(29))
    size = length.astype(np.uint64)
    h1, h2 = (h1 ^ size) * k2, (h2 + size) * k1
    h1, h2 = h1 ^ (h1 >> np.uint64(31)), h2 ^ (h2 >> np.uint64(33))
    for row in np.flatnonzero(words > _LONG):
        at = int(first[row])
        h1[row], h2[row] = shape_key(data[at : at + int(length[row])].tobytes())
    return h1, h2


def _random(data: UInt8s, start: Int64s, length: Int64s) -> Bools:
    """`shapes.looks_random` of digit-free tokens of both cases, 16 or more bytes long."""
    text = _gather(data, start, length)
    first = np.cumsum(length) - length
    case = _CASE[text]
    before = np.zeros_like(case)
    before[1:] = case[:-1]
    before[first] = 0
    weight = _BYTE_WEIGHT[text] + _PAIR_WEIGHT[before, case]
    total: Bools = np.add.reduceat(weight, first) > -24
    return total


def _mask(data: UInt8s, start: Int64s, end: Int64s) -> tuple[UInt8s, Int64s]:
    """`shapes.mask` of each content, one after another, and the length of each."""
    length = end - start + 1  # one delimiter behind each line keeps tokens apart
    last = np.cumsum(length) - 1
    padded = np.append(data, np.uint8(10))
    text = _gather(padded, start, length)
    text[last] = 10
    kind = _CLASS[text]
    delimiter = kind == _DELIMITER
    edge = np.diff(delimiter, prepend=True)
    begin, stop = (
        at.astype(np.int64)
        for at in (np.flatnonzero(edge & ~delimiter), np.flatnonzero(edge & delimiter))
    )
    size = stop - begin
    if len(begin):
        seen = np.bitwise_or.reduceat(kind, np.stack((begin, stop), axis=1).ravel())[::2]
        # A last word of hex letters: how far back from its end the token has nothing else.
        other = np.concatenate(([-1], np.flatnonzero(delimiter | (kind & _NOT_HEX > 0))))
        before = other[np.searchsorted(other, stop) - 1]
        alone = (before < begin) | (kind[before] & (_UPPER | _LOWER) == 0)
        variable = (seen & _VARIABLE > 0) | ((stop - 1 - before >= 7) & alone)
        mixed = ~variable & (size >= 16) & (seen & _UPPER > 0) & (seen & _LOWER > 0)
        if mixed.any():
            variable[mixed] = _random(text, begin[mixed], size[mixed])
        begin, stop = begin[variable], stop[variable]
    text[begin] = 0
    change = np.zeros(len(text) + 1, dtype=np.int8)
    change[begin + 1] += 1
    change[stop] -= 1
    keep = np.cumsum(change[:-1], dtype=np.int8) == 0
    keep[last] = False
    kept = np.add.reduceat(keep, last - length + 1, dtype=np.int64) if len(last) else length
    return text[keep], kept


class Table:
    """A growing map from 128-bit keys to int32 codes (see `logs.kernel`).

    >>> table = Table()
    >>> codes, fresh = table.encode(b"a 1|a 2|b", np.array([0, 4, 8]), np.array([3, 7, 9]))
    >>> codes.tolist(), fresh.tolist(), len(table), table.span
    ([0, 0, 1], [0, 2], 2, 2)
    """

    def __init__(self) -> None:
        self._codes: dict[tuple[int, int], int] = {}
        self._keys: list[tuple[int, int] | None] = []
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def span(self) -> int:
        """One more than the largest code ever given out."""
        return len(self._keys)

    def encode(self, buf: Buffer, start: Int64s, end: Int64s) -> tuple[Int32s, Int64s]:
        """The codes of the contents' shapes, and the rows where new ones first stand."""
        start, end = np.asarray(start, dtype=np.int64), np.asarray(end, dtype=np.int64)
        data = as_array(buf)
        check_spans(start, end, len(data))
        return self._look_up(*_hash(*_mask(data, start, end)))

    def intern(self, buf: Buffer, start: Int64s, end: Int64s) -> tuple[Int32s, Int64s]:
        """The codes of the raw bytes (-1 where ``start < 0``), and the rows of new ones."""
        start, end = np.asarray(start, dtype=np.int64), np.asarray(end, dtype=np.int64)
        rows = np.flatnonzero(start >= 0)
        data, length = as_array(buf), end[rows] - start[rows]
        check_spans(start[rows], end[rows], len(data))
        found, fresh = self._look_up(*_hash(_gather(data, start[rows], length), length))
        codes = np.full(len(start), -1, dtype=np.int32)
        codes[rows] = found
        return codes, rows[fresh]

    def keys(self, codes: Int32s) -> UInt64s:
        """The 128-bit keys of `codes`, as uint64 (m, 2); all of them must be held."""
        keys = [self._key(code) for code in np.asarray(codes).tolist()]
        return np.array(keys, dtype=np.uint64).reshape(len(keys), 2)

    def evict(self, codes: Int32s) -> None:
        """Forget `codes`; their numbers are given out again, the largest first."""
        for code in np.unique(codes).tolist():
            del self._codes[self._key(code)]
            self._keys[code] = None
            self._free.append(code)

    def _key(self, code: int) -> tuple[int, int]:
        key = self._keys[code] if 0 <= code < self.span else None
        if key is None:
            raise KeyError(f"no such code: {code}")
        return key

    def _look_up(self, h1: UInt64s, h2: UInt64s) -> tuple[Int32s, Int64s]:
        order = np.lexsort((h2, h1))
        s1, s2 = h1[order], h2[order]
        new = np.ones(len(order), dtype=np.bool_)
        new[1:] = (s1[1:] != s1[:-1]) | (s2[1:] != s2[:-1])
        first = order[new]  # the sort is stable: the first row of each group is its smallest
        group = np.empty(len(order), dtype=np.int64)
        group[order] = np.cumsum(new) - 1
        codes, fresh = np.empty(len(first), dtype=np.int32), []
        by_row = np.argsort(first)
        pairs = zip(h1[first[by_row]].tolist(), h2[first[by_row]].tolist(), strict=True)
        for at, key in zip(by_row.tolist(), pairs, strict=True):
            code = self._codes.get(key)
            if code is None:
                code = self._add(key)
                fresh.append(int(first[at]))
            codes[at] = code
        return codes[group], np.array(fresh, dtype=np.int64)

    def _add(self, key: tuple[int, int]) -> int:
        if self._free:
            code = self._free.pop()
            self._keys[code] = key
        else:
            code = len(self._keys)
            self._keys.append(key)
        self._codes[key] = code
        return code
