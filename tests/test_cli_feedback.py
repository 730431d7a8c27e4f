"""`logwright verdict`, `review`, `verdicts` and `findings`: what they print, change and refuse."""

from __future__ import annotations

import io
import json
import os
import re
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feedback_fakes import new_template, some, stored
from logwright.cli import main
from logwright.findings.finding import Finding
from logwright.store import open_store, remember

pytestmark = pytest.mark.slow

Call = Callable[..., str]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder, as far as these commands look into it."""
    stored(tmp_path / "model" / "store.db", some())
    return tmp_path / "model"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Runs a command as the shell would; gives what it prints, on standard error where it fails."""

    def call(*arguments: object, keys: str = "", code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["logwright", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(keys))
        monkeypatch.setenv("COLUMNS", "80")
        left: int | str | None = 0
        try:
            main.run()
        except SystemExit as error:
            left = error.code
        out, err = capfd.readouterr()
        assert (left or 0) == code, err
        assert bool(err) == bool(code)
        return err if code else out

    return call


def found(call: Call, model: Path, *options: str) -> list[Finding]:
    lines = call("findings", "list", "-m", model, "--json", *options).splitlines()
    return [Finding.model_validate_json(line) for line in lines]


def disk(call: Call, model: Path) -> Finding:
    return next(f for f in found(call, model) if "disk" in f.summary)


def answers(*keys: str) -> str:
    return "".join(f"{key}\n" for key in keys)


def test_a_verdict_tells_its_effect_and_how_to_take_it_back(call: Call, model: Path) -> None:
    finding = disk(call, model)
    out = call("verdict", finding.id[:10], "benign", "-m", model, "--by", "ann", "--note", "old")
    assert out.splitlines() == [
        "benign: New template: 'disk sda: write failed'",
        f"  pattern    {finding.pattern[:10]}",
        "  effect     closes 12 findings of 1 pattern on 3 hosts",
        f"verdict 1 stands; to take it back: logwright verdicts undo 1 -m {model}",
    ]
    closed = found(call, model, "--state", "suppressed")
    assert len(closed) == 12
    assert {f.because for f in closed} == {"benign by ann (verdict 1): old"}
    assert "reopens 12 findings" in call("verdicts", "undo", "-m", model)
    assert found(call, model, "--state", "suppressed") == []


def test_a_dry_run_changes_nothing(call: Call, model: Path) -> None:
    pattern = disk(call, model).pattern
    out = call("verdict", pattern, "real", "-m", model, "--dry-run")
    assert "confirms 12 findings" in out
    assert "nothing changed" in out
    told = json.loads(call("verdict", pattern, "real", "-m", model, "--dry-run", "--json"))
    assert (told["effect"]["findings"], told["dry_run"]) == (12, True)
    assert call("verdicts", "list", "-m", model) == "no verdicts\n"


def test_another_word_on_the_same_is_told(call: Call, model: Path) -> None:
    pattern = disk(call, model).pattern
    call("verdict", pattern, "benign", "-m", model, "--by", "ann")
    out = call("verdict", pattern, "real", "-m", model, "--by", "bob", "--severity", "critical")
    assert "instead of benign by ann (verdict 1)" in out
    listed = call("verdicts", "list", "-m", model)
    assert "(overridden by 2)" in listed
    rows = json.loads(call("verdicts", "list", "-m", model, "--json"))["verdicts"]
    assert [(r["number"], r["acts_on"], r["overridden_by"]) for r in rows] == [
        (2, 12, []),
        (1, 0, [2]),
    ]


def test_lists_are_cut_to_the_width_and_one_is_shown_whole(call: Call, model: Path) -> None:
    note = "seen before " * 30 + "in May"
    call("verdict", disk(call, model).pattern, "benign", "-m", model, "--note", note)
    for command in (["verdicts", "list"], ["verdicts", "audit"], ["findings", "list"]):
        lines = call(*command, "-m", model).splitlines()
        assert len(lines) > 1
        assert all(len(line) <= 80 for line in lines), command
    assert "before in May" in call("verdicts", "show", "1", "-m", model)
    assert "before in May" in call("verdicts", "list", "-m", model, "--json")


def test_expected_ends(call: Call, model: Path) -> None:
    pattern = disk(call, model).pattern
    message = call("verdict", pattern, "expected", "-m", model, code=2)
    assert "--until DATE or --during SCHEDULE" in message
    call("verdict", pattern, "expected", "-m", model, "--until", "2025-06-14T06:00")
    assert len(found(call, model, "--state", "suppressed")) == 3
    call("verdicts", "undo", "-m", model)
    call("verdict", pattern, "expected", "-m", model, "--during", "06:00-08:00")
    assert len(found(call, model, "--state", "suppressed")) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "number"),
    [
        (["--host", "web1"], 4),
        (["--source", "app.log"], 12),
        (["--source", "other.log"], 0),
        (["--wide", "templates"], 12),
        (["--wide", "text"], 12),
        (["--text", "* of version *"], 5),
    ],
)
def test_a_verdict_reaches_as_far_as_it_says(
    call: Call, model: Path, options: list[str], number: int
) -> None:
    call("verdict", disk(call, model).pattern, "benign", "-m", model, *options, "--yes")
    assert len(found(call, model, "--state", "suppressed")) == number


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["disk", "real"], "'disk' is no id"),
        (["p-0000000000", "real"], "no pattern"),
        (["q-0000000000", "real"], "there is no open question"),
        (["PATTERN", "benign", "--severity", "high"], "only 'real' has a severity"),
        (["PATTERN", "expected", "--until", "soon"], "'soon' is no time"),
        (["PATTERN", "expected", "--during", "soon"], "'soon' is no schedule"),
        (["PATTERN", "real", "--text", "*"], "besides '*'"),
        (["PATTERN", "real", "--text", "a", "--wide", "templates"], "goes with --wide text"),
        (["PATTERN", "real", "--note", "x" * 5000], "note: "),
        (["PATTERN", "real", "--store", "x.db"], "not both"),
    ],
)
def test_mistakes_are_one_sentence(
    call: Call, model: Path, arguments: list[str], message: str
) -> None:
    pattern = disk(call, model).pattern
    given = [pattern if a == "PATTERN" else a for a in arguments]
    said = call("verdict", *given, "-m", model, code=2)
    assert message in said
    assert said.count("\n") == 1


