"""Standard input: what came through the pipe outlives the worker; a full spool makes it wait."""

from __future__ import annotations

import contextlib
import os
import random
import select
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from logwright.stream import stdin
from logwright.stream.feed import Feed
from logwright.stream.spool import Spool
from logwright.stream.stdin import Stdin


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):  # the test closed it
            os.close(end)


def read(feed: Feed, size: int) -> bytes:
    """About `size` bytes, or what comes in five seconds."""
    until, found = time.monotonic() + 5, b""
    while len(found) < size and time.monotonic() < until:
        found += b"".join(entry.data for entry in feed.read(1 << 20, 0.1))
    return found


def test_lines_of_a_pipe_come_at_once_and_its_end_is_told(
    tmp_path: Path, pipe: tuple[int, int]
) -> None:
    spool = Spool(tmp_path)
    source = Stdin(spool, file=pipe[0])
    [feed], lost = source.feeds()
    assert (feed.name, feed.source, lost) == ("stdin", "stdin", [])
    assert source.feeds() == ([], [])
    os.write(pipe[1], b"one\ntw")
    began = time.monotonic()
    [entry] = feed.read(100, 5)
    assert entry.data == b"one\n"
    assert time.monotonic() - began < 1
    assert abs(time.time_ns() - entry.arrived) < 5e9
    os.write(pipe[1], b"o\nthree")
    assert read(feed, 4) == b"two\n"
    assert not source.ended
    os.close(pipe[1])
    assert read(feed, 6) == b"three\n"
    until = time.monotonic() + 5
    while not source.ended and time.monotonic() < until:
        time.sleep(0.01)
    assert source.ended
    source.close()
    spool.close()


def test_what_one_worker_had_spooled_the_next_one_reads(
    tmp_path: Path, pipe: tuple[int, int]
) -> None:
    spool = Spool(tmp_path)
    source = Stdin(spool, file=pipe[0])
    [feed], _ = source.feeds()
    os.write(pipe[1], b"one\n")
    [entry] = feed.read(100, 5)
    os.write(pipe[1], b"two\n")
    until = time.monotonic() + 5
    while feed.lag() == 0 and time.monotonic() < until:
        time.sleep(0.01)
    source.close()
    spool.close()
    spool = Spool(tmp_path)
    source = Stdin(spool, file=pipe[0])
    os.write(pipe[1], b"three\n")
    [feed], _ = source.feeds()
    feed.seek(entry.position)
    assert read(feed, 10) == b"two\nthree\n"
    source.close()
    spool.close()


def test_a_full_spool_makes_the_pipe_wait_and_nothing_is_lost(
    tmp_path: Path, pipe: tuple[int, int]
) -> None:
    said: list[str] = []
    spool = Spool(tmp_path, 8 << 20, said.append)
    source = Stdin(spool, file=pipe[0])
    [feed], _ = source.feeds()
    line = b"x" * 999 + b"\n"
    total, written = 20_000, 0

    def write() -> None:
        nonlocal written
        for _ in range(total // 10):
            os.write(pipe[1], line * 10)
            written += 10
        os.close(pipe[1])

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    until = time.monotonic() + 10
    while not said and time.monotonic() < until:
        time.sleep(0.01)
    assert "is full" in said[0]
    assert "standard input waits" in said[0]
    time.sleep(0.2)
    assert written < total
    assert select.select([], [pipe[1]], [], 0)[1] == []
    assert spool.bytes_on_disk <= 8 << 20
    got = 0
    while got < total * 1_000 and time.monotonic() < until:
        for entry in feed.read(1 << 20, 0.1):
            got += len(entry.data)
            feed.done(entry.position)
    thread.join(5)
    assert got == total * 1_000
    source.close()
    spool.close()


def test_lines_of_a_failed_fsync_are_spooled_again(
    tmp_path: Path, pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    fails, fsync = [True, True], os.fsync

    def broken(file: int) -> None:
        if fails and stat.S_ISREG(os.fstat(file).st_mode):
            fails.pop()
            raise OSError(5, "Input/output error")
        fsync(file)

    monkeypatch.setattr(os, "fsync", broken)
    source = Stdin(spool, file=pipe[0])
    [feed], _ = source.feeds()
    os.write(pipe[1], b"one\n")
    time.sleep(0.1)
    os.write(pipe[1], b"two\n")
    assert read(feed, 8) == b"one\ntwo\n"
    assert not fails
    source.close()
    spool.close()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_fsyncs_fail_lines_come_once_and_in_order(
    tmp_path: Path, pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Also where a segment ends between lines that are not durable yet."""
    spool = Spool(tmp_path, 4_000)
    dice, fsync, left = random.Random(seed), os.fsync, [100]

    def broken(file: int) -> None:
        if left[0] and dice.random() < 0.6:
            left[0] -= 1
            raise OSError(28, "No space left on device")
        fsync(file)

    monkeypatch.setattr(os, "fsync", broken)
    monkeypatch.setattr(stdin, "_STEP", 150)
    monkeypatch.setattr(stdin, "_TICK", 0.001)
    source = Stdin(spool, limit=100, file=pipe[0])
    [feed], _ = source.feeds()
    lines = b"".join(b"line %d\n" % number for number in range(1_000))
    os.write(pipe[1], lines)
    found = b""
    until = time.monotonic() + 20
    while len(found) < len(lines) and time.monotonic() < until:
        for entry in feed.read(500, 0.1):
            found += entry.data
            feed.done(entry.position)
    assert found == lines
    assert left[0] < 100
    source.close()
    spool.close()


def test_a_long_line_is_cut_and_the_rest_of_it_skipped(
    tmp_path: Path, pipe: tuple[int, int]
) -> None:
    spool = Spool(tmp_path)
    source = Stdin(spool, limit=10, file=pipe[0])
    [feed], _ = source.feeds()
    os.write(pipe[1], b"x" * 50_000 + b"\nnext\n")
    assert read(feed, 16) == b"xxxxxxxxxx\nnext\n"
    source.close()
    spool.close()
