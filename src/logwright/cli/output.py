"""What commands share on the way out: a progress bar, the table or JSON lines, the exit code."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from logwright.api import Result
    from logwright.cli.options import Level
    from logwright.intake import Progress

__all__ = ["progress_bar", "show"]

_AFTER = 2.0
_EVERY = 0.1


@contextmanager
def progress_bar(what: str) -> Iterator[Progress | None]:
    """A progress bar on standard error: bytes, lines/s, time left; none unless it is a terminal,
    and none in the first two seconds."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task(what, total=None, rate="")
    started = shown = time.monotonic()

    def update(position: int, total: int | None, lines: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - started < _AFTER or now - shown < _EVERY:
            return
        shown = now
        bar.start()
        rate = f"{lines / (now - started) / 1e6:.2f} M lines/s"
        bar.update(task, completed=position, total=total, rate=rate)

    try:
        yield update
    finally:
        bar.stop()


def show(
    result: Result, *, json: bool, report: Path | None, top: int, fail_on: Level | None
) -> None:
    """Print a result, write the report, and leave with the right exit code."""
    if report is not None:
        from logwright.findings.report import write_report

        write_report(result.run, result.findings, report)
    if json:
        from logwright.findings.jsonl import write

        write(result.findings, sys.stdout)
    else:
        from logwright.findings.terminal import render

        width = shutil.get_terminal_size((100, 24)).columns
        text = render(result.run, result.findings, width=width, color=sys.stdout.isatty(), top=top)
        sys.stdout.write(text)
        if report is not None:
            typer.echo(f"Report: {report}")
    sys.stdout.flush()
    if fail_on is not None:
        from logwright.findings.finding import SEVERITIES

        least = SEVERITIES.index(fail_on.value)
        if any(SEVERITIES.index(f.severity) >= least for f in result.findings):
            raise typer.Exit(1)
