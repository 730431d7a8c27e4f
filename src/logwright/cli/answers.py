"""`logwright answers`: answers that were kept, and what experts say instead."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logwright.cli.answer_parts import print_answer
from logwright.cli.evidence import facts
from logwright.cli.feedback_parts import (
    ByOption,
    ExportArgument,
    ModelOption,
    NoteOption,
    StoreOption,
    TopOption,
    again,
    author,
    exported,
    opened,
    spelled,
    table,
    width,
)
from logwright.cli.template_parts import JsonOption, print_json
from logwright.errors import InputError, SettingsError

if TYPE_CHECKING:
    from logwright.store.base import Store
    from logwright.store.kept_answers import AnswerRow, Correction

__all__ = ["app"]

app = typer.Typer(
    help="List, show, correct and export answers that were kept.", no_args_is_help=True
)

_AnswerArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="[ANSWER]",
        help="Its id (a-...), or its beginning (default: the last).",
        show_default=False,
    ),
]


@app.command(name="list")
def list_(
    model: ModelOption = None,
    store: StoreOption = None,
    corrected: Annotated[
        bool, typer.Option("--corrected", help="Only those that somebody corrected.")
    ] = False,
    top: TopOption = None,
    json: JsonOption = False,
) -> None:
    """List answers, newest first.

    Example: logwright answers list -m model
    """
    from logwright.findings.run import short_id

    with opened(model, store) as there:
        rows = there.answers(None if corrected else top)
    rows = [row for row in rows if row.standing or not corrected][:top]
    if json:
        print_json({"answers": [_record(row) for row in rows]})
        return
    if not rows:
        sys.stdout.write("no answers\n")
        return
    head = ["ID", "WHEN", "TASK", "BY", "SURE", "ANSWER"]
    cells = []
    for row in rows:
        answer = row.corrected or row.answer
        sure = f"{answer.confidence:.2f}" if answer.enough else "-"
        said = answer.verdict or answer.text.strip().partition("\n")[0]
        told = [short_id(row.id), spelled(row.made)[:10], answer.task.value, answer.engine[:16]]
        cells.append([*told, sure, said])
    sys.stdout.write(table(head, cells, right=[4]))


@app.command()
def show(
    answer: _AnswerArgument = None,
    model: ModelOption = None,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Show an answer as it was given, and what experts say instead.

    Example: logwright answers show -m model
    """
    with opened(model, store) as there:
        row = _row(there, answer)
    if json:
        print_json(_record(row))
        return
    rows = [
        ("answer", row.id),
        ("made", spelled(row.made)),
        ("about", row.finding or ""),
        ("question", row.question),
    ]
    sys.stdout.write("\n".join([*facts(rows, min(width(), 110), most=2), "", ""]))
    print_answer(row.answer, row.material.material)
    for each in row.corrections:
        sys.stdout.write("\n" + "\n".join(_told(each)) + "\n")


@app.command()
def correct(
    answer: _AnswerArgument = None,
    model: ModelOption = None,
    store: StoreOption = None,
    verdict: Annotated[
        str | None,
        typer.Option("--verdict", metavar="VERDICT", help="The right verdict.", show_default=False),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option("--text", metavar="TEXT", help="The right answer.", show_default=False),
    ] = None,
    cite: Annotated[
        list[str] | None,
        typer.Option(
            "--cite",
            metavar="LINE[:WORDS]",
            help="A line that shows it, by its number in the answer, and which words of it. Can be "
            "given several times.",
            show_default=False,
        ),
    ] = None,
    note: NoteOption = "",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Say what an answer should have been; reasoners can be trained with that.

    Example: logwright answers correct --verdict "disk full" --by ann -m model
    """
    from logwright.asking import correction_of

    if verdict is None and text is None and not cite:
        raise SettingsError("what should it have been? --verdict V, --text T or --cite LINE say it")
    with opened(model, store, write=True) as there:
        row = _row(there, answer)
        said = correction_of(
            row, author(by), verdict=verdict, text=text, cited=cite or (), note=note
        )
        said = there.add_correction(said)
        row = there.answer(row.id)
    if json:
        print_json({"correction": said.model_dump(mode="json"), "answer": _record(row)})
        return
    same = again(model, store)
    sys.stdout.write("\n".join(_told(said)) + "\n")
    sys.stdout.write(f"it stands; to take it back: logwright answers undo {said.number}{same}\n")


@app.command()
def undo(
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", help="Of the correction.", show_default=False)
    ],
    model: ModelOption = None,
    store: StoreOption = None,
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Take a correction back.

    Example: logwright answers undo 1 -m model
    """
    from logwright.findings.escape import safe

    with opened(model, store, write=True) as there:
        said = there.undo_correction(number, author(by))
    if json:
        print_json({"correction": said.model_dump(mode="json")})
        return
    sys.stdout.write(f"took back correction {number} of {safe(said.answer)}\n")


@app.command()
def export(file: ExportArgument, model: ModelOption = None, store: StoreOption = None) -> None:
    """Write all answers, with what was asked, the lines, and corrections, to a file.

    Example: logwright answers export answers.jsonl -m model
    """
    sys.stdout.write(exported(file, model, store, "answers"))


def _row(store: Store, wanted: str | None) -> AnswerRow:
    """The answer of an id, or the last one."""
    if wanted is not None:
        return store.answer(wanted)
    rows = store.answers(1)
    if not rows:
        raise InputError("no answer is kept yet: logwright ask and explain give some")
    return rows[0]


def _record(row: AnswerRow) -> dict[str, Any]:
    """An answer with its corrections; its lines are those it cites, `export` has all."""
    from logwright.asking import record_of

    return {
        **record_of(row).model_dump(mode="json"),
        "made": row.made.isoformat(),
        "question": row.question,
        "corrections": [each.model_dump(mode="json") for each in row.corrections],
    }


def _told(said: Correction) -> list[str]:
    from logwright.findings.escape import fit

    wide = min(width(), 110)
    who = f"correction {said.number} by {said.by or 'nobody named'}, {spelled(said.time)}"
    cited = "; ".join(f"{each.line}: {each.quote}" for each in said.citations or ())
    rows = [
        ("verdict", said.verdict or ""),
        ("text", said.text or ""),
        ("lines", cited),
        ("note", said.note),
        ("undone", spelled(said.undone) if said.undone else ""),
    ]
    return [fit(who, wide), *facts(rows, wide, most=4)]
