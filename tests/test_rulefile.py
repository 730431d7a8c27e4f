"""Rule files: what is written comes back, what is edited shows, what is damaged is refused."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.rules.book.rulefile import MOST_FILE, Meta, RuleFile, hash_of
from logwright.rules.language.emit import callable_of
from logwright.rules.language.gate import parse
from logwright.rules.language.problem import RuleError
from rule_strategies import rules

pytestmark = pytest.mark.slow

TEXT = '''META = {
    "kind": "abnormal",
    "severity": "high",
    "provenance": "person",
    "must_match": [["start", "disk failed"]],
    "must_not_match": [["start"], []],
}


def rule(w: Window) -> bool:
    """A disk fails."""
    return any("disk failed" in line.text for line in w.lines)
'''

_word = st.text(max_size=20)
metas = st.builds(
    Meta,
    kind=st.just("normal"),
    must_hold=st.booleans(),
    severity=st.sampled_from(("low", "medium", "high", "critical")),
    provenance=st.sampled_from(("data", "model", "person")),
    backtest=st.dictionaries(
        _word,
        st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False),
        max_size=4,
    ),
    must_match=st.lists(st.lists(_word | st.just("\udc80"), max_size=3), max_size=3),
    must_not_match=st.lists(st.lists(st.text(max_size=90), max_size=3), max_size=3),
)


@given(rules, metas)
def test_what_is_written_is_read(function, meta):
    rule = RuleFile("slow", meta, function).sealed()
    read = RuleFile.parse(rule.text(), "slow")
    assert read == rule
    assert read.meta.backtest == meta.backtest
    assert not read.edited
    assert read.text() == rule.text()


def test_files_are_written_whole_and_leave_nothing_behind(tmp_path, monkeypatch):
    rule = RuleFile.parse(TEXT, "disk").sealed()
    path = rule.write(tmp_path)
    assert path == tmp_path / "disk.py"
    assert RuleFile.read(path) == rule
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        rule.write(tmp_path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["disk.py"]


def test_an_edited_function_shows_and_an_edited_docstring_does_not():
    text = RuleFile.parse(TEXT, "disk").sealed().text()
    assert not RuleFile.parse(text, "disk").edited
    assert not RuleFile.parse(text.replace("A disk fails.", "Disk!"), "disk").edited
    assert not RuleFile.parse(text.replace("return any", "return  any"), "disk").edited
    assert RuleFile.parse(text.replace('disk failed" in', 'disk broke" in'), "disk").edited


def test_the_same_rule_said_in_two_ways_has_one_hash():
    loop = "def rule(w):\n    for x in w.lines:\n        if x.level > 5:\n            return True\n"
    short = "def rule(w):\n    return any(x.level > 5 for x in w.lines)\n"
    other = "def rule(w):\n    return any(x.level > 4 for x in w.lines)\n"
    assert hash_of(parse(loop)) == hash_of(parse(short)) != hash_of(parse(other))


def test_examples_say_what_is_wrong():
    rule = RuleFile.parse(TEXT, "disk")
    assert rule.failures(callable_of(rule.function)) == []
    assert rule.failures(lambda _: True) == [
        "disk fires on example 1 of must_not_match",
        "disk fires on example 2 of must_not_match",
    ]
    assert rule.failures(lambda _: False) == ["disk does not fire on example 1 of must_match"]


WRONG = [
    (TEXT.replace('"kind": "abnormal"', '"kind": "odd"'), 2, 5, "kind in META"),
    (TEXT.replace('"kind": "abnormal",', ""), 1, 8, 'META lacks "kind"'),
    (TEXT.replace('"severity": "high"', '"level": 3'), 3, 5, 'META knows no "level"'),
    (TEXT.replace('"severity": "high"', '"must_hold": True'), 1, 8, "must_hold"),
    (TEXT.replace('"high"', '"hi" + "gh"'), 3, 17, "written out"),
    (TEXT.replace('"high"', "open('x')"), 3, 17, "written out"),
    (TEXT.replace('"severity"', '"kind"'), 3, 5, "stands twice"),
    (TEXT.replace('"severity"', "severity"), 3, 5, "texts in quotes"),
    (TEXT.replace('"severity": "high"', "**w"), 3, 7, "texts in quotes"),
    (TEXT.replace('"severity": "high"', '"backtest": {"f1": 1e999}'), 3, 5, "finite"),
    (TEXT.replace('"severity": "high"', f'"backtest": {{"f1": 1{"0" * 400}}}'), 3, 5, "finite"),
    (TEXT.replace('"severity": "high"', '"backtest": {"f1": True}'), 3, 5, "backtest"),
    (TEXT.replace('"severity": "high"', '"target": b"disk"'), 3, 5, "target"),
    (TEXT.replace('"severity": "high"', '"must_hold": 1'), 3, 5, "must_hold"),
    (TEXT.replace('"must_match": [[', '"must_match": [{"a": 1}, ['), 5, 5, "lists of lines"),
    (TEXT.replace('"must_match": [[', '"must_match": ["disk", ['), 5, 5, "lists of lines"),
    (TEXT.replace('"severity"', r'"\x1b[2J"'), 3, 5, r'"\x1b[2J"'),
    (TEXT.replace("META = {", "META = ["), 7, 1, "not Python"),
    ("META = []\n\ndef rule(w):\n    return True\n", 1, 1, "dictionary"),
    (TEXT.replace("META =", "OTHER ="), 1, 1, "nothing else"),
    (TEXT + "\nx = 1\n", 14, 1, "nothing else"),
    ("import os\n" + TEXT, 1, 1, "nothing else"),
    (TEXT.replace("any(", "eval("), 12, 12, 'no "eval"'),
    ("", 1, 1, "nothing else"),
    ('META = {"a": ' + "[" * 95 + "]" * 95 + "}\ndef rule(w):\n    return True\n", 1, 0, "deep"),
    ('META = {"a": [' + "1," * 5000 + "]}\ndef rule(w):\n    return True\n", 1, 1, "too large"),
]


@pytest.mark.parametrize(("text", "line", "column", "words"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_said_with_its_place(text, line, column, words):
    with pytest.raises(RuleError, match=re.escape(words)) as caught:
        RuleFile.parse(text, "disk", "disk.py")
    assert caught.value.line == line
    assert caught.value.column == column or not column


def test_files_that_cannot_be_read_are_refused(tmp_path):
    path = tmp_path / "disk.py"
    with pytest.raises(RuleError, match="cannot be read"):
        RuleFile.read(path)
    path.write_bytes(TEXT.encode().replace(b"disk failed", b"disk \xff"))
    with pytest.raises(RuleError, match=r"disk\.py:5:36: the file is not UTF-8"):
        RuleFile.read(path)
    path.write_bytes(b"#" * (MOST_FILE + 1))
    with pytest.raises(RuleError, match="over"):
        RuleFile.read(path)
    with pytest.raises(RuleError, match="no name of a rule"):
        RuleFile("../x", Meta(kind="normal", provenance="data"), parse("def rule(w): pass")).write(
            tmp_path
        )


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "disk.py")
    with pytest.raises(RuleError, match="no ordinary file"):
        RuleFile.read(tmp_path / "disk.py")


def test_a_name_that_no_file_can_have_is_refused(tmp_path):
    rule = RuleFile("a" * 101, Meta(kind="normal", provenance="data"), parse("def rule(w): pass"))
    with pytest.raises(RuleError, match="at most 100"):
        rule.write(tmp_path)
    assert not list(tmp_path.iterdir())


def test_lines_are_those_that_python_counts():
    begins = 'META = {"kind": "abnormal", "provenance": "data"}\n' + "# \u2028\x0c\n" * 9
    function = "def rule(w):\n    #" + "x" * 17_000 + "\n    return True\n"
    with pytest.raises(RuleError, match="over"):
        RuleFile.parse(begins + function, "x")


@given(
    st.integers(0, len(TEXT)),
    st.integers(0, 5),
    st.text(max_size=3) | st.sampled_from("{}[]()\"'\x00"),
)
def test_a_damaged_file_gives_a_rule_or_a_refusal(at, cut, new):
    try:
        RuleFile.parse(TEXT[:at] + new + TEXT[at + cut :], "disk").text()
    except RuleError:
        return
