"""All four stages one after another, each measured on new lines before and after.

The teacher of the stage steps is sloppy on purpose: half of its reasonings quote the words of
another line than the one they name. So there are mistakes left for the stages after it to mend.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import reasoner_tiny as tiny
from logwright.reasoning.training.configs import CONFIGS
from logwright.reasoning.training.running import train

SEEDS = (10, 11, 12)
"""What is reported; the settings below were chosen on seeds 0, 1 and 2."""
MEASURE = {"plan": "whole", "steps": "answers", "preference": "sound", "grpo": "reward"}
"""What each stage is to improve."""

_COMMON: dict[str, Any] = {
    "accumulation": 1,
    "warmup": 0.1,
    "most_tokens": 512,
    "reply_tokens": 60,
    "save_every": 10_000,
    "gradient_checkpointing": False,
}
_STAGES: dict[str, dict[str, Any]] = {
    "plan": {"learning_rate": 3e-3, "steps": 400, "batch": 16, "reply_tokens": 250},
    "steps": {"learning_rate": 3e-3, "steps": 900, "batch": 32},
    "preference": {"learning_rate": 1e-3, "steps": 40, "batch": 16},
    "grpo": {
        "learning_rate": 1e-4,
        "steps": 60,
        "batch": 128,
        "draws_ahead": 1,
    },
}
_ITEMS = {"plan": 1000, "steps": 3000, "preference": 600, "grpo": 1500}


@dataclass(frozen=True, slots=True)
class Taught:
    """A stage's own measure on held-out items, before and after; `all_after` has all measures."""

    stage: str
    measure: str
    before: float
    after: float
    all_after: dict[str, Any]


def course(folder: Path, seed: int) -> list[Taught]:
    """The stages, each beginning from the model of the one before."""
    model = tiny.make(folder / "base", seed)
    found = []
    for number, (stage, settings) in enumerate(_STAGES.items()):
        config = CONFIGS[stage](**{**_COMMON, **settings, "seed": seed})
        planned, sloppy = stage == "plan", 0.5 if stage == "steps" else 0.0
        # Other training items in each stage, the same held-out ones in all but the first.
        learned = tiny.items(_ITEMS[stage], 100 * seed + number, planned=planned, sloppy=sloppy)
        held = tiny.items(150, seed, "validation", planned=planned)
        outcome = train(config, model, learned + held, folder / stage)
        name = MEASURE[stage]
        found.append(Taught(stage, name, outcome.before[name], outcome.after[name], outcome.after))
        model = outcome.folder
    return found
