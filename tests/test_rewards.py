"""Rewards: bounded, ordered by rank, place and score as they say."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.sequence.rewards import (
    Yardstick,
    binary,
    calibrated,
    graded,
    judged,
    places,
    positional,
    threshold_at,
)

RANKS = st.lists(st.integers(1, 5_000), min_size=2, max_size=40).map(np.array)
K = st.integers(1, 100)
DECAYS = st.floats(0.0, 5.0)
SCORES = st.lists(st.floats(0.0, 60.0), min_size=1, max_size=40).map(np.array)


@given(RANKS, K, DECAYS, st.floats(0.0, 1.0))
def test_rewards_by_rank_are_bounded_and_never_rise_with_the_rank(
    ranks: Any, k: int, decay: float, at: float
) -> None:
    ranks = np.sort(ranks)
    here = np.full(len(ranks), at)
    for reward in (
        binary(ranks, k),
        positional(ranks, here, k, decay),
        graded(ranks, here, k, decay),
    ):
        assert np.all(np.abs(reward) <= 1.0)
        assert np.all(np.diff(reward) <= 1e-12)
        assert np.array_equal(reward > 0, ranks <= k)


@given(RANKS, K, DECAYS)
def test_an_early_hit_earns_more_and_a_late_miss_costs_more(
    ranks: Any, k: int, decay: float
) -> None:
    early, late = np.zeros(len(ranks)), np.ones(len(ranks))
    for reward in (positional, graded):
        first, last = reward(ranks, early, k, decay), reward(ranks, late, k, decay)
        # Hits earn less late, and misses cost more late: both go down with the place.
        assert np.all(last <= first + 1e-12)


@given(RANKS, K)
def test_without_decay_place_does_not_matter_and_positional_is_binary(ranks: Any, k: int) -> None:
    at = np.linspace(0.0, 1.0, len(ranks))
    assert np.array_equal(positional(ranks, at, k, 0.0), binary(ranks, k))
    assert np.array_equal(graded(ranks, at, k, 0.0), graded(ranks, at[::-1], k, 0.0))


@given(RANKS, K, DECAYS)
def test_partial_credit_is_never_larger_than_the_full_one(ranks: Any, k: int, decay: float) -> None:
    at = np.linspace(0.0, 1.0, len(ranks))
    whole, part = positional(ranks, at, k, decay), graded(ranks, at, k, decay)
    assert np.all(np.abs(part) <= np.abs(whole) + 1e-12)


@given(SCORES, st.floats(0.0, 40.0), st.floats(0.1, 10.0))
def test_a_lower_score_is_better_for_normal_sessions_and_worse_for_real_ones(
    scores: Any, threshold: float, unit: float
) -> None:
    scores = np.sort(scores)
    normal = calibrated(scores, threshold, unit)
    real = judged(scores, np.ones(len(scores), bool), threshold, unit)
    assert np.all(np.abs(normal) <= 1.0)
    assert np.all(np.diff(normal) <= 0)
    assert np.all(np.diff(real) >= 0)
    assert np.array_equal(judged(scores, np.zeros(len(scores), bool), threshold, unit), normal)
    assert np.all(normal[scores > threshold] <= 0)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_places_run_from_0_to_1_within_each_session(lengths: list[int]) -> None:
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    at = places(bounds)
    assert len(at) == bounds[-1]
    for start, end in itertools.pairwise(bounds):
        part = at[start:end]
        assert np.all(np.diff(part) > 0)
        if len(part):
            assert part[0] == 0.0
        if len(part) > 1:
            assert part[-1] == 1.0


@given(SCORES, st.floats(0.0, 1.0), st.data())
def test_the_threshold_keeps_within_its_share_and_no_smaller_score_does(
    scores: Any, share: float, data: st.DataObject
) -> None:
    n = len(scores)
    weights = np.array(data.draw(st.lists(st.integers(1, 50), min_size=n, max_size=n)))
    threshold = threshold_at(scores, weights, share)
    allowed = share * weights.sum() + 1e-6
    assert weights[scores > threshold].sum() <= allowed
    for lower in scores[scores < threshold]:
        assert weights[scores > lower].sum() > allowed - 2e-6
    # One session that came n times counts as n sessions.
    assert threshold_at(np.repeat(scores, weights), np.ones(weights.sum(), int), share) == threshold


def test_a_yardstick_without_sessions_still_measures() -> None:
    none = np.zeros(0, np.int64)
    yardstick = Yardstick.of(none, none, np.zeros(0), none)
    assert yardstick == Yardstick(k=1, threshold=0.0, unit=1.0)
    assert calibrated(np.array([1.0]), yardstick.threshold, yardstick.unit)[0] == pytest.approx(
        np.tanh(-1.0)
    )
