"""Throughput on one core: shapes, template ids (beside Drain3), whole commands, start-up."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from logwright.bench import corpora
from logwright.bench.measure import command, python
from logwright.bench.templates import MASKS, drain3_groups
from logwright.logs.kernel import Table, lines
from logwright.templates.miner import Miner
from logwright.templates.vocabulary import Vocabulary

__all__ = ["run"]

_BLOCK = 4 << 20
_REPEATS = 3


def _blocks(text: bytes) -> list[bytes]:
    out, at = [], 0
    while at < len(text):
        end = text.rfind(b"\n", at, at + _BLOCK) + 1 or len(text)
        out.append(text[at:end])
        at = end
    return out


def _best(work: Callable[[], int]) -> tuple[float, int]:
    """Median seconds of a few repeats, and what the work returned."""
    seconds, value = [], 0
    for _ in range(_REPEATS):
        started = time.perf_counter()
        value = work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), value


def _encode(blocks: list[bytes]) -> int:
    table = Table()
    for block in blocks:
        start, end = lines(block)
        table.encode(block, start, end)
    return len(table)


def _shape_row(name: str, text: bytes) -> dict[str, Any]:
    blocks = _blocks(text)
    number = text.count(b"\n")
    seconds, shapes = _best(lambda: _encode(blocks))
    rate = number / seconds / 1e6
    return {
        "what": f"shape encoding: {name}",
        "lines": number,
        "M_lines_per_s": round(rate, 3),
        "MB_per_s": round(len(text) / seconds / 1e6),
        "shapes": shapes,
    }


class _Ids:
    """Raw lines to template ids, as a run does it: encode, mine what is new, look up."""

    def __init__(self) -> None:
        self.table, self.miner = Table(), Miner()
        self.vocabulary: Vocabulary | None = None

    def first_pass(self, blocks: list[bytes]) -> int:
        codes, keys = [], []
        for block in blocks:
            start, end = lines(block)
            code, fresh = self.table.encode(block, start, end)
            contents = [block[int(start[i]) : int(end[i])] for i in fresh.tolist()]
            keys.append(self.table.keys(code[fresh]))
            self.miner.add(keys[-1], contents)
            codes.append(code)
        self.vocabulary = Vocabulary(self.miner, self.miner.group())
        every = np.arange(self.table.span, dtype=np.int32)
        self.vocabulary.learn_shapes(every, np.concatenate(keys))
        return sum(len(self.vocabulary.of(code)) for code in codes)

    def warm(self, blocks: list[bytes]) -> int:
        assert self.vocabulary is not None
        total = 0
        for block in blocks:
            start, end = lines(block)
            code, _ = self.table.encode(block, start, end)
            total += len(self.vocabulary.of(code))
        return total


def _template_rows(data: Path, quick: bool) -> list[dict[str, Any]]:
    text = corpora.mixed(data, 2 if quick else 40)
    blocks, number = _blocks(text), text.count(b"\n")
    cold = []
    for _ in range(_REPEATS):
        ids = _Ids()
        started = time.perf_counter()
        ids.first_pass(blocks)
        cold.append(number / (time.perf_counter() - started) / 1e6)
    seconds, _ = _best(lambda: ids.warm(blocks))
    warm = number / seconds / 1e6
    some = text.splitlines()[: 2_000 if quick else 120_000]
    started = time.perf_counter()
    drain3_groups([line.decode("utf-8", "replace") for line in some], MASKS)
    drain = len(some) / (time.perf_counter() - started) / 1e6
    first = statistics.median(cold)
    common = {"lines": number, "shapes": len(ids.table)}
    name = "line to template id, 12 systems shuffled"
    return [
        {
            "what": f"{name}: first pass",
            "M_lines_per_s": round(first, 3),
            **common,
            "times_drain3": round(first / drain, 1),
        },
        {
            "what": f"{name}: warm",
            "M_lines_per_s": round(warm, 3),
            **common,
            "times_drain3": round(warm / drain, 1),
        },
        {
            "what": "Drain3 with masks, same lines",
            "lines": len(some),
            "M_lines_per_s": round(drain, 4),
        },
    ]


def _command_rows(data: Path, folder: Path, quick: bool) -> list[dict[str, Any]]:
    size = (20 if quick else 500) << 20
    rows = []
    for name, replicas in (
        ("BGL-like, no sessions", corpora.bgl(data)),
        ("HDFS-like, sessions by key", corpora.hdfs(data)),
        ("JSON lines", corpora.json_lines(data)),
    ):
        log, small = folder / "big.log", folder / "small.log"
        number = corpora.write_file(log, replicas, size)
        few = corpora.write_file(small, replicas, size // 4)
        for verb in ("learn", "detect", "scan"):
            where = ["-o" if verb == "learn" else "-m", str(folder / f"{name[:3]}.model")]
            where = where if verb != "scan" else []
            times = [command(verb, str(log), *where).seconds for _ in range(1 if quick else 3)]
            seconds = statistics.median(times)
            row = {
                "what": f"logwright {verb}: {name}",
                "lines": number,
                "M_lines_per_s": round(number / seconds / 1e6, 3),
                "seconds": round(seconds, 2),
            }
            if verb == "learn":
                short = command(verb, str(small), "-o", str(folder / "small.model")).seconds
                # 1.0: four times the lines take four times as long (start-up is in both).
                row["linearity"] = round((seconds / number) / (short / few), 3)
            rows.append(row)
        log.unlink()
    return rows


def _start_rows(data: Path, folder: Path) -> list[dict[str, Any]]:
    log = folder / "100k.log"
    log.write_bytes(next(corpora.bgl(data)))
    empty = statistics.median(python(["-c", "pass"]).seconds for _ in range(5))
    loaded = statistics.median(python(["-c", "import logwright"]).seconds for _ in range(5))
    helped = statistics.median(command("--help").seconds for _ in range(5))
    scanned = statistics.median(command("scan", str(log)).seconds for _ in range(3))
    return [
        {"what": "import logwright, above a bare interpreter", "seconds": round(loaded - empty, 3)},
        {"what": "logwright --help", "seconds": round(helped, 3)},
        {"what": "logwright scan of 100,000 lines", "lines": 100_000, "seconds": round(scanned, 3)},
    ]


def run(data: Path, quick: bool = False) -> dict[str, Any]:
    """All rows; rates are medians of three on one core."""
    number = 50_000 if quick else 1_000_000
    bgl, hdfs = corpora.bgl(data), corpora.hdfs(data)
    repeats = 1 if quick else 8
    rows = [
        _shape_row("BGL", b"".join(next(bgl) for _ in range(repeats))),
        _shape_row("HDFS", b"".join(next(hdfs) for _ in range(repeats))),
        *(
            _shape_row(f"a fresh {kind} in each line", corpora.fresh_ids(data, kind, number))
            for kind in ("uuid", "hex", "base64")
        ),
        *_template_rows(data, quick),
    ]
    with tempfile.TemporaryDirectory() as folder:
        rows += _command_rows(data, Path(folder), quick)
        rows += _start_rows(data, Path(folder))
    summary = {row["what"]: row.get("M_lines_per_s", row.get("seconds")) for row in rows}
    return {
        "data": "replicas of bgl_first100k, hdfs_raw_sample and loghub_2k",
        "settings": {"repeats": _REPEATS, "block_bytes": _BLOCK, "cores": 1, "quick": quick},
        "rows": rows,
        "summary": summary,
    }
