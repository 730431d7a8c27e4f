"""Checkpoints: whole or not at all, and one sentence for each file that does not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
files = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")

from logwright.errors import ModelError  # noqa: E402
from logwright.sequence.checkpoint import CHECKPOINT_FORMAT, architecture, load, save  # noqa: E402
from logwright.sequence.presets import preset  # noqa: E402
from logwright.sequence.vocabulary import EventVocabulary  # noqa: E402

EVENTS = EventVocabulary(["a", "b"], ["disk full", "disk ok"])
TINY = architecture(preset("tiny"), EVENTS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save(tmp_path / "new" / "run.safetensors", {"w": torch.arange(4.0)}, {"architecture": TINY})
    return tmp_path / "new" / "run.safetensors"


def test_tensors_and_facts_come_back(path: Path) -> None:
    tensors, facts = load(path, TINY)
    assert torch.equal(tensors["w"], torch.arange(4.0))
    assert facts == {"format": CHECKPOINT_FORMAT, "architecture": TINY}
    assert [p.name for p in path.parent.iterdir()] == ["run.safetensors"]


def test_a_write_that_fails_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(ModelError, match="cannot be written: No space left"):
        save(path, {"w": torch.zeros(4)}, {})
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["run.safetensors"]


@pytest.mark.parametrize("size", [0, 5, 40, -1])
def test_a_truncated_file_is_one_sentence(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ModelError, match=r"damaged or no checkpoint: train again without it$"):
        load(path)


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no such checkpoint"):
        load(tmp_path / "none")


def test_weights_of_another_program_are_told(tmp_path: Path) -> None:
    files.save_file({"w": torch.zeros(1)}, tmp_path / "x")
    with pytest.raises(ModelError, match="not written by Logwright"):
        load(tmp_path / "x")


@pytest.mark.parametrize("told", ["", "[]", '{"format": "1"}', "{"])
def test_facts_that_are_none_are_damage(tmp_path: Path, told: str) -> None:
    files.save_file({"w": torch.zeros(1)}, tmp_path / "x", {"logwright": told})
    with pytest.raises(ModelError, match="is damaged"):
        load(tmp_path / "x")


def test_a_newer_format_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logwright.sequence.checkpoint.CHECKPOINT_FORMAT", CHECKPOINT_FORMAT - 1)
    with pytest.raises(ModelError, match="newer version"):
        load(path)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (architecture(preset("recurrent"), EVENTS), "its preset is tiny, not recurrent"),
        (architecture(replace(preset("tiny"), width=32), EVENTS), "its width is 64, not 32"),
        (architecture(preset("tiny"), EventVocabulary(["a"])), "its events is 2, not 1"),
        (architecture(preset("tiny"), EventVocabulary(["a", "c"])), "made for other events"),
    ],
)
def test_another_architecture_is_told_with_what_differs(
    path: Path, other: dict[str, object], told: str
) -> None:
    with pytest.raises(ModelError, match=told):
        load(path, other)


def test_events_met_later_do_not_change_what_fits() -> None:
    vocabulary = EventVocabulary(["a", "b"], ["disk full", "disk ok"])
    vocabulary.meet("c", "new")
    assert architecture(preset("tiny"), vocabulary) == TINY
