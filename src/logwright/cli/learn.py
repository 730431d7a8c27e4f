"""`logwright learn`: a model from history."""

from __future__ import annotations

import json as json_module
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from logwright.cli import options as o
from logwright.cli.output import progress_bar

__all__ = ["learn"]


def learn(
    files: o.Inputs,
    model: Annotated[
        Path, typer.Option("--model", "-o", metavar="MODEL", help="Folder to write the model to.")
    ],
    format: o.FormatOption = None,
    label_prefix: o.LabelOption = None,
    timezone: o.TimezoneOption = None,
    session: o.SessionOption = None,
    window: o.WindowOption = None,
    since: o.SinceOption = None,
    until: o.UntilOption = None,
    around: o.AroundOption = None,
    where: o.WhereOption = None,
    budget: o.BudgetOption = None,
    no_exemplars: Annotated[
        bool, typer.Option("--no-exemplars", help="Keep no example lines in the model.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print a JSON summary.")] = False,
) -> None:
    """Learn from history what is normal.

    Example: logwright learn history.log -o model
    """
    from logwright import api
    from logwright.findings.escape import safe
    from logwright.findings.run import many
    from logwright.model import Model
    from logwright.settings import load_settings
    from logwright.templates.edits import read_edits

    settings = load_settings(
        format=format,
        label_prefix=label_prefix,
        timezone=timezone,
        session=session,
        window=window,
        since=since,
        until=until,
        around=around,
        where=where or None,
        budget=budget,
        exemplars=False if no_exemplars else None,
    )
    Model.check_target(model)  # before the work, not after it
    edits = read_edits(model)
    started = time.time()
    with progress_bar("learn") as progress:
        learned = api.learn(*files, settings=settings, progress=progress, edits=edits)
    learned.save(model)
    seconds = time.time() - started
    if json:
        summary = {
            "model": os.fsencode(model).decode("utf-8", "backslashreplace"),
            "history": learned.history.model_dump(),
            "templates": len(learned.templates),
            "plan": learned.plan.model_dump(),
            "session": learned.session_reason,
            "ladder": learned.ladder.reasons,
            "seconds": round(seconds, 3),
        }
        sys.stdout.write(json_module.dumps(summary) + "\n")
        return
    lines = [
        f"Learned {many(len(learned.templates), 'template')} from "
        f"{many(learned.history.lines, 'line')} in {seconds:.1f} s: {model}",
        f"  windows: by {learned.plan.kind} ({learned.plan.reason})",
        *([f"  {learned.session_reason}"] if learned.session_reason else []),
        *(f"  {reason}" for reason in learned.ladder.reasons),
        *(f"  note: {note}" for note in learned.history.notes),
    ]
    sys.stdout.write("\n".join(safe(line) for line in lines) + "\n")
