"""Flags: they are found in the windows they are in, wherever batches end, and they are bounded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.detectors import flags as module
from logwright.detectors.flags import Flags

SLOTS = 3
Told = tuple[int, int, int]  # row, slot, score
TOLD = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, SLOTS - 1), st.integers(1, 9)), max_size=30
)
ROWS = np.arange(41)


def met(told: list[Told], flags: Flags | None = None) -> Flags:
    flags = Flags(SLOTS) if flags is None else flags
    for row, slot, score in told:
        flags.meet(row, slot, 0, float(score), b"%d" % score)
    return flags


def held(flags: Flags) -> list[Told]:
    return [(f.row, f.slot, int(f.score)) for _, f in flags.among(ROWS)]


@given(TOLD, st.sets(st.integers(0, 40)))
def test_what_is_flagged_is_found_where_its_row_stands(told: list[Told], rows: set[int]) -> None:
    flags = met(told)
    flags.settle()
    asked = np.array(sorted(rows), np.int64)
    found = [(int(asked[at]), f.slot, int(f.score)) for at, f in flags.among(asked)]
    assert sorted(found) == sorted(t for t in told if t[0] in rows)
    assert [row for row, _, _ in found] == sorted(row for row, _, _ in found)


@given(TOLD, st.integers(-3, 45))
def test_rows_that_were_let_go_flag_nothing(told: list[Told], before: int) -> None:
    flags = met(told)
    flags.settle()
    flags.drop(before)
    assert sorted(held(flags)) == sorted(t for t in told if t[0] >= before)


def test_fresh_ones_move_as_records_do_and_the_others_stay() -> None:
    flags = met([(5, 0, 1)])
    flags.settle()
    met([(2, 1, 1), (1, 1, 1)], flags)
    flags.place(lambda rows: rows * 10)
    assert held(flags) == [(5, 0, 1), (10, 1, 1), (20, 1, 1)]


@given(TOLD, st.lists(st.integers(0, 30)))
def test_what_is_left_does_not_depend_on_when_it_was_thinned(
    told: list[Told], cuts: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST", 4)
        at_once, bit_by_bit = met(told), Flags(SLOTS)
        for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), 99], strict=True):
            met(told[start:stop], bit_by_bit)
            bit_by_bit.bound()
        for flags in (at_once, bit_by_bit):
            flags.settle()
    assert held(bit_by_bit) == held(at_once)
    if len(told) <= 4:
        assert sorted(held(at_once)) == sorted(told)
    else:
        assert len(held(at_once)) <= max(4, len({slot for _, slot, _ in told}))
        for slot in range(SLOTS):  # the most improbable ones of each stay
            scores = sorted((s for _, own, s in told if own == slot), reverse=True)
            kept = sorted((s for _, own, s in held(at_once) if own == slot), reverse=True)
            assert kept == scores[: len(kept)]


def test_what_was_judged_makes_room_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    flags = met([(1, 0, 9), (2, 0, 9)])
    flags.settle()
    for _, flag in flags.among(ROWS):
        flag.judged = True
    met([(3, 1, 1), (4, 1, 1)], flags)
    flags.settle()
    assert held(flags) == [(3, 1, 1), (4, 1, 1)]


def test_a_loud_slot_is_heard_again_in_the_next_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OF_SLOT", 2)
    monkeypatch.setattr(module, "STRETCH", 10)
    flags = Flags(SLOTS)
    for row in range(30):
        if not flags.is_loud(0, row):
            flags.meet(row, 0, 0, 1.0, b"")
    flags.settle()
    assert [row for row, _, _ in held(flags)] == [0, 1, 10, 11, 20, 21]
    assert not flags.is_loud(1, 5)


@given(TOLD, TOLD)
def test_a_pause_changes_nothing(first: list[Told], then: list[Told]) -> None:
    flags, again = met(first), Flags(SLOTS)
    flags.settle()
    again.resume(flags.paused())
    for each in (flags, again):
        met(then, each)
        each.settle()
    assert held(again) == held(flags)
    assert again.paused().meta == flags.paused().meta


def test_flags_of_other_slots_are_not_taken_over() -> None:
    flags = met([(1, 0, 9)])
    flags.settle()
    other = Flags(SLOTS + 1)
    other.resume(flags.paused())
    assert held(other) == []
