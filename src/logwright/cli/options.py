"""Options that several commands share, declared once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "BudgetOption",
    "FailOnOption",
    "FormatOption",
    "Inputs",
    "JsonOption",
    "LabelOption",
    "Level",
    "ReportOption",
    "SessionOption",
    "SeverityOption",
    "TimezoneOption",
    "TopOption",
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
