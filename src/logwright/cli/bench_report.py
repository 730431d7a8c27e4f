"""`logwright bench list`, `report` and `compare`: what can be measured, and what was."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from logwright.cli.data import DataOption
from logwright.cli.template_parts import JsonOption, print_json

__all__ = ["compare", "list_suites", "report"]


def list_suites(
    data: DataOption = Path("../shared/data"),
    json: JsonOption = False,
) -> None:
    """List the suites: what each measures, its data and whether they are there, and the methods.

    Example: logwright bench list
    """
    from logwright.bench.registry import METHODS
    from logwright.bench.suites import SUITES
    from logwright.cli.feedback_parts import table

    methods = [method.word for method in METHODS if not method.deep]
    deep = [method.word for method in METHODS if method.deep]
    if json:
        for entry in SUITES:
            print_json(
                {
                    "suite": entry.suite,
                    "measures": entry.measures,
                    "data": list(entry.files),
                    "absent": entry.absent(data),
                    "minutes": entry.minutes,
                    "methods": [*methods, *deep] if entry.methods else [],
                }
            )
        return
    rows = []
    for entry in SUITES:
        there = "absent" if entry.absent(data) else "there"
        rows.append([entry.suite, f"{entry.minutes:g} min", there, entry.measures])
    sys.stdout.write(table(["SUITE", "ABOUT", "DATA", "MEASURES"], rows, right=[1]))
    taking = ", ".join(entry.suite for entry in SUITES if entry.methods)
    sys.stdout.write(f"\nMethods of {taking}: {', '.join(methods)}; ")
    sys.stdout.write(f"only where --methods asks: {', '.join(deep)}.\n")
    absent = sorted({name for entry in SUITES for name in entry.absent(data)})
    if absent:
        sys.stdout.write(f"Not in {data}: {', '.join(absent)}. Name another folder with --data.\n")


def report(
    out: Annotated[
        list[Path],
        typer.Argument(metavar="OUT...", help="Result files.", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="PAGE", help="The report: .html, or .md for Markdown."
        ),
    ],
) -> None:
    """Write one page with all tables of result files.

    Example: logwright bench report hdfs.json bgl.json -o page.html
    """
    from logwright.bench.report import write_report
    from logwright.bench.rows import load

    write_report([load(path) for path in out], output)
    sys.stdout.write(f"{output} written\n")


def compare(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A result file.", show_default=False)],
    new: Annotated[
        Path,
        typer.Argument(metavar="NEW", help="A later one of the same suite.", show_default=False),
    ],
    fail: Annotated[
        bool,
        typer.Option("--fail", help="Exit with 1 if anything is worse, or a row is gone."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Show what became worse or better by more than noise.

    Example: logwright bench compare hdfs-before.json hdfs.json --fail
    """
    from logwright.bench.compare import compare as compared
    from logwright.bench.compare import told
    from logwright.bench.rows import load
    from logwright.cli.feedback_parts import table
    from logwright.findings.escape import safe

    found = compared(load(old), load(new))
    if json:
        print_json(found.as_json())
    else:
        head, *rows = told(found)
        if rows:
            sys.stdout.write(table([name.upper() for name in head], rows, right=[3, 4]) + "\n")
        for note in found.notes:
            sys.stdout.write(f"{safe(note)}\n")
        same = sum(change.verdict == "same" for change in found.changes)
        verdicts = ("worse", "gone", "better", "slower", "faster")
        counted = {v: sum(c.verdict == v for c in found.changes) for v in verdicts}
        said = ", ".join(f"{number} {verdict}" for verdict, number in counted.items() if number)
        sys.stdout.write(
            f"{said or 'Nothing changed'}; {same} figures are the same within noise.\n"
        )
    if fail and found.worse:
        raise typer.Exit(1)
