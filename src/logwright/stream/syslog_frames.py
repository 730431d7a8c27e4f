"""Syslog messages as lines, and how TCP frames them (RFC 6587).

A message becomes one line as it came. A newline inside of it becomes the two characters ``\\n``;
line ends, spaces and NULs at its end are dropped. Over TCP each message says how it is framed: by
its length (``123 <34>1 ...``) or by a newline at its end; the two may alternate.
"""

from __future__ import annotations

import re

__all__ = ["Frames", "as_line"]

_COUNTED = re.compile(rb"([1-9]\d{0,8}) <")


def as_line(message: bytes) -> bytes:
    """One message as one line; empty where there is nothing in it.

    >>> as_line(b"<34>Oct 11 22:14:15 host su: one\\r\\n two\\n\\0")
    b'<34>Oct 11 22:14:15 host su: one\\\\n two\\n'
    """
    message = message.rstrip(b"\r\n\0 \t")
    if not message:
        return b""
    if b"\n" in message:
        message = message.replace(b"\r\n", b"\n").replace(b"\n", b"\\n")
    return message + b"\n"


class Frames:
    """Messages out of a TCP connection's bytes.

    Of a message with more than `most` bytes the rest is skipped and `cut` counts it.

    >>> frames = Frames(100)
    >>> frames.feed(b"9 <1>a\\nbcde<2>next\\n<3>ha"), frames.held
    (b'<1>a\\\\nbcde\\n<2>next\\n', 5)
    >>> frames.feed(b"lf\\n"), frames.end()
    (b'<3>half\\n', b'')
    """

    def __init__(self, most: int) -> None:
        self.cut = self.messages = 0
        self._most = most
        self._buf = b""
        self._skip = 0  # bytes of a counted message
        self._skip_line = False

    @property
    def held(self) -> int:
        """Bytes of a message whose end has not come."""
        return len(self._buf)

    def feed(self, data: bytes) -> bytes:
        """The lines of all messages that `data` ends."""
        buf = self._buf + data if self._buf else data
        at, out = 0, list[bytes]()
        while at < len(buf):
            if self._skip:
                step = min(self._skip, len(buf) - at)
                self._skip -= step
                at += step
                continue
            counted = None if self._skip_line else _COUNTED.match(buf, at)
            if counted:
                size, begin = int(counted[1]), counted.end() - 1
                stop = begin + min(size, self._most)
                if len(buf) < stop:
                    break
                if size > self._most:
                    self.cut += 1
                    self._skip = size - self._most
                out.append(buf[begin:stop])
                at = stop
                continue
            end = buf.find(b"\n", at)
            if end < 0:
                at = self._without_end(buf, at, out)
                break
            if not self._skip_line:
                self.cut += end - at > self._most
                out.append(buf[at : min(end, at + self._most)])
            self._skip_line = False
            at = end + 1
        self._buf = buf[at:]
        return self._lines(out)

    def _without_end(self, buf: bytes, at: int, out: list[bytes]) -> int:
        """What to do with the bytes from `at` on, in which no line ends; gives what is used up."""
        if self._skip_line:
            return len(buf)
        if len(buf) - at > self._most:
            self.cut += 1
            self._skip_line = True
            out.append(buf[at : at + self._most])
            return len(buf)
        return at

    def end(self) -> bytes:
        """The connection ends: what is left of a message, as a line."""
        rest, self._buf = self._buf, b""
        if self._skip_line or not rest:
            return b""
        counted = _COUNTED.match(rest)
        self.cut += counted is not None
        return self._lines([rest[counted.end() - 1 :] if counted else rest])

    def _lines(self, messages: list[bytes]) -> bytes:
        lines = [line for line in map(as_line, messages) if line]
        self.messages += len(lines)
        return b"".join(lines)
