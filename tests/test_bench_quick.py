"""Every suite of the list has a quick run, whose result says so and makes a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import repeat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from logwright.bench import corpora, measure, throughput
from logwright.bench.markdown import markdown
from logwright.bench.report import page
from logwright.bench.rows import load
from logwright.bench.suites import SUITES
from logwright.cli.bench import app

pytestmark = pytest.mark.slow

_started = cache(lambda arguments: measure.python(list(arguments)))
_FEW = ["--methods", "ladder", "--offsets", "1", "--no-stress"]


def _small(make: Callable[[Path], Iterator[bytes]]) -> Callable[[Path], Iterator[bytes]]:
    """The first lines of a replica again and again: whole ones take seconds to make and read."""
    text = cache(lambda data: b"".join(next(make(data)).splitlines(keepends=True)[:4_000]))
    return lambda data: repeat(text(data))


def _written(path: Path, replicas: Iterator[bytes], size: int) -> int:
    """One replica in place of `size` bytes."""
    text = next(replicas)
    path.write_bytes(text)
    return text.count(b"\n")


# Those that are in test files of their own, where their figures are looked at.
_STREAMS = ("stream", "stream-memory")
_ELSEWHERE = ("feedback", "rules", "sequence", "sequence-speed", "reasoning", *_STREAMS)


@pytest.mark.parametrize("suite", [e.suite for e in SUITES if e.suite not in _ELSEWHERE])
def test_a_quick_run_makes_a_report_that_says_what_it_is(
    data: Path, monkeypatch: pytest.MonkeyPatch, suite: str
) -> None:
    if suite in ("templates", "throughput"):
        pytest.importorskip("drain3")
    # Processes are started as in a whole run, each once; what they read may be small.
    monkeypatch.setattr(throughput, "command", cache(measure.command))
    monkeypatch.setattr(throughput, "python", lambda arguments: _started(tuple(arguments)))
    monkeypatch.setattr(corpora, "write_file", _written)
    for kind in ("bgl", "hdfs", "json_lines"):
        monkeypatch.setattr(corpora, kind, _small(getattr(corpora, kind)))
    entry = next(each for each in SUITES if each.suite == suite)
    arguments = ["run", suite, "--quick", "--data", str(data), "--json", "out.json"]
    if entry.methods:
        arguments += _FEW
    if suite == "log":
        Path("own.log").write_text("".join(f"job {i} took {i % 9} ms\n" for i in range(400)))
        Path("own.labels").write_text("".join(f"{int(i % 40 == 5)}\n" for i in range(400)))
        arguments += ["--log", "own.log", "--labels", "own.labels"]
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 0, ran.exception
    result = load(Path("out.json"))
    assert result["suite"] == suite
    assert result["rows"]
    assert result["settings"]["quick"] is True
    for text in (page([result]), markdown([result])):
        assert "A quick run: its figures mean nothing." in text
