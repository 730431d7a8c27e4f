"""Packs: every event of every sequence counts once, with what came before it in sight."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from logwright.sequence.packing import Packs
from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import END, START

LISTS = st.lists(st.lists(st.integers(2, 9), max_size=25), min_size=1, max_size=8)


def expected(lists: list[list[int]], overlap: int) -> list[tuple[tuple[int, ...], int]]:
    """(the last events in sight, what is to be said) of every place."""
    out = []
    for one in lists:
        stream = [START, *one, END]
        for at in range(len(stream) - 1):
            out.append((tuple(stream[max(0, at + 1 - max(1, overlap)) : at + 1]), stream[at + 1]))
    return sorted(out)


@given(LISTS, st.integers(1, 6), st.integers(1, 10), st.integers(1, 60))
def test_every_place_counts_once_with_its_past_in_sight(
    lists: list[list[int]], overlap: int, more: int, most: int
) -> None:
    packs = Packs(Sequences.of_lists(lists), overlap + more, overlap)
    found = []
    for batch in packs.all(most):
        assert batch.codes.size <= most or len(batch.codes) == 1
        for row, place in zip(*np.nonzero(batch.counted), strict=True):
            seen = batch.codes[row, max(0, place + 1 - overlap) : place + 1]
            found.append((tuple(seen.tolist()), int(batch.targets[row, place])))
    assert sorted(found) == expected(lists, overlap)


@given(LISTS, st.integers(1, 10))
def test_gaps_stand_at_their_events(lists: list[list[int]], piece: int) -> None:
    plain = Sequences.of_lists(lists)
    gaps = (plain.events + 3).astype(np.int8)
    packs = Packs(Sequences(plain.events, plain.bounds, plain.weights, gaps), piece + 1, 1)
    for batch in packs.all(50):
        assert batch.gaps is not None
        event = batch.codes > 1
        assert np.array_equal(batch.gaps[event], batch.codes[event] + 3)
        assert (batch.gaps[~event] == 0).all()


def test_pieces_are_drawn_as_often_as_they_came() -> None:
    lists = Sequences.of_lists([[2], [3, 3]])
    packs = Packs(Sequences(lists.events, lists.bounds, np.array([9, 1])), 8, 2)
    drawn = packs.draw(np.random.default_rng(0), 20_000, 1)
    often = sum(int((b.codes[:, 1] == 2).sum()) for b in drawn)
    seldom = sum(int((b.codes[:, 1] == 3).sum()) for b in drawn)
    assert 8 < often / seldom < 10
    assert abs(sum(b.events for b in drawn) - 20_000) < 500


def test_equal_sequences_have_one_mark_and_others_another() -> None:
    a, b = (Packs(Sequences.of_lists([[2, 3], [4]]), 8, 2).mark for _ in range(2))
    assert a == b
    assert a != Packs(Sequences.of_lists([[2], [3, 4]]), 8, 2).mark
