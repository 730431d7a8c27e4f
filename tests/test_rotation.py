"""Rotation: whatever becomes of a file that is followed, each line comes once and in order."""

from __future__ import annotations

import gzip
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import InputError
from logwright.stream.generation import Place
from logwright.stream.rotation import bases, rotated
from logwright.stream.tail import FileFeed
from stream_reader import OPENED, Reader, append, lines

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


# -- rotation


def shift(log: Path) -> None:
    """app.log.1 becomes app.log.2, and so on."""
    for number in range(20, 0, -1):
        for ending in ("", ".gz"):
            path = Path(f"{log}.{number}{ending}")
            if path.exists():
                path.rename(f"{log}.{number + 1}{ending}")


def rename(log: Path) -> None:
    shift(log)
    log.rename(f"{log}.1")


def copy_and_truncate(log: Path) -> None:
    shift(log)
    shutil.copyfile(log, f"{log}.1")
    os.truncate(log, 0)


def compress(path: Path) -> None:
    status = path.stat()
    packed = Path(f"{path}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    os.utime(packed, ns=(status.st_atime_ns, status.st_mtime_ns))
    path.unlink()


@pytest.mark.parametrize("rotate", [rename, copy_and_truncate])
def test_what_was_written_before_a_rotation_comes_before_what_was_after_it(
    tmp_path: Path, rotate: object
) -> None:
    assert callable(rotate)
    log = tmp_path / "app.log"
    append(log, lines(0, 10))
    reader = Reader(log)
    reader.all(0.0)
    append(log, lines(10, 10) + b"no newline")
    rotate(log)
    append(log, lines(20, 10))
    expected = lines(0, 20) + b"no newline\n" + lines(20, 10)
    assert b"".join(reader.all(0.1)) == expected
    again = Reader(log)
    again.last = reader.last
    again.checkpoint()
    again.restart()
    assert again.all(0.1) == []


def test_a_file_deleted_and_made_anew_is_read_to_its_end_first(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, lines(0, 10))
    reader = Reader(log)
    reader.all(0.0)
    append(log, lines(10, 10))
    log.unlink()
    append(log, lines(20, 10))
    assert b"".join(reader.all(0.1)) == lines(0, 30)


def test_a_rotated_file_is_left_only_once_the_writer_has_left_it(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    reader = Reader(log, patience=0.4)
    with open(log, "ab", buffering=0) as writer:
        writer.write(b"one\n")
        reader.all(0.1)
        rename(log)
        log.touch()
        time.sleep(0.5)
        writer.write(b"two\n")  # it has not been told yet
        assert reader.all(0.1) == [b"one\n", b"two\n"]
        append(log, b"four\n")
        assert reader.all(0.1) == [b"one\n", b"two\n"]
        writer.write(b"three\n")
    assert reader.all(0.6) == [b"one\n", b"two\n", b"three\n", b"four\n"]
    append(Path(f"{log}.1"), b"too late\n")
    append(log, b"five\n")
    assert reader.all(0.3)[4:] == [b"five\n"]
    assert reader.feed.counts["late_bytes"] == 9
    assert "9 bytes came after the next file was begun" in reader.said[-1]


def test_several_rotations_while_nobody_reads_are_caught_up_with_also_compressed(
    tmp_path: Path,
) -> None:
    log = tmp_path / "app.log"
    append(log, lines(0, 100))
    reader = Reader(log)
    reader.once(1_000)
    reader.checkpoint()
    for i in range(1, 5):
        rename(log)
        append(log, lines(100 * i, 100))
        if i > 1:
            compress(Path(f"{log}.2"))
    reader.restart()
    assert b"".join(reader.all(0.1)) == lines(0, 500)
    assert reader.feed.counts["gone"] == 0


def test_an_open_file_is_known_after_it_was_compressed_whatever_the_times_say(
    tmp_path: Path,
) -> None:
    log = tmp_path / "app.log"
    append(log, lines(0, 100))
    reader = Reader(log)
    reader.once(1_000)
    rename(log)
    append(log, lines(100, 100))
    rename(log)
    append(log, lines(200, 100))
    compress(Path(f"{log}.2"))
    os.utime(f"{log}.2.gz")
    assert b"".join(reader.all(0.1)) == lines(0, 300)


def test_a_file_cut_short_is_read_anew_as_it_may_be_another_one(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, lines(100, 100))
    reader = Reader(log)
    reader.all(0.0)
    os.truncate(log, 75 * len(lines(100, 1)))
    append(log, lines(500, 5))
    assert b"".join(reader.all(0.0)[100:]) == lines(100, 75) + lines(500, 5)
    assert reader.feed.counts["truncations"] == 1


def test_rotation_to_dated_names_and_links_to_the_newest(tmp_path: Path) -> None:
    link = tmp_path / "current.log"
    reader = None
    for day in range(1, 5):
        dated = tmp_path / f"app-2024-05-{day:02}.log"
        append(dated, lines(100 * day, 100))
        link.unlink(missing_ok=True)
        link.symlink_to(dated.name)
        if reader is None:
            reader = Reader(link)
            reader.once(1_000)
            reader.checkpoint()
    assert reader is not None
    reader.restart()
    assert b"".join(reader.all(0.1)) == lines(100, 400)


def test_a_file_that_is_gone_is_told_and_reading_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, lines(0, 100))
    reader = Reader(log)
    reader.once(1_000)
    before = list(reader.read)
    reader.checkpoint()
    reader.feed.close()
    log.rename(tmp_path / "elsewhere")  # so that its inode is not used again
    append(log, lines(1_000, 10))
    reader.restart()
    assert b"".join(reader.all(0.0)[len(before) :]) == lines(1_000, 10)
    assert reader.feed.counts["gone"] == 1
    assert "is gone, with what was not read of it" in reader.said[-1]


def test_an_inode_that_is_used_again_is_not_mistaken_for_the_old_file(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, lines(0, 100))
    reader = Reader(log)
    reader.all(0.0)
    reader.checkpoint()
    with open(log, "r+b") as file:  # the same inode, other content, as large
        file.truncate(0)
        file.write(lines(5_000, 200))
    reader.restart()
    assert b"".join(reader.all(0.0)[100:]) == lines(5_000, 200)


def test_a_file_rewritten_to_the_same_size_while_it_is_followed_is_seen(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, lines(100, 100))
    reader = Reader(log)
    reader.all(0.0)
    time.sleep(0.02)  # file systems whose clock has ticks
    with open(log, "r+b") as file:
        file.write(lines(500, 100))
    assert b"".join(reader.all(0.0)[100:]) == lines(500, 100)
    assert reader.feed.counts["truncations"] == 1


VERBS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 12)),
        st.tuples(st.just("part"), st.integers(1, 3)),
        st.tuples(st.just("read"), st.integers(20, 400)),
        st.tuples(
            st.sampled_from(["rename", "truncate", "delete", "compress", "checkpoint", "restart"]),
            st.just(0),
        ),
    ),
    max_size=40,
)


