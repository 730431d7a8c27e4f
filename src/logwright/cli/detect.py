"""`logwright detect`: findings of files against a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from logwright.cli import options as o
from logwright.cli.output import check_report, kept_in, progress_bar, show, ticker

__all__ = ["detect"]


def detect(
    files: o.Inputs,
    model: Annotated[
        Path, typer.Option("--model", "-m", metavar="MODEL", help="Folder of the model.")
    ],
    since: o.SinceOption = None,
    until: o.UntilOption = None,
    around: o.AroundOption = None,
    where: o.WhereOption = None,
    severity: o.SeverityOption = None,
    ignore: o.IgnoreOption = None,
    trigger: o.TriggerOption = None,
    quiet: o.QuietOption = None,
    live: o.LiveOption = None,
    store: o.StoreOption = None,
    rules: o.RulesOption = None,
    all: o.AllOption = False,
    incident: o.IncidentOption = None,
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
    settings = load_settings(
        since=since,
        until=until,
        around=around,
        where=where or None,
        severity=severity,
        ignore=ignore,
        trigger=trigger,
        quiet=quiet,
        live=live,
        store=store,
        rules=rules,
        top=top,
    )
    check_report(report)
    title = "logwright detect " + " ".join(files)
    every = settings.model_copy(update={"severity": "low"})  # what is shown decides nothing else
    with progress_bar("detect") as progress:
        watcher = ticker(settings.severity, json=json, progress=progress)
        result = api.detect(
            files,
            learned,
            settings=every,
            title=title,
            progress=progress,
            watcher=watcher,
            store=kept_in(settings.store, lambda: model / "store.db"),
        )
    show(
        result,
        json=json,
        report=report,
        top=settings.top,
        severity=settings.severity,
        fail_on=fail_on,
        incident=incident,
        told=watcher.told,
        everything=all,
    )
