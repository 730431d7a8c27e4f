"""Examples of rules: few lines, of which a rule says what it says of the window."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.rules.book.examples import Asked, examples, few, least
from logwright.rules.language.gate import parse
from logwright.rules.language.tree import Function
from logwright.rules.sandbox.sandbox import Sandbox

LINES = st.lists(
    st.sampled_from(["disk 1 full", "disk 2 full", "ok", "closed", "open"]), max_size=30
)
BODIES = [
    'return any(phrase(x.text, "full") for x in w.lines)',
    'return sum("disk" in x.text for x in w.lines) >= 3',
    'return not any("open" in x.text for x in w.lines)',
    'return first("open" in x.text for x in w.lines) < last("closed" in x.text for x in w.lines)',
    'return followed(["op" in x.text for x in w.lines], ["clo" in x.text for x in w.lines], 3)',
    "return len(w.lines) > 2",
]  # fmt: skip


def never() -> Sandbox:
    raise AssertionError("a rule that is compiled needs no sandbox")


def rule_of(body: str) -> Function:
    return parse(f"def rule(w):\n    {body}\n")


@given(st.sampled_from(BODIES), st.lists(LINES, max_size=3), st.booleans(), st.booleans())
def test_examples_are_said_of_what_windows_are(
    body: str, held: list[list[str]], wanted: bool, raised: bool
) -> None:
    asked = Asked(rule_of(body), never)
    found = examples(asked, held, wanted, raised=raised)
    assert all(asked(texts) is wanted for texts in found)
    assert len(found) <= 2
    assert bool(found) == any(texts and asked(texts) is wanted for texts in held)


@given(LINES, st.sets(st.sampled_from(["disk 1 full", "ok", "open"])), st.integers(0, 3))
def test_no_line_of_the_least_can_be_left_out(lines: list[str], need: set[str], n: int) -> None:
    def holds(texts: Iterable[str]) -> bool:
        held = list(texts)
        return need <= set(held) and len(held) >= n

    if not lines or not holds(lines):
        return
    found = least(lines, holds)
    assert holds(found)
    left = iter(lines)
    assert all(line in left for line in found), "in order"
    if len(found) > 1:
        assert not any(holds(found[:i] + found[i + 1 :]) for i in range(len(found)))


@given(LINES)
def test_a_few_are_not_alike(lines: list[str]) -> None:
    found = few(lines, lambda texts: True)
    assert len(found) <= 5
    assert len({text.replace("1", "").replace("2", "") for text in found}) == len(found)


def test_a_long_window_of_one_line_is_one_line() -> None:
    asked = Asked(rule_of(BODIES[0]), never)
    assert examples(asked, [["ok"] * 40 + ["disk 7 full"] * 40], True, raised=True) == [
        ["disk 7 full"]
    ]


def test_an_example_that_needs_many_lines_is_the_only_one() -> None:
    asked = Asked(rule_of('return sum("a" in x.text for x in w.lines) >= 15'), never)
    (found,) = examples(asked, [["a"] * 20, ["a b"] * 20], True, raised=True)
    assert len(found) == 15


@pytest.mark.parametrize("text", ["disk", "ok"])
def test_what_is_not_compiled_is_asked_in_the_sandbox(text: str) -> None:
    body = (
        "n = 0\n    for x in w.lines:\n        if 'disk' in x.text:\n            n += 1\n"
        "        else:\n            n = 0\n        if n > 1:\n            return True\n"
        "    return False"
    )
    with Sandbox() as sandbox:
        asked = Asked(rule_of(body), lambda: sandbox)
        found = examples(asked, [["ok", text, text, "ok"]], True, raised=True)
        assert found == ([["disk", "disk"]] if text == "disk" else [])
