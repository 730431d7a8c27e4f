"""What is told of a sequence is what the model says, however much of it was said before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.sequence.recall import Recall
from logwright.sequence.scoring import Float32s, Tokens
from logwright.sequence.sequences import Sequences
from sequence_nets import KINDS, runtime


class Counted:
    """An arithmetic in place of a network, whose output is the position. With `room` for so many
    outputs."""

    def __init__(self, room: int = 1_000) -> None:
        self.room, self.asked, self.anew = room, 0, 0

    def looked(self, sequences: Sequences) -> tuple[Tokens, Float32s | None]:
        self.asked += 1
        rows = [self.surprises(sequences.one(i).tolist()) for i in range(len(sequences))]
        tokens = Tokens.of_lists(rows, [[1] * len(row) for row in rows])
        places = [[float(at)] for row in rows for at in range(len(row))]
        outputs = np.array(places, np.float32).reshape(-1, 1)
        return tokens, outputs if len(outputs) <= self.room else None

    def likeliest(self, h: Float32s, n: int) -> list[tuple[int, float]]:
        return [(int(h[0]) + i, 0.5) for i in range(n)]

    def expected(self, sequence: np.ndarray, position: int, n: int) -> list[tuple[int, float]]:
        self.anew += 1
        return [(position + i, 0.5) for i in range(n)]

    @staticmethod
    def surprises(codes: list[int]) -> list[float]:
        return [float(sum(codes[:at])) for at in range(len(codes) + 1)]


ONE = st.lists(st.integers(2, 4), max_size=4)
CALLS = st.lists(st.tuples(st.lists(ONE, unique_by=tuple, max_size=5), st.lists(ONE, max_size=5)))


@pytest.mark.parametrize("memory", [1 << 18, 100])
@pytest.mark.parametrize("room", [0, 6, 1_000])
@given(calls=CALLS)
def test_whatever_was_asked_before_the_answer_is_the_models(
    memory: int, room: int, calls: list[tuple[list[list[int]], list[list[int]]]]
) -> None:
    recall = Recall(Counted(room), memory)
    for scored, told in calls:
        sequences = Sequences.of_lists(scored)
        tokens = recall.score(sequences)
        rows = [value for one in scored for value in Counted.surprises(one)]
        assert tokens.nll.tolist() == rows
        for one in told + scored:
            codes = np.array(one, np.int32)
            assert recall.surprises(codes).tolist() == Counted.surprises(one)
            for at in range(len(one) + 1):
                assert recall.expected(codes, at, 2) == [(at, 0.5), (at + 1, 0.5)]
        assert len(recall._told) <= max(1, memory // 64)


def test_what_scores_were_asked_for_is_told_of_without_asking() -> None:
    scorer = Counted()
    recall = Recall(scorer)
    recall.score(Sequences.of_lists([[2, 3], [4]]))
    for _ in range(2):
        for one in ([4], [2, 3]):
            recall.surprises(np.array(one, np.int32))
            recall.expected(np.array(one, np.int32), 1, 3)
    assert (scorer.asked, scorer.anew) == (1, 0)


def test_what_was_told_once_is_not_asked_again() -> None:
    scorer, codes = Counted(), np.array([2, 3], np.int32)
    recall = Recall(scorer)
    for other in range(3):
        assert recall.surprises(codes).tolist() == [0.0, 2.0, 5.0]
        assert recall.expected(codes, 2, 1) == [(2, 0.5)]
        assert recall.surprises(np.array([other], np.int32)).tolist() == [0.0, other]
        recall.score(Sequences.of_lists([[4] * other]))
    assert (scorer.asked, scorer.anew) == (1 + 3 + 3, 0)


def test_a_call_too_large_to_keep_is_asked_about_again() -> None:
    scorer = Counted(room=3)
    recall = Recall(scorer)
    recall.score(Sequences.of_lists([[2, 3], [4]]))
    recall.surprises(np.array([2, 3], np.int32))
    recall.expected(np.array([2, 3], np.int32), 1, 1)
    assert (scorer.asked, scorer.anew) == (2, 0), "alone, it is small enough"
    recall.expected(np.array([2, 2, 2, 2], np.int32), 1, 1)
    assert (scorer.asked, scorer.anew) == (3, 1)


@pytest.mark.parametrize("name", KINDS)
def test_of_a_real_network(name: str) -> None:
    run, other = runtime(name), runtime(name)
    recall = Recall(run)
    sequences = Sequences.of_lists([[3, 4, 5], [], [4] * 30, [5, 3]])
    tokens = recall.score(sequences)
    for i in range(len(sequences)):
        codes = sequences.one(i)
        span = slice(tokens.bounds[i], tokens.bounds[i + 1])
        assert recall.surprises(codes).tolist() == tokens.nll[span].tolist()
        for at in range(len(codes) + 1):
            codes_told, shares = zip(*recall.expected(codes, at, 3), strict=True)
            wanted = other.expected(codes, at, 3)
            assert codes_told == tuple(code for code, _ in wanted)
            assert shares == pytest.approx([share for _, share in wanted], abs=1e-5)
