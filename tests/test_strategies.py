"""Strategies: all thirteen are there, say what to do, and solve their own cases."""

from __future__ import annotations

import pytest

from logwright.errors import SettingsError
from logwright.reasoning.evidence.judging import STEPS
from logwright.reasoning.evidence.reasoner import EvidenceReasoner
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.strategies import Case, Strategy, for_task, strategies, strategy_of
from logwright.reasoning.task import Task

CASES = [
    pytest.param(strategy, case, id=f"{strategy.name}-{number}")
    for strategy in strategies()
    for number, case in enumerate(strategy.cases, 1)
]


def test_there_are_thirteen_and_each_has_its_number() -> None:
    assert [strategy.number for strategy in strategies()] == list(range(1, 14))


@pytest.mark.parametrize(
    ("task", "numbers"),
    [
        (Task.PARSE, [1, 2]),
        (Task.ANOMALY, [3, 4, 5]),
        (Task.INTERPRET, [6, 7]),
        (Task.ROOT_CAUSE, [8, 9, 10]),
        (Task.SOLUTION, [11, 12, 13]),
        (Task.FAILURE, []),
    ],
)
def test_a_task_has_its_strategies(task: Task, numbers: list[int]) -> None:
    assert [strategy.number for strategy in for_task(task)] == numbers


def test_steps_have_names_of_their_own_and_whole_sentences() -> None:
    for strategy in strategies():
        names = [step.id for step in strategy.steps]
        assert len(set(names)) == len(names), strategy.name
        for text in [strategy.goal, *(step.text for step in strategy.steps)]:
            assert text[0].isupper(), text
            assert text.endswith((".", "?")), text


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingsError, match="no strategy 'hunch': expected parse-conceptual, "):
        strategy_of("hunch")


def test_every_kind_of_claim_leads_to_a_step_that_is_there() -> None:
    for strategy, step in STEPS.values():
        assert strategy_of(strategy).step(step).text


@pytest.mark.parametrize(("strategy", "case"), CASES)
def test_the_evidence_reasoner_solves_the_case(strategy: Strategy, case: Case) -> None:
    healthy = tuple(Material.of_lines(lines) for lines in case.healthy)
    options = Options(rendering=case.rendering, healthy=healthy)
    answer = EvidenceReasoner().answer(strategy.task, Material.of_lines(case.lines), options)
    assert answer.enough is case.enough
    if case.verdict:
        assert answer.verdict == case.verdict
    for words in case.says:
        assert words.lower() in answer.text.lower()
