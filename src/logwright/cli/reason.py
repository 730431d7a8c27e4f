"""`logwright reason`: what reasoners learn from."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logwright.cli.llm_parts import LlmBudgetOption, PriceOption, note
from logwright.cli.template_parts import JsonOption, print_json
from logwright.errors import LogwrightError, SettingsError

if TYPE_CHECKING:
    from logwright.reasoning.building.labelled import Labelled
    from logwright.reasoning.building.teaching import Teacher

__all__ = ["app"]

app = typer.Typer(help="Build what reasoners learn from.", no_args_is_help=True)
data = typer.Typer(help="Worked examples of reasoning about logs.", no_args_is_help=True)
app.add_typer(data, name="data")

_MOST = 4_000


class TeacherName(StrEnum):
    """Teachers, for options."""

    evidence = "evidence"
    llm = "llm"


@data.callback()
def _root() -> None:
    """Worked examples of reasoning about logs."""


@data.command()
def build(
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="OUT.jsonl", help="File of the examples."),
    ],
    logs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="LOG...",
            help="Logs that the labels are about: files, or folders of them.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            "--labels",
            metavar="FILE",
            help="JSON Lines, or a table with tabs and a head line: task, lines (FILE:FROM-TO), "
            "answer.",
            show_default=False,
        ),
    ] = None,
    sets: Annotated[
        Path | None,
        typer.Option(
            "--sets",
            metavar="DIR",
            help="Build from the public reasoning sets in this data folder; what benchmarks hold "
            "out is left out.",
            show_default=False,
        ),
    ] = None,
    teacher: Annotated[
        TeacherName, typer.Option("--teacher", help="Who writes the reasoning.")
    ] = TeacherName.evidence,
    llm: Annotated[
        str | None,
        typer.Option(
            "--llm",
            metavar="URL|batch:DIR|replay:FILE",
            help="Where the model of --teacher llm is.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="Name of that model.", show_default=False),
    ] = None,
    budget: LlmBudgetOption = None,
    price: PriceOption = None,
    most: Annotated[
        int,
        typer.Option("--most", metavar="N", min=1, help="Keep so many examples, the most diverse."),
    ] = _MOST,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Same seed, same examples.")
    ] = 0,
    json: JsonOption = False,
) -> None:
    """Build checked examples of reasoning from labelled logs, with a card of what is in them.

    An example is kept if its answer is the label, its citations hold, and its reasoning follows
    its strategy without naming it.

    Example: logwright reason data build app.log --labels labels.jsonl -o examples.jsonl
    """
    from logwright.findings.escape import safe
    from logwright.reasoning.building import build as building
    from logwright.reasoning.building.card import card, markdown, write_card
    from logwright.reasoning.building.trajectories import write

    items = _items(logs or [], labels, sets)
    if not out.parent.is_dir() or out.is_dir():
        raise SettingsError(f"--out {out}: expected a file in a folder that is there")
    with (
        _teaching(teacher, llm, model, budget, price, out) as teaches,
        _progress() as tell,
    ):
        built = building.build(items, teaches, most=most, seed=seed, tell=tell)
        told = card(built, teaches.name, seed)
    if not built.kept:
        raise LogwrightError(_nothing(told))
    write(out, built.kept)
    files = write_card(out, told)
    if json:
        print_json({"out": str(out), **told})
        return
    sys.stdout.write(markdown(told))
    sys.stdout.write(
        safe(f"{len(built.kept):,} examples are in {out}, the card in {files[1]}") + "\n"
    )


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Counts examples on standard error; silent unless it is a terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed:,} examples"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda more: bar.advance(task, more)


def _items(logs: list[Path], labels: Path | None, sets: Path | None) -> list[Labelled]:
    from logwright.reasoning.building.labelled import read_labels

    if labels is None and (logs or sets is None):
        told = ": what is right about the logs" if logs else " for your own logs, or --sets DIR"
        raise SettingsError(f"expected --labels FILE{told}")
    found = [] if labels is None else list(read_labels(labels, logs))
    if sets is not None:
        from logwright.bench.reasoning_sets import items
        from logwright.reasoning.task import Task

        found += [item.labelled() for task in Task for item in items(task, sets, "seen")]
    return found


@contextmanager
def _teaching(
    kind: TeacherName,
    llm: str | None,
    model: str | None,
    budget: str | None,
    price: str | None,
    out: Path,
) -> Iterator[Teacher]:
    if kind is TeacherName.evidence:
        if llm is not None:
            raise SettingsError("--llm goes with --teacher llm")
        from logwright.reasoning.building.teaching import EvidenceTeacher

        yield EvidenceTeacher()
        return
    if llm is None:
        raise SettingsError("--teacher llm needs --llm URL, batch:DIR or replay:FILE")
    from logwright.llm import Waiting, open_chat
    from logwright.reasoning.building.modelled import ModelTeacher

    record = None if llm.startswith("replay:") else out.with_suffix(".llm.jsonl")
    with open_chat(llm, model, budget=budget, price=price, record=record, tell=note) as chat:
        try:
            yield ModelTeacher(chat, chat.model)
        except Waiting as waiting:
            raise LogwrightError(f"{str(waiting).rstrip('.')}; {chat.spending.told()}") from None
        note(chat.spending.told())


def _nothing(told: dict[str, Any]) -> str:
    """Why nothing could be built, in a sentence: the reason met most."""
    reasons: dict[str, int] = {}
    for one in told["tasks"].values():
        for why, many in one["rejected"].items():
            reasons[why] = reasons.get(why, 0) + many
    first = max(reasons, key=lambda why: reasons[why], default="nothing was asked")
    return f"no example of {told['items']:,} items holds, most often since {first}"
