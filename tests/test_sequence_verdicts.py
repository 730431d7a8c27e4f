"""Verdicts as columns, and which sessions to ask about."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.sequence.sequences import Sequences
from logwright.sequence.verdicts import Verdicts, questions

COLUMNS = st.lists(st.tuples(st.floats(0, 9), st.integers(1, 99)), max_size=30)


@given(COLUMNS, st.floats(0, 9), st.integers(0, 40))
def test_alarms_are_asked_about_first_the_commonest_before_others(
    columns: list[tuple[float, int]], threshold: float, n: int
) -> None:
    scores = np.array([s for s, _ in columns], np.float64)
    weights = np.array([w for _, w in columns], np.int64)
    asked = questions(scores, weights, threshold, n)
    assert len(asked) == min(n, len(columns)) == len(set(asked.tolist()))
    over = scores[asked] > threshold
    assert np.all(over[:-1] >= over[1:])
    assert over.sum() == min(n, int((scores > threshold).sum()))
    assert np.all(np.diff(weights[asked][over]) <= 0)
    assert np.all(np.diff(scores[asked][~over]) <= 0)


def test_verdicts_need_one_answer_for_each_session() -> None:
    with pytest.raises(ValueError, match="one verdict"):
        Verdicts(Sequences.of_lists([[2]]), np.array([True, False]))
