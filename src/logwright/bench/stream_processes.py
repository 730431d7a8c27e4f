"""The processes of a stream's measurement: a Redis server, a worker, and who sends to it.

Each is a process of its own on the same two cores, and ends with its `with`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logwright.errors import LogwrightError, MissingExtraError

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["Process", "RedisServer", "started", "two_cores", "until", "worker"]

_PATIENCE = 60.0
_TICK = os.sysconf("SC_CLK_TCK")
_INSTALL = "there is no redis-server: apt-get install redis-server (or valkey-server)"


def two_cores() -> None:
    """Let this process have two cores at most."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def until(ready: Callable[[], bool], what: str, seconds: float = _PATIENCE) -> None:
    """Wait for something; `LogwrightError` where it does not come."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise LogwrightError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(0.005)


class Process:
    """A started process; its output is in a file. It is ended, at last by force, on leaving."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._log = log
        with open(log, "ab") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                preexec_fn=two_cores,
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
        self.pid = self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process.poll() is not None

    @property
    def said(self) -> str:
        """What it has written."""
        return self._log.read_text("utf-8", "backslashreplace")

    @property
    def seconds(self) -> float:
        """The processor's seconds that it has had."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    @property
    def resident(self) -> float:
        """Its memory, in MiB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text("utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self, patience: float = _PATIENCE) -> int:
        """End it in good order; gives its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self.wait(patience)

    def wait(self, patience: float) -> int:
        """Wait for its end; gives its exit code."""
        try:
            return self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise LogwrightError(
                f"{self._process.args!r} did not end: {self.said[-300:]}"
            ) from None

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._process.poll() is None:
            self.kill()


def started(module: str, *arguments: str, log: Path) -> Process:
    """A module of ours as a process."""
    return Process([sys.executable, "-m", module, *arguments], log)


def worker(model: Path, source: str, folder: Path, *arguments: str) -> Process:
    """`logwright worker` with a model and a source; what else lies in the folder is its own."""
    given = ["worker", "-m", str(model), "--in", source, "--store", "none", *arguments]
    return started("logwright.cli.main", *given, log=folder / "worker.txt")


class RedisServer:
    """The distribution's Redis server at a port of its own, while it is needed.

    What it answered is on disk (`durable`), as [the page](../../docs/stream_redis.md) wants it for
    state, or in memory alone.
    """

    def __init__(self, folder: Path, durable: bool = True) -> None:
        try:
            import redis  # noqa: F401 - said before anything is started
        except ImportError:
            raise MissingExtraError("redis", "redis") from None
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            raise LogwrightError(_INSTALL)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        keep = ("--appendonly", "yes", "--appendfsync", "always") if durable else ()
        quiet = ("--save", "", "--loglevel", "warning")
        where = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(folder))
        self.process = Process([program, *where, *quiet, *keep], folder / "redis.txt")
        try:
            self.client = self._client()
            until(self._answers, "redis-server")
        except BaseException:
            self.process.kill()
            raise

    def _client(self) -> Redis:
        from redis import Redis

        return Redis("127.0.0.1", self.port, protocol=2, socket_timeout=30)

    def _answers(self) -> bool:
        from redis.exceptions import RedisError

        with contextlib.suppress(RedisError):
            return bool(self.client.ping())
        if self.process.ended:
            raise LogwrightError(f"redis-server did not start: {self.process.said[-300:]}")
        return False

    def url(self, path: str) -> str:
        """An address in this server."""
        return f"redis://127.0.0.1:{self.port}/{path}"

    def found(self, stream: str = "findings") -> list[tuple[str, int]]:
        """Each finding in the sink: its id, and when it came there (ms since 1970)."""
        rows: Any = self.client.xrange(stream)
        return [(fields[b"id"].decode(), int(name.partition(b"-")[0])) for name, fields in rows]

    def __enter__(self) -> RedisServer:
        return self

    def __exit__(self, *failure: object) -> None:
        self.client.close()
        self.process.kill()
