"""Flowcharts: they lead somewhere, and every cause of the catalogue is reached by one."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from logwright.errors import SettingsError
from logwright.reasoning.evidence.catalogue import catalogue, cause_of
from logwright.reasoning.evidence.clues import Clues
from logwright.reasoning.evidence.hypotheses import weighed
from logwright.reasoning.evidence.walking import walk
from logwright.reasoning.flowcharts import END, Flowchart, flowchart_of, flowcharts
from logwright.reasoning.material import Material

NAMES = {
    "service-fails-to-start", "requests-fail", "job-fails", "node-lost", "storage-trouble",
    "authentication-trouble", "resource-exhaustion", "slow",
}  # fmt: skip


def test_the_common_symptoms_have_one() -> None:
    assert {flowchart.name for flowchart in flowcharts()} >= NAMES


@pytest.mark.parametrize("flowchart", flowcharts(), ids=lambda flowchart: flowchart.name)
def test_it_leads_to_known_causes_and_every_step_is_reached(flowchart: Flowchart) -> None:
    known = {cause.name for cause in catalogue()}
    reached = {flowchart.steps[0].id}
    for step in flowchart.steps:
        assert step.id in reached, step.id
        assert set(step.causes) <= known, step.id
        assert step.question.endswith(("?", "."))
        for target in (step.yes, step.no):
            if target.startswith("="):
                assert target[1:] in known or (target == "=said" and step.causes)
            elif target != END:
                reached.add(target)


@pytest.mark.parametrize("name", [cause.name for cause in catalogue()])
def test_each_cause_is_reached_in_its_own(name: str) -> None:
    cause = cause_of(name)
    clues = Clues.of(Material.of_lines([f"ERROR x: {cause.says[0].replace(' * ', ' it ')}"]))
    hypotheses = [one for one in weighed(clues) if one.cause.name == name]
    taken = walk(flowchart_of(cause.flowchart), clues, hypotheses)
    assert taken.cause == name
    assert taken.steps[-1].citations


@pytest.mark.parametrize("target", ["first", "nowhere"])
def test_steps_lead_forward_only(target: str) -> None:
    steps = [
        {"id": "first", "question": "Is it this one?", "look": "gap", "yes": "=x", "no": "second"},
        {"id": "second", "question": "Or that one?", "look": "gap", "yes": "=y", "no": target},
    ]
    with pytest.raises(ValidationError, match="not a later step"):
        Flowchart(name="x", symptom="It does not work.", symptoms=("x",), steps=steps)


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        SettingsError, match="no flowchart 'hunch': expected authentication-trouble"
    ):
        flowchart_of("hunch")
