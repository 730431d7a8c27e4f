"""Covering: planted rules are found, bounds are kept, and nothing hangs on the order of cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csc_matrix

from logwright.rules.induction.covering import Bounds, Clause, Cover, Weights

SEEDS = st.integers(0, 2**32 - 1)
NOTHING = 1e-9
USUAL = Bounds()


def cover(matrix: np.ndarray, bounds: Bounds = USUAL) -> Cover:
    return Cover(csc_matrix(matrix), np.zeros((2, matrix.shape[1])), bounds)


def weights(truth: np.ndarray, number: np.ndarray | float = 1.0) -> Weights:
    return Weights(np.where(truth, number, 0.0), np.where(truth, 0.0, number))


def none(rows: int) -> Weights:
    return Weights(np.zeros(rows), np.zeros(rows))


def told(clauses: list[Clause], rows: int) -> np.ndarray:
    return np.any([c.rows for c in clauses], axis=0) if clauses else np.zeros(rows, bool)


def drawn(seed: int, rows: int = 200, columns: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).random((rows, columns)) < 0.4


@given(SEEDS)
def test_a_planted_disjunction_is_found(seed: int) -> None:
    matrix = drawn(seed)
    truth = (matrix[:, 0] & matrix[:, 1]) | (matrix[:, 2] & ~matrix[:, 3])
    found = cover(matrix).clauses(weights(truth), none(200))
    flagged = told(found, 200)
    assert (flagged & truth).sum() >= 0.95 * truth.sum()
    assert (flagged & ~truth).sum() <= 0.1 * flagged.sum()


@pytest.mark.slow
@given(SEEDS, st.sampled_from([0.7, 0.9, 0.97]), st.integers(1, 3), st.integers(1, 4))
def test_bounds_are_kept(seed: int, precision: float, cases: int, conditions: int) -> None:
    random = np.random.default_rng(seed)
    matrix, truth = drawn(seed), random.random(200) < 0.3
    number = random.integers(1, 50, 200).astype(float)
    bounds = Bounds(precision, support=3.0, cases=cases, conditions=conditions, rules=5)
    both = weights(truth, number)
    found = cover(matrix, bounds).clauses(both, none(200))
    assert len(found) <= 5
    for clause in found:
        p, n = both.of(clause.rows)
        assert p >= precision * (p + n) - NOTHING
        assert p >= 3.0
        assert (clause.rows & truth).sum() >= cases
        assert 1 <= len(clause.literals) <= conditions


@given(SEEDS)
def test_the_order_of_cases_is_of_no_consequence(seed: int) -> None:
    matrix = drawn(seed, 80)
    truth = matrix[:, 0] & ~matrix[:, 1]
    order = np.random.default_rng(seed).permutation(80)
    one = cover(matrix).clauses(weights(truth), none(80))
    other = cover(matrix[order]).clauses(weights(truth[order]), none(80))
    assert sorted(c.literals for c in one) == sorted(c.literals for c in other)


def test_a_clause_is_of_the_rows_for_which_its_conditions_hold() -> None:
    matrix = drawn(3)
    made = cover(matrix)
    for clause in made.clauses(weights(matrix[:, 4] & matrix[:, 5]), none(200)):
        rows = np.ones(200, bool)
        for at, wanted in clause.literals:
            rows &= matrix[:, at] == wanted
        assert (rows == clause.rows).all()


def test_validation_takes_away_a_condition_that_only_train_wanted() -> None:
    # One case of noise makes train want column 1 besides column 0; later cases do without it.
    matrix = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1], [0, 1, 0]], bool)
    train = Weights(np.array([20.0, 0, 0, 0]), np.array([0, 1.0, 0, 50.0]))
    check = Weights(np.array([0, 0, 200.0, 0]), np.zeros(4))
    bounds = Bounds(cases=1)
    assert [c.literals for c in cover(matrix, bounds).clauses(train, check)] == [[(0, True)]]
    blind = cover(matrix, bounds).clauses(train, none(4))
    assert [c.literals for c in blind] == [[(0, True), (1, True)]]


def test_what_must_not_be_used_is_not_used() -> None:
    matrix = drawn(5)
    truth = ~matrix[:, 0]
    costs = np.zeros((2, 12))
    costs[1] = np.inf
    made = Cover(csc_matrix(matrix), costs, Bounds(precision=0.5))
    for clause in made.clauses(weights(truth), none(200)):
        assert all(wanted for _, wanted in clause.literals)


def test_of_equal_conditions_the_one_that_is_easier_to_read_is_taken() -> None:
    matrix = np.repeat(drawn(1)[:, :1], 2, axis=1)
    made = Cover(csc_matrix(matrix), np.array([[3.0, 3.5], [1.0, 1.5]])[:, ::1], Bounds())
    turned = Cover(csc_matrix(matrix), np.array([[3.0, 1.0], [3.5, 1.5]]), Bounds())
    truth = weights(matrix[:, 0])
    assert [c.literals for c in turned.clauses(truth, none(200))] == [[(1, True)]]
    assert [c.literals for c in made.clauses(truth, none(200))] == [[(0, True)]]


def test_a_form_that_came_once_is_heard_against_one_that_came_often() -> None:
    often = Weights(np.array([10_000.0, 0.0]), np.array([0.0, 100.0]))
    p, n = often.damped(0.5).of(np.ones(2, bool))
    assert (p, n) == (100.0, 10.0)
    mixed = Weights(np.array([90.0]), np.array([10.0])).damped(0.5)
    assert mixed.positive[0] / mixed.negative[0] == pytest.approx(9.0)


def test_no_positives_give_no_rules() -> None:
    assert cover(drawn(1)).clauses(weights(np.zeros(200, bool)), none(200)) == []
    assert cover(np.zeros((3, 0), bool)).clauses(weights(np.ones(3, bool)), none(3)) == []


@given(SEEDS)
def test_thinning_loses_little(seed: int) -> None:
    matrix = drawn(seed)
    truth = matrix[:, 0] | matrix[:, 1]
    made = cover(matrix)
    clauses = [Clause([(at, True)], matrix[:, at]) for at in (0, 1)] + [
        Clause([(0, True), (at, True)], matrix[:, 0] & matrix[:, at]) for at in range(2, 6)
    ]
    kept = made.thinned(clauses, weights(truth))
    assert sorted(c.literals for c in kept) == [[(0, True)], [(1, True)]]
