"""Presets: stages' configurations for families of models; needs no torch.

Batches are for one GPU of 80 GB; `batch` x `accumulation` is R-Log's for each. Learning rates of
LoRA are ten times those of full tuning, which is where it learns as well (Biderman et al., 2024).
Full tuning of 7 and 8 billion weights by Adam in bfloat16 takes about 90 GB: LoRA is their default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from logwright.errors import SettingsError
from logwright.reasoning.training.configs import CONFIGS, LoraShape, StageConfig, known

__all__ = ["PRESETS", "Preset", "config_of", "preset_of"]

_LORA_FASTER = 10.0


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings for models of one family and size; what is not named is the stage's default."""

    name: str
    about: str
    lora: LoraShape | None = None
    stages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


PRESETS = (
    Preset("default", "R-Log's settings as they are; any model"),
    Preset(
        "qwen2.5-0.5b",
        "Qwen2.5 0.5B: full tuning fits in 16 GB",
        stages={
            "plan": {"batch": 8, "accumulation": 2},
            "steps": {"batch": 8, "accumulation": 2},
            "preference": {"batch": 8, "accumulation": 2},
            "grpo": {"batch": 32, "accumulation": 2},
        },
    ),
    Preset(
        "qwen2.5-1.5b",
        "Qwen2.5 1.5B: full tuning",
        stages={
            "plan": {"batch": 8, "accumulation": 2},
            "steps": {"batch": 8, "accumulation": 2},
            "preference": {"batch": 4, "accumulation": 4},
            "grpo": {"batch": 16, "accumulation": 4},
        },
    ),
    Preset(
        "qwen2.5-7b",
        "Qwen2.5 7B, which R-Log uses: LoRA on one GPU",
        lora=LoraShape(),
        stages={"grpo": {"batch": 8, "accumulation": 8}},
    ),
    Preset(
        "llama-3-8b",
        "Llama 3 and 3.1 8B: LoRA on one GPU",
        lora=LoraShape(),
        stages={"grpo": {"batch": 8, "accumulation": 8}},
    ),
)


def preset_of(name: str) -> Preset:
    """The preset of this name.

    >>> preset_of("gpt")
    Traceback (most recent call last):
    logwright.errors.SettingsError: there is no preset 'gpt': expected default, qwen2.5-0.5b, ...
    """
    for preset in PRESETS:
        if preset.name == name:
            return preset
    names = ", ".join(preset.name for preset in PRESETS)
    raise SettingsError(f"there is no preset {name!r:.80}: expected {names}")


def config_of(
    stage: str, preset: str = "default", lora: bool | None = None, **settings: Any
) -> StageConfig:
    """The configuration of a stage. `lora`: None is as the preset has it. `settings` come last.

    >>> config_of("grpo", "qwen2.5-7b", seed=3).lora
    LoraShape(rank=16, alpha=32, dropout=0.0)
    >>> config_of("steps", "qwen2.5-1.5b").learning_rate
    2e-05
    >>> config_of("steps", "qwen2.5-7b").learning_rate
    0.0002
    >>> config_of("plan", kl=1)
    Traceback (most recent call last):
    logwright.errors.SettingsError: stage plan has no setting 'kl'
    """
    if stage not in CONFIGS:
        raise SettingsError(f"there is no stage {stage!r:.80}: expected {', '.join(CONFIGS)}")
    chosen = preset_of(preset)
    shape = chosen.lora if lora is None else (chosen.lora or LoraShape()) if lora else None
    wanted: dict[str, Any] = {**chosen.stages.get(stage, {}), "lora": shape}
    if shape is not None:
        wanted["learning_rate"] = CONFIGS[stage].learning_rate * _LORA_FASTER
    for name in settings:
        if name not in known(stage):
            raise SettingsError(f"stage {stage} has no setting {name!r}")
    return CONFIGS[stage](**{**wanted, **settings})
