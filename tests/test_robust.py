"""What strangers can do to us: odd names, odd values, odd outputs, models that lie."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import logwright as lw
from logwright.bundle import History
from logwright.cli import main
from logwright.errors import ModelError, SettingsError
from logwright.findings import jsonl
from logwright.findings.finding import Finding
from logwright.findings.run import Run, SourceInfo
from logwright.findings.terminal import render
from logwright.logs.sessions import SessionKey, find_key, identifiers
from logwright.logs.timestamps import Clock
from logwright.settings import Settings, load_settings
from logwright.windows.plan import WindowPlan, choose_plan, parse_window

pytestmark = pytest.mark.slow

FINDINGS = Path(__file__).parent / "golden" / "findings.jsonl"
FINDING = next(jsonl.read(FINDINGS.read_text("utf-8").splitlines()))

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def logwright(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["logwright", *map(str, arguments)])
        code: Any = 0
        try:
            main.run()
        except SystemExit as left:
            code = left.code
        return code or 0, *capfd.readouterr()

    return call


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    lines = [f"2024-05-01 {n // 60:02}:{n % 60:02}:00 INFO job {n} done\n" for n in range(600)]
    lines.insert(500, "2024-05-01 08:20:30 ERROR disk full\n")
    (tmp_path / "app.log").write_text("".join(lines))
    return tmp_path / "app.log"


@pytest.fixture
def model(log: Path) -> Path:
    lw.learn(str(log)).save(log.parent / "model")
    return log.parent / "model"


def shell(command: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs `command` in bash, where `logwright` is ours."""
    run = f'logwright() {{ {sys.executable} -m logwright.cli.main "$@"; }}\n{command}'
    return subprocess.run(
        ["bash", "-c", run], capture_output=True, text=True, check=False, env={**os.environ, **env}
    )


# --- writing a model ---


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("FILE", "is a file: expected a folder"),
        ("FILE/x", "is a file, not a folder"),
        ("FILE/x/y", "is a file, not a folder"),
        ("/dev/null/x", "/dev/null is a file, not a folder"),
        ("/proc/x/y", "cannot be written"),
        ("x" * 300, "File name too long"),
        ("folder", "is not a model: choose another folder"),
        (".", "is the working folder"),
        ("/", "is not a model: choose another folder"),
    ],
)
def test_a_place_that_takes_no_model_is_told_before_the_input_is_read(
    logwright: Command, log: Path, target: str, said: str
) -> None:
    file = log.parent / "file"
    file.write_text("mine")
    Path("folder").mkdir()
    Path("folder", "manifest.json").write_text("{}")  # such as that of a web page
    if target == ".":
        for path in ("folder/manifest.json", "folder"):
            Path(path).unlink() if path.endswith("json") else Path(path).rmdir()
    before = sorted(log.parent.rglob("*"))
    code, out, err = logwright("learn", "absent.log", "-o", target.replace("FILE", str(file)))
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert sorted(log.parent.rglob("*")) == before
    assert file.read_text() == "mine"


def test_a_link_to_a_model_stays_a_link(log: Path) -> None:
    Path("real").mkdir()
    Path("link").symlink_to("real")
    for _ in range(2):
        lw.learn(str(log)).save("link")
    assert Path("link").is_symlink()
    assert sorted(p.name for p in Path().iterdir()) == ["link", "real"]
    lw.load("real")


