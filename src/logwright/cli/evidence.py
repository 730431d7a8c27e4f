"""Evidence on the screen: what one has to see of a finding or question before judging it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from logwright.feedback.questions import Alike, Question
    from logwright.feedback.scopes import Choice
    from logwright.findings.finding import CitedLine, Finding

__all__ = ["asked", "cited", "facts", "heading", "likes", "names", "reach"]

_TITLE = 11
_NAMED = 4
_NAMES_WIDE = 50


def facts(rows: Iterable[tuple[str, str]], width: int, most: int = 1) -> list[str]:
    """Titles with their texts, in `most` lines each; those without a text are left out.

    >>> facts([("seen", "disk full"), ("hosts", "")], 80)
    ['  seen       disk full']
    """
    from textwrap import wrap

    from logwright.findings.escape import fit

    room, out = width - _TITLE - 2, []
    for title, text in rows:
        parts = [fit(text, room)] if most == 1 else wrap(fit(text, room * most - 20), room)[:most]
        out += [
            f"  {title if at == 0 else '':<{_TITLE - 1}} {p}" for at, p in enumerate(parts) if p
        ]
    return out


def heading(text: str, width: int) -> str:
    """A line that begins something new; bold on a terminal that shows it."""
    from logwright.findings.escape import fit

    text = fit(text, width)
    bold = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return typer.style(text, bold=True) if bold else text


def names(texts: Sequence[str]) -> str:
    """Some names, fewer of long ones, and how many more there are.

    >>> names(["a", "b"]), names(list("abcdef"))
    ('a, b', 'a, b, c, d and 2 more')
    """
    number = 1
    while number < min(len(texts), _NAMED) and len(", ".join(texts[: number + 1])) <= _NAMES_WIDE:
        number += 1
    more = f" and {len(texts) - number:,} more" if len(texts) > number else ""
    return ", ".join(texts[:number]) + more


def cited(lines: Sequence[CitedLine], most: int, width: int, source: bool = True) -> list[str]:
    """Lines of evidence in order, of many the reasons themselves; with their `source`, or only
    their number in it."""
    from logwright.findings.escape import fit, safe
    from logwright.findings.run import moment, source_name

    first = sorted(range(len(lines)), key=lambda at: (not lines[at].highlight, at))
    chosen = [lines[at] for at in sorted(first[:most])]
    out, before = [], None
    for line in chosen:
        time = moment(line.time, after=before) if line.time else ""
        before = line.time or before
        name = source_name(line.source.rpartition("/")[2])
        place = f"{name}:{line.line_no}" if source else f"line {line.line_no}"
        told = [part for part in (time, safe(line.host or "")[:24], place) if part]
        start = f"  {'>' if line.highlight else ' '} {' '.join(told)} "
        text = line.text[line.message_at :]
        out.append(start + fit(text, max(width - len(start), 20)))
    if len(lines) > len(chosen):
        out.append(f"    and {len(lines) - len(chosen):,} more")
    return out


def likes(alike: Sequence[Alike]) -> str:
    """The nearest of what was judged, in words."""
    if not alike:
        return ""
    nearest, verdict = alike[0], alike[0].verdict
    by = f" by {verdict.by}" if verdict.by else ""
    return f"judged {verdict.word}{by} (verdict {verdict.number}): {nearest.text}"


def asked(question: Question, finding: Finding | None, width: int) -> list[str]:
    """A question with its facts and, of several patterns, what the first of them say."""
    from logwright.findings.run import many, span

    first, last = question.first_seen, question.last_seen
    times = span(first.isoformat() if first else None, last.isoformat() if last else None)
    total = many(question.findings, "finding")
    sights = [sight for pattern in question.patterns for sight in pattern.sights]
    sources = tuple(dict.fromkeys(s for sight in sights for s in sight.sources))
    lines = sum(pattern.row.lines for pattern in question.patterns)
    rows: list[tuple[str, str]] = []
    if len(question.patterns) > 1:
        rows += [
            ("of them" if at == 0 else " ", next(iter(pattern.found.texts), pattern.row.summary))
            for at, pattern in enumerate(question.patterns[:_NAMED])
        ]
        if len(question.patterns) > _NAMED:
            rows.append((" ", f"and {len(question.patterns) - _NAMED:,} more: 'n' asks one by one"))
    elif finding is not None:
        rows += [("expected", finding.expected), ("seen", finding.seen)]
    rows += [
        ("count", f"{total}, {many(lines, 'line')}" if lines != question.findings else total),
        ("when", times),
        ("hosts", names(question.hosts)),
        ("sources", names(sources)),
        ("alike", likes(question.alike)),
    ]
    return [*facts([("why asked", question.why)], width, most=2), *facts(rows, width)]


def reach(choice: Choice, answers: Sequence[tuple[str, str]], width: int) -> list[str]:
    """How far an answer reaches, and what each answer does."""
    rows = [(f"if {word}", does) for word, does in answers]
    return [*facts([("reaches", choice.words)], width), *facts(rows, width, most=2)]
