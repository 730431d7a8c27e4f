"""The command line: exit codes, streams, and the same findings as the API."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pytest

import logwright as lw
from logwright.cli import main
from logwright.findings.finding import Finding

SCHEMA = Path(__file__).parents[1] / "docs" / "schema" / "finding.v1.json"
START = datetime(2024, 5, 1, tzinfo=UTC)


class Done(NamedTuple):
    code: int
    out: str
    err: str


class Logwright:
    """Runs the command in this process, as the shell would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capfd = monkeypatch, capfd

    def __call__(self, *arguments: object) -> Done:
        self.monkeypatch.setattr(sys, "argv", ["logwright", *map(str, arguments)])
        code: int | str | None = 0
        try:
            main.run()
        except SystemExit as left:
            code = left.code
        out, err = self.capfd.readouterr()
        assert code is None or isinstance(code, int)
        return Done(code or 0, out, err)


@pytest.fixture
def logwright(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Logwright:
    return Logwright(monkeypatch, capfd)


def jobs(first: int, number: int) -> list[str]:
    return [
        f"{START + timedelta(seconds=20 * n):%Y-%m-%d %H:%M:%S} INFO app: job {n} done\n"
        for n in range(first, first + number)
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    lines = jobs(0, 600)
    lines[450] = lines[450].replace("INFO", "ERROR").replace("job 450 done", "disk full")
    (tmp_path / "app.log").write_text("".join(lines))
    return tmp_path / "app.log"


@pytest.fixture
def calm(tmp_path: Path) -> Path:
    (tmp_path / "calm.log").write_text("".join(jobs(0, 600)))
    return tmp_path / "calm.log"


def test_scan_prints_a_table(logwright: Logwright, log: Path) -> None:
    done = logwright("scan", log)
    assert done.code == 0
    assert done.err == ""
    assert "disk full" in done.out
    assert "app.log:451" in done.out


def test_scan_of_a_calm_log_is_not_an_alarm(logwright: Logwright, calm: Path) -> None:
    done = logwright("scan", calm, "--fail-on", "low")
    assert done.code == 0
    assert logwright("scan", calm, "--json") == Done(0, "", "")


def test_json_lines_are_findings_of_the_published_schema(logwright: Logwright, log: Path) -> None:
    done = logwright("scan", log, "--json")
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    found = [Finding.model_validate_json(line) for line in lines]
    assert [f.id for f in found] == [f.id for f in lw.scan(str(log)).findings]
    assert found
    schema = json.loads(SCHEMA.read_text())
    for line in lines:
        record = json.loads(line)
        assert set(schema["required"]) <= set(record) <= set(schema["properties"])
        assert record["schema_version"] == 1


@pytest.mark.parametrize(
    ("least", "code"), [("low", 1), ("medium", 1), ("high", 1), ("critical", 0)]
)
def test_fail_on_asks_for_a_severity(
    logwright: Logwright, log: Path, least: str, code: int
) -> None:
    assert [f.severity for f in lw.scan(str(log)).findings] == ["high"]
    done = logwright("scan", log, "--fail-on", least)
    assert done.code == code
    assert "disk full" in done.out  # told either way


def test_a_report_is_written_beside_the_table(
    logwright: Logwright, log: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    done = logwright("scan", log, "--report", report, "--fail-on", "low")
    assert done.code == 1
    assert f"Report: {report}" in done.out
    text = report.read_text()
    assert text.startswith("<!")
    assert "disk full" in text


def test_learn_then_detect(logwright: Logwright, log: Path, calm: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    done = logwright("learn", calm, "-o", model)
    assert (done.code, done.err) == (0, "")
    assert "Learned 1 template from 600 lines" in done.out
    assert (model / "manifest.json").is_file()
    done = logwright("detect", log, "-m", model, "--json")
    assert done.code == 0
    found = [Finding.model_validate_json(line) for line in done.out.splitlines()]
    assert [f.id for f in found] == [f.id for f in lw.load(str(model)).detect(str(log))]
    assert any("disk full" in f.summary for f in found)
    assert logwright("detect", log, "-m", model, "--fail-on", "high").code == 1
    assert logwright("detect", calm, "-m", model, "--fail-on", "low").code == 0


def test_learn_can_print_json(logwright: Logwright, calm: Path, tmp_path: Path) -> None:
    done = logwright("learn", calm, "-o", tmp_path / "m", "--json", "--no-exemplars")
    summary = json.loads(done.out)
    assert summary["history"]["lines"] == 600
    assert summary["templates"] == 1
    assert summary["ladder"]


def test_a_baseline_can_be_named(logwright: Logwright, log: Path, calm: Path) -> None:
    done = logwright("scan", log, "--baseline", calm, "--json")
    found = [Finding.model_validate_json(line) for line in done.out.splitlines()]
    assert any("never in the 600 lines of history" in f.summary for f in found)


def test_since_asks_what_is_odd_from_then_on(logwright: Logwright, log: Path) -> None:
    done = logwright("scan", log, "--since", "2024-05-01T02:29")
    assert done.code == 0
    assert "disk full" in done.out
    assert "lines before 2024-05-01 02:29:00 UTC" in " ".join(done.out.split())
    assert "disk full" not in logwright("scan", log, "--since", "2024-05-01T02:31").out
    done = logwright("scan", log, "--since", "2024-06-01T10:00")
    assert (done.code, done.out) == (2, "")
    assert "no line from 2024-06-01 10:00:00 UTC on" in done.err
    assert done.err.count("\n") == 1


def test_an_incident_is_told_alone(logwright: Logwright, log: Path) -> None:
    odd = log.read_text() + "".join(
        line.replace("INFO", "ERROR").replace("job", "no job").replace("done", "left")
        for line in jobs(600, 2)
    )
    log.write_text(odd)
    found = [json.loads(line) for line in logwright("scan", log, "--json").out.splitlines()]
    ids = {f["incident"] for f in found}
    assert len(ids) == 2
    wanted = next(f["incident"] for f in found if "disk full" in f["summary"])
    done = logwright("scan", log, "--incident", wanted[:8])
    assert done.out.startswith(f"Incident {wanted}  high")
    assert "app.log:451 │ disk full" in done.out
    assert "no job" not in done.out
    done = logwright("scan", log, "--incident", wanted, "--json")
    assert [json.loads(line)["incident"] for line in done.out.splitlines()] == [wanted]
    for prefix, said in (("i-zz", "no incident's id begins"), ("i-", "2 incidents have ids")):
        done = logwright("scan", log, "--incident", prefix)
        assert (done.code, done.out) == (2, "")
        assert said in done.err


def test_what_is_ignored_is_no_reason_to_fail(logwright: Logwright, log: Path) -> None:
    Path("known").write_text("# we know\ndisk *\n")
    done = logwright("scan", log, "--ignore", "known", "--fail-on", "low")
    assert done.code == 0
    assert "1 finding ignored by known (1 entry)" in done.out
    assert logwright("scan", log, "--trigger", "2/3", "--fail-on", "low").code == 0


def test_settings_come_from_the_working_folder(logwright: Logwright, log: Path) -> None:
    Path("logwright.toml").write_text('severity = "critical"\n')
    assert logwright("scan", log, "--json").out == ""
    assert "disk full" in logwright("scan", log, "--json", "--severity", "low").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["scan", "absent.log"], "absent.log"),
        (["detect", "LOG", "-m", "absent"], "is not a model"),
        (["learn", "LOG", "-o", "."], "choose another folder"),
        (["scan", "LOG", "--format", "nope"], "format 'nope' is unknown"),
        (["scan", "LOG", "--session", "("], "is not a regular expression"),
        (["scan", "LOG", "--window", "5x"], "expected 'auto'"),
        (["scan", "LOG", "--budget", "0"], "budget is 0"),
        (["scan", "LOG", "--timezone", "Mars"], "IANA name"),
        (["scan", "LOG", "--since", "noon"], "since is 'noon'"),
        (["scan", "LOG", "--around", "10:00", "--since", "10:00"], "give one or the other"),
        (["scan", "LOG", "--where", "web1"], "expected key=value"),
        (["scan", "LOG", "--trigger", "5/3"], "trigger is '5/3'"),
        (["scan", "LOG", "--quiet", "soon"], "quiet is 'soon'"),
        (["detect", "LOG", "-m", "absent", "--ignore", "absent"], "absent"),
        (["bench", "run", "hdfs", "--data", "absent"], "--data"),
    ],
)
def test_what_a_user_can_mend_is_one_line_on_standard_error(
    logwright: Logwright, log: Path, arguments: Sequence[str], said: str
) -> None:
    Path("mine.txt").write_text("a folder of the user's")
    done = logwright(*[log if a == "LOG" else a for a in arguments])
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith("logwright: ")
    assert done.err.count("\n") == 1
    assert said in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["scan"],
        ["scan", "a.log", "--nothing"],
        ["scan", "a.log", "--fail-on", "severe"],
        ["detect", "a.log"],
    ],
)
def test_wrong_usage_is_exit_code_2(logwright: Logwright, arguments: Sequence[str]) -> None:
    done = logwright(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert "Usage:" in done.err


def test_control_characters_in_names_do_not_reach_the_terminal(logwright: Logwright) -> None:
    done = logwright("scan", "no\x1b[31msuch.log")
    assert done.code == 2
    assert "\x1b" not in done.err


def test_a_bug_is_exit_code_70_with_a_traceback(
    logwright: Logwright, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("this should not happen")

    monkeypatch.setattr("logwright.api.scan", broken)
    done = logwright("scan", log)
    assert done.code == 70
    assert "Traceback" in done.err
    assert "this should not happen" in done.err


def test_the_package_runs_as_the_command_does() -> None:
    command = [sys.executable, "-m", "logwright", "scan", "no-such.log"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("logwright: ")
    assert "no-such.log" in done.stderr


def test_the_version_is_told(logwright: Logwright) -> None:
    done = logwright("--version")
    assert done.code == 0
    assert done.out.startswith(f"logwright {version('logwright')} (")


@pytest.mark.parametrize("command", ["", "scan", "learn", "detect", "demo", "bench", "bench run"])
def test_every_command_has_help(logwright: Logwright, command: str) -> None:
    done = logwright(*command.split(), "--help")
    assert done.code == 0
    assert "Usage: " in done.out
    if command and command != "bench":
        assert f"Example: logwright {command}" in done.out.replace("\n", " ").replace("  ", " ")


def test_the_table_needs_no_terminal_and_no_colour(log: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "logwright.cli.main", "scan", str(log)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == ""  # no progress bar either
    assert "\x1b" not in done.stdout
    assert "disk full" in done.stdout


def test_standard_input_is_read(log: Path) -> None:
    with log.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "logwright.cli.main", "scan", "-", "--json"],
            stdin=file,
            capture_output=True,
            text=True,
            check=True,
        )
    found = [Finding.model_validate_json(line) for line in done.stdout.splitlines()]
    assert [f.id for f in found] == [f.id for f in lw.scan(str(log)).findings]


def test_the_demo_learns_detects_and_reports(logwright: Logwright, tmp_path: Path) -> None:
    done = logwright("demo", "--folder", tmp_path / "demo", "--report", tmp_path / "report.html")
    assert (done.code, done.err) == (0, "")
    assert "from 10,000 lines" in done.out
    assert "The labels were used for this count only." in done.out
    assert (tmp_path / "report.html").read_text().startswith("<!")
    # It can be run again.
    assert logwright("demo", "--folder", tmp_path / "demo").code == 0


def test_a_report_overwrites_nothing_but_a_page(logwright: Logwright, log: Path) -> None:
    before = log.read_bytes()
    done = logwright("scan", log, "--report", log)
    assert (done.code, done.out) == (2, "")
    assert "is no HTML page" in done.err
    assert log.read_bytes() == before
    page = log.with_name("report.html")
    assert logwright("scan", log, "--report", page).code == 0
    assert logwright("scan", log, "--report", page).code == 0  # a page may be replaced


def test_a_selection_that_selects_nothing_is_an_error(
    logwright: Logwright, log: Path, calm: Path, tmp_path: Path
) -> None:
    logwright("learn", calm, "-o", tmp_path / "m")
    done = logwright("detect", log, "-m", tmp_path / "m", "--where", "host=zz", "--fail-on", "low")
    assert done.code == 2
    assert "no line lies in the selection" in done.err
