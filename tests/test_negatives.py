"""Hard negatives: near normal sessions, never one of them, the same for the same seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.sequence.makeups import Makeups
from logwright.sequence.negatives import KINDS, Negatives, corrupt
from logwright.sequence.sequences import Sequences

SESSION = st.lists(st.integers(2, 9), max_size=20).map(lambda x: np.array(x, np.int32))
SEEDS = st.integers(0, 2**32 - 1)


@given(SESSION, SEEDS)
def test_each_corruption_does_what_it_is_called(session: Any, seed: int) -> None:
    before = session.copy()
    made = {k: corrupt(session, k, np.array([50]), np.random.default_rng(seed)) for k in KINDS}
    assert np.array_equal(session, before)
    if not len(session):
        assert all(not len(x) for x in made.values())
        return
    counts = {k: np.bincount(x, minlength=51) for k, x in made.items()}
    now = np.bincount(session, minlength=51)
    assert np.all(counts["drop"] <= now)
    assert 1 <= len(session) - len(made["drop"]) <= 3
    assert np.array_equal(counts["insert"] - now, np.eye(51, dtype=int)[50])
    assert np.array_equal(counts["swap"], now)
    assert np.array_equal(made["truncate"], session[: len(made["truncate"])])
    assert np.all(counts["repeat"] >= now)
    assert set(made["repeat"]) == set(session)


@given(st.lists(st.lists(st.integers(2, 5), min_size=1, max_size=6), min_size=1, max_size=8), SEEDS)
def test_no_negative_is_a_session_of_the_history(lists: list[list[int]], seed: int) -> None:
    history = Sequences.of_lists(lists)
    which = np.arange(len(history)).repeat(3)
    made = Negatives(history, seed).draw(which)
    assert len(made) <= len(which)
    known = {tuple(one) for one in lists}
    assert all(tuple(made.one(i).tolist()) not in known for i in range(len(made)))
    assert set(made.events.tolist()) <= set(history.events.tolist())
    again = Negatives(history, seed).draw(which)
    assert np.array_equal(again.events, made.events)


def test_where_make_ups_last_another_order_is_no_negative() -> None:
    history = Sequences.of_lists([[2, 3, 4, 5]])
    makeups = Makeups(history, 6, 3)
    made = Negatives(history, 0, makeups).draw(np.zeros(60, np.int64))
    assert len(made) > 40
    assert not makeups.knows(made).any()
    plain = Negatives(history, 0).draw(np.zeros(60, np.int64))
    assert makeups.knows(plain).any()


def test_sessions_without_events_give_no_negatives() -> None:
    history = Sequences.of_lists([[], []])
    assert len(Negatives(history, 0).draw(np.array([0, 1]))) == 0


def test_an_unknown_corruption_is_a_bug() -> None:
    with pytest.raises(ValueError, match="melt"):
        corrupt(np.array([1], np.int32), "melt", np.array([1]), np.random.default_rng(0))
