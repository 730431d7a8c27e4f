"""The OTLP receiver: `POST /v1/logs` in protobuf or JSON, gzip or plain, into a spool.

A sender is answered 200 only after its records are safe on disk. Where there is no room it is told
to come again: 429 while the desk or the connections hold too much, 503 while the spool is full,
both with `Retry-After`. Records that cannot be read, in a request that can, are left out and
counted in the answer (partial success). What the answers mean is in the OTLP 1.x specification,
"OTLP/HTTP".

Left out: gRPC, TLS and authentication (put the OpenTelemetry Collector or a proxy in front), traces
and metrics (404).
"""

from __future__ import annotations

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from logwright.errors import LogwrightError
from logwright.stream.feed import Feed
from logwright.stream.http_requests import Head, RefusedError, Request, RequestReader
from logwright.stream.otlp_answers import JSON, PROTOBUF, answer_bytes
from logwright.stream.otlp_json import decode_json
from logwright.stream.otlp_protobuf import protobuf_decoder
from logwright.stream.otlp_records import Bounds, Decoded, MalformedError, TooMuchError
from logwright.stream.receiving import Address, Caps, Desk, Guest, Hall, SpoolLike, address

__all__ = ["OtlpLimits", "OtlpSource", "unzipped"]

_PATH = "/v1/logs"
_LINGER = 2.0  # s that a refused sender has to read its answer
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True)
class OtlpLimits:
    """What one request and one connection may cost."""

    body: int = 20 << 20
    """Bytes as they are sent; the default of the OpenTelemetry Collector."""
    unzipped: int = 32 << 20
    """Bytes of a body after gzip."""
    idle: float = 60.0
    """Seconds between requests of a connection."""
    head: float = 10.0
    """Seconds from the first byte of a request to the end of its headers."""
    slowest: float = 8192.0
    """Bytes of body per second, at least, after `head` seconds."""
    bounds: Bounds = field(default_factory=Bounds)


def unzipped(body: bytes, most: int) -> bytes:
    """What a gzip body holds; stops at `most` bytes, however much there would be.

    >>> import gzip
    >>> unzipped(gzip.compress(b"text"), 4)
    b'text'
    """
    stream = zlib.decompressobj(wbits=31)
    try:
        data = stream.decompress(body, most + 1)
    except zlib.error:
        raise RefusedError(400, "The body is no gzip.") from None
    if len(data) > most:
        raise RefusedError(413, f"A request may have {most:,} bytes at most after gzip.")
    if not stream.eof:
        raise RefusedError(400, "The gzip of the body ends early.")
    if stream.unused_data:
        raise RefusedError(400, "Something follows the gzip of the body.")
    return data


