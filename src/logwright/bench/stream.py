"""The stream suite: lines/s and latency of `logwright worker`, one process, on two cores.

Who sends, the Redis server and the worker are processes of their own on the same two cores. Lines
come by the clock, whether or not the worker keeps up (an open loop), so slowness shows as waiting.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from logwright.bench import stream_files
from logwright.bench.bar import Bar
from logwright.bench.stream_lines import AT_ONCE
from logwright.bench.stream_models import RULES, learned, ruled, taught
from logwright.bench.stream_run import Given, measured

__all__ = ["bars", "run"]

_ENTRY = 500
_HISTORY = 1_000_000
_QUICK = 100_000
LADDER, FULL = "Redis", "Redis, rules, sequence"
KAFKA, SHARED = "Kafka (mock)", "Redis, state in it"
_P99 = 45
_TIMED, _KEPT, _MORE, _SLOWER, _MOCKED = 100_000, 155_000, 300_000, 41_000, 40_000
_LOGNEO = "15,000 events/s at 45 ms end to end (its paper; other data, model and machines)"


def run(data: Path, quick: bool = False) -> dict[str, Any]:
    """The rows, and the bars they meet; `quick` sends a few lines slowly."""
    found = rows(data, quick)
    told = bars(found)
    return {
        "data": f"HDFS lines by the clock, about {AT_ONCE:,} sessions open at any time",
        "settings": {"quick": quick, "lines_an_entry": _ENTRY, "rules": RULES, "cores": 2},
        "rows": found,
        "summary": {
            **{bar.key: bar.value for bar in told},
            "bars": {of: [b.told for b in told if b.of == of] for of in {b.of: 0 for b in told}},
            "LogNEO, as published": _LOGNEO,
        },
    }


def rows(data: Path, quick: bool = False) -> list[dict[str, Any]]:
    """A row for each source, ladder and rate."""
    out: list[dict[str, Any]] = []
    plan: tuple[tuple[str, float, float], ...] = (
        (LADDER, _TIMED, 60),
        (LADDER, _KEPT, 60),
        (LADDER, _MORE, 20),
        (FULL, _SLOWER, 60),
        (SHARED, _TIMED, 30),
        (KAFKA, _MOCKED, 20),
    )
    if quick:
        plan = ((LADDER, _QUICK, 3), (FULL, _QUICK, 3), (KAFKA, _MOCKED, 8))
    for what, rate, seconds in plan:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            given = _given(what, data, rate, seconds, folder, quick)
            (work := folder / "work").mkdir()
            way = "kafka" if what == KAFKA else "redis"
            out.append({"what": what, **measured(given, data, work, way)})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = _given("", data, _TIMED, 3 if quick else 30, folder, quick)
        (work := folder / "work").mkdir()
        out.append(stream_files.whole(given, data, work))
        out.append(stream_files.tail(data, 20_000 if quick else 5_000_000, folder))
    return out


def _given(what: str, data: Path, rate: float, seconds: float, folder: Path, quick: bool) -> Given:
    """A model for the rate, and what else judges."""
    model = learned(data, rate, folder, 300_000 if quick else _HISTORY)
    rules = None
    if what == FULL:
        taught(model, folder / "history.log", quick)
        rules = ruled(folder / "history.log", folder / "rules")
    return Given(model, rate, seconds, _ENTRY, rules, what == SHARED)


def bars(found: Sequence[dict[str, Any]]) -> list[Bar]:
    """What was aimed at."""
    by = {what: [row for row in found if row["what"] == what] for what in (LADDER, FULL)}
    plain, full = by[LADDER], by[FULL][0]
    tail = found[-1]["lines_per_s"]
    lost = sum(row.get("lost", 0) + row.get("doubled", 0) for row in found)
    kept = plain[min(1, len(plain) - 1)]["lines_per_s"]
    return [
        Bar(LADDER, "redis_rate", "lines/s, for 60 s", kept, 150_000),
        Bar(LADDER, "redis_p99", f"p99 (ms) at {_TIMED:,}/s", plain[0]["ms_p99"], _P99, most=True),
        Bar(FULL, "full_rate", "lines/s, for 60 s", full["lines_per_s"], 40_000),
        Bar(FULL, "full_p99", "p99 (ms) at that rate", full["ms_p99"], _P99, most=True),
        Bar("files", "tail_rate", "lines/s read", tail, 500_000),
        Bar("all rows", "lost", "findings lost or doubled", lost, 0, most=True),
    ]
