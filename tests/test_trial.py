"""Trials: what would have been raised in the last part of history by one who knew only the rest."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.detectors.base import Detector
from logwright.detectors.counts import Counts
from logwright.detectors.trial import MakeUp, floor_of
from logwright.detectors.unseen import Unseen
from logwright.templates.miner import Miner
from logwright.templates.template import Template
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

KEYS = [((i + 1) * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8, "big") * 2 for i in range(4)]
VOCABULARY = Vocabulary(Miner(), [Template([k], lines=((b"event",),)) for k in KEYS])
UNITS = ("count_vector", "capped", "event_set", "length", "bigram")

sessions = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=6), min_size=1, max_size=12)
names = st.sampled_from(UNITS)


def detector(unit: str) -> Counts | Unseen:
    return Unseen("bigram") if unit == "bigram" else Counts(unit)  # type: ignore[arg-type]


def tried(unit: str, first: list[list[int]], *last: list[list[int]]) -> MakeUp:
    made = MakeUp(detector(unit), detector(unit))
    made.fit(Windows.of_sequences(first), VOCABULARY, trial=True)
    for chunk in last:
        windows = Windows.of_sequences(chunk)
        made.check(windows, VOCABULARY)
        made.fit(windows, VOCABULARY, trial=False)
    return made


@pytest.mark.parametrize(
    ("unit", "questions", "alarms"),
    [("count_vector", 2, 3), ("capped", 2, 3), ("event_set", 0, 0), ("bigram", 1, 3)],
)
def test_distinct_new_ones_are_questions(unit: str, questions: int, alarms: int) -> None:
    """History knows 0 1; then 0 0 1 comes twice and 0 0 0 1 once, both by the new pair 0 0."""
    made = tried(unit, [[0, 1]] * 5, [[0, 0, 1], [0, 1], [0, 0, 1], [0, 0, 0, 1]])
    found = made.expected()
    assert (found.unit, found.questions, found.alarms, found.windows) == (
        unit,
        questions,
        alarms,
        4,
    )


@given(names, sessions, sessions, st.integers(0, 12))
def test_chunks_do_not_matter(
    unit: str, first: list[list[int]], last: list[list[int]], cut: int
) -> None:
    parts = [part for part in (last[:cut], last[cut:]) if part]
    assert tried(unit, first, *parts).expected() == tried(unit, first, last).expected()


@given(names, sessions, sessions, st.randoms(use_true_random=False))
def test_the_order_of_sessions_does_not_matter(
    unit: str, first: list[list[int]], last: list[list[int]], rng: random.Random
) -> None:
    shuffled = rng.sample(last, len(last))
    assert tried(unit, first, shuffled).expected() == tried(unit, first, last).expected()


@given(names, sessions, sessions)
def test_what_recurs_alarms_again_and_is_no_further_question(
    unit: str, first: list[list[int]], last: list[list[int]]
) -> None:
    once, twice = (tried(unit, first, last * n).expected() for n in (1, 2))
    assert twice.questions == once.questions
    assert (twice.alarms, twice.windows) == (2 * once.alarms, 2 * once.windows)


@given(names, sessions, sessions)
def test_a_calibration_slice_is_counted_alike(
    unit: str, first: list[list[int]], last: list[list[int]]
) -> None:
    """By the final detector, which knows the last part as well."""
    found = tried(unit, first).calibrated(Windows.of_sequences(last), VOCABULARY)
    checked = tried(unit, first, last).expected()
    assert found.basis == "calibration slice"
    assert (found.questions, found.alarms, found.windows) == (
        checked.questions,
        checked.alarms,
        checked.windows,
    )
    again = tried(unit, first, last).calibrated(Windows.of_sequences(last), VOCABULARY)
    assert (again.questions, again.alarms) == (0, 0)


def test_what_the_last_part_taught_is_no_question_of_the_slice() -> None:
    """Pair 0 0 was new in the last part, pair 1 1 is new in the slice, in one session."""
    made = tried("bigram", [[0, 1]] * 5, [[0, 0, 1]])
    assert made.calibrated(Windows.of_sequences([[0, 0, 1, 1]]), VOCABULARY).questions == 1


@given(names, sessions, sessions)
def test_the_floor_parts_what_is_known_from_what_is_new(
    unit: str, first: list[list[int]], last: list[list[int]]
) -> None:
    one: Detector = detector(unit)
    one.fit(Windows.of_sequences(first), VOCABULARY)
    known = one.score(Windows.of_sequences(first), VOCABULARY)
    assert (known < floor_of(one)).all()
    either = one.score(Windows.of_sequences(last), VOCABULARY) >= floor_of(one)
    for session, new in zip(last, either.tolist(), strict=True):
        keys = one.new_keys(Windows.of_sequences([session]), VOCABULARY)  # type: ignore[attr-defined]
        assert new == (len(keys) > 0)
