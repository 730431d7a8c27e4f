"""Teachers: the one without a model, and the one with, which is told what was wrong once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest

from llm_server import right, serving
from logwright.llm import Answer, Ask, ModelAnswerError, open_chat
from logwright.llm.reply import Usage
from logwright.reasoning.building.checks import faults
from logwright.reasoning.building.labelled import Labelled, form_of
from logwright.reasoning.building.modelled import ModelTeacher
from logwright.reasoning.building.teaching import ELSEWHERE, UNSURE, WRONG, EvidenceTeacher, Job
from logwright.reasoning.building.trajectories import Trajectory, cited_in
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.strategies import for_task
from logwright.reasoning.task import Task

GOOD = (
    "The values in it are a state, and odd ones alone mean nothing. There is not too little to "
    "know what it is about. No placeholder or missing value would be a reason. But words assert "
    'that something went wrong [1: "kernel panic"], so it is abnormal.'
)


def job(task: Task, truth: str, *lines: str, number: int = 0, **more: object) -> Job:
    material = Material.of_lines(lines)
    item = Labelled(task, "shop", 1, material, truth, form_of(task, truth), Options(**more))  # type: ignore[arg-type]
    return Job(item, for_task(task)[number], 0)


@pytest.mark.parametrize(
    "asked",
    [job(Task.PARSE, "took <*> ms", "took 35 ms", number=n) for n in range(2)]
    + [job(Task.ANOMALY, "abnormal", "kernel panic - not syncing", number=n) for n in range(3)]
    + [
        job(Task.ANOMALY, "normal", "2 errors were corrected", "all well", number=n)
        for n in range(3)
    ]
    + [
        job(
            Task.SOLUTION,
            "Free space on the device: no space left on device means that it is full.",
            "write failed: No space left on device",
            number=n,
        )
        for n in range(3)
    ]
    + [
        job(
            Task.ROOT_CAUSE,
            "disk full",
            "job began",
            "java.io.IOException: No space left on device",
            "job failed",
            number=n,
        )
        for n in range(3)
    ],
    ids=lambda asked: f"{asked.strategy.name}-{asked.item.truth[:8]}",
)
def test_what_the_evidence_teaches_holds(asked: Job) -> None:
    (taught,) = EvidenceTeacher().teach([asked])
    assert isinstance(taught, Trajectory), taught
    assert faults(taught, asked.strategy, asked.item.truth) == []
    assert taught.answer == asked.item.truth


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (job(Task.ANOMALY, "normal", "kernel panic - not syncing"), WRONG),
        (job(Task.PARSE, "took 35 ms", "took 35 ms"), WRONG),
        (job(Task.ROOT_CAUSE, "disk full", "all well", "still well"), UNSURE),
        (job(Task.SOLUTION, "Water the plants.", "all well"), UNSURE),
        (
            job(Task.SOLUTION, "No action is required: no space left.", "No space left on device"),
            ELSEWHERE,
        ),
        (job(Task.INTERPRET, "The write failed.", "all is well here"), ELSEWHERE),
    ],
)
def test_what_the_evidence_would_not_say_is_not_taught(asked: Job, reason: str) -> None:
    assert EvidenceTeacher().teach([asked]) == [reason]


def test_long_material_is_cut_to_what_tells() -> None:
    lines = [f"job {n} done" for n in range(500)]
    lines[300] = "java.io.IOException: No space left on device"
    (taught,) = EvidenceTeacher().teach([job(Task.ROOT_CAUSE, "disk full", *lines)])
    assert isinstance(taught, Trajectory)
    assert len(taught.lines) == 40
    assert all(one.quote in taught.material.text(one.line) for one in cited_in(taught.reasoning))
    assert lines[300] in taught.lines


class Fake:
    """A model that says what it is given, one after another."""

    def __init__(self, *says: str) -> None:
        self._says = list(says)
        self.asked: list[list[Ask]] = []

    def ask_many(self, asks: Sequence[Ask]) -> list[Answer]:
        self.asked.append(list(asks))
        usage = Usage(prompt=1, completion=1)
        return [Answer(self._says.pop(0), None, usage, Decimal(0), False) for _ in asks]


PANIC = job(Task.ANOMALY, "abnormal", "kernel panic - not syncing")


def test_a_model_is_given_lines_label_and_strategy_but_not_its_name() -> None:
    fake = Fake(GOOD)
    (taught,) = ModelTeacher(fake, "m").teach([PANIC])  # type: ignore[arg-type]
    assert isinstance(taught, Trajectory)
    assert (taught.teacher, taught.answer) == ("m", "abnormal")
    assert [one.quote for one in taught.citations] == ["kernel panic"]
    told = str(fake.asked[0][0].messages)
    assert "1: kernel panic - not syncing" in told
    assert "abnormal" in told
    assert PANIC.strategy.steps[3].text in told
    assert PANIC.strategy.name not in told


def test_what_does_not_hold_is_mended_once() -> None:
    fake = Fake(f"The label says so. {GOOD}", GOOD)
    (taught,) = ModelTeacher(fake, "m").teach([PANIC])  # type: ignore[arg-type]
    assert isinstance(taught, Trajectory)
    assert "the reasoning talks about the label" in str(fake.asked[1][0].messages[-1])
    stubborn = Fake("It is abnormal.", "It is abnormal.")
    assert ModelTeacher(stubborn, "m").teach([PANIC]) == ["the reasoning cites no line"]  # type: ignore[arg-type]
    assert len(stubborn.asked) == 2


def test_only_what_does_not_hold_is_asked_again() -> None:
    fake = Fake(GOOD, "no", GOOD)
    taught = ModelTeacher(fake, "m").teach([PANIC, PANIC])  # type: ignore[arg-type]
    assert all(isinstance(one, Trajectory) for one in taught)
    assert [len(asks) for asks in fake.asked] == [2, 1]


def test_what_a_model_taught_is_taught_again_from_the_recording(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    with serving(right(GOOD)) as server, open_chat(server.url, "m", record=journal) as chat:
        first = ModelTeacher(chat, "m").teach([PANIC])
    with open_chat(f"replay:{journal}") as chat:
        assert ModelTeacher(chat, chat.model).teach([PANIC]) == first
        other = job(Task.ANOMALY, "abnormal", "machine check")
        with pytest.raises(ModelAnswerError, match="holds no answer for: reasoning for"):
            ModelTeacher(chat, chat.model).teach([other])
    assert json.loads(journal.read_text().splitlines()[-1])
