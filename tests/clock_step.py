"""A wall clock that jumps: for processes that load a small library before the system's own.

Only what tells the time of day jumps (`CLOCK_REALTIME`), as when somebody sets a machine's clock;
the clock that measures how long something takes goes on.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

__all__ = ["Clock"]

_LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static volatile long long *step; /* seconds */

__attribute__((constructor)) static void begin(void)
{
    int file = open(getenv("CLOCK_STEP"), O_RDONLY);
    void *place = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
    if (place != MAP_FAILED)
        step = place;
}

int clock_gettime(clockid_t which, struct timespec *now)
{
    static int (*system_s)(clockid_t, struct timespec *);
    if (!system_s)
        system_s = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int code = system_s(which, now);
    if (!code && step && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE))
        now->tv_sec += *step;
    return code;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec found;
    (void)zone;
    int code = clock_gettime(CLOCK_REALTIME, &found);
    now->tv_sec = found.tv_sec;
    now->tv_usec = found.tv_nsec / 1000;
    return code;
}

time_t time(time_t *place)
{
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    if (place)
        *place = found.tv_sec;
    return found.tv_sec;
}
"""


class Clock:
    """Processes started with `env` have a wall clock that `step` sets off from the true one."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            pytest.skip("there is no C compiler, to make a clock that jumps")
        source, library, place = (folder / f"step.{end}" for end in ("c", "so", "clock"))
        source.write_text(_LIBRARY)
        made = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
        if subprocess.run(made, capture_output=True).returncode:
            pytest.skip("a library for a clock that jumps cannot be made here")
        place.write_bytes(bytes(8))
        self.env = {"LD_PRELOAD": str(library), "CLOCK_STEP": str(place)}
        self._place = place

    def step(self, seconds: int) -> None:
        """Set the clock so far from the true one."""
        with self._place.open("r+b") as file:
            file.write(struct.pack("q", seconds))
