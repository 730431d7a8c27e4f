"""The backbone: a GPT-Neo checkpoint read from a folder or by name, and what is wrong with one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from logwright.errors import ModelError
from neo_checkpoint import TEXTS, checkpoint

pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("transformers", reason="needs the extra train")

from logwright.sequence import backbone

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint(tmp_path_factory.mktemp("neo"))


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    for file in saved.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_weights_are_those_of_the_file(saved: Path) -> None:
    from safetensors.torch import load_file

    held = load_file(saved / "model.safetensors")
    read = backbone.read(saved)
    for name, number in read.neo.named_parameters():
        assert held[f"transformer.{name}"].equal(number), name


def test_both_forms_of_the_tokenizer_give_the_same_numbers(saved: Path, folder: Path) -> None:
    import tokenizers

    pair = backbone.read(saved).texts
    encoding = tokenizers.ByteLevelBPETokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt")
    )
    encoding.save(str(folder / "tokenizer.json"))
    (folder / "vocab.json").unlink()
    whole = backbone.read(folder).texts
    assert [whole(text) for text in TEXTS] == [pair(text) for text in TEXTS]


def test_wildcards_and_spacing_say_nothing(saved: Path) -> None:
    texts = backbone.read(saved).texts
    assert texts("Deleting block <*> file <*>") == texts("  Deleting  block file")
    assert texts("<*> <*>") == [texts.between]
    assert texts("") == [texts.between]


def test_a_word_no_tokenizer_saw_still_has_numbers(saved: Path) -> None:
    texts = backbone.read(saved).texts
    assert len(texts("Überlauf 内存 \x00")) > 3
    flat, bounds = texts.rows(["block", "", "x" * 10_000])
    assert bounds.tolist()[-1] == len(flat)
    assert bounds[3] - bounds[2] == backbone.MOST_TOKENS


def spoil_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: spoil_config(f, model_type="gpt2"), "of the architecture gpt2"),
        (lambda f: spoil_config(f, hidden_size=32, num_heads=2), "cannot be loaded"),
        (lambda f: spoil_config(f, num_layers=6), "cannot be loaded"),
        (lambda f: spoil_config(f, vocab_size="many"), "cannot be loaded"),
        (lambda f: (f / "config.json").unlink(), "no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "cannot be read"),
        (lambda f: (f / "config.json").write_text("[]"), "architecture unknown"),
        (lambda f: (f / "model.safetensors").unlink(), "no model.safetensors"),
        (lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), "is a pickle"),
        (lambda f: (f / "model.safetensors").write_bytes(b""), "cut off or damaged"),
        (lambda f: (f / "vocab.json").unlink(), "no tokenizer"),
        (lambda f: (f / "merges.txt").unlink(), "no tokenizer"),
        (lambda f: (f / "vocab.json").write_text("{"), "tokenizer in"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), "tokenizer in"),
        (lambda f: add_tokens(f, 1_000), "do not belong together"),
    ],
)
def test_each_fault_is_one_sentence(folder: Path, spoil: Any, said: str) -> None:
    spoil(folder)
    with pytest.raises(ModelError) as caught:
        backbone.read(folder)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def add_tokens(folder: Path, count: int) -> None:
    path = folder / "vocab.json"
    words = json.loads(path.read_text())
    path.write_text(json.dumps(words | {f"w{at}": len(words) + at for at in range(count)}))


@pytest.mark.parametrize("share", [0.001, 0.3, 0.999])
def test_a_file_cut_off_anywhere_is_refused(folder: Path, share: float) -> None:
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ModelError, match="cut off or damaged"):
        backbone.read(folder)


def test_a_checkpoint_that_lacks_a_weight_is_not_filled_with_noise(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    held = load_file(path)
    del held["transformer.h.1.mlp.c_fc.weight"]
    save_file(held, path, {"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 of GPT-Neo's weights, such as h\.1\.mlp"):
        backbone.read(folder)


def test_parts_are_read_and_an_absent_one_named(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    held = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(held)
    parts = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for part, some in parts.items():
        save_file({name: held[name] for name in some}, folder / part, {"format": "pt"})
    where = {name: part for part, some in parts.items() for name in some}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": where}))
    read = backbone.read(folder)
    assert held["transformer.wte.weight"].equal(read.neo.wte.weight)
    (folder / "model-2.safetensors").unlink()
    with pytest.raises(ModelError, match=r"lacks model-2\.safetensors"):
        backbone.read(folder)
    index.write_text("[]")
    with pytest.raises(ModelError, match="cannot be read"):
        backbone.read(folder)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("./nothing/here", "There is no folder ./nothing/here"),
        ("", "There is no folder"),
        ("two words", "neither a folder nor the name"),
        ("somebody/gpt-neo", "not on this machine and could not be fetched"),
    ],
)
def test_a_name_without_a_network_is_one_sentence(
    name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    # What HF_HUB_OFFLINE=1 sets when it is there before the import.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError) as caught:
        backbone.read(name)
    assert said in str(caught.value)
