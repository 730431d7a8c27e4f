"""The spool: what was answered for is never lost, the rest is dropped whole, room is bounded."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import InputError
from logwright.stream.spool import Spool, SpoolFullError
from logwright.stream.spooled import SpoolFeed

MOST = 1 << 30
T = TypeVar("T")


def lines_of(feed: SpoolFeed, most: int = 1 << 20) -> list[bytes]:
    found = []
    while entries := feed.read(most, 0):
        found += [entry.data for entry in entries]
    return b"".join(found).splitlines(keepends=True)


def lines(count: int, first: int = 0) -> list[bytes]:
    return [b"line %d %s\n" % (i, b"x" * (i % 50)) for i in range(first, first + count)]


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


def test_what_is_durable_is_read_and_nothing_else(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    feed = spool.feed("spool:a", "a")
    spool.append(b"one\n", 1)
    assert feed.read(100, 0) == []
    assert feed.lag() == 0
    spool.append(b"two\nthree", 2)
    spool.sync()
    [entry] = feed.read(100, 0)
    assert (entry.data, entry.arrived) == (b"one\ntwo\nthree\n", 2)
    assert feed.read(100, 0) == []
    spool.close()


def test_a_read_gives_about_as_much_as_was_asked_for_and_at_least_one_record(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path)
    for _ in range(100):
        spool.append(b"a line as long as all\n" * 10, 1)
    spool.sync()
    feed = spool.feed("s", "s")
    assert feed.lag() is None  # nobody knows how long lines are
    assert feed.read(1, 0)[0].data == b"a line as long as all\n" * 10
    assert 0 < len(feed.read(2_000, 0)[0].data) <= 2_300
    assert 850 < (feed.lag() or 0) < 1_000
    assert len(lines_of(feed)) > 850
    assert feed.lag() == 0
    spool.close()


def test_a_reader_waits_for_the_writer_and_is_woken_by_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    feed = spool.feed("s", "s")

    def write() -> None:
        spool.append(b"late\n", 1)
        spool.sync()

    timer = threading.Timer(0.05, write)
    timer.start()
    assert [entry.data for entry in feed.read(100, 10)] == [b"late\n"]
    timer.join()
    spool.close()
    assert feed.read(100, 10) == []  # a closed spool is not waited for


@given(
    sizes=st.lists(st.integers(1, 400), min_size=1, max_size=30),
    cut=st.integers(0, 1 << 20),
    damage=st.booleans(),
)
def test_a_crash_at_any_byte_leaves_whole_records_from_the_first_on(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], cut: int, damage: bool
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = Spool(folder)
    records = [b"%d %s\n" % (i, b"y" * size) for i, size in enumerate(sizes)]
    for record in records:
        spool.append(record, 1)
    spool.close()
    [segment] = segments(folder)
    whole = segment.read_bytes()
    at = cut % len(whole)
    torn = whole[:at]
    if damage:  # blocks of the file that were written in another order
        torn += bytes(b ^ 0x5A for b in whole[at : at + 3]) + whole[at + 3 :]
    if at >= 16 or not damage:
        segment.write_bytes(torn)
    spool = Spool(folder)
    found = lines_of(spool.feed("s", "s"))
    assert found == records[: len(found)]
    if at >= 16:  # what ends before the place is there
        ends = [16 + sum(len(r) + 16 for r in records[: i + 1]) for i in range(len(records))]
        assert len(found) == sum(end <= at for end in ends)
    # And the spool goes on: what comes now is read after it, also by who was at the end.
    spool.append(b"again\n", 2)
    spool.sync()
    assert lines_of(spool.feed("s", "s")) == [*found, b"again\n"]
    spool.close()
    shutil.rmtree(folder)


@given(st.data())
def test_any_order_of_writing_reading_checkpoints_and_restarts_gives_every_line_once(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    most = 4_000
    spool = Spool(folder, most)
    feed = spool.feed("s", "s")
    feed.seek(None)
    written: list[bytes] = []
    read: list[bytes] = []
    kept: tuple[str | None, int] = (None, 0)  # checkpoint: position, lines read until then
    last: str | None = None
    for verb in data.draw(st.lists(st.sampled_from("wwwwrrrrcx"), max_size=60)):
        if verb == "w":
            line = b"%d %s\n" % (len(written), b"z" * data.draw(st.integers(0, 300)))
            try:
                spool.append(line, 1)
            except SpoolFullError:
                assert spool.bytes_on_disk > most // 2
                continue
            spool.sync()
            written.append(line)
        elif verb == "r":
            for entry in feed.read(data.draw(st.integers(1, 1_000)), 0):
                read += entry.data.splitlines(keepends=True)
                last = entry.position
        elif verb == "c" and last is not None:
            kept = last, len(read)
            feed.done(last)
        else:
            feed.close()
            spool.close()
            spool = Spool(folder, most)
            feed = spool.feed("s", "s")
            feed.seek(kept[0])
            last = kept[0]
            del read[kept[1] :]
        assert sum(path.stat().st_size for path in segments(folder)) == spool.bytes_on_disk <= most
    read += lines_of(feed)
    assert read == written
    spool.close()
    shutil.rmtree(folder)


def test_a_spool_that_is_full_refuses_and_takes_again_once_a_checkpoint_has_made_room(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path, 100_000)
    feed = spool.feed("s", "s")
    taken = []
    refused = b"a line of text\n" * 10
    while spool.bytes_on_disk + len(refused) + 32 <= 100_000:
        spool.append(refused, 1)
        taken.append(refused)
    with pytest.raises(SpoolFullError, match=r"is full: .* wait for the worker"):
        spool.append(refused, 1)
    spool.sync()
    assert spool.counts["full"] == 1
    got = []
    while entries := feed.read(10_000, 0):
        got += entries
    assert b"".join(entry.data for entry in got) == b"".join(taken)
    with pytest.raises(SpoolFullError):
        spool.append(refused, 1)  # all is read, but in no checkpoint
    feed.done(got[-1].position)
    more = lines(100, 7_000)
    for line in more:
        spool.append(line, 1)
    spool.sync()
    assert lines_of(feed) == more
    spool.close()


def test_a_record_that_can_never_fit_is_an_error_and_not_a_wait(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 10_000)
    with pytest.raises(InputError, match="too many"):
        spool.append(b"x" * 5_000, 1)
    spool.close()


def broken(call: Callable[..., T], fails: Callable[[], bool], number: int) -> Callable[..., T]:
    def now(*args: object) -> T:
        if fails():
            raise OSError(number, os.strerror(number))
        return call(*args)

    return now


def test_a_disk_that_is_full_refuses_and_nothing_of_the_refused_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = False
    spool = Spool(tmp_path)
    monkeypatch.setattr(os, "pwrite", broken(os.pwrite, lambda: full, errno.ENOSPC))
    spool.append(b"before\n", 1)
    full = True
    with pytest.raises(SpoolFullError, match="No space left"):
        spool.append(b"during\n", 1)
    full = False
    spool.append(b"after\n", 1)
    spool.sync()
    assert lines_of(spool.feed("s", "s")) == [b"before\n", b"after\n"]
    spool.close()


def test_half_a_record_on_a_full_disk_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)
    spool.append(b"before\n", 1)
    whole, calls = os.pwrite, []

    def half(file: int, data: bytes, at: int) -> int:
        calls.append(at)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(file, bytes(data)[: len(data) // 2], at)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", half)
        with pytest.raises(SpoolFullError):
            spool.append(b"during " * 10, 1)
    spool.append(b"after\n", 1)
    spool.close()
    again = Spool(tmp_path)
    assert again.counts["dropped_bytes"] == 0
    assert lines_of(again.feed("s", "s")) == [b"before\n", b"after\n"]
    again.close()


def test_an_fsync_that_fails_fails_all_who_wait_for_it_and_no_one_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = False
    monkeypatch.setattr(os, "fsync", broken(os.fsync, lambda: fails, errno.EIO))
    spool = Spool(tmp_path)
    feed = spool.feed("s", "s")
    spool.append(b"before\n", 1)
    spool.sync()
    theirs = spool.append(b"theirs\n", 1)
    mine = spool.append(b"mine\n", 1)
    fails = True
    with pytest.raises(SpoolFullError, match="send it again"):
        spool.sync(mine)
    fails = False
    spool.append(b"after\n", 1)
    spool.sync()
    with pytest.raises(SpoolFullError):  # although more is durable by now
        spool.sync(theirs)
    assert lines_of(feed) == [b"before\n", b"after\n"]
    spool.close()


def test_an_fsync_that_went_well_says_nothing_where_another_one_failed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system tells of an error once; whoever asks next is told that all is well."""
    spool = Spool(tmp_path, 1_000)
    spool.append(b"x" * 200, 1)
    fsync, depth = os.fsync, 0

    def tangled(file: int) -> None:
        nonlocal depth
        depth += 1
        if depth == 1:
            # It would begin a segment: the one before it has to be durable first, and is lost.
            with pytest.raises(SpoolFullError, match="what was written before"):
                spool.append(b"y" * 200, 1)
        elif depth == 2:
            raise OSError(errno.EIO, "Input/output error")
        fsync(file)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", tangled)
        with pytest.raises(SpoolFullError, match="send it again"):
            spool.sync()
    spool.append(b"z\n", 1)
    spool.sync()
    assert lines_of(spool.feed("s", "s")) == [b"z\n"]
    spool.close()


