"""Texts: rows that are wanted are found as any recording finds them; others are let go."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import blake2b
from itertools import pairwise
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.logs import texts as module
from logwright.logs.batch import Block
from logwright.logs.reader import Reader
from logwright.logs.recording import Recording
from logwright.logs.sources import Source, Sources
from logwright.logs.texts import Texts
from logwright.settings import Settings
from logwright.snapshot import decode, encode

HEAD = b"2024-05-01 10:00:00,000 INFO app: "
LINES = st.lists(
    st.builds(lambda n: HEAD + b"job %d done " % n + b"x" * (n % 40), st.integers(0, 99))
    | st.just(b"\tat com.shop.Cart.pay(Cart.java:99)")
    | st.just(HEAD + b"it broke\r"),
    min_size=1,
    max_size=40,
)


def reader() -> Reader:
    sources = Sources([Source("nowhere", 0, Settings())])
    made = Reader(sources, Settings(), 0.0)
    made.set_session(None)
    made.begin_source(0, HEAD + b"job 1 done\n" + HEAD + b"job 2 done\n")
    return made


def digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=8).digest()


OPENED: list[Recording] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def recording() -> Recording:
    OPENED.append(Recording([None], text_limit=64))
    return OPENED[-1]


def texts(most: int = 1 << 30) -> Texts:
    return Texts(64, None, digest, most)


@given(LINES, st.lists(st.integers(0, 50), max_size=6), st.data())
def test_what_is_wanted_is_found_as_it_was(
    lines: list[bytes], cuts: list[int], data: st.DataObject
) -> None:
    with mock.patch.object(module, "_FRAME", data.draw(st.sampled_from((7, 100, 32_768)))):
        found_as_it_was(lines, cuts, data)


def found_as_it_was(lines: list[bytes], cuts: list[int], data: st.DataObject) -> None:
    held, source = texts(), reader()
    whole = recording()
    wanted: set[int] = set()
    offset, line_no = 0, 1
    bounds = [0, *sorted({cut % len(lines) for cut in cuts} - {0}), len(lines)]
    for a, b in pairwise(bounds):
        buf = b"".join(line + b"\n" for line in lines[a:b])
        batch = source.read(Block(buf, 0, offset, line_no))
        offset, line_no = offset + len(buf), line_no + b - a
        rows = held.append(batch)
        assert rows.tolist() == whole.append(batch).tolist()
        wanted |= set(rows.tolist())
        if data.draw(st.booleans()):
            gone = data.draw(st.sets(st.sampled_from(sorted(wanted)))) if wanted else set()
            wanted -= gone
            held.keep(np.array(sorted(wanted), np.int64))
            if data.draw(st.booleans()):
                held.paused()
                assert all(held.place(row).line_no == 0 for row in gone)
        if data.draw(st.booleans()):
            held.keep(np.array(sorted(wanted), np.int64))
            state, held = decode(encode({"texts": held.paused()}))["texts"], texts()
            held.resume(state)
        for row in wanted:
            assert held.place(row) == whole.place(row)
            assert held.place(row, 20) == whole.place(row, 20)


@given(LINES)
def test_a_text_that_is_let_go_leaves_its_place_and_digest(lines: list[bytes]) -> None:
    held, whole = texts(most=0), recording()
    batch = reader().read(Block(b"".join(line + b"\n" for line in lines), 0, 0, 1))
    held.append(batch)
    rows = whole.append(batch)
    held.keep(rows[::2])
    held.paused()
    held.keep(rows[::4])
    held.paused()
    assert held.let_go == len(rows[::2])
    for row in rows[::4].tolist():
        place, before = held.place(row), whole.place(row)
        assert (place.line_no, place.offset) == (before.line_no, before.offset)
        assert (place.text, place.digest) == (b"", digest(before.text))


def test_memory_is_that_of_what_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SLACK", 500)
    held, source = texts(), reader()
    buf = b"".join(HEAD + b"job %d done, and more was done\n" % n for n in range(100))
    sizes = []
    for n in range(300):
        rows = held.append(source.read(Block(buf, 0, n * len(buf), 1 + 100 * n)))
        if held.is_full:
            held.keep(np.concatenate((np.arange(3), rows[-20:])))
            sizes.append(len(encode({"texts": held.paused()})))
    assert len(sizes) > 20
    assert max(sizes) < 3_000
    assert held.place(1).line_no == 2
    assert sum(sys.getsizeof(s.text) for s in held._segments) < 200_000


def test_rows_are_let_go_little_by_little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SEGMENT", 2_000)
    held, source = texts(), reader()
    buf = b"".join(HEAD + b"job %d done, and more was done\n" % n for n in range(100))

    def more(n: int) -> None:
        held.append(source.read(Block(buf, 0, n * len(buf), 1 + 100 * n)))

    def found() -> int:
        return sum(held.place(row).line_no > 0 for row in range(3_000))

    for n in range(30):
        more(n)
    wanted = np.arange(0, 3_000, 50)
    held.keep(wanted)
    left = [found()]
    for n in range(30, 60):
        more(n)
        left.append(found())
    assert left[0] == 3_000
    assert left[-1] == len(wanted)
    assert max(a - b for a, b in pairwise(left)) <= 400
    assert all(held.place(row).line_no == row + 1 for row in wanted.tolist())


def test_the_past_is_closed_once_nothing_of_it_is_wanted() -> None:
    past = Recording([None])
    past.append(reader().read(Block(HEAD + b"first\n" + HEAD + b"second\n", 0, 0, 1)))
    held = Texts(64, past)
    held.append(reader().read(Block(HEAD + b"third\n", 0, 0, 3)))
    held.keep(np.array([1, 2]))
    assert [held.place(row).line_no for row in (0, 1, 2)] == [1, 2, 3]
    held.keep(np.array([2]))
    assert [held.place(row).line_no for row in (0, 1, 2)] == [0, 0, 3]
