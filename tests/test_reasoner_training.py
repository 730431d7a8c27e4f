"""Training of reasoners: stages on a model of 100,000 weights, made here, that knows nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import reasoner_tiny as tiny
from logwright.errors import InputError, ModelError
from logwright.reasoning.training.configs import (
    CONFIGS,
    GrpoConfig,
    LoraShape,
    PreferenceConfig,
    StageConfig,
    StepsConfig,
)
from logwright.reasoning.training.libraries import at_home, load
from logwright.reasoning.training.running import Outcome, train
from reasoner_course import SEEDS, course

for needed in ("torch", "trl", "peft"):
    pytest.importorskip(needed, reason=f"training needs {needed}")

pytestmark = pytest.mark.slow

FEW: dict[str, Any] = {
    "learning_rate": 1e-3,
    "steps": 6,
    "batch": 4,
    "accumulation": 1,
    "most_tokens": 512,
    "reply_tokens": 12,
    "save_every": 2,
    "gradient_checkpointing": False,
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.make(tmp_path_factory.mktemp("models") / "base")


@pytest.fixture(scope="module")
def taught(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The form, and little else."""
    settings = {"learning_rate": 3e-3, "steps": 150, "batch": 32, "reply_tokens": 60}
    items = tiny.items(1000, 0) + tiny.items(40, 0, "validation")
    out = tmp_path_factory.mktemp("models") / "steps"
    return train(StepsConfig(**{**FEW, **settings, "save_every": 1000}), base, items, out)


def few(stage: str, **settings: Any) -> StageConfig:
    more = {
        "grpo": {"batch": 8, "rollouts": 4, "draws_ahead": 2, "reply_tokens": 60},
        "plan": {"most_tokens": 1024},
    }
    return CONFIGS[stage](**{**FEW, **more.get(stage, {}), **settings})


def data(stage: str, many: int = 24) -> list[Any]:
    planned = stage == "plan"
    return tiny.items(many, 0, planned=planned) + tiny.items(4, 0, "validation", planned=planned)


class CutError(Exception):
    """The run ends here."""


def cutter(at: int) -> Callable[[str, int, int, dict[str, float]], None]:
    """Ends a run at the first word that comes at or after so many updates."""

    def progress(_: str, done: int, of: int, numbers: dict[str, float]) -> None:
        if done >= at:
            raise CutError

    return progress


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize("stage", list(CONFIGS))
def test_a_stage_cut_short_and_resumed_ends_with_the_same_weights(
    stage: str, taught: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What knows nothing earns the same with every reply, so that GRPO would change nothing.
    base = taught.folder

    def refuse(*_: Any) -> None:
        raise AssertionError("training reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    items = data(stage)
    whole = train(few(stage), base, items, tmp_path / "whole")
    cut = tmp_path / "cut"
    with pytest.raises(CutError):
        train(few(stage), base, items, cut, progress=cutter(5))
    assert not (cut / "model.safetensors").exists()
    with pytest.raises(ModelError, match="--resume"):
        train(few(stage), base, items, cut)
    # A checkpoint that was being written when the power went.
    (cut / "checkpoints" / "checkpoint-5").mkdir()
    again = train(few(stage), base, items, cut, resume=True)
    assert weights(cut) == weights(tmp_path / "whole") != weights(base)
    assert again.after == whole.after
    assert again.before == whole.before


def test_a_stage_leaves_a_model_its_measures_and_no_pickle(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "steps"
    train(few("steps"), base, data("steps"), out)
    assert {path.name for path in out.iterdir()} == {
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "measures.json",
        "model.safetensors",
        "stage.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    measures = json.loads((out / "measures.json").read_text())
    assert measures["part"] == "validation"
    assert measures["before"]["items"] == measures["after"]["items"] == 4
    assert json.loads((out / "stage.json").read_text())["config"]["steps"] == 6
    with pytest.raises(ModelError, match="done"):
        train(few("steps"), base, data("steps"), out)


def test_low_rank_updates_are_merged(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "lora"
    train(few("steps", lora=LoraShape(rank=4, alpha=8)), base, data("steps"), out)
    assert not list(out.glob("adapter*"))
    with at_home():
        before, after = load(base).model.state_dict(), load(out).model.state_dict()
    assert before.keys() == after.keys()
    changed = {name for name in before if not before[name].equal(after[name])}
    assert changed
    assert all("proj" in name for name in changed)  # neither embeddings nor norms


def test_gradient_checkpointing_changes_memory_not_weights(base: Path, tmp_path: Path) -> None:
    for name, on in (("with", True), ("without", False)):
        train(few("steps", gradient_checkpointing=on), base, data("steps"), tmp_path / name)
    with at_home():
        one, other = (load(tmp_path / name).model.state_dict() for name in ("with", "without"))
    assert all(one[name].allclose(other[name], atol=1e-5) for name in one)


def test_other_settings_are_not_taken_up(base: Path, tmp_path: Path) -> None:
    with pytest.raises(CutError):
        train(few("steps"), base, data("steps"), tmp_path / "a", progress=cutter(2))
    with pytest.raises(ModelError, match="other settings"):
        train(few("steps", seed=1), base, data("steps"), tmp_path / "a", resume=True)
    with pytest.raises(ModelError, match="other settings"):
        train(few("steps"), base, data("steps", 30), tmp_path / "a", resume=True)


def test_what_cannot_be_trained_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        train(few("steps"), tmp_path, data("steps"), tmp_path / "a")
    with pytest.raises(InputError, match="'validation'"):
        train(few("steps"), base, tiny.items(4, 0), tmp_path / "b")
    with pytest.raises(InputError, match="strategy"):
        train(few("plan"), base, data("steps"), tmp_path / "c")
    with pytest.raises(InputError, match="fits"):
        train(few("steps", most_tokens=10), base, data("steps"), tmp_path / "d")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("keep me")
    with pytest.raises(ModelError, match="not empty"):
        train(few("steps"), base, data("steps"), tmp_path / "full")


def test_long_texts_are_left_out_and_counted(base: Path, tmp_path: Path) -> None:
    long = tiny.items(1, 5)[0].model_copy(update={"reasoning": "and so on " * 300})
    outcome = train(few("steps"), base, [*data("steps"), long], tmp_path / "a")
    assert any("1 items have more than 512 tokens" in note for note in outcome.notes)


def test_the_form_is_learned_in_a_minute(taught: Outcome) -> None:
    assert taught.before["format"] == 0.0
    assert taught.after["format"] > 0.9
    assert taught.after["reward"] > taught.before["reward"] + 1.5


def test_pairs_of_the_run_are_kept(base: Path, tmp_path: Path) -> None:
    out = tmp_path / "preference"
    train(few("preference"), base, data("preference"), out)
    pairs = [json.loads(line) for line in (out / "pairs.jsonl").read_text().splitlines()]
    assert len(pairs) == 24  # a model that knows nothing is wrong each time
    assert {pair["origin"] for pair in pairs} == {"teacher"}
    assert all(pair["chosen"].startswith("<think>") for pair in pairs)


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_every_stage_improves_its_measure(seed: int, tmp_path: Path) -> None:
    for stage in course(tmp_path, seed):
        assert stage.after > stage.before, stage


def test_configs_refuse_what_cannot_be() -> None:
    from logwright.errors import SettingsError

    with pytest.raises(SettingsError, match="rollouts"):
        GrpoConfig(batch=3, accumulation=1)
    with pytest.raises(SettingsError, match=r"beta is 0"):
        PreferenceConfig(beta=0)
