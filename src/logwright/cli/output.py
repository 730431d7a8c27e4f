"""What commands share on the way out: standard output, a progress bar, the table, the exit code."""

from __future__ import annotations

import io
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from logwright.errors import InputError, LogwrightError

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from logwright.api import Result
    from logwright.cli.options import Level
    from logwright.findings.finding import Finding, Severity
    from logwright.findings.incident import Incident
    from logwright.findings.run import Run
    from logwright.findings.ticker import Ticker

__all__ = [
    "ReaderGone",
    "check_report",
    "kept_in",
    "progress_bar",
    "show",
    "standard_output",
    "ticker",
]

_AFTER = 2.0
_EVERY = 0.1
_NAMED = 8


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


class Bar:
    """A progress bar on standard error: bytes, lines/s, time left; none unless it is a terminal,
    and none in the first two seconds."""

    def __init__(self, what: str) -> None:
        self._bar: RichProgress | None = None
        if sys.stderr is None or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Left

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[rate]}"),
            Left(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(what, total=None, rate="")
        self._started = self._shown = time.monotonic()

    def __call__(self, position: int, total: int | None, lines: int) -> None:
        """Show how far reading has come, at times."""
        now = time.monotonic()
        if self._bar is None or now - self._started < _AFTER or now - self._shown < _EVERY:
            return
        self._shown = now
        self._bar.start()
        rate = f"{lines / (now - self._started) / 1e6:.2f} M lines/s"
        self._bar.update(self._task, completed=position, total=total, rate=rate)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def progress_bar(what: str) -> Iterator[Bar]:
    """A progress bar that is gone at the end."""
    bar = Bar(what)
    try:
        yield bar
    finally:
        bar.stop()


class LiveOutput:
    """Who is told of a live run: made when the first word of it comes, as most runs are not."""

    def __init__(self, severity: Severity, json: bool, progress: Bar) -> None:
        self.told = False
        self._severity, self._json, self._progress = severity, json, progress
        self._ticker: Ticker | None = None

    @property
    def _to(self) -> Ticker:
        if self._ticker is None:
            from logwright.findings.ticker import Ticker

            self._ticker = Ticker(
                sys.stdout,
                sys.stderr,
                width=shutil.get_terminal_size((100, 24)).columns,
                color=sys.stdout.isatty(),
                json=self._json,
                severity=self._severity,
            )
        return self._ticker

    def begins(self, text: str) -> None:
        """The run is live from now on."""
        self._progress.stop()
        self._to.begins(text)

    def raised(self, finding: Finding) -> None:
        """A finding is raised."""
        self.told = True
        self._to.raised(finding)

    def repeated(self, finding: Finding) -> None:
        """A finding of a pattern that was raised lately was counted only."""
        self._to.repeated(finding)

    def tick(self, lines: int) -> None:
        """Time passes."""
        self._to.tick(lines)


def ticker(severity: Severity, *, json: bool, progress: Bar) -> LiveOutput:
    """What tells of a run, should it be live: findings from `severity` on, on standard output."""
    return LiveOutput(severity, json, progress)


def _is_page(file: Path) -> bool:
    """Whether a file may be replaced by a report: an older one, or an empty file."""
    with open(file, "rb") as page:
        head = page.read(64).lstrip().lower()
    return not head or head.startswith((b"<!doctype html", b"<html"))


def check_report(report: Path | None) -> None:
    """A `LogwrightError` where a report could not be written; asked before the work is done."""
    if report is None:
        return
    try:
        if report.is_dir():
            raise LogwrightError(f"--report {report} is a folder: expected the name of a file")
        if report.exists() and not report.is_file():
            return  # a pipe or device
        if report.exists() and not _is_page(report):
            raise LogwrightError(
                f"--report {report} exists and is no HTML page: it would be overwritten, choose "
                "another name"
            )
        target = Path(os.path.realpath(report))
        # As the report is written: a new file beside it, under a name that is a little longer.
        probe = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        with open(probe, "wb"):
            pass
        probe.unlink()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise LogwrightError(f"--report {report} cannot be written: {why}") from None


def kept_in(setting: str | None, default: Callable[[], Path]) -> Path | None:
    """The store of a run, None for none; the last one is where verdicts are given by default."""
    from logwright.store import remember

    if setting == "none":
        return None
    place = default() if setting is None else Path(setting)
    remember(place)
    return place


def show(
    result: Result,
    *,
    json: bool = False,
    report: Path | None,
    top: int,
    severity: str = "low",
    fail_on: Level | None = None,
    incident: str | None = None,
    told: bool = False,
    everything: bool = False,
) -> None:
    """Print a result from `severity` on, write the report, and leave with the right exit code.

    `incident` shows that one only; `told` says that the findings were printed as they came, so that
    JSON lines are not printed again; `everything` shows what was suppressed, too. `fail_on` looks
    at all findings that are not suppressed, shown or not. Where the report cannot be written after
    all, the table is printed all the same.
    """
    from logwright.findings.finding import SEVERITIES
    from logwright.findings.run import many

    least = SEVERITIES.index(severity)
    every = [*result.findings, *(result.suppressed if everything else ())]
    findings = [f for f in every if SEVERITIES.index(f.severity) >= least]
    run, hidden = result.run, len(every) - len(findings)
    if hidden:
        note = f"{many(hidden, 'finding')} below severity {severity} not shown"
        run = run.model_copy(update={"notes": (*run.notes, note)})
    chosen = None if incident is None else _chosen(result.findings, incident)
    if chosen is not None:
        findings = list(chosen.findings)
    failed: LogwrightError | None = None
    if report is not None:
        from logwright.findings.report import write_report

        try:
            write_report(run, findings, report)
        except LogwrightError as error:
            failed = error
    if json:
        from logwright.findings.jsonl import write

        write([] if told else findings, sys.stdout)
        for note in run.notes:
            if " suppressed: " in note and not everything:
                typer.echo(f"logwright: {note}", err=True)
    else:
        sys.stdout.write("\n" * told)
        _print(run, findings, chosen, top)
        if report is not None and failed is None:
            from logwright.findings.escape import safe

            sys.stdout.write(f"Report: {safe(str(report))}\n")
    sys.stdout.flush()
    if failed is not None:
        raise failed
    if fail_on is not None:
        least = SEVERITIES.index(fail_on.value)
        if any(SEVERITIES.index(f.severity) >= least for f in result.findings):
            raise typer.Exit(1)


def _print(run: Run, findings: list[Finding], chosen: Incident | None, top: int) -> None:
    width, color = shutil.get_terminal_size((100, 24)).columns, sys.stdout.isatty()
    if chosen is not None:
        from logwright.findings.story import tell

        sys.stdout.write(tell(chosen, width=width, color=color))
        return
    from logwright.findings.terminal import render

    sys.stdout.write(render(run, findings, width=width, color=color, top=top))


def _chosen(findings: list[Finding], prefix: str) -> Incident:
    """The incident whose id begins with `prefix`; `InputError` where that is none, or several."""
    from logwright.findings.incident import incidents
    from logwright.findings.run import short_id

    every = incidents(findings)
    found = [i for i in every if i.id.startswith(prefix)] if prefix else []
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} incidents have ids that begin" if found else "no incident's id begins"
    there = ", ".join(short_id(i.id) for i in (found or every)[:_NAMED]) or "none"
    raise InputError(
        f"{what} with {prefix!r:.40}: there are {there}" + ", ..." * (len(every) > _NAMED)
    )
