"""Sequences: sessions as compressed rows; taking, joining and parting lose nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import InputError
from logwright.logs.batch import NO_TIME
from logwright.sequence.sequences import BUCKETS_OF_TIME, Sequences, bucket
from logwright.windows.window import Windows

LISTS = st.lists(st.lists(st.integers(2, 5), max_size=4), max_size=12)


def lists(sequences: Sequences) -> list[list[int]]:
    return [sequences.one(i).tolist() for i in range(len(sequences))]


@given(LISTS)
def test_lists_come_back_as_they_went_in(given_: list[list[int]]) -> None:
    sequences = Sequences.of_lists(given_)
    assert lists(sequences) == given_
    assert sequences.lengths.tolist() == [len(one) for one in given_]


@given(LISTS, st.booleans())
def test_distinct_sequences_and_their_places_give_back_all(
    given_: list[list[int]], timed: bool
) -> None:
    plain = Sequences.of_lists(given_)
    gaps = (np.arange(len(plain.events)) % 2).astype(np.int8) if timed else None
    sequences = Sequences(plain.events, plain.bounds, plain.weights, gaps)
    distinct, inverse = sequences.distinct()
    again = distinct.take(inverse)
    assert lists(again) == given_
    if timed:
        assert np.array_equal(again.gaps, gaps)
    assert distinct.weights.sum() == len(given_)
    assert distinct.weights.tolist() == np.bincount(inverse, minlength=len(distinct)).tolist()
    assert len(distinct.distinct()[0]) == len(distinct)


@given(LISTS, st.floats(0, 1))
def test_a_split_by_position_keeps_order(given_: list[list[int]], share: float) -> None:
    before, after = Sequences.of_lists(given_).split(share)
    assert lists(before) + lists(after) == given_
    assert len(before) == round(share * len(given_))


def test_a_share_beyond_one_is_refused() -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        Sequences.of_lists([[2]]).split(1.5)


@given(LISTS, st.randoms(use_true_random=False))
def test_a_mask_and_an_index_take_the_same(given_: list[list[int]], random: object) -> None:
    sequences = Sequences.of_lists(given_)
    mask = np.array([random.random() < 0.5 for _ in given_], bool)  # type: ignore[attr-defined]
    wanted = [one for one, keep in zip(given_, mask, strict=True) if keep]
    assert lists(sequences.take(mask)) == wanted
    assert lists(sequences.take(np.flatnonzero(mask))) == wanted


@given(st.lists(st.integers(-(10**18), 10**18), min_size=2))
def test_longer_gaps_never_have_smaller_buckets(times: list[int]) -> None:
    found = bucket(np.array(sorted(times), np.int64))
    assert (np.diff(found) >= 0).all()
    assert found.min() >= 1
    assert found.max() < BUCKETS_OF_TIME


def test_windows_give_codes_and_the_time_since_the_event_before_in_the_session() -> None:
    windows = Windows.of_sequences([[0, 1, 1, 1], [], [1, 0]])
    windows.events.ts[:] = [10**9, 2 * 10**9, NO_TIME, 3 * 10**9, 5 * 10**9, 5 * 10**9]
    sequences = Sequences.of_windows(windows, np.array([8, 9], np.int32))
    assert lists(sequences) == [[8, 9, 9, 9], [], [9, 8]]
    assert sequences.gaps is not None
    # the first of a session and one without time: 0; a second: the same as `bucket` says
    assert sequences.gaps.tolist() == [0, int(bucket(np.array([10**9]))[0]), 0, 0, 0, 1]


def test_columns_that_do_not_fit_are_refused() -> None:
    one = Sequences.of_lists([[2, 3]])
    with pytest.raises(ValueError, match="do not fit"):
        Sequences(one.events[:1], one.bounds, one.weights)
