"""The usual: what history held is said in words, with numbers as people read them, no secrets."""

from __future__ import annotations

import numpy as np
import pytest

from logwright.detectors.slots import FORM_NEW, HIGH, LOW, NO_NUMBER, VALUE_NEW, Slot
from logwright.detectors.usual import Usual, examples, shown
from logwright.templates.values import Record, Sketch


def field(label: str, *values: bytes) -> Slot:
    """A field whose values came one by one, at rows 0, 10, 20, ..."""
    seen = [Record(n, 1, text, 10 * n) for n, text in enumerate(values)]
    return Slot(0, 0, 0, label, Sketch(label, values=seen), digits={VALUE_NEW: 2.0})


def test_values_of_history_are_named_in_order() -> None:
    slot = field("code <*>", b"404", b"200", b"304")
    assert examples(slot, 100) == {"values": "200, 304, 404"}
    assert examples(slot, 20) == {"values": "200, 404"}, "the last one is not of history"


def test_where_one_value_is_a_secret_none_is_named() -> None:
    assert examples(field("password=<*>", b"a7", b"hunter22"), 100) == {}


@pytest.mark.parametrize(
    ("kind", "values", "given", "said"),
    [
        (HIGH, 0, {"high": "284"}, "never above 284"),
        (LOW, 0, {"low": "3"}, "never below 3"),
        (LOW, 0, {}, "never below what is usual"),
        (VALUE_NEW, 1, {"values": "200"}, "200"),
        (VALUE_NEW, 1, {}, "the same value"),
        (VALUE_NEW, 3, {"values": "200, 304, 404"}, "one of 3 values, such as 200, 304, 404"),
        (VALUE_NEW, 3, {}, "one of 3 values"),
    ],
)
def test_what_was_usual(kind: int, values: int, given: dict[str, str], said: str) -> None:
    history = Usual("code <*>", 10, given, values)
    assert history.of(kind) == said
    always = "" if kind in (HIGH, LOW) else "always "
    told = f"'code <*>' was 5; in 10 lines of history {always}{said}"
    assert history.summary(kind, "5", 3.0).startswith(told)


def test_forms_are_told_by_length_and_kinds_of_character() -> None:
    history = Usual("part<*>", 10, {}, kinds=1 + 2 + 4 + 512, longest=24)
    assert history.of(FORM_NEW) == "up to 8 characters, digits, lower-case letters, '.' only"
    assert Usual("part<*>", 10, {}, kinds=NO_NUMBER).of(FORM_NEW) == "a number"


@pytest.mark.parametrize(("digits", "lines"), [(3.0, "1,000"), (5.9, "794,328"), (7.2, "10^7")])
def test_how_rare_it_is_is_told_of_numbers_alone(digits: float, lines: str) -> None:
    history = Usual("took <*> ms", 10, {})
    assert f"once in {lines} lines" in history.summary(HIGH, "5", digits)
    assert "expected less than" not in history.summary(VALUE_NEW, "5", digits)


@pytest.mark.parametrize(
    ("label", "text", "said"),
    [
        ("n=<*>", b"48210", "48,210"),
        ("n=<*>", b"0048", "0048"),
        ("n=<*>", b"999", "999"),
        ("n=<*>", b"a\xff", "a\\xff"),
        ("n=<*>", b"x" * 90, "x" * 60),
        ("password=<*>", b"hunter22", "[redacted]"),
        ("said <*>", b"AKIAIOSFODNN7EXAMPLE", "[redacted]"),
    ],
)
def test_values_are_shown_for_people(label: str, text: bytes, said: str) -> None:
    assert shown(label, text) == said


def test_extremes_are_those_of_history() -> None:
    slot = field("n=<*>")
    slot.sketch.high = np.array([1, 50]), np.array([2840.0, 9000.0])
    slot.sketch.low = np.array([1, 50]), np.array([1.5, -1.0])
    assert examples(slot, 40) == {"high": "2,840", "low": "1.5", "values": ""}
