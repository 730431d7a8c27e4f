"""What the commands that answer have in common: options, what answers, and how it is told."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logwright.cli.llm_parts import chatting, journal, note
from logwright.cli.template_parts import print_json
from logwright.errors import InputError, StoreError

if TYPE_CHECKING:
    from logwright.asking import Asked
    from logwright.reasoning.answer import Answer
    from logwright.reasoning.material import Material
    from logwright.reasoning.reasoner import Reasoner

__all__ = [
    "FastOption",
    "NoKeepOption",
    "TaskName",
    "answering",
    "print_answer",
    "tell",
]

_MOST_WIDE = 110


class TaskName(StrEnum):
    """What can be asked."""

    parse = "parse"
    anomaly = "anomaly"
    interpret = "interpret"
    root_cause = "root-cause"
    solution = "solution"
    failure_prediction = "failure-prediction"


FastOption = Annotated[
    bool,
    typer.Option("--fast", help="The answer without the reasoning: a language model stops there."),
]
NoKeepOption = Annotated[bool, typer.Option("--no-keep", help="Do not keep the answer.")]


@contextmanager
def answering(
    llm: str | None, name: str | None, price: str | None, budget: str | None, place: Path | None
) -> Iterator[Reasoner]:
    """What answers, as the options say; what was paid for is kept beside the store at `place`."""
    if llm is None:
        from logwright.reasoning.evidence.reasoner import EvidenceReasoner

        yield EvidenceReasoner()
        return
    from logwright.asking import speaking

    record = None if place is None else journal(place)
    with chatting(llm, name, price, budget, record) as chat:
        yield speaking(chat)


def tell(
    asked: Asked,
    place: Path | None,
    same: str,
    *,
    json: bool,
    above: str = "",
    below: Sequence[str] = (),
) -> None:
    """Keep an answer in the store at `place` (None: nowhere) and print it, as `json` or between
    what stands `above` and `below`; `same` are the options that name the store once more."""
    is_kept = place is not None and _kept(asked, place)
    record = asked.record
    if json:
        print_json(record.model_dump(mode="json"))
        return
    more = [f"kept as {record.id}; wrong? logwright answers correct {record.id}{same}"]
    sys.stdout.write(above)
    print_answer(asked.answer, asked.material, *below, *(more if is_kept else ()))


def _kept(asked: Asked, place: Path) -> bool:
    """Keep an answer. That it cannot be kept is no reason not to tell it."""
    from logwright.asking import keep

    try:
        keep(asked, place)
    except (InputError, StoreError) as error:
        note(f"the answer is not kept: {error}")
        return False
    return True


def print_answer(answer: Answer, material: Material, *below: str) -> None:
    """Print an answer for people, and lines below it."""
    from logwright.findings.escape import safe
    from logwright.reasoning.shown import render

    wide, shows = shutil.get_terminal_size((80, 24)).columns, sys.stdout.isatty()
    color = shows and "NO_COLOR" not in os.environ
    # Sentences are hard to read where they go on for the whole of a wide screen.
    told = render(answer, material, width=min(wide, _MOST_WIDE) if shows else 80, color=color)
    said = "\n".join(typer.style(safe(line), dim=True) if color else safe(line) for line in below)
    sys.stdout.write(told + (f"\n{said}\n" if said else ""))
