"""The contract that every detector keeps, and what each one finds."""

from __future__ import annotations

import json
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import step_fakes
from logwright.detectors.base import Detector, State
from logwright.detectors.counts import UNITS, Counts
from logwright.detectors.parameters import Parameters
from logwright.detectors.period import Period
from logwright.detectors.rare import Rare
from logwright.detectors.rate import Rate, duration
from logwright.detectors.timing import Timing
from logwright.detectors.unseen import Unseen
from logwright.templates.template import Template
from logwright.windows.tumbling import TimeWindows
from logwright.windows.window import Events, Windows

SECOND = 10**9


class FakeVocabulary:
    """Templates 0..n-1 named by their number."""

    def __init__(self, size: int = 12) -> None:
        keys = [
            ((i + 1) * 0x9E3779B97F4A7C15 % 2**64 << 64 | i).to_bytes(16, "big")
            for i in range(size)
        ]
        self.templates = [
            Template([k], lines=((b"event " + bytes([97 + i]),),)) for i, k in enumerate(keys)
        ]
        self.hashes = np.array([int(t.id[2:], 16) for t in self.templates], np.uint64)

    def __len__(self) -> int:
        return len(self.templates)


VOCABULARY = FakeVocabulary()


def intervals(counts: list[dict[int, int]], size: int = 60) -> Windows:
    """One interval per entry, holding each template as often as told."""
    template, ts = [], []
    for slot, entry in enumerate(counts):
        for t, n in entry.items():
            template += [t] * n
            ts += [slot * size * SECOND] * n
    n = len(template)
    events = Events(
        np.array(template, np.int32),
        np.array(ts, np.int64),
        np.zeros(n, np.int8),
        np.zeros(n, np.int32),
        np.arange(n, dtype=np.int64),
    )
    assembler = TimeWindows(size * SECOND, size * SECOND, 0)
    first, last = assembler.push(events), assembler.flush()
    if not len(first) or not len(last):
        return first if len(first) else last
    shift = len(first.events)
    return Windows(
        "time",
        np.concatenate((first.bounds, last.bounds[1:] + shift)),
        Events.concat([first.events, last.events]),
        np.concatenate((first.key, last.key)),
        np.concatenate((first.end, last.end)),
        np.concatenate((first.late, last.late)),
    )


def sessions(sequences: list[list[int]]) -> Windows:
    return Windows.of_sequences(sequences)


def timed_sessions(sequences: list[list[int]]) -> Windows:
    windows = sessions(sequences)
    windows.events.ts[:] = np.cumsum(2 ** (windows.events.row % 9)) * SECOND
    return windows


DETECTORS = {
    "unseen-template": (lambda: Unseen("template"), sessions),
    "unseen-bigram": (lambda: Unseen("bigram"), sessions),
    **{f"counts-{u}": ((lambda u=u: Counts(u)), sessions) for u in UNITS},
    "rate": (
        lambda: Rate(60 * SECOND),
        lambda seqs: intervals([{t: s.count(t) for t in set(s)} for s in seqs]),
    ),
    "timing-gap": (Timing, timed_sessions),
    "timing-period": (
        lambda: Period(60 * SECOND),
        lambda seqs: intervals([{t: s.count(t) for t in set(s)} for s in seqs]),
    ),
    "parameters": (Parameters, sessions),
    "rare": (Rare, sessions),
    "sequence": (lambda: step_fakes.trained(VOCABULARY, 6), sessions),
}
if all(map(find_spec, ("torch", "onnx", "onnxruntime"))):
    DETECTORS["sequence-onnx"] = (lambda: step_fakes.real(VOCABULARY, 6), sessions)
sequences = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=6), min_size=1, max_size=12)
fresh = st.lists(st.lists(st.integers(0, 11), min_size=1, max_size=6), max_size=12)
every_detector = pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n == "sequence-onnx")) for n in DETECTORS],
)


def fitted(name: str, history: list[list[int]]) -> tuple[Detector, Windows]:
    make, windows = DETECTORS[name]
    detector = make()
    detector.fit(windows(history), VOCABULARY)
    return detector, windows


