"""Errors: one tree of what users can mend, drawn at its top."""

from __future__ import annotations

import re

import pytest

from logwright import errors


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = set(re.findall(r"\b[A-Z]\w+Error\b", str(errors.__doc__)))
    assert drawn == set(errors.__all__)


@pytest.mark.parametrize("name", sorted(set(errors.__all__) - {"MissingExtraError"}))
def test_every_error_is_one_that_the_command_line_turns_into_a_sentence(name: str) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, errors.LogwrightError)
    assert str(kind("a.log cannot be read")) == "a.log cannot be read"
    assert kind.__doc__


def test_a_missing_extra_says_how_to_install_it() -> None:
    error = errors.MissingExtraError("bench", "drain3")
    assert isinstance(error, errors.LogwrightError)
    assert "pip install 'logwright[bench]'" in str(error)
    assert "drain3" in str(error)
