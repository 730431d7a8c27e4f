"""The measurement of speed: the flow is one that could be, and waiting counts queueing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.bench import sequence_speed
from logwright.bench.sequence_speed import flow_of, open_loop, run


@given(st.lists(st.integers(1, 6), min_size=1, max_size=20), st.integers(1, 9))
def test_a_flow_holds_every_session_in_its_order(sizes: list[int], at_once: int) -> None:
    sessions = [np.arange(size, dtype=np.int32) + 10 * i for i, size in enumerate(sizes)]
    flow = flow_of(sessions, at_once, seed=1)
    for number, session in enumerate(sessions):
        own = flow.keys == number
        assert flow.codes[own].tolist() == session.tolist()
        assert flow.last[own].tolist() == [False] * (len(session) - 1) + [True]


def test_about_as_many_sessions_are_open_as_wanted() -> None:
    flow = flow_of([np.zeros(20, np.int32)] * 3_000, 500, seed=1)
    first = np.zeros(len(flow), np.int64)
    first[np.unique(flow.keys, return_index=True)[1]] = 1
    open_ = np.cumsum(first) - np.cumsum(flow.last)
    assert 400 < open_[len(open_) // 2] < 600


class Steady:
    """Streams that take the same time for each event, by a clock of their own."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.now = seconds, 0.0

    def push(self, keys: np.ndarray, codes: np.ndarray) -> None:
        self.now += self.seconds * len(keys)

    def close(self, keys: np.ndarray) -> None:
        pass

    def process_time(self) -> float:
        return self.now


@pytest.mark.parametrize(("rate", "keeps_up"), [(5_000, True), (20_000, False)])
def test_waiting_counts_the_queue(
    rate: int, keeps_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = flow_of([np.zeros(10, np.int32)] * 500, 50, seed=1)
    steady = Steady(1e-4)  # 10,000 events a second at the most
    monkeypatch.setattr(sequence_speed, "time", steady)
    waits, busy = open_loop(steady, flow, rate, 64)
    assert busy == pytest.approx(len(flow) * 1e-4)
    assert (waits > 0).all()
    assert (waits.max() < 0.02) == keeps_up
    if not keeps_up:
        assert waits[-1] == pytest.approx(len(flow) * (1e-4 - 1 / rate), rel=0.2)


@pytest.mark.slow
def test_a_quick_run_has_all_rows_and_says_what_was_aimed_at(data: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    result = run(data, quick=True)
    found = result["rows"]
    assert [len(told) for told in result["summary"]["bars"].values()] == [5, 4]
    assert {(row["what"], row["memo"]) for row in found[:-1]} == {
        (what, memo) for what in ("tiny", "recurrent") for memo in ("no", "yes")
    }
    assert found[-1]["seconds"] > 0
    for row in found[:-1]:
        assert row["events_per_s"] > 0
        assert row.get("ms_p50", 0) <= row.get("ms_p99", 0)