class OtlpSource:
    """Listens at an address and writes what comes to `spool`, whose feed it gives.

    `counts`: connections, connections_refused, connections_overdue, requests, records,
    records_rejected, records_cut (parts of records left out), and answers by status (status_200).
    """

    def __init__(
        self,
        at: Address,
        spool: SpoolLike,
        limits: OtlpLimits | None = None,
        caps: Caps | None = None,
    ) -> None:
        limits, caps = limits or OtlpLimits(), caps or Caps()
        self.counts: Counter[str] = Counter()
        # One append a request, so that a full spool leaves no half of it; the spool takes an eighth
        # of its room at once.
        lines = min(limits.bounds.lines, spool.most_bytes // 8)
        self.limits = replace(limits, bounds=replace(limits.bounds, lines=lines))
        self._decode = protobuf_decoder(self.limits.bounds)
        self._spool = spool
        self._hall = Hall("otlp", caps, self.counts)
        self.desk = Desk(spool, caps.desk, False, self.counts)
        try:
            self.port = self._hall.listen(at, lambda: _Sender(self._hall, self))
        except LogwrightError:
            self.close()
            raise
        self._name, self._given = f"otlp:{at}", False

    @classmethod
    def opened(cls, url: str, spool: SpoolLike) -> OtlpSource:
        """The source that `otlp://[HOST]:PORT` names."""
        return cls(address(url, "otlp", 4318), spool)

    def feeds(self) -> tuple[list[Feed], list[str]]:
        """The spool's feed, once."""
        if self._given:
            return [], []
        self._given = True
        return [self._spool.feed(self._name, self._name)], []

    def close(self) -> None:
        """Stop listening; what was taken is written and answered first."""
        self.desk.close()
        self._hall.close()
        self._spool.close()

    def judge(self, head: Head) -> None:
        """Refuse what is not for us before its body is read."""
        if head.path != _PATH:
            raise RefusedError(404, f"Only {_PATH} is taken here.")
        if head.method != "POST":
            raise RefusedError(405, "Only POST is taken here.")
        if _kind(head) not in (PROTOBUF, JSON):
            wanted = f"{PROTOBUF.decode()} or {JSON.decode()}"
            raise RefusedError(415, f"The header content-type must be {wanted}.")
        if _encoding(head) not in (b"", b"identity", b"gzip"):
            raise RefusedError(415, "The header content-encoding must be gzip or absent.")

    def take(self, request: Request, answer: Callable[[int, str, Decoded | None], None]) -> None:
        """Decode a request, and have it answered when its records are safe."""
        if self.desk.blocked:
            answer(503, "The spool is full: the records wait for the worker.", None)
            return
        if not self.desk.has_room():
            answer(429, "Too many records at once.", None)
            return
        try:
            decoded = self._decoded(request)
        except RefusedError as error:
            answer(error.status, error.sentence, None)
            return
        except MalformedError as error:
            answer(400, str(error), None)
            return
        except TooMuchError as error:
            answer(413, str(error), None)
            return

        def done(failure: LogwrightError | None) -> None:
            if failure is None:
                self.counts["records"] += decoded.records
                self.counts["records_rejected"] += decoded.rejected
                self.counts["records_cut"] += decoded.cut
            told = (200, "", decoded) if failure is None else (503, "There is no room now.", None)
            self._hall.loop.call_soon_threadsafe(answer, *told)

        if not decoded.records:
            done(None)
        elif not self.desk.offer(decoded.data, time.time_ns(), done):
            answer(429, "Too many records at once.", None)

    def _decoded(self, request: Request) -> Decoded:
        body = request.body
        if _encoding(request.head) == b"gzip":
            body = unzipped(body, self.limits.unzipped)
        now = time.time_ns()
        if _kind(request.head) == JSON:
            return decode_json(body, now, self.limits.bounds)
        return self._decode(body, now)


class _Sender(Guest):
    """A connection: one request after the other, each answered before the next is looked at."""

    def __init__(self, hall: Hall, source: OtlpSource) -> None:
        super().__init__(hall)
        self._source, self._limits = source, source.limits
        self._reader = RequestReader(self._limits.body, source.judge)
        self._busy = self._leaving = self._told = self._ended = False
        self._since = 0.0  # when what is waited for began

    def welcome(self) -> None:
        self._since = time.monotonic()

    def data_received(self, data: bytes) -> None:
        if self._leaving:
            return  # read and thrown away, so that the answer is not cut off by a reset
        if not self._reader.held and self._reader.head is None:
            self._since = time.monotonic()
        self._reader.feed(data)
        if self._busy:
            self.transport.pause_reading()
        else:
            self._go_on()
        if not self.hold(self._reader.held):
            self._refuse(RefusedError(429, "Too much is on its way at once."))

    def eof_received(self) -> bool:
        """The sender has said all; whether it still waits for an answer."""
        self._ended = True
        return self._busy

    def _go_on(self) -> None:
        try:
            request = self._reader.next()
        except RefusedError as error:
            self._refuse(error)
            return
        head = self._reader.head
        if request is not None:
            self._busy, self._told = True, False
            self._source.counts["requests"] += 1
            kind, keeps = _kind(request.head), request.head.keeps
            self._source.take(
                request, lambda status, text, found: self._answer(kind, keeps, status, text, found)
            )
        elif head is not None and head.expects and not self._told:
            self._told = True
            self.transport.write(_CONTINUE)

    def _refuse(self, error: RefusedError) -> None:
        if self._busy:  # requests ahead of their answers: nobody needs that
            self.transport.abort()
        elif not self._leaving:
            head = self._reader.head
            kind = _kind(head) if head is not None else JSON
            self._answer(kind, False, error.status, error.sentence, None)

    def _answer(
        self, kind: bytes, keeps: bool, status: int, sentence: str, found: Decoded | None
    ) -> None:
        self._busy = False
        self._source.counts[f"status_{status}"] += 1
        if self.transport.is_closing() or self._leaving:
            return
        self.transport.write(answer_bytes(kind, keeps, status, sentence, found))
        self._since = time.monotonic()
        if not keeps:
            self._leaving = True
            self._reader = RequestReader(0, self._source.judge)
            self.hold(0)
            if self._ended:
                self.transport.close()
                return
            self.transport.write_eof()
            self.transport.resume_reading()
        else:
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        if not (self._busy or self._leaving or self.transport.is_closing()):
            self.transport.resume_reading()
            self._go_on()
            self.hold(self._reader.held)
            if self._ended and not self._busy:
                self.transport.close()

    def overdue(self, now: float) -> bool:
        waited, limits = now - self._since, self._limits
        if self._leaving:
            return waited > _LINGER
        if self._busy:
            return False
        if self._reader.head is not None:
            return waited > limits.head + self._reader.held / limits.slowest
        return waited > (limits.head if self._reader.held else limits.idle)


def _kind(head: Head) -> bytes:
    return head.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()


def _encoding(head: Head) -> bytes:
    return head.headers.get(b"content-encoding", b"").lower()
