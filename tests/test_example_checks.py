"""What may not be learned from is left out, for the reason that is true."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning.building.checks import faults, in_order, sentences
from logwright.reasoning.building.scripts import script_of
from logwright.reasoning.building.trajectories import Trajectory
from logwright.reasoning.strategies import Strategy, strategies, strategy_of
from test_trajectories import example

GOOD = (
    "The values in it are a state and odd ones alone mean nothing. There is not too little to know "
    "what it is about. No placeholder or missing value would be a reason. But the words assert "
    'that something went wrong [2: "disk full"], so it is abnormal.'
)


def told(**more: object) -> list[str]:
    item = example(**({"reasoning": GOOD} | more))
    return faults(item, strategy_of("anomaly-conceptual"), "abnormal")


def test_a_good_example_passes() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"answer": "normal"}, "the answer is not the label"),
        ({"answer": "Abnormal"}, "the answer is not the label"),
        ({"reasoning": GOOD.replace("[2:", "[1:")}, "a citation does not hold"),
        ({"reasoning": GOOD.replace("[2:", "[7:")}, "a citation does not hold"),
        ({"reasoning": GOOD.replace('[2: "disk full"]', "there")}, "the reasoning cites no line"),
        ({"reasoning": f"Step 1: {GOOD}"}, "the reasoning talks about its strategy"),
        ({"reasoning": f"The first rule is met. {GOOD}"}, "the reasoning talks about its strategy"),
        ({"reasoning": f"By anomaly-conceptual: {GOOD}"}, "the reasoning talks about its strategy"),
        ({"reasoning": f"The label says so. {GOOD}"}, "the reasoning talks about the label"),
        (
            {"reasoning": f"The expected answer is known. {GOOD}"},
            "the reasoning talks about the label",
        ),
        (
            {"reasoning": f"This line is abnormal. {GOOD}"},
            "the answer is told before it is reached",
        ),
        ({"reasoning": GOOD + " very" * 800}, "the reasoning is too short or too long"),
        (
            {"reasoning": 'The second line tells of a disk that is full [2: "disk full"], oh.'},
            "the reasoning does not follow its strategy",
        ),
    ],
)
def test_what_is_wrong_is_named(more: dict[str, object], reason: str) -> None:
    assert reason in told(**more)


def test_reciting_a_step_is_talking_about_the_strategy() -> None:
    strategy = strategy_of("anomaly-conceptual")
    assert "the reasoning talks about its strategy" in told(
        reasoning=f"{strategy.steps[1].text} {GOOD}"
    )


def test_words_of_the_log_are_not_the_reasoning() -> None:
    line = "step 3 of the strategy: the label says abnormal"
    reasoning = GOOD.replace("disk full", line)
    assert told(lines=("all well", line), reasoning=reasoning, citations=()) == []


def test_a_template_told_too_early() -> None:
    def item(reasoning: str) -> Trajectory:
        return example(
            task="parse",
            strategy="parse-conceptual",
            lines=("took 35 ms",),
            answer="took <*> ms",
            reasoning=reasoning,
            citations=(),
        )

    early = "the answer is told before it is reached"
    said = 'The number is a value [1: "35"]. Nothing else varies. All else stays, I think. '
    strategy = strategy_of("parse-conceptual")
    late = item(f"{said}That leaves took <*> ms.")
    assert early not in faults(late, strategy, "took <*> ms")
    assert early in faults(item(f"It is took <*> ms. {said * 2}"), strategy, "took <*> ms")


def test_a_text_must_rest_on_something() -> None:
    reason = "the answer does not rest on the lines or the reasoning"
    more = {"task": "solution", "form": "text", "strategy": "anomaly-conceptual"}
    far = "Replace every certificate authority quickly."
    near = "The disk is full: remove something from sda."
    for answer, wrong in ((far, True), (near, False)):
        item = example(**more, reasoning=GOOD, answer=answer)
        assert (reason in faults(item, strategy_of("anomaly-conceptual"), answer)) is wrong


@pytest.mark.parametrize("strategy", strategies(), ids=lambda one: one.name)
def test_a_script_follows_its_strategy_and_no_other_order(strategy: Strategy) -> None:
    """Sentence by sentence, whichever are drawn; turned round, it does not."""
    script = script_of(strategy.name)
    steps = [step.text for step in strategy.steps]
    draw = random.Random(0)
    backwards = 0
    for _ in range(40):
        said = [draw.choice((*step.found, *step.nothing)) for step in script.steps]
        said = [text.replace("{what}", "this") for text in said]
        assert in_order(" ".join(said), steps), said
        backwards += in_order(" ".join(said[::-1]), steps)
    assert backwards <= 2


@given(st.text(max_size=200))
def test_sentences_lose_nothing_but_space(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


@given(st.lists(st.text(max_size=30), min_size=1, max_size=6), st.text(max_size=100))
def test_any_text_can_be_checked(steps: list[str], text: str) -> None:
    assert in_order(text, steps) in (True, False)
    assert in_order(text, steps, share=0.0)
