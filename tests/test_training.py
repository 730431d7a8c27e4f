"""Training: a step that finds what is out of order, the same for the same seed, or a sentence."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import logwright as lw
from logwright import training
from logwright.api import detect
from logwright.detectors.base import Detector
from logwright.detectors.sequence import FILE
from logwright.errors import InputError, MissingExtraError, ModelError, SettingsError
from logwright.lessons import History, history_of
from logwright.model import Model
from logwright.settings import load_settings
from logwright.training import FLOOR, Wish, threshold_of, train
from logwright.windows.window import Windows
from training_logs import requests, swapped

pytestmark = pytest.mark.slow

KEY = r"req-[0-9a-f]+"
QUICK = Wish(steps=60)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = tmp_path_factory.mktemp("training")
    (folder / "history.log").write_text(requests(0, 300))
    model = lw.learn(str(folder / "history.log"), session=KEY, session_gap=20.0)
    model.save(folder / "model")
    return Model.load(folder / "model")


@pytest.fixture(scope="module")
def history(model: Model) -> History:
    assert model.folder is not None
    return history_of([str(model.folder.parent / "history.log")], model, load_settings())


def quiet(stage: str, done: int, of: int, numbers: Mapping[str, float]) -> None:
    """Tells nobody."""


@pytest.fixture(scope="module")
def stages() -> dict[str, dict[str, float]]:
    """What training told last, by stage."""
    return {}


@pytest.fixture(scope="module")
def made(model: Model, history: History, stages: dict[str, dict[str, float]]) -> Path:
    """A model's folder with a trained step."""
    for needed in ("torch", "onnx", "onnxruntime", "safetensors"):
        pytest.importorskip(needed, reason=f"training needs {needed}")

    def tell(stage: str, done: int, of: int, numbers: Mapping[str, float]) -> None:
        stages.setdefault(stage, {}).update(numbers)

    assert model.folder is not None
    folder = model.folder.parent / "trained"
    held = Model.load(model.folder)
    held.ladder.add_sequence(train(history, held, QUICK, tell))
    held.save(folder)
    return folder


