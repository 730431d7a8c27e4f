"""What all receivers share: a loop with its connections, and the desk in front of the spool.

What comes over the network cannot be read again, so that it is written to a spool first
(`stream.spool`), and only then is its sender answered. Everything is bounded: connections, bytes of
unfinished messages over all connections, bytes at the desk. What bound was hit, and how often, is
counted.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

from logwright.errors import InputError, LogwrightError, SettingsError
from logwright.stream.feed import Feed
from logwright.stream.spool import SpoolFullError

__all__ = [
    "Address",
    "Caps",
    "Desk",
    "Guest",
    "Hall",
    "SpoolLike",
    "address",
    "cannot_listen",
    "keep_alive",
]

_RETRY = 0.2  # s between tries to write into a spool that is full
_SWEEP = 0.5  # s between looks at connections that are overdue
_SPARE_FILES = 64  # file descriptors that the rest of the process keeps

Done = Callable[[LogwrightError | None], None]
T = TypeVar("T")


class SpoolLike(Protocol):
    """What receivers need of `stream.spool.Spool`."""

    @property
    def most_bytes(self) -> int: ...
    def append(self, data: bytes, arrived: int) -> str: ...
    def sync(self, position: str | None = None) -> None: ...
    def feed(self, name: str, source: str) -> Feed: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Caps:
    """What a receiver takes at most."""

    connections: int = 10_000
    """Open at once; fewer where the process may open fewer files."""
    unfinished: int = 64 << 20
    """Bytes of messages whose end has not come, over all connections."""
    desk: int = 64 << 20
    """Bytes that wait for the spool."""


class Address(NamedTuple):
    """Where to listen; no host: on all interfaces."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address(url: str, scheme: str, port: int) -> Address:
    """The address that a receiver's URL names; `port` where it names none.

    >>> address("otlp://:4318", "otlp", 1), str(address("syslog://[::1]", "syslog", 514))
    (Address(host='', port=4318), '[::1]:514')
    """
    wanted = f"expected {scheme}://[HOST]:PORT, as in {scheme}://127.0.0.1:{port}"
    try:
        parts = urlsplit(url)
        found = Address(parts.hostname or "", port if parts.port is None else parts.port)
    except ValueError:
        raise SettingsError(f"{url!r} is no address to listen on: {wanted}") from None
    plain = parts.path in ("", "/") and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme != scheme or not plain:
        raise SettingsError(f"{url!r} is no address to listen on: {wanted}")
    return found


class _Item(NamedTuple):
    data: bytes
    arrived: int
    done: Done | None


