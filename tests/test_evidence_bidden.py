"""An end that was asked for is no sign of trouble, whichever task is asked."""

from __future__ import annotations

import pytest

from logwright.reasoning.evidence.reasoner import EvidenceReasoner
from logwright.reasoning.material import Material
from logwright.reasoning.task import Task

MASTER = "10:00:02 INFO Diagnostics of attempt_7: Container killed by the ApplicationMaster."
CODES = ["Container killed on request. Exit code is 137", "Container exited with exit code 137"]


def verdict(task: Task, *lines: str) -> str:
    material = Material.of_lines(
        ["10:00:01 INFO job 7 runs", *lines, "10:00:09 INFO job 7 goes on"]
    )
    return EvidenceReasoner().answer(task, material).verdict


@pytest.mark.parametrize("code", [137, 143])
def test_a_container_that_its_master_killed_is_no_trouble(code: int) -> None:
    lines = [MASTER, *(line.replace("137", str(code)) for line in CODES)]
    assert verdict(Task.ANOMALY, *lines) == "normal"
    assert verdict(Task.ROOT_CAUSE, *lines) == ""
    assert verdict(Task.SOLUTION, *lines) == ""
    assert verdict(Task.FAILURE, *lines) == "no failure"


def test_one_that_was_killed_otherwise_is() -> None:
    assert verdict(Task.ANOMALY, *CODES) == "abnormal"
    assert verdict(Task.SOLUTION, *CODES) == "killed (exit 137)"
    far = [MASTER, *(f"10:00:0{n} INFO block {n} written" for n in range(3, 8)), *CODES]
    assert verdict(Task.SOLUTION, *far) == "killed (exit 137)"
