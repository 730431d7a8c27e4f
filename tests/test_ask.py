"""`logwright.ask`, `logwright ask` and the functions of the tasks: what is read, hidden, kept and
told. What the answers say is tested where they are made."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import logwright as lw
from llm_server import right, serving
from logwright import reasoning
from logwright.asking import AnswerRecord, Asked, hidden, keep, put, schema
from logwright.cli import main
from logwright.errors import InputError, SettingsError
from logwright.logs.redaction import redact
from logwright.reasoning.answer import Answer, Citation, Step, problems
from logwright.reasoning.asked import material_of
from logwright.reasoning.evidence import reasoner
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.task import Task
from logwright.store import default_path, open_store

Call = Callable[..., str]
LINES = ["login password=hunter2", "disk full on /var", "job 17 lost"]


class Repeater:
    """Says what it was asked, and cites every line whole: what it is given comes out."""

    name = "evidence"
    asked: list[tuple[Task, Material, Options]]

    def __init__(self) -> None:
        self.asked = []

    def answer(self, task: Task, material: Material, options: Options | None = None) -> Answer:
        given = options or Options()
        self.asked.append((task, material, given))
        cited = tuple(
            Citation(line=n, quote=line.strip())
            for n, line in enumerate(material.lines, 1)
            if line.strip()
        )
        healthy = " ".join(line for run in given.healthy for line in run.lines)
        return Answer(
            task=task,
            verdict=task.verdicts[0] if task.verdicts else "\n".join(material.lines),
            text=f"{given.question} {healthy}",
            steps=(Step(text="All of it.", citations=cited[:1]),),
            citations=cited,
            confidence=0.9,
        )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text("\n".join(LINES) + "\n", "utf-8")
    return path


@pytest.fixture
def repeats(monkeypatch: pytest.MonkeyPatch) -> Repeater:
    """Takes the place of the evidence reasoner."""
    repeater = Repeater()
    monkeypatch.setattr(reasoner, "EvidenceReasoner", lambda: repeater)
    return repeater


class TestWhatIsAskedAbout:
    def test_files_lines_and_texts(self, log: Path, tmp_path: Path) -> None:
        packed = tmp_path / "old.log.gz"
        packed.write_bytes(gzip.compress(b"older\n"))
        assert material_of(str(log)).lines == tuple(LINES)
        assert material_of(log).where(2) == f"{log}:2"
        assert material_of(f"{log}:2-").where(1) == f"{log}:2"
        assert material_of([packed, log]).lines == ("older", *LINES)
        assert material_of(LINES).lines == tuple(LINES)
        assert material_of("a\nb").lines == ("a", "b")
        material = Material.of_lines(LINES)
        assert material_of(material) is material

    def test_lines_of_a_folder_keep_the_numbers_of_their_files(self, tmp_path: Path) -> None:
        for name, text in (("a.log", "one\ntwo\n"), ("b.log", "three\n"), ("c.log", "")):
            (tmp_path / name).write_text(text, "utf-8")
        for named in (str(tmp_path), f"{tmp_path}/*.log"):
            material = material_of(named)
            assert [material.where(n).rpartition("/")[2] for n in (1, 2, 3)] == [
                *("a.log:1", "a.log:2", "b.log:1")
            ]
        with pytest.raises(InputError, match=r"c\.log holds nothing"):
            material_of(tmp_path / "c.log")

    def test_lines_and_paths_in_one_list_are_refused(self, log: Path) -> None:
        with pytest.raises(InputError, match="not both"):
            material_of(["a line", log])  # type: ignore[arg-type]

    def test_a_text_that_is_no_file_is_told(self) -> None:
        with pytest.raises(InputError, match="no file or folder matches 'disk full'"):
            lw.ask("interpret", "disk full")

    def test_tasks_have_names(self, log: Path) -> None:
        with pytest.raises(SettingsError, match="there is no task 'cause'"):
            lw.ask("cause", log)


class TestSecrets:
    def test_nothing_sees_them(self, repeats: Repeater, tmp_path: Path) -> None:
        store = tmp_path / "store.db"
        answer = lw.ask(
            "interpret",
            LINES,
            healthy=[["token=ghp_0123456789abcdefghijABCDEFGHIJ012345"]],
            question="was password=hunter2 right?",
            store=store,
        )
        ((_, material, options),) = repeats.asked
        assert material.lines[1:] == tuple(LINES[1:])
        with open_store(store) as there:
            (row,) = there.answers()
        for told in (answer.model_dump_json(), row.model_dump_json(), repr((material, options))):
            assert "hunter2" not in told
            assert "ghp_0123" not in told
        assert problems(answer, material) == []

    def test_a_secret_is_a_part_that_varies(self, repeats: Repeater) -> None:
        assert lw.ask("parse", LINES[:1]).verdict == "login password=<*>"

    @given(st.lists(st.text(st.characters(codec=None), max_size=60), max_size=4))
    def test_lines_stay_lines(self, lines: list[str]) -> None:
        shown = hidden(Material.of_lines(lines))
        assert len(shown) == len(lines)
        assert hidden(shown) == shown
        for line in shown.lines:
            assert redact(line.encode()) == line.encode()


class TestRecord:
    def asked(self, material: Material) -> Asked:
        return put(Task.INTERPRET, material, Options(), Repeater())

    @given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=6), st.integers(1, 99))
    def test_every_cited_line_has_its_place(self, lines: list[str], first: int) -> None:
        parts = [Material.of_lines(lines, "a:b.log", first), Material.of_lines(lines, "c.log", 1)]
        record = self.asked(Material.joined(parts)).record
        places = {place.line: place for place in record.places}
        for cited in record.every_citation():
            assert cited.quote in places[cited.line].text
        for number, place in places.items():
            second = number > len(lines)
            assert place.source == ("c.log" if second else "a:b.log")
            assert place.line_no == (number - len(lines) if second else first + number - 1)

    def test_it_is_what_the_schema_says(self) -> None:
        record = self.asked(Material.of_lines(LINES)).record
        told = json.loads(record.model_dump_json())
        assert set(told) <= set(schema()["properties"])
        assert set(schema()["required"]) <= set(told)
        assert AnswerRecord.model_validate(told) == record

    def test_it_has_the_id_under_which_it_is_kept(self, tmp_path: Path) -> None:
        asked = self.asked(Material.of_lines(LINES))
        assert keep(asked, tmp_path / "store.db") == asked.record.id


def test_there_is_a_function_for_each_task(repeats: Repeater) -> None:
    well = [["all well"]]
    reasoning.parse(LINES, rendering="characters")
    reasoning.anomaly(LINES, healthy=well)
    reasoning.interpret(LINES, question="why?")
    reasoning.root_cause(LINES, healthy=well)
    reasoning.solution(LINES, healthy=well)
    reasoning.failure_prediction(LINES, healthy=well)
    assert [task for task, _, _ in repeats.asked] == list(Task)
    assert repeats.asked[0][2].rendering == "characters"
    assert repeats.asked[2][2].question == "why?"
    assert all(o.healthy[0].lines == ("all well",) for t, _, o in repeats.asked[3:])
    assert repeats.asked[0][1].lines == tuple(LINES)  # as they are


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Runs `logwright ask ...` as the shell would."""

    def call(*arguments: object, code: int = 0, err: str = "") -> str:
        monkeypatch.setattr(sys, "argv", ["logwright", "ask", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "80")
        left: int | str | None = 0
        try:
            main.run()
        except SystemExit as error:
            left = error.code
        out, told = capfd.readouterr()
        assert (left or 0) == code, told
        assert err in told
        assert bool(told) == bool(code or err), told
        return told if code else out

    return call


class TestCommand:
    def test_an_answer_is_told_and_kept(
        self, call: Call, log: Path, repeats: Repeater, tmp_path: Path
    ) -> None:
        store = tmp_path / "s.db"
        out = call("root-cause", f"{log}:2-3", "--store", store, "--question", "why?")
        assert "app.log:2  disk full on /var" in out
        assert "high (0.90)" in out
        with open_store(store, write=False) as there:
            (row,) = there.answers()
        last = out.splitlines()[-1]
        assert (
            last == f"kept as {row.id}; wrong? logwright answers correct {row.id} --store {store}"
        )
        assert row.question == "why?"
        assert max(map(len, out.splitlines()[:-1])) <= 80

    def test_the_store_is_that_of_the_last_run(
        self, call: Call, log: Path, repeats: Repeater
    ) -> None:
        call("interpret", log)
        with open_store(default_path(), write=False) as there:
            assert len(there.answers()) == 1

    def test_nothing_is_kept_where_that_is_asked(
        self, call: Call, log: Path, repeats: Repeater
    ) -> None:
        assert "kept as" not in call("interpret", log, "--no-keep")
        assert not default_path().exists()

    def test_that_it_cannot_be_kept_is_no_reason_not_to_tell_it(
        self, call: Call, log: Path, repeats: Repeater, tmp_path: Path
    ) -> None:
        bad = tmp_path / "s.db"
        bad.write_text("no database", "utf-8")
        out = call("interpret", log, "--store", bad, err="note: the answer is not kept: ")
        assert "disk full" in out
        assert "kept as" not in out

    def test_json(self, call: Call, log: Path, repeats: Repeater) -> None:
        record = AnswerRecord.model_validate_json(call("anomaly", f"{log}:2-", "--json"))
        assert record.verdict == "abnormal"
        assert [(p.line, p.line_no) for p in record.places] == [(1, 2), (2, 3)]

    def test_healthy_runs_and_how_to_answer(self, call: Call, log: Path, repeats: Repeater) -> None:
        call("root-cause", log, "--healthy", f"{log}:2", "--healthy", f"{log}:3", "--fast")
        call("parse", log, "--rendering", "characters")
        (_, _, cause), (_, _, parse) = repeats.asked
        assert [run.lines for run in cause.healthy] == [("disk full on /var",), ("job 17 lost",)]
        assert (cause.fast, parse.fast) == (True, False)
        assert (cause.rendering, parse.rendering) == ("words", "characters")

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["interpret", "gone.log"], "no file or folder matches 'gone.log'"),
            (["interpret", "LOG:7"], "has no line 7"),
            (["interpret", "LOG:3-2"], "expected lines from 1 on"),
            (["interpret", "LOG", "--llm", "https://models.example/v1"], "--llm-model NAME"),
            (["interpret", "LOG", "--llm", "replay:gone.jsonl"], "gone.jsonl"),
            (["guess", "LOG"], "'guess' is not one of"),
        ],
        ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
    )
    def test_what_is_wrong_is_told(
        self, call: Call, log: Path, arguments: list[str], told: str
    ) -> None:
        words = [word.replace("LOG", str(log)) for word in arguments]
        assert told in call(*words, code=2)

    def test_a_model_is_asked_where_one_is_named(
        self, call: Call, log: Path, tmp_path: Path
    ) -> None:
        batch = tmp_path / "batch"
        arguments = ["--llm", f"batch:{batch}", "--llm-model", "m", "--store", tmp_path / "s.db"]
        told = call("interpret", log, *arguments, code=2)
        assert "have them answered as a batch" in told
        request = (batch / "requests.jsonl").read_text("utf-8")
        assert "disk full" in request
        assert "hunter2" not in request


