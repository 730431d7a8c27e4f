"""`logwright diff`: planted changes of each kind are found, and nothing where nothing changed."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

import logwright as lw
from logwright.cli import main
from logwright.diff import Diff, diff
from logwright.errors import LogwrightError
from logwright.findings.change import Change
from logwright.findings.changes import render, write

pytestmark = pytest.mark.slow

START = datetime(2024, 5, 1, tzinfo=UTC)
HOUR = 3600.0


def line(at: float, text: str, level: str = "INFO", host: str = "web1") -> tuple[float, str]:
    moment = START + timedelta(seconds=at)
    return (
        at,
        f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z {level} [{host}] {text}",
    )


def calm(seed: int, start: float = 0.0, hours: float = 4) -> list[tuple[float, str]]:
    """Requests at random, a heartbeat, and a few long bursts of retries."""
    rng = random.Random(seed)
    end = start + hours * HOUR
    lines = [line(s, "heartbeat ok") for s in range(int(start), int(end), 60)]
    for _ in range(int(200 * hours)):
        s, user = rng.uniform(start, end), rng.choice(["ann", "bob", "cy"])
        took = rng.lognormvariate(2.5, 0.5)
        lines.append(line(s, f"request of user={user} took {took:.0f} ms"))
        lines.append(line(s + 0.01, f"answered with status {rng.choice([200, 200, 200, 404])}"))
    for _ in range(int(hours)):
        s = rng.uniform(start, end - 90)
        burst = range(rng.randint(5, 300))
        lines += [line(s + j * 0.2, f"retry {j} of 10.0.0.7", "WARN") for j in burst]
    return lines


def steadily(start: float, hours: float, every: float) -> Iterator[float]:
    rng = random.Random(7)
    at = start
    while (at := at + rng.expovariate(1 / every)) < start + hours * HOUR:
        yield at


def text_of(lines: list[tuple[float, str]]) -> str:
    return "".join(f"{text}\n" for _, text in sorted(lines))


@pytest.fixture
def before(tmp_path: Path) -> str:
    lines = calm(1)
    lines += [line(s, f"backup of volume {int(s) % 9} done") for s in steadily(0, 4, 90)]
    lines += [line(s, f"slow reply of shard {int(s) % 5}", "WARN") for s in steadily(0, 4, 200)]
    (tmp_path / "before.log").write_text(text_of(lines))
    return str(tmp_path / "before.log")


@pytest.fixture
def after(tmp_path: Path) -> str:
    day = 24 * HOUR
    lines = [
        (s, t.replace("took ", "took 9").replace("user=cy", "user=eve")) for s, t in calm(2, day)
    ]
    lines += [line(s, f"slow reply of shard {int(s) % 5}", "WARN") for s in steadily(day, 4, 12)]
    lines += [line(s, f"disk full on /dev/sd{int(s) % 4}", "ERROR") for s in steadily(day, 4, 100)]
    lines.append(line(day + 500, "kernel panic: not syncing", "FATAL"))
    (tmp_path / "after.log").write_text(text_of(lines))
    return str(tmp_path / "after.log")


def found(result: Diff, kind: str, text: str) -> Change:
    """The one change of that kind whose template holds the text."""
    changes = [c for c in result.changes if c.kind == kind and text in c.text]
    assert len(changes) >= 1, [(c.kind, c.text) for c in result.changes]
    return changes[0]


def test_each_kind_of_change_is_found(before: str, after: str) -> None:
    result = diff(before, after)
    new = found(result, "new", "disk full")
    assert new.clear
    assert (new.before, new.severity) == (0, "high")
    assert new.line is not None
    assert new.line.source == after
    assert "disk full on /dev/sd" in new.line.text
    gone = found(result, "gone", "backup")
    assert gone.clear
    assert (gone.after, gone.severity) == (0, "medium")
    faster = found(result, "faster", "slow reply")
    assert faster.ratio == pytest.approx(200 / 12, rel=0.3)
    assert faster.chance < 1e-4
    changes = [c for c in result.changes if c.kind == "changed" and "request" in c.text]
    assert {c.measure for c in changes} == {"median", "eve"}
    median = next(c for c in changes if c.measure == "median")
    assert median.value_before == pytest.approx(12, abs=2)
    assert median.value_after is not None
    assert median.value_after > 900
    assert found(result, "new", "kernel panic").severity == "critical"
    assert "kernel panic" in result.changes[0].text
    assert not [c for c in result.changes if "heartbeat" in c.text or "retry" in c.text]
    assert result.by == "time"


def test_the_other_way_round_new_is_gone_and_faster_is_slower(before: str, after: str) -> None:
    result = diff(after, before)
    assert found(result, "gone", "disk full").clear
    assert found(result, "new", "backup").clear
    assert found(result, "slower", "slow reply").clear


def test_nothing_changed(tmp_path: Path) -> None:
    for seed in range(6):
        (tmp_path / "a.log").write_text(text_of(calm(seed)))
        (tmp_path / "b.log").write_text(text_of(calm(100 + seed, 24 * HOUR, hours=1 + seed)))
        result = diff(str(tmp_path / "a.log"), str(tmp_path / "b.log"))
        assert result.changes == ()
        assert result.pace == 1
        assert "more than chance" in render(result)


def test_what_came_once_may_be_chance(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(text_of(calm(1)))
    lines = [*calm(2, 24 * HOUR), line(24 * HOUR + 50, "configuration read again")]
    (tmp_path / "b.log").write_text(text_of(lines))
    (change,) = diff(str(tmp_path / "a.log"), str(tmp_path / "b.log")).changes
    assert (change.kind, change.clear, change.chance, change.severity) == ("new", False, 1, "low")


def test_three_lines_that_a_short_side_never_held_are_no_news(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(text_of(calm(1, hours=0.4)))
    lines = [*calm(2, 24 * HOUR, 8), *(line(24 * HOUR + s, "job moved") for s in (9, 9e3, 2e4))]
    (tmp_path / "b.log").write_text(text_of(lines))
    result = diff(str(tmp_path / "a.log"), str(tmp_path / "b.log"))
    assert not [c for c in result.changes if "job moved" in c.text]
    assert result.not_told >= 1


def test_new_trouble_is_told_even_where_chance_would_have_it(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(text_of(calm(1, hours=0.4)))
    lines = [*calm(2, 24 * HOUR, 8), line(24 * HOUR + 9, "job failed: disk full")]
    (tmp_path / "b.log").write_text(text_of(lines))
    result = diff(str(tmp_path / "a.log"), str(tmp_path / "b.log"))
    (change,) = [c for c in result.changes if "job failed" in c.text]
    assert (change.clear, change.severity) == (False, "high")


def test_a_log_that_is_busier_as_a_whole_is_one_fact(tmp_path: Path) -> None:
    rng = random.Random(3)
    for name, start, many in (("a", 0.0, 300), ("b", 24 * HOUR, 900)):
        lines = [
            line(rng.uniform(start, start + HOUR), text.format(rng.randint(0, 999)))
            for text in (
                "order {} was paid",
                "visit of page {}",
                "search took {} ms",
                "login of account {} succeeded",
                "queue holds {}",
                "wrote {} bytes to disk",
            )
            for i in range(many)
        ]
        (tmp_path / f"{name}.log").write_text(text_of(lines))
    result = diff(str(tmp_path / "a.log"), str(tmp_path / "b.log"))
    assert result.pace == pytest.approx(3, rel=0.1)
    assert result.changes == ()
    assert "times as busy" in render(result)


def test_logs_without_times_are_compared_by_shares(tmp_path: Path) -> None:
    rng = random.Random(1)
    for name, errors in (("a", 0.02), ("b", 0.3)):
        lines = ["call failed\n" if rng.random() < errors else "call done\n" for _ in range(3000)]
        (tmp_path / name).write_text("".join(lines))
    result = diff(str(tmp_path / "a"), str(tmp_path / "b"))
    assert result.by == "lines"
    change = found(result, "faster", "call failed")
    assert change.rate_after == pytest.approx(0.3, abs=0.05)


def test_before_and_after_a_time(tmp_path: Path) -> None:
    lines = [*calm(1), *calm(2, 4 * HOUR)]
    lines += [line(s, "cache rebuilt in 5 s") for s in steadily(4 * HOUR, 4, 60)]
    (tmp_path / "app.log").write_text(text_of(lines))
    log = str(tmp_path / "app.log")
    whole = diff(log, at="2024-05-01T04:00")
    assert [c.text for c in whole.changes if c.clear] == [found(whole, "new", "cache").text]
    assert diff(log, at="04:00").changes == whole.changes
    assert whole.a.seconds == pytest.approx(4 * HOUR, rel=0.01)


def test_hosts_components_and_words_make_sides(tmp_path: Path) -> None:
    rng = random.Random(2)
    records = []
    for i in range(3000):
        host = rng.choice(["web1", "web2", "web3"])
        slow = host == "web3" and rng.random() < 0.4
        text = "reply was late" if slow else "reply sent"
        at = START + timedelta(seconds=i)
        records.append({"time": at.isoformat(), "level": "info", "host": host, "message": text})
    (tmp_path / "app.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))
    log = str(tmp_path / "app.jsonl")
    rest = diff(log, only_b="host=web3")
    late = found(rest, "new", "reply was late")
    assert late.clear
    assert late.line is not None
    assert late.line.host == "web3"
    assert rest.a.lines + rest.b.lines == 3000
    two = diff(log, only_a="host=web1,since=00:10", only_b="host=web3,since=00:10")
    assert found(two, "new", "reply was late").clear
    assert two.b.lines < rest.b.lines
    assert diff(log, only_a="host=web1", only_b="host=web2").changes == ()


def test_messages_of_json_lines_give_values(tmp_path: Path) -> None:
    rng = random.Random(4)
    for name, low in (("a", 10), ("b", 700)):
        records = [
            {"ts": i, "msg": f'query "users" took {rng.randint(low, 2 * low)} ms', "n": i}
            for i in range(1_700_000_000, 1_700_000_600)
        ]
        (tmp_path / name).write_text("".join(json.dumps(r) + "\n" for r in records))
    change = found(diff(str(tmp_path / "a"), str(tmp_path / "b")), "changed", "query")
    assert (change.measure, change.parameter) == ("median", 1)


def test_a_model_is_a_side(before: str, after: str, tmp_path: Path) -> None:
    lw.learn(before).save(tmp_path / "model")
    result = diff(str(tmp_path / "model"), after)
    assert found(result, "new", "disk full").clear
    assert found(result, "gone", "backup").clear
    assert found(result, "faster", "slow reply").clear
    assert not [c for c in result.changes if "retry" in c.text or "heartbeat" in c.text]
    back = diff(after, str(tmp_path / "model"))
    assert found(back, "new", "backup").clear
    with pytest.raises(LogwrightError, match="is a model"):
        diff(str(tmp_path / "model"), str(tmp_path / "model"))


def test_blocks_and_compression_change_nothing(before: str, after: str, tmp_path: Path) -> None:
    whole = diff(before, after)
    assert diff(before, after, block_bytes=5000).changes == whole.changes
    packed = tmp_path / "after.log.gz"
    packed.write_bytes(gzip.compress(Path(after).read_bytes()))
    same = diff(before, str(packed))
    assert [c.summary for c in same.changes] == [c.summary for c in whole.changes]


def test_a_template_is_told_by_one_count_and_few_values(before: str, after: str) -> None:
    result = diff(before, after)
    counts = [c.template for c in result.changes if c.kind != "changed"]
    assert len(counts) == len(set(counts))


@pytest.mark.parametrize("width", [40, 80, 100, 140])
def test_the_table_keeps_to_its_width(width: int, before: str, after: str) -> None:
    shown = render(diff(before, after), width=width)
    assert all(cell_len(row) <= width for row in shown.splitlines())
    assert "disk full" in shown
    assert ":" in shown


def test_the_table_says_what_it_leaves_out(before: str, after: str) -> None:
    result = diff(before, after)
    shown = render(result, top=1)
    assert f"{len(result.changes) - 1} more changes below these" in shown
    assert "kernel panic" in shown
    assert "disk full" not in shown


def test_log_text_is_made_harmless_and_secrets_are_removed(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("fine\n" * 50)
    odd = "evil \x1b[31m\u202e password=hunter22 here\n"
    (tmp_path / "b.log").write_text("fine\n" * 50 + odd * 3)
    result = diff(str(tmp_path / "a.log"), str(tmp_path / "b.log"))
    output = io.StringIO()
    write(result.changes, output)
    for shown in (render(result), output.getvalue()):
        assert "evil" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "hunter22" not in shown


def test_each_change_is_one_json_object(before: str, after: str) -> None:
    result = diff(before, after)
    output = io.StringIO()
    assert write(result.changes, output) == len(result.changes)
    rows = [json.loads(row) for row in output.getvalue().splitlines()]
    assert [Change.model_validate(row) for row in rows] == list(result.changes)


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def logwright(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["logwright", *map(str, arguments)])
        code: object = 0
        try:
            main.run()
        except SystemExit as left:
            code = left.code
        out, err = capfd.readouterr()
        return int(code or 0), out, err  # type: ignore[call-overload]

    return command


def test_the_command_and_its_exit_codes(logwright: Run, before: str, after: str) -> None:
    code, out, err = logwright("diff", before, after)
    assert (code, err) == (0, "")
    assert "kernel panic" in out
    code, out, _ = logwright("diff", before, after, "--json", "--severity", "high")
    assert code == 0
    assert {json.loads(row)["severity"] for row in out.splitlines()} == {"high", "critical"}
    assert logwright("diff", before, after, "--fail-on", "critical")[0] == 1
    calmer = logwright("diff", before, after, "--b", "host=x")
    assert calmer[0] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{a}"], "expected two sides"),
        (["{a}", "{b}", "--at", "10:00"], "expected two sides"),
        (["{a}", "{a}"], "on both sides"),
        (["{a}", "nowhere.log"], "no file or folder matches"),
        (["{a}", "--at", "soon"], "is not a time"),
        (["{a}", "--at", "2031-01-01"], "holds no lines: the log runs from 2024-05-01T00:00"),
        (["{a}", "--a", "web1"], "expected key=value"),
        (["{a}", "--b", "user=nobody"], "side B .* holds no lines"),
        (["{a}", "--a", "user=ann", "--b", "level=info"], "on both sides"),
    ],
)
def test_mistakes_are_told_in_one_sentence(
    logwright: Run, before: str, after: str, arguments: list[str], said: str
) -> None:
    code, out, err = logwright("diff", *(a.format(a=before, b=after) for a in arguments))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert re.search(said, err), err
