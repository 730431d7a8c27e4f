"""Files that are followed: lines come as they are written, each once, from any number of files."""

from __future__ import annotations

import errno
import gzip
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import InputError
from logwright.stream.cutter import Cutter
from logwright.stream.files import Files
from stream_reader import OPENED, Reader, append, lines

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


# -- one file


def test_lines_come_as_they_are_written_and_a_line_waits_for_its_end(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, b"one\ntwo\nthr")
    reader = Reader(log)
    assert reader.all(0.1) == [b"one\n", b"two\n"]
    append(log, b"ee")
    assert reader.all(0.1) == [b"one\n", b"two\n"]
    append(log, b"\nfour\n")
    assert reader.all(0.1) == [b"one\n", b"two\n", b"three\n", b"four\n"]
    assert reader.feed.lag() == 0


def test_a_named_file_is_waited_for_and_what_cannot_be_read_is_said_once(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    reader = Reader(log)
    assert reader.all(0.1) == []
    append(log, b"one\n")
    assert reader.all(1.0) == [b"one\n"]
    assert reader.said == [f"{log} is not there: waiting for it"]
    folder = Reader(tmp_path)
    folder.all(1.1)
    assert folder.said == [f"{tmp_path} cannot be read: is no regular file; trying again"]
    os.mkfifo(tmp_path / "pipe")
    pipe = Reader(tmp_path / "pipe")
    pipe.all(0.1)
    assert "is no regular file" in pipe.said[0]


def test_a_disk_that_does_not_answer_is_tried_again_and_nothing_comes_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "app.log"
    append(log, lines(0, 100) + b"and a")
    reader = Reader(log)
    reader.once(1_000)
    fails, pread = [True] * 3, os.pread

    def stale(file: int, size: int, at: int) -> bytes:
        if fails:
            fails.pop()
            raise OSError(errno.ESTALE, "Stale file handle")
        return pread(file, size, at)

    monkeypatch.setattr(os, "pread", stale)
    append(log, b" line\n")
    assert b"".join(reader.all(1.5)) == lines(0, 100) + b"and a line\n"
    assert reader.said == [f"{log} cannot be read: Stale file handle; trying again"]


def test_a_read_waits_as_long_as_was_asked_and_is_quick_while_lines_come(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, b"one\n")
    reader = Reader(log)
    reader.once()
    began = time.monotonic()
    assert reader.once(timeout=0.1) == 0
    assert 0.1 <= time.monotonic() - began < 1
    waits = []
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.02):
            append(log, b"%d\n" % time.time_ns())

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(30):
            [entry] = reader.feed.read(1000, 5)
            waits.append(time.time_ns() - int(entry.data.split()[-1]))
    finally:
        stop.set()
        thread.join()
    assert sorted(waits)[len(waits) // 2] < 20e6


def test_reads_are_about_as_large_as_was_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, lines(0, 1_000))
    reader = Reader(log)
    [entry] = reader.feed.read(500, 0)
    assert 0 < len(entry.data) <= 500
    assert 900 < (reader.feed.lag() or 0) < 1_100
    assert entry.data + b"".join(reader.all(0.0)) == lines(0, 1_000)
    assert abs(entry.arrived - log.stat().st_mtime_ns) < 1e6


@given(
    data=st.text("ab\n\0", max_size=60).map(str.encode),
    limit=st.integers(1, 6),
    cuts=st.lists(st.integers(1, 10), min_size=1),
)
def test_how_bytes_come_decides_nothing(data: bytes, limit: int, cuts: list[int]) -> None:
    cutter, out, held, at = Cutter(limit), b"", b"", 0
    for i in range(len(data)):
        more = cuts[i % len(cuts)]
        held += data[at : at + more]
        at += more
        text, used = cutter.cut(held)
        out, held = out + text, held[used:]
        assert len(held) <= limit
    whole = [line.lstrip(b"\0")[:limit] for line in data.split(b"\n")]
    last = data.split(b"\n")[-1].lstrip(b"\0")
    if len(last) <= limit:  # its end may still come
        whole.pop()
    assert out == b"".join(line + b"\n" for line in whole)


def test_a_line_without_end_is_cut_at_once_and_needs_no_memory(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, b"ok\n" + b"x" * 5_000)
    reader = Reader(log, limit=100)
    assert reader.all(0.0) == [b"ok\n", b"x" * 100 + b"\n"]
    reader.checkpoint()
    reader.restart()  # within the line
    append(log, b"x" * 5_000 + b"\nnext\n")
    assert reader.all(0.0)[2:] == [b"next\n"]
    assert reader.feed.counts["cut_lines"] == 0  # it was counted before


