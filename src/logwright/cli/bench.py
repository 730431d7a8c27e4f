"""`logwright bench`: the numbers that this project states, from one command."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from logwright.errors import LogwrightError

__all__ = ["app"]

app = typer.Typer(help="Rerun the benchmarks behind every number we state.", no_args_is_help=True)


class Suite(StrEnum):
    """What can be run."""

    throughput = "throughput"
    memory = "memory"
    templates = "templates"
    hdfs = "hdfs"
    faults = "faults"
    feedback = "feedback"
    formats = "formats"


@app.callback()
def _root() -> None:
    """Rerun the benchmarks behind every number we state."""


@app.command()
def run(
    suite: Annotated[Suite, typer.Argument(help="Which suite.", show_default=False)],
    data: Annotated[
        Path,
        typer.Option("--data", metavar="DIR", help="Folder of the data sets."),
    ] = Path("../shared/data"),
    json: Annotated[
        Path | None,
        typer.Option("--json", metavar="OUT", help="Write the result file.", show_default=False),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes, for a smoke test.")] = False,
) -> None:
    """Run one suite and print its table.

    Example: logwright bench run templates --json templates.json
    """
    from logwright.bench.results import run_suite, table, write

    result = run_suite(suite.value, data, quick)
    sys.stdout.write(table(result))
    if json is not None:
        try:
            write(result, json)
        except OSError as error:
            raise LogwrightError(f"--json {json} cannot be written: {error.strerror}") from None
