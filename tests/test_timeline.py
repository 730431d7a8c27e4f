"""Timelines: few buckets, whatever the length of the log, and no line lost or counted twice."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.logs.batch import NO_TIME
from logwright.timeline import TimelineCounter

SECOND = 10**9


def counter(ts: list[int], level: list[int], cuts: list[int] = []) -> TimelineCounter:  # noqa: B006
    made = TimelineCounter()
    bounds = [0, *sorted(c % (len(ts) + 1) for c in cuts), len(ts)]
    for a, b in pairwise(bounds):
        made.add(np.array(ts[a:b], np.int64), np.array(level[a:b], np.int8))
    return made


times = st.lists(st.integers(0, 10**6).map(lambda s: s * SECOND) | st.just(NO_TIME), max_size=60)


@given(ts=times, cuts=st.lists(st.integers(0, 60), max_size=4))
def test_every_timed_line_is_counted_once(ts: list[int], cuts: list[int]) -> None:
    level = [[0, 3, 6, 7][i % 4] for i in range(len(ts))]
    line = counter(ts, level, cuts).timeline()
    assert line == counter(ts, level).timeline()
    known = [(t, n) for t, n in zip(ts, level, strict=True) if t != NO_TIME]
    assert sum(line.lines) == len(known)
    assert sum(line.errors) == sum(n >= 6 for _, n in known)
    for t, _ in known:
        assert line.lines[(t - line.start) // line.step] > 0


@pytest.mark.parametrize("span", [1, 90, 3600, 86_400, 30 * 86_400, 3 * 365 * 86_400])
def test_buckets_are_few_and_of_a_length_people_read(span: int) -> None:
    ts = [round(i * span / 999) * SECOND for i in range(1000)]
    line = counter(ts, [3] * 1000).timeline(buckets=100)
    assert 1 <= len(line.lines) <= 102
    seconds = line.step // SECOND
    nice = 86_400 % seconds == 0 or seconds % 86_400 == 0
    assert nice
    assert line.start % line.step == 0


def test_a_long_log_stays_small() -> None:
    made = TimelineCounter()
    for day in range(400):
        ts = (day * 86_400 + np.arange(0, 86_400, 60)) * SECOND
        made.add(ts, np.full(len(ts), 6, np.int8))
    assert len(made._lines) <= 20_000
    line = made.timeline()
    assert sum(line.lines) == sum(line.errors) == 400 * 1440
    assert len(line.lines) <= 122


def test_without_times_or_levels_there_is_nothing_to_draw() -> None:
    assert counter([], []).timeline().empty
    assert counter([NO_TIME] * 3, [6] * 3).timeline().empty
    assert counter([0, SECOND], [0, 0]).timeline().errors == ()


def test_times_before_1970_and_out_of_order_count() -> None:
    line = counter([5 * SECOND, -3 * SECOND, 0], [3, 3, 6]).timeline()
    assert (sum(line.lines), sum(line.errors)) == (3, 1)
    assert line.start <= -3 * SECOND
