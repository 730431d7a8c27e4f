"""Sources: whatever a file holds, its blocks are contiguous whole lines, and notes say the rest."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sys
import threading
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import InputError
from logwright.logs.batch import Block
from logwright.logs.sources import Sources, expand, open_sources
from logwright.logs.streams import RawFile
from logwright.settings import Settings

TEXT = b"".join(
    b"081109 20%04d INFO dfs.DataNode: block blk_%d\n" % (i, i * 7919) for i in range(300)
)
SETTINGS = Settings()
SMALL = Settings(block_bytes=4096, max_line_bytes=64)


def read(path: Path | str, settings: Settings = SETTINGS) -> tuple[bytes, list[str], Sources]:
    sources = open_sources([str(path)], settings)
    text = b"".join(block.buf for block in sources.blocks())
    return text, [note.text for note in sources.notes], sources


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def check_positions(data: bytes, blocks: list[Block], limit: int) -> None:
    """Each block begins at a line start of `data`; the blocks and what was cut are `data`."""
    expected = 0
    for block in blocks:
        assert block.buf
        assert block.offset == expected
        assert data[block.offset : block.offset + len(block.buf)] == block.buf
        assert block.offset == 0 or data[block.offset - 1 : block.offset] == b"\n"
        assert block.line_no == 1 + data.count(b"\n", 0, block.offset)
        lines = block.buf.split(b"\n")
        assert all(len(line) <= limit for line in lines)
        expected += len(block.buf) + block.cut
        if block.cut:
            assert len(lines[-1]) == limit
            assert b"\n" not in data[block.offset + len(block.buf) : expected - 1]
    assert expected == len(data)


LINES = st.lists(
    st.one_of(st.binary(max_size=40), st.integers(0, 20_000).map(lambda size: b"x" * size)),
    max_size=30,
)


@given(lines=LINES, end=st.booleans(), step=st.integers(4096, 9000), limit=st.integers(64, 9000))
def test_blocks_are_the_input(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], end: bool, step: int, limit: int
) -> None:
    data = b"line " + b"\n".join(lines) + b"\n" * end  # not a byte order mark, not compressed
    path = write(tmp_path_factory.getbasetemp() / "any.log", data)
    sources = open_sources([str(path)], Settings(block_bytes=step, max_line_bytes=limit))
    check_positions(data, list(sources.blocks()), limit)
    stats = sources.sources[0].stats
    assert stats.bytes == len(data) == sources.position == sources.total


@pytest.mark.parametrize("name", ["a.log", "a.log.gz"])
def test_positions_do_not_depend_on_the_kind_of_file(tmp_path: Path, name: str) -> None:
    data = TEXT * 40 + b"z" * 5000 + b"\nlast"
    path = write(tmp_path / name, gzip.compress(data) if name.endswith("gz") else data)
    blocks = list(open_sources([str(path)], SMALL).blocks())
    assert len(blocks) > 20
    check_positions(data, blocks, 64)


def test_small_oddities(tmp_path: Path) -> None:
    assert read(write(tmp_path / "empty", b""))[:2] == (b"", [])
    assert read(write(tmp_path / "one", b"one line"))[:2] == (b"one line", [])
    assert read(write(tmp_path / "crlf", b"a\r\nb\r\n"))[:2] == (b"a\r\nb\r\n", [])
    assert read(write(tmp_path / "nul", b"a\0\0b\n"))[:2] == (b"a\0\0b\n", ["2 NUL bytes"])
    latin = "grün\nok\nblau\nröt".encode("latin-1")
    assert read(write(tmp_path / "latin", latin))[:2] == (latin, ["2 lines are not valid UTF-8"])


def test_a_line_at_the_limit_is_whole_and_one_over_it_is_cut(tmp_path: Path) -> None:
    whole, over = b"x" * 64, b"y" * 65
    text, notes, sources = read(
        write(tmp_path / "a", whole + b"\n" + over + b"\nz\n" + whole), SMALL
    )
    assert text == whole + b"\n" + over[:64] + b"z\n" + whole
    assert notes == ["line 2 is 65 bytes long: cut at 64"]
    assert (sources.sources[0].stats.cut_lines, sources.sources[0].stats.cut_bytes) == (1, 2)


def test_many_cut_lines_give_few_notes_and_halved_characters_are_no_fault(tmp_path: Path) -> None:
    line = b"x" * 63 + "é".encode() + b"\n"
    _, notes, sources = read(write(tmp_path / "a", line * 1000), SMALL)
    assert notes[-1] == "997 more lines were cut"
    assert len(notes) == 4
    assert sources.sources[0].stats.bad_utf8 == 0


class Endless(io.RawIOBase):
    """`size` bytes without a line end, then a line; made as they are read."""

    def __init__(self, size: int):
        self.left = size
        self.tail = b"\nafter\n"

    def readinto(self, view: memoryview, /) -> int:  # type: ignore[override]
        if not self.left:
            got = len(self.tail)
            view[:got], self.tail = self.tail, b""
            return got
        got = min(self.left, len(view))
        view[:got] = b"x" * got
        self.left -= got
        return got


def test_a_line_of_100_mb_is_never_held(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = Endless(100 << 20)

        def fileno(self) -> int:
            raise io.UnsupportedOperation

    monkeypatch.setattr(sys, "stdin", Stdin())
    sources = open_sources(["-"], SETTINGS)
    tracemalloc.start()
    blocks = list(sources.blocks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(len(block.buf), block.cut, block.line_no) for block in blocks] == [
        (1 << 20, (99 << 20) + 1, 1),
        (6, 0, 2),
    ]
    assert [n.text for n in sources.notes] == ["line 1 is 104,857,600 bytes long: cut at 1,048,576"]
    assert peak < 24 << 20


def zstd(data: bytes) -> bytes:
    compressed: bytes = pa.Codec("zstd").compress(data, asbytes=True)
    return compressed


COMPRESSED = {"gzip": gzip.compress, "zstd": zstd, "bzip2": bz2.compress, "xz": lzma.compress}


@pytest.mark.parametrize("kind", COMPRESSED)
def test_compressed_by_content_whatever_the_name(tmp_path: Path, kind: str) -> None:
    data = COMPRESSED[kind](TEXT)
    text, notes, sources = read(write(tmp_path / "a.log", data))
    assert (text, notes) == (TEXT, [])
    assert sources.position == sources.total == len(data)
    twice = COMPRESSED[kind](TEXT) + COMPRESSED[kind](b"more\n")
    assert read(write(tmp_path / "b.log", twice))[:2] == (TEXT + b"more\n", [])


@pytest.mark.parametrize(
    ("kind", "end"), [("gzip", "gz"), ("zstd", "zst"), ("bzip2", "bz2"), ("xz", "xz")]
)
def test_truncated_at_every_offset(tmp_path: Path, kind: str, end: str) -> None:
    data = COMPRESSED[kind](TEXT[:2000])
    longest = b""
    for size in range(len(data)):
        text, notes, _ = read(write(tmp_path / f"a.{end}", data[:size]))
        assert TEXT[:2000].startswith(text)
        came = "; what came before was read"
        assert notes == [f"{kind} stream ends early at byte {size:,} (compressed){came}"]
        assert len(text) >= len(longest)
        longest = text
    if kind == "gzip":
        assert len(longest) == 2000


def test_truncated_in_the_second_gzip_member(tmp_path: Path) -> None:
    data = gzip.compress(TEXT) + gzip.compress(TEXT)[:-50]
    text, notes, _ = read(write(tmp_path / "a.gz", data))
    assert text.startswith(TEXT)
    assert (TEXT + TEXT).startswith(text)
    assert "ends early" in notes[0]


@pytest.mark.parametrize("kind", COMPRESSED)
def test_damage_anywhere_ends_with_a_note(tmp_path: Path, kind: str) -> None:
    data = COMPRESSED[kind](TEXT)
    for at in range(10, len(data), max(1, len(data) // 60)):
        bad = bytearray(data)
        bad[at] ^= 0x55
        text, notes, _ = read(write(tmp_path / "a.log", bytes(bad)))
        assert notes or text == TEXT or kind == "zstd"  # Arrow writes no checksums


def test_gzip_damage_is_exact(tmp_path: Path) -> None:
    header = gzip.compress(b"")[:10]
    stored = b"\0" + (65_535).to_bytes(2, "little") + b"\0\0" + b"a" * 65_535
    bad = header + stored + b"\x07" + bytes(100)  # a type of block that does not exist
    text, notes, _ = read(write(tmp_path / "a.gz", bad))
    assert text == b"a" * 65_535
    assert "damaged at byte 65,550 (compressed)" in notes[0]


def test_what_follows_a_gzip_stream(tmp_path: Path) -> None:
    data = gzip.compress(TEXT)
    assert read(write(tmp_path / "a", data + b"\0" * 5000))[:2] == (TEXT, [])
    _, notes, _ = read(write(tmp_path / "b", data + b"garbage"))
    assert notes == [f"what follows at byte {len(data):,} (compressed) is not gzip data: left out"]


def test_a_gzip_bomb_is_one_cut_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a", gzip.compress(bytes(60 << 20)))
    tracemalloc.start()
    _, _, sources = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sources.sources[0].stats.cut_bytes == 59 << 20
    assert peak < 24 << 20


def test_plain_text_named_gz(tmp_path: Path) -> None:
    text, notes, _ = read(write(tmp_path / "a.gz", TEXT))
    assert (text, notes) == (TEXT, ["is named like gzip but is not: read as it is"])


def test_byte_order_marks(tmp_path: Path) -> None:
    sources = open_sources([str(write(tmp_path / "a", b"\xef\xbb\xbf" + TEXT))], SMALL)
    first = next(sources.blocks())
    assert (first.offset, first.buf[:6]) == (3, TEXT[:6])
    assert sources.notes == []
    wide = "größer\nline 2 ☃ 😀\n" * 5000
    for encoding in ("utf-16", "utf-32"):
        text, notes, _ = read(write(tmp_path / "b", wide.encode(encoding)), SMALL)
        assert text.decode() == wide
        assert notes == [f"is {encoding.upper()}: read as UTF-8, to which its byte offsets refer"]
    text, _, _ = read(write(tmp_path / "c.gz", gzip.compress("é\n".encode("utf-16"))))
    assert text.decode() == "é\n"


def test_a_file_that_shrinks(tmp_path: Path) -> None:
    path = write(tmp_path / "a", TEXT * 100)
    sources = open_sources([str(path)], SMALL)
    blocks = sources.blocks()
    first = next(blocks)
    os.truncate(path, 5)
    assert sum(len(block.buf) for block in blocks) + len(first.buf) < len(TEXT) * 100
    total = f"{len(TEXT) * 100:,}"
    assert [n.text for n in sources.notes] == [
        f"shrank while it was read: {sources.position:,} of {total} bytes"
    ]


def test_a_file_that_grows_is_read_to_its_new_end(tmp_path: Path) -> None:
    path = write(tmp_path / "a", TEXT * 100)
    blocks = open_sources([str(path)], SMALL).blocks()
    size = len(next(blocks).buf)
    with path.open("ab") as file:
        file.write(b"new\n")
    assert size + sum(len(block.buf) for block in blocks) == len(TEXT) * 100 + 4


def test_a_read_error_keeps_what_came_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(io.RawIOBase):
        first = True

        def readinto(self, view: memoryview, /) -> int:  # type: ignore[override]
            if not self.first:
                raise OSError(5, "Input/output error")
            self.first = False
            view[:10] = b"0123456\n89"
            return 10

    class Stdin:
        buffer = Failing()

        def fileno(self) -> int:
            raise io.UnsupportedOperation

    monkeypatch.setattr(sys, "stdin", Stdin())
    text, notes, _ = read("-")
    assert text == b"0123456\n89"
    assert notes == ["read error at byte 10: Input/output error; what came before was read"]


def test_standard_input_and_named_pipes_give_lines_as_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        blocks = open_sources(["-"], SETTINGS).blocks()
        os.write(writer, b"hi\nthe")
        assert next(blocks).buf == b"hi\n"  # while the pipe is open and silent
        os.write(writer, b"re\n")
        assert next(blocks).buf == b"there\n"
        os.close(writer)
        assert next(blocks, None) is None

    os.mkfifo(tmp_path / "pipe")
    thread = threading.Thread(target=write, args=(tmp_path / "pipe", gzip.compress(TEXT)))
    thread.start()
    text, notes, sources = read(tmp_path / "pipe")
    thread.join()
    assert (text, notes, sources.total) == (TEXT, [], None)


def test_a_pipe_that_was_made_non_blocking(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with os.fdopen(reader) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        raw = RawFile("-", print)
        timer = threading.Timer(0.05, os.write, (writer, b"late"))
        timer.start()
        assert raw.readinto(memoryview(bytearray(9))) == 4
        timer.join()
        os.close(writer)


def test_folders_and_globs(tmp_path: Path) -> None:
    (tmp_path / "b" / ".git").mkdir(parents=True)
    write(tmp_path / "b" / ".git" / "x.log", TEXT)
    last = write(tmp_path / "b" / "x.log.gz", gzip.compress(TEXT))
    first = write(tmp_path / "a.log", TEXT)
    write(tmp_path / ".hidden", TEXT)
    write(tmp_path / "core", b"\x7fELF\0\0")
    hole = write(tmp_path / "a2.log", b"\0\0\0\0after copytruncate\n")
    (tmp_path / "z.log").symlink_to(first)
    sources = open_sources([str(tmp_path)], SETTINGS)
    assert [source.stats.name for source in sources.sources] == [str(first), str(hole), str(last)]
    assert {note.text for note in sources.notes} == {
        "binary file: left out",
        f"is the same file as {first}: read once",
    }
    assert expand([f"{tmp_path}/*.log", str(first)]) == [str(first), str(hole)]
    assert expand([f"{tmp_path}/**/*.gz"]) == [str(last)]
    brackets = write(tmp_path / "a[1].log", TEXT)
    assert expand([str(brackets)]) == [str(brackets)]
    assert [block.source_id for block in sources.blocks()] == [0, 1, 2]


def test_inputs_that_are_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file or folder matches 'nowhere/\*\.log'"):
        expand(["-", "nowhere/*.log"])
    with pytest.raises(InputError, match="holds no text file"):
        expand([str(tmp_path)])
    with pytest.raises(InputError, match="no input"):
        expand([])


def test_unreadable_files(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.symlink_to(tmp_path / "nowhere")
    good = write(tmp_path / "good", TEXT)
    sources = open_sources([str(gone), str(good)], SETTINGS)
    assert b"".join(block.buf for block in sources.blocks()) == TEXT
    assert [n.text for n in sources.notes] == [
        f"left out: {gone} cannot be read: No such file or directory"
    ]
    with pytest.raises(InputError, match="gone cannot be read: No such file"):
        read(gone)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permissions(tmp_path: Path) -> None:
    path = write(tmp_path / "a", TEXT)
    path.chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        read(path)


def test_the_first_read_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/proc/self/mem"  # opens, then EIO
    if not os.path.exists(path):
        pytest.skip("needs /proc")
    with pytest.raises(InputError, match="cannot be read: Input/output error"):
        read(path)


def test_archives_are_named(tmp_path: Path) -> None:
    archive = write(tmp_path / "a.tar", b"name".ljust(257, b"\0") + b"ustar\0" + bytes(300))
    assert "looks like a tar archive: unpack it first" in read(archive)[1]
    folder_of_one = [str(tmp_path)]
    with pytest.raises(InputError, match="holds no text file"):
        expand(folder_of_one)
