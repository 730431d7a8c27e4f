"""Metrics: what Prometheus reads, whether a worker is alive and ready, and that nothing costs."""

from __future__ import annotations

import builtins
import inspect
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from logwright.errors import MissingExtraError, SettingsError
from logwright.findings.finding import Finding, WindowRef
from logwright.stream import metrics as module
from logwright.stream.kafka_link import parsed
from logwright.stream.metrics import COUNTS, GAUGES, STAGES, Count, Gauge, Metrics, Stage, opened

pytestmark = pytest.mark.slow

DEPLOY = Path(__file__).parents[1] / "deploy"


def a_finding(number: int, **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "id": f"f-{number:016x}",
        "pattern": "p-0000000000000001",
        "detector": "unseen",
        "unit": "template",
        "score": 10.0,
        "threshold": 9.0,
        "severity": "high",
        "summary": "new template",
        "expected": "none",
        "seen": "one",
        "window": WindowRef(kind="time", key="w", lines=3),
        "lines": (),
    }
    return Finding.model_validate(values | changes)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Served:
    def __init__(self) -> None:
        pytest.importorskip("prometheus_client")
        self.port = free_port()
        self.metrics = opened(f"127.0.0.1:{self.port}")

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as got:
                return int(got.status), got.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def values(self) -> dict[str, float]:
        """The samples of the page, by name and labels."""
        page = self.get("/metrics")[1]
        lines = (line.rpartition(" ") for line in page.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}


@pytest.fixture
def served() -> Iterator[Served]:
    it = Served()
    yield it
    it.metrics.close()


def test_what_was_counted_is_what_prometheus_reads(served: Served) -> None:
    metrics = served.metrics
    metrics.lines(1_000, 120_000)
    metrics.lines(10, 1_200)
    metrics.gauge("lag", 12, "kafka:app/0")
    metrics.count("dropped", "too_large", 2)
    metrics.count("delivered", "stdout", 3)
    metrics.count("verdicts", "benign")
    metrics.found([a_finding(1), a_finding(2), a_finding(3, state="suppressed")])
    metrics.model(time.time() - 100)
    metrics.turn(2)
    values = served.values()
    assert values["logwright_lines_total"] == 1_010
    assert values["logwright_bytes_total"] == 121_200
    assert values['logwright_lag{feed="kafka:app/0"}'] == 12
    assert values['logwright_dropped_total{reason="too_large"}'] == 2
    assert values['logwright_delivered_total{sink="stdout"}'] == 3
    assert values['logwright_verdicts_total{verdict="benign"}'] == 1
    found = 'logwright_findings_total{detector="unseen",severity="high",state="%s"}'
    assert values[found % "open"] == 2
    assert values[found % "suppressed"] == 1
    assert 100 <= values["logwright_model_age_seconds"] < 110
    assert values["logwright_feeds"] == 2
    assert values["process_resident_memory_bytes"] > 0


def test_latencies_are_histograms_with_a_bound_at_the_bar_of_45_ms(served: Served) -> None:
    for seconds in (0.002, 0.044, 0.046, -1.0):  # a clock that was set back is no latency below 0
        served.metrics.stage("end_to_end", seconds)
    values = served.values()
    within = 'logwright_stage_seconds_bucket{le="%s",stage="end_to_end"}'
    assert values[within % "0.045"] == 3
    assert values[within % "+Inf"] == 4
    assert values['logwright_stage_seconds_sum{stage="end_to_end"}'] == pytest.approx(0.092)


def test_a_lost_feed_leaves_no_stale_gauges(served: Served) -> None:
    for feed in ("a", "b"):
        served.metrics.gauge("lag", 5, feed)
    served.metrics.gauge("snapshot_bytes", 5, "a")
    served.metrics.forget("a")
    served.metrics.forget("never seen")
    assert [name for name in served.values() if 'feed="' in name] == ['logwright_lag{feed="b"}']


def test_ready_means_that_it_has_feeds_and_goes_on(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert served.get("/readyz") == (503, "the worker starts\n")
    served.metrics.turn(0)
    assert served.get("/readyz")[0] == 503
    assert served.get("/healthz") == (200, "alive\n")
    served.metrics.turn(1)
    assert served.get("/readyz") == (200, "ready\n")
    monkeypatch.setattr(module, "_STUCK", -1.0)
    code, why = served.get("/readyz")
    assert code == 503
    assert "stuck" in why
    assert served.get("/healthz")[0] == 200
    monkeypatch.setattr(module, "_DEAD", -1.0)
    assert served.get("/healthz")[0] == 503


def test_other_paths_and_methods_are_refused(served: Served) -> None:
    assert served.get("/")[0] == 404
    assert served.get("/../../etc/passwd")[0] == 404
    assert served.get("/metrics?name=x")[0] == 200
    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as client:
        client.sendall(b"POST /metrics HTTP/1.0\r\n\r\n")
        assert client.recv(1_000).startswith(b"HTTP/1.0 501")


def test_silent_clients_neither_block_nor_pile_up(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module._Handler, "timeout", 0.3)
    silent = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(40)]
    try:
        deadline = time.monotonic() + 10  # the first 16 time out, the others are closed at once
        while time.monotonic() < deadline:
            try:
                assert served.get("/healthz")[0] == 200
                break
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        else:
            pytest.fail("silent clients keep others out")
    finally:
        for client in silent:
            client.close()


