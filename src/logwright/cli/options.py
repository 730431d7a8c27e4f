"""Options that several commands share, declared once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "AroundOption",
    "BudgetOption",
    "FailOnOption",
    "FormatOption",
    "IgnoreOption",
    "IncidentOption",
    "Inputs",
    "JsonOption",
    "LabelOption",
    "Level",
    "LiveOption",
    "QuietOption",
    "ReportOption",
    "SessionOption",
    "SeverityOption",
    "SinceOption",
    "TimezoneOption",
    "TopOption",
    "TriggerOption",
    "UntilOption",
    "WhereOption",
    "WindowOption",
]


class Level(StrEnum):
    """Severities, for options."""

    low = "low"
    medium = "medium"
    high = "high"
    critical = "critical"


Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE",
        help="Files (.gz and .zst too), folders, globs, or - for standard input.",
        show_default=False,
    ),
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="Format name, or a layout such as '<Date> <Time> <Level> <Component>: <Content>'; "
        "detected if not given.",
        show_default=False,
    ),
]
LabelOption = Annotated[
    bool | None,
    typer.Option(
        "--label-prefix",
        help="The first token of each line is a label (public BGL-like sets): hide it from "
        "everything that learns.",
        show_default=False,
    ),
]
TimezoneOption = Annotated[
    str | None,
    typer.Option(
        "--timezone",
        metavar="ZONE",
        help="Zone of times that name none (default UTC).",
        show_default=False,
    ),
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="From this time on: '2024-05-01T10:00', '10:00', or '15m' ago. What comes before is "
        "the past for `scan`, and left out by others.",
        show_default=False,
    ),
]
UntilOption = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="TIME", help="Leave out lines from this time on.", show_default=False
    ),
]
AroundOption = Annotated[
    str | None,
    typer.Option(
        "--around",
        metavar="TIME",
        help="From ten minutes before this time to ten minutes after it.",
        show_default=False,
    ),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="KEY=VALUE",
        help="Only lines for which this holds: host, component, level, source, or any key=value "
        "in the line. Can be given several times: all must hold.",
        show_default=False,
    ),
]
IgnoreOption = Annotated[
    str | None,
    typer.Option(
        "--ignore",
        metavar="FILE",
        help="Findings to leave out: an id of a pattern or template, or a text with '*', a line "
        "(default .logwrightignore, where there is one).",
        show_default=False,
    ),
]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="FILE",
        help="Where findings and verdicts are kept, or none (default: beside the model; for scan, "
        "in your folder for state).",
        show_default=False,
    ),
]
RulesOption = Annotated[
    str | None,
    typer.Option(
        "--rules",
        metavar="RULEBOOK",
        help="Folder of rules that judge each window, or none (default: rules beside the model).",
        show_default=False,
    ),
]
AllOption = Annotated[
    bool, typer.Option("--all", help="Show findings, too, that verdicts suppressed.")
]
IncidentOption = Annotated[
    str | None,
    typer.Option(
        "--incident",
        metavar="ID",
        help="Tell one incident in order of time, with all its lines; the first digits of its id "
        "are enough.",
        show_default=False,
    ),
]
TriggerOption = Annotated[
    str | None,
    typer.Option(
        "--trigger",
        metavar="N/M",
        help="Raise a pattern once it was found in N of M consecutive intervals.",
        show_default=False,
    ),
]
QuietOption = Annotated[
    str | None,
    typer.Option(
        "--quiet",
        metavar="TIME",
        help="Count what comes within this time of its pattern's last finding (default 10m while "
        "live, else 0s).",
        show_default=False,
    ),
]
LiveOption = Annotated[
    bool | None,
    typer.Option(
        "--live/--no-live",
        help="Judge standard input as it comes when it stays open, or only when it has ended.",
        show_default=False,
    ),
]
SessionOption = Annotated[
    str | None,
    typer.Option(
        "--session",
        metavar="REGEX",
        help="Regular expression of the session key, or 'none'; found by itself if not given.",
        show_default=False,
    ),
]
WindowOption = Annotated[
    str | None,
    typer.Option(
        "--window",
        metavar="SIZE",
        help="Lines ('100') or time ('60s', '5m', '1h'), '/STEP' to slide; chosen if not given.",
        show_default=False,
    ),
]
BudgetOption = Annotated[
    float | None,
    typer.Option(
        "--budget",
        metavar="N",
        help="Alarms that normal data may raise, per day and per 10,000 sessions (default 10).",
        show_default=False,
    ),
]
TopOption = Annotated[
    int | None,
    typer.Option(
        "--top", metavar="N", help="Patterns shown in the table (default 20).", show_default=False
    ),
]
SeverityOption = Annotated[
    Level | None,
    typer.Option("--severity", help="Least severity that is shown.", show_default=False),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print findings as JSON lines instead of a table.")
]
ReportOption = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="Write an HTML report.", show_default=False),
]
FailOnOption = Annotated[
    Level | None,
    typer.Option(
        "--fail-on", help="Exit with 1 if a finding is this severe or more.", show_default=False
    ),
]
