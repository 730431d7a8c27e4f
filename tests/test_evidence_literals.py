"""Literals: what stands in every text that a regular expression matches."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning.evidence.literals import literals
from logwright.templates.wording import PATTERNS

STATEMENTS = tomllib.loads(
    (files("logwright.reasoning.evidence") / "statements.toml").read_text("utf-8")
)
WORDS = [word for part in STATEMENTS.values() for entry in part for word in entry["words"]]
EXPRESSIONS = [*WORDS, *(pattern.pattern for pattern in PATTERNS)]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_expression_in_use_has_literals(expression: str) -> None:
    """One without any would never be looked for."""
    assert literals(expression)


@given(st.data())
def test_what_an_expression_matches_holds_one_of_its_literals(data: st.DataObject) -> None:
    expression = data.draw(st.sampled_from(WORDS))
    pattern = re.compile(expression, re.IGNORECASE | re.ASCII)
    text = data.draw(st.from_regex(pattern))
    assert any(literal in text.lower() for literal in literals(expression))


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("abc?d", {"ab"}),
        ("abc{0,3}", {"ab"}),
        ("(?:ab)?cd", {"cd"}),
        ("(?:ab)+c", {"ab"}),
        ("x(?=after)yz", {"yz"}),
        (r"a\.log", {"a.log"}),
        ("[abc]+de", {"de"}),
        ("(?-i:ERR|Fail)ed", {"err", "fail"}),
        (r"\w+", set()),
        ("abc|", set()),
    ],
)
def test_what_may_be_missing_is_no_literal(expression: str, found: set[str]) -> None:
    assert literals(expression) == found
