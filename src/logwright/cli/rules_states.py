"""`logwright rules shadow|promote|retire|mute|except`: what people decide about rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logwright.cli.feedback_parts import ByOption, author
from logwright.cli.rules_parts import (
    AllRulesOption,
    BookArgument,
    NamesArgument,
    WhyOption,
    chosen,
    put,
    record,
)
from logwright.cli.template_parts import JsonOption, print_json
from logwright.errors import SettingsError

if TYPE_CHECKING:
    from logwright.rules.book.rulebook import Rulebook
    from logwright.rules.book.shelved import Shelved
    from logwright.rules.book.standing import Standing, State

__all__ = ["except_", "mute", "promote", "retire", "shadow"]


def shadow(
    book: BookArgument,
    names: NamesArgument = None,
    everything: AllRulesOption = False,
    note: WhyOption = "",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Let rules count their hits in every run, without alerts.

    Example: logwright rules shadow model/rules disk_full
    """
    _move(book, names, everything, "shadow", note, by, json)


def promote(
    book: BookArgument,
    names: NamesArgument = None,
    everything: AllRulesOption = False,
    note: WhyOption = "",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Let rules alert. Each needs a backtest of the code as it is, and must fit its own examples.

    Example: logwright rules promote model/rules disk_full --note "seen on all hosts"
    """
    _move(book, names, everything, "active", note, by, json)


def retire(
    book: BookArgument,
    names: NamesArgument = None,
    everything: AllRulesOption = False,
    note: WhyOption = "",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Take rules out of use. They are kept: 'rules shadow' brings them back.

    Example: logwright rules retire model/rules disk_full --note "replaced"
    """
    _move(book, names, everything, "retired", note, by, json)


def _move(
    path: Path,
    names: list[str] | None,
    everything: bool,
    to: State,
    note: str,
    by: str | None,
    json: bool,
) -> None:
    from logwright.rules.book.rulebook import Rulebook
    from logwright.rules.book.testing import failures

    book = Rulebook.load(path)
    rules = chosen(book, names, everything)
    if to == "active":
        failed = failures([rule for rule in rules if rule.state != "active"])
        if failed:
            raise SettingsError(f"{failed[0]}: mend the rule or its example first")
    moved = book.move([rule.name for rule in rules], to, author(by), note)
    if json:
        print_json({"changed": moved, "rules": [record(book.rules[r.name]) for r in rules]})
        return
    for rule in rules:
        what = "is now" if rule.name in moved else "was already"
        put(f"{rule.name} {what} {book.rules[rule.name].state}\n")


def mute(
    book: BookArgument,
    names: NamesArgument = None,
    everything: AllRulesOption = False,
    off: Annotated[bool, typer.Option("--off", help="Let them alert again.")] = False,
    json: JsonOption = False,
) -> None:
    """Throw the kill switch of rules: they stay what they are, and say nothing.

    Example: logwright rules mute model/rules disk_full
    """
    from logwright.rules.book.rulebook import Rulebook

    held = Rulebook.load(book)
    named = [rule.name for rule in chosen(held, names, everything)]
    held.set(named, lambda standing: standing.model_copy(update={"muted": not off}))
    if json:
        print_json({"rules": [record(held.rules[name]) for name in named]})
        return
    for name in named:
        put(f"{name} {'is no longer' if off else 'is now'} muted\n")


def except_(
    book: BookArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The rule.", show_default=False)],
    host: Annotated[str | None, typer.Option(help="Lines of this host.", metavar="HOST")] = None,
    component: Annotated[
        str | None, typer.Option(help="Lines of this component.", metavar="NAME")
    ] = None,
    phrase: Annotated[
        str | None, typer.Option(help="Lines that hold these whole words.", metavar="WORDS")
    ] = None,
    template: Annotated[
        str | None, typer.Option(help="Lines of this template.", metavar="ID")
    ] = None,
    line: Annotated[
        str | None,
        typer.Option(
            help="Lines for which this holds, in the rule language, such as 'line.level < 5'.",
            metavar="CONDITION",
        ),
    ] = None,
    drop: Annotated[
        int | None,
        typer.Option("--drop", metavar="N", min=1, help="Take back exception number N."),
    ] = None,
    note: WhyOption = "",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Tune a rule without touching its code: it no longer sees the lines that are named.

    Example: logwright rules except model/rules disk_full --host build-7 --note "full by design"
    """
    from logwright.rules.book.rulebook import Rulebook

    held = Rulebook.load(book)
    rule = held.rule(name)
    given = {
        "host": host,
        "component": component,
        "phrase": phrase,
        "template": template,
        "line": line,
    }
    named = [(where, text) for where, text in given.items() if text is not None]
    if len(named) + (drop is not None) != 1:
        raise SettingsError(
            "expected one of --host, --component, --phrase, --template, --line and --drop"
        )
    if drop is not None:
        _drop(held, rule, drop)
    else:
        _excuse(held, rule, named[0], note, author(by))
    rule = held.rules[rule.name]
    if json:
        print_json(record(rule))
        return
    for number, excuse in enumerate(rule.standing.exceptions, 1):
        put(f"{number}  {excuse.where} {excuse.text}  {excuse.note}".rstrip() + "\n")
    if not rule.standing.exceptions:
        put(f"{rule.name} has no exceptions\n")


def _drop(book: Rulebook, rule: Shelved, number: int) -> None:
    held = rule.standing.exceptions
    if number > len(held):
        raise SettingsError(f"--drop {number}: {rule.name} has {len(held)} exceptions")
    gone = held[number - 1]

    def dropped(standing: Standing) -> Standing:
        kept = tuple(e for e in standing.exceptions if e != gone)
        return standing.model_copy(update={"exceptions": kept})

    book.set([rule.name], dropped)


def _excuse(book: Rulebook, rule: Shelved, named: tuple[str, str], note: str, by: str) -> None:
    from datetime import UTC, datetime

    from pydantic import ValidationError

    from logwright.rules.book.excuses import excused
    from logwright.rules.book.standing import Excuse

    where, text = named
    try:
        excuse = Excuse.model_validate(
            {"where": where, "text": text, "note": note, "by": by, "at": datetime.now(UTC)}
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise SettingsError(f"--{where}: {first['msg'].lower()}") from None
    if rule.file is None:
        raise SettingsError(rule.problem)
    excused(rule.file.function, [*rule.standing.exceptions, excuse], rule.name)

    def more(standing: Standing) -> Standing:
        return standing.model_copy(update={"exceptions": (*standing.exceptions, excuse)})

    book.set([rule.name], more)
