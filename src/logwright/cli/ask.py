"""`logwright ask`: a task about lines of files, answered with the lines that show it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from logwright.cli.answer_parts import (
    FastOption,
    NoKeepOption,
    TaskName,
    answering,
    tell,
)
from logwright.cli.feedback_parts import StoreOption, again, store_path
from logwright.cli.llm_parts import LlmBudgetOption, LlmModelOption, LocalLlmOption, PriceOption
from logwright.cli.template_parts import JsonOption

__all__ = ["ask"]


class RenderingName(StrEnum):
    """How a template is written."""

    words = "words"
    characters = "characters"


def ask(
    task: Annotated[
        TaskName,
        typer.Argument(
            metavar="TASK",
            help="parse, anomaly, interpret, root-cause, solution or failure-prediction.",
            show_default=False,
        ),
    ],
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE[:LINES]...",
            help="Files (.gz and .zst too), folders, or - for standard input; app.log:100-180 are "
            "some of its lines.",
            show_default=False,
        ),
    ],
    healthy: Annotated[
        list[str] | None,
        typer.Option(
            "--healthy",
            metavar="FILE[:LINES]",
            help="What the same thing looks like when it is well. Can be given several times, "
            "once for each run.",
            show_default=False,
        ),
    ] = None,
    question: Annotated[
        str,
        typer.Option("--question", metavar="TEXT", help="What a language model is told besides."),
    ] = "",
    rendering: Annotated[
        RenderingName,
        typer.Option(
            "--rendering",
            metavar="words|characters",
            help="What a template masks of a word that varies: all of it, or only what varies.",
        ),
    ] = RenderingName.words,
    fast: FastOption = False,
    llm: LocalLlmOption = None,
    llm_model: LlmModelOption = None,
    price: PriceOption = None,
    budget: LlmBudgetOption = None,
    store: StoreOption = None,
    no_keep: NoKeepOption = False,
    json: JsonOption = False,
) -> None:
    """Answer a task about lines of a log, with the lines that show it.

    Example: logwright ask root-cause app.log:600-700 --healthy yesterday.log
    """
    from logwright.asking import put
    from logwright.reasoning.material import Material
    from logwright.reasoning.reasoner import Options
    from logwright.reasoning.task import Task

    material = Material.read(files)
    runs = tuple(Material.read([run]) for run in healthy or ())
    options = Options(runs, rendering.value, fast, question)
    place = None if no_keep else store_path(None, store)
    with answering(llm, llm_model, price, budget, place) as engine:
        asked = put(Task(task.value), material, options, engine)
    tell(asked, place, again(None, store), json=json)
