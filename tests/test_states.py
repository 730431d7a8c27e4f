"""States: a slot holds its session's last events and nobody else's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.sequence.states import Part, States

PARTS = [Part("state_0", (2, 3, 4), True), Part("state_1", (5,), False)]


def rows(values: list[float]) -> list[np.ndarray]:
    column = np.array(values, np.float32)
    return [
        np.broadcast_to(column[:, None, None, None], (len(values), 2, 1, 4)),
        np.broadcast_to(column[:, None], (len(values), 5)),
    ]


STEPS = st.lists(
    st.tuples(st.lists(st.integers(0, 5), unique=True, max_size=6), st.booleans()), max_size=30
)


@given(STEPS)
def test_slots_hold_what_came_since_they_were_cleared(steps) -> None:
    states, came = States(PARTS, 6), {slot: [] for slot in range(6)}
    value = 0.0
    for slots, clear in steps:
        at = np.array(slots, np.intp)
        if clear:
            states.clear(at)
            came.update({slot: [] for slot in slots})
            continue
        values = [value := value + 1 for _ in slots]
        states.write(at, rows(values))
        for slot, number in zip(slots, values, strict=True):
            came[slot].append(number)
    ring, whole = states.read(np.arange(6))
    for slot, past in came.items():
        assert states.seen[slot] == len(past)
        assert whole[slot].tolist() == [past[-1] if past else 0.0] * 5
        kept = ring[slot, 0, : min(3, len(past)), 0].tolist()
        assert sorted(kept) == past[-3:]
        assert (ring[slot] == ring[slot, :1, :, :1]).all()


def test_an_event_overwrites_the_oldest_only() -> None:
    states, at = States(PARTS, 2), np.array([1])
    for number in range(4):
        states.write(at, rows([float(number)]))
    assert states.read(at)[0][0, 0, :, 0].tolist() == [3.0, 1.0, 2.0]


def test_memory_is_what_is_said_and_does_not_grow() -> None:
    states = States(PARTS, 100)
    before = states.nbytes
    assert before == 100 * (2 * 3 * 4 + 5) * 4 + 100 * 8
    for _ in range(5):
        states.read(np.arange(10))
    assert states.nbytes == before + 10 * (2 * 3 * 4 + 5) * 4
    with pytest.raises(SettingsError, match="1 or more"):
        States(PARTS, 0)


@pytest.mark.parametrize("parts", [PARTS, PARTS[1:]], ids=["ring", "whole"])
@given(st.lists(st.integers(0, 4), max_size=9))
def test_the_first_slots_are_written_as_any_are(parts: list[Part], sizes: list[int]) -> None:
    one, other = States(parts, 4), States(parts, 4)
    for number, size in enumerate(sizes):
        new = rows([number + at / 8 for at in range(size)])[-len(parts) :]
        one.write_first(new)
        other.write(np.arange(size), new)
    assert one.seen.tolist() == other.seen.tolist()
    for mine, its in zip(one.first(4), other.first(4), strict=True):
        assert mine.tolist() == its.tolist()
