"""Files as a stream: lines/s of following a file, and of a whole worker on one."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from logwright.bench.stream_processes import until, worker
from logwright.bench.stream_producer import flow_of
from logwright.bench.stream_run import Given, foreseen
from logwright.errors import LogwrightError
from logwright.stream.files import Files

__all__ = ["tail", "whole"]

_MOST = 1 << 20
_END = 600.0


def _written(data: Path, rate: float, lines: int, path: Path) -> None:
    with open(path, "wb") as file:
        file.writelines(flow_of(str(data), rate).entries(1_000, lines))


def tail(data: Path, lines: int, folder: Path) -> dict[str, Any]:
    """Reading alone: whole lines with their positions, by the processor's time and the clock's."""
    path = folder / "app.log"
    _written(data, 100_000, lines, path)
    files = Files([str(path)])
    (feed,), _ = files.feeds()
    feed.seek(None)
    read, busy, began = 0, time.process_time(), time.perf_counter()
    while read < lines:
        entries = feed.read(_MOST, 1.0)
        if not entries:
            raise LogwrightError(f"{path} gave {read:,} of {lines:,} lines")
        read += sum(entry.data.count(b"\n") for entry in entries)
        feed.done(entries[-1].position)
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    files.close()
    return {
        "what": "file, reading alone",
        "lines_per_s": round(lines / seconds),
        "cpu": round(busy / seconds, 2),
    }


def whole(given: Given, data: Path, folder: Path) -> dict[str, Any]:
    """A worker on a file that is there all at once: from when it appears until its last finding is
    in the sink, another file."""
    flow = flow_of(str(data), given.rate)
    closed = foreseen(given, flow, "app.log")
    path, ready, out = folder / "app.log", folder / "ready", folder / "findings.jsonl"
    _written(data, given.rate, given.lines, ready)
    state = ["--state", str(folder / "worker.db"), "--out", str(out)]
    with worker(given.model, str(path), folder, *state) as running:
        until(lambda: running.ended or (folder / "worker.db").exists(), "the worker")
        time.sleep(1.0)
        before, began = running.seconds, time.perf_counter()
        os.rename(ready, path)
        until(lambda: running.ended or _lines(out) >= len(closed), "the last finding", _END)
        seconds, busy = time.perf_counter() - began, running.seconds - before
        resident = running.resident
        running.end()
    found = [json.loads(line)["id"] for line in out.read_text("utf-8").splitlines()]
    return {
        "what": "file, whole worker",
        "lines_per_s": round(given.lines / seconds),
        "findings": len(closed),
        "lost": len(closed.keys() - set(found)),
        "doubled": len(found) - len(set(found)),
        "cpu": round(busy / seconds, 2),
        "MiB": round(resident),
    }


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0
