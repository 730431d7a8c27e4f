"""The sequence step: what is not expected is told with what was, and only where nothing else is."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import logwright as lw
from logwright import api
from logwright.detectors.base import State
from logwright.detectors.counts import Counts
from logwright.detectors.ladder import Ladder, Rung
from logwright.detectors.sequence import FILE, NextEvent, percent
from logwright.detectors.thresholds import Threshold
from logwright.errors import MissingExtraError, ModelError
from logwright.findings.finding import pattern_id
from logwright.model import Model
from logwright.sequence.scoring import MEAN_WEIGHT
from logwright.windows.window import Windows
from step_fakes import fake, real, scorer_of, state_of, trained
from test_detectors import VOCABULARY, FakeVocabulary, sessions

pytestmark = pytest.mark.slow

A, B, C = (VOCABULARY.templates[i].text for i in range(3))
ANY = Threshold(4.0, "test")


def score_of(*surprises: float) -> float:
    """What a window scores whose events, and end, surprise by this."""
    return max(surprises) + MEAN_WEIGHT * sum(surprises) / len(surprises)


def rung(detector: NextEvent, value: float = 4.0) -> Rung:
    return Rung(detector, Threshold(value, "test"), "windows", "test")


class TestScores:
    def test_the_least_expected_step_and_the_mean_are_the_score(self) -> None:
        step = trained(VOCABULARY, 3, {(A, B): 1.5, (B, C): 7.0})
        assert step.score(sessions([[0, 1], [0, 1, 2], [0]]), VOCABULARY).tolist() == [
            score_of(0.0, 1.5, 0.0),
            score_of(0.0, 1.5, 7.0, 0.0),
            0.0,
        ]

    def test_an_end_is_an_event_of_sessions_only(self) -> None:
        step = trained(VOCABULARY, 3, {(A, "(end)"): 9.0})
        assert step.score(sessions([[0]]), VOCABULARY).tolist() == [score_of(0.0, 9.0)]
        others = trained(VOCABULARY, 3, {(A, "(end)"): 9.0})
        tumbling = Windows.of_sequences([[0]], kind="count")
        assert others.score(tumbling, VOCABULARY).tolist() == [0.0]

    def test_what_was_scored_before_is_not_computed_again(self) -> None:
        step = trained(VOCABULARY, 3)
        scorer = scorer_of(step)
        first = step.score(sessions([[0, 1]] * 100 + [[1]]), VOCABULARY)
        assert scorer.asked == 2
        again = step.score(sessions([[1], [0, 1], [2]]), VOCABULARY)
        assert scorer.asked == 3
        assert again[:2].tolist() == [first[100], first[0]]

    @given(st.lists(st.lists(st.integers(0, 11), max_size=4), max_size=40))
    def test_however_little_is_remembered_scores_are_the_same(self, today: list[list[int]]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            plain, forgetful = trained(VOCABULARY, 6), trained(VOCABULARY, 6)
            expected = [plain.score(sessions([one]), VOCABULARY)[0] for one in today]
            patch.setattr("logwright.detectors.sequence._MEMO", 3)
            half = len(today) // 2
            for part in (today[:half], today[half:], today):
                found = forgetful.score(sessions(part), VOCABULARY)
                assert found.tolist() == expected[: len(part)] or part is not today
            assert found.tolist() == expected

    def test_templates_keep_their_event_when_the_vocabulary_grows_or_is_another(self) -> None:
        step = trained(VOCABULARY, 3, {(A, B): 5.0})
        small, large = FakeVocabulary(2), FakeVocabulary(9)
        mixed = FakeVocabulary(2)
        mixed.templates.reverse()
        mixed.hashes = mixed.hashes[::-1].copy()
        for vocabulary, session in ((small, [0, 1]), (large, [0, 1]), (mixed, [1, 0])):
            assert step.score(sessions([session]), vocabulary).tolist() == [score_of(0.0, 5.0, 0.0)]


class TestEvidence:
    def test_it_says_what_came_where_and_what_was_expected(self) -> None:
        step = trained(VOCABULARY, 3, {(A, B): 1.0, (B, C): 8.5})
        today = sessions([[2], [0, 0, 1, 2, 0]])
        (found,) = step.evidence(today, 1, VOCABULARY, 4.0)
        assert found.score == pytest.approx(score_of(0.0, 0.0, 1.0, 8.5, 0.0, 0.0))
        assert f"'{C}' after '{B}', event 4 of 5, chance 0.02%" in found.summary
        assert found.expected == f"event 4 of 5: the end 90%, '{A}' 9.0%"
        assert found.seen == f"'{C}' 0.02%"
        assert found.key_rows == [4]
        assert found.rows == [1, 2, 3, 4]
        assert found.templates == [2, 1]

    def test_the_first_event_and_the_end_are_steps_too(self) -> None:
        step = trained(VOCABULARY, 3, {("(start)", B): 6.0, (B, "(end)"): 9.0})
        end, begin = step.evidence(sessions([[1]]), 0, VOCABULARY, 4.0)
        assert f"'{B}' begins the session, event 1 of 1" in begin.summary
        assert f"the session ends after '{B}', after 1 event" in end.summary
        assert end.key_rows == begin.key_rows == [0]

    def test_a_pattern_is_the_step_whatever_its_score_and_place(self) -> None:
        steps = {(A, C): 6.0}
        step = trained(VOCABULARY, 3, steps)
        today = sessions([[0, 2], [1, 0, 2, 0, 2]])
        patterns, scores = set(), set()
        for i, value in ((0, 6.0), (1, 9.0)):
            steps[A, C] = value
            (found,) = step.evidence(today, i, VOCABULARY, 4.0)
            scores.add(found.score)
            patterns.add(pattern_id(step.name, step.unit, found.parts))
        assert len(patterns) == 1
        assert len(scores) == 2
        steps[B, C] = 6.0
        (other,) = step.evidence(sessions([[1, 2]]), 0, VOCABULARY, 4.0)
        assert pattern_id(step.name, step.unit, other.parts) not in patterns

    def test_of_a_window_full_of_surprises_the_worst_are_told(self) -> None:
        names = [t.text for t in VOCABULARY.templates[:6]]
        steps = {(a, b): 5.0 + i for i, (a, b) in enumerate(pairwise(names))}
        step = trained(VOCABULARY, 6, steps)
        found = step.evidence(sessions([[0, 1, 2, 3, 4, 5]]), 0, VOCABULARY, 4.0)
        mean = score_of(5.0, 6.0, 7.0, 8.0, 9.0, 0.0, 0.0) - 9.0
        assert [e.score for e in found] == [9.0 + mean, 8.0 + mean, 7.0 + mean]

    @pytest.mark.parametrize(
        ("p", "told"),
        [(1.0, "100%"), (0.31, "31%"), (0.05, "5.0%"), (0.0004, "0.04%"), (0.0, "under 0.001%")],
    )
    def test_probabilities_are_for_people(self, p: float, told: str) -> None:
        assert percent(p) == told


class TestDamaged:
    """The hashes tell damage; what was written wrong is a sentence all the same."""

    @pytest.mark.parametrize("table", ["weights_events", "weights_words", "weights_met"])
    def test_weights_that_do_not_fit(self, table: str) -> None:
        state = whole()
        del state.tables[table]
        with pytest.raises(ModelError, match="train it again"):
            opened(state)
        state = whole()
        columns = state.tables[table]
        state.tables[table] = {name: np.array(["x"] * len(c)) for name, c in columns.items()}
        with pytest.raises(ModelError, match="train it again"):
            opened(state)

    def test_no_network_and_half_a_network(self) -> None:
        state = whole()
        for files in ({}, {FILE: state.files[FILE][:500]}, {FILE: b""}):
            with pytest.raises(ModelError, match="train it again"):
                opened(State(state.meta, state.tables, files))

    def test_fewer_events_than_rows(self) -> None:
        state = whole()
        state.tables["events"] = {n: c[:-1] for n, c in state.tables["events"].items()}
        with pytest.raises(ModelError, match="knows 8 events and names 7: train it again"):
            opened(state)


def whole() -> State:
    """The state of a real step, which may be damaged."""
    for needed in ("torch", "onnx", "onnxruntime"):
        pytest.importorskip(needed)
    state = real(VOCABULARY, 6).save()
    return State(dict(state.meta), {n: dict(t) for n, t in state.tables.items()}, state.files)


def opened(state: State) -> None:
    step = NextEvent()
    step.load(state)
    step.open()


class TestLadder:
    def test_what_a_cheaper_step_flags_is_not_asked_about(self) -> None:
        counts = Counts("event_set")
        counts.fit(sessions([[0, 1]] * 10), VOCABULARY)
        step = trained(VOCABULARY, 3, {(A, B): 9.0, (A, C): 9.0})
        make_up = Rung(counts, Threshold(1.0, "test"), "windows", "test")
        ladder = Ladder([make_up, rung(step)])
        alarms = list(ladder.detect("windows", sessions([[0, 2], [0, 1]]), VOCABULARY))
        assert scorer_of(step).asked == 2, "one window, and its evidence"
        assert [(a.window, a.rung.detector.name) for a in alarms] == [
            (0, "counts"),
            (1, "sequence"),
        ]

    def test_a_part_of_a_session_is_not_judged(self) -> None:
        ladder = Ladder([rung(trained(VOCABULARY, 3, {(A, B): 9.0}))])
        today = sessions([[0, 1], [0, 1]])
        alarms = list(ladder.detect("windows", today, VOCABULARY, np.array([False, True])))
        assert [a.window for a in alarms] == [1]

    def test_training_again_replaces_the_step(self) -> None:
        ladder = Ladder()
        for told in ("one", "two"):
            ladder.add_sequence(Rung(trained(VOCABULARY, 3), ANY, "windows", told))
        assert [r.reason for r in ladder.rungs] == ["two"]
        assert ladder.reasons == ["sequence (next_event): two"]


@pytest.fixture
def model(tmp_path: Path) -> Model:
    """A model with a sequence step whose network is no network."""
    log = tmp_path / "a.log"
    log.write_text("".join(f"job {i} starts\njob {i} done\n" for i in range(50)))
    model = lw.learn(str(log), window="10", session="none")
    step = fake()
    step.load(state_of([t.id for t in model.templates], [t.text for t in model.templates]))
    model.ladder.add_sequence(rung(step))
    model.save(tmp_path / "model")
    return model


class TestFolder:
    def test_the_network_is_a_file_of_the_hashed_part(self, model: Model, tmp_path: Path) -> None:
        folder = tmp_path / "model"
        assert (folder / FILE).read_bytes() == b"onnx"
        again = Model.load(folder)
        assert again.ladder.rungs[-1].detector.save().files == {FILE: b"onnx"}
        assert again.format == 3
        (folder / FILE).write_bytes(b"onn")
        with pytest.raises(ModelError, match=r"sequence\.onnx was changed or damaged"):
            Model.load(folder)

    def test_a_model_without_one_stays_readable_by_older_versions(self, tmp_path: Path) -> None:
        (tmp_path / "b.log").write_text("up\ndown\n" * 30)
        lw.learn(str(tmp_path / "b.log")).save(tmp_path / "plain")
        assert Model.load(tmp_path / "plain").format == 2

    def test_without_onnxruntime_the_rest_of_the_ladder_runs(
        self, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def missing(step: NextEvent) -> None:
            raise MissingExtraError("sequence", "onnxruntime")

        monkeypatch.setattr(NextEvent, "open", missing)
        log = tmp_path / "today.log"
        log.write_text("job 1 starts\ndisk full\n")
        result = api.detect([str(log)], Model.load(tmp_path / "model"))
        assert [f.detector for f in result.findings] == ["unseen"]
        (note,) = [n for n in result.run.notes if "sequence step" in n]
        assert "pip install 'logwright[sequence]'" in note


def test_the_package_loads_without_torch_and_onnxruntime() -> None:
    code = (
        "import sys, logwright, logwright.bundle, logwright.api\n"
        "print(sorted({'torch', 'onnx', 'onnxruntime', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