def test_a_model_comes_back_where_the_new_one_cannot_take_its_place(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, replace = lw.load(str(model)), os.replace
    calls = 0

    def failing(source: Path, target: Path) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError(16, "Device or resource busy")
        replace(source, target)

    monkeypatch.setattr("os.replace", failing)
    with pytest.raises(ModelError, match="cannot be written: Device or resource busy"):
        loaded.save(model)
    lw.load(str(model))
    assert sorted(p.name for p in model.parent.iterdir()) == ["app.log", "here", "model"]


def test_files_whose_names_are_not_utf8_are_learned_from(logwright: Command, log: Path) -> None:
    name = os.fsdecode(b"f\xff.log")
    try:
        log.rename(name)
    except OSError:
        pytest.skip("the file system wants UTF-8")
    code, out, _ = logwright("learn", name, "-o", "m", "--json")
    assert code == 0
    json.loads(out)["history"]["sources"][0].encode()
    assert "f\\xff.log" in Path("m", "card.md").read_text("utf-8")
    assert lw.load("m").history.sources == ("f\\xff.log",)


# --- reading a model ---


def forged(model: Path, **changes: object) -> None:
    """Change the manifest, with a hash that fits."""
    path = model / "manifest.json"
    body = {**json.loads(path.read_text()), **changes}
    body.pop("self")
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    path.write_text(json.dumps({**body, "self": hashlib.sha256(text.encode()).hexdigest()}))


def test_a_changed_manifest_is_noticed(model: Path) -> None:
    forged(model)
    lw.load(str(model))
    path = model / "manifest.json"
    path.write_text(path.read_text().replace('"lines": 601', '"lines": 602'))
    with pytest.raises(ModelError, match=r"manifest\.json was changed or damaged"):
        lw.load(str(model))


PLAN = {"kind": "time", "size": 10**9, "step": 10**9, "lateness": 0, "cap": 9, "max_open": 9}
PLAN |= {"interval": 0, "reason": ""}


@pytest.mark.parametrize(
    "changes",
    [
        *({"format": version} for version in (True, 0, -1, 1.0, "1", None, [1], 10**300)),
        *({"session": session} for session in (5, "(", "日", ["x"])),
        *({"sha256": hashes} for hashes in (None, [], {"a\0b": ""}, {"x" * 5000: ""}, {"a": 1})),
        *({"sha256": {name: ""}} for name in ("/etc/passwd", "..", ".", "", "detectors")),
        *({"settings": settings} for settings in (None, {"nope": 1}, {"budget": -1})),
        *(
            {"plan": {**PLAN, **plan}}
            for plan in (
                {"size": 0},
                {"size": -5},
                {"size": 1 << 62},
                {"size": 10**400},
                {"size": "x"},
                {"step": 0},
                {"step": 2 * 10**9},
                {"step": 1},
                {"cap": 0},
                {"max_open": -1},
                {"lateness": -1},
                {"interval": -1},
                {"interval": 5},
                {},  # the rate detector's interval is not 0
                {"kind": "odd"},
                {"cap": True},
                {"more": 1},
            )
        ),
        {"plan": None},
        {"history": {"lines": -1}},
        {"history": 5},
        {"session_reason": None},
        {"more": 1},
    ],
    ids=lambda changes: str(changes)[:40],
)
def test_a_manifest_that_lies_is_one_sentence(model: Path, changes: dict[str, object]) -> None:
    forged(model, **changes)
    with pytest.raises(ModelError) as error:
        lw.load(str(model))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "9" * 10_000, "[]", "", "nul", '"\\ud800"']
)
@pytest.mark.parametrize("name", ["manifest.json", "thresholds.json"])
def test_odd_json_is_one_sentence(model: Path, name: str, text: str) -> None:
    (model / name).write_text(text)
    with pytest.raises(ModelError, match=name):
        lw.load(str(model))


@pytest.mark.parametrize("name", ["thresholds.json", "detectors/0-unseen.json"])
def test_every_file_that_is_read_has_a_hash(model: Path, name: str) -> None:
    hashes = json.loads((model / "manifest.json").read_text())["sha256"]
    del hashes[name]
    forged(model, sha256=hashes)
    with pytest.raises(ModelError, match="is not among the files of the manifest"):
        lw.load(str(model))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("reads", "odd"),
        ("threshold", float("nan")),
        ("threshold", "1"),
        ("threshold", None),
        ("detector", "../../x"),
        ("detector", 5),
        ("unit", "odd"),
        ("tables", ["../../x"]),
        ("tables", "known"),
        ("tables", []),
        ("more", 1),
    ],
)
def test_a_ladder_that_lies_is_one_sentence(model: Path, key: str, value: object) -> None:
    path = model / "thresholds.json"
    saved = json.loads(path.read_text())
    saved["rungs"][0][key] = value
    path.write_text(json.dumps(saved))
    hashes = json.loads((model / "manifest.json").read_text())["sha256"]
    hashes["thresholds.json"] = hashlib.sha256(path.read_bytes()).hexdigest()
    forged(model, sha256=hashes)
    with pytest.raises(ModelError) as error:
        lw.load(str(model))
    assert "\n" not in str(error.value)


def test_what_a_model_remembers_does_not_clash_with_what_is_asked(
    logwright: Command, log: Path, model: Path
) -> None:
    forged(model, settings={"severity": "critical", "top": 3, "budget": 10.0})
    code, _, err = logwright("detect", log, "-m", model, "--severity", "low", "--top", "5")
    assert (code, err) == (0, "")


def test_notes_of_a_history_are_text() -> None:
    assert History(notes=("a\udcffb\ud800",)).notes == ("a\\xffb\\ud800",)


# --- settings ---


