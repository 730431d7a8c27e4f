"""Recordings: a row's line number, offset and text are found again, also after spilling."""

from __future__ import annotations

import gzip
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from logwright.logs import recording as module
from logwright.logs.batch import NO_TIME
from logwright.logs.reader import Reader
from logwright.logs.recording import Recording
from logwright.logs.sources import open_sources
from logwright.settings import Settings

LINES = [
    b"\xef\xbb\xbfnot a mark, as it stands inside" if n == 7 else
    b"" if n % 13 == 0 else
    b"2024-05-01 10:%02d:%02d job %d done %s" % (n // 60 % 60, n % 60, n, b"x" * (n % 90))
    for n in range(900)
]  # fmt: skip


OPENED: list[Recording] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def record(*paths: str, keep: bool = True, **options: object) -> tuple[Recording, Reader]:
    given = Settings(**{"block_bytes": 4096, **options})
    sources = open_sources(paths, given)
    reader = Reader(sources, given)
    recording = Recording([s.plain_path for s in sources.sources], keep)
    OPENED.append(recording)
    rows = [r for batch in reader.batches() for r in recording.append(batch).tolist()]
    assert rows == list(range(recording.rows))
    return recording, reader


def plain(folder: Path, raw: bytes) -> str:
    (folder / "a.log").write_bytes(raw)
    return str(folder / "a.log")


def packed(folder: Path, raw: bytes) -> str:
    (folder / "a.log.gz").write_bytes(gzip.compress(raw))
    return str(folder / "a.log.gz")


def zstd(folder: Path, raw: bytes) -> str:
    (folder / "a.log.zst").write_bytes(pa.compress(raw, "zstd", asbytes=True))
    return str(folder / "a.log.zst")


def piped(folder: Path, raw: bytes) -> str:
    path = folder / "pipe"
    os.mkfifo(path)
    threading.Thread(target=lambda: path.write_bytes(raw), daemon=True).start()
    return str(path)


SOURCES: dict[str, Callable[[Path, bytes], str]] = {
    "plain": plain,
    "gz": packed,
    "zst": zstd,
    "pipe": piped,
}


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("kind", SOURCES)
def test_places_are_where_the_lines_stand(tmp_path: Path, kind: str, line_end: bytes) -> None:
    raw = line_end.join(LINES)  # no final line end
    recording, _ = record(SOURCES[kind](tmp_path, raw))
    assert recording.rows == len(LINES)
    offset = 0
    for row, line in enumerate(LINES):
        place = recording.place(row)
        assert (place.source_id, place.line_no, place.offset) == (0, row + 1, offset)
        assert place.text == line
        offset += len(line) + len(line_end)


@pytest.mark.parametrize("kind", ["plain", "gz"])
def test_json_places_are_the_lines_of_the_source(tmp_path: Path, kind: str) -> None:
    lines = [
        b"  " if n == 3 else json.dumps({"msg": f"job {n}\nsecond {'y' * (n % 50)}"}).encode()
        for n in range(400)
    ]
    recording, _ = record(SOURCES[kind](tmp_path, b"\n".join(lines) + b"\n"))
    assert recording.rows == 400
    offsets = [0, *np.cumsum([len(x) + 1 for x in lines[:-1]]).tolist()]
    for row in range(400):
        place = recording.place(row)
        assert (place.line_no, place.offset, place.text) == (row + 1, offsets[row], lines[row])


@pytest.mark.parametrize("kind", ["plain", "gz"])
def test_a_byte_order_mark_counts_in_offsets(tmp_path: Path, kind: str) -> None:
    recording, _ = record(SOURCES[kind](tmp_path, b"\xef\xbb\xbfone\ntwo\n"))
    assert [(p.offset, p.text) for p in map(recording.place, range(2))] == [
        (3, b"one"),
        (7, b"two"),
    ]


def test_long_lines_are_shown_cut(tmp_path: Path) -> None:
    raw = b"a" * 9000 + b"\nshort\n" + b"b" * 9000 + b"\nend\n"
    recording, _ = record(plain(tmp_path, raw), max_line_bytes=8192)
    places = [recording.place(row) for row in range(4)]
    assert [p.text for p in places] == [b"a" * 4096, b"short", b"b" * 4096, b"end"]
    assert [p.offset for p in places] == [0, 9001, 9007, 18008]


def test_a_file_that_went_away_has_places_but_no_texts(tmp_path: Path) -> None:
    path = plain(tmp_path, b"one\ntwo\n")
    recording, _ = record(path)
    os.unlink(path)
    place = recording.place(1)
    assert (place.line_no, place.offset, place.text) == (2, 4, b"")


def columns(recording: Recording, first: int, stop: int, step: int) -> dict[str, list[int]]:
    pieces = list(recording.read(first, stop, step))
    rows = [r for numbers, _ in pieces for r in numbers.tolist()]
    assert rows == list(range(first, stop))
    return {
        name: [v for _, c in pieces for v in c[name].tolist()]
        for name in ("shape", "ts", "level", "session")
    }


@pytest.mark.parametrize("kind", ["plain", "gz"])
def test_spilling_to_disk_changes_nothing(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = SOURCES[kind](tmp_path, b"\n".join(LINES))
    kept, _ = record(path)
    monkeypatch.setattr(module, "_IN_MEMORY", 3000)
    spilled, _ = record(path)
    assert spilled._file is not None
    for first, stop, step in ((0, 900, 100), (0, 900, 10_000), (37, 611, 64), (5, 5, 10)):
        assert columns(spilled, first, stop, step) == columns(kept, first, stop, step)
    for row in (0, 1, 450, 898, 899):
        assert spilled.place(row) == kept.place(row)


def test_without_columns_places_are_still_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IN_MEMORY", 0)
    recording, _ = record(plain(tmp_path, b"\n".join(LINES)), keep=False)
    assert recording.place(500).text == LINES[500]


def at(second: int, text: str) -> str:
    return f"2024-05-01 10:{second // 60:02}:{second % 60:02} {text}\n"


def test_sources_that_overlap_in_time_are_put_in_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_IN_MEMORY", 500)  # sorting reads spilled columns too
    for name, first in (("a", 0), ("b", 1), ("c", 2)):
        text = "".join(at(s, f"{name} step") + f"   failed: {name}\n" for s in range(first, 900, 3))
        (tmp_path / f"{name}.log").write_text(text)
    recording, _ = record(*(str(tmp_path / f"{n}.log") for n in "cab"))
    assert recording.sort_by_time(lateness=0) is None
    texts = [recording.place(row).text.decode() for row in range(recording.rows)]
    assert recording.rows == 3 * 2 * 300
    heads, details = texts[0::2], texts[1::2]
    # A record without a time stays behind its head; c, a, b run in step.
    assert [t[-6:] for t in heads] == [f"{n} step" for _ in range(300) for n in "abc"]
    assert [t[-1:] for t in details] == [n for _ in range(300) for n in "abc"]
    ts = np.array(columns(recording, 0, recording.rows, 100)["ts"])
    known = ts[ts != NO_TIME]
    assert len(known) == 900
    assert (np.diff(known) >= 0).all()


def test_sources_that_follow_each_other_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(at(0, "a") + at(50, "a"))
    (tmp_path / "b.log").write_text(at(45, "b") + at(90, "b"))  # 5 s back: within the lateness
    recording, _ = record(str(tmp_path / "a.log"), str(tmp_path / "b.log"))
    recording.sort_by_time(lateness=60 * 10**9)
    assert [recording.place(r).source_id for r in range(4)] == [0, 0, 1, 1]
    recording.sort_by_time(lateness=10**9)
    assert [recording.place(r).source_id for r in range(4)] == [0, 1, 0, 1]


def test_too_many_records_to_sort_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_SORTED", 3)
    (tmp_path / "a.log").write_text(at(0, "a") + at(50, "a"))
    (tmp_path / "b.log").write_text(at(1, "b") + at(51, "b"))
    recording, _ = record(str(tmp_path / "a.log"), str(tmp_path / "b.log"))
    said = recording.sort_by_time(lateness=0)
    assert said is not None
    assert "count as late" in said
    assert [recording.place(r).source_id for r in range(4)] == [0, 0, 1, 1]


def test_pieces_do_not_depend_on_blocks(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"line {n} is here\n" for n in range(3000)))
    sizes = []
    for block in (4096, 1 << 20):
        recording, _ = record(str(tmp_path / "a.log"), block_bytes=block)
        pieces = list(recording.read(100, 2950, 700))
        sizes.append([len(rows) for rows, _ in pieces])
        assert np.concatenate([rows for rows, _ in pieces]).tolist() == list(range(100, 2950))
    assert sizes == [[700, 700, 700, 700, 50]] * 2


@pytest.mark.parametrize("kind", SOURCES)
def test_a_long_trace_is_whole_whatever_it_is_read_from(tmp_path: Path, kind: str) -> None:
    frames = "".join(f"\tat a.B.c{n}(B.java:{n})\n" for n in range(150))
    text = "start\n" + "failed: x\n" + frames + "end of it\n" + "start\n" * 400
    recording, _ = record(SOURCES[kind](tmp_path, text.encode()))
    place = recording.place(1)
    assert place.text == b"failed: x"
    assert "\n".join(m.decode() for m in place.more) + "\n" == frames
    assert recording.place(2).text == b"end of it"
    assert recording.place(2).line_no == 153
