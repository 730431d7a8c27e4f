"""`logwright verdict`: what an expert says of a finding, and so of all findings like it."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from logwright.cli import options as o
from logwright.cli.evidence import facts, heading
from logwright.cli.feedback_parts import (
    ByOption,
    ModelOption,
    NoteOption,
    StoreOption,
    again,
    author,
    is_past,
    later,
    made,
    opened,
    spelled,
    width,
)
from logwright.cli.template_parts import JsonOption, print_json
from logwright.errors import SettingsError

if TYPE_CHECKING:
    from logwright.feedback.kept import Kept
    from logwright.feedback.verdicts import Judged
    from logwright.findings.verdict import Scope, Verdict

__all__ = ["verdict"]


class Word(StrEnum):
    """What can be said of a finding."""

    real = "real"
    benign = "benign"
    expected = "expected"


class Wide(StrEnum):
    """How far a verdict reaches."""

    pattern = "pattern"
    templates = "templates"
    text = "text"


def verdict(
    what: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="A finding (f-...), pattern (p-...) or question (q-...), or the beginning of its "
            "id.",
            show_default=False,
        ),
    ],
    word: Annotated[
        Word,
        typer.Argument(
            metavar="real|benign|expected",
            help="An alarm that matters; normal; or normal for a time.",
            show_default=False,
        ),
    ],
    model: ModelOption = None,
    store: StoreOption = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="DATE",
            help="Expected before this time: '2026-12-01', '2026-12-01T06:00', or '7d' from now.",
            show_default=False,
        ),
    ] = None,
    during: Annotated[
        str | None,
        typer.Option(
            "--during",
            metavar="SCHEDULE",
            help="Expected at these times: 'sat,sun', '02:00-03:30', 'mon-fri 22:00-06:00 "
            "Europe/Berlin'.",
            show_default=False,
        ),
    ] = None,
    severity: Annotated[
        o.Level | None,
        typer.Option(
            "--severity", help="Of the findings from now on, if it is real.", show_default=False
        ),
    ] = None,
    note: NoteOption = "",
    by: ByOption = None,
    wide: Annotated[
        Wide | None,
        typer.Option(
            "--wide",
            help="Reach findings of this pattern (default), all findings made of its templates "
            "whatever raises them, or all whose text is alike.",
            show_default=False,
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            "--text",
            metavar="WILDCARD",
            help="Which texts are alike; * stands for anything. Found by itself if not given.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="HOST",
            help="Only on this host: real with others, too; else alone.",
            show_default=False,
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            metavar="FILE",
            help="Only of this source: real with others, too; else alone.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what it would change.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Say what a finding is: it acts at once on all findings of its pattern, past and to come.

    Example: logwright verdict f-1d benign -m model
    """
    from logwright.feedback.kept import Kept
    from logwright.feedback.verdicts import give, lookup, preview

    if word is Word.expected and until is None and during is None:
        raise SettingsError("expected: until when? --until DATE or --during SCHEDULE says it")
    with opened(model, store, write=not dry_run) as there:
        kept = Kept.of(there)
        judged = lookup(there, kept, what)
        if word is Word.real and judged.question and not judged.question.can_be_real:
            patterns = ", ".join(p.row.id for p in judged.question.patterns[:8])
            raise SettingsError(
                f"{what} is about what came one after the other: judge which is real: {patterns}"
            )
        said = made(
            word=word.value,
            subjects=tuple(found.subject() for found in judged.found),
            scope=_scope(judged, wide, text, host, source),
            severity=severity.value if severity else None,
            until=later(until) if until else None,
            during=during,
            finding=judged.finding,
            note=note,
            by=author(by),
        )
        effect = preview(there, said, kept)
        if not json:
            _tell(said, judged, kept)
            sys.stdout.write("\n".join(facts([("effect", effect.sentence)], width())) + "\n")
            if effect.wider and wide is None:
                more = f"--wide would take up to {effect.wider:,} patterns more"
                sys.stdout.write("\n".join(facts([("wider", more)], width())) + "\n")
        asks = effect.also_patterns > 0 or len(judged.found) > 1
        if asks and not (yes or dry_run or json) and _is_terminal() and not _confirmed():
            sys.stdout.write("nothing changed\n")
            return
        if not dry_run:
            said, effect = give(there, said, kept)
    if json:
        record = {"verdict": said.model_dump(mode="json"), "effect": effect.record()}
        print_json({**record, "wider": effect.wider, "dry_run": dry_run})
    elif dry_run:
        sys.stdout.write("nothing changed: --dry-run\n")
    else:
        back = f"logwright verdicts undo {said.number}{again(model, store)}"
        sys.stdout.write(f"verdict {said.number} stands; to take it back: {back}\n")


def _scope(
    judged: Judged, wide: Wide | None, text: str | None, host: str | None, source: str | None
) -> Scope:
    from pydantic import ValidationError

    from logwright.feedback.scopes import scopes
    from logwright.findings.verdict import Scope

    kind = wide.value if wide is not None else ("text" if text is not None else "pattern")
    if text is not None and kind != "text":
        raise SettingsError("--text goes with --wide text")
    choices = {choice.name: choice.scope for choice in scopes(judged.found)}
    if kind not in choices and text is None:
        lack = "no text to go by: --text gives one" if kind == "text" else "no templates"
        raise SettingsError(f"--wide {kind}: what is judged has {lack}")
    wanted = text if text is not None or kind != "text" else choices["text"].text
    try:
        return Scope.model_validate({"kind": kind, "text": wanted, "host": host, "source": source})
    except ValidationError as error:
        where = (*error.errors(include_url=False)[0]["loc"], "text")[0]
        given = {"host": host, "source": source}.get(str(where), wanted)
        beside = "" if where in ("host", "source") else " besides '*'"
        raise SettingsError(
            f"--{where} {given!r:.40}: expected a text of at most 4096 characters{beside}"
        ) from None


def _tell(said: Verdict, judged: Judged, kept: Kept) -> None:
    """What is judged, and what others said of it."""
    from logwright.feedback.judge import in_words
    from logwright.feedback.verdicts import label
    from logwright.findings.run import many, short_id

    ids = [short_id(found.pattern) for found in judged.found]
    patterns = ids[0] if len(ids) == 1 else f"{many(len(ids), 'pattern')}: {', '.join(ids[:4])}"
    others = {
        v.number: v
        for found in judged.found
        for v in kept.standing.reaching(found)
        if v.word != said.word
    }
    rows = [("pattern", patterns if len(ids) <= 4 else f"{patterns} and more")]
    if said.scope.kind != "pattern" or said.scope.host or said.scope.source:
        rows.append(("reaches", label(said)))
    if is_past(said.until):
        rows.append(("until", f"{spelled(said.until)} is past: only what came before is expected"))
    for number in sorted(others, reverse=True)[:3]:
        rows.append(("instead of", in_words(others[number])))
    lines = [heading(f"{said.word}: {judged.text}", width()), *facts(rows, width())]
    sys.stdout.write("\n".join(lines) + "\n")


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _confirmed() -> bool:
    sys.stdout.write("Go on? y/n ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