@given(VERBS)
def test_no_script_of_writing_and_rotating_loses_or_doubles_a_line(
    tmp_path_factory: pytest.TempPathFactory, verbs: list[tuple[str, int]]
) -> None:
    log = tmp_path_factory.mktemp("logs") / "app.log"
    expected, count, part, deleted = b"first\n", 0, False, False
    append(log, expected)
    reader = Reader(log)
    reader.once()  # what was rotated before the first checkpoint is nobody's
    reader.checkpoint()

    def write(data: bytes) -> None:
        nonlocal expected
        append(log, data)
        expected += data

    def ends() -> None:
        """What a rotation cuts ends there."""
        nonlocal expected, part
        if part:
            expected += b"\n"
            part = False

    for verb, number in verbs:
        if verb == "write":
            write((b" and its end\n" if part else b"") + lines(count, number))
            count, part = count + number, False
        elif verb == "part":
            write(b"%spart %d" % (b", " if part else b"", count))
            count, part = count + 1, True
        elif verb == "read":
            reader.once(number)
        elif verb == "rename" and log.stat().st_size:
            rename(log)
            ends()
        elif verb == "truncate":
            # It must have been looked at once: there is nothing else to know its copy by.
            write(b"%d is its end\n" % count)
            reader.catch_up(expected)
            reader.checkpoint()
            write(lines(count + 1, 2))
            count, part = count + 3, False
            copy_and_truncate(log)
        elif verb == "delete":
            # Nobody can read what is gone: it is read, and checkpointed.
            write(b"%d is its end\n" % count)
            count, part, deleted = count + 1, False, True
            reader.catch_up(expected)
            reader.checkpoint()
            log.unlink()
        elif verb == "compress":
            path = Path(f"{log}.1")
            if path.exists():
                compress(path)
        elif verb == "checkpoint":
            reader.checkpoint()
        elif verb == "restart":
            reader.restart()
        if not log.exists():
            log.touch()
    if part:
        write(b" and its end\n")
    write(b"last\n")
    reader.catch_up(expected)
    assert b"".join(reader.all(0.0)) == expected
    assert deleted or not reader.feed.counts["gone"]
    reader.feed.close()
    shutil.rmtree(log.parent)


def test_names_of_rotated_files(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    names = ["app.log.1", "app.log.2.gz", "app.log.10", "app.log.2", "app.log", "app.log.err"]
    for name in [*names, "app-1.log", "other.log.1", "app.log.1x"]:
        (tmp_path / name).touch()
    found = [os.path.basename(path) for path in rotated(str(log))]
    assert found == ["app.log.10", "app.log.2", "app.log.1"]
    for at, name in enumerate(["app.log-20240501", "app-2024-05-03.log", "app.log.2024-05-04.gz"]):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (at, at))
    assert [os.path.basename(path) for path in rotated(str(log))][:3] == [
        "app.log-20240501",
        "app-2024-05-03.log",
        "app.log.2024-05-04.gz",
    ]
    assert list(bases("." + "1" * 250 + "x")) == []  # and it does not take for ever


def test_a_position_of_another_kind_is_refused(tmp_path: Path) -> None:
    for text in ("", "17", "f1.1.2.3", "f2.1.1.1.1.1.1.1", "f1.1.1.1.1.1.1.1 "):
        with pytest.raises(InputError, match="no position in a file"):
            FileFeed(str(tmp_path)).seek(text)


@given(
    st.builds(
        Place,
        *[st.integers(0, 1 << 62)] * 3,
        st.booleans(),
        st.integers(0, 1024),
        st.binary(min_size=8, max_size=8).map(bytes.hex),
        st.integers(0, 1 << 62),
    )
)
def test_a_place_is_what_its_text_says(place: Place) -> None:
    assert Place.parse(str(place)) == place
