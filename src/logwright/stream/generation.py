"""Generations: the files that are one after the other at a path, and places in them.

A place says in which file, and where in its text: device and inode while it has them, and a hash of
its first bytes, by which it is known when it was copied, compressed or moved to another disk, and
by which a new file that got an old one's inode is not taken for it. Offsets are in the decompressed
text.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass

from logwright.errors import InputError
from logwright.logs.decompress import MAGICS, decoded
from logwright.logs.streams import ByteStream, Notify, RawFile

__all__ = ["Generation", "Place", "find"]

_HEAD = 1024
_STEP = 1 << 20
_PLACE = re.compile(r"f1((?:\.[0-9a-f]{1,16}){7})")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file's text, and what the file is known by.

    `skipping`: within a line that was cut; `head_size` and `head` are of the text's first bytes,
    `changed` is when the file was last written (ns since 1970).

    >>> place = Place(1, 2, 300, False, 20, "00ff", 7)
    >>> Place.parse(str(place)) == place
    True
    """

    device: int
    inode: int
    offset: int
    skipping: bool
    head_size: int
    head: str
    changed: int

    def __str__(self) -> str:
        numbers = (self.device, self.inode, self.offset, self.skipping, self.head_size)
        return ".".join(["f1", *(f"{n:x}" for n in numbers), self.head, f"{self.changed:x}"])

    @classmethod
    def parse(cls, text: str) -> Place:
        match = _PLACE.fullmatch(text)
        if match is None:
            raise InputError(f"{text!r} is no position in a file")
        *first, head, changed = match[1][1:].split(".")
        device, inode, offset, skipping, size = (int(n, 16) for n in first)
        return cls(device, inode, offset, bool(skipping), size, head, int(changed, 16))


class Generation:
    """One file, open: what was once read of it stays known when its path is another's.

    `at` is how much of its text was read; `replaced` is set once the file turns out to hold
    something else than what was read of it (truncated in place). `moved`: nobody writes to it any
    more, as it is a copy or compressed. Opening raises `OSError`.
    """

    def __init__(self, path: str, notify: Notify) -> None:
        self.path = path
        self.at = 0
        self.replaced = self.moved = False
        self._notify = notify
        self._head = b""
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a FIFO must not block
        self.status = os.fstat(self._file)
        self._seen = (-1, -1)
        self._raw: RawFile | None = None
        self._text: ByteStream | None = None
        try:
            if not stat.S_ISREG(self.status.st_mode):
                raise OSError(errno.EINVAL, "is no regular file")
            self._kind = self._find_kind()
        except OSError:
            self.close()
            raise

    @property
    def is_compressed(self) -> bool:
        return self._kind is not None

    @property
    def unread(self) -> int | None:
        """Bytes of text not read yet, as far as the file's last status tells."""
        return None if self._kind else max(self.status.st_size - self.at, 0)

    def is_at(self, path: str) -> bool:
        """Whether this is the file that `path` names now."""
        try:
            return os.path.samestat(os.stat(path), self.status)
        except OSError:
            return False

    def read(self, most: int) -> bytes:
        """The next bytes of text, none at the end for now or where the file was `replaced`."""
        self.status = os.fstat(self._file)
        seen = (self.status.st_size, self.status.st_mtime_ns)
        if seen == self._seen:
            return b""
        if self.at == 0:
            self._kind = self._find_kind()
        if self._kind is not None:
            data = self._decode(most)
        else:
            data = os.pread(self._file, most, self.at)
            # Looked at after reading: what was read is of the file that was there before.
            self.status = os.fstat(self._file)
            is_short = self.status.st_size < self.at + len(data)
            if is_short or os.pread(self._file, len(self._head), 0) != self._head:
                self.replaced = True
                return b""
        if not data:
            self._seen = seen
        self.at += len(data)
        if len(self._head) < _HEAD:
            self._head += data[: _HEAD - len(self._head)]
        return data

    def place(self, offset: int, skipping: bool) -> Place:
        """A place in what was read."""
        status = self.status
        head = self._head
        return Place(
            status.st_dev,
            status.st_ino,
            offset,
            skipping,
            len(head),
            _digest(head),
            max(status.st_mtime_ns, 0),
        )

    def holds(self, place: Place) -> bool:
        """Whether the text begins as the place's did, and goes as far."""
        if self._kind is None and self.status.st_size < max(place.offset, place.head_size):
            return False
        return _digest(self._first(place.head_size)) == place.head

    def go_to(self, offset: int) -> bool:
        """Read on from `offset`; False where the text ends before it."""
        if self._kind is None:
            self.at = min(offset, os.fstat(self._file).st_size)
            self._head = os.pread(self._file, min(self.at, _HEAD), 0)
        while self.at < offset and self.read(min(offset - self.at, _STEP)):
            pass
        return self.at == offset

    def last_line(self, limit: int) -> int:
        """Where the last line begins: the end, if that is the end of a line."""
        if self._kind is not None:  # nobody adds to its last line
            while self.read(_STEP):
                pass
            return self.at
        end = os.fstat(self._file).st_size
        begin = max(end - limit, 0)
        tail = os.pread(self._file, end - begin, begin)
        newline = tail.rfind(b"\n")
        return begin + newline + 1 if newline >= 0 or not begin else end

    def close(self) -> None:
        if self._raw is not None:
            self._raw.close()
            self._raw = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _find_kind(self) -> str | None:
        head = os.pread(self._file, 16, 0)
        return next((MAGICS[magic] for magic in MAGICS if head.startswith(magic)), None)

    def _decode(self, most: int) -> bytes:
        if self._text is None or self._seen != (-1, -1):
            # Begun, or grown since its end was met: decoded from its beginning, as it must be.
            self._open_text()
            self._skip(self.at)
            self._seen = (-1, -1)
        return self._fill(most)

    def _open_text(self) -> None:
        if self._raw is not None:
            self._raw.close()
        assert self._kind is not None
        os.lseek(self._file, 0, os.SEEK_SET)  # some systems share it with what is opened here
        self._raw = RawFile(f"/dev/fd/{self._file}", self._notify)
        self._text = decoded(self._kind, self._raw, self._raw, self._notify)

    def _skip(self, size: int) -> None:
        while size and (got := len(self._fill(min(size, _STEP)))):
            size -= got

    def _fill(self, most: int) -> bytes:
        assert self._text is not None
        room, got = bytearray(most), 0
        while got < most and (more := self._text.readinto(memoryview(room)[got:])):
            got += more
        return bytes(room[:got])

    def _first(self, size: int) -> bytes:
        if self._kind is None:
            return os.pread(self._file, size, 0)
        self._open_text()
        first = self._fill(size)
        self._text = None  # begun anew when it is read
        return first


def find(paths: Sequence[str], place: Place, notify: Notify) -> Generation | None:
    """The file in which `place` is: the same inode, or else one with the same beginning. It is at
    the place then."""
    opened: list[Generation] = []
    for path in paths:
        try:
            opened.append(Generation(path, notify))
        except OSError:
            continue

    def same(each: Generation) -> bool:
        return (each.status.st_dev, each.status.st_ino) == (place.device, place.inode)

    chosen = None
    try:
        for each in sorted(opened, key=same, reverse=True):
            if not same(each) and not place.head_size:
                break  # nothing was read of it: any file begins like that
            if each.holds(place) and each.go_to(place.offset):
                each.moved = not same(each) or each.is_compressed
                chosen = each
                break
    finally:
        for each in opened:
            if each is not chosen:
                each.close()
    return chosen


def _digest(head: bytes) -> str:
    return hashlib.blake2b(head, digest_size=8).hexdigest()
