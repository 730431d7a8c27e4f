"""The kernel's functions against plain definitions: the numpy twin, and C where it is built."""

from __future__ import annotations

import calendar
import importlib
from types import ModuleType

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logwright.logs import program as p
from logwright.logs.batch import NO_TIME
from logwright.logs.shapes import DELIMITERS, mask, shape_key, tokens

pytestmark = pytest.mark.slow

MONTHS = b"jan feb mar apr may jun jul aug sep oct nov dec".split()
PARTS = {number: name for name, number in p.PARTS.items()}
LIMITS = {
    "year": (0, 9_999_999),
    "month": (1, 12),
    "day": (1, 31),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 60),
    "year2": (0, 99),
}


@pytest.fixture(scope="module", params=["twin", "native"])
def kernel(request: pytest.FixtureRequest) -> ModuleType:
    try:
        return importlib.import_module(f"logwright.logs.{request.param}")
    except ImportError:
        pytest.skip("the C kernel is not built")


# --- the oracle: one line, one operation at a time ------------------------------------------------


class Failed(Exception):  # noqa: N818 - not an error: the line does not fit
    pass


class Oracle:
    """A header program on one line, read straight from the table in `logs.program`."""

    def __init__(self, line: bytes) -> None:
        self.line, self.at = line, 0
        self.parts: dict[str, int] = {}
        self.slots: dict[int, tuple[int, int]] = {}

    def state(self) -> tuple[int, dict[str, int], dict[int, tuple[int, int]]]:
        return self.at, dict(self.parts), dict(self.slots)

    def run(self, program: bytes, year: int, day: int) -> tuple[int, int, list[int], int]:
        kept, status, index = None, p.FULL, 0
        while index < len(program) // 4:
            code, a, b, c = program[4 * index : 4 * index + 4]
            index += 1
            following = self.line[self.at : self.at + 1]
            if code == p.MARK:
                kept = self.state()
            elif code == p.OPT:
                wanted = bytes({a, b or a}) if a else b"0123456789"
                index += 0 if following and following in wanted else c
            else:
                try:
                    self.read(code, a, b, c)
                except Failed:
                    status = p.PARTIAL if kept else p.NONE
                    self.at, self.parts, self.slots = kept or (0, {}, {})
                    break
        spans = [edge for slot in range(4) for edge in self.slots.get(slot, (-1, -1))]
        return self.at, self.time(year, day), spans, status

    def read(self, code: int, a: int, b: int, c: int) -> None:
        rest = self.line[self.at :]
        if code == p.LIT:
            self.take(1, rest[:1] == bytes((a,)))
        elif code == p.WS:
            blanks = len(rest) - len(rest.lstrip(b" \t"))
            self.take(blanks, blanks >= a)
        elif code in (p.FIELD, p.RAW):
            stops = [b] if code == p.RAW else [32, 9, *({b, c} - {0})]
            found = [at for at in (rest.find(bytes((s,))) for s in stops) if at >= 0]
            size = min(found, default=len(rest))
            begin = self.at
            self.take(size, bool(found) if code == p.RAW else size > 0)
            self.slots[a] = (begin, self.at)
        elif code == p.NUM:
            size = 0
            while size < min(c, len(rest)) and rest[size : size + 1].isdigit():
                size += 1
            self.take(size, size >= b and a in PARTS)
            self.number(PARTS[a], rest[:size])
        elif code == p.MONTH:
            name = rest[:3].lower()
            self.take(3, name in MONTHS)
            self.parts["month"] = MONTHS.index(name) + 1
        elif code == p.ZONE:
            self.zone(rest)
        elif code == p.AMPM:
            self.take(2, rest[:2].lower() in (b"am", b"pm"))
            hour = self.parts.get("hour", 0)
            if "hour" in self.parts and rest[:1].lower() == b"p" and hour < 12:
                self.parts["hour"] = hour + 12
            elif "hour" in self.parts and rest[:1].lower() == b"a" and hour == 12:
                self.parts["hour"] = 0
        else:
            raise Failed

    def take(self, size: int, ok: bool) -> None:
        if not ok:
            raise Failed
        self.at += size

    def number(self, part: str, digits: bytes) -> None:
        if part == "fraction":
            self.parts[part] = int(digits[:9].ljust(9, b"0"))
            return
        value = int(digits or b"0")
        low, high = LIMITS.get(part, (0, 2**63 - 9))
        if not low <= value <= high:
            raise Failed
        if part == "epoch":
            unit = next(
                u for size, u in ((11, 9), (14, 6), (17, 3), (255, 0)) if len(digits) <= size
            )
            value *= 10**unit
        if part == "year2":
            part, value = "year", value + (1900 if value >= 70 else 2000)
        self.parts[part] = value

    def zone(self, rest: bytes) -> None:
        if rest[:3] in (b"UTC", b"GMT") or rest[:1] == b"Z":
            self.take(1 if rest[:1] == b"Z" else 3, True)
            self.parts["zone"] = 0
            return
        self.take(3, rest[:1] in (b"+", b"-") and len(rest) > 2 and rest[1:3].isdigit())
        seconds = int(rest[1:3]) * 3600
        after = rest[4:6] if rest[3:4] == b":" else rest[3:5]
        if len(after) == 2 and after.isdigit():
            seconds += int(after) * 60
            self.take(2 + (rest[3:4] == b":"), True)
        self.parts["zone"] = -seconds if rest[:1] == b"-" else seconds

    def time(self, year: int, day: int) -> int:
        get = self.parts.get
        fraction = get("fraction", 0)
        if "epoch" in self.parts:
            ns = self.parts["epoch"]
            seconds, fraction = ns // 10**9, fraction + ns % 10**9
        else:
            if "month" in self.parts and "day" in self.parts:
                year = get("year", year)
                if self.parts["day"] > month_length(year, self.parts["month"]):
                    return NO_TIME
                day = days(year, self.parts["month"], self.parts["day"])
            elif "hour" not in self.parts:
                return NO_TIME
            seconds = day * 86400 + get("hour", 0) * 3600 + get("minute", 0) * 60
            seconds += get("second", 0) - get("zone", 0)
        if not -9223372035 <= seconds <= 9223372034:  # what int64 holds, with room for a fraction
            return NO_TIME
        return seconds * 10**9 + fraction


