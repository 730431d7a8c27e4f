"""Delivery: a sink gets every finding, in order, however slow, dead or forgetful it is."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.findings.jsonl import dumps
from logwright.store import open_store
from logwright.stream import delivery as delivery_module
from logwright.stream.delivery import Delivery
from logwright.stream.metrics import Metrics
from logwright.stream.sink import Sink, SinkError
from logwright.stream.sinks import FileSink, StoreSink, TextSink
from logwright.stream.sqlite_keeper import SqliteKeeper
from logwright.stream.webhook import Webhook, alert
from worker_fakes import Heard, finding


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[SqliteKeeper]:
    kept = SqliteKeeper(tmp_path / "worker.db")
    yield kept
    kept.close()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_module, "_FIRST", 0.01)
    monkeypatch.setattr(delivery_module, "_LONGEST", 0.05)
    monkeypatch.setattr(delivery_module, "_CLAIM", 0.02)


def texts(*numbers: int) -> list[bytes]:
    return [dumps(finding(n)).encode() for n in numbers]


def until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


class Work:
    """A keeper with a feed, and deliveries from it."""

    def __init__(self, keeper: SqliteKeeper) -> None:
        self.keeper, self.said = keeper, list[str]()
        token = keeper.claim("f", "a")
        assert token is not None
        self.token = token

    def emit(self, *numbers: int) -> None:
        self.keeper.emit("f", self.token, [finding(n) for n in numbers], 0)

    def delivery(self, sink: Sink, **more: Any) -> Delivery:
        made = Delivery(self.keeper, sink, "a", Metrics(), self.said.append, **more)
        made.start()
        return made


@pytest.fixture
def work(keeper: SqliteKeeper) -> Work:
    return Work(keeper)


def test_a_dead_sink_loses_nothing_and_keeps_no_other_back(work: Work) -> None:
    dead, well = Heard("dead"), Heard("well")
    dead.down = True
    deliveries = [work.delivery(dead), work.delivery(well)]
    work.emit(1, 2)
    until(lambda: len(well.got) == 2 and dead.tries > 2)
    work.emit(3)
    until(lambda: len(well.got) == 3)
    assert dead.got == []
    assert work.keeper.backlog() == 3
    dead.down = False
    until(lambda: len(dead.got) == 3)
    assert dead.got == well.got == texts(1, 2, 3)
    for each in deliveries:
        each.stop(1)
    assert work.keeper.backlog() == 0
    assert dead.closed
    told = [text for text in work.said if "down" in text]
    assert len(told) == 1, "a failure is said once"
    assert any("takes findings again" in text for text in work.said)


def test_what_was_not_delivered_goes_out_with_the_next_run(work: Work) -> None:
    first, second = Heard(), Heard()
    first.down = True
    delivery = work.delivery(first)
    work.emit(1, 2)
    until(lambda: first.tries > 0)
    delivery.stop(0.1)
    work.delivery(second).stop(1)
    assert second.got == texts(1, 2)


def test_stopping_delivers_what_is_there(work: Work) -> None:
    heard = Heard()
    delivery = work.delivery(heard)
    work.emit(*range(1_200))
    delivery.stop(10)
    assert heard.got == texts(*range(1_200))


def test_of_several_deliveries_to_a_sink_one_delivers(work: Work) -> None:
    sinks = [Heard("same") for _ in range(3)]
    deliveries = []
    for n, sink in enumerate(sinks):
        made = Delivery(work.keeper, sink, f"owner{n}", Metrics(), work.said.append)
        made.start()
        deliveries.append(made)
    for n in range(50):
        work.emit(n)
    until(lambda: sum(len(sink.got) for sink in sinks) == 50)
    assert sorted(len(sink.got) for sink in sinks) == [0, 0, 50]
    at = next(n for n, sink in enumerate(sinks) if sink.got)
    deliveries.pop(at).stop(1)  # another one takes over
    work.emit(50, 51)
    until(lambda: sum(len(sink.got) for sink in sinks) == 52)
    for delivery in deliveries:
        delivery.stop(1)


def test_unwanted_findings_pass_by(work: Work) -> None:
    heard = Heard()
    delivery = work.delivery(heard, wanted=lambda text: json.loads(text)["lines"][0]["line_no"] > 1)
    work.emit(1, 2, 3, 0)
    delivery.stop(5)
    assert heard.got == texts(2, 3)
    assert work.keeper.backlog() == 0


def test_a_bug_in_a_sink_reaches_the_worker(work: Work) -> None:
    class Broken(Heard):
        def put(self, findings: Sequence[bytes]) -> None:
            raise ZeroDivisionError

    delivery = work.delivery(Broken())
    work.emit(1)
    until(lambda: delivery.failure is not None)
    assert isinstance(delivery.failure, ZeroDivisionError)
    delivery.stop(1)
    assert work.keeper.backlog() == 1


def test_a_put_that_nobody_learned_of_is_in_the_file_once(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    sink = FileSink(path)
    sink.begin(1)
    sink.put(texts(1, 2))
    again = FileSink(path)  # as after a kill between the put and its note in the keeper
    again.begin(1)
    again.put(texts(1, 2, 3))
    again.begin(4)
    again.put(texts(4))
    assert path.read_bytes().splitlines() == texts(1, 2, 3, 4)
    # Another keeper begins its numbers anew: what is there stays.
    other = FileSink(path)
    other.begin(4)
    other.put(texts(9))
    assert path.read_bytes().splitlines() == texts(1, 2, 3, 4, 9)


@pytest.mark.parametrize("taken", [(1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)])
def test_a_put_that_slept_while_others_went_on_is_in_the_file_once(
    tmp_path: Path, taken: tuple[int, ...]
) -> None:
    path = tmp_path / "out.jsonl"
    sleeper, other = FileSink(path), FileSink(path)
    sleeper.begin(1)  # and it is about to put 1 and 2, which the other one does meanwhile
    other.begin(1)
    other.put(texts(*taken))
    left = range(len(taken) + 1, 6)
    if len(taken) > 1:
        other.begin(left[0])
        other.put(texts(*left))
    sleeper.put(texts(1, 2))
    if len(taken) == 1:
        other.begin(3)
        other.put(texts(3, 4, 5))
    assert path.read_bytes().splitlines() == texts(1, 2, 3, 4, 5)


def test_two_never_write_a_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    one, two = FileSink(path), FileSink(path)
    for sink in (one, two):
        sink.begin(1)
    with one._alone(), pytest.raises(SinkError, match="by another worker"):
        two.put(texts(1))
    two.put(texts(1))
    assert path.read_bytes().splitlines() == texts(1)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 2_000)), max_size=8))
def test_a_file_survives_a_kill_at_any_byte(
    tmp_path_factory: pytest.TempPathFactory, puts: list[tuple[int, int]]
) -> None:
    path = tmp_path_factory.mktemp("out") / "out.jsonl"
    number = 1
    for size, cut in puts:
        some = texts(*range(number, number + size))
        sink = FileSink(path)
        sink.begin(number)
        sink.put(some)
        sink.close()
        data = path.read_bytes()
        whole = sum(len(text) + 1 for text in some)
        os.truncate(path, len(data) - min(cut, whole))  # what a kill left of the put
        again = FileSink(path)
        again.begin(number)
        again.put(some)
        again.close()
        number += size
    got = path.read_bytes().splitlines() if puts else []
    assert got == texts(*range(1, number))


@pytest.mark.parametrize("left", [1, 10, 18, 30])
def test_a_first_put_that_a_kill_cut_short_is_made_again(tmp_path: Path, left: int) -> None:
    path = tmp_path / "out.jsonl"
    for _ in range(2):
        sink = FileSink(path)
        sink.begin(1)
        sink.put(texts(1))
        sink.close()
        whole = path.read_bytes()
        os.truncate(path, left)
    assert whole.splitlines() == texts(1)


def test_a_file_that_is_rotated_away_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    sink = FileSink(path)
    sink.begin(1)
    sink.put(texts(1))
    path.rename(tmp_path / "old.jsonl")
    sink.begin(2)
    sink.put(texts(2))
    assert path.read_bytes().splitlines() == texts(2)
    assert (tmp_path / "old.jsonl").read_bytes().splitlines() == texts(1)


def test_a_file_of_something_else_is_not_written(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("2024-05-01 hello\n")
    with pytest.raises(SettingsError, match="holds no findings"):
        FileSink(log)
    with pytest.raises(SettingsError, match="not a file"):
        FileSink(tmp_path)
    with pytest.raises(SettingsError, match="cannot be written"):
        FileSink(tmp_path / "absent" / "out.jsonl")
    assert log.read_text() == "2024-05-01 hello\n"


def test_the_store_keeps_each_finding_once(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    sink = StoreSink(path)
    sink.put(texts(1, 2))
    sink.put(texts(2, 3))
    sink.close()
    with open_store(path) as store:
        ids = {f.id for f in store.findings()}
    assert ids == {finding(n).id for n in (1, 2, 3)}


def test_standard_output_is_json_lines() -> None:
    out = StringIO()
    TextSink(lambda: out).put(texts(1, 2))
    assert [line.encode() for line in out.getvalue().splitlines()] == texts(1, 2)


class Manager(BaseHTTPRequestHandler):
    """An Alertmanager: answers with `code`, and keeps what it is sent."""

    code = 200
    got: list[tuple[str, dict[str, str], Any]] = []  # noqa: RUF012

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, dict(self.headers), json.loads(body)))
        self.send_response(self.code)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(b"because \x1b[31mno")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def manager() -> Iterator[str]:
    Manager.code, Manager.got = 200, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Manager)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_webhook_posts_alerts(manager: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGWRIGHT_WEBHOOK_TOKEN", "secret")
    hook = Webhook(manager)
    hook.put(texts(1, 2))
    ((path, headers, alerts),) = Manager.got
    assert path == "/api/v2/alerts"
    assert headers["Authorization"] == "Bearer secret"
    assert [a["annotations"]["finding"] for a in alerts] == [finding(n).id for n in (1, 2)]
    labels = alerts[0]["labels"]
    assert labels["alertname"] == "LogwrightFinding"
    assert labels["severity"] == "high"
    assert labels == alerts[1]["labels"], "like findings are one alert"
    assert "secret" not in hook.name


@pytest.mark.parametrize("code", [302, 404, 500, 503])
def test_a_webhook_that_does_not_take_alerts_fails(manager: str, code: int) -> None:
    Manager.code = code
    with pytest.raises(SinkError, match=str(code)) as told:
        Webhook(manager + "/hook").put(texts(1))
    assert "\x1b" not in str(told.value)
    assert [path for path, _, _ in Manager.got] == ["/hook"], "no redirect is followed"


def test_a_webhook_that_refuses_for_ever_is_said_once_and_counted(work: Work, manager: str) -> None:
    class Told(Metrics):
        errors = 0

        def count(self, name: str, what: str, n: int = 1) -> None:
            self.errors += (name, what) == ("errors", "sink")

    Manager.code, told = 400, Told()
    delivery = Delivery(work.keeper, Webhook(manager), "a", told, work.said.append)
    delivery.start()
    work.emit(1)
    until(lambda: told.errors >= 3)
    delivery.stop(0)
    assert len([text for text in work.said if "answers 400" in text]) == 1
    assert work.keeper.backlog() == 1


def test_a_webhook_that_is_away_or_silent_fails() -> None:
    with pytest.raises(SinkError, match="cannot be reached"):
        Webhook("http://127.0.0.1:9").put(texts(1))


@pytest.mark.parametrize("url", ["http://", "http://u:p@host/", "ftp://host", "http://[::1"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError) as told:
        Webhook(url)
    assert "u:p" not in str(told.value)


def test_an_alert_has_only_harmless_text_and_a_possible_start() -> None:
    from datetime import UTC, datetime

    wild = finding(1, "\x1b[31mred\u202e" + "x" * 9_000)
    wild = wild.model_copy(update={"first_seen": "2031-01-01T00:00:00Z"})
    made = alert(wild, datetime(2030, 1, 1, tzinfo=UTC))
    told = json.dumps(made, ensure_ascii=False)
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert len(told) < 10_000
    assert "startsAt" not in made
    now = datetime(2032, 1, 1, tzinfo=UTC)
    assert alert(wild, now)["startsAt"] == "2031-01-01T00:00:00Z"
    assert all(made["labels"].values())
