"""Rulemaking: from logs to rules in a rulebook, and from a rulebook to how its rules did on logs.

Rules come from a search (`rules.induction`; without labels `rules.induction.invariants`) or from a
language model (`rules.synthesis`). Both give drafts. Windows stand in order of time; the last part
of them is the validation slice, which tests what the first part proposes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from logwright.errors import InputError, LogwrightError
from logwright.gathering import Gathered
from logwright.intake import Progress
from logwright.logs.redaction import redact
from logwright.marks import ABNORMAL, UNKNOWN
from logwright.rules.book.backtest import ABNORMAL as SAID_ABNORMAL
from logwright.rules.book.backtest import NORMAL as SAID_NORMAL
from logwright.rules.book.backtest import Outcome, Trial, words_of
from logwright.rules.book.examples import Asked, examples
from logwright.rules.book.jury import Jury, reasons_in
from logwright.rules.book.naming import name_of
from logwright.rules.book.rulebook import INDEX, Rulebook
from logwright.rules.book.rulefile import Meta, RuleFile
from logwright.rules.book.shelved import Shelved, may_be
from logwright.rules.book.standing import Rating
from logwright.rules.induction.drafts import Draft
from logwright.rules.induction.induction import Sample, induce
from logwright.rules.induction.invariants import invariants
from logwright.rules.language.gate import parse
from logwright.rules.language.plain import Line
from logwright.rules.language.problem import RuleError
from logwright.rules.language.tree import Function
from logwright.rules.sandbox.sandbox import Sandbox
from logwright.windows.plan import WindowPlan

if TYPE_CHECKING:
    from logwright.llm import ChatModel
    from logwright.rules.synthesis.proposals import Proposal
    from logwright.rules.synthesis.synthesis import Synthesis

__all__ = [
    "CHECK", "DIARY", "Backtested", "Basis", "backtested", "basis", "fits", "induced", "of_target",
    "put", "synthesized", "told_of",
]  # fmt: skip

CHECK = 0.2
"""The share of windows, the last ones, that is the validation slice."""

DIARY = "synthesis.md"
"""The file's name in a rulebook's folder that tells what a model was asked, and what came of it."""

_LEAST_WINDOWS = 10
_POINTED, _EXAMPLE_LINES, _EXAMPLE_CHARS = 4, 400, 400
_COLUMNS = 92


@dataclass(frozen=True, slots=True)
class Basis:
    """What rules are made from: windows that can be used (`known`, of all), how they are cut, how
    many are abnormal and by which labels, and how many of each are the `check`, the validation
    slice. `abnormal` is None without labels; `told` says where the labels come from."""

    log: str
    lines: int
    windows: int
    known: int
    cut: str
    abnormal: int | None
    labels: Mapping[str, int]
    check: int
    check_abnormal: int
    told: str


def basis(gathered: Gathered, check: float = CHECK) -> Basis:
    """What there is to make rules from."""
    labels, plan = gathered.labels, gathered.plan
    known = labels if labels is None else labels[labels != UNKNOWN]
    number = len(gathered.windows) if known is None else len(known)
    at = int(number * (1 - check))
    counts = np.bincount([] if known is None else known, minlength=len(gathered.names) + 1)
    named = sorted(zip(counts[1:].tolist(), gathered.names, strict=True), reverse=True)
    chosen = gathered.given.settings.window == "auto"
    why = f" ({plan.reason}; --window sets others)" if chosen and plan.reason else ""
    cut = f"of {told_of(plan)}{why}"
    return Basis(
        gathered.log,
        gathered.lines,
        len(gathered.windows),
        number,
        f"sessions by {gathered.session}" if plan.kind == "session" else cut,
        None if known is None else int(np.count_nonzero(known)),
        {name: count for count, name in named if count},
        number - at,
        0 if known is None else int(np.count_nonzero(known[at:])),
        gathered.told,
    )


def induced(gathered: Gathered, check: float = CHECK) -> list[RuleFile]:
    """Rules found by search: with labels abnormal and normal ones, without any invariants."""
    drafts: Sequence[Draft]
    if gathered.labels is None:
        windows = gathered.windows
        _check_size(len(windows))
        at = int(len(windows) * (1 - check))
        drafts = invariants(
            windows, gathered.texts, gathered.ids, at, messages=gathered.seer.messages
        )
        return _files(gathered, drafts, range(len(windows)), "data")
    sample, numbers = _sample(gathered, check)
    return _files(gathered, induce(sample), numbers, "data")


def _check_size(windows: int) -> None:
    if windows < _LEAST_WINDOWS:
        raise InputError(
            f"the logs come to {windows:,} windows: rules are found in {_LEAST_WINDOWS} at the "
            "least (--window sets their size)"
        )


def _sample(gathered: Gathered, check: float) -> tuple[Sample, Sequence[int]]:
    windows, abnormal, numbers = gathered.labelled()
    _check_size(len(windows))
    if not abnormal.any() or abnormal.all():
        what = "abnormal" if abnormal.all() else "normal"
        by = f" by {gathered.told}" if gathered.told else ""
        raise InputError(
            f"all {len(windows):,} labelled windows are {what}{by}: rules that tell the two apart "
            "need both; without labels, invariants of healthy windows are found"
        )
    at = int(len(windows) * (1 - check))
    labels: Sequence[str] | NDArray[np.bool_] = abnormal
    if gathered.classes and gathered.labels is not None:
        names = ["", *gathered.names]
        labels = [names[mark] for mark in gathered.labels[numbers].tolist()]
    sample = Sample(windows, gathered.texts, gathered.ids, labels, at, gathered.seer.messages)
    return sample, numbers.tolist()


def _quiet(_: str) -> None:
    """Tells nobody."""


def synthesized(
    gathered: Gathered,
    chat: ChatModel,
    out: Path,
    check: float = CHECK,
    tell: Callable[[str], None] = _quiet,
) -> tuple[list[RuleFile], Synthesis]:
    """Rules that a language model wrote for a rulebook, and how the asking went; the rulebook is
    made before the first question, and holds what is told of each step. `LogwrightError` where no
    answer came at all."""
    from logwright.rules.synthesis.synthesis import synthesize

    if gathered.labels is None:
        raise InputError(
            "a model is shown normal and abnormal windows: give labels with --labels, "
            "--label-prefix or --verdicts"
        )
    sample, numbers = _sample(gathered, check)
    folder = Rulebook.made(out).path
    made = synthesize(
        chat, sample, lambda i: gathered.window(numbers[i]), folder / DIARY, tell=tell
    )
    if made.ended and not made.answers:
        raise LogwrightError(made.ended)
    return _files(gathered, made.rules, numbers, "model"), made


def _files(
    gathered: Gathered, drafts: Iterable[Draft | Proposal], numbers: Sequence[int], by: str
) -> list[RuleFile]:
    """Drafts as rules' files, in order."""
    with ExitStack() as stack:
        opened = cache(lambda: stack.enter_context(Sandbox()))
        return [_file(gathered, draft, numbers, by, opened) for draft in drafts]