def test_holes_that_a_crash_or_a_truncation_leaves_are_no_lines(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    with open(log, "wb") as file:
        file.truncate(3_000_000)  # the hole of a writer that goes on at its old place
        file.seek(3_000_000)
        file.write(b"first\nsec\0ond\n\0\0\0third\n")
    reader = Reader(log)
    assert reader.all(0.0) == [b"first\n", b"sec\0ond\n", b"third\n"]
    assert reader.feed.counts["nul_bytes"] == 3_000_003


def test_byte_order_marks(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, b"\xef\xbb\xbfone\ntwo\n")
    reader = Reader(log)
    assert reader.all(0.0) == [b"one\n", b"two\n"]
    wide = tmp_path / "wide.log"
    wide.write_text("one\ntwo\n", "utf-16")
    reader = Reader(wide)
    assert reader.all(0.0) == []
    assert reader.said == [f"{wide} is UTF-16: not followed (UTF-8 is)"]


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_a_compressed_file_is_read_to_its_end_also_from_the_middle(
    tmp_path: Path, kind: str
) -> None:
    log = tmp_path / "app.log.packed"
    text = lines(0, 500) + b"the last"

    def packed(data: bytes) -> bytes:
        return gzip.compress(data) if kind == "gzip" else pa.compress(data, kind, asbytes=True)

    log.write_bytes(packed(text))
    reader = Reader(log)
    assert reader.once(2_000) == 1
    reader.checkpoint()
    reader.once(2_000)
    reader.restart()
    assert b"".join(reader.all(0.1)) == text + b"\n"
    append(log, packed(b"more\n"))
    assert reader.all(0.1)[501:] == [b"more\n"]


# -- several files


def names(files: Files) -> list[str]:
    gained, lost = files.feeds()
    assert lost == []
    return [os.path.basename(feed.source) for feed in gained]


def test_new_files_of_a_glob_come_within_a_second_and_rotated_ones_do_not(tmp_path: Path) -> None:
    for name in ("a.log", "a.log.1", "b.log", "b.log-20240501.gz", "c.log.2", "d-1.log", "d.log"):
        (tmp_path / name).touch()
    files = Files([f"{tmp_path}/*.log*"])
    assert names(files) == ["a.log", "b.log", "c.log.2", "d-1.log", "d.log"]
    assert files.feeds() == ([], [])
    (tmp_path / "a.log").rename(tmp_path / "a.log.2")
    (tmp_path / "new.log").touch()
    began = time.monotonic()
    gained: list[str] = []
    while not gained and time.monotonic() - began < 3:
        gained = names(files)
    assert gained == ["new.log"]
    assert time.monotonic() - began < 1
    files.close()


def test_named_files_are_feeds_whatever_their_names_and_each_once(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.touch()
    Path(f"{log}.1").touch()
    (tmp_path / "link.log").symlink_to(log)
    files = Files([str(log), f"file:{log}.1", f"{tmp_path}/*.log", f"{tmp_path}/no.log?from=end"])
    assert names(files) == ["app.log", "app.log.1", "no.log"]


def test_a_folder_stands_for_the_text_files_in_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.log").write_bytes(b"one\n")
    (tmp_path / "b.log").write_bytes(b"one\n")
    (tmp_path / ".hidden.log").write_bytes(b"one\n")
    (tmp_path / "c.bin").write_bytes(b"a\0\1")
    assert names(Files([str(tmp_path)])) == ["b.log", "a.log"]
    (tmp_path / "empty").mkdir()
    assert names(Files([f"{tmp_path}/empty"])) == []


def test_from_the_end_means_what_comes_next_and_later_files_whole(tmp_path: Path) -> None:
    log = tmp_path / "app1.log"
    append(log, lines(0, 10) + b"a line under w")
    files = Files([f"{tmp_path}/app?.log?from=end"])
    [feed], _ = files.feeds()
    feed.seek(None)
    assert feed.read(1_000, 0) == []
    append(log, b"ay\nnext\n")
    [entry] = feed.read(1_000, 0)
    assert entry.data == b"a line under way\nnext\n"
    append(tmp_path / "app2.log", lines(0, 10))
    time.sleep(0.55)
    [later], _ = files.feeds()
    later.seek(None)
    assert later.read(1_000, 0)[0].data == lines(0, 10)
    files.close()


def test_the_number_of_files_is_bounded_and_files_that_are_gone_make_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logwright.stream.files.MOST", 3)
    monkeypatch.setattr("logwright.stream.files._LOOK", 0.0)
    monkeypatch.setattr("logwright.stream.files._GONE", 0.0)
    for name in "abcde":
        (tmp_path / name).write_bytes(b"one\n")
    said: list[str] = []
    files = Files([f"{tmp_path}/?"], notify=said.append)
    assert names(files) == ["a", "b", "c"]
    assert files.waiting == 2
    assert said == ["2 files beyond the 3 that are followed wait"]
    (tmp_path / "b").unlink()
    gained, lost = files.feeds()
    assert lost == [f"file:{tmp_path}/b"]
    assert [feed.source for feed in gained] == [f"{tmp_path}/d"]


def test_options_that_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'from' is 'middle', expected 'begin' or 'end'"):
        Files([f"{tmp_path}/a.log?from=middle"])
    with pytest.raises(InputError, match="names no file"):
        Files(["file:?from=end"])
