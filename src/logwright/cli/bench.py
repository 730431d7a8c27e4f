"""`logwright bench`: the numbers that this project states, from one command."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from logwright.cli import bench_report
from logwright.cli.answer_parts import answering
from logwright.cli.data import DataOption
from logwright.cli.llm_parts import LlmBudgetOption, LlmModelOption, LocalLlmOption, PriceOption
from logwright.cli.options import SessionOption
from logwright.errors import LogwrightError

__all__ = ["app"]

app = typer.Typer(help="Rerun the benchmarks behind every number we state.", no_args_is_help=True)
app.command(name="list")(bench_report.list_suites)
app.command()(bench_report.report)
app.command()(bench_report.compare)


class Suite(StrEnum):
    """What can be run."""

    hdfs = "hdfs"
    bgl_raw = "bgl-raw"
    bgl_windows = "bgl-windows"
    hadoop = "hadoop"
    log = "log"
    feedback = "feedback"
    rules = "rules"
    sequence = "sequence"
    sequence_speed = "sequence-speed"
    stream = "stream"
    stream_memory = "stream-memory"
    reasoning = "reasoning"
    templates = "templates"
    formats = "formats"
    faults = "faults"
    throughput = "throughput"
    memory = "memory"


_DETECTION = (Suite.hdfs, Suite.bgl_raw, Suite.bgl_windows, Suite.hadoop, Suite.log)
_WINDOWED = (*_DETECTION, Suite.feedback, Suite.rules)
"""Suites that judge windows, each of which has a score."""


@app.callback()
def _root() -> None:
    """Rerun the benchmarks behind every number we state."""


@app.command()
def run(
    suite: Annotated[Suite, typer.Argument(help="Which suite.", show_default=False)],
    data: DataOption = Path("../shared/data"),
    json: Annotated[
        Path | None,
        typer.Option(
            "--json",
            metavar="OUT",
            help="Write the result file; scores of single windows go to OUT-predictions.parquet.",
            show_default=False,
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes, for a smoke test.")] = False,
    methods: Annotated[
        str | None,
        typer.Option(
            "--methods", metavar="A,B", help="Only these, and the floors.", show_default=False
        ),
    ] = None,
    offsets: Annotated[
        int, typer.Option("--offsets", min=1, max=9, help="At how many places the set is split.")
    ] = 5,
    seeds: Annotated[
        int, typer.Option("--seeds", min=1, help="Seeds of methods that draw numbers.")
    ] = 3,
    window: Annotated[
        str | None,
        typer.Option(
            "--window", metavar="W", help="Only this one, as in 100 or 1h.", show_default=False
        ),
    ] = None,
    detector: Annotated[
        Path | None,
        typer.Option(
            "--detector",
            metavar="PATH",
            help="Your own class Detector, beside the floors.",
            show_default=False,
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option("--log", metavar="FILE", help="Your log, of suite log.", show_default=False),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE",
            help="Its labels, one a line, or session,label; else they stand before each line.",
            show_default=False,
        ),
    ] = None,
    named: Annotated[
        str | None,
        typer.Option(
            "--set",
            metavar="NAME",
            help="In place of --log: a set of `logwright data list`, for suite log.",
            show_default=False,
        ),
    ] = None,
    session: SessionOption = None,
    train_data: Annotated[
        Path | None,
        typer.Option(
            "--train-data",
            metavar="DIR",
            help="Learn on this folder, freeze, and score --test-data.",
            show_default=False,
        ),
    ] = None,
    test_data: Annotated[
        Path | None,
        typer.Option(
            "--test-data", metavar="DIR", help="Later data, same layout.", show_default=False
        ),
    ] = None,
    stress: Annotated[
        bool, typer.Option("--stress/--no-stress", help="Also with something taken away.")
    ] = True,
    llm: LocalLlmOption = None,
    llm_model: LlmModelOption = None,
    price: PriceOption = None,
    budget: LlmBudgetOption = None,
) -> None:
    """Run one suite and print its table.

    Example: logwright bench run hadoop --methods ladder,tree --json hadoop.json
    """
    from logwright.bench.detection import Options
    from logwright.bench.plain import text
    from logwright.bench.predictions import beside
    from logwright.bench.results import run_suite, write

    own = (methods, window, detector, log, labels, named, session, train_data, test_data)
    if suite not in _DETECTION and any(value is not None for value in own):
        raise LogwrightError(
            f"suite {suite.value} takes no methods, windows or data of its own: "
            f"{', '.join(_DETECTION)} do"
        )
    if suite is not Suite.reasoning and any((llm, llm_model, price, budget)):
        raise LogwrightError(f"suite {suite.value} asks no language model: reasoning does")
    words = [word.strip() for word in (methods or "").split(",") if word.strip()]
    if methods is not None and not words:
        raise LogwrightError(f"--methods {methods!r} names no method: leave it out to run all")
    predictions = beside(json) if json is not None and suite in _WINDOWED else None
    options = Options(
        methods=words,
        offsets=offsets,
        seeds=seeds,
        window=window,
        detector=detector,
        log=log,
        labels=labels,
        named=named,
        session=session,
        train_data=train_data,
        test_data=test_data,
        stress=stress,
        predictions=predictions,
    )
    if json is not None and not json.parent.is_dir():
        raise LogwrightError(f"--json {json} cannot be written: there is no folder {json.parent}")
    with answering(llm, llm_model, price, budget, None) as engine:
        result = run_suite(suite.value, data, quick, options, engine)
    sys.stdout.write(text(result))
    if json is not None:
        try:
            write(result, json)
        except OSError as error:
            raise LogwrightError(f"--json {json} cannot be written: {error.strerror}") from None