def _file(
    gathered: Gathered,
    draft: Draft | Proposal,
    numbers: Sequence[int],
    provenance: str,
    sandbox: Callable[[], Sandbox],
) -> RuleFile:
    """A draft as a rule's file; examples that would not hold once redacted are left out."""
    function, facts = parse(draft.source, draft.name), draft.facts
    must_hold = isinstance(draft, Draft) and draft.must_hold
    target = draft.target if draft.kind == "abnormal" else ""
    raised, asked = draft.kind == "abnormal", Asked(function, sandbox)

    def shown(windows: Iterable[int], wanted: bool) -> list[list[str]]:
        texts = (_texts(gathered, function, numbers[i], asked, wanted) for i in windows)
        return examples(asked, texts, wanted, raised=raised is wanted)

    meta = Meta.model_validate(
        {
            "kind": draft.kind,
            "must_hold": must_hold,
            "target": target,
            "severity": "medium" if draft.kind == "normal" else "high",
            "provenance": provenance,
            "backtest": {
                "train_right": facts.train[0],
                "train_wrong": facts.train[1],
                "validation_right": facts.check[0],
                "validation_wrong": facts.check[1],
                "distinct": facts.cases,
            },
            "must_match": shown(draft.examples, True),
            "must_not_match": shown(draft.counter_examples, False),
        }
    )
    told = draft.conditions[0].told if isinstance(draft, Draft) else function.doc.split("\n")[0]
    name = name_of(meta, told, dict(zip(gathered.ids, gathered.texts, strict=True)))
    if target:
        function = replace(function, doc=of_target(function.doc, target))
    return RuleFile(name if may_be(name) else draft.kind, meta, function).sealed()


