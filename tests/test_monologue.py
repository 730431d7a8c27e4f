"""Monologues: they hold, they are the same for the same seed, and they say what the steps find."""

from __future__ import annotations

from typing import get_args

import pytest

from logwright.errors import SettingsError
from logwright.reasoning.answer import Citation, Step
from logwright.reasoning.building.labelled import Labelled, form_of
from logwright.reasoning.building.monologue import monologue
from logwright.reasoning.building.scripts import script_of
from logwright.reasoning.building.trajectories import cited_in
from logwright.reasoning.evidence.varying import Kind
from logwright.reasoning.material import Material
from logwright.reasoning.strategies import Strategy, strategies, strategy_of
from logwright.reasoning.task import Task


def item(task: Task, truth: str, *lines: str) -> Labelled:
    return Labelled(task, "shop", 1, Material.of_lines(lines), truth, form_of(task, truth))


@pytest.mark.parametrize("strategy", strategies(), ids=lambda one: one.name)
def test_every_strategy_has_a_script_for_all_its_steps(strategy: Strategy) -> None:
    script = script_of(strategy.name)
    assert [step.id for step in script.steps] == [step.id for step in strategy.steps]
    for step, one in zip(strategy.steps, script.steps, strict=True):
        said = (*one.found, *one.nothing)
        assert len(set(said)) == len(said)
        # It is thought, not recited.
        assert not any(step.text.lower().rstrip(".") in text.lower() for text in said)


@pytest.mark.parametrize("strategy", ["parse-conceptual", "parse-procedural"])
def test_every_kind_of_part_has_a_step(strategy: str) -> None:
    taken = [kind for step in script_of(strategy).steps for kind in step.takes]
    assert sorted(taken) == sorted(get_args(Kind))


def test_no_script_is_one_sentence() -> None:
    with pytest.raises(SettingsError, match="cannot teach 'guess': no script"):
        script_of("guess")


def test_the_parts_of_a_line_are_told_where_they_belong() -> None:
    line = "user=bob read 512 bytes of blk_88 from 10.0.0.7"
    told = monologue(
        item(Task.PARSE, "user=<*> read <*> bytes of blk_<*> from <*>", line),
        strategy_of("parse-procedural"),
        [],
        [],
        0,
    )
    assert {citation.quote for citation in cited_in(told)} >= {"512", "blk_88", "10.0.0.7", "bob"}
    places = [told.index(part) for part in ('"10.0.0.7"', '"512"', '"bob"', "blk_88")]
    assert places == sorted(places)
    assert told.endswith('"user=<*> read <*> bytes of blk_<*> from <*>".')


def test_a_constant_line_is_cited_as_a_whole() -> None:
    line = "shutting down"
    cited = [Citation(line=1, quote=line)]
    told = monologue(item(Task.PARSE, line, line), strategy_of("parse-conceptual"), [], cited, 0)
    assert cited_in(told) == cited


def test_facts_stand_at_their_steps_and_cite_once() -> None:
    cited = Citation(line=2, quote="kernel panic")
    facts = [
        Step(text="Crashes: line 2 speaks of the end: 'kernel panic'.", citations=(cited,)),
        Step(text="Recovered: line 1 tells that it was put right.", citations=(cited,)),
        Step(text="Anything else.", citations=(cited,)),
    ]
    asked = item(Task.ANOMALY, "abnormal", "all well", "kernel panic")
    told = monologue(asked, strategy_of("anomaly-procedural"), facts, [cited], 0)
    assert cited_in(told) == [cited]
    assert told.index("put right") < told.index("speaks of the end")
    assert "Crashes:" not in told
    assert "'kernel panic'" not in told
    assert "Anything else." in told


def test_the_same_seed_says_the_same() -> None:
    asked = item(Task.ANOMALY, "normal", "all well")
    strategy = strategy_of("anomaly-conceptual")
    said = [monologue(asked, strategy, [], [], seed) for seed in (1, 1, 2, 3, 4)]
    assert said[0] == said[1]
    assert len(set(said)) > 2


def test_a_cause_in_sentences_is_left_to_the_answer() -> None:
    strategy = strategy_of("cause-conceptual")
    name = item(Task.ROOT_CAUSE, "disk full", "no space left")
    text = item(Task.ROOT_CAUSE, "The disk was full.", "no space left")
    assert monologue(name, strategy, [], [], 0).endswith(": disk full.")
    assert "disk" not in monologue(text, strategy, [], [], 0)
