"""`logwright train reasoner`: a language model learns to answer tasks, stage by stage."""

from __future__ import annotations

import os
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logwright.cli.template_parts import JsonOption, print_json
from logwright.errors import SettingsError

if TYPE_CHECKING:
    from logwright.reasoning.training.experts import Corrected, Judged
    from logwright.reasoning.training.running import Outcome

__all__ = ["reasoner"]


class Stage(StrEnum):
    """Stages, for options."""

    plan = "plan"
    steps = "steps"
    preference = "preference"
    grpo = "grpo"


class PresetName(StrEnum):
    """Presets, for options."""

    default = "default"
    qwen_small = "qwen2.5-0.5b"
    qwen = "qwen2.5-1.5b"
    qwen_large = "qwen2.5-7b"
    llama = "llama-3-8b"


class Held(StrEnum):
    """Parts that are measured on, for options."""

    validation = "validation"
    test = "test"


class Corrector(StrEnum):
    """Who corrects mistakes, for options."""

    teacher = "teacher"
    self = "self"


def reasoner(
    stage: Annotated[Stage, typer.Option("--stage", help="What is trained.")],
    model: Annotated[
        Path,
        typer.Option(
            "--model", "-m", metavar="DIR", help="Folder of the language model to begin from."
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(
            "--data", metavar="FILE.jsonl", help="Worked examples, by 'reason data build'."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of the trained model.")
    ],
    preset: Annotated[
        PresetName, typer.Option("--preset", help="Settings for a family of models.")
    ] = PresetName.default,
    lora: Annotated[
        bool | None,
        typer.Option(
            "--lora/--full",
            help="Low-rank updates, or all weights; without it, as the preset has it.",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps", metavar="N", min=1, help="Most updates of weights.", show_default=False
        ),
    ] = None,
    corrector: Annotated[
        Corrector,
        typer.Option("--corrector", help="Who corrects mistakes, in the stage preference."),
    ] = Corrector.teacher,
    from_store: Annotated[
        Path | None,
        typer.Option(
            "--from-store",
            metavar="STORE",
            help="Learn from experts' corrections and verdicts in this store too, in the stage "
            "preference.",
            show_default=False,
        ),
    ] = None,
    measure_on: Annotated[
        Held, typer.Option("--measure-on", help="Part of the data that is held out and measured.")
    ] = Held.validation,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Same seed, same draws.")
    ] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was cut short.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Train one stage of a reasoner: a plan, the steps, preferences, or GRPO.

    Example: $ logwright train reasoner --stage steps --model qwen --data items.jsonl -o steps
    """
    from logwright.cli.train import stages_shown
    from logwright.reasoning.building.trajectories import read
    from logwright.reasoning.training.presets import config_of

    preferring = stage is Stage.preference
    if from_store is not None and not preferring:
        raise SettingsError("--from-store is for --stage preference alone")
    settings: dict[str, Any] = {"seed": seed}
    if steps is not None:
        settings["steps"] = steps
    if preferring:
        settings["corrector"] = corrector.value
    config = config_of(stage.value, preset.value, lora, **settings)
    items = list(read(data))
    corrected: list[Corrected] = []
    if from_store is not None:
        from logwright.reasoning.training.experts import judged_items

        corrected, judged = _from_store(from_store)
        more, wrong = judged_items(judged)
        items, corrected = items + more, corrected + wrong
    # Needs torch, which takes seconds to import: after all that can be refused without it.
    from logwright.reasoning.training.experts import expert_pairs
    from logwright.reasoning.training.running import train

    started = time.time()
    with stages_shown() as progress:
        outcome = train(
            config,
            model,
            items,
            out,
            resume,
            measure_on.value,
            expert_pairs(corrected),
            progress,
        )
    _print(outcome, stage.value, time.time() - started, json)


def _from_store(path: Path) -> tuple[list[Corrected], list[Judged]]:
    """What experts said: corrections of answers, and verdicts on findings that stand."""
    from logwright.cli.feedback_parts import opened
    from logwright.errors import InputError
    from logwright.findings.verdict import Undo, Verdict
    from logwright.reasoning.training.experts import Corrected, Judged

    corrected, judged = [], []
    with opened(None, path) as store:
        for row in store.answers():
            if row.corrected is not None:
                corrected.append(
                    Corrected(
                        row.material.lines, row.answer, row.corrected, row.rendering, row.question
                    )
                )
        entries = store.entries()
        undone = {entry.undoes for entry in entries if isinstance(entry, Undo)}
        for entry in entries:
            if not isinstance(entry, Verdict) or entry.finding is None or entry.number in undone:
                continue
            # What is expected for a time is neither well nor ill.
            if entry.word not in ("real", "benign"):
                continue
            try:
                lines = store.finding(entry.finding).lines
            except InputError:  # kept no longer
                continue
            texts = tuple(line.text for line in lines)
            if texts:
                judged.append(Judged(texts, entry.word == "real", entry.number))
    return corrected, judged


def _print(outcome: Outcome, stage: str, seconds: float, json: bool) -> None:
    from logwright.findings.escape import safe

    folder = os.fsencode(outcome.folder).decode("utf-8", "backslashreplace")
    if json:
        print_json(
            {
                "model": folder,
                "stage": stage,
                "part": outcome.part,
                "before": outcome.before,
                "after": outcome.after,
                "notes": list(outcome.notes),
                "seconds": round(seconds, 3),
            }
        )
        return
    lines = [f"Trained the stage {stage} in {seconds:.0f} s; the model is in {folder}."]
    lines.append(f"On {outcome.after['items']:,} items of the part {outcome.part}:")
    for name, after in outcome.after.items():
        if isinstance(after, float):
            lines.append(f"  {name:<10} {outcome.before[name]:6.3f} -> {after:6.3f}")
    lines += [f"  note: {note}" for note in outcome.notes]
    sys.stdout.write("\n".join(safe(line) for line in lines) + "\n")
