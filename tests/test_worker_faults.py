"""The whole worker as processes: stopped, reloaded, in several, given wrong options; with a real
model. (What it does under faults: `test_faults.py`.)"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import logwright as lw
from logwright.model import Model
from logwright.settings import Settings
from logwright.stream.feed import Entry
from logwright.stream.running import Running

pytestmark = pytest.mark.slow

STARTED: list[subprocess.Popen[str]] = []
START = datetime(2024, 5, 1, 10, tzinfo=UTC)
# The clock moves nothing on here, and checkpoints come often.
CHILD = """
import sys
from logwright.stream import lane
lane._IDLE, lane._EVERY = 1e9, 0.05
from logwright.cli.main import run
sys.argv[0] = "logwright"
run()
"""


def log(first: int, number: int, faults: bool) -> list[str]:
    """Requests of three steps; with faults, a new line here and a step missing there."""
    lines = []
    for n in range(first, first + number):
        at = START + timedelta(seconds=2 * n)
        for k, step in enumerate(("begins for user", "is read", "ends")):
            when = at + timedelta(seconds=k / 5)
            if faults and n % 23 == 7 and k == 1:
                lines.append(f"{when:%Y-%m-%d %H:%M:%S} ERROR app: disk full on /dev/sd{n % 5}\n")
            if not (faults and n % 31 == 11 and k == 2):
                lines.append(f"{when:%Y-%m-%d %H:%M:%S} INFO app: req-{n:08x} {step}\n")
    return lines


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    history = folder / "history.log"
    history.write_text("".join(log(0, 2_000, faults=False)))
    lw.learn(str(history)).save(folder / "model")
    return folder / "model"


def judged(model: Path, lines: list[str], source: str) -> list[str]:
    """Ids of the findings of all lines at once, with no end."""
    running = Running(Model.load(model), Settings(), source)
    found = running.push([Entry("".join(lines).encode(), "", 0)])
    return [finding.id for finding in found]


def worker(model: Path, *args: str, **more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", CHILD, "worker", "-m", str(model), *args]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(command, text=True, env=env, **more)  # type: ignore[call-overload]
    STARTED.append(child)
    return child  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def none_is_left() -> Iterator[None]:
    yield
    for child in STARTED:
        if child.poll() is None:
            child.kill()
            child.wait()
        if child.stderr is not None:
            child.stderr.close()
    STARTED.clear()


def ids(path: Path) -> list[str]:
    return [json.loads(text)["id"] for text in path.read_text().splitlines()]


def until(ready: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_a_worker_stops_in_good_order_and_reloads(learned: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "app.log", tmp_path / "out.jsonl"
    lines = log(5_000, 300, faults=True)
    path.write_text("".join(lines[:300]))
    args = ("--in", str(path), "--out", str(out), "--state", str(tmp_path / "w.db"))
    child = worker(learned, *args, stderr=subprocess.PIPE)
    until(lambda: out.exists() and len(ids(out)) >= 2)
    child.send_signal(signal.SIGHUP)
    assert child.stderr is not None
    while "reloaded" not in child.stderr.readline():
        pass
    for stop in (600, None):
        with path.open("a") as file:
            file.write("".join(lines[300:600] if stop else lines[600:]))
        expected = judged(learned, lines[:stop], str(path))
        number = len(expected)
        until(lambda number=number: len(ids(out)) >= number)  # type: ignore[misc]
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0
        assert ids(out) == expected
        child = worker(learned, *args)


def test_several_processes_share_files_and_one_that_dies_is_started_again(
    learned: Path, tmp_path: Path
) -> None:
    out, expected = tmp_path / "out.jsonl", list[str]()
    logs = tmp_path / "logs"
    logs.mkdir()
    parts = {logs / f"app{n}.log": log(5_000 + 300 * n, 100, faults=True) for n in range(4)}
    for path, lines in parts.items():
        path.write_text("".join(lines[:200]))
        expected += judged(learned, lines, str(path))
    args = ("--in", str(logs), "--out", str(out), "--state", str(tmp_path / "w.db"))
    parent = worker(learned, *args, "--processes", "2", stderr=subprocess.PIPE)
    until(lambda: out.exists() and len(ids(out)) >= 2)
    listed = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    if not listed.exists():
        parent.terminate()
        pytest.skip("this system does not tell a process's children")
    children = [int(pid) for pid in listed.read_text().split()]
    assert len(children) == 2
    os.kill(children[0], signal.SIGKILL)
    for path, lines in parts.items():
        with path.open("a") as file:
            file.write("".join(lines[200:]))
    until(lambda: len(set(ids(out))) >= len(expected))
    parent.send_signal(signal.SIGTERM)
    told = parent.communicate()[1]
    assert parent.returncode == 0
    assert "started again" in told
    assert sorted(ids(out)) == sorted(expected)


def test_children_end_with_their_parent(learned: Path, tmp_path: Path) -> None:
    (tmp_path / "app.log").touch()
    args = ("--in", str(tmp_path / "app.log"), "--state", str(tmp_path / "w.db"))
    parent = worker(learned, *args, "--processes", "2")
    listed = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    if not listed.exists():
        parent.terminate()
        pytest.skip("this system does not tell a process's children")
    until(lambda: len(listed.read_text().split()) == 2)
    children = [int(pid) for pid in listed.read_text().split()]
    time.sleep(1)
    parent.kill()
    parent.wait()

    def gone(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except FileNotFoundError:
            return True

    until(lambda: all(gone(pid) for pid in children))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--in", "ftp://x"], "no source"),
        (["--out", "ftp://x"], "no sink"),
        (["--state", "ftp://x"], "no state"),
        (["--in", "app.log", "--out", "app.log"], "one of the files"),
        (["--processes", "2"], "several processes"),
        (["--in", "x.log", "--out", "store", "--store", "none"], "needs a store"),
        (["--in", "x.log", "--metrics", "nowhere"], "no address"),
    ],
)
def test_errors_of_users_are_one_sentence(learned: Path, args: list[str], said: str) -> None:
    child = worker(learned, *args, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    told = child.communicate(timeout=60)[1]
    assert child.returncode == 2
    assert told.count("\n") == 1, told
    assert said in told


def test_standard_input_gives_what_detect_gives(learned: Path, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("".join(log(5_000, 400, faults=True)))
    expected = {f.id for f in Model.load(learned).detect(str(path), store="none")}
    args = ("--state", str(tmp_path / "w.db"), "--store", "none")
    for _ in range(2):  # the second time it is another stream
        with path.open() as stdin:
            child = worker(learned, *args, stdin=stdin, stdout=subprocess.PIPE)
            out = child.communicate(timeout=120)[0]
        assert child.returncode == 0
        got = [json.loads(text)["id"] for text in out.splitlines()]
        assert len(got) == len(set(got))
        assert set(got) == expected
