"""The reader: every line in is one row out, and where blocks end does not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logwright.logs.reader import BLANK, OVERFLOW
from logwright.logs.shapes import mask, shape_key
from read_rows import Read, timed


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


def requests(number: int) -> str:
    steps = ("accept", "store", "reply")
    return "".join(timed(n, f"{step} req_{n:05}x") for n in range(number) for step in steps)


piece = st.one_of(
    st.binary(max_size=8),
    st.sampled_from([b"\n", b"\r\n", b"\n\n", b" ", b"job 17 done", b"\xff", b"\x00", b" \t\n"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(piece, max_size=20).map(b"".join),
    last=piece,
    block=st.sampled_from([4096, 5000, 1 << 20]),
)
def test_every_line_is_a_record_or_continues_one(
    log: Path, pieces: bytes, last: bytes, block: int
) -> None:
    raw = b"x" + pieces * 150 + last  # the first byte: this is about lines, not encodings
    log.write_bytes(raw)
    found = Read(log, block_bytes=block, format="plain")
    lines = raw.split(b"\n")
    lines = lines[:-1] if raw.endswith(b"\n") else lines
    ended = len(lines) - (not raw.endswith(b"\n"))
    heads = [n - 1 for _, n, _ in found.place]
    texts = [x.removesuffix(b"\r") if i < ended else x for i, x in enumerate(lines)]
    assert found.text == [texts[n] for n in heads]
    offsets = [0, *np.cumsum([len(x) + 1 for x in lines[:-1]])]
    assert [o for _, _, o in found.place] == [offsets[n] for n in heads]
    rest = sorted(set(range(len(lines))) - set(heads))
    assert len(rest) == found.reader.joined
    assert all(texts[n][:1] in (b" ", b"\t") and texts[n].strip() for n in rest)
    assert found.reader.sources.sources[0].stats.lines == len(lines)
    for text, code, key in zip(found.text, found.codes, found.keys, strict=True):
        if text.strip():
            assert key == shape_key(mask(text))
        else:
            assert code == BLANK


@pytest.mark.parametrize("block", [4096, 10_000, 65_536])
def test_block_size_does_not_change_what_is_read(log: Path, block: int) -> None:
    log.write_text(requests(1500) + "\n \nstack trace\n\tat x.y\n" + requests(20))
    whole = Read(log, session=r"req_\d+x")
    parts = Read(log, session=r"req_\d+x", block_bytes=block)
    assert len(parts.batches) > 1
    parts.same_rows(whole)
    assert sum(s is not None for s in whole.session) == 3 * 1520
    assert len(set(whole.session)) == 1501


def test_new_shapes_come_once_with_a_line_of_theirs(log: Path) -> None:
    log.write_text("".join(f"job {n} done\nuser u{n} in\n" for n in range(3000)) + "disk full\n")
    found = Read(log, block_bytes=4096)
    keys = [tuple(k) for k in found.shapes.keys.tolist()]
    assert len(set(keys)) == 3
    assert set(keys) == set(found.keys)
    for key, content in zip(keys, found.shapes.contents, strict=True):
        assert shape_key(mask(content)) == key
    # A few lines for the miner, not all.
    assert max(keys.count(k) for k in set(keys)) <= 8
    assert len(found.reader.take_shapes().contents) == 0


def test_secrets_do_not_reach_the_miner(log: Path) -> None:
    log.write_text("login password=hunterX ok\n" * 3)
    found = Read(log)
    assert found.shapes.contents == [b"login password=[redacted secret] ok"]
    assert found.keys[0] == shape_key(mask(b"login password=hunterX ok"))


def test_blank_lines_are_rows_of_no_template(log: Path) -> None:
    log.write_text("up\n\n   \n\t\ndown\n")
    found = Read(log)
    assert [code == BLANK for code in found.codes] == [False, True, True, True, False]
    assert sorted(found.shapes.contents) == [b"down", b"up"]


def word(number: int) -> str:
    return "".join(chr(103 + (number >> shift & 7)) for shift in (0, 3, 6, 9))


def test_shapes_beyond_the_limit_are_counted_as_one(log: Path) -> None:
    log.write_text(
        "".join(f"{word(n)} start\n" * 3 for n in range(60))
        + "job 1 done\n" * 2000
        + "".join(f"{word(n)} again\n" for n in range(1000))
        + "job 2 done\n"
    )
    found = Read(log, max_shapes=100, block_bytes=4096, format="plain")
    assert found.reader.coder.overflowed == found.codes.count(OVERFLOW) > 800
    assert len(found.codes) == 60 * 3 + 2000 + 1000 + 1
    assert len(found.reader.shapes) <= 100
    # What was known stays known.
    assert found.codes[-1] == found.codes[200] != OVERFLOW
    assert [note.text for note in found.reader.notes] == [
        f"{found.reader.coder.overflowed:,} lines have shapes beyond the 100 that are held: "
        "counted as one template (raise max_shapes)"
    ]
    assert OVERFLOW in found.shapes.codes.tolist()
    Read(log, max_shapes=100, format="plain").same_rows(found)


def test_blank_lines_stay_blank_beyond_the_limit(log: Path) -> None:
    log.write_text("  \nup\n" + "".join(f"{word(n)} start\n  \n\n" for n in range(500)))
    found = Read(log, max_shapes=100, block_bytes=4096, format="plain")
    assert found.reader.coder.overflowed > 300
    assert found.codes.count(BLANK) == 1001


def test_an_asked_for_format_is_used_and_said(log: Path) -> None:
    log.write_text("INFO|web|up 1\nERROR|db|down 2\n")
    found = Read(log, format="<Level>|<Component>|<Content>")
    assert found.component == [b"web", b"db"]
    assert found.level == [3, 6]
    assert found.reader.formats[0].reason == "layout as given: 100 % of 2 sampled lines"
