"""Open sessions: whatever the batches, the numbers of the whole session."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logwright.errors import InputError
from logwright.sequence.memo import Memo
from logwright.sequence.sequences import Sequences
from logwright.sequence.states import States
from logwright.sequence.streams import LAG, Streams
from sequence_nets import KINDS, by_torch, drawn, runtime


def mixed(sequences: Sequences, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The sequences' events in an order that mixes sessions: their keys, and places in `events`."""
    rng = np.random.default_rng(seed)
    keys = rng.permutation(np.repeat(np.arange(len(sequences)), sequences.lengths))
    place = np.empty(len(keys), np.int64)
    place[np.argsort(keys, kind="stable")] = np.arange(len(keys))
    return keys, place


def play(streams: Streams, sequences: Sequences, seed: int, largest: int) -> np.ndarray:
    """Push everything in batches of random sizes, then close; the numbers in order of sequences."""
    rng = np.random.default_rng(seed)
    keys, place = mixed(sequences, seed)
    out = np.empty(len(keys), np.float32)
    gaps = sequences.gaps
    assert gaps is not None
    at = 0
    while at < len(keys):
        some = slice(at, at + int(rng.integers(1, largest + 1)))
        to = place[some]
        out[to] = streams.push(keys[some] * 7 - 3, sequences.events[to], gaps[to])[0]
        at = some.stop
    open_ = np.flatnonzero(sequences.lengths > 0)
    ends, _ = streams.close(open_ * 7 - 3)
    rows = [out[sequences.bounds[i] : sequences.bounds[i + 1]] for i in open_]
    return np.concatenate([np.append(row, end) for row, end in zip(rows, ends, strict=True)])


def expected(name: str, sequences: Sequences) -> np.ndarray:
    return np.concatenate(
        [by_torch(name, sequences, i) for i in np.flatnonzero(sequences.lengths > 0)]
    )


@pytest.mark.parametrize("memo", [False, True])
@pytest.mark.parametrize("name", KINDS)
@given(
    lengths=st.lists(st.integers(0, 30), min_size=1, max_size=6),
    seed=st.integers(0, 99),
    largest=st.sampled_from([1, 5, 200]),
)
@settings(max_examples=8)
def test_events_that_come_mixed_score_as_the_network_scores_whole_sessions(
    name: str, memo: bool, lengths: list[int], seed: int, largest: int
) -> None:
    sequences = drawn(lengths, seed)
    if not sum(lengths):
        return
    streams = Streams(runtime(name), 10, Memo(1_000) if memo else None)
    got = play(streams, sequences, seed, largest)
    assert got == pytest.approx(expected(name, sequences), abs=1e-4)
    assert len(streams.roster) == 0


