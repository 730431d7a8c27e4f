"""What was confirmed real is raised for good: learning it does not make it normal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.detectors.base import Detector, State
from logwright.detectors.confirmed import Confirmed, ConfirmedMakeUps, with_confirmed
from logwright.detectors.counts import Counts
from logwright.detectors.ladder import Ladder, Rung
from logwright.detectors.thresholds import Threshold
from logwright.detectors.unseen import Unseen
from logwright.feedback.judge import Judge
from logwright.feedback.standing import Found
from logwright.findings.finding import pattern_id
from logwright.findings.verdict import Scope, Undo, Verdict
from logwright.windows.window import Windows
from test_detectors import VOCABULARY, sequences, sessions

pytestmark = pytest.mark.slow

UNITS = ("count_vector", "capped", "event_set", "length", "bigram")
NORMAL = [[0, 1, 2], [0, 1, 1, 2]] * 20
BAD = [0, 1, 1, 1, 1, 3, 2]
OTHER = [4, 0, 1, 2]

each_unit = pytest.mark.parametrize("unit", UNITS)
any_sessions = st.lists(
    st.lists(st.integers(0, 11), min_size=1, max_size=6), min_size=1, max_size=12
)


def learned(unit: str, history: list[list[int]]) -> Detector:
    detector: Detector = Unseen("bigram") if unit == "bigram" else Counts(unit)
    detector.fit(sessions(history), VOCABULARY)
    return detector


def ladder_of(detector: Detector) -> Ladder:
    floor = 1.0 if isinstance(detector, Counts) else 1e-9
    return Ladder([Rung(detector, Threshold(floor, "new"), "windows", "a test")])


def raised(ladder: Ladder, windows: Windows) -> list[tuple[int, str]]:
    """Window and pattern of each finding, in the order of the windows."""
    return sorted(
        (a.window, pattern_id(a.rung.detector.name, a.rung.detector.unit, e.parts))
        for a in ladder.detect("windows", windows, VOCABULARY)
        for e in a.evidence
    )


class TestMakeUps:
    @each_unit
    @given(history=sequences, today=any_sessions)
    def test_learning_what_was_confirmed_changes_nothing_of_what_is_raised(
        self, unit: str, history: list[list[int]], today: list[list[int]]
    ) -> None:
        windows = sessions(today)
        first = raised(ladder_of(learned(unit, history)), windows)
        wiser = ladder_of(learned(unit, history + today))
        assert raised(wiser, windows) == []
        plain = list(wiser.rungs)
        wiser.rungs = with_confirmed(plain, (), {unit: {pattern for _, pattern in first}})
        assert raised(wiser, windows) == first
        assert with_confirmed(wiser.rungs, (), {}) == plain

    @each_unit
    @given(history=sequences, today=any_sessions)
    def test_what_is_new_is_raised_once_and_in_the_words_of_its_detector(
        self, unit: str, history: list[list[int]], today: list[list[int]]
    ) -> None:
        ladder, windows = ladder_of(learned(unit, history)), sessions(today)
        alarms = list(ladder.detect("windows", windows, VOCABULARY))
        patterns = {pattern for _, pattern in raised(ladder, windows)}
        ladder.rungs = with_confirmed(ladder.rungs, (), {unit: patterns})
        again = list(ladder.detect("windows", windows, VOCABULARY))
        assert [(a.window, a.evidence) for a in again] == [(a.window, a.evidence) for a in alarms]

    @each_unit
    def test_only_what_was_confirmed(self, unit: str) -> None:
        windows = sessions([NORMAL[0], OTHER, BAD])
        first = raised(ladder_of(learned(unit, NORMAL)), windows)
        real = {pattern for window, pattern in first if window == 2}
        wiser = ladder_of(learned(unit, [*NORMAL, OTHER, BAD]))
        wiser.rungs = with_confirmed(wiser.rungs, (), {unit: real})
        (alarm,) = wiser.detect("windows", windows, VOCABULARY)
        assert alarm.window == 2
        assert all(e.summary.startswith("known trouble: ") for e in alarm.evidence)
        assert all(set(e.rows) <= set(range(7, 14)) and e.rows for e in alarm.evidence)

    def test_a_new_two_gram_beside_a_confirmed_one_is_raised_too(self) -> None:
        real = raised(ladder_of(learned("bigram", NORMAL)), sessions([BAD]))
        both = sessions([[*BAD[:-1], 5, 2]])
        ladder = ladder_of(learned("bigram", [*NORMAL, BAD]))
        new = raised(ladder, both)
        ladder.rungs = with_confirmed(ladder.rungs, (), {"bigram": {p for _, p in real}})
        found = raised(ladder, both)
        assert new
        assert set(new) < set(found)
        assert {p for _, p in found} & {p for _, p in real}

    def test_another_alarm_of_the_window_does_not_hide_it(self) -> None:
        ((_, pattern),) = raised(ladder_of(learned("count_vector", NORMAL)), sessions([BAD]))
        ladder = ladder_of(learned("event_set", NORMAL))
        ladder.rungs = with_confirmed(ladder.rungs, (), {"count_vector": {pattern}})
        assert (0, pattern) in raised(ladder, sessions([BAD]))

    @each_unit
    def test_windows_that_are_no_sessions_have_no_make_up(self, unit: str) -> None:
        real = {p for _, p in raised(ladder_of(learned(unit, NORMAL)), sessions([BAD]))}
        windows = sessions([BAD])
        detector = ConfirmedMakeUps(unit, real)
        assert detector.score(windows, VOCABULARY).tolist() == [1.0]
        windows.kind = "count"
        assert detector.score(windows, VOCABULARY).tolist() == [0.0]
        assert detector.score(sessions([]), VOCABULARY).tolist() == []

    @each_unit
    def test_saved_and_loaded_it_is_the_same(self, unit: str) -> None:
        real = {p for _, p in raised(ladder_of(learned(unit, NORMAL)), sessions([BAD]))}
        state = ConfirmedMakeUps(unit, real).save()
        other = ConfirmedMakeUps()
        other.load(State(json.loads(json.dumps(state.meta)), state.tables))
        assert (other.unit, other.patterns) == (unit, real)
        assert other.score(sessions([NORMAL[0], BAD]), VOCABULARY).tolist() == [0.0, 1.0]


class TestTemplates:
    def test_a_known_template_is_raised_by_its_id(self) -> None:
        windows = sessions([NORMAL[0], BAD])
        vocabulary = type("Known", (), {"known": 12, "__len__": lambda _: 12})()
        vocabulary.templates, vocabulary.hashes = VOCABULARY.templates, VOCABULARY.hashes
        detector = Confirmed([VOCABULARY.templates[3].id])
        assert detector.score(windows, vocabulary).tolist() == [0.0, 1.0]
        (evidence,) = detector.evidence(windows, 1, vocabulary, 1.0)
        assert (evidence.templates, evidence.rows) == ([3], [8])
        assert evidence.parts == [VOCABULARY.templates[3].id]

    def test_it_runs_where_all_records_are_read(self) -> None:
        ladder = ladder_of(learned("event_set", NORMAL))
        assert with_confirmed(ladder.rungs, ["t-1"], {}) == ladder.rungs
        unseen = Rung(Unseen("template"), Threshold(0.1, "new"), "records", "a test")
        (first, second) = with_confirmed([unseen], ["t-1"], {})
        assert isinstance(first.detector, Confirmed)
        assert second is unseen


MADE = Found("p-" + "a" * 16, "counts", "count_vector", ("t-1", "t-2"), ("one", "two"))


def real(number: int, *which: Found, word: str = "real", **more: object) -> Verdict:
    subjects = tuple(found.subject() for found in which or (MADE,))
    return Verdict.model_validate({"number": number, "word": word, "subjects": subjects, **more})


class TestVerdicts:
    """Which make-ups verdicts say are real, wherever they come."""

    def test_real_until_it_is_undone_or_overruled(self) -> None:
        judge = Judge()
        assert judge.real_make_ups == {}
        judge.add(real(1))
        assert judge.real_make_ups == {"count_vector": {MADE.pattern}}
        judge.add(real(2, word="benign"))
        assert judge.real_make_ups == {}
        judge.add(Undo(number=3, undoes=2))
        assert judge.real_make_ups == {"count_vector": {MADE.pattern}}
        judge.add(Undo(number=4, undoes=1))
        assert judge.real_make_ups == {}

    def test_templates_are_none(self) -> None:
        judge = Judge()
        judge.add(real(1, Found("p-" + "b" * 16, "unseen", "template", ("t-1",), ("one",))))
        assert judge.real_make_ups == {}

    def test_one_of_several_suspects_is_not_yet_the_culprit(self) -> None:
        pair = Found("p-" + "c" * 16, "unseen", "bigram", ("t-1", "t-2"), ("one", "two"))
        judge = Judge()
        judge.add(real(1, MADE, pair))
        assert judge.real_make_ups == {}
        judge.add(real(2, MADE, word="benign"))
        assert judge.real_make_ups == {"bigram": {pair.pattern}}

    def test_real_on_one_host_is_no_standing_alarm_elsewhere(self) -> None:
        judge = Judge()
        judge.add(real(1, scope=Scope(host="web7")))
        assert judge.real_make_ups == {}