def month_length(year: int, month: int) -> int:
    return (
        29
        if month == 2 and calendar.isleap(year)
        else [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    )


def days(year: int, month: int, day: int) -> int:
    """Days since 1970, by counting leap years."""
    before = year - 1
    total = 365 * year + before // 4 - before // 100 + before // 400
    total += sum(month_length(year, m) for m in range(1, month)) + day
    return total - (365 * 1970 + 1969 // 4 - 1969 // 100 + 1969 // 400 + 1)


# --- random programs and lines --------------------------------------------------------------------

BYTES = b"0123456789 \t:-.,[]ZUTCGMT+apAPmMjanFEBdec\x00\xff<>/"
byte = st.sampled_from(BYTES)
piece = st.one_of(
    st.text("0123456789", min_size=1, max_size=24).map(str.encode),
    st.sampled_from(
        [b" ", b"Jan", b"FEB 29", b"2024-02-30", b"PM", b"am", b"UTC", b"Z", b"+05:30"]
    ),
    st.sampled_from([b"-0800", b"+01", b"10:00:00", b"INFO", b"[x y]", b"\t ", b"1700000000"]),
    st.lists(byte, max_size=6).map(bytes),
)
line = st.lists(piece, max_size=6).map(b"".join)
operation = st.one_of(
    st.builds(lambda a: p.op(p.LIT, a), byte),
    st.builds(lambda a: p.op(p.WS, a), st.integers(0, 2)),
    st.builds(
        p.op, st.sampled_from([p.FIELD, p.RAW]), st.sampled_from([0, 1, 2, 3, 4, 255]), byte, byte
    ),
    st.builds(p.op, st.just(p.OPT), byte, byte, st.integers(0, 4)),
    st.builds(
        lambda part, least, more: p.op(p.NUM, part, least, min(255, least + more)),
        st.sampled_from([*range(8), 6, 7, 9, 255]),
        st.integers(0, 3),
        st.sampled_from([0, 1, 2, 17, 250]),
    ),
    st.builds(lambda least: p.op(p.NUM, p.PARTS["year2"], least, 2), st.integers(0, 2)),
    st.builds(p.op, st.sampled_from([p.MARK, p.MONTH, p.ZONE, p.AMPM, 10, 200])),
)
program = st.lists(operation, max_size=10).map(b"".join)


@settings(max_examples=400, deadline=None)
@given(program=program, lines=st.lists(line, max_size=5))
@example(
    program=p.op(p.NUM, 7, 1, 19),
    lines=[b"9223372036854775807", b"9999999999999999999", b"99999999999"],
)
@example(
    program=p.op(p.NUM, 0, 1, 9) + p.op(p.MONTH) + p.op(p.NUM, 2, 1, 2),
    lines=[b"1677Sep21", b"2262Apr11", b"1900Feb29"],
)
def test_headers_do_what_the_table_says(
    kernel: ModuleType, program: bytes, lines: list[bytes]
) -> None:
    buf = b"\n".join(lines)
    length = np.array([len(x) for x in lines], dtype=np.int64)
    end = np.cumsum(length + 1) - 1
    start = end - length
    content, ts, spans, status = kernel.headers(buf, start, end, program, 2023, 19000)
    assert (content.dtype, ts.dtype, spans.dtype, status.dtype) == (np.int64,) * 3 + (np.int8,)
    assert spans.shape == (len(lines), 8)
    for row, text in enumerate(lines):
        at = int(start[row])
        want_content, want_ts, want_spans, want_status = Oracle(text).run(program, 2023, 19000)
        assert status[row] == want_status
        assert content[row] - at == want_content
        assert ts[row] == want_ts
        assert [edge - at if edge >= 0 else -1 for edge in spans[row].tolist()] == want_spans


def test_a_failed_line_keeps_what_stood_at_its_last_mark(kernel: ModuleType) -> None:
    code = p.op(p.FIELD, 0) + p.op(p.WS, 1) + p.op(p.MARK) + p.op(p.FIELD, 1) + p.op(p.LIT, 33)
    content, ts, spans, status = kernel.headers(b"web1 cron", *rows((0, 9)), code, 2000, 0)
    assert (content[0], ts[0], status[0]) == (5, NO_TIME, p.PARTIAL)
    assert spans[0].tolist() == [0, 4] + [-1] * 6


def rows(*spans: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    edges = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return edges[:, 0], edges[:, 1]


# --- lines, tokens, shapes ------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        b"a",
        b"17",
        b"deadbeef",
        b"Decade",
        b"ContainerLauncherImpl",
        b"aGVsbkJXbvJsZFQxTWzZ",
        b"x\x00y",
        b"aGVsbkJXbvJsZFQqTWzZ",
        b"QuorumCnxManagerSendWorker",
        b"+/AbCdEfGhIjKlMnOp",
        b"\xff\xfe",
        b"-_",
    ]
)
text = st.lists(
    st.one_of(WORDS, st.sampled_from([bytes((b,)) for b in DELIMITERS]), st.binary(max_size=9)),
    max_size=12,
).map(b"".join)


@given(
    buf=st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b" "]), max_size=12).map(b"".join)
)
@example(buf=b"")
def test_lines_end_before_a_newline_and_one_carriage_return(kernel: ModuleType, buf: bytes) -> None:
    start, end = kernel.lines(buf)
    pieces = buf.split(b"\n")
    last = [pieces.pop()] if not buf.endswith(b"\n") and buf else (pieces.pop(), [])[1]
    want = [piece.removesuffix(b"\r") for piece in pieces] + last
    assert [buf[s:e] for s, e in zip(start.tolist(), end.tolist(), strict=True)] == want


