"""Whether `scan` names the fault: does a line that names it stand among the first five findings?

Two kinds of input, each scanned with no configuration against its own past: build logs with a stack
trace (`bench.builds`), and the containers' logs of each abnormal application of the Hadoop set.
A fault of the Hadoop set is named by a line of `NAMED` for its class, written down from the raw
logs before the first scan. Runs whose logs never name their fault are listed, not counted. Beside
`scan` stands the floor an engineer has today: the first five lines of level WARN or worse.

A finding is a row of the table: findings of one pattern are one.
"""

from __future__ import annotations

import re
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa

from logwright.api import scan
from logwright.bench.archives import unpack_stream
from logwright.bench.builds import builds
from logwright.errors import InputError
from logwright.findings.run import by_pattern
from logwright.settings import Settings

__all__ = ["run"]

FIRST = 5
_CONNECTION = (
    "forcibly closed|NoRouteToHost|No route to host|ConnectException|"
    "Connection (?:timed out|refused|reset)|SocketTimeout|firstBadLink|Failed to renew lease|"
    "connection was aborted|"
    "Bad response ERROR|nodes? .*(?:lost|unusable)|TaskAttempt killed because it ran on unusable"
)
NAMED = {
    "Machine down": _CONNECTION,
    "Network disconnection": _CONNECTION,
    "Disk full": "not enough space on the disk|No space left|DiskError|FSError",
}
"""What a line of the Hadoop set has to say to name a fault of each class."""

_WORSE = re.compile(r" (?:WARN|ERROR|FATAL) |^\[?(?:WARNING|ERROR)")


def _first_rank(inputs: Path, fault: re.Pattern[str]) -> tuple[int | None, int]:
    """The place (from 1) of the first row that cites a line naming the fault; and all rows."""
    groups = by_pattern(scan(str(inputs), settings=Settings()).findings)
    for place, group in enumerate(groups, 1):
        texts = [t for f in group.findings for line in f.lines for t in (line.text, *line.more)]
        if any(fault.search(text) for text in texts):
            return place, len(groups)
    return None, len(groups)


def _row(name: str, kind: str, inputs: Path, fault: str) -> dict[str, Any]:
    named = re.compile(fault)
    files = sorted(p for p in ([inputs] if inputs.is_file() else inputs.rglob("*")) if p.is_file())
    text = [line for p in files for line in p.read_text("utf-8", "replace").splitlines()]
    naming = sum(bool(named.search(line)) for line in text)
    worse = [line for line in text if _WORSE.search(line)][:FIRST]
    rank, rows = _first_rank(inputs, named) if naming else (None, 0)
    return {
        "case": name,
        "kind": kind,
        "lines": len(text),
        "lines_naming_it": naming,
        "findings": rows,
        "place": rank,
        "among_first_5": None if not naming else rank is not None and rank <= FIRST,
        "first_5_WARN_lines": None if not naming else any(map(named.search, worse)),
    }


def _classes(text: str) -> dict[str, str]:
    """The class of each application."""
    found, kind = {}, ""
    for line in text.splitlines():
        if line.startswith("+ "):
            found[line[2:].strip()] = kind
        elif line.strip().endswith(":"):
            kind = line.strip()[:-1]
    return found


def run(data: Path, quick: bool = False) -> dict[str, Any]:
    """Scan all cases; `quick` takes the build logs only."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for build in builds():
            path = Path(folder, f"{build.name.replace(' ', '-')}.log")
            path.write_text(build.text, "utf-8")
            rows.append(_row(build.name, "build", path, build.fault))
        if not quick:
            packed = data / "hadoop" / "hadoop_apps.tar.zst"
            if not packed.is_file():
                raise InputError(f"{packed} is not there: name the folder of the data sets")
            with (
                pa.input_stream(str(packed), compression="zstd") as stream,
                tarfile.open(fileobj=stream, mode="r|") as tar,
            ):
                unpack_stream(tar, Path(folder, "hadoop"))
            (labels,) = Path(folder, "hadoop").rglob("abnormal_label.txt")
            for app, kind in sorted(_classes(labels.read_text("utf-8")).items()):
                inputs = labels.parent / app
                if kind in NAMED and inputs.is_dir():
                    rows.append(_row(app, kind, inputs, NAMED[kind]))
    counted = [r for r in rows if r["among_first_5"] is not None]
    return {
        "settings": {"options": "none", "first": FIRST, "quick": quick},
        "rows": rows,
        "summary": {
            "cases": len(rows),
            "cases_whose_log_names_the_fault": len(counted),
            "among_first_5": sum(r["among_first_5"] for r in counted),
            "among_first_5_WARN_lines": sum(r["first_5_WARN_lines"] for r in counted),
        },
    }
