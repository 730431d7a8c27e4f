"""A reader of a file's feed, as tests use one."""

from __future__ import annotations

import time
from pathlib import Path

from logwright.stream.tail import FileFeed

OPENED: list[FileFeed] = []


class Reader:
    """Reads a feed as a worker does: restarts go back to the last checkpoint."""

    def __init__(self, path: Path, *, patience: float = 0.0, limit: int = 1 << 20) -> None:
        self.said: list[str] = []
        self.path, self.patience, self.limit = path, patience, limit
        self.read: list[bytes] = []
        self.last: str | None = None
        self._kept: tuple[str | None, int] = (None, 0)
        self.feed = self._new()
        self.feed.seek(None)

    def _new(self) -> FileFeed:
        name, told = str(self.path), self.said.append
        feed = FileFeed(name, limit=self.limit, patience=self.patience, notify=told)
        OPENED.append(feed)
        return feed

    def once(self, most: int = 1 << 20, timeout: float = 0.0) -> int:
        entries = self.feed.read(most, timeout)
        for entry in entries:
            assert entry.data.endswith(b"\n")
            self.read += entry.data.splitlines(keepends=True)
            self.last = entry.position
        return len(entries)

    def all(self, timeout: float = 0.7) -> list[bytes]:
        """All that comes until nothing comes for `timeout` seconds."""
        while self.once(timeout=timeout):
            pass
        return self.read

    def catch_up(self, expected: bytes) -> None:
        """Read until as much was read as is expected."""
        until = time.monotonic() + 5
        while sum(map(len, self.read)) < len(expected) and time.monotonic() < until:
            self.once(timeout=0.1)

    def checkpoint(self) -> None:
        self._kept = self.last, len(self.read)

    def restart(self) -> None:
        self.feed.close()
        position, size = self._kept
        del self.read[size:]
        self.last = position
        self.feed = self._new()
        self.feed.seek(position)


def append(path: Path, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


def lines(first: int, count: int) -> bytes:
    return b"".join(b"line %d of some text\n" % i for i in range(first, first + count))
