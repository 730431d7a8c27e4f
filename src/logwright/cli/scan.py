"""`logwright scan`: what stands out in a log, with no configuration."""

from __future__ import annotations

from typing import Annotated

import typer

from logwright.cli import options as o
from logwright.cli.output import check_report, kept_in, progress_bar, show, ticker

__all__ = ["scan"]


def scan(
    files: o.Inputs,
    baseline: Annotated[
        str | None,
        typer.Option(
            "--baseline",
            metavar="FILE",
            help="A log of normal operation; if not given, what comes before --since, or the "
            "first half of the input.",
            show_default=False,
        ),
    ] = None,
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
    """Show what stands out in a log, against its own past or a baseline.

    Example: logwright scan app.log --since 10:00
    """
    from logwright import api
    from logwright.settings import load_settings
    from logwright.store import place_of

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
        ignore=ignore,
        trigger=trigger,
        quiet=quiet,
        live=live,
        store=store,
        rules=rules,
        severity=severity,
        top=top,
    )
    check_report(report)
    title = "logwright scan " + " ".join(files)
    every = settings.model_copy(update={"severity": "low"})  # what is shown decides nothing else
    with progress_bar("scan") as progress:
        watcher = ticker(settings.severity, json=json, progress=progress)
        result = api.scan(
            *files,
            baseline=baseline,
            settings=every,
            title=title,
            progress=progress,
            watcher=watcher,
            store=kept_in(settings.store, lambda: place_of(files)),
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