@pytest.mark.parametrize("key", ["LATENESS", "SESSION_GAP", "BUDGET"])
@pytest.mark.parametrize("value", ["inf", "nan", "1e12", "-inf"])
def test_numbers_have_bounds(monkeypatch: pytest.MonkeyPatch, key: str, value: str) -> None:
    monkeypatch.setenv(f"LOGWRIGHT_{key}", value)
    with pytest.raises(SettingsError, match=f"LOGWRIGHT_{key}: {key.lower()} is '{value}'"):
        load_settings()


def test_a_budget_of_next_to_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="expected at least 1e-06"):
        load_settings(budget=1e-320)


@pytest.mark.parametrize("key", ["format", "timezone", "session", "window"])
def test_texts_can_be_encoded(key: str) -> None:
    with pytest.raises(SettingsError, match=f"{key} is .*expected UTF-8 text"):
        load_settings(**{key: "\udcff"})


def test_a_long_value_is_not_told_in_full() -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(severity="x" * 10_000)
    assert len(str(error.value)) < 400


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "budget = " + "9" * 10_000])
def test_odd_toml_is_one_sentence(text: str) -> None:
    Path("logwright.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"logwright\.toml"):
        load_settings()


@pytest.mark.parametrize("text", ["400000d", "9" * 18, "9" * 5000, "99999999999999999d", "٣"])
def test_windows_have_bounds(text: str) -> None:
    with pytest.raises(SettingsError, match="window is "):
        parse_window(text)


def test_windows_slide_by_a_hundredth_at_least() -> None:
    assert parse_window("100s/1s") == ("time", 100 * 10**9, 10**9)
    with pytest.raises(SettingsError, match=r"step of at least 1/100 of the window.* 101 windows"):
        parse_window("101s/1s")


def test_a_bad_window_is_told_before_the_input_is_read(logwright: Command) -> None:
    assert "window is '0'" in logwright("scan", "absent.log", "--window", "0")[2]


def test_the_least_session_gap_is_a_plan() -> None:
    plan = choose_plan(Settings(session_gap=1e-12), True, 10, 10**9)
    assert isinstance(plan, WindowPlan)
    assert plan.size == 1


@pytest.mark.parametrize("zone", ["+23:99", "+24:00", "-1:60", "+99", "\0", "..", "Europe"])
def test_zones_that_are_none(zone: str) -> None:
    with pytest.raises(SettingsError, match="timezone is "):
        Clock(zone, 0)


@pytest.mark.parametrize("pattern", [b"a{99999999999999}", b"(" * 5000, b"\xff("])
def test_odd_session_expressions_are_one_sentence(pattern: bytes) -> None:
    with pytest.raises(SettingsError, match=r"^session: '.*' is not a regular expression: ") as e:
        SessionKey(pattern, "as asked")
    assert len(str(e.value)) < 400


def test_an_expression_that_may_change_its_meaning_is_taken_quietly() -> None:
    assert SessionKey(b"[[a]+", "as asked").key_of(b"x[a") == b"[a"


def test_long_tokens_cost_their_length() -> None:
    started = time.perf_counter()
    for token in (b"a-" * 100_000, b"a" * 200_000, b"a_1" * 60_000, b"a-" * 60 + b"!"):
        identifiers(token.decode())
        find_key([token + b" 1"] * 5)
    key = find_key([b"%s order-%d" % (w, n) for n in range(100, 160) for w in (b"put", b"got")])
    assert key is not None
    assert key.key_of(b"order-" * 100_000) is None
    assert key.key_of(b"x order-" + b"ab_" * 30 + b"7z-1.") == b"order-" + b"ab_" * 30 + b"7z-1"
    assert time.perf_counter() - started < 5
    assert identifiers("blk_123 a-b_c-4567x x-123! \ud800") == {"blk_123", "a-b_c-4567x"}


# --- standard output ---


@pytest.mark.parametrize("command", ["scan LOG", "scan LOG --json", "learn LOG -o m", "--help"])
def test_a_reader_that_goes_away_is_no_error(log: Path, command: str) -> None:
    command = command.replace("LOG", str(log))
    done = shell(f"logwright {command} | true; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    ("target", "reason"), [(">/dev/full", "No space left on device"), (">&-", "it is closed")]
)
def test_an_output_that_cannot_be_written_is_one_sentence(
    log: Path, target: str, reason: str
) -> None:
    done = shell(f"logwright scan {log} {target}")
    assert done.returncode == 2
    assert done.stderr == f"logwright: standard output cannot be written: {reason}\n"


def test_an_output_that_is_not_utf8_takes_what_it_can(log: Path) -> None:
    done = shell(f"logwright scan {log}", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "501 ? disk full" in done.stdout


# --- reports ---


def test_fail_on_looks_at_what_is_not_shown(logwright: Command, log: Path) -> None:
    arguments = ("scan", log, "--severity", "critical")
    code, out, _ = logwright(*arguments, "--fail-on", "medium")
    assert code == 1
    assert "disk full" not in out
    assert "1 finding below severity critical not shown" in out
    assert logwright(*arguments, "--json", "--fail-on", "medium") == (1, "", "")
    assert logwright(*arguments, "--fail-on", "critical")[0] == 0


@pytest.mark.parametrize("name", [".", "absent/report.html", "x" * 300, "/dev/null/x"])
def test_a_report_that_cannot_be_written_is_told_before_the_input_is_read(
    logwright: Command, name: str
) -> None:
    code, out, err = logwright("scan", "absent.log", "--report", name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("logwright: --report ")


def test_a_report_that_fails_leaves_the_table(
    logwright: Command, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("logwright.findings.report._replace", full)
    code, out, err = logwright("scan", log, "--report", "r.html", "--fail-on", "low")
    assert code == 2
    assert "disk full" in out
    assert "Report:" not in out
    assert "r.html cannot be written: No space left on device" in err


def test_the_report_is_written_for_nobody_at_the_pipe(log: Path) -> None:
    assert shell(f"logwright scan {log} --report r.html | true").stderr == ""
    assert Path("r.html").is_file()


def test_names_of_reports_are_harmless(logwright: Command, log: Path) -> None:
    _, out, _ = logwright("scan", log, "--report", "r\x1b[31m.html")
    assert out.endswith("Report: r\\x1b[31m.html\n")


def test_json_lines_hold_nothing_that_acts() -> None:
    acting = "\x7f\x85\x9b\u2028\u2029\u200b\u200f\u202a\u202e\u2066\u2069\ufeff\\\u202e"
    finding = FINDING.model_copy(update={"summary": acting})
    line = jsonl.dumps(finding)
    assert re.search(r"\\u007f\\u0085\\u009b\\u2028.*\\\\\\u202e", line)
    assert not set(acting) - {"\\"} & set(line)
    assert list(jsonl.read([line])) == [finding]


# --- the demo ---


def test_the_demo_keeps_what_is_not_its_own(logwright: Command) -> None:
    Path("demo", "model").mkdir(parents=True)
    Path("demo", "model", "thesis.txt").write_text("mine")
    code, _, err = logwright("demo")
    assert (code, Path("demo", "model", "thesis.txt").read_text()) == (2, "mine")
    assert "is not a model: choose another folder" in err
    Path("other").mkdir()
    Path("other", "history.log").write_text("mine")
    code, _, err = logwright("demo", "--folder", "other")
    assert (code, Path("other", "history.log").read_text()) == (2, "mine")
    assert "is not the demo's" in err


def test_the_demo_needs_a_folder(logwright: Command) -> None:
    Path("file").write_text("")
    code, out, err = logwright("demo", "--folder", "file")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "is a file, not a folder" in err


# --- wording ---


def test_one_is_one(logwright: Command, log: Path) -> None:
    log.write_text("".join(log.read_text().splitlines(keepends=True)[:400]))
    _, out, _ = logwright("learn", log, "-o", "m")
    assert out.startswith("Learned 1 template from 400 lines in ")


def test_the_reason_of_a_format_does_not_wrap_the_head() -> None:
    source = SourceInfo(name="app.log", format="log4j", reason="100 % of 200 lines")
    head = render(Run(sources=(source,), lines=9, seconds=0.94), [], width=60).splitlines()
    assert head[:2] == [
        "9 lines in 0.9 s from app.log; no findings",
        "read as log4j: 100 % of 200 lines",
    ]


def test_many_sources_are_told_by_format() -> None:
    sources = [SourceInfo(name=f"/{'x' * 90}/{n}.log", lines=2, format="log4j") for n in range(9)]
    sources.append(SourceInfo(name="odd.log", lines=40, format="JSON", reason="as asked"))
    text = render(Run(sources=tuple(sources), lines=58), [], width=80)
    assert "  odd.log: 40 lines (JSON: as asked)\n  9 files: log4j, 18 lines\n" in text
    assert "xxx" not in text


def found(n: int, count: int) -> Finding:
    return FINDING.model_copy(update={"id": f"f-{n:016}", "count": count})


@pytest.mark.parametrize("width", [80, 120])
def test_a_group_says_what_its_count_counts(width: int) -> None:
    assert "7 lines in 3 windows together" in render(
        Run(), [found(1, 4), found(2, 1), found(3, 2)], width=width
    )
    assert "2 windows together" in render(Run(), [found(1, 1), found(2, 1)], width=width)
    assert "together" not in render(Run(), [found(1, 9)], width=width)
