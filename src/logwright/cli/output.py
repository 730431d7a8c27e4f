"""What commands share on the way out: standard output, a progress bar, the table, the exit code."""

from __future__ import annotations

import io
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from logwright.errors import LogwrightError

if TYPE_CHECKING:
    from logwright.api import Result
    from logwright.cli.options import Level
    from logwright.intake import Progress

__all__ = ["ReaderGone", "check_report", "progress_bar", "show", "standard_output"]

_AFTER = 2.0
_EVERY = 0.1


class ReaderGone(Exception):  # noqa: N818 - it is no error
    """The reader of our output went away (`| head`): nothing is wrong, nothing more to say."""


class _Output(io.FileIO):
    """Standard output whose failures are not `OSError`s, which would look like a bug of ours (and
    which click turns into an exit code of its own)."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            # What is still buffered must find some way out when the interpreter ends.
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.fileno())
            os.close(null)
            if isinstance(error, BrokenPipeError):
                raise ReaderGone from None
            raise _unwritable(error.strerror or str(error)) from None


def _unwritable(reason: str) -> LogwrightError:
    return LogwrightError(f"standard output cannot be written: {reason}")


@contextmanager
def standard_output() -> Iterator[None]:
    """A standard output that never fails on a character, and tells why it cannot be written."""
    before = sys.stdout
    if before is None:
        raise _unwritable("it is closed")
    try:
        raw = _Output(before.fileno(), "wb", closefd=False)
    except (OSError, ValueError):  # in memory, such as in a notebook
        yield
        return
    before.flush()
    output = io.TextIOWrapper(
        io.BufferedWriter(raw), before.encoding, "replace", line_buffering=before.isatty()
    )
    sys.stdout = output
    try:
        yield
    finally:
        sys.stdout = before
        output.flush()


@contextmanager
def progress_bar(what: str) -> Iterator[Progress | None]:
    """A progress bar on standard error: bytes, lines/s, time left; none unless it is a terminal,
    and none in the first two seconds."""
    if sys.stderr is None or not sys.stderr.isatty():
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


def check_report(report: Path | None) -> None:
    """A `LogwrightError` where a report could not be written; asked before the work is done."""
    if report is None:
        return
    try:
        if report.is_dir():
            raise LogwrightError(f"--report {report} is a folder: expected the name of a file")
        if report.exists() and not report.is_file():
            return  # a pipe or device
        target = Path(os.path.realpath(report))
        # As the report is written: a new file beside it, under a name that is a little longer.
        probe = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        with open(probe, "wb"):
            pass
        probe.unlink()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise LogwrightError(f"--report {report} cannot be written: {why}") from None


def show(
    result: Result,
    *,
    json: bool = False,
    report: Path | None,
    top: int,
    severity: str = "low",
    fail_on: Level | None = None,
) -> None:
    """Print a result from `severity` on, write the report, and leave with the right exit code.

    `fail_on` looks at all findings, shown or not. Where the report cannot be written after all, the
    table is printed all the same.
    """
    from logwright.findings.escape import safe
    from logwright.findings.finding import SEVERITIES
    from logwright.findings.run import many

    least = SEVERITIES.index(severity)
    findings = [f for f in result.findings if SEVERITIES.index(f.severity) >= least]
    run, hidden = result.run, len(result.findings) - len(findings)
    if hidden:
        note = f"{many(hidden, 'finding')} below severity {severity} not shown"
        run = run.model_copy(update={"notes": (*run.notes, note)})
    failed: LogwrightError | None = None
    if report is not None:
        from logwright.findings.report import write_report

        try:
            write_report(run, findings, report)
        except LogwrightError as error:
            failed = error
    if json:
        from logwright.findings.jsonl import write

        write(findings, sys.stdout)
    else:
        from logwright.findings.terminal import render

        width = shutil.get_terminal_size((100, 24)).columns
        sys.stdout.write(render(run, findings, width=width, color=sys.stdout.isatty(), top=top))
        if report is not None and failed is None:
            sys.stdout.write(f"Report: {safe(str(report))}\n")
    sys.stdout.flush()
    if failed is not None:
        raise failed
    if fail_on is not None:
        least = SEVERITIES.index(fail_on.value)
        if any(SEVERITIES.index(f.severity) >= least for f in result.findings):
            raise typer.Exit(1)
