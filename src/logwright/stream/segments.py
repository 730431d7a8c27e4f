"""Segments: the files of a spool, and the checksummed records in them.

A record is a header (length, time of arrival, CRC-32 of both and of the data) and whole lines.
"""

from __future__ import annotations

import itertools
import os
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from logwright.errors import InputError

__all__ = ["HEADER", "RECORD", "Record", "Segment", "found", "header", "packed", "record_at"]

_MAGIC = b"LWSPOOL1"
_ENDING = ".spool"
_STEP = 1 << 20

HEADER = struct.Struct("<8sQ")
"""A segment's first bytes: its magic, and the position of its first record."""

RECORD = struct.Struct("<IQI")
"""A record's header: bytes of data, ns since 1970 when they arrived, CRC-32."""


@dataclass(slots=True)
class Segment:
    """A file of records: positions `start` to `end` (the end of the last whole one)."""

    path: Path
    start: int
    end: int

    @classmethod
    def at(cls, folder: Path, start: int) -> Segment:
        return cls(folder / f"{start:020}{_ENDING}", start, start)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return HEADER.size + self.end - self.start

    def byte(self, position: int) -> int:
        """Where a position stands in the file."""
        return HEADER.size + position - self.start


@dataclass(frozen=True, slots=True)
class Record:
    data: memoryview
    arrived: int

    @property
    def size(self) -> int:
        return RECORD.size + len(self.data)


def header(start: int) -> bytes:
    """The first bytes of a segment."""
    return HEADER.pack(_MAGIC, start)


def packed(data: bytes, arrived: int) -> bytes:
    """A record as it stands in a segment.

    >>> record_at(memoryview(packed(b"one\\n", 7)), 0).arrived
    7
    """
    head = struct.pack("<IQ", len(data), arrived)
    return b"".join((head, struct.pack("<I", zlib.crc32(data, zlib.crc32(head))), data))


def record_at(chunk: memoryview, at: int) -> Record | int:
    """The record at `at`, or how many bytes it would take to tell; 0 where it is damaged."""
    if len(chunk) - at < RECORD.size:
        return RECORD.size
    length, arrived, crc = RECORD.unpack_from(chunk, at)
    if len(chunk) - at < RECORD.size + length:
        return RECORD.size + int(length)
    data = chunk[at + RECORD.size : at + RECORD.size + length]
    if not length or zlib.crc32(data, zlib.crc32(chunk[at : at + RECORD.size - 4])) != crc:
        return 0
    return Record(data, arrived)


def found(folder: Path) -> tuple[list[Segment], int]:
    """The segments in a folder, oldest first, and the bytes of a half-written record that were cut
    off the last one. What another version wrote is an `InputError`."""
    segments: list[Segment] = []
    for path in sorted(folder.glob(f"*{_ENDING}")):
        with open(path, "rb", buffering=0) as file:
            head = file.read(HEADER.size)
            size = os.fstat(file.fileno()).st_size
        if len(head) < HEADER.size or not head.strip(b"\0"):
            path.unlink()  # a crash when it was made: nothing in it was ever durable
            continue
        magic, start = HEADER.unpack(head)
        if magic != _MAGIC or path != Segment.at(folder, start).path:
            raise InputError(f"{path} is no spool segment of this version: move it away")
        segments.append(Segment(path, start, start + size - HEADER.size))
    for segment, after in itertools.pairwise(segments):
        segment.end = min(segment.end, after.start)
    return segments, _mend(segments[-1]) if segments else 0


def _mend(segment: Segment) -> int:
    """Cut off what a crash left half written; earlier segments were whole when they ended."""
    end = segment.start
    with open(segment.path, "r+b", buffering=0) as file:
        chunk, most = b"", _STEP
        while True:
            chunk = os.pread(file.fileno(), most, segment.byte(end))
            view, at = memoryview(chunk), 0
            while isinstance(record := record_at(view, at), Record):
                at += record.size
            end += at
            if (len(chunk) < most and not at) or record == 0:
                break
            most = max(_STEP, record)
            if end + record > segment.end:
                break
        lost = segment.end - end
        if lost:
            os.ftruncate(file.fileno(), segment.byte(end))
        os.fsync(file.fileno())  # what is found is read: it must not go any more
        segment.end = end
    return lost
