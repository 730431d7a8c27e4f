"""`logwright explain`: what started a finding or an incident, with the lines that show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from logwright.cli.answer_parts import (
    FastOption,
    NoKeepOption,
    TaskName,
    answering,
    tell,
)
from logwright.cli.evidence import facts, heading
from logwright.cli.feedback_parts import ModelOption, StoreOption, again, opened, store_path, width
from logwright.cli.llm_parts import LlmBudgetOption, LlmModelOption, LocalLlmOption, PriceOption
from logwright.cli.template_parts import JsonOption

if TYPE_CHECKING:
    from logwright.explaining import Subject

__all__ = ["explain"]


def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A finding (f-...), an incident (i-...) or a pattern (p-...), or the beginning of "
            "its id.",
            show_default=False,
        ),
    ],
    model: ModelOption = None,
    store: StoreOption = None,
    task: Annotated[
        TaskName | None,
        typer.Option(
            "--task",
            help="Ask for this instead: solution tells what to do, interpret what the lines say.",
            show_default=False,
        ),
    ] = None,
    fast: FastOption = False,
    llm: LocalLlmOption = None,
    llm_model: LlmModelOption = None,
    price: PriceOption = None,
    budget: LlmBudgetOption = None,
    no_keep: NoKeepOption = False,
    json: JsonOption = False,
) -> None:
    """Tell what started a finding or an incident; where the lines do not say, what they mean.

    Example: logwright explain f-1d -m model
    """
    from shlex import quote

    from logwright.explaining import asked_about, subject_of
    from logwright.reasoning.task import Task

    place = None if no_keep else store_path(model, store)
    with opened(model, store) as there:
        subject = subject_of(there, what)
    with answering(llm, llm_model, price, budget, place) as engine:
        wanted = None if task is None else Task(task.value)
        asked = asked_about(subject, wanted, engine, fast=fast)
    same, above, below = again(model, store), [*_about(subject), ""], []
    if task is None:
        below.append(f"what to do: logwright explain {quote(what)} --task solution{same}")
        if asked.answer.task is Task.INTERPRET:
            above += ["What started it cannot be told from these lines. What they say:", ""]
    tell(asked, place, same, json=json, above="\n".join([*above, ""]), below=below)


def _about(subject: Subject) -> list[str]:
    """What is explained, as its findings say."""
    from logwright.findings.run import many, span

    worst = subject.worst
    last = max((f.last_seen for f in subject.findings if f.last_seen), default=None)
    number = len(subject.findings)
    rows = [
        ("severity", worst.severity),
        ("expected", worst.expected),
        ("seen", worst.seen),
        ("when", span(subject.findings[0].first_seen, last)),
        ("together", f"{many(number, 'finding')}, the worst is {worst.id}" if number > 1 else ""),
    ]
    shown = min(width(), 110)
    return [heading(f"{subject.id}: {worst.summary}", shown), *facts(rows, shown)]
