"""Building: all of it is checked, what is left out is counted, and the card adds up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import InputError
from logwright.reasoning.answer import problems
from logwright.reasoning.building.build import Built, build, shares
from logwright.reasoning.building.card import card, markdown
from logwright.reasoning.building.checks import faults
from logwright.reasoning.building.labelled import Labelled, form_of
from logwright.reasoning.building.teaching import EvidenceTeacher, Job
from logwright.reasoning.building.trajectories import Trajectory
from logwright.reasoning.material import Material
from logwright.reasoning.strategies import strategy_of
from logwright.reasoning.task import Task


def item(task: Task, truth: str, *lines: str, time: int = 0, system: str = "shop") -> Labelled:
    material = Material.of_lines(lines)
    return Labelled(task, system, time, material, truth, form_of(task, truth), source=f"f:{time}")


def some(many: int = 12) -> list[Labelled]:
    words = ("alpha", "beta", "gamma", "delta", "omega", "kappa")
    return [
        item(
            Task.PARSE,
            f"{words[n % 6]} {words[n // 6]} took <*> ms",
            f"{words[n % 6]} {words[n // 6]} took {n} ms",
            time=n,
        )
        for n in range(many)
    ]


def test_what_is_built_holds() -> None:
    asked = [*some(), item(Task.ANOMALY, "abnormal", "kernel panic", time=50)]
    built = build(asked, EvidenceTeacher())
    assert len(built.kept) > 15
    for one in built.kept:
        assert problems(one.answered(), one.material) == []
        assert faults(one, strategy_of(one.strategy), one.answer) == []
    assert {one.part for one in built.kept} == {"train", "validation", "test"}
    assert built.kept == build(asked, EvidenceTeacher()).kept
    assert built.kept != build(asked, EvidenceTeacher(), seed=1).kept


def test_every_example_is_kept_or_counted() -> None:
    asked = [
        *some(),
        *some(2),  # the same again: they repeat others
        item(Task.PARSE, "wrong", "took 7 ms"),
        item(Task.FAILURE, "failure", "kernel panic"),
    ]
    built = build(asked, EvidenceTeacher(), most=10)
    left = sum(sum(why.values()) for why in built.rejected.values())
    no_strategy = built.rejected[Task.FAILURE]["there is no strategy for the task"]
    assert no_strategy == 1
    assert len(built.kept) + left - no_strategy == sum(built.asked.values())
    assert built.rejected[Task.PARSE]["the teacher's answer is not the label"] == 2
    assert built.unexplained == {Task.PARSE: 1, Task.FAILURE: 1}
    assert len(built.kept) <= 10


class Liar:
    """A teacher whose examples do not hold."""

    name = "liar"
    at_once = 7

    def teach(self, jobs: Sequence[Job]) -> list[Trajectory | str]:
        """The evidence's, with another answer."""
        return [
            one if isinstance(one, str) else one.model_copy(update={"answer": "something else"})
            for one in EvidenceTeacher().teach(jobs)
        ]


def test_no_teacher_is_believed() -> None:
    built = build(some(), Liar())
    assert built.kept == []
    assert built.rejected[Task.PARSE]["the answer is not the label"] == 24


def test_what_is_too_long_to_train_on_is_left_out() -> None:
    built = build([item(Task.PARSE, f"{'a' * 7000} <*>", f"{'a' * 7000} 12")], EvidenceTeacher())
    assert built.rejected[Task.PARSE]["the lines are too long to train on"] == 2


def test_bytes_that_are_no_text_can_be_taught() -> None:
    built = build([item(Task.ANOMALY, "abnormal", "kernel panic \udcff")], EvidenceTeacher())
    assert {one.lines for one in built.kept} == {("kernel panic ?",)}


def test_nothing_is_built_from_nothing() -> None:
    with pytest.raises(InputError, match="no labelled items"):
        build([], EvidenceTeacher())


@given(st.dictionaries(st.sampled_from(list(Task)), st.integers(1, 50)), st.integers(0, 200))
def test_shares_are_filled_evenly(sizes: dict[Task, int], most: int) -> None:
    rooms = shares(sizes, most)
    assert sum(rooms.values()) == min(most, sum(sizes.values()))
    assert all(rooms[task] <= sizes[task] for task in sizes)
    full = [rooms[task] for task in sizes if rooms[task] < sizes[task]]
    assert not full or max(full) - min(full) <= 1


def test_the_card_adds_up_and_is_harmless() -> None:
    asked = [*some(), item(Task.ANOMALY, "abnormal", "kernel panic", system="|<b>\x1b[31m")]
    built = build(asked, EvidenceTeacher())
    told = card(built, "evidence", 0)
    assert told["examples"] == len(built.kept) == sum(told["parts"].values())
    assert told["examples"] == sum(one["kept"] for one in told["tasks"].values())
    assert told["examples"] == sum(told["strategies"].values())
    assert told["answers"] == {"anomaly": {"abnormal": 3}}
    assert told["lines"]["100%"] == 1.0
    shown = markdown(told)
    assert "\x1b" not in shown
    assert "| \\|&lt;b>\\x1b[31m |" in shown
    assert markdown(card(Built(), "evidence", 0)).startswith("# Reasoning examples")
