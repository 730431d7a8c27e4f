"""The stream suites: the lines that flow, how times are taken, and what quick runs say."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from logwright.bench.markdown import markdown
from logwright.bench.report import page
from logwright.bench.rows import load
from logwright.bench.stream import FULL, KAFKA, LADDER, bars
from logwright.bench.stream_lines import Flow, gap_of, parts
from logwright.bench.stream_memory import lines_of
from logwright.bench.stream_processes import Process, RedisServer, until
from logwright.bench.stream_producer import Sent
from logwright.bench.stream_run import Given, _told
from logwright.cli.bench import app
from logwright.errors import LogwrightError

FRESH = b"blk_" + b"0" * 19


def session(*words: str) -> list[bytes]:
    return [b"0" * 23 + f" 7 INFO {word} ".encode() + FRESH + b"\n" for word in words]


FLOW = Flow([session("open", "write", "close"), session("open", "fail"), session("open")], 40)


def block(line: bytes) -> bytes:
    found = re.search(rb"blk_(\d{19})\n", line)
    assert found is not None
    return found[1]


# Lines


@given(st.integers(0, 60), st.lists(st.integers(0, 17), max_size=5))
def test_lines_are_the_same_however_they_are_cut(begin: int, sizes: list[int]) -> None:
    whole, at = b"", begin
    for size in sizes:
        whole += FLOW.lines(at, at + size)
        at += size
    assert whole == FLOW.lines(begin, at)


def test_a_line_has_the_time_at_which_it_is_due() -> None:
    times = [line[:23] for line in FLOW.lines(0, 100).splitlines()]
    assert times[0] == b"2026-01-01 00:00:00,000"
    assert times[1] == b"2026-01-01 00:00:00,025"
    assert times[99] == b"2026-01-01 00:00:02,475"


def test_each_session_comes_whole_and_in_order_and_none_comes_again() -> None:
    words = defaultdict(list)
    for line in FLOW.lines(0, 60).splitlines(keepends=True):
        words[block(line)].append(line.split()[4].decode())
    whole = [tuple(told) for told in words.values()]
    allowed = {("open", "write", "close"), ("open", "fail"), ("open",)}
    # Those under way at the beginning and the end are cut.
    assert sum(told not in allowed for told in whole) <= 6
    assert len(whole) >= 60 / FLOW.length * 3


def test_ids_of_flows_with_an_offset_are_others() -> None:
    other = Flow([session("open", "close")], 40, offset=10**6)
    mine = {block(line) for line in FLOW.lines(0, 60).splitlines(keepends=True)}
    assert not mine & {block(line) for line in other.lines(0, 60).splitlines(keepends=True)}


def test_the_sample_s_later_sessions_are_not_those_of_history(data: Path) -> None:
    history, later = parts(data)
    assert (len(history), len(later)) == (5_520, 3_680)
    assert sum(map(len, history + later)) == 187_497
    assert gap_of(100_000) == 1.0


@pytest.mark.slow
def test_templates_of_the_memory_s_flow_never_come_again(data: Path) -> None:
    new = [
        line for entry in lines_of(data, 4_000) for line in entry.splitlines() if b"dfs." in line
    ]
    made = [line.split(b" blk_")[0][24:] for line in new if re.search(rb"dfs\.[a-z]{7} ", line)]
    assert len(made) == 8
    assert len(set(made)) == 8


# Times


def told(found: list[tuple[str, int]], closed: dict[str, int]) -> dict[str, float]:
    given = Given(Path("model"), rate=1_000, seconds=40, size=1_000)
    return _told(given, Sent(first=100.0, late=0.0), closed, found)


def test_a_finding_s_time_is_from_when_its_entry_was_due() -> None:
    row = told([("f-1", 110_019), ("f-2", 120_029)], {"f-1": 10, "f-2": 20})
    assert (row["ms_p50"], row["ms_p99"]) == (25.0, 29.9)
    assert (row["lost"], row["doubled"], row.get("unforeseen")) == (0, 0, None)
    assert row["lines_per_s"] == round(21_000 / 21.029)


def test_waiting_of_a_worker_that_falls_behind_is_told() -> None:
    row = told(
        [(f"f-{n}", 101_000 + 2_000 * n) for n in range(30)], {f"f-{n}": n for n in range(30)}
    )
    assert row["ms_p99"] > 29_000


def test_what_is_lost_doubled_or_unforeseen_is_counted() -> None:
    row = told([("f-1", 110_000), ("f-1", 110_005), ("f-9", 110_000)], {"f-1": 10, "f-2": 11})
    assert (row["lost"], row["doubled"], row["unforeseen"]) == (1, 1, 1)
    assert row["ms_p50"] == 1.0


def test_no_times_are_told_where_nothing_was_found() -> None:
    row = told([], {"f-1": 10})
    assert row["lost"] == 1
    assert "ms_p99" not in row


def test_bars_ask_for_rates_times_and_that_nothing_is_lost() -> None:
    good = {"lines_per_s": 155_000, "ms_p99": 30.0, "lost": 0, "doubled": 0}
    rows = [
        {"what": LADDER, **good},
        {"what": LADDER, **good},
        {"what": FULL, **good, "lines_per_s": 41_000},
        {"what": KAFKA, **good, "doubled": 1},
        {"what": "file", "lines_per_s": 600_000},
    ]
    met = {bar.key: bar.met for bar in bars(rows)}
    assert met.pop("lost") is False
    assert all(met.values()), met


# Processes


def test_without_a_server_the_command_to_install_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("redis", reason="the redis package is not installed")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(LogwrightError, match="apt-get install redis-server"):
        RedisServer(tmp_path)


def test_a_process_ends_with_its_block(tmp_path: Path) -> None:
    with Process(["sleep", "600"], tmp_path / "log") as sleeping:
        assert sleeping.resident > 0
        assert not sleeping.ended
    assert sleeping.ended


def test_what_does_not_come_is_an_error() -> None:
    with pytest.raises(LogwrightError, match="the answer did not come within 0 s"):
        until(lambda: False, "the answer", 0.01)


# Whole runs


@pytest.mark.slow
@pytest.mark.parametrize("suite", ["stream", "stream-memory"])
def test_a_quick_run_loses_and_doubles_nothing(data: Path, suite: str) -> None:
    pytest.importorskip("redis", reason="the redis package is not installed")
    if shutil.which("redis-server") is None and shutil.which("valkey-server") is None:
        pytest.skip("there is no redis-server: apt-get install redis-server")
    if suite == "stream":
        for library in ("torch", "onnxruntime", "confluent_kafka"):
            pytest.importorskip(library, reason=f"{library} is not installed")
    arguments = ["run", suite, "--quick", "--data", str(data), "--json", "out.json"]
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code == 0, ran.exception
    result = load(Path("out.json"))
    for row in result["rows"]:
        assert row.get("lost", 0) == row.get("doubled", 0) == row.get("unforeseen", 0) == 0, row
    if suite == "stream":
        assert [row["what"] for row in result["rows"]][:3] == [LADDER, FULL, KAFKA]
        assert all(row["findings"] > 0 for row in result["rows"][:4])
    for text in (page([result]), markdown([result])):
        assert "A quick run: its figures mean nothing." in text
