"""`logwright findings`: what was found so far, with what verdicts make of it now."""

from __future__ import annotations

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logwright.cli.evidence import cited, facts, heading, names
from logwright.cli.feedback_parts import (
    ExportArgument,
    ModelOption,
    StoreOption,
    again,
    exported,
    opened,
    since,
    sized,
    spelled,
    table,
    width,
)
from logwright.cli.template_parts import JsonOption, print_json
from logwright.errors import SettingsError

if TYPE_CHECKING:
    from logwright.feedback.kept import Kept
    from logwright.findings.finding import Finding

__all__ = ["app"]

app = typer.Typer(
    help="List, show, export and prune the findings that were kept; suppressed ones, too.",
    no_args_is_help=True,
)

_LINES = 40


class State(StrEnum):
    """What verdicts and policy make of a finding."""

    open = "open"
    suppressed = "suppressed"
    confirmed = "confirmed"


@app.command(name="list")
def list_(
    model: ModelOption = None,
    store: StoreOption = None,
    state: Annotated[
        State | None,
        typer.Option("--state", help="Only those in this state now.", show_default=False),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option("--pattern", metavar="ID", help="Only of this pattern.", show_default=False),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="TIME",
            help="Only those seen from this time on: '2026-11-01', or '7d' ago.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option("--top", metavar="N", min=1, help="Only the first N.", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> None:
    """List findings, last seen first, each with its state now.

    Example: logwright findings list --state suppressed -m model
    """
    from logwright.feedback.kept import Kept
    from logwright.findings.jsonl import write
    from logwright.findings.run import parse_time, short_id

    start = since(after) if after is not None else None
    with opened(model, store) as there:
        chosen = there.pattern(pattern).id if pattern is not None else None
        kept = Kept.of(there)
        among = None
        if state is not None:
            patterns = kept.patterns if chosen is None else [chosen]
            kept.read(patterns)
            states = (kept.states(name).items() for name in patterns)
            among = [id for every in states for id, now in every if now.state == state.value]
        told = list(there.findings(chosen, since=start, limit=top, among=among))
        kept.read({finding.pattern for finding in told})
        found = [_as_now(finding, kept) for finding in told]
    if json:
        write(found, sys.stdout)
        return
    if not found:
        sys.stdout.write("no findings\n")
        return
    head = ["ID", "STATE", "SEVERITY", "LAST SEEN", "SUMMARY"]
    rows = [
        [
            *(short_id(f.id), f.state, f.severity),
            *(spelled(parse_time(f.last_seen or f.first_seen or "")), f.summary),
        ]
        for f in found
    ]
    sys.stdout.write(table(head, rows))


@app.command()
def show(
    finding: Annotated[
        str,
        typer.Argument(metavar="ID", help="Of the finding, or its beginning.", show_default=False),
    ],
    model: ModelOption = None,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Show all of one finding, with its lines.

    Example: logwright findings show f-1d -m model
    """
    from logwright.feedback.kept import Kept
    from logwright.findings.jsonl import write
    from logwright.findings.run import many, span

    with opened(model, store) as there:
        found = _as_now(there.finding(finding), Kept.of(there))
        row = there.pattern(found.pattern)
    if json:
        write([found], sys.stdout)
        return
    rows = [
        ("finding", found.id),
        ("pattern", f"{found.pattern}, {many(row.findings, 'finding')}"),
        ("detector", f"{found.detector} ({found.unit})"),
        ("rule", found.rule or ""),
        ("severity", found.severity),
        ("state", found.state + (f": {found.because}" if found.because else "")),
        ("expected", found.expected),
        ("seen", found.seen),
        ("when", span(found.first_seen, found.last_seen)),
        ("hosts", names(found.hosts)),
        ("incident", found.incident or ""),
    ]
    lines = [heading(found.summary, width()), *facts(rows, width())]
    sys.stdout.write("\n".join([*lines, *cited(found.lines, _LINES, width())]) + "\n")
    if found.rule is not None:
        sys.stdout.write(f"its code: logwright rules show {_rulebook(model)} {found.rule}\n")
    sys.stdout.write(
        f"to judge it: logwright verdict {found.id} real|benign{again(model, store)}\n"
    )


def _rulebook(model: Path | None) -> str:
    """The rulebook that a model's findings come from, as far as that is known."""
    from shlex import quote

    folder = None if model is None else model / "rules"
    return quote(str(folder)) if folder is not None and folder.is_dir() else "RULEBOOK"


@app.command()
def export(file: ExportArgument, model: ModelOption = None, store: StoreOption = None) -> None:
    """Write all findings to a file, as the runs that found them raised them.

    Example: logwright findings export findings.parquet -m model
    """
    sys.stdout.write(exported(file, model, store, "findings"))


@app.command()
def prune(
    model: ModelOption = None,
    store: StoreOption = None,
    older_than: Annotated[
        str | None,
        typer.Option(
            "--older-than",
            metavar="AGE",
            help="Take away what no run found for so long: '30d', or since a date.",
            show_default=False,
        ),
    ] = None,
    largest: Annotated[
        str | None,
        typer.Option(
            "--largest",
            metavar="SIZE",
            help="Then the oldest, until the store takes at most '500MB'.",
            show_default=False,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Take away old findings; verdicts, and the patterns they are about, always stay.

    Example: logwright findings prune --older-than 30d -m model
    """
    from logwright.findings.run import many

    if older_than is None and largest is None:
        raise SettingsError("findings prune: expected --older-than AGE, --largest SIZE, or both")
    before: datetime | None = since(older_than) if older_than is not None else None
    most = sized(largest) if largest is not None else None
    with opened(model, store, write=True) as there:
        done = there.prune(before, most)
    if json:
        print_json(done.model_dump(mode="json"))
        return
    gone = [many(done.findings, "finding"), many(done.patterns, "pattern"), many(done.runs, "run")]
    size = f"{done.before / 1e6:,.1f} MB before, {done.after / 1e6:,.1f} MB now"
    sys.stdout.write(f"took away {', '.join(gone)}; {size}\n")


def _as_now(finding: Finding, kept: Kept) -> Finding:
    """A finding with the state that it has now; one that was just added is as its run says."""
    now = kept.states(finding.pattern).get(finding.id) if finding.pattern in kept.patterns else None
    if now is None:
        return finding
    own = finding.own_severity or finding.severity
    update = {"state": now.state, "because": now.because, "severity": now.severity}
    return finding.model_copy(
        update={**update, "own_severity": None if own == now.severity else own}
    )
