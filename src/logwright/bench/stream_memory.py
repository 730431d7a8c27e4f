"""Memory of a worker that is never stopped: lines whose sessions and templates never come again.

They come by Redis as fast as the worker takes them: it has always `_AHEAD` lines to go on with, as
it would take waiting for silence of the log, and close its windows. How many it has judged, its
metrics tell.
"""

from __future__ import annotations

import os
import random
import re
import socket
import string
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from logwright.bench.bar import Bar
from logwright.bench.stream_models import learned
from logwright.bench.stream_processes import RedisServer, until, worker
from logwright.bench.stream_producer import STREAM, flow_of

__all__ = ["lines_of", "run"]

_LINES, _QUICK = 20_000_000, 150_000
_RATE = 100_000
_ENTRY, _NEW = 1_000, 500
_AHEAD = 500_000
_LOOKS = 0.2  # seconds
_WARM = 0.25
_GROWTH = 0.05
_SEED = 20_261_123


def run(data: Path, quick: bool = False) -> dict[str, Any]:
    """The row, and the bar it meets."""
    lines = _QUICK if quick else _LINES
    with tempfile.TemporaryDirectory() as name:
        row = _row(data, lines, Path(name), 300_000 if quick else 1_000_000)
    bar = Bar("memory", "growth", "growth after warm-up", row["growth"], _GROWTH, most=True)
    return {
        "data": f"HDFS lines, one in {_NEW} of a template that never came before",
        "settings": {"quick": quick, "lines_an_entry": _ENTRY, "warm_up": _WARM},
        "rows": [row],
        "summary": {bar.key: bar.value, "bars": {bar.of: [bar.told]}},
    }


def lines_of(data: Path, lines: int) -> Iterator[bytes]:
    """Entries in which every 500th line is of a template of its own."""
    rng = random.Random(_SEED)
    for entry in flow_of(data, _RATE).entries(_ENTRY, lines):
        rows = entry.splitlines(keepends=True)
        for at in range(0, len(rows), _NEW):
            words = " ".join("".join(rng.choices(string.ascii_lowercase, k=7)) for _ in range(4))
            head, _, block = rows[at].partition(b"blk_")
            rows[at] = b"%b 7 INFO dfs.%b blk_%b\n" % (head[:23], words.encode(), block[:19])
        yield b"".join(rows)


def _row(data: Path, lines: int, folder: Path, history: int) -> dict[str, Any]:
    model = learned(data, _RATE, folder, history)
    out = folder / "findings.jsonl"
    with socket.create_server(("127.0.0.1", 0)) as free:
        metrics = f"127.0.0.1:{free.getsockname()[1]}"
    with RedisServer(folder, durable=False) as server:
        source, state = server.url(f"{STREAM}?trim=done"), str(folder / "worker.db")
        own = ("--state", state, "--out", str(out), "--metrics", metrics)
        with worker(model, source, folder, *own) as running:
            until(lambda: running.ended or server.client.exists(STREAM) > 0, "the worker")
            began, looked = time.monotonic(), 0.0
            seen: list[tuple[int, float]] = []
            sent = judged = 0
            for entry in lines_of(data, lines):
                server.client.xadd(STREAM, {"lines": entry})
                sent += len(entry.splitlines())
                while time.monotonic() - looked >= _LOOKS or (sent - judged > _AHEAD):
                    time.sleep(max(looked + _LOOKS - time.monotonic(), 0))
                    looked, judged = time.monotonic(), _judged(metrics)
                    seen.append((judged, running.resident))
            until(lambda: _judged(metrics) == sent, "the end of the lines")
            seconds = time.monotonic() - began
            running.end()
    warm = [mib for at, mib in seen if at >= _WARM * lines] or [seen[-1][1]]
    tenth = max(len(warm) // 10, 1)
    first, last = median(warm[:tenth]), median(warm[-tenth:])
    return {
        "what": "ever-new sessions and templates",
        "lines": sent,
        "lines_per_s": round(sent / seconds),
        "MiB_warm": round(first, 1),
        "MiB_end": round(last, 1),
        "MiB_most": round(max(mib for _, mib in seen), 1),
        "growth": round(last / first - 1, 4),
        "findings": out.read_bytes().count(b"\n"),
        "disk_MB_of_state": round(os.path.getsize(folder / "worker.db") / 1e6, 1),
    }


def _judged(metrics: str) -> int:
    """How many lines a worker says it has judged."""
    with urllib.request.urlopen(f"http://{metrics}/metrics", timeout=30) as answer:
        found = re.search(rb"^logwright_lines_total (\S+)$", answer.read(), re.M)
    return int(float(found[1])) if found else 0
