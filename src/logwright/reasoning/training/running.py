"""`train`: one stage, from a model's folder to another one, with its measure beside it.

A stage's folder holds the model (`config.json`, `model.safetensors`, tokenizer), `stage.json` (what
it was trained with), `measures.json` (on items that were held out, before and after), for the stage
preference `pairs.jsonl`, and while it runs `checkpoints/`. A run cut short goes on
with `resume` from the newest whole checkpoint, and ends with the weights of one that was not.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logwright.errors import InputError, ModelError
from logwright.reasoning.building.trajectories import PartName, Trajectory
from logwright.reasoning.training import grpo, preference, supervised
from logwright.reasoning.training.configs import GrpoConfig, PreferenceConfig, StageConfig
from logwright.reasoning.training.examples import (
    Example,
    answer_example,
    fitting,
    of_part,
    plan_example,
)
from logwright.reasoning.training.libraries import Loaded, at_home, load, merged, save
from logwright.reasoning.training.measuring import measure_answers, measure_plans
from logwright.reasoning.training.pairs import Pair, read_pairs, write_pairs
from logwright.reasoning.training.replies import replies

__all__ = ["Outcome", "Progress", "train"]

Progress = Callable[[str, int, int, dict[str, float]], None]
"""Told of the work: what, how far, of how much, and numbers of the moment."""

_MEASURED = 500  # held-out items that are measured on at most: enough for +-4 % at 95 %


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage did. `before` and `after` are measures on the same items."""

    folder: Path
    part: PartName
    before: dict[str, Any]
    after: dict[str, Any]
    notes: tuple[str, ...]


def _silent(what: str, done: int, of: int, numbers: dict[str, float]) -> None:
    """Tells nobody."""


def train(
    config: StageConfig,
    model: Path,
    items: Sequence[Trajectory],
    out: Path,
    resume: bool = False,
    part: PartName = "validation",
    experts: Sequence[Pair] = (),
    progress: Progress = _silent,
) -> Outcome:
    """Train a stage on the items of the part `train`, and measure it on those of `part`.

    `experts` are pairs from people's corrections, which the stage preference learns from as well.

    Raises:
        ModelError: there is no model in the folder, or `out` holds something else.
        InputError: there is nothing to learn from, or to measure on.
    """
    learned, held = of_part(items, "train"), of_part(items, part)[:_MEASURED]
    _prepare(config, model, learned, out, resume)
    with at_home():
        return _train(config, model, learned, held, out, part, experts, progress)


def _train(
    config: StageConfig,
    model: Path,
    learned: Sequence[Trajectory],
    held: Sequence[Trajectory],
    out: Path,
    part: PartName,
    experts: Sequence[Pair],
    progress: Progress,
) -> Outcome:
    from transformers import PrinterCallback

    loaded = load(model)
    examples, left_out = fitting(_examples(config, learned), loaded, config.most_tokens)
    asked, too_long = fitting(_examples(config, held), loaded, config.most_tokens)
    notes = []
    if left_out or too_long:
        notes.append(
            f"{left_out + too_long:,} items have more than {config.most_tokens:,} tokens and were "
            "left out"
        )
    before = _once(out / "before.json", lambda: _measured(config, loaded, asked))
    work = out / "checkpoints"
    trainer, told = _trainer(config, loaded, examples, experts, out)
    notes += told
    trainer.remove_callback(PrinterCallback)  # it writes to standard output
    trainer.add_callback(_telling(config, progress))
    last = _newest(work)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    trained = merged(trainer.accelerator.unwrap_model(trainer.model))
    after = _measured(config, loaded, asked, trained)
    save(trained, loaded.tokenizer, out)
    _write(out / "measures.json", {"part": part, "before": before, "after": after, "notes": notes})
    shutil.rmtree(work, ignore_errors=True)
    (out / "before.json").unlink()
    return Outcome(out, part, before, after, tuple(notes))


def _examples(config: StageConfig, items: Sequence[Trajectory]) -> list[Example]:
    if config.stage != "plan":
        return [answer_example(item) for item in items]
    planned = [plan_example(item) for item in items if item.strategy]
    if not planned:
        raise InputError("no item names its strategy: there is no plan to learn")
    return planned


def _trainer(
    config: StageConfig,
    loaded: Loaded,
    examples: Sequence[Example],
    experts: Sequence[Pair],
    out: Path,
) -> tuple[Any, list[str]]:
    work = out / "checkpoints"
    if isinstance(config, PreferenceConfig):
        kept = out / "pairs.jsonl"
        notes = []
        if not kept.exists():  # else they are those of the run that is taken up
            found = preference.find_pairs(config, loaded, examples)
            write_pairs(kept, [*found.pairs, *experts])
            notes.append(
                f"{found.mistakes:,} of {found.replies:,} own answers were wrong, "
                f"{len(found.pairs):,} of them could be corrected"
            )
        pairs = read_pairs(kept)
        if not pairs:
            raise InputError("the model made no mistake that could be corrected: nothing to prefer")
        return preference.trainer(config, loaded, pairs, work), notes
    if isinstance(config, GrpoConfig):
        return grpo.trainer(config, loaded, examples, work), []
    return supervised.trainer(config, loaded, examples, work), []


def _measured(
    config: StageConfig, loaded: Loaded, asked: Sequence[Example], model: Any = None
) -> dict[str, Any]:
    said = replies(loaded, [e.prompt for e in asked], config.reply_tokens, model=model)
    if config.stage == "plan":
        return measure_plans(asked, said).told()
    return measure_answers(asked, said).told()


def _prepare(
    config: StageConfig, model: Path, items: Sequence[Trajectory], out: Path, resume: bool
) -> None:
    """Make the folder, or see that it is that of the same run."""
    digest = hashlib.sha256()
    for item in items:
        digest.update(item.model_dump_json().encode())
    wanted = {"config": config.told(), "model": str(model), "data": digest.hexdigest()}
    kept = out / "stage.json"
    if (out / "measures.json").exists():
        raise ModelError(f"{out} holds a stage that is done: take another folder")
    if kept.exists():
        if not resume:
            raise ModelError(f"{out} holds a run that was cut short: --resume goes on with it")
        if json.loads(kept.read_text("utf-8")) != json.loads(json.dumps(wanted)):
            raise ModelError(f"{out} was begun with other settings, model or data")
        return
    if out.exists() and any(out.iterdir()):
        raise ModelError(f"{out} is not empty and no folder of a stage")
    out.mkdir(parents=True, exist_ok=True)
    _write(kept, wanted)


def _newest(work: Path) -> Path | None:
    """The newest checkpoint that is whole: its state is what is written last."""
    found = sorted(work.glob("checkpoint-*"), key=lambda path: -int(path.name.split("-")[1]))
    for path in found:
        try:
            json.loads((path / "trainer_state.json").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        return path
    return None


def _telling(config: StageConfig, progress: Progress) -> Any:
    from transformers import TrainerCallback

    class Telling(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            last = state.log_history[-1] if state.log_history else {}
            numbers = {name: last[name] for name in ("loss", "reward") if name in last}
            progress(config.stage, state.global_step, state.max_steps, numbers)

    return Telling()


def _once(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is kept there; made and kept where nothing is."""
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found
    made = make()
    _write(path, made)
    return made


def _write(path: Path, value: Any) -> None:
    work = path.with_name(f".{path.name}.tmp")
    work.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", "utf-8")
    work.replace(path)