class TestTrained:
    def test_it_finds_a_request_whose_events_are_out_of_order(
        self, made: Path, model: Model, tmp_path: Path
    ) -> None:
        log = tmp_path / "today.log"
        log.write_text(requests(400, 20) + swapped(420) + requests(421, 20))
        assert detect([str(log)], model).findings == []
        found = detect([str(log)], Model.load(made)).findings
        assert {f.detector for f in found} == {"sequence"}
        assert {f.window.key for f in found} == {"req-9f01a4"}
        worst = max(found, key=lambda f: f.score)
        assert worst.score >= worst.threshold
        assert "chance" in worst.summary
        assert worst.expected.startswith("event 2 of 5: 'req-<*> is let in' ")
        (line,) = [line for line in worst.lines if line.highlight]
        assert line.text.endswith("req-9f01a4 sends the answer")

    def test_its_folder_holds_the_network_and_says_so(self, made: Path) -> None:
        assert (made / FILE).stat().st_size > 1_000
        assert "sequence (next_event): tiny network" in (made / "card.md").read_text()
        again = Model.load(made)
        again.save(made.parent / "copy")
        assert (made.parent / "copy" / FILE).read_bytes() == (made / FILE).read_bytes()

    def test_what_is_told_on_the_way(self, made: Path, stages: dict[str, dict[str, float]]) -> None:
        assert {"loss", "check"} <= set(stages["pretraining"])
        assert stages["calibration"]["threshold"] >= FLOOR

    def test_an_event_never_seen_in_training_has_a_finite_score(
        self, made: Path, history: History
    ) -> None:
        step = Model.load(made).ladder.rungs[-1].detector
        last = len(history.vocabulary) - 1
        windows = Windows.of_sequences([[0, last], [last]])
        assert np.isfinite(step.score(windows, history.vocabulary)).all()

    def test_without_onnxruntime_the_rest_runs_and_a_note_says_why(
        self, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        log = tmp_path / "today.log"
        log.write_text(requests(400, 20) + swapped(420))
        result = detect([str(log)], Model.load(made))
        assert result.findings == []
        (note,) = [n for n in result.run.notes if "sequence step" in n]
        assert "pip install 'logwright[sequence]'" in note

    def test_the_same_seed_gives_the_same_network(self, made: Path, history: History) -> None:
        held = Model.load(made)
        few = replace(QUICK, steps=4)
        one, two = (train(history, held, few, quiet).detector.save() for _ in range(2))
        other = train(history, held, replace(few, seed=1), quiet).detector.save()
        assert one.files == two.files
        assert one.files != other.files

    def test_a_run_that_was_cut_short_goes_on(
        self, made: Path, history: History, tmp_path: Path
    ) -> None:
        held, file = Model.load(made), tmp_path / "run.safetensors"
        wish = replace(QUICK, steps=4, checkpoint=file)
        first = train(history, held, wish, quiet).detector.save()
        assert file.is_file()
        again = train(history, held, wish, quiet).detector.save()
        assert again.files == first.files
        assert again.meta["steps"] == 4


class TestTuned:
    @pytest.mark.parametrize("rl", ["neo", "loggpt"])
    def test_it_changes_the_network_and_tells_of_rewards(
        self, made: Path, history: History, rl: str
    ) -> None:
        told: dict[str, float] = {}

        def tell(stage: str, done: int, of: int, numbers: Mapping[str, float]) -> None:
            if stage == "tuning":
                told.update(numbers)

        held, few = Model.load(made), replace(QUICK, steps=4)
        plain = train(history, held, few, quiet).detector.save()
        tuned = train(history, held, replace(few, rl=rl), tell).detector.save()
        assert tuned.meta["rl"] == rl
        assert tuned.files != plain.files
        assert {"loss", "reward"} <= set(told)

    def test_verdicts_make_what_is_real_less_expected(self, made: Path, history: History) -> None:
        """A quarter of the requests that read the page twice are called real."""
        twice = history.windows.sizes == 6
        some = twice & (np.cumsum(twice) % 2 == 0)
        marked = replace(history, marks=some.astype(np.int32))
        held = Model.load(made)
        wish = replace(QUICK, steps=30)
        plain, tuned = (
            train(marked, held, replace(wish, rl=rl), quiet).detector for rl in ("none", "verdicts")
        )
        normal, real = history.windows.select(~twice), history.windows.select(some)

        def apart(step: Detector) -> float:
            scores = [step.score(part, history.vocabulary).mean() for part in (real, normal)]
            return float(scores[0] - scores[1])

        assert apart(tuned) > apart(plain)

    def test_without_a_real_session_there_is_nothing_to_tune_on(
        self, made: Path, history: History
    ) -> None:
        marked = replace(history, marks=np.zeros(len(history.windows), np.int32))
        with pytest.raises(InputError, match="nothing to tune on"):
            train(marked, Model.load(made), replace(QUICK, steps=2, rl="verdicts"), quiet)


class TestRefused:
    def test_the_large_preset_and_its_backbone_go_together(self, model: Model) -> None:
        for wish in (Wish("neo-1.3b"), Wish("tiny", backbone="some/checkpoint")):
            with pytest.raises(SettingsError, match="go together"):
                training.check(model, wish)

    def test_a_model_of_an_older_version(self, model: Model) -> None:
        with pytest.raises(ModelError, match="learned by an older version"):
            training.check(replace(model, format=1), Wish())

    @pytest.mark.parametrize(
        ("package", "extra"), [("torch", "train"), ("onnx", "train"), ("onnxruntime", "sequence")]
    )
    def test_what_is_not_installed(
        self, model: Model, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def found(name: str) -> object:
            return None if name == package else object()

        monkeypatch.setattr(importlib.util, "find_spec", found)
        with pytest.raises(MissingExtraError, match=rf"{package}, .*logwright\[{extra}\]"):
            training.check(model, Wish())


@given(
    scores=st.lists(st.floats(0, 30), min_size=1, max_size=3_000).map(np.array),
    budget=st.floats(0.1, 1_000),
)
def test_alarms_on_history_stay_within_the_budget(
    model: Model, scores: np.ndarray, budget: float
) -> None:
    held = replace(model, settings={**model.settings, "budget": budget})
    threshold = threshold_of(scores, held, 0)
    assert threshold.value >= FLOOR
    assert threshold.alarms(scores).sum() <= budget / 10_000 * len(scores)


def test_windows_that_are_no_sessions_have_a_budget_by_time(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(requests(0, 100))
    held = lw.learn(str(log), session="none", window="10", budget=5.0)
    scores = np.linspace(5.0, 9.0, 1_000)
    for days in (1, 4):
        threshold = threshold_of(scores, held, days * 86_400 * 10**9)
        assert threshold.alarms(scores).sum() == 5 * days
    assert threshold_of(scores, held, 0).value > scores.max()
