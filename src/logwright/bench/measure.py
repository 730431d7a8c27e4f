"""Running whole commands on one core, with their wall clock and their memory."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass

from logwright.errors import LogwrightError

__all__ = ["Measured", "command", "python"]


@dataclass(frozen=True, slots=True)
class Measured:
    """Wall-clock seconds and peak memory (MiB) of one process."""

    seconds: float
    peak_mib: float


def _one_core() -> None:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@functools.cache
def _state() -> str:
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def python(arguments: Sequence[str]) -> Measured:
    """Run a fresh interpreter on one core."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=_one_core,
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "XDG_STATE_HOME": _state(),  # stores of measured runs are not the user's
        },
    )
    assert process.stderr is not None
    with process.stderr:
        said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        shown = said.decode("utf-8", "backslashreplace").strip().splitlines()[-1:]
        raise LogwrightError(f"{' '.join(arguments)} failed: {' '.join(shown)}")
    return Measured(seconds, usage.ru_maxrss / 1024)


def command(*arguments: str) -> Measured:
    """Run `logwright ARGUMENTS` on one core."""
    return python(["-m", "logwright.cli.main", *arguments])
