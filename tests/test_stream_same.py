"""Whatever a worker reads from, and however it is cut into batches: the findings of `detect`."""

from __future__ import annotations

import json
import os
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import logwright as lw
from logwright import api
from logwright.settings import Settings
from logwright.stream import lane
from logwright.stream.delivery import Delivery
from logwright.stream.feed import Entry, Feed, Source
from logwright.stream.making import Maker
from logwright.stream.metrics import Metrics
from logwright.stream.opening import open_source
from logwright.stream.spool import Spool
from logwright.stream.sqlite_keeper import SqliteKeeper
from logwright.stream.stdin import Stdin
from logwright.stream.worker import Worker
from redis_server import running
from test_stream_kafka import Cluster
from test_stream_metrics import free_port
from test_worker_faults import log
from worker_fakes import Heard

LINES = log(5_000, 400, faults=True)


class Reading:
    """A feed, with the bytes that were read of it; of a broker's only the first partition."""

    def __init__(self, feed: Feed, got: bytearray) -> None:
        self._feed, self._got = feed, got
        self.name, self.source = feed.name, feed.source
        self.seek, self.done, self.lag, self.close = feed.seek, feed.done, feed.lag, feed.close

    def read(self, most: int, timeout: float) -> list[Entry]:
        entries = self._feed.read(most, timeout)
        for entry in entries:
            self._got += entry.data
        return entries


class Whole:
    """A source that ends once so many lines were read."""

    def __init__(self, source: Source, lines: int) -> None:
        self._source, self._lines = source, lines
        self.got = bytearray()
        self.close = source.close

    def feeds(self) -> tuple[list[Feed], list[str]]:
        gained, lost = self._source.feeds()
        return [Reading(feed, self.got) for feed in gained], lost

    @property
    def ended(self) -> bool:
        return self.got.count(b"\n") >= self._lines


def opened(given: str, folder: Path) -> Source:
    return open_source([given], folder / "spools", 1 << 20, Metrics(), print)


@contextmanager
def file(folder: Path) -> Iterator[Source]:
    (folder / "app.log").write_text("".join(LINES))
    yield opened(str(folder / "app.log"), folder)


@contextmanager
def stdin(folder: Path) -> Iterator[Source]:
    reader, writer = os.pipe()
    spool = Spool(folder / "spool")
    thread = threading.Thread(target=lambda: os.write(writer, "".join(LINES).encode()))
    thread.start()
    yield Stdin(spool, file=reader)
    thread.join()
    os.close(writer)
    os.close(reader)
    spool.close()


@contextmanager
def redis(folder: Path) -> Iterator[Source]:
    with running(folder) as server:
        client = server.client()
        for at in range(0, len(LINES), 7):
            client.xadd("logs", {"lines": "".join(LINES[at : at + 7])})
        yield opened(server.url("logs"), folder)


@contextmanager
def kafka(folder: Path) -> Iterator[Source]:
    cluster = Cluster()
    topic = cluster.topic()
    cluster.send(topic, 0, [line.encode() for line in LINES])
    yield opened(cluster.url(topic), folder)


@contextmanager
def syslog(folder: Path) -> Iterator[Source]:
    port = free_port()
    source = opened(f"syslog://127.0.0.1:{port}", folder)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sender:
        sender.sendall("".join(LINES).encode())
        yield source


@contextmanager
def otlp(folder: Path) -> Iterator[Source]:
    pytest.importorskip("opentelemetry.proto", reason="needs opentelemetry-proto, the extra otlp")
    port = free_port()
    source = opened(f"otlp://127.0.0.1:{port}", folder)
    for at in range(0, len(LINES), 500):
        records = [
            {"timeUnixNano": str((1_714_557_600 + n) * 10**9), "body": {"stringValue": line[20:-1]}}
            for n, line in enumerate(LINES[at : at + 500], at)
        ]
        body = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/logs",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200
    yield source


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> lw.Model:
    path = tmp_path_factory.mktemp("history") / "history.log"
    path.write_text("".join(log(0, 1_000, faults=False)))
    return lw.learn(str(path))


@pytest.mark.parametrize("most", [3_000, 1 << 20])
@pytest.mark.parametrize(
    "begun",
    [file, stdin, redis, pytest.param(kafka, marks=pytest.mark.slow), syslog, otlp],
    ids=lambda begun: str(begun.__name__),
)
def test_a_worker_finds_what_detect_finds(
    begun: Callable[[Path], Any],
    most: int,
    model: lw.Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lane, "_MOST", most)
    monkeypatch.setattr(lane, "_IDLE", 1e9)  # the clock closes nothing: `detect` has none
    heard, keeper = Heard(), SqliteKeeper(tmp_path / "worker.db")
    with ExitStack() as stack:
        source = Whole(stack.enter_context(begun(tmp_path)), len(LINES))
        maker = Maker(model, Settings(), None, print)
        deliveries = [Delivery(keeper, heard, "one", Metrics(), print)]
        worker = Worker(source, keeper, deliveries, maker, "one", Metrics(), print)
        guard = threading.Timer(60, worker.stop)
        guard.start()
        worker.run()
        guard.cancel()
    if begun is not otlp:  # whose lines are made of records
        assert source.got == "".join(LINES).encode()
    (tmp_path / "same.log").write_bytes(source.got)
    expected = api.detect([str(tmp_path / "same.log")], model, quiet="0s").findings
    assert len(expected) > 10
    assert sorted(heard.ids) == sorted(finding.id for finding in expected)
