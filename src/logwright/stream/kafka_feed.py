"""One partition as a feed: what was received and not read yet, and what the worker wishes.

The source's thread fills it, the worker's empties it; all of it is guarded by the source's one
lock. Nothing here talks to Kafka: wishes (go to a position, commit, close) are carried out by the
source's thread, because the client library's calls can wait.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from logwright.errors import InputError
from logwright.stream.feed import Entry

__all__ = ["Message", "Partition", "entries"]

Message = tuple[bytes, int, int]
"""Its whole lines; the offset after it; when it arrived (ns since 1970 UTC)."""

_SPAN = 1_000_000
"""Nanoseconds over which messages are joined to one entry: its time of arrival is that of its last
line, and should be true for the first one as well."""

_LATE = 10_000_000_000
"""Nanoseconds after which messages are joined whatever their times: they waited anyway."""


def entries(messages: list[Message], now: int) -> Iterator[Entry]:
    """Messages as entries: those that arrived at about the same time are one.

    >>> [e.position for e in entries([(b"a\\n", 1, 0), (b"b\\n", 2, 0)], now=0)]
    ['2']
    """
    first = 0
    for at in range(1, len(messages) + 1):
        if at < len(messages):
            arrived = messages[at][2]
            if arrived < now - _LATE or abs(arrived - messages[first][2]) <= _SPAN:
                continue
        data = b"".join([message[0] for message in messages[first:at]])
        yield Entry(data, str(messages[at - 1][1]), max(m[2] for m in messages[first:at]))
        first = at


class Partition:
    """A feed of one partition. `lost` says that it belongs to another member of the group by now.

    A position is the offset of the next message, as decimal digits.
    """

    def __init__(
        self,
        topic: str,
        number: int,
        lock: threading.Lock,
        closed: Callable[[Partition], None],
    ) -> None:
        self.name = self.source = f"kafka:{topic}/{number}"
        self.number = number
        self.lost = False
        self.closed_at: float | None = None
        self.wish: str | None = None
        """Where to go: an offset, or "" for where the source says; None for no wish."""
        self.placed = False
        """Whether what comes is what was wished for."""
        self.end: int | None = None
        """The offset after the last message that was received."""
        self.highest = -1
        """The partition's end, as far as the broker said."""
        self.to_commit: int | None = None
        self.paused = False
        self.unheard = False
        """Whether its broker has not answered of late; one that is paused is not asked."""
        self.held: deque[Message] = deque()
        self.size = 0
        self._changed = threading.Condition(lock)
        self._closed = closed

    def seek(self, position: str | None) -> None:
        """Go on from a position; None: from where the source's address says."""
        if position is not None and not (position.isascii() and position.isdecimal()):
            raise InputError(f"{self.name} cannot go on from {position!r}: it is no offset")
        with self._changed:
            self.wish, self.placed = position or "", False
            self.clear()

    def read(self, most: int, timeout: float) -> list[Entry]:
        """Entries of about `most` bytes at most, once one is there; none after `timeout` s.
        `InputError` where the broker is silent: nobody knows then whether lines came."""
        taken: list[Message] = []
        with self._changed:
            self._changed.wait_for(lambda: self.held or self.lost or self.is_closed, timeout)
            size = 0
            while self.held and (not taken or size + len(self.held[0][0]) <= most):
                taken.append(self.held.popleft())
                size += len(taken[-1][0])
            self.size -= size
            if not taken and self.unheard:
                raise InputError(f"{self.name}: the broker has not answered for a while")
        return list(entries(taken, time.time_ns()))

    def done(self, position: str) -> None:
        """Let others see, as the group's committed offset, how far this feed is kept."""
        with self._changed:
            self.to_commit = int(position)

    def lag(self) -> int | None:
        """Messages that were not read yet; None before anything is known."""
        with self._changed:
            if not self.placed or self.end is None:
                return None
            return max(self.highest - self.end, 0) + len(self.held)

    def close(self) -> None:
        """Give the partition up, or, while the group still gives it to this worker, read it no
        more: a second later the source offers it anew."""
        with self._changed:
            if self.is_closed:
                return
            self.closed_at = time.monotonic()
            self.placed, self.wish = False, None
            self.clear()
            self._changed.notify_all()
        self._closed(self)

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None

    def take(self, messages: list[Message]) -> None:
        """Messages were received; the lock is held."""
        self.held.extend(messages)
        self.size += sum(len(message[0]) for message in messages)
        self._changed.notify_all()

    def lose(self) -> None:
        """The group gives the partition to another member; the lock is held. What is held already
        is let go: the other one reads it."""
        self.lost, self.placed = True, False
        self.clear()
        self._changed.notify_all()

    def clear(self) -> None:
        """Let go what is held; the lock is held."""
        self.held.clear()
        self.size = 0
        self.end = None
