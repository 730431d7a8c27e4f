"""Thresholds keep normal data within the alarm budget."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.detectors.thresholds import Tail, Threshold, by_budget, fit_tail

scores = st.lists(st.floats(0, 100), min_size=1, max_size=200).map(np.array)


@given(scores, st.floats(0.001, 50))
def test_alarms_on_the_normal_data_stay_within_what_is_allowed(values, allowed):
    threshold = by_budget(values, allowed, floor=1.0)
    assert threshold.alarms(values).sum() <= allowed
    assert threshold.value >= 1.0
    assert threshold.reason


@given(scores, st.floats(1, 50), st.floats(1, 50))
def test_a_larger_budget_never_raises_the_threshold(values, a, b):
    small, large = sorted((a, b))
    assert by_budget(values, large, 1.0).value <= by_budget(values, small, 1.0).value


def test_below_one_alarm_the_tail_is_extrapolated():
    values = np.random.default_rng(7).exponential(1.0, 5_000)
    found = by_budget(values, allowed=0.05, floor=0.0)
    assert found.value > values.max()
    assert found.value == pytest.approx(np.log(5_000 / 0.05), rel=0.25)


def test_a_thin_tail_goes_a_stated_margin_above_the_largest():
    found = by_budget(np.array([2.0, 3.0]), allowed=0.5, floor=1.0)
    assert found.value == pytest.approx(3.3)
    assert "too few" in found.reason


@pytest.mark.parametrize("shape", [-0.2, 0.0, 0.3])
def test_the_fitted_tail_is_near_the_true_one(shape):
    rng = np.random.default_rng(3)
    u = rng.uniform(size=200_000)
    excess = -np.log(u) if shape == 0 else (u**-shape - 1) / shape
    tail = fit_tail(excess, share=0.05)
    assert tail is not None
    assert tail.shape == pytest.approx(shape, abs=0.08)


@given(st.floats(-0.4, 0.4), st.floats(0.1, 10), st.floats(0, 50), st.floats(0, 50))
def test_digits_rise_with_the_value(shape, scale, a, b):
    tail = Tail(1.0, scale, shape, 0.1)
    low, high = sorted((a, b))
    digits = tail.digits(np.array([low, high]))
    assert digits[0] <= digits[1] <= 30


def test_value_and_digits_are_inverse():
    for shape in (-0.2, 0.0, 0.25):
        tail = Tail(2.0, 1.5, shape, 0.1)
        assert tail.digits(np.array([tail.value(1e-3)]))[0] == pytest.approx(3.0)


def test_too_few_values_have_no_tail():
    assert fit_tail(np.arange(50.0)) is None
    assert fit_tail(np.empty(0)) is None


def test_a_threshold_is_an_alarm_at_its_own_value():
    assert Threshold(2.0, "").alarms(np.array([1.9, 2.0])).tolist() == [False, True]
