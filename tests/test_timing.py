"""Times between events of sessions, and steady beats: the late are found, the usual are not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logwright.detectors.base import Detector, State
from logwright.detectors.pairs import SAMPLE, PairTable, digits_of, statistics
from logwright.detectors.period import LEAST_DIGITS, Period
from logwright.detectors.tally import Tally
from logwright.detectors.timing import Timing
from logwright.logs.batch import NO_TIME
from logwright.templates.template import Template
from logwright.windows.tumbling import TimeWindows
from logwright.windows.window import Events, Windows

SECOND = 10**9
MINUTE = 60 * SECOND


class FakeVocabulary:
    """Templates 0..n-1 named by letters."""

    def __init__(self, size: int = 12) -> None:
        keys = [
            ((i + 1) * 0x9E3779B97F4A7C15 % 2**64 << 64 | i).to_bytes(16, "big")
            for i in range(size)
        ]
        self.templates = [
            Template([k], lines=((b"event " + bytes([97 + i % 26]),),)) for i, k in enumerate(keys)
        ]
        self.hashes = np.array([int(t.id[2:], 16) for t in self.templates], np.uint64)

    def __len__(self) -> int:
        return len(self.templates)


VOCABULARY = FakeVocabulary()


def timed(sessions: list[list[tuple[int, float]]], first_key: int = 0) -> Windows:
    """Sessions of (template, seconds since the session before began, or since it began)."""
    windows = Windows.of_sequences([[t for t, _ in s] for s in sessions])
    begin = np.repeat(np.arange(len(sessions)) * 10 * SECOND, windows.sizes)
    seconds = np.array([at for s in sessions for _, at in s])
    windows.events.ts[:] = begin + (seconds * SECOND).astype(np.int64)
    windows.key[:] += first_key
    return windows


def jobs(number: int, seed: int = 1) -> list[list[tuple[int, float]]]:
    """Begin, work, end: work takes log-normal time about a second, the end 2.0 to 2.2 s more."""
    rng = np.random.default_rng(seed)
    took, rest = rng.lognormal(0, 0.3, number).round(3), rng.uniform(2.0, 2.2, number).round(3)
    return [[(0, 0.0), (1, a), (2, a + b)] for a, b in zip(took, rest, strict=True)]


def learned(number: int = 400) -> Timing:
    detector = Timing()
    detector.fit(timed(jobs(number)), VOCABULARY)
    return detector


def reloaded(detector: Detector) -> Detector:
    state = detector.save()
    other = type(detector)()
    other.load(State(json.loads(json.dumps(state.meta)), state.tables))
    return other


def test_usual_sessions_score_nothing():
    scores = learned().score(timed(jobs(2000, seed=2), 5000), VOCABULARY)
    assert (scores > 0).mean() < 0.002


def test_a_gap_that_is_far_too_long_is_told_with_both_lines():
    detector = learned()
    today = timed([[(0, 0.0), (1, 1.0), (2, 3.1)], [(0, 0.0), (1, 2880.0), (2, 2882.1)]], 5000)
    calm, slow = detector.score(today, VOCABULARY)
    assert calm == 0
    assert slow > 5
    (found,) = detector.evidence(today, 1, VOCABULARY, 3.0)
    assert found.summary.startswith("'event a' to 'event b' took 48 minutes; in 400 pairs of histo")
    assert found.rows == [3, 4]
    assert found.key_rows == [4]


def test_the_pattern_is_the_same_however_long_it_took():
    detector, parts = learned(), []
    for seconds in (60.0, 600.0):
        today = timed([[(0, 0.0), (1, seconds), (2, seconds + 2.1)]], 5000)
        detector.score(today, VOCABULARY)
        parts.append(detector.evidence(today, 0, VOCABULARY, 3.0)[0].parts)
    assert parts[0] == parts[1]


def test_too_short_is_told_only_where_gaps_are_alike():
    detector = learned()
    today = timed([[(0, 0.0), (1, 1.0), (2, 1.2)], [(0, 0.0), (1, 0.001), (2, 2.1)]], 5000)
    hasty, fine = detector.score(today, VOCABULARY)
    assert hasty > 3
    assert fine == 0
    detector.score(today, VOCABULARY)
    (found,) = detector.evidence(today, 0, VOCABULARY, 3.0)
    assert "took only 0.2 seconds" in found.summary
    assert "never below" in found.summary


def test_a_session_that_takes_long_in_small_steps_is_told_as_a_whole():
    rng = np.random.default_rng(3)
    steps = [[(i, i + rng.uniform(0, 0.9) * i / 9) for i in range(10)] for _ in range(200)]
    for one in steps:  # any one step may take 4 s
        late = int(rng.integers(1, 10))
        one[late:] = [(t, at + 4) for t, at in one[late:]]
    detector = Timing()
    detector.fit(timed(steps), VOCABULARY)
    slow = timed([[(i, i * 5.0) for i in range(10)]], 5000)
    assert detector.score(slow, VOCABULARY)[0] > 3
    (found,) = detector.evidence(slow, 0, VOCABULARY, 3.0)
    assert found.summary.startswith("a session from 'event a' to 'event j' took 45 seconds; in 200")
    assert found.rows == [0, 9]


def test_a_gap_that_closed_the_session_is_found_where_it_goes_on():
    detector = learned()
    both = timed([[(0, 0.0), (1, 1.0)], [(2, 7000.0)]], 5000)
    both.key[:] = 5000
    scores = detector.score(both, VOCABULARY)
    assert scores[0] == 0
    assert scores[1] > 5
    (found,) = detector.evidence(both, 1, VOCABULARY, 3.0)
    assert found.rows == [1, 2]
    apart = learned()
    apart.score(both.select(np.array([True, False])), VOCABULARY)
    assert apart.score(both.select(np.array([False, True])), VOCABULARY)[0] == scores[1]


def test_pairs_that_follow_now_and_then_are_not_watched():
    sessions = [[(0, 0.0), (1, 1.0)] if i % 3 else [(0, 0.0), (2, 1.0)] for i in range(900)]
    detector = Timing()
    detector.fit(timed(sessions), VOCABULARY)
    assert detector.pairs == 0


def test_records_without_times_and_other_windows_teach_nothing():
    detector = Timing()
    windows = timed(jobs(400))
    windows.events.ts[:] = NO_TIME
    detector.fit(windows, VOCABULARY)
    by_time = timed(jobs(400))
    by_time.kind = "time"
    detector.fit(by_time, VOCABULARY)
    assert detector.pairs == 0
    assert not detector.score(timed(jobs(5)), VOCABULARY).any()


def test_pairs_that_alarm_on_history_are_dropped():
    detector = learned()
    detector.tally = Tally()
    slow = [[(0, 0.0), (1, 300.0), (2, 302.1)]] * 5
    detector.score(timed(slow, 5000), VOCABULARY)
    noisy = detector.tally.noisy(floor=3.0, allowed=1)
    final = learned()
    final.drop(noisy)
    assert final.pairs < detector.pairs
    assert not final.score(timed(slow, 6000), VOCABULARY).any()


def test_the_worst_is_dropped_first_and_no_more_than_is_needed():
    tally = Tally()
    tally.add(np.array([1] * 9 + [2] * 2, np.uint64), np.full(11, 5.0))
    assert tally.noisy(3.0, allowed=11) == set()
    assert tally.noisy(3.0, allowed=2) == {1}
    assert tally.noisy(3.0, allowed=0) == {1, 2}
    assert tally.noisy(6.0, allowed=0) == set()


session = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([0.0, 1.0, 2.0, 500.0])), min_size=1, max_size=5
).map(lambda s: [(t, float(sum(x for _, x in s[: i + 1]))) for i, (t, _) in enumerate(s)])
days = st.lists(session, max_size=10)


@given(today=days, cut=st.integers(0, 10))
@settings(max_examples=30)
def test_neither_dealing_nor_saving_changes_a_score(today, cut):
    one, two = learned(), reloaded(learned())
    windows = timed(today, 5000)
    windows.key[:] = 5000 + np.arange(len(today)) % 3
    first = np.arange(len(today)) < cut
    whole = one.score(windows, VOCABULARY).tolist()
    dealt = [two.score(windows.select(part), VOCABULARY).tolist() for part in (first, ~first)]
    assert whole == dealt[0] + dealt[1]


@given(today=days)
@settings(max_examples=30)
def test_every_score_has_evidence(today):
    detector, windows = learned(), timed(today, 5000)
    scores = detector.score(windows, VOCABULARY)
    for i in np.flatnonzero(scores):
        found = detector.evidence(windows, int(i), VOCABULARY, 1e-9)
        assert max(e.score for e in found) == pytest.approx(scores[i])


@pytest.mark.parametrize("templates", [12, 3000])
def test_portions_and_their_order_do_not_matter(templates):
    vocabulary = FakeVocabulary(templates)
    rng = np.random.default_rng(4)
    n = 20_000
    left, right = rng.integers(0, 3, n), rng.integers(0, 3, n)
    gap, row, valid = rng.integers(0, 10**9, n), np.arange(n), rng.random(n) < 0.9
    tables = []
    for parts in ([slice(0, n)], [slice(9000, n), slice(0, 100), slice(100, 9000)]):
        table = PairTable()
        for p in parts:
            table.add(left[p], right[p], gap[p], row[p], valid[p], vocabulary.hashes)
        tables.append(table)
    one, two = tables
    assert one.number.tolist() == two.number.tolist()
    assert one.number.sum() == valid.sum()
    assert one.largest.tolist() == two.largest.tolist()
    everything = np.arange(len(one))
    for a, b in zip(one.samples(everything), two.samples(everything), strict=True):
        assert len(a) == SAMPLE
        assert sorted(a.tolist()) == sorted(b.tolist())


def test_pairs_that_are_held_are_bounded_and_the_frequent_ones_stay():
    vocabulary, table = FakeVocabulary(300), PairTable()
    rng = np.random.default_rng(6)
    for part in range(3):
        left, right = rng.integers(0, 300, 20_000), rng.integers(0, 300, 20_000)
        left[:500], right[:500] = 7, 8
        row = np.arange(20_000) + part * 20_000
        table.add(left, right, row, row, row >= 0, vocabulary.hashes)
    assert len(table) == 4000
    assert table.number.max() >= 1500


def test_farther_is_never_less_improbable():
    gaps = np.random.default_rng(5).lognormal(20, 1, 500)
    row = statistics(gaps, 500, int(gaps.min()), int(gaps.max()), 1)
    far = np.array([1.0, 2.0, 5.0, 100.0, 1e6]) * gaps.max()
    digits = digits_of(np.array([row] * 5), far, 1).tolist()
    assert digits == sorted(digits)


# Beats


def beats(times: dict[int, list[float]], every: float = 60.0, until: float = 60000.0) -> Windows:
    """Intervals of a minute from minutes at which templates come; template 9 fills the rest."""
    rows = [(at, t) for t, minutes in times.items() for at in minutes]
    first = min((at for at, _ in rows), default=0.0)
    rows += [(first + 0.5 + m, 9) for m in range(int(until))]
    rows.sort()
    n = len(rows)
    events = Events(
        np.array([t for _, t in rows], np.int32),
        np.array([int(at * every * SECOND) for at, _ in rows], np.int64),
        np.zeros(n, np.int8),
        np.zeros(n, np.int32),
        np.arange(n, dtype=np.int64),
    )
    assembler = TimeWindows(MINUTE, MINUTE, 0)
    parts = [assembler.push(events), assembler.flush()]
    first_, last = parts
    return Windows(
        "time",
        np.concatenate((first_.bounds, last.bounds[1:] + len(first_.events))),
        Events.concat([first_.events, last.events]),
        np.concatenate((first_.key, last.key)),
        np.concatenate((first_.end, last.end)),
        np.concatenate((first_.late, last.late)),
    )


def jitter(number: int, period: float, first: float = 0.0, seed: int = 1) -> list[float]:
    rng = np.random.default_rng(seed)
    return [first + i * period + rng.uniform(0, 0.2) for i in range(number)]


def beating(number: int = 20) -> Period:
    detector = Period(MINUTE)
    detector.fit(beats({0: jitter(number, 10)}, until=number * 10), VOCABULARY)
    return detector


def test_a_steady_beat_is_watched_and_chance_is_not():
    rng = np.random.default_rng(2)
    chance = np.cumsum(rng.exponential(10, 40)).tolist()
    detector = Period(MINUTE)
    detector.fit(beats({0: jitter(40, 10), 1: chance}, until=400), VOCABULARY)
    assert detector.watched.tolist() == [VOCABULARY.hashes[0]]
    assert not Period(MINUTE).watched.tolist()


def test_what_comes_in_most_intervals_is_left_to_rate():
    detector = Period(MINUTE)
    detector.fit(beats({0: jitter(200, 1)}, until=200), VOCABULARY)
    assert not len(detector.watched)


def test_a_burst_is_one_beat():
    times = [m + s / 60 for m in jitter(20, 10) for s in (0, 1, 2, 55)]
    detector = Period(MINUTE)
    detector.fit(beats({0: times}, until=200), VOCABULARY)
    assert len(detector.watched) == 1


def test_errors_are_no_beats():
    windows = beats({0: jitter(20, 10)}, until=200)
    windows.events.level[windows.events.template == 0] = 6
    detector = Period(MINUTE)
    detector.fit(windows, VOCABULARY)
    assert not len(detector.watched)


def test_a_beat_goes_on_over_what_was_left_out_of_history():
    times = [*jitter(12, 10), *jitter(12, 10, first=163)]
    around = beats({0: times}, until=283)
    slot = around.key
    around = around.select((slot < 115) | (slot >= 160))
    gappy, told = Period(MINUTE), Period(MINUTE)
    told.leave_out(115 * MINUTE, 160 * MINUTE)
    for detector in (gappy, told):
        detector.fit(around, VOCABULARY)
    assert not len(gappy.watched)
    assert len(told.watched) == 1


def test_a_beat_that_had_stopped_in_history_is_not_missed():
    detector = Period(MINUTE)
    detector.fit(beats({0: jitter(20, 10)}, until=400), VOCABULARY)
    assert not len(detector.watched)


def today(times: list[float], until: float) -> Windows:
    return beats({0: [200.0, *times]}, until=until)


def test_a_lost_beat_is_told_once_and_soon():
    detector = beating()
    lost = today([210.0], until=300)
    scores = detector.score(lost, VOCABULARY)
    (at,) = np.flatnonzero(scores)
    assert scores[at] >= LEAST_DIGITS
    minute = int(lost.key[at])
    assert 224 <= minute <= 232
    (found,) = detector.evidence(lost, int(at), VOCABULARY, LEAST_DIGITS)
    assert found.summary.startswith("overdue: 'event a', not seen for 1")
    assert "it comes every 10 minutes, in 19 beats of history" in found.summary
    assert found.parts == ["overdue", VOCABULARY.templates[0].id]


def test_a_beat_that_returns_is_told_anew_when_it_is_lost_again():
    detector = beating()
    scores = detector.score(today([210.0, 280.0, 290.0], until=400), VOCABULARY)
    assert np.count_nonzero(scores) == 2


def test_a_beat_that_only_shakes_is_fine():
    detector = beating()
    assert not detector.score(today([209, 221, 230, 241, 250], until=59), VOCABULARY).any()


def test_a_log_that_falls_silent_as_a_whole_is_none_of_its_business():
    detector = beating()
    windows = today([210.0], until=12)
    later = beats({0: [900.0, 910.0, 920.0]}, until=25)
    assert not detector.score(windows, VOCABULARY).any()
    assert not detector.score(later, VOCABULARY).any()


def test_time_between_history_and_today_is_no_loss():
    detector = reloaded(beating())
    much_later = beats({0: jitter(10, 10, first=90_000)}, until=100)
    assert not detector.score(much_later, VOCABULARY).any()


@given(cut=st.integers(0, 200), times=st.lists(st.integers(201, 390), max_size=15))
@settings(max_examples=30)
def test_beats_do_not_depend_on_how_intervals_are_dealt(cut, times):
    windows = today([float(t) for t in sorted(times)], until=195)
    one, two = beating(), reloaded(beating())
    first = np.arange(len(windows)) < cut
    whole = one.score(windows, VOCABULARY).tolist()
    dealt = [two.score(windows.select(part), VOCABULARY).tolist() for part in (first, ~first)]
    assert whole == dealt[0] + dealt[1]


def test_beats_that_alarm_on_history_are_dropped():
    detector = beating()
    detector.tally = Tally()
    detector.score(today([210.0], until=300), VOCABULARY)
    assert detector.tally.noisy(LEAST_DIGITS, allowed=1) == set()
    noisy = detector.tally.noisy(LEAST_DIGITS, allowed=0)
    final = beating()
    final.drop(noisy)
    assert not len(final.watched)
    assert not final.score(today([210.0], until=300), VOCABULARY).any()
