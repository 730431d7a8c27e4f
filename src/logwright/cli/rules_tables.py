"""How the commands on rules tell of many: lists of rules, backtests, and what rules come from."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from logwright.cli import feedback_parts
from logwright.cli.feedback_parts import spelled, table
from logwright.cli.rules_parts import percent

if TYPE_CHECKING:
    from logwright.rulemaking import Basis
    from logwright.rules.book.backtest import Outcome
    from logwright.rules.book.shelved import Shelved
    from logwright.rules.book.standing import Rating

__all__ = [
    "listed",
    "made_from",
    "outcomes",
    "ratings",
    "reported",
    "says",
    "speed",
    "state",
    "untested",
    "wrapped",
]

_LEAST = 32
"""Columns that a text needs beside a table; else it stands below its row."""

_INDENT = "    "
_KIND = re.compile(r"^(Abnormal|Normal|Healthy): ")
"""What the column SAYS tells already."""

_LABELS = 5
_PLAIN_LABELS = frozenset({"1", "true", "anomaly", "abnormal", "real"})


def listed(rules: Iterable[Shelved]) -> str:
    """Rules as a table."""
    from logwright.rules.book.differences import summary

    held = list(rules)
    rows = [
        [
            rule.name,
            state(rule),
            says(rule),
            "-" if rule.rating is None else f"{rule.rating.hits:,}",
            "-" if rule.rating is None else percent(rule.rating.precision),
        ]
        for rule in held
    ]
    head = ["NAME", "STATE", "SAYS", "HITS", "PREC"]
    told = [_KIND.sub("", summary(rule)) for rule in held]
    return _beside(head, rows, "WHAT", told, right=(3, 4))


def _beside(
    head: Sequence[str], rows: Sequence[Sequence[str]], name: str, texts: Sequence[str],
    right: Sequence[int],
) -> str:  # fmt: skip
    """A table with a text for each row, wrapped beside it, or below it where there is no room."""
    from logwright.findings.escape import safe

    wide = feedback_parts.width()
    lines = [
        line.rstrip("\n")
        for line in table([*head, ""], [[*row, ""] for row in rows], right=right).splitlines()
    ]
    left = max(map(len, lines)) + 2
    out: list[str] = []
    if wide - left < _LEAST:
        for line, text in zip(lines, ["", *texts], strict=True):
            out += [line, *_wrapped(safe(text), wide, _INDENT)]
    else:
        for line, text in zip(lines, [name, *texts], strict=True):
            first, *rest = _wrapped(safe(text), wide - left, "") or [""]
            out += [f"{line:<{left}}{first}".rstrip(), *(" " * left + more for more in rest)]
    return "".join(f"{line}\n" for line in out)


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def wrapped(text: str, hanging: int = 0) -> str:
    """A sentence in lines of the terminal's width, those after the first behind `hanging` columns.

    >>> wrapped("read      3 lines of app.log", 10)
    'read      3 lines of app.log\\n'
    """
    from logwright.findings.escape import safe

    lines = textwrap.wrap(
        safe(text),
        feedback_parts.width(),
        subsequent_indent=" " * hanging,
        break_on_hyphens=False,
        break_long_words=False,
    )
    return "".join(f"{line}\n" for line in lines)


def untested(rules: Iterable[Shelved]) -> str:
    """Which rules only train speaks for, a sentence each: of normal ones that would go unseen, as
    what they say is no finding."""
    names = [
        rule.name
        for rule in rules
        if rule.file is not None
        and rule.file.meta.kind == "normal"
        and not rule.file.meta.backtest.get("validation_right")
        and not rule.file.meta.backtest.get("validation_wrong")
    ]
    told = "is True for no window of the validation slice: only train speaks for it"
    return "".join(wrapped(f"{name} {told}") for name in names)


def state(rule: Shelved) -> str:
    """A rule's state for people, with what stands against it: muted, edited, broken."""
    marks = ["muted"] if rule.standing.muted else []
    marks += ["edited"] if rule.edited else []
    marks += ["broken"] if rule.file is None else []
    return " ".join([rule.state, *marks])


def says(rule: Shelved) -> str:
    """What a hit of the rule says."""
    if rule.file is None:
        return "-"
    return "must hold" if rule.file.meta.must_hold else rule.file.meta.kind