@settings(deadline=None)
@given(head=text, content=text, tail=text, ordinal=st.integers(-1, 9))
def test_token_spans_count_the_tokens_of_the_content(
    kernel: ModuleType, head: bytes, content: bytes, tail: bytes, ordinal: int
) -> None:
    # What stands around the content must not matter, even where it would continue a token.
    at = len(head)
    span = rows((at, at + len(content)))
    wanted = np.array([ordinal], dtype=np.int32)
    begin, stop = kernel.token_spans(head + content + tail, *span, wanted)
    words = [t for t in tokens(content) if t not in [bytes((b,)) for b in DELIMITERS]]
    if 0 <= ordinal < len(words):
        assert (head + content + tail)[int(begin[0]) : int(stop[0])] == words[ordinal]
    else:
        assert (begin[0], stop[0]) == (-1, -1)


@settings(deadline=None)
@given(contents=st.lists(text, max_size=8))
@example(contents=[b"x" * 70_000, b"1" * 70_000, b""])
def test_encode_gives_one_code_per_shape(kernel: ModuleType, contents: list[bytes]) -> None:
    buf = b"|".join(contents)
    length = np.array([len(x) for x in contents], dtype=np.int64)
    end = np.cumsum(length + 1) - 1
    table = kernel.Table()
    codes, fresh = table.encode(buf, end - length, end)
    keys = [shape_key(mask(x)) for x in contents]
    order = list(dict.fromkeys(keys))
    assert codes.tolist() == [order.index(key) for key in keys]
    assert fresh.tolist() == [keys.index(key) for key in order]
    assert [tuple(key) for key in table.keys(codes).tolist()] == keys
    assert len(table) == table.span == len(order)


