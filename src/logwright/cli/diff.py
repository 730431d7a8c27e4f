"""`logwright diff`: what changed between two sides."""

from __future__ import annotations

import shutil
import sys
from typing import Annotated

import typer

from logwright.cli import options as o
from logwright.cli.output import progress_bar

__all__ = ["diff"]


def diff(
    a: Annotated[
        str,
        typer.Argument(
            metavar="A",
            help="A file (.gz and .zst too), folder, quoted glob, - for standard input, or the "
            "folder of a model.",
            show_default=False,
        ),
    ],
    b: Annotated[
        str | None,
        typer.Argument(metavar="B", help="The same, of the other side.", show_default=False),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Compare A before a time with A from then on: '2024-05-01T10:00', '10:00' on the "
            "log's last day, '15m' before its last line.",
            show_default=False,
        ),
    ] = None,
    only_a: Annotated[
        str | None,
        typer.Option(
            "--a",
            metavar="KEY=VALUE,...",
            help="Side A is the lines for which this holds: host, component, level, source, since, "
            "until, or any key=value in the line. Without it: all lines that are not side B.",
            show_default=False,
        ),
    ] = None,
    only_b: Annotated[
        str | None,
        typer.Option("--b", metavar="KEY=VALUE,...", help="Side B likewise.", show_default=False),
    ] = None,
    format: o.FormatOption = None,
    label_prefix: o.LabelOption = None,
    timezone: o.TimezoneOption = None,
    severity: o.SeverityOption = None,
    top: Annotated[
        int | None,
        typer.Option(
            "--top",
            metavar="N",
            help="Changes shown in the table (default 20).",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print changes as JSON lines instead of a table.")
    ] = False,
    fail_on: Annotated[
        o.Level | None,
        typer.Option(
            "--fail-on", help="Exit with 1 if a change is this severe or more.", show_default=False
        ),
    ] = None,
) -> None:
    """Show what changed between two logs, periods or hosts, or since a model was learned.

    Example: logwright diff yesterday.log today.log

    Example: logwright diff app.log --at 10:03

    Example: logwright diff app.log --b host=web7

    Example: logwright diff model today.log --fail-on high
    """
    from logwright.diff import diff as compare
    from logwright.findings.changes import render, write
    from logwright.findings.finding import SEVERITIES
    from logwright.findings.run import many
    from logwright.settings import load_settings

    settings = load_settings(
        format=format, label_prefix=label_prefix, timezone=timezone, severity=severity, top=top
    )
    with progress_bar("diff") as progress:
        found = compare(
            a, b, at=at, only_a=only_a, only_b=only_b, settings=settings, progress=progress
        )
    ranks = [SEVERITIES.index(change.severity) for change in found.changes]
    least = SEVERITIES.index(settings.severity)
    shown = tuple(c for c, rank in zip(found.changes, ranks, strict=True) if rank >= least)
    if json:
        write(shown, sys.stdout)
    else:
        notes = found.notes
        if hidden := len(ranks) - len(shown):
            notes = (*notes, f"{many(hidden, 'change')} below severity {settings.severity} hidden")
        found = found.model_copy(update={"changes": shown, "notes": notes})
        width = shutil.get_terminal_size((100, 24)).columns
        color = sys.stdout.isatty()
        sys.stdout.write(render(found, width=width, color=color, top=settings.top))
    sys.stdout.flush()
    if fail_on is not None and any(rank >= SEVERITIES.index(fail_on.value) for rank in ranks):
        raise typer.Exit(1)
