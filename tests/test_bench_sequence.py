"""The sequence suite: how sets are cut, what figures mean, how seeds are compared, what is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.bench import sequence_kept
from logwright.bench.sequence import run
from logwright.bench.sequence_kept import Kept, fingerprint
from logwright.bench.sequence_metrics import (
    Weighted,
    calibration_error,
    figures,
    first_over,
    recall_at,
)
from logwright.bench.sequence_rows import TABLES, Ladder, rows_of_run
from logwright.bench.sequence_scored import Scored, scored
from logwright.bench.sequence_sets import Held, Judged, sets
from logwright.bench.sequence_stages import STAGES
from logwright.bench.sequence_table import CONTROL, rows_of_runs, verdict
from logwright.errors import InputError
from logwright.sequence.scoring import Tokens
from logwright.sequence.sequences import Sequences

FAST = [5, 6, 7, 8]
SLOW = [5, 6, 6, 7, 8]
BROKEN = [5, 6, 9, 7]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with 7,000 sessions: two ways to be normal, and one to fail from the middle
    on, of which history has a few."""
    rng = np.random.default_rng(7)
    kinds = rng.choice(3, 7_000, p=[0.6, 0.37, 0.03])
    lines = [f"{int(k == 2)}\t{' '.join(map(str, (FAST, SLOW, BROKEN)[k]))}\n" for k in kinds]
    path = tmp_path / "hdfs" / "hdfs_sequences.tsv.zst"
    path.parent.mkdir()
    with pa.CompressedOutputStream(str(path), "zstd") as file:
        file.write(("label\tevents\n" + "".join(lines)).encode())
    return tmp_path


@pytest.fixture
def held(folder: Path) -> Held:
    return next(sets(folder, quick=True))


def lists(sequences: Sequences) -> list[list[int]]:
    return [sequences.one(i).tolist() for i in range(len(sequences))]


# Sets


def test_only_normal_sessions_are_trained_on_and_set_thresholds(held: Held) -> None:
    assert len(held.train) + int(held.calm.weights.normal.sum()) == 4_855
    assert not held.calm.weights.abnormal.any()
    broken = [len(s) for s in lists(held.train) if s == BROKEN]
    assert not broken


def test_every_session_is_history_or_test_and_never_both(held: Held) -> None:
    past, test = held.past.weights, held.test.weights
    assert past.normal.sum() == 4_855
    assert past.abnormal.sum() > 0  # for an expert to be asked about
    every = (past.normal, past.abnormal, test.normal, test.abnormal)
    assert sum(int(each.sum()) for each in every) == 7_000


def test_events_of_abnormal_history_come_before_those_of_the_test_part(held: Held) -> None:
    assert held.events.known == 4
    assert held.events.past == 5  # that of the fault; other numbers below 10 never come
    alone = held.events.vocabulary(held.events.known)
    assert len(alone) == alone.learned
    assert int(held.train.events.max()) < alone.learned


def test_a_draw_has_the_same_sizes_and_other_sessions(folder: Path) -> None:
    drawn = next(each for each in _whole(folder) if "drawn" in each.common["history"])
    assert drawn.past.weights.normal.sum() == 4_855
    assert drawn.view.of("normal")[2].test.windows.events.row.min() < 1_000


def _whole(folder: Path) -> Any:
    (folder / "bgl").mkdir()
    return sets(folder)


def test_distinct_sessions_count_as_often_as_they_came() -> None:
    of = Judged.of(Sequences.of_lists([[5], [6], [5], [5]]), np.array([False, True, True, False]))
    assert lists(of.sequences) == [[5], [6]]
    assert of.weights.normal.tolist() == [2, 0]
    assert of.weights.abnormal.tolist() == [1, 1]


# Figures

_sessions = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30
)


@given(_sessions, st.floats(0, 1))
def test_recall_is_that_of_the_best_threshold_within_the_share(
    sessions: list[tuple[int, int, int]], share: float
) -> None:
    scores, normal, abnormal = (np.array(column) for column in zip(*sessions, strict=True))
    held = Weighted(normal, abnormal, np.ones(len(scores), np.int64))
    best = 0.0
    for limit in np.unique(scores):
        over = scores >= limit
        if normal[over].sum() <= share * normal.sum() and abnormal.sum():
            best = max(best, abnormal[over].sum() / abnormal.sum())
    assert recall_at(scores.astype(float), held, share) == (
        pytest.approx(best) if abnormal.sum() else None
    )


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1), st.integers(0, 9))
def test_the_first_event_over_a_limit(sessions: list[list[int]], limit: int) -> None:
    values = np.array([value for each in sessions for value in each])
    bounds = np.cumsum([0, *map(len, sessions)])
    expected = [next((i for i, v in enumerate(each) if v >= limit), -1) for each in sessions]
    assert first_over(values, bounds, limit).tolist() == expected