def speed(lines: float) -> str:
    """Lines per second for people.

    >>> speed(4_512_345), speed(8_300.4), speed(0)
    ('4.5M', '8,300', '-')
    """
    if lines >= 1e5:
        return f"{lines / 1e6:.1f}M"
    return f"{lines:,.0f}" if lines else "-"


def reported(found: Sequence[tuple[str, Rating]]) -> str:
    """Backtests as a table: hits, precision, recall, speed, and what a rule alone hits or shares
    with the rule that is most like it."""
    rows = [
        [
            name,
            f"{r.hits:,}",
            percent(r.precision),
            percent(r.recall),
            speed(r.speed),
        ]
        for name, r in found
    ]
    texts = [
        f"{r.alone:,} alone" + (f", {r.shared:,} with {r.near}" if r.near else "") for _, r in found
    ]
    head = ["NAME", "HITS", "PREC", "RECALL", "LINES/S"]
    return _beside(head, rows, "OVERLAP", texts, right=range(1, 5))


def ratings(found: Sequence[Rating]) -> str:
    """The backtests of one rule as a table."""
    from logwright.findings.run import parse_time

    rows = [
        [
            spelled(r.at),
            f"{r.hits:,} of {r.windows:,}",
            percent(r.precision),
            percent(r.recall),
            spelled(parse_time(r.first or "")),
            spelled(parse_time(r.last or "")),
            r.log,
        ]
        for r in found
    ]
    head = ["TRIED", "HITS", "PREC", "RECALL", "FIRST", "LAST", "LOGS"]
    return table(head, rows, right=(1, 2, 3))


def outcomes(classes: Mapping[str, Outcome]) -> str:
    """What the rules for each class of anomaly are worth, as a table; nothing without classes."""
    rows = [
        [f"{w.wanted:,}", f"{w.said:,}", percent(w.precision), percent(w.recall), name]
        for name, w in classes.items()
    ]
    return (
        table(["WINDOWS", "HIT", "PREC", "RECALL", "CLASS"], rows, right=range(4)) if rows else ""
    )


def made_from(basis: Basis) -> list[tuple[str, str]]:
    """What rules are made from, as pairs of a name and a sentence."""
    facts = [
        ("read", f"{basis.lines:,} lines of {basis.log}"),
        ("windows", f"{basis.windows:,} {basis.cut}"),
    ]
    late = basis.check
    if basis.abnormal is None:
        facts.append(("labels", "none: what held in nearly all windows is looked for"))
        facts.append(("train", f"{basis.known - late:,} windows; validation the last {late:,}"))
        return facts
    if basis.told:
        facts.append(("labels", basis.told))
    named = [(n, count) for n, count in basis.labels.items() if n.lower() not in _PLAIN_LABELS]
    shown = [f"{name} {count:,}" for name, count in named[:_LABELS]]
    shown += [f"{len(named) - _LABELS:,} more labels"] * (len(named) > _LABELS)
    by = f" ({', '.join(shown)})" if shown else ""
    unknown = basis.windows - basis.known
    rest = f", {unknown:,} without a label" if unknown else ""
    facts.append(
        (
            "abnormal",
            f"{basis.abnormal:,} windows{by}; {basis.known - basis.abnormal:,} normal{rest}",
        )
    )
    facts.append(
        (
            "train",
            f"{basis.known - late:,} windows, {basis.abnormal - basis.check_abnormal:,} abnormal; "
            f"validation the last {late:,}, {basis.check_abnormal:,} abnormal",
        )
    )
    return facts


def nothing_found(basis: Basis, sessions: bool) -> str:
    """Why there may be no rules, and what would help."""
    if basis.abnormal is None:
        told = "nothing held in nearly all windows that some log could break"
        if not sessions:
            told += (
                ": in windows without sessions only how often an event comes is looked at; "
                "--session names the expression of a key, --window sets the lines of a window, and "
                "labels (--labels, --label-prefix, --verdicts) tell what is abnormal"
            )
        return told
    return (
        f"nothing in words, counts or order tells the {basis.abnormal:,} abnormal windows from the "
        "others, also in the validation slice: more abnormal windows, or smaller ones (--window), "
        "would help"
    )
