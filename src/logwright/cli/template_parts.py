"""What the commands on templates share: options, how a template is found, and how it is told."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logwright.errors import SettingsError

if TYPE_CHECKING:
    from logwright.model import Model
    from logwright.templates.edits import Edit, UndoEdit
    from logwright.templates.template import Template

__all__ = [
    "IdArgument",
    "IdsArgument",
    "JsonOption",
    "ModelOption",
    "brief",
    "compiled",
    "counts_of",
    "entry",
    "examples",
    "find_all",
    "print_json",
    "print_lines",
]

ModelOption = Annotated[
    Path, typer.Option("--model", "-m", metavar="MODEL", help="Folder of the model.")
]
IdArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A template: its id or the beginning of it, a former id, or a name.",
        show_default=False,
    ),
]
IdsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="ID...",
        help="Templates: ids or their beginnings, former ids, or names.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def find_all(model: Model, wanted: Iterable[str]) -> list[Template]:
    """The templates that are named, each once."""
    from logwright.templates.lookup import find

    found = {t.id: t for t in (find(model.templates, w) for w in wanted)}
    return list(found.values())


def compiled(match: str) -> re.Pattern[str]:
    """What `--match` says, as an expression.

    >>> compiled("user=[a")
    Traceback (most recent call last):
    logwright.errors.SettingsError: --match user=[a: not a regular expression: ...
    """
    try:
        return re.compile(match)
    except re.error as error:
        raise SettingsError(f"--match {match}: not a regular expression: {error}") from None


def counts_of(model: Model) -> dict[str, int | None]:
    """The lines of history of each template, by id."""
    return {t.id: n for t, n in zip(model.templates, model.counts(), strict=True)}


def examples(model: Model, key: bytes) -> list[str]:
    """Example lines of a shape, redacted; where none were kept, the shape with `<*>`."""
    from logwright.logs.redaction import redact
    from logwright.settings import load_settings

    emails = load_settings().emails
    lines = [redact(line, emails).replace(b"\x00", b"<*>") for line in model.miner.lines(key)]
    return [line.decode("utf-8", "backslashreplace") for line in lines]


def brief(template: Template, count: int | None) -> dict[str, Any]:
    """A template in JSON."""
    return {
        "id": template.id,
        "name": template.name,
        "muted": template.muted,
        "count": count,
        "shapes": len(template.members),
        "text": template.text,
    }


def entry(edit: Edit | UndoEdit) -> dict[str, Any]:
    """An edit in JSON."""
    fields: dict[str, Any] = edit.model_dump(mode="json", exclude_none=True)
    return fields


def print_lines(lines: Iterable[str]) -> None:
    """Print lines, made harmless to a terminal."""
    from logwright.findings.escape import safe

    sys.stdout.write("".join(f"{safe(line)}\n" for line in lines))


def print_json(value: dict[str, Any]) -> None:
    """Print one line of JSON."""
    sys.stdout.write(dumps(value) + "\n")
