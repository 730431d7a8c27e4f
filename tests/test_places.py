"""Places: a parameter is told by the words around it, by patterns that the gate lets through."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.rules.induction.places import Place, places
from logwright.rules.language.plain import number
from logwright.rules.language.regexes import check

TOKENS = st.sampled_from(
    ["<*>", "<*>", "took", "ms", "a.b", "x=<*>,", "(<*>)", "up:", "R12", "<*>%", "wait...<*>", "$"]
)
TEXTS = st.lists(TOKENS, min_size=1, max_size=8).map(" ".join)


def rendered(text: str) -> tuple[str, list[float]]:
    """A line of a template, and the numbers in it."""
    pieces = text.split("<*>")
    values = [float(17 + 10 * i) for i in range(len(pieces) - 1)]
    line = pieces[0] + "".join(
        f"{value:.0f}{piece}" for value, piece in zip(values, pieces[1:], strict=True)
    )
    return line, values


@given(TEXTS)
def test_each_place_reads_a_number_of_its_own_template(text: str) -> None:
    line, values = rendered(text)
    for place in places(text):
        pattern = place.pattern(r"(\d+)")
        assert check(pattern) == 1
        assert number(pattern, line) in values
        assert place.may_be_in(text)


@given(TEXTS, TEXTS)
def test_a_template_that_a_place_may_not_be_in_never_has_it(text: str, other: str) -> None:
    line, _ = rendered(other)
    for place in places(text):
        if not place.may_be_in(other):
            assert math.isnan(number(place.pattern(r"(\d+)"), line))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("request took <*> ms", ["request took * ms"]),
        ("load=<*>%, free=<*>", ["load=*%, free", "free=*"]),
        ("enable......<*>", ["enable......*"]),
        ("generating core.<*>", []),
        ("block blk_<*> lost", []),
        ("<*>", []),
        ("1 <*> 2", []),
        ("R12 reads <*> now", ["reads * now"]),
        ("no parameter", []),
    ],
)
def test_places_are_told_by_words_that_name_nothing(text: str, told: list[str]) -> None:
    assert [place.told for place in places(text)] == told


def test_a_place_at_an_edge_is_held_there() -> None:
    place = Place("took ", " ms", opens=True, closes=True)
    assert number(place.pattern(r"(\d+)"), "took 5 ms") == 5
    for line in ("it took 5 ms", "took 5 msec", "took 5.5 ms"):
        assert math.isnan(number(place.pattern(r"(\d+)"), line))
