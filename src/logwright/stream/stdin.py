"""Standard input as a feed: what comes through a pipe is spooled first, and read from the spool.

A pipe cannot be read again after a crash: its lines are written to the spool as they come, made
durable with each pause of the pipe (and at least every `_MOST` bytes or 10 ms), and only then
read by the worker. What a worker that died had spooled is read by the next one. Where the spool is
full the pipe is not read, so that whoever writes to it waits.

Left out: what is in the pipe's own buffer when the process dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import sys
import threading
import time
from collections import deque

from logwright.errors import InputError
from logwright.stream.cutter import Cutter
from logwright.stream.feed import Feed
from logwright.stream.spool import Spool, SpoolFullError

__all__ = ["Stdin"]

_STEP = 1 << 20
_MOST = 4 << 20
_HELD = 0.01  # s for which lines wait for others to be made durable with them
_TICK = 0.05
_PIPE = 1 << 20


class Stdin:
    """Standard input (or the pipe `file`) as the feed "stdin", by way of `spool`.

    `ended` says that the input's end was met and that the feed has given all of it. Who made the
    spool closes it, after the source. The spool should have room for 8 lines of `limit` bytes.
    """

    def __init__(self, spool: Spool, *, limit: int = 1 << 20, file: int | None = None) -> None:
        if file is None:
            if sys.stdin is None:
                raise InputError("there is no standard input")
            file = sys.stdin.fileno()
        self._spool, self._file = spool, file
        self._cutter = Cutter(limit)
        self._given = False
        self._waiting: deque[bytes] = deque()  # not spooled yet
        self._pending: deque[tuple[bytes, str]] = deque()  # spooled, with positions; not durable
        self._stop = threading.Event()
        self._over = threading.Event()
        self._feed = spool.feed("stdin", "stdin")
        self._thread = threading.Thread(target=self._run, name="stdin", daemon=True)
        _widen(file)
        self._thread.start()

    def feeds(self) -> tuple[list[Feed], list[str]]:
        given, self._given = self._given, True
        return ([] if given else [self._feed]), []

    @property
    def ended(self) -> bool:
        return self._over.is_set() and self._feed.lag() == 0

    def close(self) -> None:
        """Stop reading; what was read is durable then, unless the spool has no room for it."""
        self._stop.set()
        self._thread.join()
        self._feed.close()

    def _run(self) -> None:
        try:
            self._copy()
        except OSError as error:
            self._spool.notify(f"standard input cannot be read: {error.strerror}")
        self._over.set()

    def _copy(self) -> None:
        held, since = b"", 0.0
        while not self._stop.is_set():
            quiet = not self._is_ready(0)
            full = sum(len(lines) for lines, _ in self._pending) >= _MOST
            if self._pending and (quiet or full or time.monotonic() - since >= _HELD):
                self._settle(durable=True)
                continue
            if quiet and not self._is_ready(_TICK):
                continue
            try:
                data = os.read(self._file, _STEP)
            except BlockingIOError:  # somebody else was quicker
                continue
            held += data
            lines, used = self._cutter.cut(held)
            held = held[used:]
            if not data and held:
                lines, held = held + b"\n", b""
            if lines:
                since = since if self._pending else time.monotonic()
                self._waiting.append(lines)
                self._settle()
            if not data:
                break
        self._settle(durable=True)

    def _is_ready(self, seconds: float) -> bool:
        return bool(select.select([self._file], [], [], seconds)[0])

    def _settle(self, durable: bool = False) -> None:
        """Spool what waits, in order, and make it durable where asked. Where there is no room this
        waits for it, as who writes to the pipe does then; it ends on being closed."""
        told = False
        while self._waiting or (durable and self._pending):
            try:
                if self._waiting:
                    position = self._spool.append(self._waiting[0], time.time_ns())
                    self._pending.append((self._waiting.popleft(), position))
                else:
                    self._spool.sync(self._pending[0][1])  # one fsync serves them all
                    self._pending.popleft()
            except SpoolFullError as error:
                if not told:
                    self._spool.notify(f"{error}; standard input waits for room")
                    told = True
                self._take_back()
                if self._stop.wait(_TICK):
                    return

    def _take_back(self) -> None:
        """What an fsync lost waits again, before what came after it. Nothing is spooled after a
        loss until then, so that all behind the first one that is lost is lost too."""
        while self._pending:
            try:
                self._spool.sync(self._pending[0][1])
            except SpoolFullError:
                break
            self._pending.popleft()
        self._waiting.extendleft(lines for lines, _ in reversed(self._pending))
        self._pending.clear()


def _widen(file: int) -> None:
    """A larger buffer for a pipe, where that can be had: it fills while an fsync lasts."""
    size = getattr(fcntl, "F_SETPIPE_SZ", None)
    if size is not None:
        with contextlib.suppress(OSError):  # not a pipe, or more than a user may have
            fcntl.fcntl(file, size, _PIPE)
