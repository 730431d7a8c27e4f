"""Metrics: what a worker counts and times, for Prometheus, and whether it is alive and ready.

`Metrics` does nothing and costs nothing; `opened` gives one that serves `/metrics`, `/healthz` and
`/readyz` where an address was asked for. Names are in `STAGES`, `GAUGES` and `COUNTS`, each with
its meaning: a name that is not there is a bug. Labels are words of ours, detectors and feeds'
names, never text of logs, so that their number stays bounded; `forget` drops those of a lost feed.

Every worker process serves its own page (Prometheus adds them up): none merges those of others,
so nothing stale is left of one that died.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal

from logwright.errors import MissingExtraError, SettingsError
from logwright.findings.finding import Finding

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["COUNTS", "GAUGES", "STAGES", "Count", "Gauge", "Metrics", "Stage", "opened"]

Stage = Literal["read", "judge", "commit", "deliver", "end_to_end"]
Gauge = Literal["lag", "snapshot_bytes", "spool_bytes", "outbox", "open_windows"]
Count = Literal["dropped", "evicted", "errors", "delivered", "verdicts", "checkpoints"]

STAGES: dict[Stage, str] = {
    "read": "waiting for a feed's entries, and taking them",
    "judge": "from bytes to records, templates and windows, and from those to findings",
    "commit": "one transaction of the keeper",
    "deliver": "handing findings to one sink",
    "end_to_end": "from the arrival of the line that gave a finding until the finding was kept",
}
GAUGES: dict[Gauge, str] = {
    "lag": "Lines, or entries, of a feed that are not read yet",
    "snapshot_bytes": "Size of a feed's last checkpoint",
    "spool_bytes": "Bytes on disk that wait to be read and kept",
    "outbox": "Findings that a sink still waits for",
    "open_windows": "Windows that wait for more lines",
}
COUNTS: dict[Count, tuple[str, str]] = {
    "dropped": ("reason", "Entries of the input that were left out"),
    "evicted": ("reason", "State that was let go to keep memory bounded"),
    "errors": ("reason", "Failures that were met and retried"),
    "delivered": ("sink", "Findings that sinks have taken"),
    "verdicts": ("verdict", "Verdicts that began to act"),
    "checkpoints": ("reason", "Checkpoints that were kept"),
}
_BUCKETS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.045, 0.06, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
_STUCK = 30.0
"""Seconds without a turn of its loop after which a worker is not ready."""

_DEAD = 300.0
"""Seconds without a turn after which it is not alive: who watches it should start it anew."""

_CONNECTIONS = 16
_PATIENCE = 5.0
"""Seconds a client may be silent while it asks."""


class Metrics:
    """Counts nothing: what a worker calls where nobody asked for metrics.

    >>> metrics = opened(None)
    >>> metrics.lines(1_000, 120_000)
    >>> metrics.stage("judge", 0.003)
    >>> metrics.count("dropped", "too_large")
    """

    def turn(self, feeds: int) -> None:
        """The worker's loop goes on; it owns so many feeds. Each turn, also when nothing comes."""

    def lines(self, lines: int, size: int) -> None:
        """So many lines, of so many bytes, were taken."""

    def stage(self, stage: Stage, seconds: float) -> None:
        """A stage took so long, for one batch; below 0 counts as 0, as clocks differ."""

    def gauge(self, name: Gauge, value: float, feed: str = "") -> None:
        """Something has a size now; `feed` is the feed, spool or sink it belongs to."""

    def count(self, name: Count, what: str, n: int = 1) -> None:
        """`n` more of something; `what` is its one label (`COUNTS`), a word of ours."""

    def found(self, findings: Iterable[Finding]) -> None:
        """New findings, by detector, severity and state."""

    def model(self, learned: float) -> None:
        """When the model in use was learned (seconds since 1970 UTC)."""

    def forget(self, feed: str) -> None:
        """A feed was lost: its gauges belong to another worker now."""

    def close(self) -> None:
        """End serving; it may be closed twice."""


