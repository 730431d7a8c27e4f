"""The syslog receiver: messages over UDP (RFC 5426) and TCP (RFC 6587), into a spool.

A message becomes one line as it came (`syslog_frames`), with its header of RFC 5424 or RFC 3164,
which the formats `syslog5424` and `syslog` read.

Syslog has no answers. Over TCP a sender is not read while the spool has no room, so that it has to
wait. Over UDP what finds no room is dropped and counted ("datagrams_dropped"); so is, where Linux
tells, what the kernel dropped because nobody read in time ("datagrams_missed"). What the network
lost nobody can see. What was read and not yet synced (milliseconds) is lost with the machine.

Left out: TLS (RFC 5425), RELP, and sorting devices apart: one address should get one form of
header, because a feed's format is found once.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections import Counter
from pathlib import Path

from logwright.errors import LogwrightError
from logwright.stream.feed import Feed
from logwright.stream.receiving import (
    Address,
    Caps,
    Desk,
    Guest,
    Hall,
    SpoolLike,
    address,
    cannot_listen,
    keep_alive,
)
from logwright.stream.syslog_frames import Frames, as_line

__all__ = ["SyslogSource"]

_MOST_MESSAGE = 64 * 1024  # bytes; RFC 5425 asks for 8 KiB, UDP has 64 KiB at most
_BUFFER = 8 << 20  # bytes that the kernel is asked to keep of UDP
_AT_ONCE = 512  # datagrams read in one go
_PAUSE = 0.05  # s in which nothing is read where there was no room: dropping must cost nothing
_PATIENCE = 60.0  # s until the rest of a message has to come
_DROPS = 12  # the column of /proc/net/udp, after the inode's ninth


class SyslogSource:
    """Listens at an address, UDP and TCP, and writes what comes to `spool`, whose feed it gives.

    `counts`: connections, connections_refused, connections_overdue, messages, messages_cut,
    messages_lost (TCP's, at the end, where the spool stayed full), datagrams, datagrams_dropped,
    datagrams_missed.
    """

    def __init__(
        self,
        at: Address,
        spool: SpoolLike,
        most: int = _MOST_MESSAGE,
        patience: float = _PATIENCE,
        caps: Caps | None = None,
    ) -> None:
        caps = caps or Caps()
        self.counts: Counter[str] = Counter()
        self.most, self.patience = most, patience
        self._spool = spool
        self._hall = Hall("syslog", caps, self.counts)
        self.desk = Desk(spool, caps.desk, True, self.counts)
        self._sockets: list[socket.socket] = []
        self._buffer = bytearray(max(most, 1 << 16))
        self._looked = 0.0
        try:
            self.port = self._hall.listen(at, lambda: _Device(self._hall, self))
            self._sockets = _datagram_sockets(at._replace(port=self.port))
        except LogwrightError:
            self.close()
            raise
        self._hall.call(self._watch())
        self._name, self._given = f"syslog:{at}", False

    @classmethod
    def opened(cls, url: str, spool: SpoolLike) -> SyslogSource:
        """The source that `syslog://[HOST]:PORT` names."""
        return cls(address(url, "syslog", 514), spool)

    def feeds(self) -> tuple[list[Feed], list[str]]:
        """The spool's feed, once."""
        if self._given:
            return [], []
        self._given = True
        return [self._spool.feed(self._name, self._name)], []

    def close(self) -> None:
        """Stop listening; what was read is written first."""
        if not self._hall.loop.is_closed():
            self._hall.call(self._leave())
        self._hall.close()
        self.desk.close()
        for sock in self._sockets:
            sock.close()
        self._spool.close()

    async def _watch(self) -> None:
        for sock in self._sockets:
            self._hall.loop.add_reader(sock, self._read, sock)
        self._hall.sweeps.append(self._look_for_missed)

    async def _leave(self) -> None:
        for sock in self._sockets:
            self._hall.loop.remove_reader(sock)
            self._read(sock)
        self._hall.sweeps.clear()

    def _read(self, sock: socket.socket) -> None:
        """Take the datagrams that are there, as one piece for the spool."""
        lines: list[bytes] = []
        view = memoryview(self._buffer)
        with contextlib.suppress(OSError):  # no more of them; errors of earlier answers
            for _ in range(_AT_ONCE):
                size = sock.recv_into(view)
                self.counts["datagrams"] += 1
                self.counts["messages_cut"] += size > self.most
                line = as_line(bytes(view[: min(size, self.most)]))
                if line:
                    lines.append(line)
        if not lines:
            return
        if self.desk.offer(b"".join(lines), time.time_ns()):
            self.counts["messages"] += len(lines)
            return
        self.counts["datagrams_dropped"] += len(lines)
        loop = self._hall.loop
        if loop.remove_reader(sock):
            loop.call_later(_PAUSE, self._go_on, sock)

    def _go_on(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:
            self._hall.loop.add_reader(sock, self._read, sock)

    def _look_for_missed(self, now: float) -> None:
        """Ask the kernel, where it tells, what it has dropped at our sockets."""
        if now - self._looked < 2:
            return
        self._looked = now
        wanted = {str(os.fstat(sock.fileno()).st_ino) for sock in self._sockets}
        missed = 0
        for name in ("udp", "udp6"):
            with contextlib.suppress(OSError):
                for line in Path("/proc/net", name).read_text("ascii", "replace").splitlines():
                    columns = line.split()
                    if len(columns) > _DROPS and columns[9] in wanted:
                        missed += int(columns[_DROPS])
        self.counts["datagrams_missed"] = max(self.counts["datagrams_missed"], missed)


class _Device(Guest):
    """A TCP connection of a sender of messages."""

    def __init__(self, hall: Hall, source: SyslogSource) -> None:
        super().__init__(hall)
        self._source = source
        self._frames = Frames(source.most)
        self._waiting = b""  # lines that found no room
        self._since = 0.0

    def welcome(self) -> None:
        """A sender may be silent for days, but it has to be there."""
        self._since = time.monotonic()
        keep_alive(self.transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        """Take what is whole, hold the rest."""
        lines = self._frames.feed(data)
        if lines or self._frames.held <= len(data):
            self._since = time.monotonic()
        if lines:
            self._put(lines)
        if not self.hold(self._frames.held + len(self._waiting)):
            self.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """What is there of the last message is a message."""
        rest = self._waiting + self._frames.end()
        self._waiting = b""
        self._count()
        if rest and not self._source.desk.offer(rest, time.time_ns()):
            self._source.counts["messages_lost"] += rest.count(b"\n")
        super().connection_lost(error)

    def overdue(self, now: float) -> bool:
        """Whether the end of a message is missing for too long."""
        late = now - self._since > self._source.patience
        return late and self._frames.held > 0 and not self._waiting

    def _put(self, lines: bytes) -> None:
        if self._source.desk.offer(lines, time.time_ns()):
            self._count()
            return
        self._waiting = lines
        self.transport.pause_reading()
        self._source.desk.when_room(self._call_back)

    def _call_back(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            self.hall.loop.call_soon_threadsafe(self._retry)

    def _retry(self) -> None:
        lines, self._waiting = self._waiting, b""
        if not lines:
            return
        self._since = time.monotonic()
        self._put(lines)
        if not self._waiting:
            self.hold(self._frames.held)
            self.transport.resume_reading()

    def _count(self) -> None:
        frames, counts = self._frames, self._source.counts
        counts["messages"] += frames.messages
        counts["messages_cut"] += frames.cut
        frames.messages = frames.cut = 0


def _datagram_sockets(at: Address) -> list[socket.socket]:
    """A UDP socket for each kind of address that the host has."""
    found: list[socket.socket] = []
    error: OSError | None = None
    try:
        places = socket.getaddrinfo(
            at.host or None, at.port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )
    except OSError as failure:
        raise cannot_listen(at, failure) from None
    for family, kind, protocol, _, place in places:
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as failure:
            error = failure
            continue
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(place)
            found.append(sock)
        except OSError as failure:
            error = failure
            sock.close()
    if not found:
        raise cannot_listen(at, error or OSError("the host has no address"))
    return found
