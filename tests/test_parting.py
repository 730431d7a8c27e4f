"""Parting: thresholds and words that tell labelled windows apart are found, and chance ones not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logwright.rules.induction.induction import Sample, induce
from logwright.rules.induction.parting import parting, roundest
from logwright.rules.induction.sightings import Sightings
from logwright.rules.language.emit import callable_of
from logwright.rules.language.gate import parse
from valued_windows import IDS, TEXTS, Logged, Said, healthy, link, took

NUMBERS = st.floats(-1e6, 1e6)


@given(NUMBERS, NUMBERS)
@example(1e-309, 5e-324)
def test_the_roundest_number_lies_in_the_gap(a: float, b: float) -> None:
    low, high = sorted((a, b))
    if low < high:
        assert low <= roundest(low, high) < high


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (took, "a number above 200 in 'took * ms'"),
        (lambda ms: took(ms // 100), "a number below 10 in 'took * ms'"),
        (lambda _: link("failed"), "'failed' in 'link is *, port'"),
    ],
)
def test_a_planted_value_becomes_a_rule(wrong: object, told: str) -> None:
    lines = healthy(600)
    truth = np.arange(600) % 20 == 7
    for at in np.flatnonzero(truth).tolist():
        lines[at][3] = wrong(250 + at)  # type: ignore[operator]
    logged = Logged(lines)
    history = np.arange(600) < 400
    sample = Sample(
        logged.windows.select(history), TEXTS, IDS, truth[history], 320, logged.messages
    )
    drafts = [draft for draft in induce(sample) if draft.kind == "abnormal"]
    assert [[c.told for c in draft.conditions] for draft in drafts] == [[f"a line has {told}"]]
    table = Sightings(logged.windows, TEXTS, IDS, logged.values)
    assert (drafts[0].fires(table) == truth).all()
    rule = callable_of(parse(drafts[0].source))
    assert [rule(window) for window in logged.plainly()] == truth.tolist()


def test_one_window_is_not_enough() -> None:
    lines = healthy(300)
    lines[50][3] = took(5000)
    logged = Logged(lines)
    which = np.arange(300) == 50
    assert parting(logged.values, logged.windows, which, np.ones(300, bool)) == []


def test_the_validation_slice_is_not_looked_at() -> None:
    lines = healthy(300)
    which, early = np.isin(np.arange(300), (100, 200)), np.arange(300) < 250
    for at in np.flatnonzero(which & early).tolist():
        lines[at][3] = took(500)
    for at in range(250, 300):
        lines[at][3] = took(800)
    logged = Logged(lines)
    alone = logged.windows.select(early)
    expected = parting(logged.values, alone, which[early], np.ones(250, bool))
    assert expected
    assert parting(logged.values, logged.windows, which, early) == expected


@pytest.mark.parametrize("seed", range(10))
def test_labels_by_chance_give_no_threshold(seed: int) -> None:
    random = np.random.default_rng(seed)
    lines: list[list[Said]] = healthy(500, seed)
    logged = Logged(lines)
    which = random.random(500) < 0.3
    assert parting(logged.values, logged.windows, which, np.ones(500, bool)) == []
