"""The stated bars, by the project's own benchmark command; writes bench/results (long).

Run alone on a quiet machine: ./scripts/test --long
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from logwright.bench.results import read_result

pytestmark = pytest.mark.long

RESULTS = Path(__file__).parents[1] / "bench" / "results"


def bench(suite: str, data: Path) -> dict[str, Any]:
    out = RESULTS / f"{suite}.json"
    command = [sys.executable, "-m", "logwright.cli.main", "bench", "run", suite]
    subprocess.run([*command, "--data", str(data), "--json", str(out)], check=True)
    return read_result(out)


def rates(result: dict[str, Any]) -> dict[str, float]:
    return {r["what"]: r["M_lines_per_s"] for r in result["rows"] if "M_lines_per_s" in r}


def test_templates(data: Path) -> None:
    summary = bench("templates", data)["summary"]
    assert summary["GA"] >= 0.90
    assert summary["PA"] >= 0.65
    assert summary["FTA"] >= 0.60


def test_hdfs(data: Path) -> None:
    result = bench("hdfs", data)
    assert result["summary"]["f1_60%"] >= 0.985
    assert result["summary"]["f1_1%"] >= 0.80
    assert any("history too short" in r for r in result["summary"]["ladder"]["1%"])


def test_feedback(data: Path) -> None:
    result = bench("feedback", data)
    summary = result["summary"]
    assert summary["hdfs_f1"] >= 0.998
    assert summary["hdfs_questions"] <= 50
    assert summary["bgl_f1"] >= 0.99
    assert summary["bgl_questions"] <= 75
    assert summary["bgl_f1_without_answers"] >= 0.55
    assert result["times"]["verdict_ms"] < 1
    assert result["times"]["suppressing_slows_by_percent"] <= 2


def test_rules(data: Path) -> None:
    told = bench("rules", data)["summary"]["bars"]
    assert len(told) == 7
    assert [line for lines in told.values() for line in lines if line.endswith("MISSED")] == []


def test_formats(data: Path) -> None:
    summary = bench("formats", data)["summary"]
    assert summary["right"] == summary["of"] >= 12 + 60
    assert summary["times"] >= 0.99


def test_faults(data: Path) -> None:
    result = bench("faults", data)
    counted = [row for row in result["rows"] if row["among_first_5"] is not None]
    assert all(row["among_first_5"] for row in counted if row["kind"] == "build")
    assert sum(row["among_first_5"] for row in counted) >= 0.9 * len(counted)


def test_throughput(data: Path) -> None:
    result = bench("throughput", data)
    rate = rates(result)
    assert rate["shape encoding: BGL"] >= 3
    assert rate["shape encoding: HDFS"] >= 3
    for kind in ("uuid", "hex", "base64"):
        assert rate[f"shape encoding: a fresh {kind} in each line"] >= 2
    for row in result["rows"]:
        if "a fresh" in row["what"]:
            assert row["shapes"] <= 500 * row["lines"] / 1e6
        if "linearity" in row:
            assert row["linearity"] <= 1.1  # below 1: the start-up counts for less
        if "times_drain3" in row:
            assert row["times_drain3"] >= 30
    assert rate["line to template id, 12 systems shuffled: warm"] >= 2
    assert rate["line to template id, 12 systems shuffled: first pass"] >= 0.6
    for verb in ("learn", "detect"):
        assert rate[f"logwright {verb}: BGL-like, no sessions"] >= 1
        assert rate[f"logwright {verb}: HDFS-like, sessions by key"] >= 0.5
        assert rate[f"logwright {verb}: JSON lines"] >= 0.5
    seconds = {r["what"]: r["seconds"] for r in result["rows"] if "seconds" in r}
    assert seconds["import logwright, above a bare interpreter"] < 0.3
    assert seconds["logwright --help"] < 0.5
    assert seconds["logwright scan of 100,000 lines"] < 3


def test_memory(data: Path) -> None:
    result = bench("memory", data)
    assert all(row["bytes"] >= 5_000_000_000 for row in result["rows"])
    assert result["summary"]["peak_mib"] < 1024
