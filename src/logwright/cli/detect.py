"""`logwright detect`: findings of files against a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from logwright.cli import options as o
from logwright.cli.output import check_report, progress_bar, show

__all__ = ["detect"]


def detect(
    files: o.Inputs,
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="MODEL", help="Folder of the model.")
    ],
    severity: o.SeverityOption = None,
    top: o.TopOption = None,
    json: o.JsonOption = False,
    report: o.ReportOption = None,
    fail_on: o.FailOnOption = None,
) -> None:
    """Show what a model finds abnormal in files.

    Example: logwright detect today.log -m model --report report.html --fail-on high
    """
    from logwright import api
    from logwright.settings import load_settings

    learned = api.load(str(model))
    settings = load_settings(severity=severity, top=top)
    check_report(report)
    title = "logwright detect " + " ".join(files)
    every = settings.model_copy(update={"severity": "low"})  # what is shown decides nothing else
    with progress_bar("detect") as progress:
        result = api.detect(files, learned, settings=every, title=title, progress=progress)
    show(
        result,
        json=json,
        report=report,
        top=settings.top,
        severity=settings.severity,
        fail_on=fail_on,
    )
