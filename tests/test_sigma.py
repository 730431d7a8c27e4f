"""Rules in the Sigma format: what is said is said exactly, the rest is refused with its reason."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.rules.book.sigma import sigma
from logwright.rules.book.standing import Excuse
from logwright.rules.language.gate import parse
from logwright.rules.language.problem import RuleError

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def said(body: str, *excuses: Excuse) -> str:
    """The detection of a rule with this body."""
    rule = parse(f"def rule(w):\n    {body}\n")
    text = sigma("r", rule, hash="ab", severity="low", state="shadow", made=NOW, excuses=excuses)
    return text[text.index("detection:\n") + 11 : text.index("level: low")]


def of_a_line(condition: str) -> str:
    return said(f"return any({condition} for line in w.lines)")


@pytest.mark.parametrize(
    ("condition", "lines"),
    [
        ("phrase(line.text, 'disk full')", ['- "disk full"']),
        ("'a*b' in line.text", [r'message|contains: "a\\*b"']),
        ("like(line.text, 'read * of ?')", [r'message: "read * of \\?"']),
        ("line.text.startswith('x\\\\y')", [r'message|startswith: "x\\\\y"']),
        ("line.host == 'n7'", ['host: "n7"']),
        ("search(r'core\\.\\d+', line.text)", [r'message|re: "core\\.\\d+"']),
        ("line.level >= 6", ["level:", "  - error", "  - critical"]),
    ],
)
def test_conditions_on_a_line(condition: str, lines: list[str]) -> None:
    told = of_a_line(condition).splitlines()
    assert [line[4:] for line in told[1:-1]] == lines
    assert told[-1] == f"  condition: {told[0].strip(' :')}"


def test_and_or_not_keep_their_meaning() -> None:
    told = of_a_line("('a' in line.text or 'b' in line.text) and not line.host == 'n7'")
    assert told.splitlines()[-1] == "  condition: (field1 or field2) and not field3"


def test_exceptions_are_filters() -> None:
    excuse = Excuse(where="host", text="n7", by="ann", at=NOW)
    told = said("return any('a' in x.text for x in w.lines)", excuse)
    assert told.splitlines()[-1] == "  condition: (field1) and not (field2)"


def test_one_of_several_lines() -> None:
    told = said("return any('a' in x.text for x in w.lines) or any('b' in y.text for y in w.lines)")
    assert "message|contains" in told


@pytest.mark.parametrize(
    "body",
    [
        "return sum('a' in line.text for line in w.lines) > 2",
        "return not any('a' in line.text for line in w.lines)",
        "return any('a' in x.text for x in w.lines) and any('b' in x.text for x in w.lines)",
        "return all('a' in line.text for line in w.lines)",
        "return any(number(r'(\\d+)', line.text) > 5 for line in w.lines)",
        "return any('\\udc80' in line.text for line in w.lines)",
        "return longest_gap(w) > 5",
    ],
)
def test_what_sigma_cannot_say_is_refused(body: str) -> None:
    with pytest.raises(RuleError, match="cannot be said in Sigma"):
        said(body)


_ESCAPED = re.compile(r"\\(x..|u....|U........|.)")
_NAMED = {"n": "\n", "t": "\t", "r": "\r"}


def unquoted(text: str) -> str:
    """What a YAML reader makes of a scalar in double quotes."""
    assert text[0] == text[-1] == '"'
    assert text.isprintable()
    assert not re.search(r'(?<!\\)(\\\\)*"', text[1:-1])

    def char(match: re.Match[str]) -> str:
        held = match[1]
        return chr(int(held[1:], 16)) if len(held) > 1 else _NAMED.get(held, held)

    return _ESCAPED.sub(char, text[1:-1])


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_texts_come_back(text: str) -> None:
    rule = parse("def rule(w):\n    return any(line.host == 'x' for line in w.lines)\n")
    excuse = Excuse(where="component", text=text, by="ann", at=NOW)
    told = sigma("r", rule, hash="", severity="low", state="draft", made=NOW, excuses=[excuse])
    (held,) = [line for line in told.split("\n") if line.startswith("    component: ")]
    plain = text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")
    assert unquoted(held.removeprefix("    component: ")) == plain