def test_close_frees_the_port_and_may_come_twice() -> None:
    one = Served()
    one.metrics.close()
    one.metrics.close()
    opened(f"127.0.0.1:{one.port}").close()


def test_each_process_serves_at_its_own_port() -> None:
    pytest.importorskip("prometheus_client")
    port = free_port()
    second = opened(f"127.0.0.1:{port}", process=1)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port + 1}/healthz", timeout=5) as got:
            assert got.read() == b"alive\n"
    finally:
        second.close()


def test_every_interface_where_no_host_is_named() -> None:
    pytest.importorskip("prometheus_client")
    port = free_port()
    metrics = opened(f":{port}")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as got:
            assert got.status == 200
    finally:
        metrics.close()


@pytest.mark.parametrize("address", ["9464", "host", ":0", ":x", ":65536", "::1:80", "", ":9²"])
def test_a_bad_address_is_told_in_one_sentence(address: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(repr(address))):
        opened(address)


def test_a_taken_port_is_told_in_one_sentence(served: Served) -> None:
    with pytest.raises(SettingsError, match="name another port"):
        opened(f"127.0.0.1:{served.port}")


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    true_import = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.startswith("prometheus_client"):
            raise ImportError(name)
        return true_import(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"pip install 'logwright\[serve\]'"):
        opened(":9464")
    assert type(opened(None)) is Metrics  # a worker without metrics needs nothing


def test_every_name_has_its_meaning() -> None:
    assert set(STAGES) == set(get_args(Stage))
    assert set(GAUGES) == set(get_args(Gauge))
    assert set(COUNTS) == set(get_args(Count))


def test_metrics_that_are_off_take_every_call_that_those_that_are_on_take() -> None:
    own = {name for name, value in vars(module._Prometheus).items() if callable(value)}
    assert own - {"__init__", "silent", "unready"} == {
        name for name, value in vars(Metrics).items() if callable(value)
    }


class TestDeploy:
    """What `deploy/` holds fits the program. Containers themselves are not started here."""

    def test_the_compose_file_s_worker_is_a_command_that_exists(self) -> None:
        compose = the_yaml("compose.yaml")
        command = compose["services"]["worker"]["command"]
        given, known = {c.partition("=")[0] for c in command[1:]}, options_of_worker()
        assert command[0] == "worker"
        assert given <= known
        for each in command[1:]:
            option, _, value = each.partition("=")
            if value.startswith("kafka://"):
                parsed(value, {"group", "from"} if option == "--in" else ())
            if option == "--metrics":
                assert value == ":9464"
        used = {v.partition(":")[0] for s in compose["services"].values() for v in volumes(s)}
        assert {v for v in used if v[0] not in "./$"} == set(compose["volumes"])
        for name in ("prometheus.yml", "alerts.yml"):
            assert any(f"./{name}:" in v for v in volumes(compose["services"]["prometheus"]))

    def test_alerts_ask_for_metrics_that_are_there(self, served: Served) -> None:
        metrics = served.metrics
        for gauge in GAUGES:
            metrics.gauge(gauge, 1, "feed")
        for count in COUNTS:
            metrics.count(count, "what")
        metrics.model(0.0)
        there = {name.partition("{")[0] for name in served.values()} | {"up"}
        asked = set()
        for rule in the_yaml("alerts.yml")["groups"][0]["rules"]:
            asked |= set(re.findall(r"\b(?:logwright_\w+|up)\b", rule["expr"]))
        assert len(asked) > 5
        assert asked <= there
        page = (DEPLOY.parent / "docs" / "stream_operations.md").read_text("utf-8")
        own = {name for name in there if name.startswith("logwright_")}
        told = {re.sub(r"_(?:bucket|sum|count|created)$", "", name) for name in own}
        assert {name for name in told if f"`{name}" not in page} == set()

    def test_the_unit_s_command_is_one_that_exists(self) -> None:
        unit = (DEPLOY / "logwright-worker@.service").read_text("utf-8")
        example = (DEPLOY / "worker.env.example").read_text("utf-8")
        start = re.search(r"^ExecStart=.*/logwright worker (.*)$", unit, re.M)
        extra = re.search(r"^OPTIONS=(.*)$", example, re.M)
        assert start
        assert extra
        given = re.findall(r"--[a-z]+", f"{start[1]} {extra[1]}")
        assert set(given) <= options_of_worker()
        for setting in ("Restart=always", "NoNewPrivileges=yes", "ProtectSystem=strict"):
            assert f"\n{setting}\n" in unit
        if shutil.which("systemd-analyze"):
            done = subprocess.run(
                ["systemd-analyze", "security", "--offline=true", "--threshold=25", unit_of(unit)],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr


def the_yaml(name: str) -> Any:
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((DEPLOY / name).read_text("utf-8"))


def volumes(service: dict[str, Any]) -> list[str]:
    return list(service.get("volumes", []))


def options_of_worker() -> set[str]:
    module = pytest.importorskip("logwright.cli.worker")
    source = inspect.getsource(module)
    names = inspect.signature(module.worker).parameters
    return {f"--{name}" for name in names} | set(re.findall(r'"(--[a-z]+)"', source))


def unit_of(text: str) -> str:
    """The unit as a file of an instance."""
    path = Path.home() / "logwright-worker@test.service"
    path.write_text(text, "utf-8")
    return str(path)
