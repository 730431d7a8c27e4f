"""`logwright train`: steps of the ladder that are trained, not counted."""

from __future__ import annotations

import json as json_module
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logwright.cli import options as o
from logwright.cli.output import progress_bar

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

__all__ = ["app"]

app = typer.Typer(help="Train steps of a model's ladder.", no_args_is_help=True)


class PresetName(StrEnum):
    """Presets, for options."""

    tiny = "tiny"
    small = "small"
    recurrent = "recurrent"
    neo = "neo-1.3b"


class Tuning(StrEnum):
    """Ways of tuning by reinforcement, for options."""

    none = "none"
    neo = "neo"
    loggpt = "loggpt"
    verdicts = "verdicts"


@app.callback()
def _root() -> None:
    """Train steps of a model's ladder."""


@app.command()
def sequence(
    history: o.Inputs,
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="MODEL", help="Folder of the model.")
    ],
    preset: Annotated[
        PresetName, typer.Option("--preset", help="Shape and training of the network.")
    ] = PresetName.tiny,
    backbone: Annotated[
        str | None,
        typer.Option(
            "--backbone",
            metavar="DIR_OR_NAME",
            help="GPT-Neo checkpoint that neo-1.3b begins from: a folder, or a Hugging Face name.",
            show_default=False,
        ),
    ] = None,
    rl: Annotated[
        Tuning,
        typer.Option("--rl", help="Tuning after that, by LogNEO, LogGPT, or verdicts."),
    ] = Tuning.none,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Same seed, same weights.")
    ] = 0,
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps", metavar="N", min=1, help="Most steps of training.", show_default=False
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="File that keeps the state of training: a run that was cut short goes on from it.",
            show_default=False,
        ),
    ] = None,
    since: o.SinceOption = None,
    until: o.UntilOption = None,
    around: o.AroundOption = None,
    where: o.WhereOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON summary.")] = False,
) -> None:
    """Train the order of events from history, as one more step of a model.

    Example: logwright train sequence history.log -m model
    """
    from logwright import lessons, training
    from logwright.findings.escape import safe
    from logwright.model import Model
    from logwright.settings import load_settings

    learned = Model.load(model)
    settings = load_settings(since=since, until=until, around=around, where=where or None)
    wish = training.Wish(preset.value, rl.value, backbone, seed, steps, checkpoint)
    training.check(learned, wish)  # before the work, not after it
    Model.check_target(model)
    started = time.time()
    with progress_bar("read history") as reading:
        history_read = lessons.history_of(
            history, learned, settings, reading, verdicts=rl is Tuning.verdicts
        )
    with stages_shown() as stages:
        rung = training.train(history_read, learned, wish, stages)
    learned.ladder.add_sequence(rung)
    learned.save(model)
    seconds = time.time() - started
    if json:
        summary = {
            "model": os.fsencode(model).decode("utf-8", "backslashreplace"),
            **rung.detector.save().meta,
            "threshold": rung.threshold.value,
            "threshold_reason": rung.threshold.reason,
            "notes": list(history_read.notes),
            "seconds": round(seconds, 3),
        }
        sys.stdout.write(json_module.dumps(summary) + "\n")
        return
    lines = [
        f"Trained the sequence step of {model} in {seconds:.0f} s:",
        f"  {rung.reason}",
        f"  threshold: {rung.threshold.reason}",
        *(f"  note: {note}" for note in history_read.notes),
    ]
    sys.stdout.write("\n".join(safe(line) for line in lines) + "\n")


class Stages:
    """What training tells, on a terminal: a bar per stage with the numbers of the moment."""

    def __init__(self, bar: RichProgress | None) -> None:
        self._bar = bar
        self._tasks: dict[str, object] = {}

    def __call__(self, stage: str, done: int, of: int, numbers: Mapping[str, float]) -> None:
        """Show how far a stage has come."""
        if self._bar is None:
            return
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(stage, total=of, numbers="")
        told = "  ".join(f"{name} {value:.4g}" for name, value in numbers.items())
        self._bar.update(self._tasks[stage], completed=done, total=of, numbers=told)  # type: ignore[arg-type]


@contextmanager
def stages_shown() -> Iterator[Stages]:
    """Bars on standard error, that stay; none unless it is a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield Stages(None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Left

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[numbers]}"),
        Left(),
        console=Console(stderr=True),
    ) as bar:
        yield Stages(bar)
