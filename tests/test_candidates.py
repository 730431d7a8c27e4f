"""Candidates: windows that cannot be told apart are one case, and columns are what they say."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from logwright.rules.induction.candidates import Candidates, cases_of
from logwright.rules.induction.sightings import Sightings
from logwright.windows.window import Windows
from rule_windows import IDS, TEXTS, sequences


def form(templates: list[int], session: bool) -> tuple[object, ...]:
    counts = frozenset(Counter(templates).items())
    return (counts, tuple(dict.fromkeys(templates)), templates[-1:]) if session else (counts,)


@given(sequences(most=30))
def test_a_case_is_a_form_of_windows(templates: list[list[int]]) -> None:
    for kind in ("count", "session"):
        cases = cases_of(Windows.of_sequences(templates, kind))
        forms = [form(window, kind == "session") for window in templates]
        for i, one in enumerate(forms):
            for j, other in enumerate(forms):
                assert (one == other) == (cases.of[i] == cases.of[j])
        assert (cases.of[cases.first] == np.arange(len(cases))).all()


def test_order_makes_a_form_of_sessions_alone() -> None:
    windows = [[0, 1], [1, 0], [0, 1, 0], [0, 0, 1]]
    assert len(cases_of(Windows.of_sequences(windows, "session"))) == 4
    assert len(cases_of(Windows.of_sequences(windows, "count"))) == 2


@given(sequences(most=30))
def test_weights_count_the_chosen_windows(templates: list[list[int]]) -> None:
    cases = cases_of(Windows.of_sequences(templates))
    which = np.arange(len(templates)) % 2 == 0
    weights = cases.weights(which)
    assert weights.sum() == which.sum()
    assert (weights[np.unique(cases.of[which])] > 0).all()


@given(sequences(least=1, most=30))
def test_columns_are_what_conditions_say(templates: list[list[int]]) -> None:
    for kind in ("count", "session"):
        windows = Windows.of_sequences(templates, kind)
        cases = cases_of(windows)
        found = Candidates(windows, TEXTS, IDS, cases)
        table = Sightings(windows, TEXTS, IDS)
        matrix = found.matrix.toarray()
        assert matrix.shape == (len(cases), len(found.conditions))
        for at, condition in enumerate(found.conditions):
            assert (matrix[cases.of, at] == condition.holds(table)).all()


def test_absence_counts_in_sessions_only() -> None:
    sequences_ = [[0, 1], [1], [0, 0], [1, 1]]
    for kind, usable in (("session", True), ("count", False)):
        windows = Windows.of_sequences(sequences_, kind)
        costs = Candidates(windows, TEXTS, IDS, cases_of(windows)).costs
        assert np.isfinite(costs[0]).all()
        assert np.isfinite(costs[1]).all() == usable


def test_templates_that_history_does_not_hold_name_no_sign() -> None:
    windows = Windows.of_sequences([[0], [1], [0, 1]])
    found = Candidates(windows, TEXTS, IDS, cases_of(windows))
    assert sorted(found.own) == [0, 1]
    assert not any("link" in condition.a.of for condition in found.conditions)


def test_two_events_are_compared_where_a_relation_is_the_usual_one() -> None:
    together = Windows.of_sequences([[0, 1]] * 9 + [[0], [0, 1, 1]])
    apart = Windows.of_sequences([[0], [1]] * 9 + [[0, 1]])
    kinds = [
        {c.kind for c in Candidates(w, TEXTS, IDS, cases_of(w)).conditions}
        for w in (together, apart)
    ]
    assert "differ" in kinds[0]
    assert "differ" not in kinds[1]


def test_words_are_asked_for_before_an_id() -> None:
    windows = Windows.of_sequences([[0, 1], [2], [1, 0], [2, 2]], "count")
    texts, ids = ["<*>", "disk full", "ok"], IDS[:3]
    found = Candidates(windows, texts, ids, cases_of(windows))
    assert found.own[0].kind == "template"
    assert "template t-1" not in {condition.a.told for condition in found.conditions}
    blind = Candidates(windows, None, ids, cases_of(windows))
    assert "template t-1" in {condition.a.told for condition in blind.conditions}


@pytest.mark.parametrize(("said", "kind"), [("lost", "form"), ("lost\n  at 7", "template")])
def test_messages_say_whether_a_form_is_of_whole_lines(said: str, kind: str) -> None:
    windows = Windows.of_sequences([[0], [1], [0, 1]])

    def messages(rows: NDArray[np.int64]) -> list[str]:
        return [said] * len(rows)

    cases = cases_of(windows)
    found = Candidates(windows, ["lost", "disk lost"], IDS[:2], cases, messages=messages)
    assert found.own[0].kind == kind
