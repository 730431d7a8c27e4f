"""The cutter: bytes as they come in, cut to whole lines that are not too long.

What comes out depends on the bytes alone, not on how they came: that is what lets a feed be read
again with other boundaries. A line longer than the limit is cut there (as `logs.sources` cuts it)
and handed on at once, so that a line without end needs no memory. NULs at the start of a line are
dropped: a crash, or a file truncated under its writer, leaves a hole there that reads as NULs.
"""

from __future__ import annotations

import re

__all__ = ["Cutter"]

_NULS = re.compile(rb"^\0+", re.M)


class Cutter:
    """Cuts one stream of bytes; `skipping` is whether it is in the rest of a line that was cut.

    >>> cutter = Cutter(limit=4)
    >>> cutter.cut(b"one\\nfourteen\\ntw")
    (b'one\\nfour\\n', 13)
    >>> cutter.cut(b"two\\n"), cutter.cut_lines
    ((b'two\\n', 4), 1)
    """

    def __init__(self, limit: int, skipping: bool = False) -> None:
        self.skipping = skipping
        self.cut_lines = self.cut_bytes = self.nul_bytes = 0
        self._limit = limit

    def cut(self, data: bytes) -> tuple[bytes, int]:
        """Whole lines, and how many bytes of `data` are dealt with; the rest, of at most the limit,
        is the beginning of a line: it is to come again, in front of what follows it."""
        lines: list[bytes] = []
        begin, limit = 0, self._limit
        while begin < len(data):
            if self.skipping:
                newline = data.find(b"\n", begin)
                stop = newline + 1 or len(data)
                self.skipping = newline < 0
                self.cut_bytes += stop - begin - (newline >= 0)
                begin = stop
                continue
            stop = begin
            while (newline := data.rfind(b"\n", stop, stop + limit + 1)) >= 0:
                stop = newline + 1
            if stop > begin:
                lines.append(data[begin:stop])
                begin = stop
            elif data[begin] == 0:
                begin = len(data) - len(data[begin:].lstrip(b"\0"))
                self.nul_bytes += begin - stop
            elif len(data) - begin > limit:
                lines.append(data[begin : begin + limit] + b"\n")
                begin += limit
                self.skipping = True
                self.cut_lines += 1
            else:
                break
        text = b"".join(lines)
        if b"\0" in text:
            clean = _NULS.sub(b"", text)
            self.nul_bytes += len(text) - len(clean)
            text = clean
        return text, begin
