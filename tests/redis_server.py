"""A Redis server of the tests' own: the distribution's program, everything on disk at once."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """A server with `appendfsync always`, so that what it answered outlives `kill`; `env` is added
    to its environment."""

    def __init__(self, folder: Path, *options: str, env: Mapping[str, str] | None = None) -> None:
        self.folder, self.port = folder, free_port()
        self._options, self._env = options, os.environ | (env or {})
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def url(self, path: str = "", port: int | None = None) -> str:
        return f"redis://127.0.0.1:{port or self.port}/{path}"

    def start(self) -> None:
        assert PROGRAM is not None
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
        }
        command = [PROGRAM]
        for key, value in settings.items():
            command += [f"--{key}", value]
        self._process = subprocess.Popen(
            [*command, *self._options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._env,
        )
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with contextlib.suppress(Exception), self.client() as client:
                client.ping()
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.01)
        raise RuntimeError("redis-server did not start")

    def kill(self) -> None:
        """End it as `kill -9` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def client(self) -> Any:
        from redis import Redis

        return Redis("127.0.0.1", self.port, protocol=2, socket_timeout=10)


@contextlib.contextmanager
def running(
    folder: Path, *options: str, env: Mapping[str, str] | None = None
) -> Iterator[RedisServer]:
    """A server while it is needed; the test is skipped where there is none."""
    pytest.importorskip("redis", reason="the redis package is not installed")
    if PROGRAM is None:
        pytest.skip("there is no redis-server: apt-get install redis-server")
    server = RedisServer(folder, *options, env=env)
    try:
        yield server
    finally:
        server.kill()
