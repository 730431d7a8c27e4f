"""Sources: files, folders, globs, pipes and standard input as `Block`s of whole lines.

Nothing is mapped into memory (a file that shrinks would kill the process) and nothing is held but
one block and one line of at most `max_line_bytes`. Input is not trusted: whatever a file holds, its
reading ends with lines and `Note`s; `InputError` is for what cannot be read at all.

A pipe that stays open while nothing comes can be *live*: where somebody set a source's `patience`,
`blocks` ends when that is over, and `follow` goes on from there.

Left out: following a file that grows (`tail -f` serves it), archives of several files.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from logwright.errors import InputError
from logwright.logs.batch import Block, Note
from logwright.logs.decompress import MAGICS, decoded
from logwright.logs.inputs import expand
from logwright.logs.streams import BOMS, ByteStream, RawFile, Transcoded, peek
from logwright.settings import Settings

__all__ = ["Patience", "Source", "SourceStats", "Sources", "expand", "open_sources"]

_FIRST_ROOM = 1 << 20  # a folder of many small files should not clear megabytes for each
_CUT_NOTES = 3
_TICK = 0.2
"""Seconds of a pipe's silence after which a live block is handed on."""

_HELD = 1.0
"""Seconds after which a live block is handed on although more keeps coming."""

_SUFFIXES = {
    "gzip": (".gz", ".gzip"),
    "zstd": (".zst", ".zstd"),
    "bzip2": (".bz2",),
    "xz": (".xz",),
}


@dataclass(slots=True)
class SourceStats:
    """What was met in one source.

    `bytes` counts decompressed bytes, cut ones and a byte order mark included; `decoded` says that
    they were compressed; `lines` is filled by the reader that makes lines out of blocks.
    `total_compressed_bytes` is the file's size when it was found, None for pipes.
    """

    name: str
    bytes: int = 0
    lines: int = 0
    cut_lines: int = 0
    cut_bytes: int = 0
    nul_bytes: int = 0
    bad_utf8: int = 0
    compressed_bytes_read: int = 0
    total_compressed_bytes: int | None = None
    decoded: bool = False
    notes: list[Note] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.notes.append(Note(self.name, text))


@dataclass(frozen=True, slots=True)
class Patience:
    """When an open pipe is live: it has given `lines` lines at least, and then nothing for
    `silence` seconds, or less than `rate` bytes a second over `stretch` seconds of waiting."""

    lines: int = 0
    silence: float = 2.0
    rate: float = 64 << 10
    stretch: float = 30.0


class _Pace:
    """How fast a pipe gives what it has; the time that its reader takes does not count."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._silent = self._waited = 0.0
        self._bytes = 0

    def is_live(self, seconds: float, got: int, lines: int) -> bool:
        """Whether the pipe is live, now that `got` bytes came after `seconds` of waiting."""
        patience = self._patience
        self._silent = 0.0 if got else self._silent + seconds
        self._waited += seconds
        self._bytes += got
        slow = False
        if self._waited >= patience.stretch:
            slow = self._bytes < patience.rate * self._waited
            self._waited, self._bytes = 0.0, 0
        return lines >= patience.lines and (slow or self._silent >= patience.silence)


def open_sources(inputs: Sequence[str], settings: Settings) -> Sources:
    """The sources that `inputs` (files, globs, folders, '-') stand for, in reading order."""
    notes: list[Note] = []
    names = expand(inputs, notes)
    return Sources([Source(name, i, settings) for i, name in enumerate(names)], notes)


class Sources:
    """Several sources read one after the other; `sources[block.source_id]` is a block's source."""

    def __init__(self, sources: list[Source], notes: Sequence[Note] = ()):
        self.sources = sources
        self._notes = list(notes)

    @property
    def notes(self) -> list[Note]:
        """All notes so far: of finding the files, then of each source."""
        return [*self._notes, *(note for source in self.sources for note in source.stats.notes)]

    @property
    def position(self) -> int:
        """Bytes taken from the files so far (compressed bytes where they are compressed)."""
        return sum(source.position for source in self.sources)

    @property
    def total(self) -> int | None:
        """What `position` will come to; None where it cannot be known (pipes)."""
        totals = [source.total for source in self.sources]
        return None if None in totals else sum(total for total in totals if total is not None)

    def blocks(self) -> Iterator[Block]:
        """The blocks of all sources. One that cannot be read becomes a note, all a failure."""
        failures: list[InputError] = []
        for source in self.sources:
            try:
                yield from source.blocks()
            except InputError as error:
                failures.append(error)
                source.stats.notes.append(Note(source.stats.name, f"left out: {error}"))
        if failures and len(failures) == len(self.sources):
            raise failures[0]


