"""`logwright reason data build`: a file of examples and a card, or one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from logwright.cli.reason import app
from logwright.errors import LogwrightError
from logwright.reasoning.answer import problems
from logwright.reasoning.building.checks import faults
from logwright.reasoning.building.trajectories import read
from logwright.reasoning.strategies import strategy_of


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    log = tmp_path / "shop.log"
    log.write_text("took 35 ms\nkernel panic\nwaited 7 s for bob\n")
    path = tmp_path / "labels.tsv"
    path.write_text(
        "task\tlines\tanswer\n"
        "parse\tshop.log:1\ttook <*> ms\n"
        "anomaly\tshop.log:2\tabnormal\n"
        "anomaly\tshop.log:3\tabnormal\n"
    )
    return path


def run(*args: object) -> str:
    result = CliRunner().invoke(app, ["data", "build", *map(str, args)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_examples_and_a_card_are_written(labels: Path, tmp_path: Path) -> None:
    out = tmp_path / "examples.jsonl"
    told = run(tmp_path / "shop.log", "--labels", labels, "-o", out)
    assert "5 examples from 3 labelled items" in told
    assert "| anomaly | the teacher's answer is not the label | 3 |" in told
    examples = list(read(out))
    assert len(examples) == 5
    assert {one.system for one in examples} == {"shop"}
    card = json.loads((tmp_path / "examples.card.json").read_text())
    assert card["examples"] == 5
    assert (tmp_path / "examples.card.md").read_text() in told
    again = json.loads(run(tmp_path, "--labels", labels, "-o", out, "--json"))
    assert {key: again[key] for key in card} == card
    assert list(read(out)) == examples


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("-o", "x.jsonl"), "expected --labels FILE for .* or --sets DIR"),
        (("shop.log", "-o", "x.jsonl"), "expected --labels FILE: what is right"),
        (("--sets", ".", "-o", "x.jsonl"), "the reasoning sets are not in"),
        (("--labels", "LABELS", "LOG", "-o", "no/x.jsonl"), "expected a file in a folder"),
        (("--labels", "LABELS", "LOG", "-o", "x", "--teacher", "llm"), "--teacher llm needs --llm"),
        (("--labels", "LABELS", "LOG", "-o", "x", "--llm", "replay:x"), "goes with --teacher llm"),
    ],
)
def test_a_mistake_is_one_sentence(labels: Path, args: tuple[str, ...], told: str) -> None:
    known = {"LABELS": str(labels), "LOG": str(labels.parent / "shop.log")}
    with pytest.raises(LogwrightError, match=told):
        run(*(known.get(one, one) for one in args))


def test_nothing_that_holds_is_an_error(tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"task": "anomaly", "lines": ["all well"], "answer": "abnormal"}\n')
    with pytest.raises(LogwrightError, match="no example of 1 items holds, most often since"):
        run("--labels", labels, "-o", tmp_path / "x.jsonl")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.jsonl"]


def test_a_batch_waits_for_its_answers(labels: Path, tmp_path: Path) -> None:
    batch = f"batch:{tmp_path / 'batch'}"
    asked = ("--labels", labels, labels.parent / "shop.log", "-o", tmp_path / "x.jsonl")
    with pytest.raises(LogwrightError, match=r"8 requests wait in .*; "):
        run(*asked, "--teacher", "llm", "--llm", batch, "--model", "m")


@pytest.mark.slow
def test_the_public_sets_give_three_thousand_examples_that_hold(data: Path, tmp_path: Path) -> None:
    if not (data / "reasoning").is_dir():
        pytest.skip(f"the reasoning sets are not at {data}")
    out = tmp_path / "examples.jsonl"
    told = json.loads(run("--sets", data, "-o", out, "--json"))
    examples = list(read(out))
    assert told["examples"] == len(examples) >= 3_000
    for one in examples:
        assert problems(one.answered(), one.material) == []
        assert faults(one, strategy_of(one.strategy), one.answer) == []
    assert len(told["strategies"]) == 13
    held_out = {"Zookeeper", "HPC", "Proxifier", "Spirit", "PageRank"}
    assert not held_out & set(told["systems"])