def reloaded(name: str, detector: Detector) -> Detector:
    state = detector.save()
    other = DETECTORS[name][0]()
    other.load(State(json.loads(json.dumps(state.meta)), state.tables, state.files))
    return other


@every_detector
@given(history=sequences, today=fresh)
@settings(max_examples=30)
def test_the_same_input_gives_the_same_scores(name, history, today):
    one, windows = fitted(name, history)
    two, _ = fitted(name, history)
    today = windows(today)
    assert one.score(today, VOCABULARY).tolist() == two.score(today, VOCABULARY).tolist()


@every_detector
@given(history=sequences, today=fresh)
@settings(max_examples=30)
def test_saving_and_loading_change_nothing(name, history, today):
    detector, windows = fitted(name, history)
    other = reloaded(name, detector)
    today = windows(today)
    assert detector.score(today, VOCABULARY).tolist() == other.score(today, VOCABULARY).tolist()


@every_detector
@given(history=sequences, today=fresh, cut=st.integers(0, 12))
@settings(max_examples=30)
def test_how_windows_are_dealt_out_does_not_matter(name, history, today, cut):
    one, windows = fitted(name, history)
    two, _ = fitted(name, history)
    today = windows(today)
    first = np.arange(len(today)) < cut
    dealt = [two.score(today.select(part), VOCABULARY).tolist() for part in (first, ~first)]
    # A network rounds otherwise among other windows; what counts has no digit there.
    assert one.score(today, VOCABULARY).tolist() == pytest.approx(dealt[0] + dealt[1], abs=1e-4)


@every_detector
@given(history=sequences, cut=st.integers(0, 12), today=fresh)
@settings(max_examples=30)
def test_fitting_in_two_calls_is_fitting_in_one(name, history, cut, today):
    one, windows = fitted(name, history)
    two = DETECTORS[name][0]()
    past = windows(history)
    first = np.arange(len(past)) < cut
    two.fit(past.select(first), VOCABULARY)
    two.fit(past.select(~first), VOCABULARY)
    today = windows(today)
    assert one.score(today, VOCABULARY).tolist() == pytest.approx(
        two.score(today, VOCABULARY).tolist()
    )


@every_detector
def test_no_windows_at_all_are_fine(name):
    detector, windows = fitted(name, [[0, 1], [0]])
    assert detector.score(windows([]), VOCABULARY).tolist() == []
    empty = DETECTORS[name][0]()
    empty.fit(windows([]), VOCABULARY)
    assert len(empty.score(windows([[0, 1]]), VOCABULARY)) == 1


@every_detector
def test_a_template_never_seen_in_training_is_fine(name):
    detector, windows = fitted(name, [[0, 1], [0, 1]])
    assert np.isfinite(detector.score(windows([[11, 0]]), VOCABULARY)).all()


@every_detector
@given(history=sequences, today=fresh)
@settings(max_examples=20)
def test_every_score_above_zero_has_evidence_that_names_it(name, history, today):
    detector, windows = fitted(name, history)
    today = windows(today)
    scores = detector.score(today, VOCABULARY)
    for i in np.flatnonzero(scores > 0):
        found = detector.evidence(today, int(i), VOCABULARY, 1e-9)
        assert found
        for evidence in found:
            assert evidence.summary
            assert evidence.expected
            assert evidence.seen
            assert evidence.parts
            assert set(evidence.key_rows) <= set(evidence.rows)
        assert max(e.score for e in found) == pytest.approx(scores[i])


def test_unseen_scores_only_what_history_never_held():
    detector, _ = fitted("unseen-template", [[0, 1]] * 10)
    scores = detector.score(sessions([[0, 1], [0, 2], [3]]), VOCABULARY)
    assert scores[0] == 0
    assert (scores[1:] > 0).all()
    (found,) = detector.evidence(sessions([[0, 2, 2]]), 0, VOCABULARY, 0.0)
    assert "seen 2 times" in found.summary
    assert found.key_rows == [1, 2]


def test_an_error_weighs_more_than_an_information():
    detector, _ = fitted("unseen-template", [[0, 1]] * 10)
    today = sessions([[2], [3]])
    today.events.level[:] = [3, 7]
    calm, grave = detector.score(today, VOCABULARY)
    assert grave > calm


