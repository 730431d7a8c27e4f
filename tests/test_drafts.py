"""Drafts: source that passes the gate, says what it catches, and fires where it says."""

from __future__ import annotations

import pytest

from logwright.rules.book.rulebook import may_be
from logwright.rules.induction.drafts import Draft, Facts, named, written
from logwright.rules.induction.predicates import Condition
from logwright.rules.induction.sightings import Sightings
from logwright.rules.induction.signs import Sign
from logwright.rules.language.emit import emit
from logwright.rules.language.gate import parse
from logwright.windows.window import Windows

FULL, DOWN = Sign("phrase", "disk full"), Sign("phrase", "link down")


def draft(*conditions: Condition, **more: object) -> Draft:
    facts = Facts((8, 1), (3, 0), 4)
    return Draft("disk_full", "abnormal", "covering", conditions, facts, **more)  # type: ignore[arg-type]


def test_a_rule_says_what_it_catches_and_how_sure_that_is() -> None:
    source = draft(Condition("has", FULL), Condition("count", DOWN, k=3)).source
    assert "Abnormal: a line has 'disk full' and at least 3 lines have 'link down'." in source
    assert "8 of 9 of train and 3 of 3 of validation were abnormal (4 distinct)" in " ".join(
        source.split()
    )


def test_what_is_counted_has_a_name() -> None:
    conditions = [
        Condition("count", FULL, k=4),
        Condition("more", FULL, DOWN),
        Condition("has", DOWN, wanted=False),
    ]
    source = written(conditions, ["Told."])
    assert source.splitlines()[2:] == [
        '    n_disk_full = sum(phrase(line.text, "disk full") for line in w.lines)',
        '    n_link_down = sum(phrase(line.text, "link down") for line in w.lines)',
        "    return n_disk_full >= 4 and n_disk_full > n_link_down and n_link_down == 0",
    ]


def test_names_differ_where_signs_begin_alike() -> None:
    signs = [Sign("phrase", "disk full"), Sign("phrase", "disk-full"), Sign("phrase", "Disk full")]
    source = written([Condition("count", sign, k=2) for sign in signs], ["Told."])
    assert len({line.split()[0] for line in source.splitlines() if " = sum" in line}) == 3
    parse(source)


@pytest.mark.parametrize("text", ['say "so"', "back\\slash", '"""', "née", "\udc80", "x" * 90])
def test_any_text_passes_the_gate(text: str) -> None:
    sign = Sign("phrase", text)
    source = draft(Condition("count", sign, k=2), Condition("has", DOWN), target=text[:20]).source
    assert emit(parse(source)).startswith("def rule(w: Window) -> bool:\n")


def test_a_guess_and_a_lonely_form_are_marked() -> None:
    words = draft(Condition("has", Sign("words", "severed")))
    assert "guess" not in words.source
    guess = Draft("w", "abnormal", "words", words.conditions, words.facts)
    assert "is a guess" in " ".join(guess.source.split())
    assert "it stays a draft" in draft(Condition("has", FULL), single=True).source


def test_all_conditions_must_hold() -> None:
    windows = Windows.of_sequences([[0, 1], [0], [1]])
    sightings = Sightings(windows, ["disk full", "link down"], ["a", "b"])
    rule = draft(Condition("has", FULL), Condition("has", DOWN, wanted=False))
    assert rule.fires(sightings).tolist() == [False, True, False]


def test_names_are_those_of_files_and_differ() -> None:
    drafts = named([draft(Condition("has", FULL))] * 3)
    assert [d.name for d in drafts] == ["disk_full", "disk_full_2", "disk_full_3"]
    assert all(may_be(d.name) for d in drafts)


def test_precision_and_support_count_both_parts() -> None:
    assert Facts((8, 1), (1, 0), 1).support == 9
    assert Facts((8, 1), (1, 0), 1).precision == pytest.approx(0.9)
    assert Facts((0, 0), (0, 0), 0).precision == 0.0
