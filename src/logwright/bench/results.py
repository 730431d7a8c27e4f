"""Benchmark results: one file format, one way to run a suite.

A result is ``{"suite", "machine", "data", "settings", "rows", "summary"}``, with "curves" or
"times" where there are any. Two runs with the same seeds differ in "machine" and "times" alone.
"""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logwright.logs.kernel import BACKEND

if TYPE_CHECKING:
    from logwright.bench.detection import Options
    from logwright.reasoning.reasoner import Reasoner

__all__ = ["machine", "read_result", "run_suite", "write"]


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass  # not Linux: the processor's plain name has to do
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "pyarrow": version("pyarrow"),
        "kernel": BACKEND,
    }


def run_suite(
    suite: str,
    data: Path,
    quick: bool = False,
    options: Options | None = None,
    engine: Reasoner | None = None,
) -> dict[str, Any]:
    """Run one suite by name on the data sets under `data`; `options` are those of detection,
    `engine` is who answers in the suite of reasoning."""
    from logwright.bench import (
        detection,
        faults,
        feedback,
        formats,
        memory,
        reasoning,
        rules,
        sequence,
        sequence_speed,
        stream,
        stream_memory,
        templates,
        throughput,
    )

    judging = {"feedback": feedback.run, "rules": rules.run}
    runs = {
        "faults": faults.run,
        "formats": formats.run,
        "memory": memory.run,
        "sequence": sequence.run,
        "sequence-speed": sequence_speed.run,
        "stream": stream.run,
        "stream-memory": stream_memory.run,
        "templates": templates.run,
        "throughput": throughput.run,
    }
    if suite in (*detection.SETS, "log"):
        result = detection.run(suite, data, quick, options)
    elif suite == "reasoning":
        result = reasoning.run(data, quick, engine)
    elif suite in judging:
        result = judging[suite](data, quick, None if options is None else options.predictions)
    else:
        result = runs[suite](data, quick)
    return {"suite": suite, "machine": machine(), "data": result.pop("data", data.name), **result}


def read_result(path: Path) -> dict[str, Any]:
    """Read a result file."""
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return value


def write(result: dict[str, Any], path: Path) -> None:
    """Write a result file, whole or not at all."""
    work = path.with_name(f".{path.name}.{os.getpid()}")
    work.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    os.replace(work, path)