def test_a_new_text_is_more_surprising_in_a_settled_log():
    settled, _ = fitted("unseen-template", [[0]] * 1000)
    restless, _ = fitted("unseen-template", [[i] for i in range(8)])
    today = sessions([[11]])
    assert settled.score(today, VOCABULARY)[0] > restless.score(today, VOCABULARY)[0]


def test_bigrams_know_starts_and_ends():
    detector, _ = fitted("unseen-bigram", [[0, 1, 2]])
    scores = detector.score(sessions([[0, 1, 2], [1, 2], [0, 1], [0, 2]]), VOCABULARY)
    assert scores[0] == 0
    assert (scores[1:] > 0).all()


@pytest.mark.parametrize(
    ("unit", "same", "other"),
    [
        ("count_vector", [1, 0, 0], [0, 1]),
        ("capped", [0, 1, 1, 1, 1, 1], [0, 1]),
        ("event_set", [1, 0], [0]),
        ("length", [3, 3, 3], [0]),
    ],
)
def test_a_make_up_is_known_or_new(unit, same, other):
    history = [[0, 0, 1], [0, 1, 1, 1]] * 5
    detector, _ = fitted(f"counts-{unit}", history)
    known, new = detector.score(sessions([same, other]), VOCABULARY)
    assert known < 1 <= new


def test_the_farther_from_usual_the_higher_the_score():
    detector, _ = fitted("counts-count_vector", [[0, 1]] * 20)
    near, far = detector.score(sessions([[0, 1, 1], [0] * 9]), VOCABULARY)
    assert near == 2.0
    assert far == 10.0


def test_a_burst_is_told_with_what_is_usual():
    history = intervals([{0: 1 + i % 3, 1: 1} for i in range(100)])
    detector = Rate(60 * SECOND)
    detector.fit(history, VOCABULARY)
    today = intervals([{}] * 100 + [{0: 2, 1: 1}, {0: 412, 1: 1}])
    scores = detector.score(today, VOCABULARY)
    assert scores[0] == 0
    assert scores[1] > 5
    found = detector.evidence(today, 1, VOCABULARY, 5.0)
    texts = [e.summary for e in found]
    assert "burst of 'event a', seen 412 times in 1 minute, usually 2-3 per minute" in texts


def test_more_is_never_less_improbable():
    detector = Rate(60 * SECOND)
    detector.fit(intervals([{0: 1 + (i * 7) % 5} for i in range(300)]), VOCABULARY)
    digits = [detector._burst_digits(0, c) for c in (5, 6, 10, 50, 500, 50_000)]
    assert digits == sorted(digits)


def test_silence_is_told_at_growing_lengths_and_not_in_between():
    detector = Rate(60 * SECOND)
    detector.fit(intervals([{0: 1, 1: 1} for _ in range(60)]), VOCABULARY)
    today = intervals([{}] * 60 + [{1: 1}] * 30)
    scores = detector.score(today, VOCABULARY)
    assert np.flatnonzero(scores > 0).tolist() == [2, 5, 11, 23]
    assert "vanished: 'event a', not seen for 3 minutes" in _silence_at(detector, 3)


def _silence_at(detector: Rate, lines: int) -> str:
    other = Rate(60 * SECOND)
    other.load(detector.save())
    other.fit(intervals([{0: 1, 1: 1} for _ in range(60)]), VOCABULARY)
    today = intervals([{}] * 60 + [{1: 1}] * lines)
    other.score(today, VOCABULARY)
    return other.evidence(today, lines - 1, VOCABULARY, 0.1)[0].summary


def test_a_gap_between_history_and_today_is_no_silence():
    detector = Rate(60 * SECOND)
    detector.fit(intervals([{0: 1} for _ in range(60)]), VOCABULARY)
    much_later = intervals([{}] * 5000 + [{0: 1}] * 5)
    assert not detector.score(much_later, VOCABULARY).any()


def test_durations_read_well():
    assert [duration(s * 1e9) for s in (1, 60, 300, 5400, 86400 * 3)] == [
        "1 second",
        "1 minute",
        "5 minutes",
        "90 minutes",
        "3 days",
    ]
