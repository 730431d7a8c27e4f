"""Quotes: words of a line that are long enough to be found again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning.answer import Answer, problems
from logwright.reasoning.evidence.quoting import quoted, sound, whole
from logwright.reasoning.material import Material
from logwright.reasoning.task import Task

LINES = st.text(st.sampled_from("ab \t=:"), min_size=1, max_size=12).flatmap(
    lambda text: st.sampled_from([text, text + " " * 250 + "x", " " * 250 + text + "y" * 250])
)


@given(LINES.filter(str.strip), st.data())
def test_every_quote_holds(line: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(line) - 1))
    end = data.draw(st.integers(begin + 1, len(line)))
    material = Material.of_lines([line])
    for cited in (quoted(material, 1, begin, end), whole(material, 1)):
        answer = Answer(task=Task.PARSE, verdict="x", text="x", citations=(cited,), confidence=0.5)
        assert problems(answer, material) == []
        assert len(cited.quote) <= 200


def test_a_line_that_begins_with_many_spaces_is_quoted_by_its_words() -> None:
    line = " " * 300 + "ERROR x"
    assert whole(Material.of_lines([line]), 1).quote == "ERROR x"
    assert quoted(Material.of_lines([line]), 1, 306, 307).quote == "ERROR x"


@pytest.mark.parametrize(("at", "quote"), [((5, 6), "took 5"), ((0, 2), "took"), ((7, 8), "5 ms")])
def test_a_short_value_is_quoted_with_the_word_beside_it(at: tuple[int, int], quote: str) -> None:
    assert quoted(Material.of_lines(["took 5 ms"]), 1, *at).quote == quote


def test_words_that_say_too_little_are_replaced_by_the_longest_one() -> None:
    assert sound("a", "a" + " " * 300 + "refused") == "refused"