@pytest.mark.parametrize("name", KINDS)
def test_hundreds_of_events_of_one_session_in_one_call(name: str) -> None:
    sequences = drawn([300, 130, 2])
    streams = Streams(runtime(name), 3)
    got = play(streams, sequences, 0, 1_000)
    assert got == pytest.approx(expected(name, sequences), abs=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_with_a_memo_short_sessions_are_exact_and_nothing_is_fed_twice(name: str) -> None:
    distinct = drawn([10, 9, 4, 1])
    sequences = distinct.take(np.tile(np.arange(4), 5))
    memo = Memo(1_000)
    streams = Streams(runtime(name), 30, memo)
    got = play(streams, sequences, 1, 6)
    every = [tuple(sequences.one(i)) for i in range(20)]
    assert got == pytest.approx(expected(name, sequences), abs=1e-4)
    assert memo.found > 0
    assert streams.stepped < sum(map(len, every))


@pytest.mark.parametrize("name", KINDS)
def test_a_state_that_lags_catches_up(name: str) -> None:
    run = runtime(name)
    path = drawn([70])
    memo = Memo(1_000)
    first, second = Streams(run, 4, memo), Streams(run, 4, memo)
    bare = path.events
    first.push(np.zeros(70, np.int64), bare)
    for length in (5, 39, 40, 70):
        key = np.full(length, length)
        second.push(key, bare[:length])  # all known: nothing is fed
        assert second.stepped == 0
        odd = (int(bare[length % 70]) - 1) % 20 + 2  # not what came next before
        got = second.push(np.array([length]), np.array([odd], np.int32))[0]
        sequences = Sequences.of_lists([[*bare[:length].tolist(), odd]])
        exact = run.score(sequences).nll[-2]
        if length <= 40 or name == "tiny":
            # The ring of this network turns far within what a state catches up by.
            assert got[0] == pytest.approx(exact, abs=1e-4)
        assert second.stepped == min(length, 40)
        second.stepped = 0


@pytest.mark.parametrize("name", KINDS)
def test_a_state_that_lags_too_far_begins_anew_from_the_last_events(name: str) -> None:
    run, path = runtime(name), drawn([70]).events
    streams = Streams(run, 4, Memo(1_000))
    streams.push(np.zeros(70, np.int64), path)
    streams.push(np.ones(69, np.int64), path[:69])
    odd = np.array([(int(path[69]) - 1) % 20 + 2], np.int32)
    got, _ = streams.push(np.ones(1, np.int64), odd)
    states, at = States(run.parts, 1), np.zeros(1, np.intp)
    for code in path[69 - LAG : 69]:
        x = run.weights.read(np.array([code], np.int32))
        h, *new = run.step(x, states.read(at), states.seen[at])
        states.write(at, new)
    assert got == pytest.approx(run.weights.rate(h, odd)[0], abs=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_the_end_of_a_longer_session_is_not_taken_for_a_whole_one(name: str) -> None:
    run, path = runtime(name), drawn([11]).events
    streams = Streams(run, 4, Memo(1_000), last=10)
    streams.push(np.zeros(11, np.int64), path)
    got, _ = streams.push(np.ones(10, np.int64), path[1:])
    exact = run.score(Sequences.of_lists([path[1:].tolist()])).nll[:10]
    assert got == pytest.approx(exact, abs=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_sessions_that_gave_way_begin_anew(name: str) -> None:
    run, path = runtime(name), drawn([6]).events
    streams = Streams(run, 2)
    for key in (1, 2, 3):
        streams.push(np.full(3, key), path[:3])
    assert (len(streams.roster), streams.roster.evicted) == (2, 1)
    again, _ = streams.push(np.full(3, 1), path[:3])
    assert again == pytest.approx(
        run.score(Sequences.of_lists([path[:3].tolist()])).nll[:3], abs=1e-4
    )
    nll, rank = streams.close(np.array([77, 1]))
    assert (nll[0], rank[0]) == (0, 0)
    assert rank[1] > 0
    many = np.arange(100)
    nll, _ = streams.push(many, np.full(100, path[0], np.int32))
    assert nll == pytest.approx(np.full(100, nll[0]))


def test_what_cannot_be_is_refused_and_nothing_is_nothing() -> None:
    streams = Streams(runtime("tiny"), 2)
    none, _ = streams.push(np.zeros(0, np.int64), np.zeros(0, np.int32))
    assert len(none) == 0
    assert len(streams.close(np.zeros(0, np.int64))[0]) == 0
    for code in (0, 1, 22, -1):
        with pytest.raises(InputError, match="codes 2 to 21"):
            streams.push(np.array([1]), np.array([code], np.int32))
    with pytest.raises(InputError, match="last 10 to 40"):
        Streams(runtime("tiny"), 2, Memo(10), last=5)


@pytest.mark.parametrize("name", KINDS)
def test_memory_is_bounded_by_the_sessions_there_is_room_for(name: str) -> None:
    streams = Streams(runtime(name), 50)
    rng = np.random.default_rng(0)
    streams.push(rng.integers(0, 10**9, 5_000), rng.integers(2, 22, 5_000).astype(np.int32))
    after = streams.nbytes
    streams.push(rng.integers(0, 10**9, 5_000), rng.integers(2, 22, 5_000).astype(np.int32))
    assert streams.nbytes == after
    assert len(streams.roster) <= 50
