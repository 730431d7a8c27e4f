"""Measures: a limit says of windows what its source says of them; thresholds lie between."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.logs.batch import NO_TIME
from logwright.rules.induction.measures import (
    FAMILIES,
    Limit,
    Measure,
    Texted,
    between,
    measures_of,
)
from logwright.rules.induction.signs import Sign
from logwright.rules.language.emit import callable_of
from logwright.rules.language.gate import parse
from logwright.rules.language.plain import Line, Window
from logwright.windows.window import Windows

TEXTS = ["all is well", "disk full", "disk <*> is full: retry", "link down, retry"]
SIGNS = [Sign("phrase", words) for words in ("disk full", "is", "retry", "nowhere")]
MEASURES = [
    Measure(kind, sign)
    for kinds in FAMILIES.values()
    for kind in kinds
    for sign in (SIGNS if kind in ("count", "share") else [None])
]

_EVENT = st.tuples(
    st.integers(0, len(TEXTS) - 1),
    st.integers(0, 7),
    st.one_of(st.just(NO_TIME), st.integers(0, 10**11)),
)


def _windows(events: list[list[tuple[int, int, int]]]) -> Windows:
    windows = Windows.of_sequences([[event[0] for event in window] for window in events])
    flat = [event for window in events for event in window]
    windows.events.level[:] = [event[1] for event in flat]
    windows.events.ts[:] = [event[2] for event in flat]
    return windows


def _plain(window: list[tuple[int, int, int]]) -> Window:
    lines = []
    for template, level, ts in window:
        text = TEXTS[template].replace("<*>", "7")
        lines.append(Line(text, math.nan if ts == NO_TIME else ts / 1e9, level))
    return Window(lines)


def _says(limit: Limit, window: Window) -> bool:
    return callable_of(parse(f"def rule(w):\n    return {limit.source}\n"))(window)


@pytest.mark.slow
@given(
    st.lists(st.lists(_EVENT, max_size=8), min_size=1, max_size=4),
    st.sampled_from(MEASURES),
    st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0, 2.0, 2.5, 3.0, 40.0]),
    st.booleans(),
)
def test_columns_say_what_the_source_says(
    events: list[list[tuple[int, int, int]]], measure: Measure, at: float, least: bool
) -> None:
    limit = Limit(measure, at, least)
    texted = Texted(_windows(events), TEXTS, [f"t-{i}" for i in range(len(TEXTS))])
    found = limit.holds(measure.values(texted)).tolist()
    assert found == [_says(limit, _plain(window)) for window in events]


@given(st.data())
def test_the_edge_of_a_limit_is_the_same_in_columns_and_source(data: st.DataObject) -> None:
    """Thresholds are set between values that occur: one at a value itself is the hardest case."""
    events = data.draw(st.lists(st.lists(_EVENT, min_size=1, max_size=6), min_size=1, max_size=4))
    measure = data.draw(st.sampled_from(MEASURES))
    texted = Texted(_windows(events), TEXTS, [f"t-{i}" for i in range(len(TEXTS))])
    values = measure.values(texted)
    at = float(values[0])
    if math.isnan(at) or at < 0:
        return
    limit = Limit(measure, at, True)
    assert limit.holds(values).tolist() == [_says(limit, _plain(window)) for window in events]


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_threshold_is_above_the_lower_and_at_most_the_higher(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    if low < high:
        assert low < between(low, high) <= high


def test_a_threshold_is_short_to_read() -> None:
    assert between(0.012345, 0.0187654) == 0.016
    assert between(3.0, 4.0) == 4.0


def test_neighbouring_numbers_have_a_threshold_too() -> None:
    high = math.nextafter(0.1, 1.0)
    assert between(0.1, high) == high


def test_warnings_and_worse_are_levels_from_5() -> None:
    windows = Windows.of_sequences([[0, 0, 0, 0]])
    windows.events.level[:] = [4, 5, 6, 7]
    texted = Texted(windows, TEXTS, [""] * len(TEXTS))
    assert Measure("severe").values(texted).tolist() == [3.0]
    assert Measure("severe").source == "sum(line.level >= 5 for line in w.lines)"


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: f"{m.kind}-{m.sign and m.sign.of}")
def test_a_limit_and_its_opposite_are_told_differently(measure: Measure) -> None:
    told = {Limit(measure, at, least).told for at in (1.0, 3.0) for least in (True, False)}
    assert len(told) == 4


def test_phrases_with_digits_or_parameters_are_no_measures() -> None:
    words = {m.sign.of for m in measures_of(["counts"], ["node n12 of <*> lost"]) if m.sign}
    assert words == {"node", "of", "lost"}


def test_a_window_without_lines_or_times_has_measures() -> None:
    texted = Texted(Windows.of_sequences([[], [0]]), TEXTS, [""] * len(TEXTS))
    assert Measure("share", SIGNS[1]).values(texted).tolist() == [0.0, 1.0]
    assert np.isnan(Measure("seconds").values(texted)).all()
    assert Measure("gap").values(texted).tolist() == [0.0, 0.0]
