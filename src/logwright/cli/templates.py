"""`logwright templates`: list and show the templates of logs and models; and the edits of them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logwright.cli import edits
from logwright.cli import options as o
from logwright.cli.template_parts import (
    IdArgument,
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
from logwright.errors import SettingsError

if TYPE_CHECKING:
    from logwright.templates.edits import Edit
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
    json: JsonOption = False,
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
        regex = compiled(match)
        rows = [r for r in rows if regex.search(r[0].text) or regex.search(r[0].name or "")]
    order: dict[Sort, Callable[[tuple[Template, int | None]], Any]] = {
        Sort.COUNT: lambda r: (-(r[1] or 0), r[0].text, r[0].id),
        Sort.ID: lambda r: r[0].id,
        Sort.TEXT: lambda r: (r[0].text, r[0].id),
    }
    rows = sorted(rows, key=order[sort])[:top]
    if json:
        listed = [brief(t, n) for t, n in rows]
        print_json({"templates": listed, "orphans": [entry(e) for e in orphans]})
        return
    print_lines([*_table(rows), *_told(orphans, "of templates that the model does not hold:")])


@app.command()
def show(
    template: IdArgument,
    model: ModelOption,
    json: JsonOption = False,
) -> None:
    """Show all that is known of one template.

    Example: logwright templates show t-26 -m model
    """
    from logwright.model import Model

    learned = Model.load(model)
    (found,) = find_all(learned, [template])
    made = learned.miner.edits_of(found)
    shapes = [(key.hex(), examples(learned, key)) for key in found.members]
    count = counts_of(learned)[found.id]
    if json:
        more = {
            "types": list(found.types),
            "aliases": list(found.aliases),
            "shapes": [{"key": key, "examples": lines} for key, lines in shapes],
            "edits": [entry(e) for e in made],
        }
        print_json({**brief(found, count), **more})
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
    print_lines([*out, *_told(made, "of it:")])


for _edit in (edits.name, edits.merge, edits.split, edits.mute, edits.undo):
    app.command()(_edit)


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


def _told(edits: Sequence[Edit], what: str) -> list[str]:
    from logwright.findings.run import many

    if not edits:
        return []
    return [f"{many(len(edits), 'edit')} {what}", *(f"  {e.summary}" for e in edits)]


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