def test_many_threads_share_fsyncs_and_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    fsync = os.fsync

    def slow(file: int) -> None:
        calls.append(file)
        fsync(file)
        threading.Event().wait(0.005)

    spool = Spool(tmp_path, MOST)
    monkeypatch.setattr(os, "fsync", slow)

    def work(number: int) -> None:
        for i in range(20):
            spool.append(b"%d %d\n" % (number, i), 1)
            spool.sync()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) < 140  # of 160
    found = [tuple(map(int, line.split())) for line in lines_of(spool.feed("s", "s"))]
    assert sorted(found) == [(n, i) for n in range(8) for i in range(20)]
    assert all(found.index((n, i)) < found.index((n, i + 1)) for n in range(8) for i in range(19))
    spool.close()


def test_positions_are_not_given_twice_when_all_was_read_and_the_process_restarts(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path, 40_000)
    feed = spool.feed("s", "s")
    for line in lines(200):
        spool.append(line, 1)
    spool.sync()
    position = ""
    while entries := feed.read(10_000, 0):
        position = entries[-1].position
    feed.done(position)
    spool.close()
    spool = Spool(tmp_path, 40_000)
    spool.append(b"new\n", 1)  # before anybody seeks
    spool.sync()
    feed = spool.feed("s", "s")
    feed.seek(position)
    assert lines_of(feed) == [b"new\n"]
    spool.close()


