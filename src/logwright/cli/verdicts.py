"""`logwright verdicts`: list and show what was judged; undo, export, import; who changed what."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logwright.cli.evidence import facts, heading, names
from logwright.cli.feedback_parts import (
    ByOption,
    ModelOption,
    NoteOption,
    StoreOption,
    TopOption,
    author,
    opened,
    spelled,
    table,
    width,
)
from logwright.cli.template_parts import JsonOption, print_json
from logwright.errors import InputError, LogwrightError

if TYPE_CHECKING:
    from logwright.feedback.kept import Kept
    from logwright.findings.verdict import Verdict
    from logwright.store.base import AuditRow

__all__ = ["app"]

app = typer.Typer(
    help="List, show, undo, export and import verdicts; and who changed what.",
    no_args_is_help=True,
)


@app.command(name="list")
def list_(
    model: ModelOption = None,
    store: StoreOption = None,
    all_: Annotated[bool, typer.Option("--all", help="With those that were taken back.")] = False,
    top: TopOption = None,
    json: JsonOption = False,
) -> None:
    """List verdicts, newest first, with the number of findings that each acts on.

    Example: logwright verdicts list -m model
    """
    from logwright.feedback.kept import Kept
    from logwright.feedback.verdicts import label

    with opened(model, store) as there:
        kept = Kept.of(there)
        acts, overridden, undone = _acting(kept), _overridden(kept), _undone(kept)
    found = [v for v in _given(kept) if all_ or v.number not in undone][::-1][:top]
    if json:
        rows = [_record(v, acts, overridden, undone) for v in found]
        print_json({"verdicts": rows})
        return
    if not found:
        sys.stdout.write("no verdicts\n")
        return
    head = ["NO", "WORD", "BY", "WHEN", "ACTS ON", "WHAT"]
    cells = []
    for verdict in found:
        remark = ""
        if verdict.number in undone:
            remark = f"(undone by {undone[verdict.number]}) "
        elif verdict.number in overridden:
            remark = f"(overridden by {_numbers(overridden[verdict.number])}) "
        about = remark + label(verdict) + (f" - {verdict.note}" if verdict.note else "")
        when = [str(verdict.number), verdict.word, verdict.by[:16], spelled(verdict.time)[:10]]
        cells.append([*when, f"{acts[verdict.number]:,}", about])
    sys.stdout.write(table(head, cells, right=[0, 4]))


@app.command()
def show(
    number: Annotated[
        int, typer.Argument(metavar="NUMBER", help="Of the verdict.", show_default=False)
    ],
    model: ModelOption = None,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Show all of one verdict.

    Example: logwright verdicts show 1 -m model
    """
    from logwright.feedback.kept import Kept
    from logwright.feedback.verdicts import label
    from logwright.findings.run import many

    with opened(model, store) as there:
        kept = Kept.of(there)
        acts, overridden, undone = _acting(kept), _overridden(kept), _undone(kept)
    verdict = next((v for v in _given(kept) if v.number == number), None)
    if verdict is None:
        raise InputError(f"there is no verdict {number}")
    if json:
        print_json(_record(verdict, acts, overridden, undone))
        return
    over = overridden.get(number)
    rows = [
        ("about", label(verdict)),
        ("by", verdict.by),
        ("when", spelled(verdict.time)),
        ("note", verdict.note),
        ("severity", verdict.severity or ""),
        ("until", spelled(verdict.until) if verdict.until else ""),
        ("during", verdict.during or ""),
        ("reaches", _reach(verdict)),
        ("acts on", many(acts[number], "finding")),
        ("from", f"record {verdict.position.records:,} on" if verdict.position.run else ""),
        ("overridden", f"by {_numbers(over)}" if over else ""),
        ("undone", f"by {undone[number]}" if number in undone else ""),
        ("patterns", names(verdict.patterns)),
    ]
    rows += [("text" if at == 0 else " ", s) for at, s in enumerate(_texts(verdict)[:8])]
    head = heading(f"verdict {number}: {verdict.word}", width())
    sys.stdout.write("\n".join([head, *facts(rows, width())]) + "\n")


