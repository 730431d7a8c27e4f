"""Signs: what is said of a template's text holds of every line of it, and holds no digits."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from logwright.rules.induction.signs import (
    Sign,
    constant_runs,
    form,
    own_signs,
    phrases,
    shared_signs,
    spaced_words,
)
from logwright.rules.language.emit import callable_of
from logwright.rules.language.gate import parse
from logwright.rules.language.plain import Line, Window

WORDS = st.sampled_from(
    [
        "\\d",
        "disk",
        "failed",
        "full",
        "<*>",
        "core.<*>",
        "a/b",
        "x86",
        "17",
        "no",
        'say"so',
        "ciod:",
        "é",
        "\\d",
    ]
)
GLUE = st.sampled_from([" ", ": ", "=", ", ", "  ", "("])
TEXTS = st.lists(st.tuples(WORDS, GLUE), min_size=1, max_size=8).map(
    lambda pairs: "".join(word + glue for word, glue in pairs).strip()
)
VALUES = st.lists(st.sampled_from(["17", "0x1f", "blk_-8", "R02-M1"]), min_size=20, max_size=20)


def filled(text: str, values: list[str]) -> str:
    for value in values:
        text = text.replace("<*>", value, 1)
    return text


def says(sign: Sign, line: Line) -> bool:
    rule = parse(f"def rule(w):\n    return any({sign.source} for line in w.lines)\n")
    return callable_of(rule)(Window([line]))


@given(TEXTS, VALUES)
def test_a_phrase_of_a_template_is_in_all_its_lines(text: str, values: list[str]) -> None:
    for words in phrases(text):
        assert Sign("phrase", words).matches(text, "t-1")
        assert says(Sign("phrase", words), Line(filled(text, values)))


@given(TEXTS, TEXTS, VALUES)
def test_a_sign_means_the_same_of_templates_and_of_lines(a: str, b: str, values: list[str]) -> None:
    kinds = [Sign("phrase", words) for words in phrases(a)]
    kinds += [Sign("words", word) for word in spaced_words(a)]
    kinds += [Sign("form", of) for of in [form(a)] if of is not None]
    for sign in kinds:
        assert says(sign, Line(filled(b, values))) == sign.matches(b, "t-1")


@given(TEXTS)
def test_no_word_of_a_sign_holds_a_digit(text: str) -> None:
    signs = [*phrases(text, 9), *spaced_words(text), form(text) or ""]
    assert not any(re.search(r"\d", words) for words in signs)


@given(TEXTS)
def test_constant_runs_are_cut_from_the_text(text: str) -> None:
    for run in constant_runs(text):
        assert "".join(run) in text
        assert "<*>" not in "".join(run)


@given(TEXTS, VALUES)
def test_a_form_is_that_of_all_lines_of_its_template(text: str, values: list[str]) -> None:
    of = form(text)
    words = [word for run in constant_runs(text) for word in run[::2]]
    assert (of is not None) == any(c.isalpha() for word in words for c in word)
    if of is not None:
        assert Sign("form", of).matches(text, "t-1")
        assert says(Sign("form", of), Line(filled(text, values)))


@given(st.integers(1, 30), st.integers(1, 30))
@example(3, 48)
def test_a_long_form_ends_after_a_word(first: int, size: int) -> None:
    words = ["r" * first, *["s" * size] * 101, "<*>"]
    of = form(" ".join(words))
    assert of is not None
    assert len(of) <= 101
    assert set(of.split()) <= {*words, "*"}
    assert of.endswith(" *")
    assert Sign("form", of).matches(" ".join(words), "t-1")


@pytest.mark.parametrize("text", ["disk\tfull", "disk\nfull", "disk \x1b full", "<*> 17: x86"])
def test_what_nobody_could_read_has_no_form(text: str) -> None:
    assert form(text) is None


def test_a_template_is_told_by_words_before_its_id() -> None:
    texts = ["received <*>", "received <*> of size <*>", "<*>", "size full"]
    signs = own_signs(texts, ["t-1", "t-2", "t-3", "t-4"])
    assert [(sign.kind, sign.of) for sign in signs] == [
        ("template", "t-1"),  # its form is of the second one, too
        ("phrase", "of size"),
        ("template", "t-3"),
        ("phrase", "size full"),
    ]
    again = own_signs(["received <*>", "received <*> of <*>: lost", "lost"], ["a", "b", "c"])
    assert again[2] == Sign("form", "lost")


def test_a_form_must_be_that_of_whole_messages() -> None:
    texts, ids = ["disk lost", "the disk lost again"], ["t-1", "t-2"]
    heads = {0: ["disk lost"], 1: ["the disk lost again"]}
    assert own_signs(texts, ids, heads.__getitem__)[0] == Sign("form", "disk lost")
    heads[0] = ["disk lost", "disk lost\n  at sector 7"]
    assert own_signs(texts, ids, heads.__getitem__)[0] == Sign("template", "t-1")


def test_one_word_is_told_as_one() -> None:
    assert Sign("words", "TLB").told == "the word 'TLB'"
    assert Sign("words", "TLB tlb").told == "one of the words 'TLB', 'tlb'"


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_an_own_sign_is_of_one_template_alone(texts: list[str]) -> None:
    ids = [f"t-{i}" for i in range(len(texts))]
    for at, sign in enumerate(own_signs(texts, ids)):
        assert [sign.matches(t, i) for t, i in zip(texts, ids, strict=True)] == [
            i == at for i in range(len(texts))
        ]


@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_a_shared_sign_is_of_the_templates_it_stands_for(texts: list[str]) -> None:
    for of, sign in shared_signs(texts).items():
        assert {i for i, text in enumerate(texts) if sign.matches(text, "")} == of


def test_a_word_that_touches_a_parameter_is_no_word() -> None:
    assert not Sign("phrase", "core.").matches("generating core.<*>", "t-1")
    assert "core." not in set(phrases("generating core.<*>"))


def test_words_stand_between_blanks() -> None:
    socket = Sign("words", "socket port")
    assert socket.matches("socket closed", "t-1")
    assert not socket.matches("no EthernetSwitch on port:address", "t-1")
    assert not socket.matches("websocket closed", "t-1")


@given(st.text(max_size=60))
def test_a_label_can_stand_in_a_name(text: str) -> None:
    assume("\0" not in text)
    for sign in (Sign("phrase", text), Sign("template", text), Sign("words", text)):
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,39}", sign.label)
        assert "__" not in sign.label


@pytest.mark.parametrize("text", ['say "so"', "back\\slash", "tab\there", "\udc80odd", "née"])
def test_any_text_can_be_written_down(text: str) -> None:
    assert says(Sign("phrase", text), Line(text))
    assert says(Sign("template", text), Line(template=text))
