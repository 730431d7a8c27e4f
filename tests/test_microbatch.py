"""Micro-batches: nothing waits beyond its time, nothing is lost, order is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.sequence.microbatch import Batcher

ARRIVALS = st.lists(st.tuples(st.floats(0, 0.01), st.integers(0, 6)), max_size=30)


@given(ARRIVALS, st.integers(1, 8))
def test_events_leave_in_order_full_or_due(arrivals, size: int) -> None:
    batcher, now, number, left = Batcher(size, 0.003, room=64), 0.0, 0, []
    for pause, count in arrivals:
        now += pause
        keys = np.arange(number, number + count)
        number += count
        assert batcher.offer(keys, keys.astype(np.int32), np.zeros(count, np.int8), now) == count
        while batcher.ready(now):
            full, late = len(batcher) >= size, batcher.wait(now) <= 0
            batch = batcher.take()
            assert full or late
            assert 0 < len(batch) <= size
            left += batch.keys.tolist()
        assert len(batcher) < size
        assert not len(batcher) or batcher.wait(now) > 0
    while len(batcher):
        left += batcher.take().codes.tolist()
    assert left == list(range(number))
    assert batcher.wait(now) == float("inf")


def test_the_first_event_sets_the_time() -> None:
    batcher, one = Batcher(10, 1.0), np.zeros(1, np.int8)
    batcher.offer(np.array([1]), np.array([1], np.int32), one, now=5.0)
    batcher.offer(np.array([2]), np.array([1], np.int32), one, now=5.9)
    assert not batcher.ready(5.99)
    assert batcher.ready(6.0)
    assert batcher.take().arrived.tolist() == [5.0, 5.9]


def test_what_there_is_no_room_for_is_counted_and_not_taken() -> None:
    batcher = Batcher(2, 1.0, room=3)
    keys = np.arange(5)
    assert batcher.offer(keys, keys.astype(np.int32), np.zeros(5, np.int8), 0.0) == 3
    assert batcher.refused == 2
    assert batcher.take().keys.tolist() == [0, 1]
    assert batcher.offer(keys, keys.astype(np.int32), np.zeros(5, np.int8), 0.0) == 2
    assert batcher.take().keys.tolist() == [2, 0]


@pytest.mark.parametrize(("size", "delay", "room"), [(0, 1, 9), (5, -1, 9), (5, 1, 4)])
def test_settings_that_cannot_be(size: int, delay: float, room: int) -> None:
    with pytest.raises(SettingsError, match="cannot be"):
        Batcher(size, delay, room)
