"""Memory and time of whole commands on a large input (5 GB)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from logwright.bench import corpora
from logwright.bench.measure import command

__all__ = ["run"]


def run(data: Path, quick: bool = False) -> dict[str, Any]:
    """Rows per kind of log and command; peak memory is that of the whole process."""
    size = 50_000_000 if quick else 5_000_000_000
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, replicas in (
            ("BGL-like, no sessions", corpora.bgl(data)),
            ("HDFS-like, sessions by key", corpora.hdfs(data)),
        ):
            log, model = folder / "big.log", str(folder / f"{kind[:3]}.model")
            lines = corpora.write_file(log, replicas, size)
            for verb, where in (("learn", ["-o", model]), ("detect", ["-m", model]), ("scan", [])):
                measured = command(verb, str(log), *where)
                rows.append(
                    {
                        "what": f"logwright {verb}: {kind}",
                        "bytes": log.stat().st_size,
                        "lines": lines,
                        "seconds": round(measured.seconds, 1),
                        "M_lines_per_s": round(lines / measured.seconds / 1e6, 3),
                        "peak_mib": round(measured.peak_mib),
                    }
                )
            log.unlink()
    return {
        "data": "replicas of bgl_first100k and hdfs_raw_sample",
        "settings": {"bytes": size, "cores": 1, "quick": quick},
        "rows": rows,
        "summary": {"peak_mib": max(row["peak_mib"] for row in rows)},
    }
