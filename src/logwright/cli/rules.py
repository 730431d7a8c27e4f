"""`logwright rules`: readable detection code, made from logs, tested on logs, run by `detect`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logwright.cli import rules_make, rules_states
from logwright.cli.feedback_parts import spelled, width
from logwright.cli.rules_parts import (
    AllRulesOption,
    BookArgument,
    NamesArgument,
    chosen,
    put,
    record,
    warn,
)
from logwright.cli.rules_tables import listed, ratings, says, speed, state
from logwright.cli.template_parts import JsonOption, print_json
from logwright.errors import SettingsError

if TYPE_CHECKING:
    from logwright.rules.book.rulebook import Rulebook
    from logwright.rules.book.shelved import Shelved

__all__ = ["app"]

_BACKTESTS = 3

app = typer.Typer(
    help="Rules: readable code that judges windows. Make, test, backtest, promote and tune them.",
    no_args_is_help=True,
)

for _made in (rules_make.induce, rules_make.synthesize, rules_make.backtest):
    app.command()(_made)


@app.command()
def show(book: BookArgument, names: NamesArgument = None, json: JsonOption = False) -> None:
    """List the rules of a rulebook; or show some with code, numbers, exceptions and history.

    Example: logwright rules show model/rules disk_full
    """
    from logwright.rules.book.rulebook import Rulebook

    held = Rulebook.load(book)
    rules = [held.rule(name) for name in names] if names else list(held.rules.values())
    if json:
        plain = _plain(rules) if names else {}
        found = [
            record(r, full=bool(names)) | ({"plain": plain.get(r.name)} if names else {})
            for r in rules
        ]
        print_json({"revision": held.index.revision, "rules": found, "notes": held.notes()})
        return
    warn(held.notes())
    if not names:
        put(listed(rules) if rules else f"{held.path} holds no rules\n")
        return
    plain = _plain(rules)
    put("\n".join("".join(_whole(held, rule, plain.get(rule.name))) for rule in rules))


def _plain(rules: list[Shelved]) -> dict[str, str]:
    """Why rules are not compiled, by name, for those that are not."""
    from logwright.rules.book.jury import plain_reasons

    return plain_reasons(rules)


def _whole(book: Rulebook, rule: Shelved, plain: str | None) -> list[str]:
    """A rule with all that is known of it, in lines."""
    from logwright.findings.escape import safe
    from logwright.findings.run import many
    from logwright.rules.book.hits import hits_of
    from logwright.rules.language.emit import emit

    facts = [("state", state(rule)), ("says", says(rule))]
    if rule.file is not None:
        meta = rule.file.meta
        facts += [("severity", meta.severity), ("made by", meta.provenance), ("hash", rule.hash)]
        cost = "" if rule.rating is None or not rule.rating.speed else speed(rule.rating.speed)
        runs = "compiled" if plain is None else f"plainly, as {plain}"
        facts.append(("runs", f"{runs}; {cost} lines/s" if cost else runs))
        if meta.target:
            facts.append(("for", meta.target))
        if meta.backtest:
            numbers = (f"{n.replace('_', ' ')} {v:g}" for n, v in meta.backtest.items())
            facts.append(("when made", ", ".join(numbers)))
    held = hits_of(book.path).get(rule.name)
    if held is not None:
        span = f", {held.first} to {held.last}" if held.first else ""
        facts.append(("hits", f"{held.windows:,} windows in {many(held.runs, 'run')}{span}"))
    for number, e in enumerate(rule.standing.exceptions, 1):
        facts.append(
            (f"except {number}", f"{e.where} {e.text} ({e.by}{', ' * bool(e.note)}{e.note})")
        )
    for move in rule.standing.history[-5:]:
        way = f"{move.before} -> {move.after}" if move.before else move.after
        why = f": {move.why}" if move.why else ""
        facts.append(("history", f"{spelled(move.at)} {move.by}: {way}{why}"))
    if rule.problem:
        facts.append(("problem", rule.problem))
    lines = [f"{rule.name}\n", *(f"  {safe(k):<16} {safe(v)}\n" for k, v in facts)]
    if rule.standing.backtests:
        told = ratings(rule.standing.backtests[-_BACKTESTS:])
        lines += ["\n", *(f"  {line}\n" for line in told.splitlines())]
    if rule.file is not None:
        code = emit(rule.file.function).rstrip("\n").split("\n")
        lines += ["\n", *(f"    {safe(line)}".rstrip() + "\n" for line in code)]
    return lines


@app.command(name="test")
def check(book: BookArgument, names: NamesArgument = None, json: JsonOption = False) -> None:
    """Check that rules can be read, and fire on their examples as they should. Exit code 1 if not.

    Example: logwright rules test model/rules
    """
    from logwright.findings.escape import safe
    from logwright.findings.run import many
    from logwright.rules.book.rulebook import Rulebook
    from logwright.rules.book.testing import failures

    held = Rulebook.load(book)
    rules = [held.rule(name) for name in names] if names else list(held.rules.values())
    failed = failures(rules)
    if json:
        print_json({"rules": len(rules), "failures": failed})
    else:
        warn(n for n in held.notes() if not any(f.split(": ", 1)[-1] in n for f in failed))
        put("".join(f"{safe(failure)}\n" for failure in failed))
        put(f"{many(len(rules), 'rule')}, {many(len(failed), 'failure')}\n")
    if failed:
        raise typer.Exit(1)


@app.command()
def diff(
    a: Annotated[Path, typer.Argument(metavar="A", help="A rulebook.", show_default=False)],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one.", show_default=False)],
    json: JsonOption = False,
) -> None:
    """Show what is different in rulebook B: rules, their code, states and exceptions.

    Example: logwright rules diff model/rules new-rules
    """
    from logwright.findings.escape import fit, safe
    from logwright.rules.book.differences import differences
    from logwright.rules.book.rulebook import Rulebook

    found = differences(Rulebook.load(a), Rulebook.load(b))
    if json:
        rows = [
            {"name": d.name, "kind": d.kind, "told": d.told, "code": list(d.code)} for d in found
        ]
        print_json({"differences": rows})
        return
    for difference in found:
        put(fit(f"{difference.kind:<8} {difference.name}: {difference.told}", width()) + "\n")
        put("".join(f"    {safe(line)}\n" for line in difference.code[2:]))
    if not found:
        put("no difference\n")


@app.command()
def export(
    book: BookArgument,
    sigma: Annotated[
        Path | None,
        typer.Option("--sigma", metavar="DIR", help="Folder for Sigma rules, a .yml file each."),
    ] = None,
    names: NamesArgument = None,
    everything: AllRulesOption = False,
    json: JsonOption = False,
) -> None:
    """Write rules in the Sigma format: those that speak of single lines. Others are named.

    Without names: all active rules.

    Example: logwright rules export model/rules --sigma sigma
    """
    from logwright.rules.book.exporting import export_sigma
    from logwright.rules.book.rulebook import Rulebook

    if sigma is None:
        raise SettingsError("expected --sigma DIR: no other format is known")
    held = Rulebook.load(book)
    if names or everything:
        rules = chosen(held, names, everything)
    else:
        rules = [rule for rule in held.rules.values() if rule.state == "active"]
    written, refused = export_sigma(rules, sigma)
    if json:
        print_json({"written": [str(path) for path in written], "refused": refused})
        return
    warn(f"{name} {why}" for name, why in refused.items())
    put(f"{len(written)} of {len(rules)} rules written to {sigma}\n")


for _changed in (rules_states.shadow, rules_states.promote, rules_states.retire, rules_states.mute):
    app.command()(_changed)
app.command(name="except")(rules_states.except_)
