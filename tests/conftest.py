"""Isolation for every test: no user's settings, no user's home, a fixed zone. And servers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from redis_server import RedisServer, running

DATA = Path(
    os.environ.get("LOGWRIGHT_TEST_DATA", Path(__file__).parents[1].parent / "shared" / "data")
)


# Machines that run tests are shared and slow at times: no deadline for an example.
settings.register_profile("brief", max_examples=10, deadline=None)
settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("long", max_examples=1_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# A job in the background begins with Ctrl-C ignored, and so would all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

_KEPT = ("LOGWRIGHT_TEST_DATA", "LOGWRIGHT_UPDATE_GOLDEN")


@pytest.fixture(autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in list(os.environ):
        if key.startswith("LOGWRIGHT_") and key not in _KEPT:
            monkeypatch.delenv(key)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.chdir(home)


@pytest.fixture
def data() -> Path:
    """The folder of real labelled logs; tests that need it are skipped where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"the labelled logs are not at {DATA} (set LOGWRIGHT_TEST_DATA)")
    return DATA


@pytest.fixture(scope="module")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(one_server: RedisServer) -> RedisServer:
    """A server that is empty."""
    one_server.client().flushall()
    return one_server


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[RedisServer]:
    """A server of the test's own, to be killed."""
    with running(tmp_path) as server:
        yield server


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are waited for 0.3 s."""
    from logwright.stream import redis_link

    monkeypatch.setattr(redis_link, "_ANSWER", 0.3)
