"""What the commands that ask a language model share: its options, and how a chat is opened."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logwright.errors import SettingsError

if TYPE_CHECKING:
    from logwright.llm import Chat

__all__ = [
    "LlmBudgetOption",
    "LlmModelOption",
    "LlmOption",
    "LocalLlmOption",
    "PriceOption",
    "chatting",
    "journal",
    "note",
    "to_terminal",
]

LlmOption = Annotated[
    str | None,
    typer.Option(
        "--llm",
        metavar="URL|batch:DIR|replay:FILE",
        help="Ask a language model first: an OpenAI-compatible endpoint, files of requests and "
        "answers, or a recording. Off by default.",
        show_default=False,
    ),
]
LocalLlmOption = Annotated[
    str | None,
    typer.Option(
        "--llm",
        metavar="URL|local:DIR|batch:DIR|replay:FILE",
        help="Let a language model answer: an OpenAI-compatible endpoint, a model in a folder, "
        "files of requests and answers, or a recording. Off by default.",
        show_default=False,
    ),
]
LlmModelOption = Annotated[
    str | None,
    typer.Option(
        "--llm-model", metavar="NAME", help="Which model answers there.", show_default=False
    ),
]
PriceOption = Annotated[
    str | None,
    typer.Option(
        "--price",
        metavar="IN/OUT",
        help="US dollars for a million tokens, such as 0.15/0.60.",
        show_default=False,
    ),
]
LlmBudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="AMOUNT",
        help="The most to spend, such as 4usd (needs --price) or 100000tokens.",
        show_default=False,
    ),
]


def journal(store: Path) -> Path:
    """Where answers are kept that were paid for, beside a store.

    >>> journal(Path("model/store.db")).name
    'store.llm.jsonl'
    """
    return store.with_suffix(".llm.jsonl")


def note(sentence: str) -> None:
    """Say something on standard error, in lines of the terminal's width."""
    from textwrap import wrap

    from logwright.cli.feedback_parts import columns
    from logwright.findings.escape import safe

    told = safe(f"note: {sentence}")
    lines = wrap(told, columns(), break_on_hyphens=False, break_long_words=False)
    shown = "\n".join(lines) if sys.stderr.isatty() else told
    sys.stderr.write(f"{shown}\n")
    sys.stderr.flush()


def to_terminal(sentence: str) -> None:
    """Say how far the work is, where a person looks on."""
    if sys.stderr.isatty():
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()


@contextmanager
def chatting(
    llm: str, name: str | None, price: str | None, budget: str | None, record: Path | None
) -> Iterator[Chat]:
    """A chat as the options say, recorded in a file.

    >>> with chatting("https://models.example/v1", None, None, None, Path("j.jsonl")):
    ...     pass
    Traceback (most recent call last):
    logwright.errors.SettingsError: name the model to ask with --llm-model NAME: -m, --model is ...
    """
    from logwright.llm import open_chat

    if not name and not llm.startswith(("replay:", "local:")):
        raise SettingsError(
            "name the model to ask with --llm-model NAME: -m, --model is the folder of what was "
            "learned"
        )

    with open_chat(llm, name, budget=budget, price=price, record=record, tell=note) as chat:
        yield chat
