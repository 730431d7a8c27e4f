"""OTLP over HTTP: every record is safe before its sender hears so, and no sender can do harm."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from logwright.errors import InputError, LogwrightError, SettingsError
from logwright.stream.feed import Feed
from logwright.stream.otlp import OtlpLimits, OtlpSource
from logwright.stream.receiving import Address, Caps, address
from logwright.stream.spool import Spool, SpoolFullError

pytest.importorskip("opentelemetry.proto", reason="needs opentelemetry-proto, the extra otlp")

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceResponse,
)

from otlp_samples import as_json, mutated, request

pytestmark = pytest.mark.slow

HERE = Address("127.0.0.1", 0)
PROTOBUF, JSON = "application/x-protobuf", "application/json"


class Slow:
    """A spool whose sync waits for leave, or fails."""

    most_bytes = 1 << 30

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.leave = threading.Event()
        self.failure: LogwrightError | None = None

    def append(self, data: bytes, arrived: int) -> str:
        self.data.append(data)
        return str(len(self.data))

    def sync(self, position: str | None = None) -> None:
        assert self.leave.wait(10)
        if self.failure:
            raise self.failure

    def feed(self, name: str, source: str) -> Feed:
        raise NotImplementedError

    def close(self) -> None:
        pass


@contextlib.contextmanager
def listening(spool: Any, **more: Any) -> Iterator[OtlpSource]:
    source = OtlpSource(HERE, spool, **more)
    bugs: list[dict[str, Any]] = []
    source._hall.loop.set_exception_handler(lambda loop, found: bugs.append(found))
    try:
        yield source
    finally:
        if isinstance(spool, Slow):
            spool.leave.set()
        source.close()
    assert not bugs


CLIENTS: list[Client] = []


@pytest.fixture(autouse=True)
def left() -> Iterator[None]:
    """Closes what the test's senders kept open."""
    yield
    while CLIENTS:
        CLIENTS.pop().link.close()


class Client:
    """A sender that keeps its connection."""

    def __init__(self, source: OtlpSource) -> None:
        CLIENTS.append(self)
        self.link = http.client.HTTPConnection("127.0.0.1", source.port, timeout=10)

    def post(
        self, body: Any, kind: str = PROTOBUF, path: str = "/v1/logs", **more: str
    ) -> tuple[int, bytes]:
        headers = {"Content-Type": kind, **{k.replace("_", "-"): v for k, v in more.items()}}
        self.link.request("POST", path, body, headers)
        self.answer = self.link.getresponse()
        return self.answer.status, self.answer.read()


def lines_of(source: OtlpSource) -> list[dict[str, Any]]:
    """All that the feed gives now."""
    (feed,), _ = source.feeds()
    feed.seek(None)
    found = []
    while entries := feed.read(1 << 20, 0.05):
        found += [json.loads(line) for entry in entries for line in entry.data.splitlines()]
    return found


