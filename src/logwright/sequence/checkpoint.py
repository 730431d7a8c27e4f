"""Checkpoints: weights and facts in one file, written whole or not at all.

A file is of the safetensors format, whose header takes text: there the facts stand, as JSON. It is
written under another name and then renamed, so that an end at any moment leaves the old file or the
new one. Nothing in it is ever run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from logwright.errors import MissingExtraError, ModelError
from logwright.sequence.presets import Preset
from logwright.sequence.vocabulary import EventVocabulary

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["CHECKPOINT_FORMAT", "architecture", "load", "save"]

CHECKPOINT_FORMAT = 1
_FACTS = "logwright"


def architecture(preset: Preset, vocabulary: EventVocabulary) -> dict[str, Any]:
    """What must be the same for weights to fit: the network's measures and the events learned.

    >>> from logwright.sequence.presets import preset
    >>> architecture(preset("tiny"), EventVocabulary(["a"]))["layers"]
    2
    """
    learned = list(zip(vocabulary.ids, vocabulary.texts, strict=True))[: vocabulary.known]
    told = json.dumps(learned).encode("utf-8", "surrogatepass")
    return {
        "preset": preset.name,
        "kind": preset.kind,
        "width": preset.width,
        "layers": preset.layers,
        "heads": preset.heads,
        "reach": [preset.reach_global, preset.reach_local],
        "events": vocabulary.known,
        "texts": sha256(told).hexdigest()[:16],
    }


def save(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors and facts (whatever JSON can hold) to `path`."""
    try:
        from safetensors.torch import save_file
    except ImportError:
        raise MissingExtraError("train", "safetensors") from None
    work = path.with_name(f".{path.name}.{os.getpid()}")
    held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    told = json.dumps({"format": CHECKPOINT_FORMAT, **facts})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(held, work, {_FACTS: told})
        with open(work, "rb") as file:
            os.fsync(file.fileno())
        os.replace(work, path)
    except OSError as error:
        raise ModelError(f"{path}: the checkpoint cannot be written: {error.strerror}") from None
    finally:
        work.unlink(missing_ok=True)


def load(
    path: Path, fits: Mapping[str, Any] | None = None
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and facts of a file. With `fits`, an `architecture`, that of the file must be it."""
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise MissingExtraError("train", "safetensors") from None
    if not path.is_file():
        raise ModelError(f"{path}: there is no such checkpoint")
    try:
        with safe_open(path, framework="pt") as file:
            told = (file.metadata() or {}).get(_FACTS)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError):
        raise ModelError(f"{path} is damaged or no checkpoint: train again without it") from None
    facts = _facts(path, told)
    if fits is not None:
        _check(path, facts.get("architecture"), fits)
    return tensors, facts


def _facts(path: Path, told: str | None) -> dict[str, Any]:
    if told is None:
        raise ModelError(f"{path} holds weights, but was not written by Logwright")
    try:
        facts = json.loads(told)
    except ValueError:
        facts = None
    if not isinstance(facts, dict) or not isinstance(facts.get("format"), int):
        raise ModelError(f"{path} is damaged: train again without it")
    if facts["format"] > CHECKPOINT_FORMAT:
        raise ModelError(f"{path} was written by a newer version of Logwright")
    return facts


def _check(path: Path, found: Any, fits: Mapping[str, Any]) -> None:
    if not isinstance(found, dict):
        raise ModelError(f"{path} is damaged: train again without it")
    for key, wanted in fits.items():
        if found.get(key) == wanted:
            continue
        if key == "texts":
            raise ModelError(f"{path} was made for other events: train again without it")
        raise ModelError(
            f"{path} is of another architecture: its {key} is {found.get(key)}, not {wanted}"
        )
