"""Answers that are kept: what comes back, what experts say instead, and `logwright answers`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.asking import correction_of
from logwright.cli import main
from logwright.errors import InputError
from logwright.reasoning.answer import Answer, Citation, Rival, Step
from logwright.reasoning.material import Material
from logwright.reasoning.task import Task
from logwright.store import open_store
from logwright.store.base import Store
from logwright.store.kept_answers import AnswerRow, Correction, KeptMaterial, answer_id

LINES = ["job 17 done", "ERROR disk full on /var", "job 18 lost"]
NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
Call = Callable[..., str]


def answered(verdict: str = "network lost", **changes: Any) -> AnswerRow:
    answer = Answer(
        task=Task.ROOT_CAUSE,
        verdict=verdict,
        text="The network was lost.",
        steps=(Step(text="A job is lost.", citations=(Citation(line=3, quote="lost"),)),),
        citations=(Citation(line=3, quote="job 18 lost"),),
        rivals=(Rival(text=verdict, confidence=0.6),),
        confidence=0.6,
        seconds=0.25,
    )
    material = KeptMaterial.of(Material.of_lines(LINES, "app.log", 41))
    row = AnswerRow(id="", made=NOW, material=material, answer=answer).model_copy(update=changes)
    return row.model_copy(update={"id": answer_id(row)})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with open_store(path) as opened:
        yield opened


def correct(store: Store, row: AnswerRow, by: str = "ann", **said: Any) -> Correction:
    return store.add_correction(correction_of(store.answer(row.id), by, **said))


TEXTS = st.text(max_size=40)


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=5), TEXTS, st.integers(1, 10**9))
def test_what_is_kept_comes_back(
    tmp_path_factory: pytest.TempPathFactory, question: str, lines: list[str], said: str, at: int
) -> None:
    answer = Answer(task=Task.INTERPRET, verdict="", text=said, confidence=0.0, enough=False)
    material = KeptMaterial.of(Material.of_lines(lines, said, at))
    row = AnswerRow(
        id="a-1", made=NOW, question=question, material=material, healthy=(material,), answer=answer
    )
    with open_store(tmp_path_factory.mktemp("kept") / "store.db") as store:
        store.add_answer(row)
        assert store.answer("a-1") == row
        assert store.answer("a-1").material.material == material.material


class TestIds:
    def test_the_same_answer_is_kept_once_and_keeps_its_corrections(self, store: Store) -> None:
        row = answered()
        store.add_answer(row)
        correct(store, row, verdict="disk full", cited=["2"])
        later = NOW + timedelta(days=1)
        slower = row.answer.model_copy(update={"seconds": 9.0, "tokens": 4})
        again = row.model_copy(update={"made": later, "answer": slower})
        assert answer_id(again) == row.id
        store.add_answer(again)
        (kept,) = store.answers()
        assert (kept.made, len(kept.corrections)) == (later, 1)

    @pytest.mark.parametrize(
        "changes",
        [
            {"question": "why?"},
            {"finding": "f-1"},
            {"rendering": "characters"},
            {"material": KeptMaterial(lines=("other",))},
            {"healthy": (KeptMaterial(lines=("other",)),)},
            {"answer": answered("disk full").answer},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_what_was_asked_or_answered_makes_another_id(self, changes: dict[str, Any]) -> None:
        assert answered(**changes).id != answered().id


class TestCorrections:
    def test_what_an_expert_says_stands_instead(self, store: Store) -> None:
        row = answered()
        store.add_answer(row)
        assert store.answer(row.id).corrected is None
        correct(store, row, verdict="disk full", text="/var was full.", cited=["2: disk full"])
        right = store.answer(row.id).corrected
        assert right is not None
        assert (right.verdict, right.text) == ("disk full", "/var was full.")
        assert right.citations == (Citation(line=2, quote="disk full"),)
        assert (right.steps, right.rivals, right.confidence) == ((), (), 1.0)
        assert right.engine == "expert ann"
        assert store.answer(row.id).answer == row.answer  # what was answered stays known

    def test_a_text_for_another_verdict_does_not_stay(self, store: Store) -> None:
        row = answered()
        store.add_answer(row)
        correct(store, row, verdict="disk full")
        right = store.answer(row.id).corrected
        assert right is not None
        assert right.text == "disk full"

    def test_later_ones_add_to_earlier_ones_until_they_are_taken_back(self, store: Store) -> None:
        row = answered()
        store.add_answer(row)
        correct(store, row, verdict="disk full", cited=["2"])
        second = correct(store, row, by="bob", text="/var was full.")
        right = store.answer(row.id).corrected
        assert right is not None
        assert (right.verdict, right.text) == ("disk full", "/var was full.")
        gone = store.undo_correction(second.number, "cat")
        assert gone.undone is not None
        right = store.answer(row.id).corrected
        assert right is not None
        assert (right.verdict, right.text) == ("disk full", "disk full")
        with pytest.raises(InputError, match="taken back already"):
            store.undo_correction(second.number, "cat")
        with pytest.raises(InputError, match="no correction 9"):
            store.undo_correction(9, "cat")
        assert [(a.action, a.by) for a in store.audit()] == [
            ("undo", "cat"),
            ("correct", "bob"),
            ("correct", "ann"),
        ]

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ({"cited": ["2: all is well"]}, "line 2 does not say 'all is well'"),
            ({"cited": ["4"]}, "expected the number of a line, 1 to 3"),
            ({"cited": ["two"]}, "expected the number of a line"),
            ({"cited": ["0"]}, "expected the number of a line"),
        ],
    )
    def test_one_that_does_not_hold_is_refused(self, said: dict[str, Any], told: str) -> None:
        with pytest.raises(InputError, match=told):
            correction_of(answered(), "ann", **said)

    def test_a_verdict_is_one_of_the_tasks(self) -> None:
        row = answered()
        judged = row.answer.model_copy(update={"task": Task.ANOMALY, "verdict": "normal"})
        row = row.model_copy(update={"answer": judged})
        assert correction_of(row, "ann", verdict="abnormal").verdict == "abnormal"
        with pytest.raises(InputError, match="expected abnormal or normal"):
            correction_of(row, "ann", verdict="bad")

    def test_secrets_that_an_expert_pastes_are_not_kept(self) -> None:
        said = correction_of(answered(), "ann", text="password=hunter2 was wrong", note="pin=1234")
        assert "hunter2" not in said.model_dump_json()
        assert "1234" not in said.note


def test_answers_that_nobody_corrected_go_by_age(store: Store) -> None:
    kept, gone = answered("disk full"), answered()
    for row in (kept, gone):
        store.add_answer(row)
    correct(store, kept, text="So it is.")
    assert store.prune(before=NOW).answers == 0
    assert store.prune(before=NOW + timedelta(seconds=1)).answers == 1
    assert [row.id for row in store.answers()] == [kept.id]
    assert store.audit()[0].action == "prune"


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], path: Path) -> Call:
    """Runs `logwright answers ...` as the shell would, on the store."""

    def call(*arguments: object, code: int = 0) -> str:
        words = ["logwright", "answers", *map(str, arguments), "--store", str(path)]
        monkeypatch.setattr(sys, "argv", words)
        monkeypatch.setenv("COLUMNS", "80")
        left: int | str | None = 0
        try:
            main.run()
        except SystemExit as error:
            left = error.code
        out, err = capfd.readouterr()
        assert (left or 0) == code, err
        return err if code else out

    return call


class TestCommands:
    @pytest.fixture
    def row(self, store: Store) -> AnswerRow:
        store.add_answer(answered())
        return answered()

    def test_list_show_correct_undo(self, call: Call, row: AnswerRow) -> None:
        assert "network lost" in call("list")
        assert call("list", "--corrected") == "no answers\n"
        out = call("correct", row.id[:6], "--verdict", "disk full", "--cite", "2", "--by", "ann")
        assert "correction 1 by ann" in out
        assert "logwright answers undo 1 --store" in out
        listed = call("list", "--corrected")
        assert "disk full" in listed
        assert "expert ann" in listed
        shown = call("show", row.id)
        assert "network lost" in shown
        assert "app.log:43" in shown
        assert "correction 1 by ann" in shown
        assert call("show") == shown  # the last one
        assert "took back correction 1" in call("undo", 1)
        assert call("list", "--corrected") == "no answers\n"

    def test_json(self, call: Call, row: AnswerRow) -> None:
        call("correct", row.id, "--text", "It was the disk.", "--note", "seen before")
        (listed,) = json.loads(call("list", "--json"))["answers"]
        assert listed == json.loads(call("show", row.id, "--json"))
        assert listed["verdict"] == "network lost"
        assert [c["note"] for c in listed["corrections"]] == ["seen before"]
        assert listed["places"][0] == {
            "line": 3,
            "source": "app.log",
            "line_no": 43,
            "text": "job 18 lost",
        }

    def test_a_list_is_cut_to_the_width_and_the_rest_is_shown(
        self, call: Call, store: Store
    ) -> None:
        row = answered("a long verdict " * 20 + "ends")
        store.add_answer(row)
        assert all(len(line) <= 80 for line in call("list").splitlines())
        assert "long verdict ends" in " ".join(call("show").split())
        (listed,) = json.loads(call("list", "--json"))["answers"]
        assert listed["verdict"] == row.answer.verdict

    def test_export_holds_all_that_training_needs(
        self, call: Call, row: AnswerRow, tmp_path: Path
    ) -> None:
        call("correct", row.id, "--verdict", "disk full")
        assert call("export", tmp_path / "a.jsonl").startswith("wrote ")
        (line,) = (tmp_path / "a.jsonl").read_text("utf-8").splitlines()
        read = AnswerRow.model_validate_json(line)
        assert read.material.lines == tuple(LINES)
        assert read.corrected is not None
        call("export", tmp_path / "a.parquet")
        assert "expected a name that ends" in call("export", tmp_path / "a.txt", code=2)

    def test_what_is_wrong_is_told_in_a_sentence(self, call: Call, row: AnswerRow) -> None:
        assert "--verdict V" in call("correct", row.id, code=2)
        assert "has an id that begins with 'a-x'" in call("show", "a-x", code=2)
        assert "does not say 'nonsense'" in call("correct", row.id, "--cite", "1:nonsense", code=2)

    def test_a_log_cannot_drive_the_terminal(self, call: Call, store: Store) -> None:
        material = KeptMaterial.of(Material.of_lines(["\x1b[2J[red]gone[/red]"], "a\x1b.log"))
        answer = answered("\x1b[31m").answer.model_copy(
            update={"citations": (Citation(line=1, quote="gone"),), "steps": (), "rivals": ()}
        )
        row = answered(material=material, answer=answer, question="\x1b]0;x\x07")
        store.add_answer(row)
        out = call("list") + call("show", row.id)
        assert "\x1b" not in out
        assert "[red]gone[/red]" in out
