"""`logwright rules induce|synthesize|backtest`: rules from logs, and rules tried on logs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logwright.cli import options as o
from logwright.cli.feedback_parts import ByOption, author
from logwright.cli.llm_parts import LlmBudgetOption, PriceOption, note, to_terminal
from logwright.cli.rules_parts import (
    BookArgument,
    percent,
    put,
    record,
    warn,
)
from logwright.cli.rules_tables import (
    listed,
    made_from,
    nothing_found,
    outcomes,
    reported,
    untested,
    wrapped,
)
from logwright.cli.template_parts import JsonOption, print_json
from logwright.errors import LogwrightError, SettingsError

if TYPE_CHECKING:
    from logwright.gathering import Gathered, Source
    from logwright.rules.book.rulefile import RuleFile
    from logwright.settings import Settings

__all__ = ["backtest", "induce", "synthesize"]

OutOption = Annotated[
    Path,
    typer.Option(
        "--out", "-o", metavar="RULEBOOK", help="Folder; rules are added to what is there."
    ),
]
LabelsOption = Annotated[
    Path | None,
    typer.Option(
        "--labels",
        metavar="FILE",
        help="A label for each line of the log, or a CSV file with the head line 'session,label'.",
        show_default=False,
    ),
]
VerdictsOption = Annotated[
    Path | None,
    typer.Option(
        "--verdicts",
        metavar="MODEL",
        help="Label windows by the verdicts on this model's findings.",
        show_default=False,
    ),
]


def induce(
    files: o.Inputs,
    out: OutOption,
    labels: LabelsOption = None,
    label_prefix: o.LabelOption = None,
    verdicts: VerdictsOption = None,
    format: o.FormatOption = None,
    timezone: o.TimezoneOption = None,
    session: o.SessionOption = None,
    window: o.WindowOption = None,
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Make rules from logs by search, without a language model. They are drafts.

    With labels or verdicts: rules that tell abnormal windows from normal ones. Without: what always
    held in the logs, and whose breach is a finding.

    Example: logwright rules induce labelled.log --labels labels.csv -o rules
    """
    from logwright.gathering import gather
    from logwright.rulemaking import basis, fits, induced

    source = _source(labels, label_prefix, verdicts, window, session)
    settings = _settings(format, timezone, session, window)
    fits(out)
    with (
        _progress("rules") as progress,
        gather(files, settings, source, progress=progress) as gathered,
    ):
        fits(out, gathered)
        made = induced(gathered)
        why = nothing_found(basis(gathered), gathered.plan.kind == "session")
        _finish(gathered, made, out, author(by), json, why, {})


