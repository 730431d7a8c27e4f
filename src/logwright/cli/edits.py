"""`logwright templates`: name, merge, split and mute the templates of a model, or undo that."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logwright.cli.template_parts import (
    IdArgument,
    IdsArgument,
    JsonOption,
    ModelOption,
    brief,
    compiled,
    counts_of,
    entry,
    examples,
    find_all,
    print_json,
    print_lines,
)
from logwright.errors import LogwrightError, SettingsError

if TYPE_CHECKING:
    from logwright.model import Model
    from logwright.templates.edits import Edit, UndoEdit
    from logwright.templates.template import Template

__all__ = ["merge", "mute", "name", "split", "undo"]

_ByOption = Annotated[
    str | None,
    typer.Option("--by", metavar="AUTHOR", help="Who says so.", show_default=False),
]


def name(
    template: IdArgument,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The name; '' takes it away.", show_default=False)
    ],
    model: ModelOption,
    by: _ByOption = None,
    json: JsonOption = False,
) -> None:
    """Name a template; findings show the name.

    Example: logwright templates name t-26 request -m model
    """
    from logwright.model import Model
    from logwright.templates.edits import NameEdit, keys_for_edit

    learned = Model.load(model)
    (found,) = find_all(learned, [template])
    (keys,) = keys_for_edit([found])
    edit = _made(NameEdit, shapes=keys, name=name, by=by)
    _act(model, learned, [found], edit, f"named '{name}'" if name else "has no name now", json)


def merge(
    templates: IdsArgument,
    model: ModelOption,
    by: _ByOption = None,
    json: JsonOption = False,
) -> None:
    """Make several templates one.

    Example: logwright templates merge t-8b t-f2 -m model
    """
    from logwright.model import Model
    from logwright.templates.edits import MOST_SHAPES, MergeEdit, keys_for_edit

    learned = Model.load(model)
    found = find_all(learned, templates)
    if not 2 <= len(found) <= MOST_SHAPES:
        raise SettingsError(
            f"templates merge: expected two different templates or more, up to {MOST_SHAPES:,}"
        )
    edit = _made(MergeEdit, groups=tuple(keys_for_edit(found)), by=by)
    _act(model, learned, found, edit, "merged", json)


def split(
    template: IdArgument,
    model: ModelOption,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            "--shape",
            metavar="KEY",
            help="A shape to split off, by its key or the beginning of it; may be given again.",
            show_default=False,
        ),
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(
            "--match",
            metavar="REGEX",
            help="Split off the shapes of which this finds an example line.",
            show_default=False,
        ),
    ] = None,
    by: _ByOption = None,
    json: JsonOption = False,
) -> None:
    """Make some shapes a template of their own.

    Example: logwright templates split t-26 --match user=a -m model
    """
    from logwright.model import Model
    from logwright.templates.edits import MOST_SHAPES, SplitEdit
    from logwright.templates.lookup import find_shape

    if (match is None) == (not shape):
        raise SettingsError("templates split: expected either --shape KEY or --match REGEX")
    learned = Model.load(model)
    (found,) = find_all(learned, [template])
    if match is not None:
        regex = compiled(match)
        keys = [k.hex() for k in found.members if any(map(regex.search, examples(learned, k)))]
        if not keys:
            raise SettingsError(f"--match {match} finds no example line of {found.id}")
    else:
        keys = sorted({find_shape(found, wanted) for wanted in shape or []})
    if len(keys) == len(found.members):
        raise SettingsError(f"that is all of {found.id}: expected a part of its shapes")
    if len(keys) > MOST_SHAPES:
        raise SettingsError(f"that is {len(keys):,} shapes: {MOST_SHAPES:,} at once are the most")
    edit = _made(SplitEdit, shapes=tuple(keys), by=by)
    _act(model, learned, [found], edit, "split", json)


def mute(
    templates: IdsArgument,
    model: ModelOption,
    unmute: Annotated[bool, typer.Option("--unmute", help="Raise findings again.")] = False,
    by: _ByOption = None,
    json: JsonOption = False,
) -> None:
    """Raise nothing for these templates alone.

    Detectors still learn them.

    Example: logwright templates mute t-8b -m model
    """
    from logwright.model import Model
    from logwright.templates.edits import MOST_SHAPES, MuteEdit, keys_for_edit

    learned = Model.load(model)
    found = find_all(learned, templates)
    if len(found) > MOST_SHAPES:
        raise SettingsError(f"that is {len(found):,} templates: {MOST_SHAPES:,} are the most")
    action = "unmute" if unmute else "mute"
    keys = tuple(key for group in keys_for_edit(found) for key in group)
    edit = _made(MuteEdit, shapes=keys, action=action, by=by)
    _act(model, learned, found, edit, f"{action}d", json)


def undo(
    model: ModelOption,
    by: _ByOption = None,
    json: JsonOption = False,
) -> None:
    """Take the last edit back that stands.

    Example: logwright templates undo -m model
    """
    from logwright.model import Model
    from logwright.templates.edits import UndoEdit

    learned = Model.load(model)
    if not learned.edits:
        raise LogwrightError(f"{model} has no edit to take back")
    last = learned.edits[-1]
    members = set(last.shape_keys())
    found = [t for t in learned.templates if not members.isdisjoint(t.members)]
    _act(model, learned, found, _made(UndoEdit, by=by), f"took back: {last.summary}", json)


def _made(kind: type[Any], **values: Any) -> Any:
    """An edit; a `SettingsError` where the command line holds what no edit may hold."""
    from pydantic import ValidationError

    try:
        return kind(**values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise SettingsError(f"{where}: {first['msg'].lower()}") from None


def _act(
    folder: Path,
    model: Model,
    found: Sequence[Template],
    edit: Edit | UndoEdit,
    what: str,
    json: bool,
) -> None:
    """Say what is touched, write the edit, and say what came of it."""
    from logwright.findings.run import many
    from logwright.templates.edits import add_edit, read_edits

    counts = counts_of(model)
    known = [n for t in found if (n := counts[t.id]) is not None]
    lines = sum(known) if len(known) == len(found) else None
    before = {t.id for t in found}
    keys = {key for t in found for key in t.members}
    if not json:
        told = "lines that history does not count apart" if lines is None else many(lines, "line")
        print_lines([f"touches {many(len(found), 'template')}, {told} of history"])
        sys.stdout.flush()
    add_edit(folder, edit)
    model.miner.edit(read_edits(folder))
    after = [t for t in model.templates if not keys.isdisjoint(t.members)]
    if json:
        counts = counts_of(model)
        made = [brief(t, counts[t.id]) for t in after]
        act = {"edit": entry(edit), "lines": lines, "before": sorted(before), "after": made}
        print_json(act)
        return
    came = "; ".join(f"{t.id} {_short(t)}" for t in after[:5])
    came += f"; and {len(after) - 5:,} more" if len(after) > 5 else ""
    print_lines([f"{what}{': ' if came else ''}{came}"])


def _short(template: Template) -> str:
    from logwright.findings.escape import fit

    name = f"[{template.name}] " if template.name else ""
    return fit(f"{name}'{template.text}'", 80)
