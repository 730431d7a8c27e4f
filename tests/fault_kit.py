"""What rounds of faults share: a log with findings to foretell, workers that are quick to start and
to kill, and the count of what was lost, doubled, and late.

Each function of a fault does its rounds while one log flows through whole workers, and compares
the ids that came out with those of judging the whole log at once, with no fault.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import logwright as lw
from logwright.findings.jsonl import dumps
from logwright.model import Model
from logwright.settings import Settings
from logwright.stream.feed import Entry
from logwright.stream.running import Running

__all__ = [
    "QUICK",
    "Hatched",
    "Nest",
    "Outcome",
    "complete",
    "judged",
    "learned",
    "log",
    "named",
    "nest",
    "short",
    "until",
    "written",
]

_START = datetime(2024, 5, 1, 10, tzinfo=UTC)
# Forks a worker for each order that it is given: what takes a second, importing, is done once. It
# has no threads of its own, and its children are reaped by the system.
_NEST = """
import json, os, signal, sys, traceback
import pyarrow.dataset, typer
from logwright import api
from logwright.cli.worker import worker as command
from logwright.stream import delivery, files, lane, making, opening, redis_keeper, redis_link
from logwright.stream import redis_sink, redis_source, sqlite_keeper, worker
app = typer.Typer()
app.command()(command)
run = typer.main.get_command(app)
class Lane(lane.Lane):
    def __init__(self, *args):
        super().__init__(*args)
        sys.stderr.write(f"owned {self.feed.name}\\n")
        sys.stderr.flush()
worker.Lane = Lane
%s
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
for order in sys.stdin:
    args, stdin, stderr = json.loads(order)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), 2)
        os.dup2(os.open(stdin, os.O_RDONLY), 0)
        try:
            run(args, standalone_mode=False)
        except BaseException:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(0)
    print(child, flush=True)
"""
QUICK = "lane._IDLE, lane._EVERY, lane._SHARE = 1e9, 0.05, 0"
"""The clock closes no windows, and checkpoints come often."""


def short(lease: float) -> str:
    """Statements for short leases, after which another worker takes the feed at once."""
    return f"""{QUICK}
for kind, lease in ((sqlite_keeper.SqliteKeeper, 10.0), (redis_keeper.RedisKeeper, 15.0)):
    told = kind.__init__.__defaults__
    assert lease in told
    kind.__init__.__defaults__ = tuple({lease} if each == lease else each for each in told)
worker._RENEW, worker._CLAIM, worker._OTHERS = 0.1, 0.02, 0.1
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a fault: findings `lost` and `doubled` (or not foretold), and `lag`: seconds
    from the last fault's end, all lines being sent, until the last finding was there."""

    fault: str
    rounds: int
    findings: int
    lost: int
    doubled: int
    lag: float

    @classmethod
    def of(
        cls, fault: str, rounds: int, expected: Sequence[str], got: Sequence[str], lag: float
    ) -> Outcome:
        """Compare findings by name; those of several feeds may come in any order."""
        wanted, there = Counter(expected), Counter(got)
        lost, more = (wanted - there).total(), (there - wanted).total()
        return cls(fault, rounds, len(expected), lost, more, round(lag, 2))

    def __str__(self) -> str:
        return (
            f"faults: {self.fault} {self.rounds} times: {self.findings:,} findings, "
            f"{self.lost} lost, {self.doubled} doubled, lag 0 after {self.lag:.1f} s"
        )


def log(first: int, number: int = 1_000_000) -> Iterator[str]:
    """Lines of requests of three steps, of which some thirty are open at any time (a minute without
    a line ends one); a new line here, and a step missing there."""
    for n in range(first, first + number):
        at = _START + timedelta(seconds=2 * n)
        for k, step in enumerate(("begins for user", "is read", "ends")):
            when = at + timedelta(seconds=k / 5)
            if first and n % 13 == 7 and k == 1:
                yield f"{when:%Y-%m-%d %H:%M:%S} ERROR app: disk full on /dev/sd{n % 5}\n"
            if not (first and n % 17 == 11 and k == 2):
                yield f"{when:%Y-%m-%d %H:%M:%S} INFO app: req-{n:08x} {step}\n"


@functools.cache
def learned() -> Path:
    """The model of such a log without faults; once for all."""
    folder = Path(tempfile.mkdtemp(prefix="logwright-faults-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    history = folder / "history.log"
    history.write_text("".join(log(0, 2_000)))
    lw.learn(str(history)).save(folder / "model")
    return folder / "model"


def judged(data: bytes) -> list[str]:
    """The findings of all lines at once, with no end."""
    running = Running(Model.load(learned()), Settings(), "x")
    return [named(dumps(finding)) for finding in running.push([Entry(data, "", 0)])]


def named(text: str | bytes) -> str:
    """A finding's id with the number of its first line: a line that was lost or came twice, even
    one that no finding cites, moves the numbers of all that follow."""
    finding = json.loads(text)
    return f"{finding['id']} {finding['lines'][0]['line_no']}"


def until(ready: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Wait for something."""
    end = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.01)
    return found


def written(path: Path) -> list[str]:
    """Those in a file of findings, as far as it is written."""
    if not path.exists():
        return []
    *whole, _ = path.read_bytes().split(b"\n")
    return [named(text) for text in whole]


def complete(path: Path, count: int) -> None:
    """Wait until a file has so many findings."""
    until(lambda: len(written(path)) >= count, f"{count} findings")


class Hatched:
    """A worker's process, which is the nest's child."""

    def __init__(self, pid: int, told: Path) -> None:
        self.pid, self.told = pid, told
        self._file = os.pidfd_open(pid)

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._file, number)

    def gone(self, seconds: float = 0) -> bool:
        """Whether it has ended."""
        return bool(select.select([self._file], [], [], seconds)[0])

    def owned(self) -> int:
        """How many feeds it has taken until now."""
        return self.told.read_text().count("owned ") if self.told.exists() else 0

    def takes(self, before: int) -> None:
        """Wait until it has taken more feeds than before."""
        until(lambda: self.owned() > before, "a feed for this worker", 120)

    def owns(self) -> bool:
        """Whether it owns a feed, as far as it knows."""
        text = self.told.read_text() if self.told.exists() else ""
        return text.rfind("owned ") > text.rfind("belongs to another worker")

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.send(signal.SIGKILL)
        assert self.gone(20)

    def stop(self) -> None:
        """End it in good order."""
        self.send(signal.SIGTERM)
        assert self.gone(60), self.told.read_text()
        assert "Traceback" not in self.told.read_text(), self.told.read_text()


class Nest:
    """Starts workers with some options, and ends with all of them."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder = process, folder
        self.all: list[Hatched] = []
        self._lock = threading.Lock()

    def hatch(self, *args: str, stdin: str = os.devnull) -> Hatched:
        """A worker that has begun to start."""
        with self._lock:
            told = self._folder / f"worker-{len(self.all)}.txt"
            order = [["-m", str(learned()), "--store", "none", *args], stdin, str(told)]
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            self.all.append(Hatched(int(self._process.stdout.readline()), told))
            return self.all[-1]


@contextmanager
def nest(folder: Path, changes: str = QUICK, **env: str) -> Iterator[Nest]:
    """A nest, in which workers are changed by some statements."""
    learned()
    process = subprocess.Popen(
        [sys.executable, "-c", _NEST % changes],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | env,
    )
    made = Nest(process, folder)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield made
    finally:
        for each in made.all:
            each.send(signal.SIGKILL)
        process.communicate()
