"""`logwright worker`, as it is typed: what it says, what it gives, and what it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

import logwright as lw
from logwright.cli.main import app
from logwright.errors import LogwrightError

pytestmark = pytest.mark.slow

LINE = "2024-05-01 10:%02d:%02d INFO app: request %d served in %d ms\n"


def lines(number: int) -> str:
    return "".join(LINE % (n // 60, n % 60, n, 10 + n * 7 % 50) for n in range(number))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    (folder / "history.log").write_text(lines(2_000))
    lw.learn(str(folder / "history.log")).save(folder / "model")
    return folder / "model"


def worker(model: Path, fed: str, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "logwright.cli.main", "worker", "-m", str(model), *args]
    return subprocess.run(command, input=fed, capture_output=True, text=True, check=False)


def test_standard_input_is_judged_to_its_end_and_never_again(model: Path, tmp_path: Path) -> None:
    fed = lines(600) + "2024-05-01 10:10:01 ERROR app: disk full on /dev/sda1\n"
    args = ("--state", str(tmp_path / "state.db"), "--store", "none")
    done = worker(model, fed, *args)
    assert done.returncode == 0
    assert re.search(r"model \S+: 1 template, windows of \d+ seconds, judged up to", done.stderr)
    (finding,) = map(json.loads, done.stdout.splitlines())
    assert finding["summary"].startswith("new: 'disk full on")
    assert finding["lines"][0]["line_no"] == 601
    again = worker(model, "", *args)
    assert (again.returncode, again.stdout) == (0, "")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--in", "bogus://there"], "--in bogus:// is no source: it is a file, '-', kafka://"),
        (["--out", "bogus://there"], "--out bogus:// is no sink: it is '-', a file, store"),
        (["--state", "http://there"], "--state 'http://there' is no state: it is a file or redis"),
        (["--processes", "2"], "--processes needs a source that several processes can read"),
        (["--in", "app.log", "--out", "app.log"], "--out app.log is one of the files of --in"),
        (["--out", "store", "--store", "none"], "--out store needs a store, and --store is none"),
        (["-m", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["worker", "-m", str(model), "--state", "state.db", *args]
    with pytest.raises(LogwrightError) as caught:
        get_command(app).main(given, "logwright", standalone_mode=False)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
