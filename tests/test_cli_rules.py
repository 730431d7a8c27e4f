"""`logwright rules`: from logs to rules that alert, and back, as a person does it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import logwright as lw
from logwright import api
from logwright.cli.rules import app
from logwright.errors import LogwrightError
from logwright.feedback.kept import Kept
from logwright.feedback.verdicts import give, lookup
from logwright.findings.verdict import Verdict
from logwright.rules.book.rulebook import Rulebook
from logwright.store import open_store

pytestmark = pytest.mark.slow

Call = Callable[..., str]


def bad(i: int) -> bool:
    return i % 100 == 50 or 2000 < i < 2030


def log_of(number: int, label: bool = False) -> str:
    """Lines a minute apart; every hundredth, and a stretch of 29, tells of a disk."""
    out = []
    for i in range(number):
        at = f"2026-01-{1 + i // 1440:02d} {i // 60 % 24:02d}:{i % 60:02d}:00"
        if bad(i):
            text = f"ERROR disk: disk {i} failed with code {i % 7} password=hunter{i}"
        else:
            text = f"INFO app: request {i} served in {i * 37 % 100} ms"
            text = text if i % 3 else f"INFO app: user u{i} logged in"
        prefix = ("ERR " if bad(i) else "- ") if label else ""
        out.append(f"{prefix}{at} {text}\n")
    return "".join(out)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Logs with labels, and a rulebook that was induced from them and backtested."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "app.log").write_text(log_of(3000))
    (folder / "prefixed.log").write_text(log_of(3000, label=True))
    (folder / "labels.txt").write_text("".join(f"{int(bad(i))}\n" for i in range(3000)))
    call("induce", folder / "prefixed.log", "--label-prefix", "--window", "20",
         "-o", folder / "book", "--by", "ann")  # fmt: skip
    call("backtest", folder / "book", folder / "prefixed.log", "--label-prefix")
    return folder


@pytest.fixture
def book(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "book", tmp_path / "book"))


def call(*arguments: object) -> int | None:
    """The exit code, None for 0."""
    command = get_command(app)
    code: int | None = command.main([str(a) for a in arguments], "rules", standalone_mode=False)
    return code


@pytest.fixture
def rules(capsys: pytest.CaptureFixture[str]) -> Call:
    def told(*arguments: object) -> str:
        capsys.readouterr()
        call(*arguments)
        return capsys.readouterr().out

    return told


def as_json(rules: Call, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(rules(*arguments, "--json"))
    return found


def abnormal(book: Path) -> str:
    """The name of the rule that tells the disks by a phrase."""
    held = Rulebook.load(book).rules.values()
    return next(
        r.name for r in held if r.file and r.file.meta.kind == "abnormal" and "words" not in r.name
    )


class TestInduce:
    def test_labels_give_drafts_of_both_kinds(self, rules: Call, made: Path) -> None:
        listed = as_json(rules, "show", made / "book")["rules"]
        assert {r["kind"] for r in listed} == {"abnormal", "normal"}
        assert {(r["state"], r["provenance"]) for r in listed} == {("draft", "data")}

    def test_a_file_of_labels_gives_the_same_rules(
        self, rules: Call, made: Path, tmp_path: Path
    ) -> None:
        found = as_json(rules, "induce", made / "app.log", "--labels", made / "labels.txt",
                        "--window", "20", "-o", tmp_path / "b")  # fmt: skip
        before = Rulebook.load(made / "book").rules.values()
        assert {r["hash"] for r in found["added"]} == {r.hash for r in before}

    def test_labels_follow_lines_that_are_put_in_order_of_time(
        self, rules: Call, made: Path, tmp_path: Path
    ) -> None:
        lines = (made / "prefixed.log").read_text().splitlines(keepends=True)
        for name, part in (("a.log", lines[::2]), ("b.log", lines[1::2])):
            (tmp_path / name).write_text("".join(part))
        found = as_json(rules, "induce", tmp_path / "a.log", tmp_path / "b.log", "--label-prefix",
                        "--window", "20", "-o", tmp_path / "b")  # fmt: skip
        before = Rulebook.load(made / "book").rules.values()
        assert {r["hash"] for r in found["added"]} == {r.hash for r in before}

    def test_labels_are_nowhere_in_the_rules(self, made: Path) -> None:
        for path in (made / "book").glob("*.py"):
            assert "ERR " not in path.read_text()

    def test_examples_hold_no_secrets(self, made: Path) -> None:
        held = "".join(path.read_text() for path in (made / "book").glob("*.py"))
        assert "disk" in held
        assert "hunter" not in held

    def test_without_labels_it_gives_what_always_held(self, rules: Call, tmp_path: Path) -> None:
        log = tmp_path / "fs.log"
        lines = [
            f"2026-01-01 {i // 60:02d}:{i % 60:02d}:{k:02d} INFO fs: {word} blk_{1000 + i}\n"
            for i in range(400)
            for k, word in enumerate(("open", "read", "close"))
        ]
        log.write_text("".join(lines))
        found = as_json(rules, "induce", log, "--session", r"blk_\d+", "-o", tmp_path / "b")
        assert found["added"]
        assert {(r["kind"], r["must_hold"]) for r in found["added"]} == {("normal", True)}

    def test_once_more_adds_nothing(self, rules: Call, made: Path, book: Path) -> None:
        found = as_json(rules, "induce", made / "prefixed.log", "--label-prefix", "--window", "20",
                        "-o", book)  # fmt: skip
        assert found["added"] == []
        assert found["known"] > 0

    def test_other_windows_are_refused(self, rules: Call, made: Path, book: Path) -> None:
        with pytest.raises(LogwrightError, match="is for windows by 20 lines, these are by 50"):
            rules("induce", made / "prefixed.log", "--label-prefix", "--window", "50", "-o", book)

    @pytest.mark.parametrize(
        ("more", "why"),
        [
            (["--labels", "no.txt"], "no.txt is not there"),
            (["--labels", "no.txt", "--label-prefix"], "expected one of --labels"),
            (["--verdicts", "model"], "model"),
        ],
    )
    def test_what_is_wrong_is_one_sentence(
        self, rules: Call, made: Path, tmp_path: Path, more: list[str], why: str
    ) -> None:
        with pytest.raises(LogwrightError, match=why) as caught:
            rules("induce", made / "app.log", "-o", tmp_path / "b", *more)
        assert "\n" not in str(caught.value)

    def test_labels_of_another_log_are_refused(
        self, rules: Call, made: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "few.txt").write_text("0\n1\n")
        with pytest.raises(LogwrightError, match="2 labels for the 3,000 lines"):
            rules("induce", made / "app.log", "-o", tmp_path / "b", "--labels",
                  tmp_path / "few.txt")  # fmt: skip

    def test_verdicts_are_labels(self, rules: Call, tmp_path: Path) -> None:
        (tmp_path / "past.log").write_text(log_of(50))
        (tmp_path / "app.log").write_text(log_of(3000))
        lw.learn(str(tmp_path / "past.log"), window="20", session="none").save(tmp_path / "model")
        model, store = lw.Model.load(tmp_path / "model"), tmp_path / "model" / "store.db"
        found = api.detect([str(tmp_path / "app.log")], model, store=store).findings
        with open_store(store) as there:
            for finding in found:
                word = "real" if "disk" in finding.summary else "benign"
                kept = Kept.of(there)
                subjects = tuple(f.subject() for f in lookup(there, kept, finding.id).found)
                give(there, Verdict(word=word, subjects=subjects, by="ann"), kept)  # type: ignore[arg-type]
        made = as_json(rules, "induce", tmp_path / "app.log", "--verdicts", tmp_path / "model",
                       "-o", tmp_path / "b")  # fmt: skip
        kinds = {r["kind"]: r["summary"] for r in made["added"] if "words" not in r["name"]}
        assert "failed" in kinds["abnormal"] or "disk" in kinds["abnormal"]

    def test_a_verdict_on_a_finding_of_a_rule_is_a_label(
        self, rules: Call, book: Path, tmp_path: Path
    ) -> None:
        """Though the model itself, which has seen such lines, finds nothing."""
        (tmp_path / "app.log").write_text(log_of(3000))
        log, folder = str(tmp_path / "app.log"), tmp_path / "model"
        lw.learn(log, window="20", session="none", keep_suspect=True).save(folder)
        shutil.copytree(book, folder / "rules")
        rules("promote", folder / "rules", abnormal(book), "--by", "ann")
        model, store = lw.Model.load(folder), folder / "store.db"
        found = [f for f in api.detect([log], model, store=store).findings if f.rule]
        with open_store(store) as there:
            kept = Kept.of(there)
            subjects = tuple(f.subject() for f in lookup(there, kept, found[0].id).found)
            for by in ("ann", "model:m"):
                give(there, Verdict(word="real", subjects=subjects, by=by), kept)
        made = as_json(rules, "induce", log, "--verdicts", folder, "-o", tmp_path / "b")
        windows = {i // 20 for i in range(3000) if bad(i)}
        assert made["made_from"]["abnormal"] == len(windows)
        assert made["made_from"]["told"] == "1 verdict; 1 of a language model left out"

    def test_a_model_nobody_judged_gives_no_labels(
        self, rules: Call, made: Path, tmp_path: Path
    ) -> None:
        lw.learn(str(made / "app.log")).save(tmp_path / "model")
        with pytest.raises(LogwrightError, match="holds no verdicts"):
            rules("induce", made / "app.log", "--verdicts", tmp_path / "model", "-o",
                  tmp_path / "b")  # fmt: skip


class TestBacktest:
    def test_it_tells_how_each_rule_did(self, rules: Call, made: Path, book: Path) -> None:
        found = as_json(rules, "backtest", book, made / "prefixed.log", "--label-prefix")
        mine = found["ratings"][abnormal(book)]
        windows = {i // 20 for i in range(3000) if bad(i)}
        assert (mine["hits"], mine["windows"]) == (len(windows), 150)
        assert (mine["precision"], mine["recall"]) == (1.0, 1.0)
        assert mine["first"] == "2026-01-01T00:40:00Z"
        assert mine["seconds"] > 0
        together = found["together"]
        assert together["abnormal"] + together["normal"] + together["uncovered"] == 150
        assert together["f1"] == 1.0

    def test_without_labels_it_counts(self, rules: Call, made: Path, book: Path) -> None:
        found = as_json(rules, "backtest", book, made / "app.log", "--rule", abnormal(book))
        ((_, mine),) = found["ratings"].items()
        assert (mine["precision"], mine["alone"]) == (None, mine["hits"])

    def test_labels_of_half_the_log_count_half(self, rules: Call, tmp_path: Path) -> None:
        """Sessions without a label are neither right nor wrong."""
        log = tmp_path / "fs.log"
        lines = [
            f"2026-01-01 {i // 60:02d}:{i % 60:02d}:{k:02d} INFO fs: {word} blk_{1000 + i}\n"
            for i in range(200)
            for k, word in enumerate(("open", "broken" if i % 4 == 0 else "close"))
        ]
        log.write_text("".join(lines))
        labels = tmp_path / "labels.csv"
        said = [f"blk_{1000 + i},{'Anomaly' if i % 4 == 0 else 'Normal'}" for i in range(100)]
        labels.write_text("session,label\n" + "\n".join(said) + "\n")
        rules("induce", log, "--session", r"blk_\d+", "--labels", labels, "-o", tmp_path / "b")
        found = as_json(rules, "backtest", tmp_path / "b", log, "--labels", labels)
        mine = found["ratings"][abnormal(tmp_path / "b")]
        assert (mine["hits"], mine["precision"], mine["recall"]) == (50, 1.0, 1.0)

    def test_what_runs_plainly_is_judged_and_said_with_its_cost(
        self, rules: Call, made: Path, book: Path
    ) -> None:
        code = (
            'META = {"kind": "abnormal", "provenance": "person"}\n\n\n'
            'def rule(w: Window) -> bool:\n    """Two disks in a row."""\n    n = 0\n'
            '    for line in w.lines:\n        if "disk" in line.text:\n            n += 1\n'
            "        else:\n            n = 0\n        if n > 1:\n            return True\n"
            "    return False\n"
        )
        (book / "in_a_row.py").write_text(code)
        found = as_json(rules, "backtest", book, made / "app.log", "--rule", "in_a_row")
        assert found["ratings"]["in_a_row"]["hits"] == 2
        shown = rules("show", book, "in_a_row")
        (runs,) = [line for line in shown.splitlines() if line.startswith("  runs")]
        assert "plainly, as" in runs
        assert runs.endswith("lines/s")

    def test_standard_input_is_refused(self, rules: Call, book: Path) -> None:
        with pytest.raises(LogwrightError, match="read twice"):
            rules("backtest", book, "-")

    def test_the_table_fits_80_columns(
        self, rules: Call, made: Path, book: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("logwright.cli.feedback_parts.width", lambda: 80)
        for out in (rules("show", book), rules("backtest", book, made / "app.log")):
            assert max(map(len, out.splitlines())) <= 80


class TestStates:
    def test_from_draft_to_an_alert_and_back(
        self, rules: Call, made: Path, book: Path, tmp_path: Path
    ) -> None:
        name = abnormal(book)
        (tmp_path / "past.log").write_text(log_of(3000))
        model = lw.learn(str(tmp_path / "past.log"), keep_suspect=True)

        def alerts() -> bool:
            result = api.detect([str(made / "app.log")], model, rules=str(book))
            return any(f.rule == name for f in result.findings)

        assert not alerts()
        rules("shadow", book, name, "--by", "ann")
        assert not alerts()
        assert rules(
            "promote", book, name.partition("_")[2][:4], "--by", "ann", "--note", "good"
        ) == (f"{name} is now active\n")
        assert alerts()
        rules("mute", book, name)
        assert not alerts()
        rules("mute", book, name, "--off")
        rules("except", book, name, "--phrase", "failed with code", "--by", "ann")
        assert not alerts()
        rules("except", book, name, "--drop", "1")
        assert alerts()
        rules("retire", book, name)
        assert not alerts()
        shown = rules("show", book, name)
        for part in ("draft -> shadow", "shadow -> active: good", "runs             compiled; "):
            assert part in shown

    def test_promotion_asks_for_a_backtest_of_this_code(self, rules: Call, book: Path) -> None:
        name = abnormal(book)
        path = book / f"{name}.py"
        path.write_text(path.read_text().replace('"failed with', '"failed by'))
        with pytest.raises(LogwrightError, match="does not fire on example"):
            rules("promote", book, name)
        text = path.read_text()
        path.write_text(text[: text.index('"must_match"')] + "}\n" + text[text.index("\n\ndef") :])
        with pytest.raises(LogwrightError, match="no backtest of this code, which was edited"):
            rules("promote", book, name)
        assert as_json(rules, "show", book, name)["rules"][0]["edited"]

    def test_names_or_all(self, rules: Call, book: Path) -> None:
        for arguments in ([], ["x", "--all"]):
            with pytest.raises(LogwrightError, match="names of rules, or --all"):
                rules("shadow", book, *arguments)
        found = as_json(rules, "shadow", book, "--all")
        assert {r["state"] for r in found["rules"]} == {"shadow"}

    def test_an_exception_that_is_none_is_refused(self, rules: Call, book: Path) -> None:
        name = abnormal(book)
        for arguments in (["--line", "import os"], ["--line", "w.key == 'a'"], ["--drop", "1"],
                          [], ["--host", "a", "--phrase", "b"]):  # fmt: skip
            with pytest.raises(LogwrightError):
                rules("except", book, name, *arguments)
        assert Rulebook.load(book).rules[name].standing.exceptions == ()


class TestTest:
    def test_it_fails_with_a_rule_that_is_refused(self, rules: Call, book: Path) -> None:
        assert rules("test", book).endswith("0 failures\n")
        (book / "mine.py").write_text("import os\n")
        assert call("test", book) == 1

    def test_it_says_which_example_fails(
        self, rules: Call, book: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        name = abnormal(book)
        path = book / f"{name}.py"
        path.write_text(path.read_text().replace('"failed with', '"never with'))
        assert call("test", book, name, "--json") == 1
        failed = json.loads(capsys.readouterr().out)["failures"]
        assert f"{name} does not fire on example 1 of must_match" in failed


class TestDiff:
    def test_it_tells_code_and_states(self, rules: Call, made: Path, book: Path) -> None:
        assert rules("diff", made / "book", book) == "no difference\n"
        name = abnormal(book)
        path = book / f"{name}.py"
        path.write_text(path.read_text().replace('"failed with', '"never with'))
        rules("shadow", book, "normal")
        out = rules("diff", made / "book", book)
        assert f"code     {name}: other code" in out
        assert "+    return any(phrase(line.text, " in out
        assert "draft -> shadow" in out


class TestSigma:
    def test_what_can_be_said_is_yaml_and_the_rest_is_named(
        self, book: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call("export", book, "--sigma", tmp_path / "sigma", "--all")
        done = capsys.readouterr()
        assert "says what is normal" in done.err
        text = (tmp_path / "sigma" / f"{abnormal(book)}.yml").read_text()
        assert text.splitlines()[2] == "status: experimental"
        assert text[text.index("detection:") :] == (
            'detection:\n  words1:\n    - "failed with code"\n  condition: words1\nlevel: high\n'
        )

    def test_a_folder_is_asked_for(self, rules: Call, book: Path) -> None:
        with pytest.raises(LogwrightError, match="--sigma DIR"):
            rules("export", book)


RIGHT = '''def rule(w: Window) -> bool:
    """A disk fails with a code."""
    return any(phrase(line.text, "failed with code") for line in w.lines)
'''
FINE = '''def rule(w: Window) -> bool:
    """Requests are served, and nothing fails."""
    return not any("failed" in line.text for line in w.lines)
'''


def answered(work: Path) -> int:
    """Answer the requests that wait, as a batch service does; gives their number."""
    asked = [json.loads(line) for line in (work / "requests.jsonl").read_text().splitlines()]
    out = []
    for request in asked:
        told = json.dumps(request["body"]["messages"])
        assert "hunter" not in told
        content = f"```python\n{FINE if 'normal' in told.split('abnormal')[0] else RIGHT}```"
        body = {
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "message": {"role": "assistant", "content": content},
                }
            ],
            "usage": {"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140},
        }
        response = {"status_code": 200, "body": body}
        out.append(json.dumps({"custom_id": request["custom_id"], "response": response}))
    (work / "answers.jsonl").write_text("\n".join(out) + "\n")
    return len(asked)


class TestSynthesize:
    @pytest.mark.slow
    def test_a_batch_goes_on_when_it_is_answered(
        self, rules: Call, made: Path, tmp_path: Path
    ) -> None:
        command = ["synthesize", made / "prefixed.log", "--label-prefix", "--window", "20",
                   "--llm", f"batch:{tmp_path / 'work'}", "--model", "m", "-o", tmp_path / "b",
                   "--json"]  # fmt: skip
        for _ in range(12):
            try:
                found = json.loads(rules(*command))
                break
            except LogwrightError:  # requests wait
                answered(tmp_path / "work")
        hashes = {r["summary"]: r["provenance"] for r in found["added"]}
        assert hashes["A disk fails with a code."] == "model"
        assert all(r["state"] == "draft" for r in found["added"])
        assert "tokens in" in found["spent"]
        again = json.loads(rules(*command))
        assert (again["added"], again["known"]) == ([], len(found["added"]))
        assert again["spent"].startswith("0 calls")
        assert "Round 1" in (tmp_path / "b" / "synthesis.md").read_text()

    def test_it_asks_for_labels(self, rules: Call, made: Path, tmp_path: Path) -> None:
        with pytest.raises(LogwrightError, match="expected labels"):
            rules("synthesize", made / "app.log", "--llm", "batch:w", "-o", tmp_path / "b")


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jobs")
    lines, labels = [], ["session,label"]
    for i in range(200):
        wrong = ("", "", "", "disk full", "network down")[i % 5]
        labels.append(f"job_{1000 + i},{wrong or 'Normal'}")
        for k, word in enumerate(("open", "read", "close")):
            text = f"{word} by job_{1000 + i}"
            if wrong and word == "read":
                what = "no space left" if wrong == "disk full" else "peer is not reachable"
                text = f"{what} for job_{1000 + i}"
            lines.append(f"2026-01-01 {i // 60:02d}:{i % 60:02d}:{k:02d} INFO fs: {text}")
    (folder / "jobs.log").write_text("\n".join(lines) + "\n")
    (folder / "jobs.csv").write_text("\n".join(labels) + "\n")
    call("induce", folder / "jobs.log", "--session", r"job_\d+", "--labels",
         folder / "jobs.csv", "-o", folder / "book")  # fmt: skip
    return folder


class TestClasses:
    """Labels with names of what was wrong."""

    def test_a_rule_is_for_one_class_and_says_so(self, rules: Call, jobs: Path) -> None:
        held = [r.file for r in Rulebook.load(jobs / "book").rules.values() if r.file]
        targets = {file.meta.target for file in held if file.meta.kind == "abnormal"}
        assert targets == {"disk full", "network down"}
        listed = as_json(rules, "show", jobs / "book")["rules"]
        assert {r["target"] for r in listed} == targets | {None}
        for file in held:
            if file.meta.kind == "abnormal":
                assert file.function.doc.startswith(f"Abnormal ({file.meta.target}): a line has ")
                assert file.name.startswith(f"abnormal_{file.meta.target.replace(' ', '_')}_")
            else:
                assert "target" not in file.text()

    def test_a_backtest_tells_of_each_class(self, rules: Call, jobs: Path) -> None:
        found = as_json(rules, "backtest", jobs / "book", jobs / "jobs.log", "--labels",
                        jobs / "jobs.csv")  # fmt: skip
        right = {"windows": 40, "hits": 40, "precision": 1.0, "recall": 1.0}
        assert found["classes"] == {"disk full": right, "network down": right}
        disk = next(r for n, r in found["ratings"].items() if "disk_full" in n)
        assert (disk["hits"], disk["precision"], disk["recall"]) == (40, 1.0, 1.0)
        told = rules("backtest", jobs / "book", jobs / "jobs.log", "--labels", jobs / "jobs.csv")
        assert "     40   40  100%    100%  disk full\n" in told

    def test_what_they_come_from_is_told_by_class(self, rules: Call, jobs: Path) -> None:
        told = rules("induce", jobs / "jobs.log", "--session", r"job_\d+", "--labels",
                     jobs / "jobs.csv", "-o", jobs / "other")  # fmt: skip
        assert "windows   200 sessions by job_" in told
        assert "80 windows (network down 40, disk full 40); 120 normal" in told
        assert "train     160 windows, 64 abnormal; validation the last 40, 16 abnormal" in told


class TestTold:
    def test_what_rules_come_from(self, rules: Call, made: Path, tmp_path: Path) -> None:
        told = rules("induce", made / "prefixed.log", "--label-prefix", "--window", "20",
                     "-o", tmp_path / "b")  # fmt: skip
        head = told.split("\n\n")[0].splitlines()
        bad_windows = len({i // 20 for i in range(3000) if bad(i)})
        assert head[0].startswith("read      3,000 lines of ")
        assert head[1] == "windows   150 of 20 lines"
        assert head[2] == f"abnormal  {bad_windows} windows (ERR {bad_windows}); " + (
            f"{150 - bad_windows} normal"
        )

    def test_why_nothing_was_found(self, rules: Call, tmp_path: Path) -> None:
        (tmp_path / "a.log").write_text("".join(f"word{chr(97 + i % 26)} x\n" for i in range(200)))
        told = rules("induce", tmp_path / "a.log", "--window", "5", "-o", tmp_path / "b")
        assert "no rules: nothing held in nearly all windows" in told
        assert "--session" in told
        assert "labels" in told

    def test_files_of_rules_fit_on_a_screen(self, made: Path) -> None:
        for path in (made / "book").glob("*.py"):
            assert len(path.read_text().splitlines()) <= 45
            assert len(path.stem) <= 40

    def test_names_tell_the_kind(self, made: Path) -> None:
        for rule in Rulebook.load(made / "book").rules.values():
            assert rule.file is not None
            assert rule.name.startswith(f"{rule.file.meta.kind}_")

    @pytest.mark.parametrize("wide", [80, 120])
    def test_tables_show_whole_names_and_texts(
        self, rules: Call, book: Path, wide: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("logwright.cli.feedback_parts.width", lambda: wide)
        told = rules("show", book)
        assert max(map(len, told.splitlines())) <= wide
        listed = " ".join(told.split())
        for rule in as_json(rules, "show", book)["rules"]:
            assert rule["name"] in told
            text = rule["summary"].removeprefix("Abnormal: ").removeprefix("Normal: ")
            assert " ".join(text.split()) in listed or wide == 120

    def test_backtests_of_a_rule_are_a_table(self, rules: Call, book: Path) -> None:
        told = rules("show", book, abnormal(book))
        head = next(line for line in told.splitlines() if "TRIED" in line)
        assert head.split() == ["TRIED", "HITS", "PREC", "RECALL", "FIRST", "LAST", "LOGS"]
        row = told.splitlines()[told.splitlines().index(head) + 1]
        assert " of 150 " in row
        assert " 100% " in row

    def test_a_rule_is_named_without_its_kind(self, rules: Call, book: Path) -> None:
        name = abnormal(book)
        out = rules("shadow", book, name.removeprefix("abnormal_"))
        assert out == f"{name} is now shadow\n"
