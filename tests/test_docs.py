"""The pages are true: generated ones are up to date, links resolve, and their examples run."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from logwright.bench.sample import unpack
from logwright.cli import main

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

NOUNS = {
    "bench": ["bench.md", "results.md"],
    "cli": ["reference/cli.md"],
    "detectors": ["detectors.md", "timing.md", "train.md"],
    "feedback": ["feedback.md"],
    "findings": ["findings.md", "incidents.md", "schema/finding.v1.json"],
    "logs": ["sources.md", "formats.md", "records.md", "redaction.md", "shapes.md", "sessions.md"],
    "store": ["store.md"],
    "templates": ["templates.md"],
    "windows": ["windows.md"],
    "api": ["api.md"],
    "bundle": ["model.md"],
    "compare": ["diff.md"],
    "diff": ["diff.md"],
    "sides": ["diff.md"],
    "tallies": ["diff.md"],
    "values": ["diff.md"],
    "errors": ["api.md"],
    "intake": ["pipeline.md"],
    "labels": ["data.md"],
    "keeping": ["store.md"],
    "learning": ["pipeline.md", "history.md"],
    "lessons": ["train.md"],
    "live": ["live.md"],
    "past": ["findings.md"],
    "model": ["model.md"],
    "outcome": ["pipeline.md"],
    "pipeline": ["pipeline.md"],
    "gathering": ["rules.md"],
    "marks": ["rules.md"],
    "rulemaking": ["rules.md"],
    "llm": ["llm.md"],
    "asking": ["reasoning.md"],
    "explaining": ["reasoning.md"],
    "reasoning": [
        "reasoning.md",
        "evidence.md",
        "strategies.md",
        "knowledge.md",
        "speaking.md",
        "trajectories.md",
        "reasoner_training.md",
        "reasoning_results.md",
        "schema/answer.v1.json",
    ],
    "rules": ["rules.md"],
    "ruling": ["rules.md"],
    "seeing": ["rules.md"],
    "sequence": [
        "sequence.md",
        "sequence_runtime.md",
        "reinforcement.md",
        "sequence_results.md",
        "neo.md",
    ],
    "floods": ["decisions/011-floods.md"],
    "sights": ["pipeline.md"],
    "snapshot": ["stream.md"],
    "stream": [
        "stream.md",
        "stream_sources.md",
        "stream_receivers.md",
        "stream_redis.md",
        "stream_kafka.md",
        "stream_operations.md",
        "stream_results.md",
    ],
    "settings": ["reference/settings.md"],
    "telling": ["pipeline.md"],
    "timeline": ["findings.md"],
    "training": ["train.md"],
}
"""The page of every folder and module of the package. A new one needs a line, and a page, here."""

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
_FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.M)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in _BLOCK.findall(page.read_text("utf-8")) if kind == language]


def commands(page: Path) -> list[str]:
    lines = (line for block in blocks(page, "sh") for line in block.splitlines())
    return [line.split("  #")[0] for line in lines if line.startswith("logwright ")]


def prose(page: Path) -> str:
    return _CODE.sub("", _FENCED.sub("", page.read_text("utf-8")))


def anchors(page: Path) -> set[str]:
    headings = _HEADING.findall(_FENCED.sub("", page.read_text("utf-8")))
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def app_log(first: int, requests: int) -> str:
    """Requests of three lines each, with an id."""
    lines = []
    for i in range(first, first + requests):
        at, key = f"2024-05-01T{10 + i // 3600:02}:{i // 60 % 60:02}:{i % 60:02}Z", f"req-9f{i:04x}"
        lines.append(f"{at} INFO {key} begins for user={'abcdefgh'[i % 8]}")
        lines.append(f"{at} INFO {key} took {i * 7 % 90} ms")
        lines.append(f"{at} INFO {key} ends")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds all files the pages speak of."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "yesterday.log").write_text(app_log(0, 200), "utf-8")
    (folder / "history.log").write_text(app_log(0, 200), "utf-8")
    bad = "2024-05-01T10:04:00Z ERROR req-9f00d2 disk full on /var/spool\n"
    worse = bad.replace("00d2", "00d3").replace("10:04", "10:05")
    (folder / "today.log").write_text(app_log(200, 10) + bad + app_log(210, 30), "utf-8")
    (folder / "app.log").write_text(app_log(0, 210) + bad + app_log(210, 30), "utf-8")
    unpack(folder / "demo")
    for log, labels in (("labelled.log", "labels.csv"), ("later.log", "later.csv")):
        (folder / log).write_text(app_log(0, 120) + bad + worse, "utf-8")
        said = [f"req-9f{i:04x},{'bad' if i in (0xD2, 0xD3) else 'normal'}" for i in range(0xD4)]
        (folder / labels).write_text("\n".join(["session,label", *said]) + "\n", "utf-8")
    label = {"task": "anomaly", "lines": "app.log:631", "answer": "abnormal", "system": "shop"}
    (folder / "labels.jsonl").write_text(json.dumps(label) + "\n", "utf-8")
    for name in ("hdfs", "hdfs-before", "bgl"):
        result = (ROOT / "bench" / "results" / "hdfs.json").read_text("utf-8")
        (folder / f"{name}.json").write_text(result, "utf-8")
    assert run("logwright learn history.log -o model", folder).returncode == 0
    learned = run("logwright learn demo/history.log --label-prefix -o demo/model", folder)
    assert learned.returncode == 0, learned.stderr
    for command in (
        "rules induce labelled.log --labels labels.csv -o new-rules",
        "rules induce labelled.log --labels labels.csv -o model/rules",
        "rules backtest model/rules later.log --labels later.csv",
    ):
        done = run(f"logwright {command}", folder)
        assert done.returncode == 0, done.stderr
    return folder


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a `logwright` command of a page, which may send its output to a file."""
    command, _, target = command.partition(" > ")
    arguments = shlex.split(command)
    out, err = io.StringIO(), io.StringIO()
    with (  # in this process, as starting one takes longer than the command
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "argv", arguments)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
        try:
            main.run()
            code = 0
        except SystemExit as left:
            code = int(left.code or 0)
    if target:
        (folder / target.strip()).write_text(out.getvalue(), "utf-8")
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


