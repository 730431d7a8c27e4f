"""The demo of streams: a worker is killed, and nothing is lost."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "scripts" / "demo_stream.py"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )


@pytest.mark.slow
def test_a_killed_worker_s_shards_are_taken_over_and_nothing_is_lost_or_doubled(
    tmp_path: Path,
) -> None:
    pytest.importorskip("redis", reason="the redis package is not installed")
    if shutil.which("redis-server") is None and shutil.which("valkey-server") is None:
        pytest.skip("there is no redis-server: apt-get install redis-server")
    ran = run("--rate", "10000", TMPDIR=str(tmp_path))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    said = ran.stdout
    assert re.search(
        r"worker one has shard 0, 1\n.*worker two has shard 2, 3\n.*kill -9", said, re.S
    )
    assert "worker two has shard 0, 1, 2, 3" in said
    found = re.search(r"(\d+) findings, 0 lost, 0 doubled", said)
    assert found is not None
    assert int(found[1]) > 300
    assert not list(tmp_path.iterdir())  # it cleans up after itself


def test_without_a_server_one_sentence_says_how_to_get_it(tmp_path: Path) -> None:
    pytest.importorskip("redis", reason="the redis package is not installed")
    ran = run(PATH=str(tmp_path), TMPDIR=str(tmp_path))
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1
    assert "apt-get install redis-server" in ran.stderr