def test_lead_counts_the_events_that_were_still_to_come() -> None:
    held = Weighted(np.array([1, 1]), np.array([0, 3]), np.array([5, 5]))
    alarms, scores = np.array([False, True]), np.array([0.0, 1.0])
    assert figures(scores, alarms, np.array([-1, 0]), held)["lead_mean"] == 4.0
    at_the_end = 5  # the mark of the end comes after five events
    assert figures(scores, alarms, np.array([-1, at_the_end]), held)["lead_mean"] == 0.0
    assert figures(scores, ~alarms, np.array([0, -1]), held)["lead_mean"] is None


def test_lead_is_over_abnormal_sessions_as_often_as_they_came() -> None:
    held = Weighted(np.array([0, 9]), np.array([1, 3]), np.array([5, 3]))
    found = figures(np.ones(2), np.ones(2, bool), np.array([0, 0]), held)
    assert found["lead_mean"] == pytest.approx((4 + 3 * 2) / 4)
    assert found["lead_median"] == 2.0


@given(st.integers(0, 10), st.floats(0.01, 0.99))
def test_calibration_is_perfect_only_if_shares_are_as_said(right: int, said: float) -> None:
    came = np.arange(10) < right
    error = calibration_error(np.full(10, said), came, np.ones(10))
    assert error == pytest.approx(abs(said - right / 10))


# Rows


def _said(held: Judged, of: dict[int, float]) -> Scored:
    """A model for which each event costs what a table says, the end nothing."""
    s = held.sequences
    nll = [[of.get(code, 0.1) for code in s.one(i).tolist()] + [0.0] for i in range(len(s))]
    rank = [[1 + (value > 1) for value in each] for each in nll]
    tokens = Tokens.of_lists(nll, rank)
    return Scored(tokens, np.full(len(tokens.nll), 0.9))


def test_a_model_that_is_surprised_by_the_fault_alone_finds_it_when_it_comes(held: Held) -> None:
    new = int(held.test.sequences.events.max())
    ladder = Ladder.of(held)
    calm, test = _said(held.calm, {}), _said(held.test, {new: 9.0})
    rows = {row["table"]: row for row in rows_of_run(held, calm, test, ladder)}
    assert set(rows) == set(TABLES)
    for table in (TABLES[0], TABLES[2]):
        assert rows[table]["f1"] == 1.0
        assert rows[table]["lead_median"] == 1.0
        assert rows[table]["recall_at_fp_0.1%"] == 1.0
    assert rows[TABLES[4]]["k"] == 1
    assert rows[TABLES[0]]["calibration_error"] == pytest.approx(0.1, abs=0.08)


def test_the_ladder_tells_a_new_event_as_it_comes(held: Held) -> None:
    ladder = Ladder.of(held)
    assert ladder.figures(held.test)["f1"] == 1.0
    assert ladder.figures(held.test)["lead_median"] == 1.0


@given(st.data())
def test_with_the_step_the_ladder_raises_all_it_raised_and_no_later(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 8))
    column = st.lists(st.floats(0, 3), min_size=n, max_size=n).map(np.array)
    place = st.lists(st.integers(0, 5), min_size=n, max_size=n).map(np.array)
    alone = data.draw(column)
    ladder = Ladder(alone, np.where(alone >= 1.0, data.draw(place), -1))
    scores, limit = data.draw(column), 1.5
    first = np.where(scores >= limit, data.draw(place), -1)
    both = ladder.with_step(scores, first, limit)
    assert ((both.scores >= 1.0) == ((alone >= 1.0) | (scores >= limit))).all()
    assert ((both.first >= 0) == (both.scores >= 1.0)).all()
    flagged = alone >= 1.0
    assert (both.first[flagged] <= ladder.first[flagged]).all()
    if flagged.any() and not flagged.all():
        assert both.scores[flagged].min() > both.scores[~flagged].max()
    order = np.lexsort((scores, alone))[-int(flagged.sum()) or n :]
    assert (np.diff(both.scores[order]) >= 0).all() or not flagged.any()


