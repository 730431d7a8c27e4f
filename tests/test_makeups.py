"""Make-ups: whole sessions of the history are permitted at every place, in any order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from logwright.sequence.makeups import Makeups
from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import END, START

LISTS = st.lists(st.lists(st.integers(2, 6), max_size=8), min_size=1, max_size=8)
SIZE = 7


def walk(makeups: Makeups, session: list[int]) -> list[bool]:
    """Whether each event, and the end, is permitted after those before it."""
    permitted = makeups.permitted(np.array([[START, *session]]))[0]
    return [bool(permitted[at, code]) for at, code in enumerate([*session, END])]


@given(LISTS, st.sampled_from([1, 2, 3]), st.randoms(use_true_random=False))
def test_any_order_of_a_known_session_is_permitted(
    lists: list[list[int]], cap: int, random: object
) -> None:
    makeups = Makeups(Sequences.of_lists(lists), SIZE, cap)
    for one in lists:
        other = list(one)
        random.shuffle(other)  # type: ignore[attr-defined]
        assert all(walk(makeups, other))


@given(LISTS, st.lists(st.integers(2, 6), max_size=8), st.sampled_from([1, 2, 3]))
def test_a_session_is_permitted_throughout_if_and_only_if_its_make_up_is_known(
    lists: list[list[int]], session: list[int], cap: int
) -> None:
    makeups = Makeups(Sequences.of_lists(lists), SIZE, cap)
    known = bool(makeups.knows(Sequences.of_lists([session]))[0])
    walked = walk(makeups, session)
    assert all(walked) == known
    # What was refused once has nothing permitted after it, the end included.
    if not all(walked):
        assert not any(walked[walked.index(False) :])


@given(LISTS, st.lists(st.integers(2, 6), max_size=8))
def test_a_coarser_cap_permits_all_that_a_finer_one_does(
    lists: list[list[int]], session: list[int]
) -> None:
    history = Sequences.of_lists(lists)
    codes = np.array([[START, *session]])
    fine, coarse = (Makeups(history, SIZE, cap).permitted(codes) for cap in (3, 1))
    assert np.all(coarse | ~fine)


def test_a_missing_event_is_told_at_the_end_and_an_extra_one_where_it_comes() -> None:
    makeups = Makeups(Sequences.of_lists([[2, 3, 4]]), SIZE, 3)
    assert walk(makeups, [2, 4]) == [True, True, False]
    assert walk(makeups, [2, 2, 3, 4]) == [True, False, False, False, False]


def test_an_event_met_later_is_no_part_of_a_known_make_up() -> None:
    makeups = Makeups(Sequences.of_lists([[2, 3]]), SIZE, 1)
    assert makeups.knows(Sequences.of_lists([[2, 3], [2, 3, SIZE + 5]])).tolist() == [True, False]
    makeups.permitted(np.array([[START, SIZE + 5, 2]]))


def test_the_finest_cap_that_lasts_is_taken() -> None:
    history = Sequences.of_lists([[2, 3, 3], [2, 3, 3, 3]])
    longer = Sequences.of_lists([[2, 3, 3, 3, 3]])
    assert (found := Makeups.learn(history, longer, SIZE)) is not None
    assert found.cap == 3
    fewer = Sequences.of_lists([[2, 3]])
    assert (found := Makeups.learn(history, fewer, SIZE)) is not None
    assert found.cap == 1
    assert Makeups.learn(history, Sequences.of_lists([[2]]), SIZE) is None
