"""The unit to ask about: the strictest that asks rarely enough, and what is said of it."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from logwright.detectors.unit import MOST_QUESTIONS, ORDER, Expected, choose

expected = st.builds(
    lambda questions, more, windows: Expected("", questions, questions + more, windows),
    st.integers(0, 40),
    st.integers(0, 5_000),
    st.integers(1, 20_000),
)
some = st.lists(expected, min_size=1, max_size=len(ORDER)).map(
    lambda each: [
        Expected(name, e.questions, e.alarms, e.windows)
        for name, e in zip(ORDER[-len(each) :], each, strict=True)
    ]
)
most = st.floats(0.0, 100.0)


def place(units: list[Expected], limit: float) -> int:
    return [u.unit for u in units].index(choose(units, limit).unit)


def test_the_strictest_unit_that_asks_rarely_enough() -> None:
    units = [Expected("count_vector", 40, 50, 10_000), Expected("event_set", 9, 30, 10_000)]
    assert choose(units).unit == "event_set"
    assert choose(units).reason == (
        "questions are asked by event_set: 0.9 questions per 1,000 windows expected in place of 3 "
        "if each alarm were asked about (9 questions, 30 alarms in 10,000 windows of the last part "
        "of history); stricter units would ask more than 1 (count_vector 4)"
    )


def test_a_rate_just_over_the_limit_is_not_told_as_the_limit() -> None:
    units = [Expected("capped", 101, 101, 100_000), Expected("template", 0, 0, 100_000)]
    assert choose(units).reason.endswith("would ask more than 1 (capped 1.01)")


@pytest.mark.parametrize(("questions", "unit"), [(10, "capped"), (11, "template")])
def test_exactly_the_limit_is_within_it(questions: int, unit: str) -> None:
    units = [Expected("capped", questions, 99, 10_000), Expected("template", 0, 0, 10_000)]
    assert choose(units, MOST_QUESTIONS).unit == unit


def test_what_was_counted_is_told() -> None:
    units = [Expected("event_set", 1, 2_500, 2_000, "calibration slice")]
    said = choose(units).reason
    assert "0.5 questions per 1,000 windows expected in place of 1,250 if" in said
    assert "(1 question, 2,500 alarms in 2,000 windows of the calibration slice)" in said


@pytest.mark.parametrize("windows", [0, 99])
def test_templates_where_nothing_does(windows: int) -> None:
    units = [Expected("event_set", 99, 99, windows), Expected("template", 9, 9, windows)]
    assert choose(units).unit == "template"


@given(some, most)
def test_all_stricter_ones_ask_too_often_and_are_told(units: list[Expected], limit: float) -> None:
    choice = choose(units, limit)
    at = place(units, limit)
    assert all(u.rate > limit for u in units[:at])
    assert units[at].rate <= limit or at == len(units) - 1
    told = choice.reason.partition("stricter units")[2]
    assert [u.unit for u in units if f"{u.unit} " in told] == [u.unit for u in units[:at]]


@given(some, most, most)
def test_a_larger_budget_never_takes_a_more_lenient_unit(
    units: list[Expected], one: float, other: float
) -> None:
    assert place(units, max(one, other)) <= place(units, min(one, other))


@given(some, st.integers(0, 10**6))
def test_how_often_it_recurs_does_not_matter(units: list[Expected], more: int) -> None:
    recurring = [Expected(u.unit, u.questions, u.alarms + more, u.windows) for u in units]
    assert choose(recurring).unit == choose(units).unit


@given(some, st.integers(1, 50))
def test_a_rate_is_what_counts(units: list[Expected], times: int) -> None:
    assume(all(abs(u.rate - MOST_QUESTIONS) > 1e-9 or u.rate == MOST_QUESTIONS for u in units))
    longer = [Expected(u.unit, u.questions * times, u.alarms, u.windows * times) for u in units]
    assert choose(longer).unit == choose(units).unit
