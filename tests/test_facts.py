"""Facts: what an answer is made of, about the lines that are shown; and excerpts of these."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning.answer import Answer, Citation, Rival, Step
from logwright.reasoning.building.excerpts import excerpt
from logwright.reasoning.building.facts import facts_of, lines_named, numbered_anew, telling
from logwright.reasoning.building.labelled import Labelled
from logwright.reasoning.building.trajectories import cited_in
from logwright.reasoning.material import Material
from logwright.reasoning.task import Task

MATERIAL = Material.of_lines([f'event {n} of host-{n} says "so"' for n in range(1, 101)], "a.log")


@given(st.lists(st.integers(1, 100), max_size=60), st.integers(1, 120))
def test_an_excerpt_keeps_what_tells_in_order(told: list[int], most: int) -> None:
    short, number = excerpt(MATERIAL, told, most)
    assert len(short) == min(most, 100)
    assert set(list(dict.fromkeys(told))[:most]) <= set(number)
    assert sorted(number) == sorted(number, key=lambda line: number[line])
    for line, anew in number.items():
        assert short.text(anew) == MATERIAL.text(line)
        assert short.where(anew) == MATERIAL.where(line)


def test_a_fact_is_numbered_anew() -> None:
    _, number = excerpt(MATERIAL, [50, 90], 4)
    fact = Step(
        text='It says "event 50 of host-50 says "so"" (line 50, 3 times); see lines 50 and 90.',
        citations=(Citation(line=90, quote="event 90"),),
    )
    told = numbered_anew(fact, number, MATERIAL)
    assert told is not None
    assert told.citations == (Citation(line=4, quote="event 90"),)
    assert cited_in(told.text) == [Citation(line=2, quote='event 50 of host-50 says "so"')]
    assert told.text.endswith(", 3 times; see lines 2 and 4.")


def test_citations_within_a_fact_are_numbered_anew_and_quotes_left_alone() -> None:
    lines = ["all well"] * 100
    lines[89] = "see line 7"
    material = Material.of_lines(lines)
    _, number = excerpt(material, [90], 3)
    told = numbered_anew(Step(text='So [90: "see line 7"], at line 90.'), number, material)
    assert told is not None
    assert told.text == 'So [2: "see line 7"], at line 2.'


def test_a_fact_about_a_line_that_is_not_shown_is_none() -> None:
    _, number = excerpt(MATERIAL, [50], 3)
    assert numbered_anew(Step(text="It recurs to line 99."), number, MATERIAL) is None
    assert lines_named([Step(text="Lines 7, 9 and 1,000, not line 5, 3 times.")]) == [7, 9, 1000, 5]


@given(st.integers(1, 100), st.lists(st.integers(1, 100), max_size=5))
def test_what_is_numbered_anew_cites_what_it_cited(line: int, more: list[int]) -> None:
    short, number = excerpt(MATERIAL, [line, *more], 10)
    quote = MATERIAL.text(line)
    fact = Step(text=f'It says "{quote}" (line {line}).')
    told = numbered_anew(fact, number, MATERIAL)
    assert told is not None
    assert [(short.text(one.line), one.quote) for one in cited_in(told.text)] == [(quote, quote)]


def test_rivals_are_facts_where_there_are_several() -> None:
    one = Citation(line=1, quote="event 1")
    two = Citation(line=2, quote="event 2")
    rivals = (
        Rival(text="disk full", confidence=0.9, supporting=(one,)),
        Rival(
            text="out of memory: told less", confidence=0.2, supporting=(two,), contradicting=(one,)
        ),
    )
    answer = Answer(task=Task.ROOT_CAUSE, verdict="disk full", text="", confidence=1, rivals=rivals)
    assert [fact.text for fact in facts_of(answer)] == [
        'Rival: disk full, for which speaks [1: "event 1"]',
        'Rival: out of memory, for which speaks [2: "event 2"], against it [1: "event 1"]',
    ]
    assert facts_of(answer.model_copy(update={"rivals": rivals[:1]})) == []


@given(st.text(max_size=80), st.text(max_size=80))
def test_telling_words_stand_in_the_line_and_in_the_label(line: str, truth: str) -> None:
    found = telling(Labelled(Task.SOLUTION, "s", 1, Material.of_lines([line]), truth, "text"))
    for citation in found.citations if found else ():
        assert citation.quote in line
        assert len(citation.quote) >= 3


def test_everyday_words_tell_nothing() -> None:
    item = Labelled(
        Task.SOLUTION, "s", 1, Material.of_lines(["this is what it is"]), "It is this.", "text"
    )
    assert telling(item) is None
