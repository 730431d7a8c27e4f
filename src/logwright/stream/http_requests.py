"""HTTP/1.1 requests out of bytes as they come: no sockets, no threads, nothing unbounded.

Strict where leniency is how requests are smuggled (RFC 9112): a request has one length, lines end
with CRLF, no header line is folded. Whoever sends something else is refused and the connection is
closed. Left out: upgrades, trailers' meaning (they are skipped), requests to a proxy.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Head", "RefusedError", "Request", "RequestReader"]

_MOST_HEAD = 16 * 1024
_MOST_HEADERS = 100
_MOST_CHUNKS = 65_536  # a chunk costs microseconds, whatever it holds
_MOST_LINE = 256  # bytes of a chunk's size with its extensions
_START = re.compile(rb"([A-Z]{1,16}) ([!-~]{1,4096}) HTTP/1\.([01])")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_LENGTH = re.compile(rb"\d{1,12}")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_ONCE = (b"content-length", b"transfer-encoding", b"content-type", b"content-encoding", b"host")


class RefusedError(Exception):
    """A request that is not read: its status, and one sentence for the sender. What follows it on
    the connection cannot be read either."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its body. `length` is None where the body comes in chunks; names of
    headers are in lower case."""

    method: str
    path: str
    headers: dict[bytes, bytes]
    length: int | None
    keeps: bool
    """Whether the connection goes on after the answer."""

    @property
    def expects(self) -> bool:
        """Whether the sender waits for leave to send the body."""
        return self.headers.get(b"expect", b"").lower() == b"100-continue"


class Request(NamedTuple):
    """One whole request."""

    head: Head
    body: bytes


class RequestReader:
    """Requests of one connection, one after the other.

    `judge` sees each head before its body is read, and may raise `RefusedError`; `most` is the
    largest body in bytes as it is sent.

    >>> reader = RequestReader(1000, lambda head: None)
    >>> reader.feed(b"POST /v1/logs HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 3\\r\\n\\r\\nab")
    >>> reader.next()
    >>> reader.feed(b"cGET")
    >>> reader.next().body, reader.held
    (b'abc', 3)
    """

    def __init__(self, most: int, judge: Callable[[Head], None]) -> None:
        self.head: Head | None = None
        """The request whose body is being read."""
        self._most, self._judge = most, judge
        self._buf = bytearray()
        self._body = bytearray()
        self._from = 0  # where the search for the end of the head goes on
        self._chunks = 0
        self._left: int | None = None  # bytes of the chunk to come; None: its size comes next
        self._trailing = False

    @property
    def held(self) -> int:
        """Bytes that wait for the rest of their request."""
        return len(self._buf) + len(self._body)

    def feed(self, data: bytes) -> None:
        """Take what the connection brought."""
        self._buf += data

    def next(self) -> Request | None:
        """The next whole request, None while its end is missing; may raise `RefusedError`."""
        if self.head is None:
            found = self._find_head()
            if found is None:
                return None
            self.head = found
            self._judge(found)
            if found.length is not None and found.length > self._most:
                raise RefusedError(413, f"A request may have {self._most:,} bytes at most.")
        if self.head.length is None:
            whole = self._dechunk()
        else:
            whole = self._plain(self.head.length)
        if not whole:
            return None
        request = Request(self.head, bytes(self._body))
        self.head, self._body = None, bytearray()
        self._from = self._chunks = 0
        self._left, self._trailing = None, False
        return request

    def _plain(self, length: int) -> bool:
        missing = length - len(self._body)
        self._body += self._buf[:missing]
        del self._buf[:missing]
        return len(self._body) == length

    def _find_head(self) -> Head | None:
        buf = self._buf
        while buf.startswith(b"\r\n"):  # an empty line before a request is to be ignored
            del buf[:2]
            self._from = 0
        end = buf.find(b"\r\n\r\n", self._from)
        if end > _MOST_HEAD or (end < 0 and len(buf) > _MOST_HEAD):
            raise RefusedError(431, f"The headers have more than {_MOST_HEAD:,} bytes.")
        if end < 0:
            self._from = max(len(buf) - 3, 0)
            return None
        text = bytes(buf[:end])
        del buf[: end + 4]
        return _head(text)

    def _dechunk(self) -> bool:
        while True:
            if self._left:
                part = self._buf[: self._left]
                self._body += part
                del self._buf[: len(part)]
                self._left -= len(part)
                if self._left:
                    return False
            if self._left == 0:
                if len(self._buf) < 2:
                    return False
                if self._buf[:2] != b"\r\n":
                    raise RefusedError(400, "A chunk is longer than it says.")
                del self._buf[:2]
                self._left = None
            line = self._line()
            if line is None:
                return False
            if self._trailing:
                if not line:
                    return True
            else:
                self._start_chunk(line)

    def _line(self) -> bytes | None:
        end = self._buf.find(b"\r\n", 0, _MOST_LINE + 2)
        if end < 0:
            if len(self._buf) > _MOST_LINE:
                raise RefusedError(400, "A chunk has no size.")
            return None
        self._chunks += 1
        if self._chunks > _MOST_CHUNKS:
            raise RefusedError(413, f"A request may have {_MOST_CHUNKS:,} chunks at most.")
        line = bytes(self._buf[:end])
        del self._buf[: end + 2]
        return line

    def _start_chunk(self, line: bytes) -> None:
        found = _SIZE.fullmatch(line)
        if not found:
            raise RefusedError(400, "A chunk has no size.")
        size = int(found[1], 16)
        if len(self._body) + size > self._most:
            raise RefusedError(413, f"A request may have {self._most:,} bytes at most.")
        if size:
            self._left = size
        else:
            self._trailing = True


def _head(text: bytes) -> Head:
    start, *rest = text.split(b"\r\n")
    words = _START.fullmatch(start)
    if not words:
        raise RefusedError(400, "This is no HTTP/1.1 request.")
    if len(rest) > _MOST_HEADERS:
        raise RefusedError(431, f"The request has more than {_MOST_HEADERS} headers.")
    headers: dict[bytes, bytes] = {}
    for line in rest:
        found = _HEADER.fullmatch(line)
        if not found:
            raise RefusedError(400, "A header cannot be read.")
        name = found[1].lower()
        if name in headers and name in _ONCE:
            raise RefusedError(400, f"There are two headers {name.decode()}.")
        headers[name] = found[2].rstrip(b" \t")
    modern = words[3] == b"1"
    if modern and b"host" not in headers:
        raise RefusedError(400, "The header host is missing.")
    connection = headers.get(b"connection", b"").lower()
    keeps = modern and b"close" not in connection
    path = words[2].decode("ascii").partition("?")[0]
    return Head(words[1].decode("ascii"), path, headers, _length(headers, modern), keeps)


def _length(headers: dict[bytes, bytes], modern: bool) -> int | None:
    coding, length = headers.get(b"transfer-encoding"), headers.get(b"content-length")
    if coding is not None:
        if length is not None or not modern:
            raise RefusedError(400, "The request has two lengths.")
        if coding.lower() != b"chunked":
            raise RefusedError(400, "The only transfer-encoding that is read is chunked.")
        return None
    if length is None:
        return 0
    if not _LENGTH.fullmatch(length):
        raise RefusedError(400, "The header content-length is no number.")
    return int(length)
