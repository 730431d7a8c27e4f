"""Byte streams under a source: the open file, what was peeked at in it, transcoding.

All have one verb, ``readinto(view) -> int`` (0 at the end), so that they stack.
"""

from __future__ import annotations

import codecs
import io
import os
import select
import stat
import sys
from collections.abc import Callable, Iterable
from typing import BinaryIO, Protocol

__all__ = ["BOMS", "ByteStream", "Notify", "Pushback", "RawFile", "Transcoded", "peek"]

Notify = Callable[[str], None]
"""Takes one clause that a person should know."""

BOMS: dict[bytes, str] = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF8: "UTF-8",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
"""Byte order marks -> encoding; the longer ones first, as UTF-32's begins with UTF-16's."""

_CHUNK = 1 << 16


class ByteStream(Protocol):
    """Anything that fills a view and says with how many bytes; 0 means the end."""

    def readinto(self, view: memoryview, /) -> int: ...


class RawFile:
    """The open file, pipe or standard input ('-'): counts what it gives; an error in it ends it.

    `position` is the number of bytes read so far.
    """

    def __init__(self, path: str, notify: Notify):
        self.position = 0
        self._over = False
        self._notify = notify
        self._file: io.RawIOBase | BinaryIO
        if path != "-":
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by close()
        elif sys.stdin is None:
            raise OSError("there is no standard input")
        else:
            try:
                self._file = open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115
            except io.UnsupportedOperation:  # replaced by an object of memory, as in tests
                self._file = sys.stdin.buffer
        self._regular = self.size() is not None

    def close(self) -> None:
        if not sys.stdin or self._file is not sys.stdin.buffer:
            self._file.close()

    def size(self) -> int | None:
        """The file's present size; None for what is not a regular file."""
        try:
            status = os.fstat(self._file.fileno())
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def readinto(self, view: memoryview, /) -> int:
        if self._over:  # asked once: a terminal's end must not be typed twice
            return 0
        try:
            got = self._file.readinto(view)  # type: ignore[union-attr]
            while got is None:  # a pipe that its other end made non-blocking
                select.select([self._file], [], [])
                got = self._file.readinto(view)  # type: ignore[union-attr]
        except OSError as error:
            if self.position == 0:
                raise  # nothing was read: the source as a whole cannot be read
            where = f"at byte {self.position:,}: {error.strerror or error}"
            self._notify(f"read error {where}; what came before was read")
            got = 0
        self._over = got == 0
        self.position += got
        return int(got)

    @property
    def is_pipe(self) -> bool:
        """Whether this is a pipe or socket, which can stay open while nothing comes."""
        try:
            mode = os.fstat(self._file.fileno()).st_mode
        except (OSError, ValueError):
            return False
        return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)

    def ready(self, seconds: float = 0.0) -> bool:
        """Whether more, or the end, can be had without waiting for longer than `seconds`."""
        if self._regular:
            return True
        try:
            return bool(select.select([self._file], [], [], seconds)[0])
        except (OSError, ValueError):  # not a descriptor one can ask (Windows pipes, fakes)
            return False


class Pushback:
    """`head`, which was read already, then the rest of `stream`."""

    def __init__(self, head: bytes, stream: ByteStream):
        self._head = head
        self._stream = stream

    def readinto(self, view: memoryview, /) -> int:
        if not self._head:
            return self._stream.readinto(view)
        size = min(len(view), len(self._head))
        view[:size] = self._head[:size]
        self._head = self._head[size:]
        return size


def peek(stream: ByteStream, prefixes: Iterable[bytes]) -> tuple[bytes, ByteStream]:
    """The first bytes, as many as tell the `prefixes` apart, and a stream that still has them.

    It never waits for more than that: a pipe that says "hi" and falls silent is not a hang.

    >>> peek(io.BytesIO(b"hello"), [b"help!"])[0]
    b'hello'
    """
    wanted = tuple(prefixes)
    longest = max(map(len, wanted))
    head = b""
    while any(len(head) < len(prefix) and prefix.startswith(head) for prefix in wanted):
        more = bytearray(longest - len(head))
        got = stream.readinto(memoryview(more))
        if not got:
            break
        head += more[:got]
    return head, Pushback(head, stream)


class Transcoded:
    """`stream`, which is text in `encoding` (with a byte order mark), as UTF-8."""

    def __init__(self, stream: ByteStream, encoding: str):
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._output = b""
        self._over = False

    def readinto(self, view: memoryview, /) -> int:
        while not self._output and not self._over:
            chunk = bytearray(_CHUNK)
            got = self._stream.readinto(memoryview(chunk))
            self._over = got == 0
            self._output = self._decoder.decode(chunk[:got], self._over).encode()
        size = min(len(view), len(self._output))
        view[:size] = self._output[:size]
        self._output = self._output[size:]
        return size
