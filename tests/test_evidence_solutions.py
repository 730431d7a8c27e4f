"""Solutions from the lines alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning.answer import Answer, problems
from logwright.reasoning.evidence import solutions
from logwright.reasoning.evidence.catalogue import catalogue
from logwright.reasoning.knowledge import Known, knowledge
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options

_WRONG = [known for known in knowledge() if not known.recovery and known.severity != "info"]


def said(*lines: str) -> Answer:
    material = Material.of_lines(lines)
    answer = solutions.answer(material, Options())
    assert problems(answer, material) == []
    return answer


@pytest.mark.parametrize("known", _WRONG, ids=lambda known: known.name)
def test_there_is_advice_for_every_known_error_looking_first(known: Known) -> None:
    answer = said("service started", known.example)
    assert answer.enough
    assert answer.citations[0].line == 2
    first = answer.text.splitlines()[1]
    assert any(f"1. {look} (line 2)" == first for one in _WRONG for look in one.look)


def test_looking_comes_before_changing() -> None:
    text = said("write failed: No space left on device").text
    assert text.index("df -h") < text.index("remove or move old logs")


def test_what_is_over_is_said_to_be_over() -> None:
    answer = said("db: connection refused", "db: reconnected to 10.0.0.8")
    assert "over" in answer.text
    assert "line 2" in answer.text
    assert answer.strategy == "solution-manual"


def test_the_cause_comes_before_its_echoes() -> None:
    answer = said(
        "app: write failed: No space left on device",
        "web: upstream returned 500 Internal Server Error",
        "web: client disconnected",
    )
    assert answer.verdict == "no space left"


@pytest.mark.parametrize("lines", [("service ready", "42 requests served"), ("xyzzy failed",)])
def test_without_knowledge_there_is_no_advice(lines: tuple[str, ...]) -> None:
    answer = said(*lines)
    assert not answer.enough
    assert answer.text.startswith("Not enough evidence")


@pytest.mark.parametrize(
    "line", ["DEVM/1/hwFan_clear: Fan 2 works again.", "SHELL/6/CMD: The user ran display version."]
)
def test_a_message_of_a_switch_that_tells_no_trouble_asks_for_nothing(line: str) -> None:
    assert said(line).verdict == "no action"
    assert said(line, "disk full").verdict == "no space left"


def test_every_cause_that_is_named_leads_to_something_known() -> None:
    known = {entry.name for entry in knowledge()}
    assert set(solutions.OF_CAUSE.values()) <= known
    assert set(solutions.OF_CAUSE) <= {cause.name for cause in catalogue()}


@given(
    st.lists(
        st.text(max_size=60) | st.sampled_from([known.example for known in knowledge()]),
        min_size=1,
        max_size=8,
    ).filter(lambda lines: any(line.strip() for line in lines))
)
def test_every_citation_holds_whatever_the_lines(lines: list[str]) -> None:
    said(*lines)
