"""Metrics: from counts, with ties, and no triple that cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.bench.metrics import (
    Tally,
    Triple,
    average_precision,
    first_alarms,
    interval,
    measured,
    recall_by_kind,
)
from logwright.bench.parts import Marks, Part
from logwright.errors import LogwrightError
from logwright.windows.window import Windows

counts = st.integers(0, 10_000)


@given(counts, counts, counts, counts)
def test_what_counts_give_is_always_a_possible_triple(tp: int, fp: int, fn: int, tn: int) -> None:
    tally = Tally(tp, fp, fn, tn)
    for digits in (2, 3, 4):
        Triple(*(round(v, digits) for v in (tally.precision, tally.recall, tally.f1)), digits)


@given(counts, counts, counts, st.floats(0.01, 1))
def test_an_f1_beside_the_true_one_is_refused(tp: int, fp: int, fn: int, off: float) -> None:
    tally = Tally(tp, fp, fn, 0)
    wrong = tally.f1 + off if tally.f1 + off <= 1 else tally.f1 - off
    if not 0 <= wrong <= 1 or tally.precision < 0.01 or tally.recall < 0.01:
        return  # near 0 rounding alone moves F1 by much
    with pytest.raises(LogwrightError):
        Triple(*(round(v, 4) for v in (tally.precision, tally.recall)), round(wrong, 4))


def test_the_row_that_papers_copy_from_each_other_is_refused() -> None:
    with pytest.raises(LogwrightError, match=r"make F1 0\.889, not 0\.966"):
        Triple(0.886, 0.893, 0.966, digits=3)
    with pytest.raises(LogwrightError, match="0 to 1"):
        Triple(98.8, 1.0, 1.0)


scored = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=60)


@given(scored, st.randoms(use_true_random=False))
def test_pr_auc_does_not_depend_on_the_order_of_equal_scores(
    rows: list[tuple[int, bool]], random: object
) -> None:
    def of(rows: list[tuple[int, bool]]) -> float | None:
        return average_precision(
            np.array([float(s) for s, _ in rows]), np.array([t for _, t in rows])
        )

    before = of(rows)
    random.shuffle(rows)  # type: ignore[attr-defined]
    assert of(rows) == before
    if before is not None:
        assert 0 < before <= 1


@given(scored)
def test_pr_auc_is_that_of_scikit_learn(rows: list[tuple[int, bool]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores, truth = np.array([float(s) for s, _ in rows]), np.array([t for _, t in rows])
    if truth.any():
        assert average_precision(scores, truth) == pytest.approx(
            metrics.average_precision_score(truth, scores)
        )


def test_scores_that_say_nothing_are_worth_the_positive_rate() -> None:
    truth = np.arange(100) < 7
    assert average_precision(np.zeros(100), truth) == pytest.approx(0.07)
    assert average_precision(np.zeros(3), np.zeros(3, bool)) is None


@given(st.integers(1, 500), st.integers(0, 500), st.integers(0, 500), st.integers(0, 5_000))
def test_the_interval_holds_f1_and_comes_again(tp: int, fp: int, fn: int, tn: int) -> None:
    tally = Tally(tp, fp, fn, tn)
    low, high = interval(tally, seed=1)
    assert 0 <= low <= high <= 1
    assert interval(tally, seed=1) == (low, high)
    if tp > 20:
        assert low <= tally.f1 <= high


def test_more_windows_make_a_narrower_interval() -> None:
    few, many = interval(Tally(9, 1, 1, 89)), interval(Tally(900, 100, 100, 8_900))
    assert many[1] - many[0] < (few[1] - few[0]) / 3


def test_recall_is_told_by_kind() -> None:
    part = Part(
        Windows.of_sequences([[0]] * 4),
        np.array([True, True, True, False]),
        ["disk", "disk", "net", ""],
    )
    assert recall_by_kind(np.array([True, False, True, True]), part) == {"disk": 0.5, "net": 1.0}


def test_the_first_alarm_is_counted_from_the_start_of_the_anomaly() -> None:
    windows = Windows.of_sequences([[0] * 10] * 6, "count")
    windows.events.ts[:] = np.arange(60) * 1_000_000_000
    truth = np.array([False, True, True, True, False, True])
    part = Part(windows, truth)
    late = np.array([True, False, True, True, False, False])
    assert first_alarms(late, part) == (20.0, 19.0)
    assert first_alarms(truth, part) == (10.0, 9.0)
    assert first_alarms(np.zeros(6, bool), part) == (None, None)


def test_abnormal_sessions_beside_each_other_are_not_one_anomaly() -> None:
    part = Part(Windows.of_sequences([[0] * 5, [0] * 5]), np.array([True, True]))
    assert first_alarms(np.array([False, True]), part) == (5.0, None)


def test_alarms_are_per_day_where_there_is_time() -> None:
    windows = Windows.of_sequences([[0], [0], [0]])
    part = Part(windows, np.array([True, False, False]))
    alarms, pick = np.array([True, True, False]), np.arange(3)
    assert measured(alarms * 1.0, alarms, part, pick)["alarms_per_10k"] == 6666.6667
    windows.events.ts[:] = np.array([0, 1, 2]) * 86_400_000_000_000
    row = measured(alarms * 1.0, alarms, part, pick)
    assert row["alarms_per_day"] == 1.0
    assert "alarms_per_10k" not in row


def test_corrected_labels_and_distinct_windows_have_their_own_f1() -> None:
    truth = np.array([True, True, True, False])
    part = Part(Windows.of_sequences([[0]] * 4), truth, corrected=~truth)
    row = measured(truth * 1.0, truth, part, np.array([0, 3]))
    assert (row["f1"], row["f1_distinct"], row["f1_corrected"]) == (1.0, 1.0, 0.0)


def test_the_first_alarm_is_counted_from_the_first_abnormal_line_where_lines_have_labels() -> None:
    windows = Windows.of_sequences([[0] * 10] * 3, "count")
    windows.events.ts[:] = np.arange(30) * 1_000_000_000
    abnormal = np.isin(np.arange(30), (17, 22))
    marks = Marks(abnormal, abnormal.astype(np.int32), ["", "disk"])
    part = Part(windows, np.array([False, True, True]), marks=marks)
    assert first_alarms(np.array([False, True, True]), part) == (3.0, 2.0)
    assert first_alarms(np.array([False, False, True]), part) == (13.0, 12.0)


def test_what_cannot_be_computed_is_left_out_and_not_zero() -> None:
    windows, pick = Windows.of_sequences([[0]] * 3), np.arange(3)
    alarms = np.array([True, False, False])
    calm = measured(alarms * 1.0, alarms, Part(windows, np.zeros(3, bool)), pick)
    assert not {"precision", "recall", "f1", "f1_ci_low", "f1_distinct", "pr_auc"} & set(calm)
    assert calm["specificity"] == 0.6667
    wild = measured(alarms * 1.0, alarms, Part(windows, np.ones(3, bool)), pick)
    assert "specificity" not in wild
    assert wild["f1"] == 0.5
