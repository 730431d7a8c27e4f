"""Regexes: those of logs pass, slow ones do not, and every match holds one of the literals."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logwright.rules.language import regexes
from logwright.rules.language.pattern_tree import OTHER, Chars, read_pattern
from logwright.rules.language.plain import NAMES
from logwright.rules.language.problem import RuleError
from rule_strategies import LIKES, PATTERNS, texts

GOOD = [
    *PATTERNS,
    r"core\.\d+",
    r"^\[(\w+)\] .*failed$",
    r"took (\d+(?:\.\d+)?) ?ms",
    r"[^\"]*\"x",
    r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}",
    r"a{2,4}b",
    "a{",
    r"[]x]",
    r"\x41",
    r"x|y|",
    r"(?P<n>\d+)s",
    r"\d+\.\d+\.\d+\.\d+",
    r"error.*$",
    r"read .* took (\d+) ms",
]
BAD = [
    ("", "empty"),
    ("(a+)+", "repeats"),
    ("(a|a)*", "several ways"),
    ("(a|ab)*c", "several ways"),
    ("(a*)*", "empty"),
    ("(?:a?)+", "empty"),
    ("a.*b.*c", "like"),
    (r"\w+\w+x", "two repetitions"),
    ("a?" * 12 + "a" * 12, "too many ways"),
    ("(a|b|ab)(c|cd|d)" * 4, "too many ways"),
    ("(?=a)", "look around"),
    ("(?<!a)b", "look around"),
    (r"(a)\1", "reference"),
    ("a++", "possessive"),
    ("(?>a)", "atomic"),
    ("a**", "repetition of a repetition"),
    ("*a", "nothing before"),
    ("a{2}{3}", "repetition of a repetition"),
    ("a{1001}", "1000"),
    ("(a{600}){2}b{500}", "1000"),
    ("a{,3}", "{0,n}"),
    ("a{3,2}", "below"),
    ("(", "without"),
    (")", "without"),
    ("[a", "without"),
    ("[[:alpha:]]", r"\["),
    ("[a&&b]", "engines"),
    ("[z-a]", "range"),
    (r"a\Z", "$"),
    (r"\u0041", "itself"),
    (r"\p{L}", "itself"),
    ("a(?i)b", "start"),
    ("(?x)a", "group"),
    ("^*", "place"),
    ("\\", "itself"),
    ("(" * 30 + "a" + ")" * 30, "groups"),
    ("(a)" * 11, "groups"),
    ("a" * 501, "at most 500"),
    (r"\d{1,500}\d{1,499}x", "two"),
    ("(?P<1>a)", "name"),
    ("(?P<n>a)(?P<n>b)", "redefinition"),
    (r"\x4", "digits"),
]


@pytest.mark.parametrize("pattern", GOOD)
def test_patterns_that_are_used_for_logs_pass(pattern):
    assert regexes.check(pattern) == re.compile(pattern).groups


@pytest.mark.parametrize(("pattern", "words"), BAD)
def test_patterns_that_may_be_slow_or_mean_two_things_are_refused(pattern, words):
    with pytest.raises(RuleError, match=re.escape(words)):
        regexes.check(pattern)


CLASSES = [
    r"[a-c]",
    r"[^a-c\d]",
    r"\W",
    ".",
    r"[]\-x]",
    r"[\x20-~]",
    r"(?i)[k-m]",
    "é",
    r"[é-ü]",
    r"\s",
]


@pytest.mark.parametrize("pattern", CLASSES)
def test_sets_of_characters_are_those_of_re(pattern):
    node, _, _ = read_pattern(pattern)
    assert isinstance(node, Chars)
    for code in range(OTHER):
        matches = re.fullmatch(pattern, chr(code), re.ASCII) is not None
        assert matches == (code in node.codes), chr(code)


_pieces = st.sampled_from(
    [
        "a",
        "b",
        "ab",
        ".",
        r"\d",
        r"\w",
        "[ab]",
        "[^a]",
        r"\.",
        "(",
        "(?:",
        ")",
        "|",
        "*",
        "+",
        "?",
        "{2}",
        "{1,3}",
        "{2,}",
        "^",
        "$",
        r"\b",
        "*?",
        "(?i)",
        "é",
        " ",
        "-",
        "[a-c]",
        r"\s",
        "",
    ]
)
_patterns = st.lists(_pieces, min_size=1, max_size=9).map("".join)
_subjects = st.text(alphabet="aabb1. é-A\n", max_size=25)


@given(_patterns, st.lists(_subjects, max_size=8))
@settings(max_examples=300)
def test_every_match_holds_one_of_the_literals(pattern, subjects):
    try:
        regexes.check(pattern)
    except RuleError:
        return
    held = regexes.literals(pattern)
    for subject in subjects:
        if re.search(pattern, subject, re.ASCII) and held:
            assert any(text in subject for text in held)


@given(
    _patterns, st.lists(st.sampled_from(["a", "ab", "b", "1", "aA", ". "]), min_size=1, max_size=3)
)
@settings(max_examples=150)
def test_accepted_patterns_cost_at_most_the_square_of_the_length(pattern, parts):
    try:
        regexes.check(pattern)
    except RuleError:
        return
    compiled = re.compile(pattern, re.ASCII)
    subject = ("".join(parts) * 1500)[:1500] + "\x00"
    begin = time.perf_counter()
    compiled.search(subject)
    assert time.perf_counter() - begin < 0.5, pattern


@given(_patterns)
def test_what_we_accept_re2_accepts_and_finds_in_the_same_texts(pattern):
    re2 = pytest.importorskip("re2", reason="google-re2 (extra fast) is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regexes, "_check_re2", lambda _: None)
        try:
            regexes.check(pattern)
        except RuleError:
            return
    found = re2.compile(pattern)
    for text in ("", "core.2275", "read 5 took 12 ms", "aabb", "x y", "failed"):
        assert (found.search(text) is None) == (re.search(pattern, text, re.ASCII) is None)


@given(st.sampled_from(LIKES), texts)
def test_like_is_what_the_pattern_with_dots_says(pattern, text):
    pieces = ".*".join(map(re.escape, pattern.split("*")))
    assert NAMES["like"](text, pattern) == bool(re.fullmatch(pieces, text, re.DOTALL))
