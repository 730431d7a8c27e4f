"""What the commands on rules share: options, how a rule is told, and its form as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from logwright.rules.book.rulebook import Rulebook
    from logwright.rules.book.shelved import Shelved

__all__ = [
    "AllRulesOption",
    "BookArgument",
    "NamesArgument",
    "WhyOption",
    "chosen",
    "percent",
    "put",
    "record",
    "warn",
]

BookArgument = Annotated[
    Path,
    typer.Argument(
        metavar="RULEBOOK",
        help="Folder of the rulebook, such as MODEL/rules.",
        show_default=False,
    ),
]
NamesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME...]",
        help="Names of rules, or their beginnings.",
        show_default=False,
    ),
]
AllRulesOption = Annotated[bool, typer.Option("--all", help="All rules instead of named ones.")]
WhyOption = Annotated[
    str, typer.Option("--note", metavar="TEXT", help="Why; it is kept in the rule's history.")
]


def percent(share: float | None) -> str:
    """A share for people, "-" where there is none.

    >>> percent(0.987), percent(1.0), percent(None)
    ('98.7%', '100%', '-')
    """
    if share is None:
        return "-"
    return "100%" if share == 1 else f"{min(100 * share, 99.9):.1f}%"


def chosen(book: Rulebook, names: Sequence[str] | None, everything: bool) -> list[Shelved]:
    """The rules that the command line names."""
    from logwright.errors import SettingsError

    if bool(names) == everything:
        raise SettingsError("expected names of rules, or --all")
    return list(book.rules.values()) if everything else [book.rule(n) for n in names or ()]


def warn(notes: Iterable[str]) -> None:
    """Say on standard error what there is to be said of a rulebook."""
    from logwright.findings.escape import safe

    for note in notes:
        typer.echo(f"note: {safe(note)}", err=True)


def record(rule: Shelved, full: bool = False) -> dict[str, Any]:
    """A rule in JSON; `full` with its code, history and all backtests."""
    from logwright.rules.book.differences import summary
    from logwright.rules.language.emit import emit

    standing, rating = rule.standing, rule.rating
    told: dict[str, Any] = {
        "name": rule.name,
        "state": rule.state,
        "edited": rule.edited,
        "muted": standing.muted,
        "hash": rule.hash,
        "summary": summary(rule),
        "problem": rule.problem or None,
        "exceptions": [e.model_dump(mode="json") for e in standing.exceptions],
        "backtest": None if rating is None else rating.model_dump(mode="json"),
    }
    if rule.file is not None:
        meta = rule.file.meta
        told |= {
            "kind": meta.kind,
            "must_hold": meta.must_hold,
            "target": meta.target or None,
            "severity": meta.severity,
            "provenance": meta.provenance,
        }
        if full:
            told["code"] = emit(rule.file.function)
            told["numbers"] = meta.backtest
    if full:
        told["history"] = [m.model_dump(mode="json") for m in standing.history]
        told["backtests"] = [b.model_dump(mode="json") for b in standing.backtests]
    return told


def put(text: str) -> None:
    """Write to standard output."""
    sys.stdout.write(text)
