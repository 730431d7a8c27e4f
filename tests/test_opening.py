"""Opening: what addresses name, and what this worker is called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from logwright.errors import LogwrightError, SettingsError
from logwright.stream import opening
from logwright.stream.metrics import Metrics
from logwright.stream.sinks import FileSink, StoreSink, TextSink
from logwright.stream.sqlite_keeper import SqliteKeeper
from logwright.stream.webhook import Webhook

TEXT = TextSink(lambda: sys.stdout)


def ignored(text: str) -> None:
    """Nobody is told."""


def test_sinks_by_their_addresses(tmp_path: Path) -> None:
    def opened(given: str) -> object:
        return opening.open_sink(given, tmp_path / "store.db", ["x.log"], TEXT, ignored)

    assert opened("-") is TEXT
    assert isinstance(opened(str(tmp_path / "out.jsonl")), FileSink)
    assert isinstance(opened(f"file:{tmp_path}/other.jsonl"), FileSink)
    assert isinstance(opened("store"), StoreSink)
    assert isinstance(opened("https://alerts.example"), Webhook)


@pytest.mark.parametrize("given", ["logs/app.log", "logs/*.log?from=end", "logs", "file:logs/"])
def test_a_sink_among_the_inputs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()
    with pytest.raises(SettingsError, match="one of the files"):
        opening.open_sink("logs/app.log", None, [given], TEXT, ignored)
    assert not Path("logs/app.log").exists()


def test_files_are_one_source_and_an_unknown_scheme_is_said(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("a.log", "b.log")]
    source = opening.open_source(paths, tmp_path, 1_000, Metrics(), ignored)
    feeds, _ = source.feeds()
    assert [feed.name for feed in feeds] == [f"file:{path}" for path in paths]
    source.close()
    with pytest.raises(SettingsError, match="no source"):
        opening.open_source(["gopher://x"], tmp_path, 1_000, Metrics(), ignored)


def test_a_state_is_a_file(tmp_path: Path) -> None:
    keeper = opening.open_keeper(str(tmp_path / "w.db"), ignored)
    assert isinstance(keeper, SqliteKeeper)
    keeper.close()
    with pytest.raises(LogwrightError, match="no state"):
        opening.open_keeper("http://x", ignored)


_NAMED = """
import sys
from pathlib import Path
from logwright.stream.opening import own_name
print(own_name(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def test_workers_of_a_machine_have_names_of_their_own(tmp_path: Path) -> None:
    def started() -> tuple[subprocess.Popen[str], str]:
        child = subprocess.Popen(
            [sys.executable, "-c", _NAMED, str(tmp_path / "w.db")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        return child, child.stdout.readline().strip()

    first, name = started()
    second, other = started()
    assert name != other
    first.kill()
    first.communicate()
    third, again = started()
    assert again == name, "who comes after a killed worker has its name, and its feeds at once"
    for child in (second, third):
        child.communicate("")