class TestWithAModel:
    GOOD = (
        '<think>It is full. [2: "disk full"]</think><answer>disk full</answer>\n'
        "<lines>\n2: disk full\n</lines><confidence>0.8</confidence>"
    )
    FALSE = GOOD.replace("disk full", "all well")

    def test_its_answer_is_told_and_what_was_paid_for_is_recorded(
        self, call: Call, log: Path, tmp_path: Path
    ) -> None:
        store = tmp_path / "s.db"
        with serving(right(self.GOOD)) as server:
            words = ["--llm", server.url, "--llm-model", "small", "--store", store]
            out = call("root-cause", log, *words)
            again = call("root-cause", log, *words)  # from the journal
        assert "root cause    disk full" in out
        assert "high" not in out
        assert "fair (0.80) · by small" in out
        assert again.splitlines()[:2] == out.splitlines()[:2]
        (request,) = server.bodies
        assert "hunter2" not in json.dumps(request)
        with open_store(store, write=False) as there:
            assert {row.answer.engine for row in there.answers()} == {"small"}

    def test_one_whose_quotes_do_not_hold_is_never_told(
        self, call: Call, log: Path, tmp_path: Path
    ) -> None:
        with serving(*[right(self.FALSE)] * 4) as server:
            words = ["--llm", server.url, "--llm-model", "small", "--no-keep"]
            told = call("root-cause", log, *words, code=2)
        assert len(told.splitlines()) == 1
        assert "line 2 does not say" in told
        assert not list(tmp_path.glob("*.llm.jsonl"))

    def test_from_python(self, log: Path) -> None:
        with serving(right(self.FALSE), right(self.GOOD)) as server:
            answer = lw.ask("root-cause", log, llm=server.url, llm_model="small")
        assert answer.verdict == "disk full"


def test_asking_needs_no_torch() -> None:
    import subprocess

    code = (
        "import sys, logwright; logwright.ask; logwright.explain; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
