"""One measurement of a worker on a Redis stream: what was sent, found, lost and doubled, and how
long findings took.

A finding's time is that from when the entry with the line that closed its window was due, until the
entry with the finding was in the sink, rounded up to whole milliseconds: so it holds what the
sender, the server and the worker let it wait. Which entry that is, is found by judging all entries
once more, one by one, when all is over: findings are the same however lines are cut into entries.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from logwright import api
from logwright.bench.stream_lines import Flow
from logwright.bench.stream_processes import Process, RedisServer, started, until, worker
from logwright.bench.stream_producer import GO, READY, STREAM, Sending, Sent, flow_of
from logwright.errors import LogwrightError
from logwright.settings import Settings
from logwright.stream.feed import Entry
from logwright.stream.running import Running

__all__ = ["Given", "foreseen", "measured"]

_WARM = 5.0  # seconds
_END = 120.0


@dataclass(frozen=True, slots=True)
class Given:
    """What is measured: a model's folder, a rulebook's or none, lines a second, for so many
    seconds, so many lines an entry."""

    model: Path
    rate: float
    seconds: float
    size: int
    rules: Path | None = None
    shared: bool = False

    @property
    def settings(self) -> Settings:
        """The worker's."""
        return Settings(rules=None if self.rules is None else str(self.rules), store="none")

    @property
    def lines(self) -> int:
        """How many in all, in whole entries."""
        return int(self.rate * self.seconds) // self.size * self.size


def measured(given: Given, data: Path, folder: Path, way: str = "redis") -> dict[str, Any]:
    """The row of one measurement, by way of "redis" or "kafka"; `folder` is empty, and for what it
    writes. Findings go to Redis in any case; what the worker keeps is in a file, on disk, as it is
    by default, or in that Redis too (`shared`), which then has all on disk."""
    closed = foreseen(given, flow_of(data, given.rate), STREAM)
    with RedisServer(folder, given.shared) as server:
        words = Sending(str(data), server.port, way, given.lines, given.size, given.rate).words
        by = started("logwright.bench.stream_producer", words, log=folder / "sent.json")
        with by:
            _wait(by, lambda: server.client.exists(READY) > 0, "the sender")
            told: Any = server.client.hgetall(READY)
            state = server.url("state") if given.shared else str(folder / "worker.db")
            more = ["--state", state, "--out", server.url("findings?maxlen=0")]
            if given.rules is not None:
                more += ["--rules", str(given.rules)]
            with worker(given.model, told[b"source"].decode(), folder, *more) as running:
                feed = told[b"feed"].decode()
                _wait(running, lambda: _claimed(state, feed, server), "the worker")
                row, sent = _run(given, len(closed), server, by, running)
        arrive = {"arrive": row.pop("arrive")}
        return arrive | _told(given, sent, closed, server.found()) | row


def _claimed(state: str, feed: str, server: RedisServer) -> bool:
    """Whether the worker has the feed."""
    if "://" in state:
        return server.client.exists(f"{{state}}:feed:{feed}") > 0
    if not Path(state).exists():
        return False
    with closing(sqlite3.connect(state)) as kept:
        try:
            return bool(kept.execute("SELECT 1 FROM leases WHERE feed = ?", (feed,)).fetchall())
        except sqlite3.OperationalError:  # it is just being made
            return False


def foreseen(given: Given, flow: Flow, source: str) -> dict[str, int]:
    """The findings of a flow, and the entry that brings each."""
    running = Running(api.load(str(given.model)), given.settings, source)
    closed: dict[str, int] = {}
    try:
        for at, data in enumerate(flow.entries(given.size, given.lines)):
            for finding in running.push([Entry(data, str(at), 0)]):
                closed.setdefault(finding.id, at)
    finally:
        running.close()
    return closed


def _wait(process: Process, ready: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    """Wait for something that a process does."""

    def over() -> bool:
        if process.ended:
            raise LogwrightError(f"{what} ended: {process.said[-500:]}")
        return ready()

    until(over, what, seconds)


def _run(
    given: Given, expected: int, server: RedisServer, by: Process, running: Process
) -> tuple[dict[str, Any], Sent]:
    """Send, wait until all is found, and end the worker."""
    began, before = time.monotonic(), running.seconds
    server.client.set(GO, 1)
    _wait(running, lambda: by.said.startswith("{") or by.ended, "sending", given.seconds * 3 + _END)
    if not by.said.startswith("{"):
        raise LogwrightError(f"sending failed: {by.said[-500:]}")
    sent = Sent(**json.loads(by.said))
    until_then = time.monotonic() + given.seconds + _END
    while server.client.xlen("findings") < expected and time.monotonic() < until_then:
        if running.ended:
            raise LogwrightError(f"the worker ended: {running.said[-500:]}")
        time.sleep(0.05)
    row = {
        "arrive": round(given.rate),
        "cpu": round((running.seconds - before) / (time.monotonic() - began), 2),
        "MiB": round(running.resident),
        "late_ms": round(sent.late * 1e3, 1),
    }
    running.end()
    server.client.delete(GO)
    return row, sent


def _told(
    given: Given, sent: Sent, closed: Mapping[str, int], found: Sequence[tuple[str, int]]
) -> dict[str, Any]:
    """Times, and what was lost or doubled."""
    times = {name: at / 1e3 for name, at in reversed(found)}  # of one that came twice, the first
    row: dict[str, Any] = {
        "findings": len(closed),
        "lost": len(closed.keys() - times.keys()),
        "doubled": len(found) - len(times),
    }
    if others := times.keys() - closed.keys():
        row["unforeseen"] = len(others)
    known = [name for name in times if name in closed]
    if not known:
        return row
    step = given.size / given.rate
    entries = np.array([closed[name] for name in known])
    came = np.array([times[name] for name in known])
    waits = (came - sent.first - entries * step) * 1e3 + 1.0
    warm = entries * step >= min(_WARM, given.seconds / 4)
    waits = waits[warm] if warm.any() else waits
    p50, p99 = np.quantile(waits, [0.5, 0.99]).tolist()
    judged = (int(entries[np.argmax(came)]) + 1) * given.size
    return {
        "lines_per_s": round(judged / (float(came.max()) - sent.first + step)),
        "ms_p50": round(p50, 1),
        "ms_p99": round(p99, 1),
        **row,
    }
