"""The C kernel and its numpy twin: the same answers to the same bytes, whatever the bytes."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logwright.logs import program as p
from logwright.logs import twin
from logwright.logs.formats import FORMATS, Format
from logwright.logs.layout import compile_layout
from logwright.logs.shapes import mask, shape_key

native = pytest.importorskip("logwright.logs.native", reason="the C kernel is not built")

WITH_HEADERS = [format_ for format_ in FORMATS if format_.layouts]
SAMPLES = [s.encode() for format_ in FORMATS for s in format_.samples]

noise = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b"\n", b"\r\n", b" ", b"\t", b"\x00", b"\xff\xfe", b"=", b"deadbeef", b"7"]),
    st.sampled_from([b"aGVsbkJXbvJsZFQqTWzZ", b"ContainerLauncherImpl", b"x" * 40, b"Q+z" * 9]),
)
text = st.lists(noise, max_size=20).map(b"".join)


def same(left: tuple[np.ndarray, ...], right: tuple[np.ndarray, ...]) -> None:
    for a, b in zip(left, right, strict=True):
        assert a.dtype == b.dtype
        assert a.tolist() == b.tolist()


def spans(lines: list[bytes]) -> tuple[bytes, np.ndarray, np.ndarray]:
    length = np.array([len(x) for x in lines], np.int64)
    end = np.cumsum(length + 1) - 1
    return b"\n".join(lines), end - length, end


@given(buf=text)
def test_lines_are_the_same(buf: bytes) -> None:
    same(native.lines(buf), twin.lines(buf))


@settings(deadline=None)
@given(blocks=st.lists(text, min_size=1, max_size=4))
def test_codes_fresh_rows_and_keys_are_the_same_over_several_blocks(blocks: list[bytes]) -> None:
    one, other = native.Table(), twin.Table()
    for buf in blocks:
        start, end = native.lines(buf)
        found = one.encode(buf, start, end)
        same(found, other.encode(buf, start, end))
        same((one.keys(found[0]),), (other.keys(found[0]),))
        expected = [shape_key(mask(buf[a:b])) for a, b in zip(start, end, strict=True)]
        assert [tuple(k) for k in one.keys(found[0]).tolist()] == expected
    assert (len(one), one.span) == (len(other), other.span)


@settings(deadline=None)
@given(
    words=st.lists(st.sampled_from([b"a", b"b", b"", b"cc", b"a\x00", None]), max_size=12),
    gone=st.lists(st.integers(0, 9), max_size=6),
    more=st.lists(st.sampled_from([b"a", b"b", b"", b"x", b"y", b"zz"]), max_size=8),
)
def test_codes_that_were_evicted_are_reused_in_the_same_way(
    words: list[bytes | None], gone: list[int], more: list[bytes]
) -> None:
    one, other = native.Table(), twin.Table()
    buf, start, end = spans([w or b"" for w in words])
    gap = np.array([w is None for w in words], bool)
    start, end = np.where(gap, -1, start), np.where(gap, -1, end)
    same(one.intern(buf, start, end), other.intern(buf, start, end))
    out = np.array(sorted({g for g in gone if g < one.span}), np.int32)
    one.evict(out)
    other.evict(out)
    assert (len(one), one.span) == (len(other), other.span)
    found = one.intern(*spans(more))
    same(found, other.intern(*spans(more)))
    same((one.keys(found[0]),), (other.keys(found[0]),))


def test_a_table_keeps_its_codes_while_it_grows() -> None:
    buf, start, end = spans([b"w%d" % n for n in range(30_000)])
    table = native.Table()
    first, fresh = table.intern(buf, start, end)
    assert fresh.tolist() == list(range(30_000))
    table.evict(first[10_000:20_000])
    assert len(table) == 20_000
    again, fresh = table.intern(buf, start, end)
    assert again[:10_000].tolist() == first[:10_000].tolist()
    assert again[20_000:].tolist() == first[20_000:].tolist()
    assert len(set(again.tolist())) == 30_000 == table.span
    assert fresh.tolist() == list(range(10_000, 20_000))


short = st.lists(st.sampled_from([b"%d" % n for n in range(40)]), max_size=60)


@settings(deadline=None)
@given(
    steps=st.lists(st.tuples(short, st.lists(st.integers(0, 60), max_size=30)), max_size=6),
    salts=st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=2),
)
def test_codes_do_not_depend_on_the_salt(
    steps: list[tuple[list[bytes], list[int]]], salts: list[int]
) -> None:
    tables = [native.Table(salt) for salt in salts]
    for words, gone in steps:
        found = [table.intern(*spans(words)) for table in tables]
        same(*found)
        held = set(found[0][0].tolist())
        out = np.array([g for g in gone if g in held], np.int32)
        for table in tables:
            table.evict(out)
    assert len(tables[0]) == len(tables[1])


def colliding(number: int) -> list[bytes]:
    """Words of which the first half of all keys is one and the same: the second eight bytes undo
    what the first eight did."""
    rng = np.random.default_rng(5)
    k1, seed, goal = (0xFF51AFD7ED558CCD, 0x9E3779B97F4A7C15, 0x123456789ABCDEF)
    found: list[bytes] = []
    while len(found) < number:
        first = rng.integers(0, 2**64, 4 * number, dtype=np.uint64)
        h = (first ^ np.uint64(seed)) * np.uint64(k1)
        h ^= h >> np.uint64(32)
        words = np.stack([first, h ^ np.uint64(goal)], axis=1).tobytes()
        some = [words[at : at + 16] for at in range(0, len(words), 16)]
        found += [word for word in some if mask(word) == word]
    assert len({shape_key(word)[0] for word in found[:99]}) == 1
    return found[:number]


@pytest.mark.slow
def test_words_made_to_collide_cost_what_others_do() -> None:
    number = 20_000
    rng = np.random.default_rng(6)
    others = [w for w in (rng.bytes(16) for _ in range(4 * number)) if mask(w) == w][:number]
    ratios = []
    for _ in range(5):
        took = []
        for words in (colliding(number), others):
            table, where = native.Table(), spans(words)
            began = time.process_time()
            codes, fresh = table.encode(*where)
            again, _ = table.encode(*where)
            took.append(time.process_time() - began)
            assert len(fresh) == len(set(words)) == number
            assert codes.tolist() == again.tolist()
        ratios.append(took[0] / took[1])
    assert min(ratios) < 2


def test_forgetting_a_few_of_very_many_codes_takes_little() -> None:
    table = native.Table()
    codes, _ = table.intern(*spans([b"w%d" % n for n in range(400_000)]))
    began = time.process_time()
    for at in range(200):
        table.evict(codes[at : at + 1])
    each = (time.process_time() - began) / 200
    began = time.process_time()
    table.evict(codes[200:])
    assert each < (time.process_time() - began) / 10
    assert len(table) == 0


@settings(deadline=None)
@given(
    lines=st.lists(text, min_size=1, max_size=6),
    ordinals=st.lists(st.integers(-2, 12), min_size=6, max_size=6),
)
def test_token_spans_are_the_same(lines: list[bytes], ordinals: list[int]) -> None:
    buf, start, end = spans(lines)
    wanted = np.array(ordinals[: len(lines)], np.int32)
    same(native.token_spans(buf, start, end, wanted), twin.token_spans(buf, start, end, wanted))


# --- watched tokens -------------------------------------------------------------------------------

number = st.one_of(
    st.integers(-999, 10**19).map(lambda n: b"%d" % n),
    st.builds(
        lambda n, d, unit: b"%d.%d%s" % (n, d, unit),
        st.integers(-9, 10**9),
        st.integers(0, 10**6),
        st.sampled_from([*twin.UNITS, b"mS", b"x", b".5", b"ns3"]),
    ),
    st.sampled_from([b"+5", b"-", b".", b"5.", b".5", b"0x1f", b"007", b"1e5", b"12%%", b"\x00"]),
)
token = st.one_of(number, st.sampled_from([b"a", b"b/c", b"\xc3\xbc7", b"Zq_9", b"x" * 30]))


def slots_of(draw: st.DrawFn, number_of_slots: int) -> tuple[np.ndarray, np.ndarray]:
    slots = np.zeros(number_of_slots, twin.WATCH)
    for slot in slots:
        low, high = sorted(draw(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))))
        slot["low"], slot["high"] = low, high
        slot["seen"], slot["stride"] = draw(st.integers(0, 9)), draw(st.integers(0, 4))
        slot["mode"] = draw(st.integers(0, 31))
        slot["shortest"], slot["longest"] = draw(st.integers(0, 3)), draw(st.integers(0, 9))
        slot["classes"] = draw(st.integers(0, (1 << 14) - 1))
    known = np.zeros((number_of_slots, twin.KNOWN), np.uint64)
    for row in known:
        for text in draw(st.lists(st.sampled_from([b"a", b"b/c", b"5", b"7"]), max_size=3)):
            at = shape_key(text)[0]
            while row[at % twin.KNOWN]:
                at += 1
            row[at % twin.KNOWN] = shape_key(text)[0]
    return slots, known


@st.composite
def watched(draw: st.DrawFn) -> tuple[list[list[bytes]], tuple[np.ndarray, ...], np.ndarray]:
    """Lines of `x=<token> <token>` in some shapes, and what is watched in each shape."""
    lines = draw(st.lists(st.lists(token, min_size=1, max_size=3), max_size=12))
    shapes = draw(st.lists(st.integers(-1, 5), min_size=len(lines), max_size=len(lines)))
    plan = draw(st.lists(st.sampled_from([-4, -3, -2, -1, 0, 7, 10]), min_size=5, max_size=5))
    layout = draw(st.lists(st.integers(-1, 4), min_size=7, max_size=7))
    layout = [2, layout[0], 1, layout[1], 1, layout[2], -1, 2, layout[3], -1, *layout[4:]]
    slots, known = slots_of(draw, 4)
    columns = np.array(plan, np.int32), np.array(layout, np.int32), slots, known
    return lines, columns, np.array(shapes, np.int32)


@settings(deadline=None)
@given(case=watched())
def test_watched_tokens_are_the_same(
    case: tuple[list[list[bytes]], tuple[np.ndarray, ...], np.ndarray],
) -> None:
    lines, columns, shape = case
    buf, start, end = spans([b"x=" + b" ".join(tokens) for tokens in lines])
    left, right = (tuple(c.copy() for c in columns) for _ in range(2))
    found, numbers = native.watch(buf, start, end, shape, *left)
    same_found, same_numbers = twin.watch(buf, start, end, shape, *right)
    assert found.tolist() == same_found.tolist()
    assert np.array_equal(numbers, same_numbers, equal_nan=True)
    for a, b in zip(left, right, strict=True):
        assert a.tobytes() == b.tobytes()


def test_watching_tells_of_what_stands_out() -> None:
    buf, start, end = spans([b"took 5ms by ann1", b"took 250ms by ann1", b"took 5ms by bob2"])
    slots = np.zeros(2, twin.WATCH)
    slots["mode"] = twin.NUMBER, twin.VALUE
    slots["low"], slots["high"] = 0, 0.1
    known = np.zeros((2, twin.KNOWN), np.uint64)
    h = shape_key(b"ann1")[0]
    known[1, h % twin.KNOWN] = h
    plan, layout = np.array([-1, 0], np.int32), np.array([5, 0, 4, 1, -1], np.int32)
    found, numbers = native.watch(buf, start, end, np.ones(3, np.int32), plan, layout, slots, known)
    assert [(row, slot, buf[a:b]) for row, slot, a, b, *_ in found.tolist()] == [
        (1, 0, b"250ms"),
        (2, 1, b"bob2"),
    ]
    assert numbers[0] == 0.25
    assert slots["seen"].tolist() == [3, 3]


def test_watching_counts_lines_of_shapes_down() -> None:
    buf, start, end = spans([b"a 1"] * 5)
    plan, layout = np.array([-4], np.int32), np.array([-1], np.int32)
    nothing = np.zeros(0, twin.WATCH), np.zeros((0, twin.KNOWN), np.uint64)
    for rows, expected in ((slice(2), []), (slice(2, 5), [[0, -1, 8, 11, 0, 0]])):
        shape = np.zeros(len(start[rows]), np.int32)
        found, _ = native.watch(buf, start[rows], end[rows], shape, plan, layout, *nothing)
        assert found.tolist() == expected
    assert plan.tolist() == [-1]


operation = st.builds(
    p.op,
    st.integers(0, 11),
    st.one_of(st.integers(0, 9), st.sampled_from(list(b" :[]-\t"))),
    st.one_of(st.integers(0, 4), st.sampled_from(list(b" :]"))),
    st.one_of(st.integers(0, 20), st.sampled_from(list(b" ]"))),
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    program=st.lists(operation, max_size=12).map(b"".join),
    lines=st.lists(st.one_of(text, st.sampled_from(SAMPLES)), max_size=5),
    year=st.sampled_from([1970, 2000, 2023]),
    day=st.integers(0, 30_000),
)
def test_random_header_programs_read_the_same(
    program: bytes, lines: list[bytes], year: int, day: int
) -> None:
    buf, start, end = spans(lines)
    same(
        native.headers(buf, start, end, program, year, day),
        twin.headers(buf, start, end, program, year, day),
    )


@pytest.mark.slow
@pytest.mark.parametrize("format_", WITH_HEADERS, ids=lambda f: f.name)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_the_formats_programs_read_damaged_samples_the_same(
    format_: Format, data: st.DataObject
) -> None:
    layout = data.draw(st.sampled_from(format_.layouts))
    program = compile_layout(layout, [s.encode() for s in format_.samples]).program
    others = data.draw(st.lists(st.sampled_from(SAMPLES), max_size=4))
    lines = []
    for sample in [*(s.encode() for s in format_.samples), *others]:
        raw = bytearray(sample)
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(raw)))
            raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        lines.append(bytes(raw))
    buf, start, end = spans(lines)
    same(
        native.headers(buf, start, end, program, 2024, 19_000),
        twin.headers(buf, start, end, program, 2024, 19_000),
    )


@pytest.mark.parametrize("backend", [native, twin], ids=["native", "twin"])
def test_what_is_not_in_the_table_cannot_be_asked_for(backend: ModuleType) -> None:
    table = backend.Table()
    table.intern(*spans([b"a"]))
    for code in (-1, 1, 2**31 - 1):
        with pytest.raises(KeyError):
            table.keys(np.array([code], np.int32))


@pytest.mark.parametrize("backend", [native, twin], ids=["native", "twin"])
@pytest.mark.parametrize(("text", "year"), [("00", 2000), ("69", 2069), ("70", 1970), ("99", 1999)])
def test_two_digit_years_turn_at_seventy(backend: ModuleType, text: str, year: int) -> None:
    program = compile_layout("<time:%y-%m-%d> <content>").program
    line = f"{text}-03-01 up".encode()
    _, ts, _, _ = backend.headers(line, np.array([0]), np.array([len(line)]), program, 2000, 0)
    assert int(ts[0]) == (date(year, 3, 1) - date(1970, 1, 1)).days * 86_400 * 10**9


FALLBACK = """
import sys
sys.modules["logwright._kernel"] = None
import logwright as lw
from logwright.logs.kernel import BACKEND
print(BACKEND)
print([f.id for f in lw.scan(sys.argv[1], block_bytes=4096).findings])
"""


def test_without_the_compiled_kernel_findings_are_the_same_and_it_is_said(tmp_path: Path) -> None:
    import logwright as lw

    log = tmp_path / "app.log"
    log.write_text(
        "".join(f"2024-05-01 10:{n // 60:02}:{n % 60:02} job {n} done\n" for n in range(400))
        + "2024-05-01 10:07:00 disk full on /var\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", FALLBACK, str(log)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert out[0].startswith("numpy twin")
    ids = [f.id for f in lw.scan(str(log)).findings]
    assert ids
    assert out[1] == str(ids)