def test_a_spool_that_lost_its_end_goes_on_behind_what_was_seen(tmp_path: Path) -> None:
    """As after a power cut with a disk that lies about fsync."""
    spool = Spool(tmp_path)
    spool.append(b"one\n", 1)
    spool.append(b"two\n", 1)
    spool.sync()
    [entry] = spool.feed("s", "s").read(100, 0)
    spool.close()
    [segment] = segments(tmp_path)
    os.truncate(segment, 36)
    spool = Spool(tmp_path)
    feed = spool.feed("s", "s")
    feed.seek(entry.position)
    spool.append(b"three\n", 1)
    spool.sync()
    assert lines_of(feed) == [b"three\n"]
    spool.close()


def test_another_spool_at_the_same_place_is_read_from_its_beginning(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "a")
    for line in lines(10):
        spool.append(line, 1)
    spool.sync()
    [entry] = spool.feed("s", "s").read(10_000, 0)
    spool.close()
    shutil.rmtree(tmp_path / "a")
    said: list[str] = []
    spool = Spool(tmp_path / "a", notify=said.append)
    spool.append(b"new\n", 1)
    spool.sync()
    feed = spool.feed("s", "s")
    feed.seek(entry.position)
    assert lines_of(feed) == [b"new\n"]
    assert "another one" in said[0]
    feed.done(entry.position)  # nothing
    spool.close()


def test_what_is_damaged_in_the_middle_is_skipped_and_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 40_000)
    for line in lines(400):
        spool.append(line, 1)
    spool.close()
    first = segments(tmp_path)[0]
    data = bytearray(first.read_bytes())
    data[len(data) // 2] ^= 1
    first.write_bytes(data)
    said: list[str] = []
    spool = Spool(tmp_path, 40_000, said.append)
    found = lines_of(spool.feed("s", "s"), 1_000)
    at = next(i for i, line in enumerate(found) if line != lines(400)[i])
    assert 0 < at < len(found)
    assert found[at:] == lines(400)[400 - len(found) + at :]
    assert spool.counts["damaged_bytes"] > 1_000
    assert len(said) == 1
    spool.close()


def test_one_process_writes_a_spool_and_foreign_files_are_refused(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with pytest.raises(InputError, match="in use"):
        Spool(tmp_path)
    spool.append(b"one\n", 1)
    spool.close()
    spool.close()
    with pytest.raises(InputError, match="closed"):
        spool.append(b"two\n", 1)
    segment = segments(tmp_path)[0]
    segment.write_bytes(b"LWSPOOL9" + segment.read_bytes()[8:])
    with pytest.raises(InputError, match="of this version"):
        Spool(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be opened"):
        Spool(tmp_path / "file")
    with pytest.raises(InputError, match="no position of a spool"):
        Spool(tmp_path / "b").feed("s", "s").seek("17")