def test_where_there_is_no_store_it_says_what_makes_one(call: Call, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for command in (["review"], ["verdicts", "list"], ["findings", "list"]):
        said = call(*command, "-m", tmp_path / "empty", code=2)
        assert f"logwright detect FILE -m {tmp_path / 'empty'}" in said
        assert not (tmp_path / "empty" / "store.db").exists()
    assert "is not the folder of a model" in call("review", "-m", tmp_path / "no", code=2)


def test_without_model_and_store_it_is_the_default_one(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    stored(tmp_path / "logwright" / "store.db", some())
    assert "New template: 'disk sd" in call("findings", "list")


def test_review_asks_the_most_informative_first_and_acts_at_once(call: Call, model: Path) -> None:
    out = call("review", "-m", model, "--by", "ann", keys=answers("r", "b", "q"))
    first = out.splitlines()
    assert first[0].startswith("-- 0 answered, 4 left -- high -- q-")
    assert first[1] == "New template: 'disk sda: write failed'"
    assert "settles 12 findings" in first[2]
    assert "real: confirms 12 findings of 1 pattern on 3 hosts (verdict 1)" in out
    assert "-- 1 answered, 3 left --" in out
    assert out.endswith("2 answered, 2 left\n")
    assert all(len(line) <= 80 for line in first if not line.startswith("r real"))
    with open_store(model / "store.db") as store:
        assert [(e.number, e.by) for e in store.entries()] == [(1, "ann"), (2, "ann")]


def test_review_undoes_and_asks_again(call: Call, model: Path) -> None:
    out = call("review", "-m", model, keys=answers("u", "b", "u", "q"))
    assert "nothing was answered yet" in out
    assert "took back verdict 1: reopens 12 findings" in out
    assert out.count("\nNew template: 'disk sda: write failed'") == 2
    assert out.endswith("0 answered, 4 left\n")


def test_review_skips_widens_and_narrows(call: Call, model: Path) -> None:
    out = call(
        "review", "-m", model, keys=answers("s", "s", "w", "w", "w", "n", "n", "n", "n", "b")
    )
    assert "all findings whose text is like 'link lost *'" in out
    assert "there is no wider scope" in out
    assert "this pattern on host sw1 alone (if real: on it and others, too)" in out
    assert "there is no narrower scope" in out
    closes = "benign: closes 3 findings of 1 pattern that are of this host alone (verdict 1)"
    assert closes in out
    with open_store(model / "store.db") as store:
        (entry,) = store.entries()
    assert json.loads(entry.model_dump_json())["scope"]["host"] == "sw1"


def test_review_takes_what_drifted_apart_before_it_calls_it_real(call: Call, model: Path) -> None:
    out = call("review", "-m", model, keys=answers("b", "r", "r", "q"))
    assert "5 new templates, first at Jun 14 19:52:00, all of component deploy" in out
    assert "if real    asks one by one which of them it is" in out
    assert "one by one: 5 patterns" in out
    assert "real: confirms 1 finding of 1 pattern" in out


def test_review_expects_until_a_time_or_in_a_schedule(call: Call, model: Path) -> None:
    keys = answers("e", "never again", "e", "", "e", "03:00-05:00", "e", "2026-01-01", "q")
    out = call("review", "-m", model, keys=keys)
    assert "'never again' is no time" in out
    assert "not answered" in out
    assert "expected: closes 2 findings of 1 pattern on 2 hosts (verdict 1)" in out
    assert "verdict 2" in out


def test_review_shows_more_lines_and_help_and_ends_with_its_input(call: Call, model: Path) -> None:
    out = call("review", "-m", model, keys=answers("o", "?", "z"))
    assert out.count("disk sda: write failed") > 6
    assert "q  quit" in out
    assert re.search(r"  > Jun 14 \S+ web\d line \d+ disk sda: write failed", out)
    assert out.endswith("0 answered, 4 left\n")
    limited = call("review", "-m", model, "--limit", "1", keys=answers("b", "b"))
    assert limited.endswith("1 answered, 3 left\n")


def test_review_lists_questions_as_json(call: Call, model: Path) -> None:
    asked = json.loads(call("review", "-m", model, "--json"))["questions"]
    assert asked[0]["findings"] == 12
    (drift,) = (q for q in asked if q["kind"] == "drift")
    said = call("verdict", drift["id"], "real", "-m", model, code=2)
    assert "judge which is real" in said
    out = call("verdict", drift["id"][:8], "benign", "-m", model)
    assert "closes 5 findings of 5 patterns" in out
    assert len(json.loads(call("review", "-m", model, "--json"))["questions"]) == 3


def test_verdicts_travel_between_stores(call: Call, model: Path, tmp_path: Path) -> None:
    pattern = disk(call, model).pattern
    call("verdict", pattern, "benign", "-m", model, "--by", "ann")
    call("verdict", pattern, "real", "-m", model, "--by", "bob")
    call("verdicts", "undo", "1", "-m", model)
    file = tmp_path / "v.jsonl"
    call("verdicts", "export", file, "-m", model)
    assert call("verdicts", "export", "-m", model) == file.read_text()
    other = tmp_path / "other.db"
    assert "added 3 records" in call("verdicts", "import", file, "--store", other)
    assert "added 0 records, 3 were there" in call("verdicts", "import", file, "--store", other)
    for command in (["list", "--all"], ["show", "2"], ["audit"]):
        assert "bob" in call("verdicts", *command, "--store", other)
    done = json.loads(call("verdicts", "import", file, "--store", other, "--json"))
    assert done == {"added": [], "skipped": 3, "conflicts": []}
    file.write_text("{}\n")
    assert "line 1: no verdict" in call("verdicts", "import", file, "-m", model, code=2)
    assert "cannot be read" in call("verdicts", "import", tmp_path / "no", "-m", model, code=2)


def test_the_audit_says_who_changed_what(call: Call, model: Path) -> None:
    call("verdict", disk(call, model).pattern, "benign", "-m", model, "--by", "ann")
    call("verdicts", "undo", "-m", model, "--by", "bob")
    newest, oldest = call("verdicts", "audit", "-m", model).splitlines()[1:]
    assert "bob" in newest
    assert "12 suppressed to open: verdict 1" in newest
    assert "ann" in oldest
    assert "12 open to suppressed" in oldest
    assert "undone     by 2" in call("verdicts", "show", "1", "-m", model)


def test_findings_are_queried_exported_and_pruned(call: Call, model: Path, tmp_path: Path) -> None:
    every = found(call, model)
    assert len(every) == 21
    assert len(found(call, model, "--pattern", disk(call, model).pattern)) == 12
    assert len(found(call, model, "--since", "2025-06-15")) == 1
    assert len(found(call, model, "--top", "3")) == 3
    shown = call("findings", "show", every[-1].id, "-m", model)
    assert "disk sda: write failed" in shown
    assert f"logwright verdict {every[-1].id} real|benign" in shown
    call("findings", "export", tmp_path / "f.jsonl", "-m", model)
    assert len((tmp_path / "f.jsonl").read_text().splitlines()) == 21
    call("findings", "export", tmp_path / "f.parquet", "-m", model)
    assert (tmp_path / "f.parquet").read_bytes()[:4] == b"PAR1"
    assert ".jsonl or .parquet" in call("findings", "export", "f.csv", "-m", model, code=2)
    assert "--older-than" in call("findings", "prune", "-m", model, code=2)
    assert "took away 0 findings" in call("findings", "prune", "--older-than", "30d", "-m", model)


def test_what_strangers_wrote_does_not_act_on_the_terminal(call: Call, tmp_path: Path) -> None:
    bad = new_template("\x1b]0;owned\x07 \x1b[31mfailed\u202e now and then", host="\x1b[2J")
    store = stored(tmp_path / "store.db", [bad])
    out = call("review", "--store", store, keys=answers("w", "w", "o", "?", "b"))
    for command in (
        ["findings", "list"],
        ["findings", "show", bad.id],
        ["verdict", bad.pattern, "real", "--by", "\x1b[31m", "--note", "\x1b[0m\u202e"],
        ["verdicts", "list"],
        ["verdicts", "show", "1"],
        ["verdicts", "audit"],
    ):
        out += call(*command, "--store", store)
    assert "owned" in out
    assert not set("\x1b\x07\u202e") & set(out)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_one_key_is_enough_on_a_terminal_and_ctrl_c_leaves_it_as_it_was(model: Path) -> None:
    import pty
    import termios

    script = "from logwright.cli.main import run; run()"
    child, terminal = pty.fork()
    if child == 0:
        arguments = [sys.executable, "-c", script, "review", "-m", str(model)]
        os.execv(sys.executable, arguments)
    before, shown = termios.tcgetattr(terminal), ""

    def until(text: str) -> None:
        nonlocal shown
        deadline = time.monotonic() + 20
        while text not in shown:
            assert time.monotonic() < deadline, shown
            if select.select([terminal], [], [], 0.1)[0]:
                shown += os.read(terminal, 65536).decode()
        shown = shown.partition(text)[2]

    try:
        until("? q > ")
        os.write(terminal, b"\x1b[A")  # an arrow key answers nothing
        until("? q > ")
        os.write(terminal, b"b")
        until("verdict 1")
        until("? q > ")
        os.write(terminal, b"\x03")
        _, status = os.waitpid(child, 0)
        child = 0
        assert os.waitstatus_to_exitcode(status) == 130
        assert termios.tcgetattr(terminal) == before
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(terminal)
    with open_store(model / "store.db") as store:
        assert store.newest() == 1


def test_kept_answers_are_json(call: Call, model: Path) -> None:
    pattern = disk(call, model).pattern
    told: dict[str, Any] = json.loads(call("verdict", pattern, "real", "-m", model, "--json"))
    assert told["verdict"]["number"] == 1
    shown = json.loads(call("verdicts", "show", "1", "-m", model, "--json"))
    assert shown["acts_on"] == 12
    undone = json.loads(call("verdicts", "undo", "-m", model, "--json"))
    assert undone["undo"]["undoes"] == 1
    assert len(json.loads(call("verdicts", "audit", "-m", model, "--json"))["audit"]) == 2


def test_a_host_with_a_name_that_no_verdict_can_hold_is_reviewed(
    call: Call, tmp_path: Path
) -> None:
    odd = new_template("disk failed", host="h" * 5000, source="caf\udce9.log")
    store = stored(tmp_path / "store.db", [odd])
    for word in ("real", "benign"):
        assert "1 finding" in call("verdict", odd.id, word, "--store", store, "--by", "\udcff")
    call("verdicts", "undo", "2", "--store", store)
    call("verdicts", "undo", "1", "--store", store)
    out = call("review", "--store", store, keys=answers("n", "n", "b"))
    assert "this pattern of source" not in out  # there is only one
    assert out.endswith("1 answered, 0 left\n")


def test_a_bad_option_is_named(call: Call, model: Path) -> None:
    pattern = disk(call, model).pattern
    said = call("verdict", pattern, "benign", "-m", model, "--host", "h" * 5000, code=2)
    assert "--host 'hhh" in said
    assert "None" not in said
    out = call("verdict", pattern, "benign", "-m", model, "--host", "\udcff")
    assert "on host \\xff" in out
    out = call("verdict", pattern, "expected", "-m", model, "--until", "2025-06-14")
    assert "2025-06-14 00:00 is past: only what came before is expected" in out


def test_review_does_not_ask_again_what_an_answer_does_not_cover(call: Call, model: Path) -> None:
    keys = answers("e", "2020-01-01", "q")
    out = call("review", "-m", model, keys=keys)
    assert "it covers none of these findings, which stay open; 2020-01-01 00:00 is past" in out
    assert out.count("\nNew template: 'disk sda: write failed'") == 1


def test_review_takes_capitals_and_explains_keys_only_when_asked(call: Call, model: Path) -> None:
    out = call("review", "-m", model, keys=answers("", "x", "B", "Q"))
    assert out.count("one of these keys; ? tells what they do") == 2
    assert "q  quit" not in out
    assert "benign: closes 12 findings" in out


@pytest.mark.parametrize(("severity", "number"), [("critical", 1), ("medium", 11)])
def test_review_asks_before_it_closes_what_is_critical_or_much(
    call: Call, tmp_path: Path, severity: Any, number: int
) -> None:
    letters = "abcdefghijkl"[:number]
    many = [new_template(f"w{c} ready", n, severity=severity) for n, c in enumerate(letters)]
    store = stored(tmp_path / "store.db", many)
    out = call("review", "--store", store, keys=answers("b", "n", "b", "Y"))
    assert out.count("Go on? y/n") == 2
    assert out.count("not answered") == 1
    assert out.endswith("1 answered, 0 left\n")


def test_only_what_acts_on_the_same_findings_overrides(call: Call, model: Path) -> None:
    pattern = disk(call, model).pattern
    call("verdict", pattern, "benign", "-m", model, "--host", "web0")
    call("verdict", pattern, "real", "-m", model, "--host", "web1")
    assert "overridden" not in call("verdicts", "list", "-m", model)
    call("verdict", pattern, "real", "-m", model, "--host", "web0")
    assert "(overridden by 3)" in call("verdicts", "list", "-m", model)


def test_an_export_overwrites_no_other_file(call: Call, model: Path, tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    file.write_text("mine\n")
    for command in ("findings", "verdicts"):
        said = call(command, "export", file, "-m", model, code=2)
        assert "it would be overwritten, choose another name" in said
    assert file.read_text() == "mine\n"


def test_a_store_of_the_last_run_that_is_gone_is_named(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    remember(tmp_path / "gone.db")
    said = call("findings", "list", code=2)
    assert f"kept its findings in {tmp_path / 'gone.db'}, which is gone" in said
    assert "--store FILE or -m MODEL" in said


def test_findings_are_listed_with_the_severity_that_they_have_now(call: Call, model: Path) -> None:
    pattern = disk(call, model).pattern
    call("verdict", pattern, "real", "-m", model, "--severity", "critical")
    now = found(call, model, "--state", "confirmed", "--top", "2")
    assert [(f.severity, f.own_severity) for f in now] == [("critical", "high")] * 2
    call("verdicts", "undo", "-m", model)
    now = found(call, model, "--pattern", pattern)
    assert {(f.severity, f.own_severity) for f in now} == {("high", None)}
