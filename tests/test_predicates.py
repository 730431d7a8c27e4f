"""Predicates: what a condition says of columns is what its source says of each window."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.rules.induction.drafts import written
from logwright.rules.induction.predicates import Condition
from logwright.rules.induction.sightings import Sightings
from logwright.rules.induction.signs import Sign
from logwright.rules.language.emit import callable_of
from logwright.rules.language.gate import parse
from logwright.windows.window import Windows
from rule_windows import IDS, TEXTS, TIMES, plainly, sequences, timed

SIGNS = st.sampled_from(
    [Sign("phrase", "disk"), Sign("phrase", "disk full"), Sign("words", "up failed"),
     Sign("template", "t-5"), Sign("phrase", "absent")]
)  # fmt: skip
CONDITIONS = st.builds(
    Condition,
    st.sampled_from(
        ["has", "only", "count", "length", "opens", "closes", "more", "differ", "before",
         "followed", "soon", "gap"]
    ),
    SIGNS,
    SIGNS,
    st.integers(1, 5),
    st.booleans(),
)  # fmt: skip


def single(condition: Condition) -> Condition:
    """Without the second sign, where the kind has none."""
    if condition.kind in ("more", "differ", "before", "followed", "soon"):
        return condition
    return Condition(condition.kind, condition.a, None, condition.k, condition.wanted)


@given(sequences(), st.lists(CONDITIONS, min_size=1, max_size=4), st.lists(TIMES, max_size=9))
def test_columns_and_source_agree(
    templates: list[list[int]], chosen: list[Condition], seconds: list[int | None]
) -> None:
    conditions = [single(condition) for condition in chosen]
    windows = timed(Windows.of_sequences(templates), seconds)
    table = Sightings(windows, TEXTS, IDS)
    held = np.all([condition.holds(table) for condition in conditions], axis=0)
    rule = callable_of(parse(written(conditions, ["Told."])))
    assert held.tolist() == [rule(window) for window in plainly(windows, TEXTS, IDS)]


@given(sequences(), CONDITIONS, st.lists(TIMES, max_size=9))
def test_the_opposite_holds_where_a_condition_does_not(
    templates: list[list[int]], chosen: Condition, seconds: list[int | None]
) -> None:
    condition = single(chosen)
    table = Sightings(timed(Windows.of_sequences(templates), seconds), TEXTS, IDS)
    assert (condition.holds(table) == ~condition.turned().holds(table)).all()
    assert condition.turned().told != condition.told
    assert condition.turned().turned() == condition


@pytest.mark.parametrize("kind", ["followed", "soon"])
def test_what_comes_at_the_end_is_not_followed(kind: str) -> None:
    windows = timed(Windows.of_sequences([[1, 2], [2, 1]]), [0, 1])
    condition = Condition(kind, Sign("template", "t-2"), Sign("template", "t-3"), k=5)  # type: ignore[arg-type]
    assert condition.holds(Sightings(windows, TEXTS, IDS)).tolist() == [True, False]


def test_the_earliest_of_later_lines_counts_where_clocks_jump() -> None:
    windows = timed(Windows.of_sequences([[1, 2, 2]]), [10, 99, 11])
    table = Sightings(windows, TEXTS, IDS)
    _, wait = table.delay(Sign("template", "t-2"), Sign("template", "t-3"))
    assert wait.tolist() == [1.0]