class Source:
    """One file, pipe or standard input ('-') as blocks of whole lines.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile(suffix=".log") as file:
    ...     _ = file.write(b"one\\ntwo\\nthree"), file.flush()
    ...     [(b.buf, b.offset, b.line_no) for b in Source(file.name, 0, Settings()).blocks()]
    [(b'one\\ntwo\\n', 0, 1), (b'three', 8, 3)]
    """

    def __init__(self, name: str, source_id: int, settings: Settings):
        self.stats = SourceStats("stdin" if name == "-" else name)
        self.source_id = source_id
        self._path = name
        self._step = settings.block_bytes
        self._limit = settings.max_line_bytes
        self._offset = 0
        self._line_no = 1
        self.patience: Patience | None = None
        self.is_live = False
        self._can_wait = False
        self._reading: Generator[Block | None, None, None] | None = None
        if name != "-":
            try:
                status = os.stat(name)
            except (OSError, ValueError):
                return  # said when it is read
            if stat.S_ISREG(status.st_mode):
                self.stats.total_compressed_bytes = status.st_size

    @property
    def plain_path(self) -> str | None:
        """The path at which the source's offsets can be read again; None for pipes, compressed
        files and files that are transcoded."""
        if self._path == "-" or self.stats.total_compressed_bytes is None:
            return None
        try:
            with open(self._path, "rb", buffering=0) as file:
                head = file.read(8)
        except OSError:
            return None
        odd = (*MAGICS, *(bom for bom, name in BOMS.items() if name != "UTF-8"))
        return None if head.startswith(odd) else self._path

    @property
    def position(self) -> int:
        """Bytes taken from the file so far (compressed bytes where it is compressed)."""
        return self.stats.compressed_bytes_read

    @property
    def total(self) -> int | None:
        """The file's size; None for pipes."""
        return self.stats.total_compressed_bytes

    def blocks(self) -> Iterator[Block]:
        """The source's blocks, in order and without gaps, to its end or until it `is_live`. To be
        called once."""
        self._reading = reading = self._read()
        pace = _Pace(self.patience or Patience())
        try:
            while True:
                began = time.monotonic()
                try:
                    block = next(reading)
                except StopIteration:
                    return
                waited, got = time.monotonic() - began, 0
                if block is not None:
                    got = len(block.buf) + block.cut
                    yield block
                if self._can_wait and pace.is_live(waited, got, self._line_no - 1):
                    self.is_live = True
                    return
        finally:
            if not self.is_live:
                reading.close()

    def follow(self) -> Iterator[Block | None]:
        """The blocks that come after `blocks` ended because the source is live: each as soon as the
        pipe pauses for 0.2 s or after a second; None for every 0.2 s in which nothing came."""
        assert self.is_live
        assert self._reading is not None
        try:
            yield from self._reading
        finally:
            self._reading.close()

    def _read(self) -> Generator[Block | None, None, None]:
        try:
            raw = RawFile(self._path, self.stats.note)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise self._unreadable(error) from None
        try:
            try:
                stream = self._text(raw)
            except OSError as error:
                raise self._unreadable(error) from None
            # What is decoded may lie in the decoder while the pipe itself has nothing.
            plain = not isinstance(stream, Transcoded) and not self.stats.decoded
            self._can_wait = self.patience is not None and plain and raw.is_pipe
            yield from self._cut_to_lines(raw, stream)
            self._account(raw)
        finally:
            raw.close()

    def _unreadable(self, error: OSError | ValueError) -> InputError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        return InputError(f"{self.stats.name} cannot be read: {reason}")

    def _text(self, raw: RawFile) -> ByteStream:
        """The stream of text in `raw`: decompressed, without byte order mark, not UTF-16."""
        note = self.stats.note
        head, stream = peek(raw, MAGICS)
        kind = next((MAGICS[magic] for magic in MAGICS if head.startswith(magic)), None)
        named = next(
            (k for k, ends in _SUFFIXES.items() if self._path.lower().endswith(ends)), None
        )
        if kind is None and named is not None:
            if any(MAGICS[magic] == named and magic.startswith(head) for magic in MAGICS):
                kind = named  # shorter than the magic bytes: a stream that ends early
            else:
                note(f"is named like {named} but is not: read as it is")
        if kind is not None:
            stream = decoded(kind, stream, raw, note)
            self.stats.decoded = True
        head, stream = peek(stream, BOMS)
        bom = next((bom for bom in BOMS if head.startswith(bom)), None)
        if bom is None:
            return stream
        if BOMS[bom] == "UTF-8":
            stream.readinto(memoryview(bytearray(len(bom))))
            self._offset = len(bom)
            return stream
        note(f"is {BOMS[bom]}: read as UTF-8, to which its byte offsets refer")
        return Transcoded(stream, BOMS[bom])

    def _cut_to_lines(self, raw: RawFile, stream: ByteStream) -> Iterator[Block | None]:
        limit = self._limit
        full = self._step + limit
        room = bytearray(min(full, _FIRST_ROOM))
        held = 0
        first = True  # its first bytes may have been peeked at
        while True:
            while self._can_wait and not first and not raw.ready(_TICK):
                yield None
            first = False
            filled = held + self._fill(room, held, raw, stream)
            if filled == held:
                break
            begin = 0
            while True:
                stop, too_long = _whole_lines(room, begin, filled, limit)
                if not too_long:
                    break
                kept = bytes(memoryview(room)[begin : stop + limit])
                begin = stop + limit
                cut = 0
                while (newline := room.find(b"\n", begin, filled)) < 0:
                    cut += filled - begin
                    begin, filled = 0, self._fill(room, 0, raw, stream)
                    if not filled:
                        break
                after = newline + 1 if newline >= 0 else filled
                cut += after - begin
                begin = after
                self._note_cut(kept, limit + cut - (newline >= 0))
                yield self._block(kept, cut)
            if stop > begin:
                yield self._block(bytes(memoryview(room)[begin:stop]))
            held = filled - stop
            room[:held] = room[stop:filled]
            if filled == len(room) < full:
                room.extend(bytes(min(3 * len(room), full - len(room))))
        if held:
            yield self._block(bytes(memoryview(room)[:held]))

    def _fill(self, room: bytearray, at: int, raw: RawFile, stream: ByteStream) -> int:
        """Fill `room` from `at` on, as far as one step goes and nothing has to be waited for."""
        view = memoryview(room)[at : at + self._step]
        got, wait = 0, _TICK if self.is_live else 0.0
        until = time.monotonic() + _HELD
        while got < len(view) and (more := stream.readinto(view[got:])):
            got += more
            if (self.is_live and time.monotonic() > until) or not raw.ready(wait):
                break
        self.stats.compressed_bytes_read = raw.position
        return got

    def _note_cut(self, kept: bytes, size: int) -> None:
        if self.stats.cut_lines < _CUT_NOTES:
            line = self._line_no + _newlines(kept)
            self.stats.note(f"line {line:,} is {size:,} bytes long: cut at {self._limit:,}")

    def _block(self, buf: bytes, cut: int = 0) -> Block:
        stats = self.stats
        newlines = _newlines(buf)
        block = Block(buf, self.source_id, self._offset, self._line_no, cut, newlines)
        if self._line_no == 1 and buf[257:262] == b"ustar":
            stats.note("looks like a tar archive: unpack it first")
        self._offset += len(buf) + cut
        self._line_no += newlines + (cut > 0)
        stats.bytes = self._offset
        stats.cut_bytes += cut
        stats.cut_lines += cut > 0
        if b"\0" in buf:
            stats.nul_bytes += buf.count(b"\0")
        if not buf.isascii():
            stats.bad_utf8 += _bad_lines(buf, cut > 0)
        return block

    def _account(self, raw: RawFile) -> None:
        """The notes that only the end of the source can tell."""
        stats = self.stats
        size, total = raw.size(), stats.total_compressed_bytes
        if size is not None and total is not None and size < total:
            read = f"{raw.position:,} of {total:,} bytes"
            stats.note(f"shrank while it was read: {read}")
        if stats.cut_lines > _CUT_NOTES:
            stats.note(f"{stats.cut_lines - _CUT_NOTES:,} more lines were cut")
        if stats.nul_bytes:
            stats.note(f"{stats.nul_bytes:,} NUL byte{'s' * (stats.nul_bytes > 1)}")
        if stats.bad_utf8:
            lines = "1 line is" if stats.bad_utf8 == 1 else f"{stats.bad_utf8:,} lines are"
            stats.note(f"{lines} not valid UTF-8")


def _whole_lines(room: bytearray, begin: int, filled: int, limit: int) -> tuple[int, bool]:
    """Where the whole lines from `begin` on end, and whether the next line is over `limit`."""
    stop = begin
    while (newline := room.rfind(b"\n", stop, min(stop + limit + 1, filled))) >= 0:
        stop = newline + 1
    return stop, filled - stop > limit


def _newlines(buf: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(buf, np.uint8) == 10))  # twice as fast as bytes.count


def _bad_lines(buf: bytes, cut: bool) -> int:
    """The number of lines that are not UTF-8; a character that the cut halved is no fault."""
    try:
        buf.decode()
        return 0
    except UnicodeDecodeError:
        pass
    bad = 0
    lines = buf.split(b"\n")
    for at, line in enumerate(lines):
        if not line.isascii():
            try:
                line.decode()
            except UnicodeDecodeError as error:
                halved = cut and at == len(lines) - 1 and error.reason == "unexpected end of data"
                bad += not halved
    return bad