def of_target(doc: str, target: str) -> str:
    """A docstring that names the class of anomaly its rule is for.

    >>> of_target("Disk full: a line has 'full'.\\n\\nRight on 3 of 3.", "disk full")
    "Abnormal (disk full): a line has 'full'.\\n\\nRight on 3 of 3."
    """
    first, *rest = doc.split("\n\n")
    first = " ".join(first.split())
    head, colon, said = first.partition(": ")
    if colon and head.lower() in (target.lower(), "abnormal"):
        first = said
    told = textwrap.fill(f"Abnormal ({target}): {first}", _COLUMNS, break_long_words=False)
    return "\n\n".join([told, *rest])


def _texts(
    gathered: Gathered, function: Function, number: int, asked: Asked, wanted: bool
) -> list[str]:
    """Messages of a window, redacted: the lines that the rule points at where these are enough."""
    lines = gathered.window(number).lines[:_EXAMPLE_LINES]
    pointed = [_shown(lines[i], gathered) for i in reasons_in(function, lines)[:_POINTED]]
    if wanted and pointed and asked(pointed) is wanted:
        return pointed
    return [_shown(line, gathered) for line in lines]


def _shown(line: Line, gathered: Gathered) -> str:
    raw = line.text.encode("utf-8", "surrogateescape")[:_EXAMPLE_CHARS]
    return redact(raw, gathered.given.settings.emails).decode("utf-8", "backslashreplace")


def fits(out: Path, gathered: Gathered | None = None) -> None:
    """Say before any work that rules cannot be put into a folder, or that those that are there are
    for windows of another kind than these; nothing is made."""
    if not (out / INDEX).exists():
        try:
            taken = out.exists() and (not out.is_dir() or any(out.iterdir()))
        except OSError as error:
            raise RuleError(f"cannot be read: {error.strerror}", str(out)) from None
        if taken:
            raise RuleError("exists and is not a rulebook: choose another folder", str(out))
        return
    book = Rulebook.load(out)
    if gathered is not None:
        _alike(book, gathered.plan)


def _alike(book: Rulebook, plan: WindowPlan) -> None:
    held = book.index.plan
    if book.rules and held is not None and not held.alike(plan):
        raise InputError(
            f"{book.path} is for windows by {told_of(held)}, these are by {told_of(plan)}: choose "
            "another folder, or the same windows"
        )


def put(book: Rulebook, gathered: Gathered, files: Sequence[RuleFile], by: str) -> list[str]:
    """Put new rules into a rulebook, as drafts; gives the names of those it did not have. A book
    that is empty is made for the windows of these logs; others must have the same ones."""
    plan, session = gathered.plan, gathered.session
    _alike(book, plan)
    if not book.rules:

        def made_for(now: Rulebook) -> None:
            now.index.plan, now.index.session = plan, session

        book.change(made_for)
    return book.add(files, by, f"made from {gathered.log}")


def told_of(plan: WindowPlan) -> str:
    """What windows of a plan hold, in a few words."""
    if plan.kind == "session":
        return "session"
    return f"{plan.size:,} lines" if plan.kind == "count" else f"{plan.size / 1e9:,g} s"


@dataclass(frozen=True, slots=True)
class Backtested:
    """How rules did on logs: the rating of each, and what all of them together say. `said` counts
    the windows called abnormal, normal and nothing; `together` is what the word "abnormal" of all
    of them was worth (None without labels), `classes` what that of each class was; `problems` are
    rules that did not run, and why."""

    ratings: dict[str, Rating]
    windows: int
    said: tuple[int, int, int]
    together: Outcome | None
    classes: dict[str, Outcome]
    problems: dict[str, str]


def backtested(
    gathered: Gathered, rules: Sequence[Shelved], progress: Progress | None = None
) -> Backtested:
    """Judge logs by rules, whatever their states are."""
    jury = Jury(rules)
    try:
        run = gathered.hits(jury, progress)
    finally:
        jury.close()
    windows = gathered.windows
    first, last = windows.times()
    labels = gathered.labels
    trial = Trial(
        gathered.log,
        gathered.lines,
        jury.words,
        run.hits,
        first,
        last,
        None if labels is None else labels >= ABNORMAL,
        None if labels is None else labels != UNKNOWN,
        gathered.classed,
    )
    said = words_of(run.hits, jury.words)
    count = [int(np.count_nonzero(said == word)) for word in (SAID_ABNORMAL, SAID_NORMAL)]
    return Backtested(
        {n: r for n, r in trial.ratings(run.alone).items() if n not in jury.problems},
        len(windows),
        (count[0], count[1], len(windows) - sum(count)),
        trial.worth(said == SAID_ABNORMAL, abnormal=True),
        trial.by_class(),
        dict(jury.problems),
    )
