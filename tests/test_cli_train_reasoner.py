"""`logwright train reasoner` as a person runs it."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import reasoner_tiny as tiny
from logwright.cli import main
from logwright.reasoning.answer import Answer, Citation
from logwright.reasoning.building.trajectories import write
from logwright.reasoning.task import Task
from logwright.store import open_store
from logwright.store.kept_answers import AnswerRow, Correction, KeptMaterial

for needed in ("torch", "trl", "peft"):
    pytest.importorskip(needed, reason=f"training needs {needed}")

pytestmark = pytest.mark.slow


def run(*arguments: str) -> tuple[int, str, str]:
    """The exit code, and what was printed to standard output and error."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(sys, "argv", ["logwright", *arguments])
        try:
            main.run()
            code = 0
        except SystemExit as left:
            code = int(left.code or 0)
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model and data."""
    monkeypatch.chdir(tmp_path)
    tiny.make(tmp_path / "model")
    write(tmp_path / "items.jsonl", tiny.items(8, 0) + tiny.items(2, 0, "validation"))
    return tmp_path


def train(*more: str) -> tuple[int, str, str]:
    return run(
        *("train", "reasoner", "--model", "model", "--data", "items.jsonl", "--steps", "1"), *more
    )


def test_a_stage_tells_what_it_improved(folder: Path) -> None:
    code, out, err = train("--stage", "steps", "-o", "steps")
    assert (code, err) == (0, "")
    assert "Trained the stage steps in" in out
    assert "On 2 items of the part validation:" in out
    assert "answers" in out
    code, _, err = train("--stage", "steps", "-o", "steps")
    assert code == 2
    assert "done" in err


def test_json(folder: Path) -> None:
    code, out, _ = train("--stage", "steps", "-o", "steps", "--lora", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["stage"] == "steps"
    assert told["after"]["items"] == 2


def test_experts_corrections_are_learned_from(folder: Path) -> None:
    lines = ("disk full on sda",)
    said = Answer(
        task=Task.ANOMALY,
        verdict="normal",
        text="normal",
        citations=(Citation(line=1, quote="disk"),),
        confidence=0.5,
    )
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    row = AnswerRow(
        id="a-0123456789abcdef", made=moment, material=KeptMaterial(lines=lines), answer=said
    )
    with open_store(folder / "store.db", True) as store:
        store.add_answer(row)
        store.add_correction(Correction(answer=row.id, by="me", time=moment, verdict="abnormal"))
    code, _, err = train("--stage", "preference", "-o", "out", "--from-store", "store.db")
    assert (code, err) == (0, "")
    pairs = [json.loads(line) for line in (folder / "out" / "pairs.jsonl").read_text().splitlines()]
    (expert,) = [pair for pair in pairs if pair["origin"] == "expert"]
    assert "<answer>abnormal" in expert["chosen"]
    assert "<answer>normal" in expert["rejected"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--stage", "steps", "--from-store", "store.db"), "--stage preference"),
        (("--stage", "preference", "--from-store", "none.db"), "none.db"),
        (("--stage", "steps", "--data", "none.jsonl"), "none.jsonl"),
        (("--stage", "steps", "--model", "nowhere"), "nowhere"),
        (("--stage", "steps", "--measure-on", "test"), "'test'"),
    ],
)
def test_a_mistake_is_one_sentence(folder: Path, more: tuple[str, ...], told: str) -> None:
    code, out, err = train("-o", "out", *more)
    assert (code, out) == (2, "")
    assert told in err
    assert len(err.strip().splitlines()) == 1