class TestServer:
    def test_all_ways_to_send_arrive_in_order(self, tmp_path: Path) -> None:
        with listening(Spool(tmp_path)) as source:
            client = Client(source)
            assert client.post(request("1", "2").SerializeToString()) == (200, b"")
            assert client.answer.getheader("content-type") == PROTOBUF
            assert client.post(as_json(request("3")), JSON + "; charset=utf-8") == (200, b"{}")
            assert client.answer.getheader("content-type") == JSON
            packed = gzip.compress(request("4").SerializeToString())
            assert client.post(packed, Content_Encoding="gzip")[0] == 200
            whole = request("5").SerializeToString()
            assert client.post(iter([whole[:10], whole[10:]]))[0] == 200  # in chunks
            assert client.post(b"") == (200, b"")  # no records are no error
            assert [line["body"] for line in lines_of(source)] == list("12345")
            assert source.feeds() == ([], [])
            assert source.counts["connections"] == 1
            assert (source.counts["records"], source.counts["status_200"]) == (5, 5)

    def test_200_comes_only_after_the_sync(self) -> None:
        spool = Slow()
        with listening(spool) as source:
            client = Client(source)
            client.link.timeout = 0.3
            with pytest.raises(TimeoutError):
                client.post(request("x").SerializeToString())
            assert len(spool.data) == 1
            spool.leave.set()
            assert Client(source).post(request("y").SerializeToString())[0] == 200

    def test_what_could_not_be_synced_is_not_taken(self) -> None:
        spool = Slow()
        spool.leave.set()
        with listening(spool) as source:
            spool.failure = SpoolFullError("no")
            client = Client(source)
            assert client.post(request("x").SerializeToString())[0] == 503
            assert client.answer.getheader("retry-after") == "5"
            spool.failure = None
            assert client.post(request("x").SerializeToString())[0] == 200
            assert source.counts["records"] == 1

    def test_a_full_spool_is_503_until_the_worker_is_done(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with listening(Spool(tmp_path, 200_000)) as source:
            client = Client(source)
            body = request(*["x" * 900] * 10).SerializeToString()
            (feed,), _ = source.feeds()
            while client.post(body)[0] == 200:
                pass
            assert client.answer.status == 503
            assert b"spool" in client.post(body)[1]
            decoded = []
            monkeypatch.setattr(source, "_decoded", decoded.append)
            assert client.post(body)[0] == 503
            assert not decoded  # a flood costs little
            monkeypatch.undo()
            feed.seek(None)
            entries = feed.read(1 << 20, 1)
            while more := feed.read(1 << 20, 0):
                entries += more
            feed.done(entries[-1].position)
            until = time.monotonic() + 10
            while client.post(body)[0] != 200:
                assert time.monotonic() < until
                time.sleep(0.05)
            lines = b"".join(entry.data for entry in entries).count(b"\n")
            assert lines + 10 == source.counts["records"]  # no half of any request

    def test_a_full_desk_is_429(self) -> None:
        spool = Slow()
        with listening(spool, caps=Caps(desk=100)) as source:
            first, second = Client(source), Client(source)
            thread = threading.Thread(target=first.post, args=(request("x").SerializeToString(),))
            thread.start()
            while not spool.data:
                time.sleep(0.01)
            assert second.post(request("y").SerializeToString())[0] == 429
            assert second.answer.getheader("retry-after") == "1"
            spool.leave.set()
            thread.join()
            assert first.answer.status == 200
            assert second.post(request("y").SerializeToString())[0] == 200

    def test_partial_success_counts_what_was_left_out(self, tmp_path: Path) -> None:
        with listening(Spool(tmp_path)) as source:
            client = Client(source)
            raw = request("good", "body").SerializeToString().replace(b"\x04body", b"\x7fbody")
            status, body = client.post(raw)
            found = ExportLogsServiceResponse.FromString(body).partial_success
            assert (status, found.rejected_log_records) == (200, 1)
            assert "LogRecord" in found.error_message
            bad = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":5},{}]}]}]}'
            status, body = client.post(bad, JSON)
            told = json.loads(body)["partialSuccess"]
            assert (status, told["rejectedLogRecords"]) == (200, "1")
            assert [line["body"] for line in lines_of(source)] == ["good", ""]

    @pytest.mark.parametrize(
        ("path", "kind", "body", "more", "status"),
        [
            ("/v1/traces", PROTOBUF, b"", {}, 404),
            ("/v1/logs?x=1", PROTOBUF, b"", {}, 200),
            ("/v1/logs", "text/plain", b"x", {}, 415),
            ("/v1/logs", PROTOBUF, b"x", {"Content_Encoding": "zstd"}, 415),
            ("/v1/logs", PROTOBUF, b"\xff\xff", {}, 400),
            ("/v1/logs", JSON, b"{", {}, 400),
            ("/v1/logs", JSON, b"[" * 100_000, {}, 400),
            ("/v1/logs", PROTOBUF, b"no gzip", {"Content_Encoding": "gzip"}, 400),
            (
                "/v1/logs",
                PROTOBUF,
                gzip.compress(b"", mtime=0)[:-3],
                {"Content_Encoding": "gzip"},
                400,
            ),
            (
                "/v1/logs",
                PROTOBUF,
                gzip.compress(b"", mtime=0) * 2,
                {"Content_Encoding": "gzip"},
                400,
            ),
            (
                "/v1/logs",
                JSON,
                gzip.compress(bytes(10**6), mtime=0),
                {"Content_Encoding": "gzip"},
                413,
            ),
            ("/v1/logs", PROTOBUF, bytes(200_001), {}, 413),
        ],
    )
    def test_statuses(
        self, tmp_path: Path, path: str, kind: str, body: bytes, more: dict[str, str], status: int
    ) -> None:
        limits = OtlpLimits(body=200_000, unzipped=500_000)
        with listening(Spool(tmp_path), limits=limits) as source:
            client = Client(source)
            found, told = client.post(body, kind, path, **more)
            assert found == status
            assert client.answer.getheader("content-type") == (
                PROTOBUF if kind == PROTOBUF else JSON
            )
            if status != 200:
                assert told if kind == PROTOBUF else json.loads(told)["message"]
            if status == 415:
                assert client.answer.getheader("accept-encoding") == "gzip"
            assert Client(source).post(request("x").SerializeToString())[0] == 200

    def test_get_is_405(self, tmp_path: Path) -> None:
        with listening(Spool(tmp_path)) as source:
            link = http.client.HTTPConnection("127.0.0.1", source.port, timeout=10)
            link.request("GET", "/v1/logs")
            answer = link.getresponse()
            assert (answer.status, answer.getheader("allow")) == (405, "POST")

    def test_a_sender_may_ask_before_it_sends(self, tmp_path: Path) -> None:
        body = request("x").SerializeToString()
        with listening(Spool(tmp_path)) as source, raw(source) as link:
            link.sendall(
                b"POST /v1/logs HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                b"Content-Type: application/x-protobuf\r\nContent-Length: %d\r\n\r\n" % len(body)
            )
            assert link.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            link.sendall(body)
            assert link.recv(1000).startswith(b"HTTP/1.1 200")

    def test_who_has_said_all_still_hears_the_answer(self) -> None:
        spool, body = Slow(), as_json(request("x"))
        head = b"POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        with listening(spool) as source, raw(source) as link:
            link.sendall(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            link.shutdown(socket.SHUT_WR)
            wait_for(lambda: bool(spool.data))
            time.sleep(0.1)
            spool.leave.set()
            assert everything(link).startswith(b"HTTP/1.1 200")

    def test_requests_sent_ahead_are_answered_in_order(self, tmp_path: Path) -> None:
        post = b"POST %b HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        body = as_json(request("x"))
        good = post % b"/v1/logs" + b"Content-Length: %d\r\n\r\n" % len(body) + body
        bad = post % b"/v1/logs" + b"Content-Length: 1\r\n\r\n{"
        with listening(Spool(tmp_path)) as source, raw(source) as link:
            link.sendall(good + bad + good * 3 + post % b"/else" + b"Content-Length: 0\r\n\r\n")
            found = everything(link)
            statuses = [int(part[:3]) for part in found.split(b"HTTP/1.1 ")[1:]]
            assert statuses == [200, 400, 200, 200, 200, 404]

    def test_who_sends_ahead_without_end_is_not_read(self) -> None:
        spool, body = Slow(), as_json(request("x"))
        head = b"POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        good = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
        with listening(spool) as source, raw(source) as link:
            link.settimeout(0.5)
            with pytest.raises(TimeoutError):
                link.sendall(good * 50_000)
            assert source._hall.held < 1 << 20

    def test_a_request_that_fits_no_spool_is_told_to_be_smaller(self, tmp_path: Path) -> None:
        with listening(Spool(tmp_path, 400_000)) as source:
            client = Client(source)
            assert client.post(request(*["x" * 900] * 100).SerializeToString())[0] == 413
            assert client.post(request(*["x" * 900] * 10).SerializeToString())[0] == 200

    def test_who_is_too_slow_has_to_go(self, tmp_path: Path) -> None:
        limits = OtlpLimits(idle=0.2, head=0.2, slowest=1e6)
        head = b"POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        with listening(Spool(tmp_path), limits=limits) as source:
            for text in (b"", b"POST", head + b"Content-Length: 9000\r\n\r\nabc"):
                with raw(source) as link:
                    link.sendall(text)
                    start = time.monotonic()
                    with contextlib.suppress(ConnectionError):
                        assert link.recv(10) == b""
                    assert time.monotonic() - start < 5
            assert source.counts["connections_overdue"] == 3

    def test_connections_are_capped_and_freed(self, tmp_path: Path) -> None:
        with listening(Spool(tmp_path), caps=Caps(connections=50)) as source:
            with contextlib.ExitStack() as held:
                for _ in range(60):
                    held.enter_context(raw(source))
                wait_for(lambda: source.counts["connections_refused"] == 10)
            wait_for(lambda: not source._hall.guests)
            assert Client(source).post(b"")[0] == 200

    def test_unfinished_bodies_share_one_bound(self, tmp_path: Path) -> None:
        head = (
            b"POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
            b"Content-Length: 90000\r\n\r\n"
        )
        with (
            listening(Spool(tmp_path), caps=Caps(unfinished=200_000)) as source,
            contextlib.ExitStack() as held,
        ):
            links = [held.enter_context(raw(source)) for _ in range(6)]
            for link in links:
                link.sendall(head + bytes(80_000))
            wait_for(lambda: source.counts["status_429"] == 4)
            assert source._hall.held <= 200_000
            held.close()
            wait_for(lambda: source._hall.held == 0)

    def test_closing_keeps_what_was_answered(self, tmp_path: Path) -> None:
        with listening(Spool(tmp_path)) as source:
            assert Client(source).post(request("kept").SerializeToString())[0] == 200
        source.close()  # twice does no harm
        with listening(Spool(tmp_path)) as source:
            assert [line["body"] for line in lines_of(source)] == ["kept"]

    def test_an_address_in_use_is_one_sentence(self, tmp_path: Path) -> None:
        with (
            listening(Spool(tmp_path / "a")) as source,
            pytest.raises(InputError, match=r"^Cannot listen on 127.0.0.1:\d+: .*in use"),
        ):
            OtlpSource(Address("127.0.0.1", source.port), Spool(tmp_path / "b"))

    def test_noise_gets_no_5xx(self, tmp_path: Path) -> None:
        rng = random.Random(5)
        body = request("a", "b", k="v").SerializeToString()
        head = b"POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Type: application/%b\r\n"
        with listening(Spool(tmp_path)) as source:
            for i in range(150):
                kind, sent = ((b"json", as_json(request("a"))), (b"x-protobuf", body))[i % 2]
                if i % 3 == 0:
                    sent = gzip.compress(sent, mtime=0)
                text = head % kind + b"Content-Encoding: gzip\r\n" * (i % 3 == 0)
                text += b"Content-Length: %d\r\n\r\n" % len(sent) + sent
                with raw(source) as link, contextlib.suppress(ConnectionError):
                    link.sendall(rng.randbytes(200) if i % 10 == 9 else mutated(text, rng))
                    if i % 4:  # the others stay half-open
                        link.shutdown(socket.SHUT_WR)
                        everything(link)
            wait_for(lambda: not source._hall.guests)
            seen = {name for name, count in source.counts.items() if count}
            assert "status_503" not in seen
            assert seen & {"status_400", "status_415", "status_404"}
            assert Client(source).post(body)[0] == 200


@contextlib.contextmanager
def raw(source: OtlpSource) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", source.port), timeout=10) as link:
        yield link


def everything(link: socket.socket) -> bytes:
    found = b""
    while data := link.recv(1 << 16):
        found += data
    return found


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize(
    "url", ["otlp://h:1/path", "otlp://u:p@h:1", "otlp://h:99999", "http://h:1", "otlp://h:1?a=b"]
)
def test_an_address_that_is_none_is_one_sentence(url: str) -> None:
    with pytest.raises(SettingsError, match=r"expected otlp://\[HOST\]:PORT"):
        address(url, "otlp", 4318)
