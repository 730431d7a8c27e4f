"""`logwright templates`: list, show, name, merge, split and mute the templates of a model."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logwright.cli import options as o
from logwright.errors import LogwrightError, SettingsError

if TYPE_CHECKING:
    from logwright.model import Model
    from logwright.templates.edits import Edit, UndoEdit
    from logwright.templates.template import Template

__all__ = ["app"]

app = typer.Typer(
    help="List, show, name, merge, split and mute templates; edits survive relearning.",
    no_args_is_help=True,
)

_SHAPES_SHOWN = 20
_LINES_SHOWN = 3
_TEXT_MOST = 1000


class Sort(StrEnum):
    """What the list is sorted by."""

    COUNT = "count"
    ID = "id"
    TEXT = "text"


_Model = Annotated[
    Path, typer.Option("--model", "-m", metavar="MODEL", help="Folder of the model.")
]
_Id = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A template: its id or the beginning of it, a former id, or a name.",
        show_default=False,
    ),
]
_Ids = Annotated[
    list[str],
    typer.Argument(
        metavar="ID...",
        help="Templates: ids or their beginnings, former ids, or names.",
        show_default=False,
    ),
]
_By = Annotated[
    str | None,
    typer.Option("--by", metavar="AUTHOR", help="Who says so.", show_default=False),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command(name="list")
def list_(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE...]", help="Logs to mine, without a model."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model", "-m", metavar="MODEL", help="Folder of the model.", show_default=False
        ),
    ] = None,
    sort: Annotated[Sort, typer.Option("--sort", help="What to sort by.")] = Sort.COUNT,
    match: Annotated[
        str | None,
        typer.Option(
            "--match",
            metavar="REGEX",
            help="Only templates whose text or name this finds.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option("--top", metavar="N", min=1, help="Only the first N.", show_default=False),
    ] = None,
    format: o.FormatOption = None,
    label_prefix: o.LabelOption = None,
    json: _Json = False,
) -> None:
    """List templates with their numbers of lines.

    Example: logwright templates list -m model
    """
    if (model is None) == (not files):
        raise SettingsError("templates list: expected either -m MODEL or names of log files")
    orphans: list[Edit] = []
    if model is not None:
        from logwright.model import Model

        learned = Model.load(model)
        templates, counts = learned.templates, learned.counts()
        orphans = learned.orphans()
    else:
        templates, counts = _mined(files or [], format, label_prefix)
    rows = list(zip(templates, counts, strict=True))
    if match is not None:
        regex = _compiled(match)
        rows = [r for r in rows if regex.search(r[0].text) or regex.search(r[0].name or "")]
    order: dict[Sort, Callable[[tuple[Template, int | None]], Any]] = {
        Sort.COUNT: lambda r: (-(r[1] or 0), r[0].text, r[0].id),
        Sort.ID: lambda r: r[0].id,
        Sort.TEXT: lambda r: (r[0].text, r[0].id),
    }
    rows = sorted(rows, key=order[sort])[:top]
    if json:
        listed = [_brief(t, n) for t, n in rows]
        _print_json({"templates": listed, "orphans": [_entry(e) for e in orphans]})
        return
    _print([*_table(rows), *_told(orphans, "of templates that the model does not hold:")])


@app.command()
def show(
    template: _Id,
    model: _Model,
    json: _Json = False,
) -> None:
    """Show all that is known of one template.

    Example: logwright templates show t-26 -m model
    """
    from logwright.model import Model

    learned = Model.load(model)
    (found,) = _find_all(learned, [template])
    edits = learned.miner.edits_of(found)
    shapes = [(key.hex(), _examples(learned, key)) for key in found.members]
    count = _counts(learned)[found.id]
    if json:
        more = {
            "types": list(found.types),
            "aliases": list(found.aliases),
            "shapes": [{"key": key, "examples": lines} for key, lines in shapes],
            "edits": [_entry(e) for e in edits],
        }
        _print_json({**_brief(found, count), **more})
        return
    facts = [
        ("text", found.text),
        ("name", found.name or ""),
        ("muted", "yes" if found.muted else ""),
        ("lines", "not counted apart: learn again" if count is None else f"{count:,} of history"),
        ("types", ", ".join(found.types)),
        ("aliases", ", ".join(found.aliases)),
        ("shapes", f"{len(shapes):,}"),
    ]
    out = [found.id, *(f"  {title:<8} {_cut(text)}" for title, text in facts if text)]
    for key, lines in shapes[:_SHAPES_SHOWN]:
        out += [f"    {key}", *(f"      {_cut(line)}" for line in lines[:_LINES_SHOWN])]
    if len(shapes) > _SHAPES_SHOWN:
        out.append(f"    and {len(shapes) - _SHAPES_SHOWN:,} more: --json has them all")
    _print([*out, *_told(edits, "of it:")])


@app.command()
def name(
    template: _Id,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The name; '' takes it away.", show_default=False)
    ],
    model: _Model,
    by: _By = None,
    json: _Json = False,
) -> None:
    """Name a template; findings show the name.

    Example: logwright templates name t-26 request -m model
    """
    from logwright.model import Model
    from logwright.templates.edits import NameEdit, keys_for_edit

    learned = Model.load(model)
    (found,) = _find_all(learned, [template])
    (keys,) = keys_for_edit([found])
    edit = _made(NameEdit, shapes=keys, name=name, by=by)
    _act(model, learned, [found], edit, f"named '{name}'" if name else "has no name now", json)


@app.command()
def merge(
    templates: _Ids,
    model: _Model,
    by: _By = None,
    json: _Json = False,
) -> None:
    """Make several templates one.

    Example: logwright templates merge t-8b t-f2 -m model
    """
    from logwright.model import Model
    from logwright.templates.edits import MOST_SHAPES, MergeEdit, keys_for_edit

    learned = Model.load(model)
    found = _find_all(learned, templates)
    if not 2 <= len(found) <= MOST_SHAPES:
        raise SettingsError(
            f"templates merge: expected two different templates or more, up to {MOST_SHAPES:,}"
        )
    edit = _made(MergeEdit, groups=tuple(keys_for_edit(found)), by=by)
    _act(model, learned, found, edit, "merged", json)


@app.command()
def split(
    template: _Id,
    model: _Model,
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
    by: _By = None,
    json: _Json = False,
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
    (found,) = _find_all(learned, [template])
    if match is not None:
        regex = _compiled(match)
        keys = [k.hex() for k in found.members if any(map(regex.search, _examples(learned, k)))]
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


@app.command()
def mute(
    templates: _Ids,
    model: _Model,
    unmute: Annotated[bool, typer.Option("--unmute", help="Raise findings again.")] = False,
    by: _By = None,
    json: _Json = False,
) -> None:
    """Raise nothing for these templates alone.

    Detectors still learn them.

    Example: logwright templates mute t-8b -m model
    """
    from logwright.model import Model
    from logwright.templates.edits import MOST_SHAPES, MuteEdit, keys_for_edit

    learned = Model.load(model)
    found = _find_all(learned, templates)
    if len(found) > MOST_SHAPES:
        raise SettingsError(f"that is {len(found):,} templates: {MOST_SHAPES:,} are the most")
    action = "unmute" if unmute else "mute"
    keys = tuple(key for group in keys_for_edit(found) for key in group)
    edit = _made(MuteEdit, shapes=keys, action=action, by=by)
    _act(model, learned, found, edit, f"{action}d", json)


@app.command()
def undo(
    model: _Model,
    by: _By = None,
    json: _Json = False,
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


def _find_all(model: Model, wanted: Iterable[str]) -> list[Template]:
    from logwright.templates.lookup import find

    found = {t.id: t for t in (find(model.templates, w) for w in wanted)}
    return list(found.values())


def _compiled(match: str) -> re.Pattern[str]:
    try:
        return re.compile(match)
    except re.error as error:
        raise SettingsError(f"--match {match}: not a regular expression: {error}") from None


def _mined(
    files: Sequence[str], format: str | None, label_prefix: bool | None
) -> tuple[list[Template], list[int | None]]:
    """The templates of log files, with the number of lines of each."""
    import numpy as np

    from logwright.cli.output import progress_bar
    from logwright.intake import Intake
    from logwright.learning import STEP
    from logwright.logs.reader import BLANK
    from logwright.settings import load_settings
    from logwright.templates.miner import Miner

    settings = load_settings(format=format, label_prefix=label_prefix)
    given = Intake(files, settings)
    try:
        miner = Miner(settings.max_shapes)
        with progress_bar("templates") as progress:
            given.read(miner, progress)
        vocabulary = given.group(miner)
        counts = np.zeros(len(vocabulary), np.int64)
        for _, columns in given.recording.read(0, given.recording.rows, STEP):
            shapes = columns["shape"]
            found = vocabulary.of(shapes[shapes != BLANK])
            counts += np.bincount(found, minlength=len(counts))
        return vocabulary.templates, list(counts.tolist())
    finally:
        given.close()


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

    counts = _counts(model)
    known = [n for t in found if (n := counts[t.id]) is not None]
    lines = sum(known) if len(known) == len(found) else None
    before = {t.id for t in found}
    keys = {key for t in found for key in t.members}
    if not json:
        told = "lines that history does not count apart" if lines is None else many(lines, "line")
        _print([f"touches {many(len(found), 'template')}, {told} of history"])
        sys.stdout.flush()
    add_edit(folder, edit)
    model.miner.edit(read_edits(folder))
    after = [t for t in model.templates if not keys.isdisjoint(t.members)]
    if json:
        counts = _counts(model)
        made = [_brief(t, counts[t.id]) for t in after]
        act = {"edit": _entry(edit), "lines": lines, "before": sorted(before), "after": made}
        _print_json(act)
        return
    came = "; ".join(f"{t.id} {_short(t)}" for t in after[:5])
    came += f"; and {len(after) - 5:,} more" if len(after) > 5 else ""
    _print([f"{what}{': ' if came else ''}{came}"])


def _counts(model: Model) -> dict[str, int | None]:
    """The lines of history of each template, by id."""
    return {t.id: n for t, n in zip(model.templates, model.counts(), strict=True)}


def _examples(model: Model, key: bytes) -> list[str]:
    """Example lines of a shape, redacted; where none were kept, the shape with `<*>`."""
    from logwright.logs.redaction import redact
    from logwright.settings import load_settings

    emails = load_settings().emails
    lines = [redact(line, emails).replace(b"\x00", b"<*>") for line in model.miner.lines(key)]
    return [line.decode("utf-8", "backslashreplace") for line in lines]


def _brief(template: Template, count: int | None) -> dict[str, Any]:
    return {
        "id": template.id,
        "name": template.name,
        "muted": template.muted,
        "count": count,
        "shapes": len(template.members),
        "text": template.text,
    }


def _entry(edit: Edit | UndoEdit) -> dict[str, Any]:
    entry: dict[str, Any] = edit.model_dump(mode="json", exclude_none=True)
    return entry


def _told(edits: Sequence[Edit], what: str) -> list[str]:
    from logwright.findings.run import many

    if not edits:
        return []
    return [f"{many(len(edits), 'edit')} {what}", *(f"  {e.summary}" for e in edits)]


def _short(template: Template) -> str:
    from logwright.findings.escape import fit

    name = f"[{template.name}] " if template.name else ""
    return fit(f"{name}'{template.text}'", 80)


def _table(rows: Sequence[tuple[Template, int | None]]) -> list[str]:
    """Aligned columns; names and mutes only where there are any."""
    from logwright.findings.escape import safe

    head = ["ID", "LINES", "SHAPES", "NAME", "MUTED", "TEXT"]
    cells = [
        [
            t.id,
            "-" if n is None else f"{n:,}",
            f"{len(t.members):,}",
            safe(t.name or ""),
            "muted" if t.muted else "",
            t.text,
        ]
        for t, n in rows
    ]
    columns = [c for c in range(len(head)) if c not in (3, 4) or any(row[c] for row in cells)]
    widths = [max(len(row[c]) for row in [head, *cells]) for c in columns[:-1]]
    out = []
    for row in [head, *cells]:
        parts = [
            row[c].rjust(width) if c in (1, 2) else row[c].ljust(width)
            for c, width in zip(columns, widths, strict=False)
        ]
        out.append("  ".join([*parts, _cut(row[5], sum(widths) + 2 * len(widths))]))
    return out


def _cut(text: str, before: int = 15) -> str:
    """Text made harmless, and cut to what a terminal has left of its line after `before` cells."""
    from logwright.findings.escape import fit

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else _TEXT_MOST
    return fit(text, max(width - before, 20))


def _print(lines: Iterable[str]) -> None:
    from logwright.findings.escape import safe

    sys.stdout.write("".join(f"{safe(line)}\n" for line in lines))


def _print_json(value: dict[str, Any]) -> None:
    sys.stdout.write(dumps(value) + "\n")