def synthesize(
    files: o.Inputs,
    out: OutOption,
    llm: Annotated[
        str,
        typer.Option(
            "--llm",
            metavar="URL",
            help="An OpenAI-compatible endpoint; batch:FOLDER for files of requests and answers; "
            "replay:FILE for answers that were recorded.",
        ),
    ],
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="Name of the model.", show_default=False),
    ] = None,
    budget: LlmBudgetOption = None,
    price: PriceOption = None,
    labels: LabelsOption = None,
    label_prefix: o.LabelOption = None,
    verdicts: VerdictsOption = None,
    format: o.FormatOption = None,
    timezone: o.TimezoneOption = None,
    session: o.SessionOption = None,
    window: o.WindowOption = None,
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Let a language model write rules from labelled windows, and test each. They are drafts.

    What was asked and answered is kept in RULEBOOK: run it again to go on after a stop without
    paying twice.

    Example: logwright rules synthesize app.log --labels labels.csv --llm batch:x --model M -o new
    """
    from logwright.gathering import gather
    from logwright.llm import Waiting, open_chat
    from logwright.rulemaking import DIARY, fits, synthesized

    source = _source(labels, label_prefix, verdicts, window, session)
    settings = _settings(format, timezone, session, window)
    if source.file is None and not source.prefix and source.model is None:
        raise SettingsError("expected labels: --labels FILE, --label-prefix or --verdicts MODEL")
    fits(out)
    with (
        open_chat(
            llm, model, budget=budget, price=price, record=out / "llm.jsonl", tell=note
        ) as chat,
        _progress("rules") as progress,
        gather(files, settings, source, progress=progress) as gathered,
    ):
        fits(out, gathered)
        progress.stop()
        try:
            made, went = synthesized(gathered, chat, out, tell=to_terminal)
        except Waiting as waiting:
            raise LogwrightError(f"{str(waiting).rstrip('.')}; {chat.spending.told()}") from None
        except KeyboardInterrupt:
            note("stopped; what was paid for is kept, run again")
            raise typer.Exit(130) from None
        spent = chat.spending.told()
        if went.ended:
            note(f"ended early: {went.ended}")
        more = {"spent": spent, "ended": went.ended or None, "outcomes": dict(went.outcomes)}
        _finish(gathered, made, out, author(by), json, went.told, more)
        if not json:
            asked = f"{went.told}; " if made else ""
            put(wrapped(f"{asked}{spent}; every step is told in {out / DIARY}"))


def _source(
    labels: Path | None,
    prefix: bool | None,
    verdicts: Path | None,
    window: str | None,
    session: str | None,
) -> Source:
    from logwright.gathering import Source
    from logwright.model import Model

    if (labels is not None) + bool(prefix) + (verdicts is not None) > 1:
        raise SettingsError("expected one of --labels, --label-prefix and --verdicts")
    if verdicts is not None and (window is not None or session is not None):
        raise SettingsError(
            "--window and --session do not go with --verdicts: windows are those of its model, "
            "whose findings the verdicts are on"
        )
    model = None if verdicts is None else Model.load(verdicts)
    return Source(labels, bool(prefix), model)


def _settings(
    format: str | None, timezone: str | None, session: str | None, window: str | None
) -> Settings:
    from logwright.settings import load_settings

    return load_settings(format=format, timezone=timezone, session=session, window=window)


def _progress(name: str) -> Any:
    from logwright.cli.output import progress_bar

    return progress_bar(name)


def _finish(
    gathered: Gathered,
    made: list[RuleFile],
    out: Path,
    by: str,
    json: bool,
    why: str,
    more: dict[str, Any],
) -> None:
    """Put the rules into the book, and tell of them and of what they come from, or `why` there are
    none."""
    from dataclasses import asdict

    from logwright.findings.run import many
    from logwright.rulemaking import basis
    from logwright.rulemaking import put as put_in
    from logwright.rules.book.rulebook import Rulebook

    book = Rulebook.made(out)
    added = put_in(book, gathered, made, by)
    rules = [book.rules[name] for name in added]
    source = basis(gathered)
    if json:
        new = [record(rule) for rule in rules]
        known = len(made) - len(added)
        print_json({"made_from": asdict(source), "added": new, "known": known, **more})
        return
    facts = "".join(wrapped(f"{name:<9} {told}", 10) for name, told in made_from(source))
    put(f"{facts}\n")
    if rules:
        put(listed(rules) + untested(rules))
    elif not made:
        put(wrapped(f"no rules: {why}"))
    if len(added) < len(made):
        put(f"{many(len(made) - len(added), 'rule')} in {out} already\n")
    if rules:
        put(f"{many(len(rules), 'draft')} in {out}; next: logwright rules backtest {out} LOGS\n")


def backtest(
    book: BookArgument,
    files: o.Inputs,
    names: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="NAME", help="Only this rule; can be given several times."),
    ] = None,
    labels: LabelsOption = None,
    label_prefix: o.LabelOption = None,
    verdicts: VerdictsOption = None,
    format: o.FormatOption = None,
    timezone: o.TimezoneOption = None,
    session: o.SessionOption = None,
    window: o.WindowOption = None,
    json: JsonOption = False,
) -> None:
    """Judge logs by rules, and keep how each did: promotion asks for it.

    Retired rules are left out. Windows are those that the rules were made for, if not given.

    Example: logwright rules backtest rules later.log --labels later.csv
    """
    from logwright.gathering import gather
    from logwright.rulemaking import backtested
    from logwright.rules.book.rulebook import Rulebook

    held = Rulebook.load(book)
    rules = [held.rule(n) for n in names] if names else list(held.rules.values())
    rules = [r for r in rules if r.file is not None and (names or r.state != "retired")]
    warn(f"rule {r.name} cannot be read: {r.problem}" for r in held.rules.values() if r.problem)
    if not rules:
        raise SettingsError(f"{book} holds no rules that could be tried")
    source = _source(labels, label_prefix, verdicts, window, session)
    settings = _settings(format, timezone, session, window)
    asked = window is not None or session is not None
    plan = None if asked else held.index.plan
    with (
        _progress("backtest") as progress,
        gather(files, settings, source, plan, held.index.session, progress) as gathered,
    ):
        found = backtested(gathered, rules, progress)
    for name, rating in found.ratings.items():
        held.set([name], lambda standing, r=rating: standing.rated(r))  # type: ignore[misc]
    warn(f"rule {name} did not run: {why}" for name, why in found.problems.items())
    abnormal, normal, uncovered = found.said
    worth = found.together
    if json:
        ratings = {name: r.model_dump(mode="json") for name, r in found.ratings.items()}
        together = {
            "windows": found.windows,
            "abnormal": abnormal,
            "normal": normal,
            "uncovered": uncovered,
            "precision": worth.precision if worth else None,
            "recall": worth.recall if worth else None,
            "f1": worth.f1 if worth else None,
        }
        classes = {
            name: {
                "windows": w.wanted,
                "hits": w.said,
                "precision": w.precision,
                "recall": w.recall,
            }
            for name, w in found.classes.items()
        }
        whole = {"ratings": ratings, "together": together, "classes": classes}
        print_json({**whole, "problems": found.problems})
        return
    put(reported(sorted(found.ratings.items(), key=lambda pair: -pair[1].hits)))
    put(
        f"together: {abnormal:,} of {found.windows:,} windows abnormal, {normal:,} normal, "
        f"{uncovered:,} uncovered\n"
    )
    if worth is not None:
        put(
            f"abnormal: precision {percent(worth.precision)}, recall {percent(worth.recall)}, "
            f"F1 {worth.f1:.3f}\n"
        )
    put(outcomes(found.classes))