_LONG = ("logwright bench run", "logwright train")
_REFERENCE = DOCS / "reference" / "cli.md"  # an example of each command: many


def shell_examples() -> Iterator[object]:
    seen = set()
    for page in PAGES:
        for command in commands(page):
            if command not in seen:
                slow = command.startswith(_LONG) or page == _REFERENCE
                yield pytest.param(name_of(page), command, marks=[pytest.mark.slow] * slow)
            seen.add(command)


@pytest.mark.parametrize(("page", "command"), list(shell_examples()))
def test_shell_examples_run(
    page: str, command: str, folder: Path, request: pytest.FixtureRequest
) -> None:
    if command.startswith("logwright bench run"):
        command += f" --quick --data {request.getfixturevalue('data')}"
    done = run(command, folder)
    expected = {0, 1} if "--fail-on" in command else {0}
    if "--llm batch:" in command:  # ends with requests that wait for their answers
        assert "have them answered as a batch" in done.stderr
        return
    assert done.returncode in expected, f"{page}: {command}\n{done.stderr}"
    assert done.stderr == "", f"{page}: {command}"


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=name_of)
def test_python_examples_run(page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for block in blocks(page, "python"):
        exec(compile(block, name_of(page), "exec"), {"__name__": "__main__"})


def test_the_quick_start_finds_what_is_wrong(folder: Path) -> None:
    quick = commands(ROOT / "README.md")
    assert [c.split()[1] for c in quick] == [
        *["scan", "scan", "scan", "diff"],
        *["learn", "detect", "detect"],
    ]
    for command in quick:
        if " > " not in command and command.split()[1] != "learn":
            assert "disk full" in run(command, folder).stdout, command
    assert run(next(c for c in quick if "--fail-on" in c), folder).returncode == 1
    run(quick[-1], folder)
    assert "disk full" in (folder / "findings.jsonl").read_text("utf-8")
    assert "disk full" in (folder / "today.html").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)}: {link}"
        assert target.is_relative_to(ROOT), f"{name_of(page)}: {link} leaves the repository"
        if anchor:
            assert anchor in anchors(target), f"{name_of(page)}: {link}"


def test_every_page_is_reachable_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        links = [link.split("#")[0] for link in _LINK.findall(prose(page)) if "://" not in link]
        waiting += [(page.parent / link).resolve() for link in links if link]
    missing = {p for p in PAGES if DOCS in p.parents} - seen
    assert not missing, sorted(map(name_of, missing))


def test_files_that_pages_name_exist() -> None:
    named = re.compile(r"`((?:[\w.-]+/)+[\w-]+\.(?:py|c))`")
    for page in PAGES:
        for name in named.findall(page.read_text("utf-8")):
            there = [ROOT / name, ROOT / "src" / "logwright" / name, ROOT / "src" / name]
            assert any(path.exists() for path in there), f"{name_of(page)}: {name}"


def test_every_noun_has_its_page() -> None:
    package = ROOT / "src" / "logwright"
    folders = {p.parent.name for p in package.glob("*/__init__.py")}
    modules = {p.stem for p in package.glob("*.py")} - {"__init__", "__main__"}
    assert set(NOUNS) == folders | modules
    for noun, pages in NOUNS.items():
        for page in pages:
            assert (DOCS / page).is_file(), f"{noun}: {page}"


def test_every_command_has_help_and_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    generate = importlib.import_module("generate")
    page = (DOCS / "reference" / "cli.md").read_text("utf-8")
    found = dict(generate.commands())
    assert "logwright scan" in found
    assert "logwright bench run" in found
    for name, function in found.items():
        assert (function.__doc__ or "").strip(), name
        assert f"\n## {name}\n" in page
        assert re.search(rf"^\s*Example: (?:\$ )?{name} ?", function.__doc__ or "", re.M), name
        for parameter in generate._parameters(function):
            assert parameter.help, f"{name}: {parameter.name}"
            assert parameter.name.replace("|", "\\|") in page, f"{name}: {parameter.name}"


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "generate.py"), "--check"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