class _Prometheus(Metrics):
    def __init__(self, host: str, port: int) -> None:
        try:
            import prometheus_client as client
        except ImportError:
            raise MissingExtraError("serve", "prometheus-client") from None
        registry = client.CollectorRegistry()  # its own: no state of the process
        client.ProcessCollector(registry=registry)
        self._began = self._turned = time.monotonic()
        self._owned = -1
        self._lines = client.Counter("logwright_lines", "Lines taken", registry=registry)
        self._bytes = client.Counter("logwright_bytes", "Bytes taken", registry=registry)
        seconds = client.Histogram(
            "logwright_stage_seconds",
            "; ".join(f"{stage}: {text}" for stage, text in STAGES.items()),
            ["stage"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._stages = {stage: seconds.labels(stage) for stage in STAGES}
        self._gauges = {
            name: client.Gauge(f"logwright_{name}", text, ["feed"], registry=registry)
            for name, text in GAUGES.items()
        }
        self._counts = {
            name: client.Counter(f"logwright_{name}", text, [label], registry=registry)
            for name, (label, text) in COUNTS.items()
        }
        labels = ["detector", "severity", "state"]
        self._found = client.Counter(
            "logwright_findings", "New findings", labels, registry=registry
        )
        self._feeds = client.Gauge("logwright_feeds", "Feeds owned", registry=registry)
        self._age = client.Gauge(
            "logwright_model_age_seconds", "Since the model was learned", registry=registry
        )
        self._server = _Server(host, port, self, registry)

    def turn(self, feeds: int) -> None:
        self._turned = time.monotonic()
        if feeds != self._owned:
            self._owned = feeds
            self._feeds.set(feeds)

    def lines(self, lines: int, size: int) -> None:
        self._lines.inc(lines)
        self._bytes.inc(size)

    def stage(self, stage: Stage, seconds: float) -> None:
        self._stages[stage].observe(max(seconds, 0.0))

    def gauge(self, name: Gauge, value: float, feed: str = "") -> None:
        self._gauges[name].labels(feed).set(value)

    def count(self, name: Count, what: str, n: int = 1) -> None:
        self._counts[name].labels(what).inc(n)

    def found(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._found.labels(finding.detector, finding.severity, finding.state).inc()

    def model(self, learned: float) -> None:
        self._age.set_function(lambda: time.time() - learned)

    def forget(self, feed: str) -> None:
        for gauge in self._gauges.values():
            with contextlib.suppress(KeyError):
                gauge.remove(feed)

    def close(self) -> None:
        self._server.close()

    def silent(self) -> float:
        """Seconds since the loop's last turn."""
        return time.monotonic() - self._turned

    def unready(self) -> str | None:
        """Why the worker is not ready; None where it is."""
        if self.silent() > _STUCK:
            return f"stuck: the worker's loop made no turn for {self.silent():.0f} s"
        if self._owned < 0:
            return "the worker starts"
        return None if self._owned else "no feed: other workers own them, or there is none yet"


class _Server(ThreadingHTTPServer):
    """Answers three paths, a few connections at a time; more are closed at once."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = _CONNECTIONS

    def __init__(
        self, host: str, port: int, metrics: _Prometheus, registry: CollectorRegistry
    ) -> None:
        self.metrics, self.registry = metrics, registry
        self._room = threading.BoundedSemaphore(_CONNECTIONS)
        self._closed = False
        if ":" in host or not host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host or "::", port), _Handler)
        except OSError as error:
            if host:
                raise _cannot_listen(host, port, error) from None
            self.address_family = socket.AF_INET  # a machine without IPv6
            try:
                super().__init__(("0.0.0.0", port), _Handler)
            except OSError as last:
                raise _cannot_listen(host, port, last) from None
        threading.Thread(target=self.serve_forever, name="metrics", daemon=True).start()

    def server_bind(self) -> None:
        if self.address_family == socket.AF_INET6:  # "::" takes IPv4 as well
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no concern of the worker's."""

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.shutdown()
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE
    server_version, sys_version = "logwright", ""

    def do_GET(self) -> None:
        metrics, path = self.server.metrics, self.path.partition("?")[0]
        if path == "/metrics":
            from prometheus_client import exposition

            kind = exposition.CONTENT_TYPE_LATEST
            self._answer(200, exposition.generate_latest(self.server.registry), kind)
        elif path == "/healthz":
            silent = metrics.silent()
            dead = silent > _DEAD
            text = f"no turn for {silent:.0f} s\n" if dead else "alive\n"
            self._answer(503 if dead else 200, text.encode())
        elif path == "/readyz":
            why = metrics.unready()
            self._answer(503 if why else 200, f"{why or 'ready'}\n".encode())
        else:
            self._answer(404, b"/metrics, /healthz or /readyz\n")

    do_HEAD = do_GET  # noqa: N815

    def _answer(self, code: int, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: who asks for metrics asks every few seconds."""


def _cannot_listen(host: str, port: int, error: OSError) -> SettingsError:
    return SettingsError(
        f"--metrics cannot listen on {host}:{port}, {error.strerror or error}: name another port"
    )


def opened(address: str | None, process: int = 0) -> Metrics:
    """Metrics as asked for.

    Args:
        address: ``:PORT`` (every interface), ``HOST:PORT`` or ``[IPV6]:PORT``; None for none.
        process: The how manieth of several processes this is; each serves at its own port, which is
            this many above `PORT`.
    """
    if address is None:
        return Metrics()
    host, colon, port = address.rpartition(":")
    bare = ":" in host and not (host.startswith("[") and host.endswith("]"))
    if not colon or bare or not port.isdecimal() or not 0 < int(port) + process < 1 << 16:
        raise SettingsError(
            f"--metrics {address!r} is no address: it is :PORT, HOST:PORT or [IPV6]:PORT"
        )
    return _Prometheus(host.strip("[]"), int(port) + process)
