"""`logwright review`: walks the open questions, one key each."""

from __future__ import annotations

import gc
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logwright.cli.feedback_parts import (
    ByOption,
    ModelOption,
    StoreOption,
    author,
    opened,
    store_path,
)
from logwright.cli.llm_parts import (
    LlmBudgetOption,
    LlmModelOption,
    LlmOption,
    PriceOption,
    chatting,
    journal,
)
from logwright.cli.template_parts import JsonOption, print_json
from logwright.errors import SettingsError

if TYPE_CHECKING:
    from logwright.feedback.kept import Kept
    from logwright.feedback.questions import Question

__all__ = ["review"]


def review(
    model: ModelOption = None,
    store: StoreOption = None,
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit", metavar="N", min=1, help="Only the first N questions.", show_default=False
        ),
    ] = None,
    second: Annotated[
        bool,
        typer.Option(
            "--second",
            help="Afterwards, second looks: what rests on one answer and acts on most findings.",
        ),
    ] = False,
    by: ByOption = None,
    llm: LlmOption = None,
    llm_model: LlmModelOption = None,
    price: PriceOption = None,
    budget: LlmBudgetOption = None,
    json: JsonOption = False,
) -> None:
    """Walk the open questions, the most informative first, and answer each with one key.

    With `--json` they are only listed.

    With `--llm` a language model is asked first. Where it is sure and no person has spoken, its
    word is kept as a verdict by `model:NAME`, below any person's; else it is shown as advice.

    Example: logwright review -m model
    """
    from logwright.feedback.kept import Kept

    if llm is None and (llm_model or price or budget):
        raise SettingsError("--llm-model, --price and --budget go with --llm")
    with ExitStack() as stack:
        there = stack.enter_context(opened(model, store, write=not json or llm is not None))
        kept, advising = Kept.of(there), None
        if llm is not None:
            from logwright.cli.review_advice import Advising

            record = journal(store_path(model, store))
            chat = stack.enter_context(chatting(llm, llm_model, price, budget, record))
            advising = Advising(there, kept, chat, quiet=json)
            advising.ask(limit)
        if json:
            found = {"questions": [_record(q) for q in _asked(kept, second)[:limit]]}
            print_json(found if advising is None else {**found, **advising.record()})
            return
        from logwright.cli.review_walk import Walk

        advice = {} if advising is None else advising.advice
        walk = Walk(there, kept, author(by), limit, second, advice)
        gc.freeze()  # what was read stays to the end: no need to look through it at each answer
        walk.walk()


def _asked(kept: Kept, second: bool) -> list[Question]:
    from logwright.feedback.questions import questions
    from logwright.feedback.second import SecondAsker

    return [*questions(kept), *(SecondAsker(kept).ask() if second else ())]


def _record(question: Question) -> dict[str, Any]:
    from logwright.feedback.second import SecondLook

    first, last = question.first_seen, question.last_seen
    look = question if isinstance(question, SecondLook) else None
    return {
        "id": question.id,
        "kind": question.kind,
        "text": question.text,
        "why": question.why,
        "severity": question.severity,
        "findings": question.findings,
        "chance": round(question.chance, 4),
        "worth": round(question.worth, 4),
        "first_seen": first.isoformat() if first else None,
        "last_seen": last.isoformat() if last else None,
        "hosts": list(question.hosts),
        "patterns": [p.row.id for p in question.patterns],
        "second_look_at": look.verdict.number if look else None,
    }
