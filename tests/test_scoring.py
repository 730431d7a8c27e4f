"""Scores of sequences: what a higher number means, and that it depends on nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.sequence.scoring import Tokens, largest, mean, surprise, top_k

ROWS = st.lists(st.lists(st.floats(0, 50, width=32), min_size=1, max_size=6), max_size=8)


def tokens_of(rows: list[list[float]]) -> Tokens:
    return Tokens.of_lists(rows, [[1 + int(v) for v in row] for row in rows])


@given(ROWS)
def test_scores_are_those_of_each_sequence_alone(rows: list[list[float]]) -> None:
    tokens = tokens_of(rows)
    assert largest(tokens).tolist() == [max(row) for row in rows]
    assert mean(tokens) == pytest.approx([sum(row) / len(row) for row in rows])
    assert top_k(tokens, 3).tolist() == [sum(1 + int(v) > 3 for v in row) for row in rows]


@given(ROWS, st.randoms(use_true_random=False))
def test_taking_sequences_takes_their_scores(rows: list[list[float]], rng) -> None:
    which = [rng.randrange(len(rows)) for _ in range(5)] if rows else []
    taken = tokens_of(rows).take(np.array(which, np.int64))
    assert largest(taken).tolist() == [max(rows[i]) for i in which]
    assert taken.lengths.tolist() == [len(rows[i]) for i in which]


@given(st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=8), st.data())
def test_surprise_is_the_log_of_the_share(logits: list[float], data) -> None:
    at = data.draw(st.integers(0, len(logits) - 1))
    row = np.array([logits], np.float32)
    nll, rank = surprise(row, row[:, at], np.array([False]))
    share = np.exp(np.float64(logits[at]) - np.logaddexp.reduce(np.array(logits, np.float64)))
    assert nll[0] == pytest.approx(-np.log(share), abs=1e-4)
    assert rank[0] == 1 + sum(v > row[0, at] for v in row[0])


def test_an_event_beside_those_known_shares_with_them() -> None:
    row = np.zeros((1, 3), np.float32)
    nll, rank = surprise(row, np.zeros(1, np.float32), np.array([True]))
    assert nll[0] == pytest.approx(np.log(4))
    assert rank[0] == 1


def test_what_cannot_be_rated_by_much_stays_finite() -> None:
    row = np.array([[900.0, -900.0]], np.float32)
    nll, _ = surprise(row, row[:, 1], np.array([False]))
    assert nll[0] == pytest.approx(1800)
    nll, _ = surprise(row, np.array([2e3], np.float32), np.array([True]))
    assert nll[0] == pytest.approx(0)


def test_a_k_below_one_is_refused() -> None:
    with pytest.raises(SettingsError, match="at least 1"):
        top_k(tokens_of([[1.0]]), 0)