class Desk:
    """Takes lines for a spool, and says when they are safe; a thread writes many with one sync.

    Where the spool is full, or an fsync fails, a *patient* desk tries again for ever, so that the
    desk gets full and the senders have to wait; another one says so to each `done`.
    """

    def __init__(self, spool: SpoolLike, most: int, patient: bool, counts: Counter[str]) -> None:
        self._spool, self._most, self._patient, self._counts = spool, most, patient, counts
        self._changed = threading.Condition()
        self._items: list[_Item] = []
        self._held = 0
        self._closing = False
        self._waiting: list[Callable[[], None]] = []
        self._blocked_until = 0.0
        self._thread = threading.Thread(target=self._run, name="logwright-desk", daemon=True)
        self._thread.start()

    @property
    def blocked(self) -> bool:
        """Whether the spool was full just now: to decode anything for it would be in vain."""
        return time.monotonic() < self._blocked_until

    def has_room(self) -> bool:
        """Whether the desk takes anything now."""
        return self._held < self._most and not self._closing

    def offer(self, data: bytes, arrived: int, done: Done | None = None) -> bool:
        """Lines for the spool; False where the desk is full. `done` is called by the desk's thread
        once they are safe, or with the reason why they are not."""
        with self._changed:
            if not self.has_room():
                return False
            self._items.append(_Item(data, arrived, done))
            self._held += len(data)
            self._changed.notify()
        return True

    def when_room(self, call: Callable[[], None]) -> None:
        """Call once, from the desk's thread, when the desk is at most half full."""
        with self._changed:
            self._waiting.append(call)
            self._changed.notify()

    def close(self) -> None:
        """Write what is there, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._items or self._closing or self._callers()):
                    self._changed.wait()
                items, self._items = self._items, []
                calls = self._callers()
                if calls:
                    self._waiting = []
            if not (items or calls):
                return
            if items:
                self._store(items)
            for call in calls:
                call()

    def _callers(self) -> list[Callable[[], None]]:
        return self._waiting if 2 * self._held <= self._most else []

    def _store(self, items: list[_Item]) -> None:
        size = sum(len(item.data) for item in items)
        while items:
            kept = [self._append(item) for item in items]
            pairs = zip(items, kept, strict=True)
            items = [item for item, position in pairs if not self._is_settled(item, position)]
            if items:
                with self._changed:
                    self._changed.wait(_RETRY)
        with self._changed:
            self._held -= size

    def _is_settled(self, item: _Item, kept: str | LogwrightError) -> bool:
        """Make durable what was appended, and tell its sender; False for what an fsync lost, where
        the desk is patient: its sender would never send it again."""
        failure = self._synced(kept) if isinstance(kept, str) else kept
        if self._patient and isinstance(failure, SpoolFullError) and not self._closing:
            return False
        self._counts["unwritten"] += failure is not None
        if item.done is not None:
            item.done(failure)
        return True

    def _append(self, item: _Item) -> str | LogwrightError:
        while True:
            try:
                return self._spool.append(item.data, item.arrived)
            except LogwrightError as error:
                self._blocked_until = time.monotonic() + 1
                full = isinstance(error, SpoolFullError)
                if not (full and self._patient) or self._closing:
                    return error
                with self._changed:
                    self._changed.wait(_RETRY)

    def _synced(self, position: str) -> LogwrightError | None:
        try:
            self._spool.sync(position)  # the first one's fsync serves them all
        except LogwrightError as error:
            return error
        return None


class Guest(asyncio.Protocol):
    """One connection. Subclasses say what it brings, how much they hold of it, and until when."""

    transport: asyncio.Transport

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        self._held = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a seat, or leave where there is none."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if len(self.hall.guests) >= self.hall.seats:
            self.hall.counts["connections_refused"] += 1
            transport.abort()
            return
        self.hall.counts["connections"] += 1
        self.hall.guests.add(self)
        self.welcome()

    def connection_lost(self, error: Exception | None) -> None:
        """Free the seat and what was held."""
        self.hold(0)
        self.hall.guests.discard(self)

    def hold(self, size: int) -> bool:
        """Note how many bytes wait for their end; False where all guests hold too much."""
        self.hall.held += size - self._held
        self._held = size
        return self.hall.held <= self.hall.caps.unfinished

    def welcome(self) -> None:
        """The connection is there."""
        raise NotImplementedError

    def overdue(self, now: float) -> bool:
        """Whether the guest has to go (`now` is of `time.monotonic`)."""
        raise NotImplementedError


class Hall:
    """An event loop in a thread of its own, and the connections that it serves."""

    def __init__(self, name: str, caps: Caps, counts: Counter[str]) -> None:
        self.caps, self.counts = caps, counts
        self.seats = max(min(caps.connections, _most_files() - _SPARE_FILES), 1)
        self.guests: set[Guest] = set()
        self.held = 0
        self.sweeps: list[Callable[[float], None]] = []
        """Called every half second with `time.monotonic()`."""
        self.loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self._run, name=f"logwright-{name}", daemon=True)
        self._thread.start()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something in the loop's thread, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def listen(self, at: Address, guest: Callable[[], Guest]) -> int:
        """Take TCP connections; gives the port (`at.port` 0: any that is free)."""

        async def start() -> asyncio.Server:
            return await self.loop.create_server(guest, at.host or None, at.port, backlog=1024)

        try:
            server = self.call(start())
        except (OSError, OverflowError) as error:
            raise cannot_listen(at, error) from None
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """No new connections, and an end to those there are."""
        if self.loop.is_closed():
            return

        async def leave() -> None:
            for server in self._servers:
                server.close()
            for guest in list(self.guests):
                guest.transport.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    while self.guests:
                        await asyncio.sleep(0.01)
            for guest in list(self.guests):
                guest.transport.abort()
            await asyncio.sleep(0)

        self.call(leave())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self._sweep()
        self.loop.run_forever()

    def _sweep(self) -> None:
        now = time.monotonic()
        for guest in [guest for guest in self.guests if guest.overdue(now)]:
            self.counts["connections_overdue"] += 1
            guest.transport.abort()
        for sweep in self.sweeps:
            sweep(now)
        self.loop.call_later(_SWEEP, self._sweep)


def cannot_listen(at: Address, error: Exception) -> InputError:
    """One sentence on why an address cannot be listened on."""
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    told = f"Cannot listen on {at}: {why}"
    if isinstance(error, PermissionError):
        told += "; ports below 1024 need a permission, others do not"
    return InputError(told)


def _most_files() -> int:
    """How many files the process may have open."""
    try:
        import resource  # not on every system
    except ImportError:
        return 512  # what C libraries without `resource` allow
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return files if files != resource.RLIM_INFINITY else 1 << 20


def keep_alive(sock: socket.socket) -> None:
    """Have the system notice within two minutes that the other side has vanished."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