# Table


def _run(method: str, seed: int, f1: float) -> dict[str, Any]:
    return {
        "table": TABLES[0],
        "set": "s",
        "history": "60%",
        "method": method,
        "seed": seed,
        "f1": f1,
    }


def test_a_stage_is_compared_with_the_control_seed_by_seed() -> None:
    values = (0.7, 0.8, 0.9)
    runs = [_run(CONTROL, seed, f1) for seed, f1 in enumerate(values)]
    runs += [_run("better", seed, f1 + 0.02) for seed, f1 in enumerate(values)]
    runs += [_run("noise", seed, f1) for seed, f1 in enumerate((0.9, 0.8, 0.72))]
    rows = {row["method"]: row for row in rows_of_runs(runs)}
    assert "f1_above_control" not in rows[CONTROL]
    assert rows["better"]["f1_above_control_95%"] == pytest.approx([0.02, 0.02])
    low, high = rows["noise"]["f1_above_control_95%"]
    assert low < 0 < high
    (said,) = verdict(list(rows.values())).values()
    assert said.startswith("outside seed noise: better")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_the_row_is_of_a_run_that_was_made(values: list[float]) -> None:
    (row,) = rows_of_runs(_run("m", seed, f1) for seed, f1 in enumerate(values))
    assert row["f1"] in values
    assert row["f1_low"] <= row["f1"] <= row["f1_high"]
    assert row["f1_by_seed"] == values


# What is kept


def test_a_suite_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "kept.jsonl"
    Kept(path).rows("a", lambda: [{"f1": 0.5}])
    with open(path, "a") as file:
        file.write('{"run": "b", "ro')  # what was being written when it was stopped
    again = Kept(path)
    assert again.rows("a", lambda: pytest.fail("made twice")) == [{"f1": 0.5}]
    assert again.rows("b", lambda: [{"f1": 0.7}]) == [{"f1": 0.7}]
    assert [json.loads(line)["run"] for line in path.read_text().splitlines()] == ["a", "b"]


def test_what_is_kept_and_damaged_is_told(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    path.write_text("no rows\n")
    with pytest.raises(InputError, match="damaged: delete it"):
        Kept(path)


def test_other_settings_data_or_code_are_not_mixed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data.tsv"
    data.write_text("a")
    first = fingerprint({"steps": 1}, [data])
    assert fingerprint({"steps": 1}, [data]) == first
    assert fingerprint({"steps": 2}, [data]) != first
    data.write_text("longer")
    assert fingerprint({"steps": 1}, [data]) != first
    monkeypatch.setattr(sequence_kept.logwright.sequence, "__path__", [str(tmp_path)])
    data.write_text("a")
    assert fingerprint({"steps": 1}, [data]) != first


# With torch


def test_scores_do_not_depend_on_what_else_is_scored(held: Held) -> None:
    pytest.importorskip("torch", reason="networks need the extra 'train'")
    from logwright.sequence.network import EventNetwork
    from logwright.sequence.presets import PRESETS

    vocabulary = held.events.vocabulary(len(held.events.ids))
    network = EventNetwork(vocabulary, PRESETS["tiny"])
    every = scored(network, held.test.sequences)
    for i in range(len(held.test.sequences)):
        one = scored(network, held.test.sequences.take(np.array([i])))
        span = slice(int(every.tokens.bounds[i]), int(every.tokens.bounds[i + 1]))
        assert one.tokens.nll == pytest.approx(every.tokens.nll[span], abs=1e-4)
        assert one.sure == pytest.approx(every.sure[span], abs=1e-4)
        assert len(one.tokens.nll) == len(held.test.sequences.one(i)) + 1


@pytest.mark.slow
def test_a_quick_run_has_every_stage_and_the_floors_and_is_not_run_twice(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="networks need the extra 'train'")
    result = run(folder, quick=True)
    for table in TABLES:
        methods = [row["method"] for row in result["rows"] if row["table"] == table]
        assert {"flag all", "flag none", "unseen template"} < set(methods)
        assert {stage.name for stage in STAGES} < set(methods)
    monkeypatch.setattr(Kept, "rows", lambda self, name, make: self._rows[name])
    assert run(folder, quick=True)["rows"] == result["rows"]