@app.command()
def undo(
    number: Annotated[
        int | None,
        typer.Argument(
            metavar="[NUMBER]", help="Of the verdict (default: the last).", show_default=False
        ),
    ] = None,
    model: ModelOption = None,
    store: StoreOption = None,
    note: NoteOption = "",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Take a verdict back, as if it had never been given.

    Example: logwright verdicts undo 1 -m model
    """
    from logwright.feedback import verdicts
    from logwright.findings.escape import fit

    with opened(model, store, write=True) as there:
        entry, verdict, effect = verdicts.undo(there, number, by=author(by), note=note)
    if json:
        print_json({"undo": entry.model_dump(mode="json"), "effect": effect.record()})
        return
    told = f"took back verdict {verdict.number}: {verdict.word}: {verdicts.label(verdict)}"
    sys.stdout.write(fit(told, width()) + "\n")
    sys.stdout.write("\n".join(facts([("effect", effect.sentence)], width())) + "\n")


@app.command()
def export(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="JSON lines; - for standard output."),
    ] = "-",
    model: ModelOption = None,
    store: StoreOption = None,
) -> None:
    """Write all verdicts and undos as JSON lines.

    Example: logwright verdicts export verdicts.jsonl -m model
    """
    from logwright.feedback.exchange import write_entries
    from logwright.findings.escape import safe

    with opened(model, store) as there:
        if file == "-":
            write_entries(there.entries(), sys.stdout)
            return
        target = there.export(Path(file), "jsonl", "verdicts")
    sys.stdout.write(f"wrote {safe(str(target))}\n")


@app.command(name="import")
def import_(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="JSON lines of `logwright verdicts export`; - for standard input.",
            show_default=False,
        ),
    ],
    model: ModelOption = None,
    store: StoreOption = None,
    json: JsonOption = False,
) -> None:
    """Add the verdicts of a file that are not there yet; they act as if given now.

    Example: logwright verdicts import verdicts.jsonl -m model
    """
    from logwright.feedback.exchange import import_entries, read_entries
    from logwright.feedback.judge import in_words
    from logwright.findings.run import many

    try:
        if file == "-":
            entries = read_entries(sys.stdin, "standard input")
        else:
            with open(file, encoding="utf-8") as lines:
                entries = read_entries(lines, file)
    except OSError as error:
        raise LogwrightError(f"{file} cannot be read: {error.strerror or error}") from None
    with opened(model, store, write=True, new=True) as there:
        done = import_entries(there, entries)
    if json:
        conflicts = [[v.number for v in group] for group in done.conflicts]
        added = [e.number for e in done.added]
        print_json({"added": added, "skipped": done.skipped, "conflicts": conflicts})
        return
    sys.stdout.write(f"added {many(len(done.added), 'record')}, {done.skipped:,} were there\n")
    for group in done.conflicts:
        rows = [("acts", in_words(group[0]))]
        rows += [("overrides", in_words(verdict)) for verdict in group[1:]]
        sys.stdout.write("\n".join(["conflict:", *facts(rows, width())]) + "\n")


@app.command()
def audit(
    model: ModelOption = None,
    store: StoreOption = None,
    top: TopOption = None,
    json: JsonOption = False,
) -> None:
    """List who did what and when, and what it changed, newest first.

    Example: logwright verdicts audit -m model
    """
    with opened(model, store) as there:
        rows = there.audit(top)
    if json:
        print_json({"audit": [row.model_dump(mode="json") for row in rows]})
        return
    cells = [[str(r.entry or "-"), spelled(r.time), r.by[:16], r.action, _changed(r)] for r in rows]
    head = ["NO", "WHEN", "BY", "ACTION", "WHAT IT CHANGED"]
    sys.stdout.write(table(head, cells, right=[0]) if rows else "nothing was done\n")


def _changed(row: AuditRow) -> str:
    changed = dict(row.changed)
    if "moves" not in changed:  # retention, or an import
        told = [f"{key} {value}" for key, value in changed.items()]
    else:
        told = [f"{number:,} {move}" for move, number in changed["moves"].items()] or ["no finding"]
    return f"{', '.join(told)}: {row.subject}"


def _given(kept: Kept) -> list[Verdict]:
    from logwright.findings.verdict import Verdict

    return [entry for entry in kept.entries if isinstance(entry, Verdict)]


def _undone(kept: Kept) -> dict[int, int]:
    from logwright.findings.verdict import Undo

    return {entry.undoes: entry.number for entry in kept.entries if isinstance(entry, Undo)}


def _acting(kept: Kept) -> Counter[int]:
    """On how many findings each verdict acts."""
    patterns = set[str]().union(*(kept.reached(verdict) for verdict in kept.standing.verdicts))
    kept.read(patterns)
    states = (now for pattern in patterns for now in kept.states(pattern).values())
    return Counter(now.verdict.number for now in states if now.verdict is not None)


def _overridden(kept: Kept) -> dict[int, set[int]]:
    """For each verdict, the others of another word that act on what it would act on: later ones,
    and over a model's also those of persons."""
    from logwright.feedback.speaker import rank
    from logwright.feedback.standing import Standing

    found: dict[int, set[int]] = {}
    for verdict in kept.standing.verdicts:
        alone, together = Standing([verdict]), kept.together(verdict.patterns)
        for pattern in kept.reached(verdict):
            detector, states = kept.patterns[pattern].detector, kept.states(pattern)
            for sight in kept.of_pattern(pattern):
                acting = states[sight.id].verdict
                if not acting or rank(acting) <= rank(verdict) or acting.word == verdict.word:
                    continue
                there = together.get((detector, sight.window), ())
                if alone.acting(kept.found(pattern, sight), there) is not None:
                    found.setdefault(verdict.number, set()).add(acting.number)
    return found


def _record(
    verdict: Verdict, acts: Counter[int], overridden: dict[int, set[int]], undone: dict[int, int]
) -> dict[str, Any]:
    return {
        **verdict.model_dump(mode="json"),
        "acts_on": acts[verdict.number],
        "overridden_by": sorted(overridden.get(verdict.number, ())),
        "undone_by": undone.get(verdict.number),
    }


def _numbers(numbers: set[int]) -> str:
    return names([str(n) for n in sorted(numbers)])


def _reach(verdict: Verdict) -> str:
    kinds = {"pattern": "its pattern", "templates": "its templates", "text": "alike texts"}
    return kinds[verdict.scope.kind]


def _texts(verdict: Verdict) -> Sequence[str]:
    return list(dict.fromkeys(text for subject in verdict.subjects for text in subject.texts))