@settings(deadline=None)
@given(contents=st.lists(st.one_of(st.none(), st.binary(max_size=20)), max_size=8))
def test_intern_codes_raw_bytes_and_passes_over_gaps(
    kernel: ModuleType, contents: list[bytes | None]
) -> None:
    buf = b"".join(x or b"" for x in contents)
    length = np.array([len(x or b"") for x in contents], dtype=np.int64)
    end = np.cumsum(length)
    gap = np.array([x is None for x in contents], dtype=np.bool_)
    codes, fresh = kernel.Table().intern(
        buf, np.where(gap, -1, end - length), np.where(gap, -1, end)
    )
    held = list(dict.fromkeys(x for x in contents if x is not None))
    assert codes.tolist() == [-1 if x is None else held.index(x) for x in contents]
    assert fresh.tolist() == [contents.index(x) for x in held]


def test_evicted_codes_are_given_out_again_from_the_end(kernel: ModuleType) -> None:
    table = kernel.Table()
    table.intern(b"abcde", *rows(*((i, i + 1) for i in range(5))))
    table.evict(np.array([3, 0, 2], dtype=np.int32))
    assert (len(table), table.span) == (2, 5)
    codes, fresh = table.intern(b"bwxyz", *rows(*((i, i + 1) for i in range(5))))
    assert (codes.tolist(), fresh.tolist()) == ([1, 3, 2, 0, 5], [1, 2, 3, 4])
    table.evict(np.array([1], dtype=np.int32))
    with pytest.raises(KeyError):
        table.keys(np.array([1], dtype=np.int32))


def test_spans_outside_the_block_are_refused(kernel: ModuleType) -> None:
    with pytest.raises(ValueError, match="outside the block"):
        kernel.headers(b"abc", *rows((1, 4)), p.op(p.FIELD), 2000, 0)
    with pytest.raises(ValueError, match="outside the block"):
        kernel.Table().encode(b"abc", *rows((2, 1)))


def test_the_twin_takes_any_buffer() -> None:
    from logwright.logs import twin

    for buf in (
        b"a 1\nb",
        bytearray(b"a 1\nb"),
        memoryview(b"a 1\nb"),
        np.frombuffer(b"a 1\nb", np.uint8),
    ):
        assert [x.tolist() for x in twin.lines(buf)] == [[0, 4], [3, 5]]
