"""Format detection: the twelve LogHub 2k systems and the repository's sample files.

What each file is was written down beforehand: for the systems here, for the samples in
``expected.json`` beside them, which was made together with the lines and not from what is detected.

* right: the format found is the one expected.
* times: share of the lines that name a time from which one was read. That it is the right one is
  held by the tests, not here.

Not measured here: levels, hosts and components, and where the message begins.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from logwright.errors import InputError
from logwright.logs.batch import NO_TIME, Block, Int8s, Int64s
from logwright.logs.formats import Detected, detect, sample_lines
from logwright.logs.json_lines import JsonLines
from logwright.logs.kernel import headers, lines
from logwright.logs.layout import level_code
from logwright.logs.program import SLOTS

__all__ = ["SAMPLES", "SYSTEMS", "Reading", "read", "run"]

SAMPLES = Path(__file__).parents[3] / "tests" / "samples"
"""The sample files, in a checkout of the repository."""

SYSTEMS = {
    "Apache": "apache",
    "BGL": "bgl",
    "HDFS": "hdfs",
    "HPC": "hpc",
    "Hadoop": "hadoop",
    "HealthApp": "healthapp",
    "Linux": "syslog",
    "OpenSSH": "syslog",
    "Proxifier": "proxifier",
    "Thunderbird": "thunderbird",
    "Windows": "cbs",
    "Zookeeper": "zookeeper",
}
"""The format of each LogHub system; each of their lines names a time."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read from a file: per line the time (ns, in 2000 without a year, in 1970 without a
    day; `NO_TIME` where there is none) and the level (0 where there is none)."""

    detected: Detected
    ts: Int64s
    level: Int8s


def read(buf: bytes) -> Reading:
    """Detect the format of a whole file and read its lines.

    >>> found = read(b"2024-05-01 10:00:00 INFO up\\n2024-05-01 10:00:01 WARN hot\\n")
    >>> found.detected.format.name, found.level.tolist()
    ('timestamped', [3, 5])
    """
    samples = sample_lines(buf)
    detected = detect(samples)
    start, end = lines(buf)
    ts, level = np.full(len(start), NO_TIME, np.int64), np.zeros(len(start), np.int8)
    rows = np.arange(len(start))
    if detected.format.kind == "json":
        columns = JsonLines(samples).columns(Block(buf, 0, 0, 1))
        ts = columns.ts.copy()
        codes = np.array([*map(level_code, columns.level.values), 0], np.int8)
        level = codes[columns.level.codes]
        bare = [buf[a:b].lstrip()[:1] != b"{" for a, b in zip(start, end, strict=True)]
        rows = np.flatnonzero(bare)
    if detected.program and len(rows):
        _, times, spans, _ = headers(buf, start[rows], end[rows], detected.program, 2000, 0)
        ts[rows] = times
        at = 2 * SLOTS["level"]
        level[rows] = [level_code(buf[a:b]) if a >= 0 else 0 for a, b in spans[:, at : at + 2]]
    return Reading(detected, ts, level)


def run(data: Path, quick: bool = False, samples: Path = SAMPLES) -> dict[str, Any]:
    """One row per LogHub system and per file of `samples`; `quick` reads 500 lines of each.

    `data` holds `loghub_2k.tar.zst` or the extracted folders, itself or in `loghub_2k/`.
    """
    rows = [
        _row(f"LogHub {system}", buf, SYSTEMS[system], None, quick)
        for system, buf in sorted(_systems(data))
        if system in SYSTEMS
    ]
    if not rows:
        raise InputError(
            f"{data} holds no LogHub 2k system (…_2k.log): name its folder with --data"
        )
    try:
        expected = json.loads((samples / "expected.json").read_text("utf-8"))
    except OSError:
        raise InputError(
            f"{samples} holds no expected.json: expected the folder tests/samples of the repository"
        ) from None
    rows += [
        _row(name, (samples / name).read_bytes(), truth["format"], truth["timed"], quick=False)
        for name, truth in expected.items()
    ]
    timed = sum(row["timed"] for row in rows)
    return {
        "data": f"loghub_2k: {len(rows) - len(expected)} systems; {len(expected)} sample files",
        "settings": {"quick": quick},
        "rows": rows,
        "summary": {
            "right": sum(row["right"] for row in rows),
            "of": len(rows),
            "times": round(sum(row["parsed"] for row in rows) / timed, 4) if timed else 1.0,
        },
    }


def _row(source: str, buf: bytes, expected: str, timed: int | None, quick: bool) -> dict[str, Any]:
    if quick:
        buf = b"".join(buf.splitlines(keepends=True)[:500])
    found = read(buf)
    timed = len(found.ts) if timed is None else timed
    parsed = min(int(np.count_nonzero(found.ts != NO_TIME)), timed)
    name = found.detected.format.name
    return {
        "source": source,
        "lines": len(found.ts),
        "detected": name,
        "expected": expected,
        "right": name == expected,
        "timed": timed,
        "parsed": parsed,
        "times": round(parsed / timed, 4) if timed else None,
    }


def _systems(data: Path) -> Iterator[tuple[str, bytes]]:
    """Name and raw lines of each system."""
    pattern = "*_2k.log"
    for folder in (data, data / "loghub_2k"):
        files = sorted({*folder.glob(pattern), *folder.glob(f"*/{pattern}")})
        for file in files:
            yield file.name.removesuffix("_2k.log"), file.read_bytes()
        if files:
            return
    for archive in (data, data / "loghub_2k.tar.zst", data / "loghub_2k" / "loghub_2k.tar.zst"):
        if archive.is_file():
            with (
                pa.input_stream(str(archive), compression="zstd") as stream,
                tarfile.open(fileobj=stream, mode="r|") as tar,
            ):
                for member in tar:
                    taken = tar.extractfile(member) if Path(member.name).match(pattern) else None
                    if taken is not None:
                        yield Path(member.name).name.removesuffix("_2k.log"), taken.read()
            return
