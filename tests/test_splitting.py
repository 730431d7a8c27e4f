"""Splitting: clauses tell what they say, the best split is the best, order of rows is nothing."""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from logwright.rules.induction.splitting import Split, Splitter, reliability

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_MATRIX = st.tuples(st.integers(4, 12), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(
        arrays(np.float64, shape, elements=st.integers(0, 5).map(float)),
        arrays(np.bool_, shape[0]),
    )
)


def _held(clause: list[Split], values: Floats) -> Bools:
    rows = np.ones(len(values), bool)
    for split in clause:
        rows &= split.rows(values)
    return rows


def _worth(rows: Bools, told: Bools) -> float:
    return abs(float(rows[told].mean()) - float(rows[~told].mean()))


@given(_MATRIX)
def test_the_first_split_holds_the_largest_difference_of_shares(
    made: tuple[Floats, Bools],
) -> None:
    values, told = made
    clause = next(Splitter(values, np.zeros(values.shape[1])).clauses(told, 1), None)
    assume(clause is not None)
    assert clause is not None
    every = [_worth(values[:, c] >= t, told) for c in range(values.shape[1]) for t in range(6)]
    assert np.isclose(_worth(clause[0].rows(values), told), max(every))


@given(_MATRIX, st.integers(1, 3))
def test_a_clause_is_right_more_often_than_not(made: tuple[Floats, Bools], depth: int) -> None:
    values, told = made
    for clause in Splitter(values, np.zeros(values.shape[1])).clauses(told, depth):
        rows = _held(clause, values)
        assert len(clause) <= depth
        assert (rows & told).sum() >= 2
        assert (rows & told).sum() >= 0.6 * rows.sum()


@given(_MATRIX, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(made: tuple[Floats, Bools], random: object) -> None:
    values, told = made
    order = np.random.default_rng(random.getrandbits(32)).permutation(len(told))  # type: ignore[attr-defined]
    costs = np.zeros(values.shape[1])
    here = list(Splitter(values, costs).clauses(told, 2))
    there = list(Splitter(values[order], costs).clauses(told[order], 2))
    assert here == there


def test_of_equal_columns_the_easier_to_read_is_taken() -> None:
    values = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    told = np.array([False, False, True, True])
    [clause] = Splitter(values, np.array([2.0, 1.0])).clauses(told, 1)
    assert clause == [Split(1, 0.0, 1.0, True)]


def test_of_equal_thresholds_the_one_with_most_room_is_taken() -> None:
    values = np.array([[1.0, 1.0], [2.0, 1.0], [3.0, 50.0], [4.0, 60.0]])
    told = np.array([False, False, True, True])
    [clause] = Splitter(values, np.zeros(2)).clauses(told, 1)
    assert clause[0].column == 1


def test_one_example_is_no_class() -> None:
    values = np.array([[0.0], [0.0], [0.0], [9.0]])
    assert not list(Splitter(values, np.zeros(1)).clauses(values[:, 0] > 1, 3))


def test_what_is_wrong_more_often_than_right_is_no_rule() -> None:
    values = np.array([[1.0]] * 5 + [[0.0]] * 10)
    told = np.arange(15) < 2
    assert not list(Splitter(values, np.zeros(1)).clauses(told, 3))
    assert list(Splitter(values, np.zeros(1)).clauses(np.arange(15) < 3, 3))


def test_few_cases_are_trusted_less_than_many() -> None:
    assert reliability(2, 2, 0.1) < reliability(20, 20, 0.1) < 1.0
