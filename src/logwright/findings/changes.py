"""Changes told: as JSON lines, and as a table in a terminal.

`render` makes a string and touches no stream; all text of logs goes through `safe` and `fit`. From
100 columns on a change is a table row; below that the same facts are stacked.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TextIO, cast

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from logwright.findings import jsonl
from logwright.findings.change import Change, Diff, rounded
from logwright.findings.escape import clip, fit, safe
from logwright.findings.finding import CitedLine, Finding, Severity
from logwright.findings.run import many, source_name, span

__all__ = ["render", "write"]

_STYLE: dict[Severity, str] = {
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "blue",
}
_WIDE = 100
_GAP = 2
_SEVERITY, _KIND, _CHANCE = 8, 7, 13
_INDENT = _SEVERITY + _GAP
_TALL = 3  # lines a template may take before its middle is cut
_LEAST_SHOWN = 1e-9
_UNITS = (("s", 1.0), ("min", 60.0), ("h", 3600.0), ("day", 86400.0))
_LENGTHS = (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0), ("second", 1.0))


def write(changes: Sequence[Change], stream: TextIO) -> int:
    """Write each change as one line of JSON; returns how many.

    >>> write([], io.StringIO())
    0
    """
    return jsonl.write(cast("Sequence[Finding]", changes), stream)


def odds(chance: float) -> str:
    """A chance as people say it.

    >>> odds(0.0002), odds(1e-30), odds(0.04), odds(0.9)
    ('1 in 5,000', '< 1 in 10^9', '1 in 20', 'may be chance')
    """
    if chance <= _LEAST_SHOWN:
        return "< 1 in 10^9"
    if chance > 1 / 3:
        return "may be chance"
    number = 1 / chance
    if number >= 1e6:
        return f"1 in 10^{len(str(int(number))) - 1}"
    digits = len(str(int(number))) - 1
    # Rounded down, so that chance is not made to look smaller than it is.
    return f"1 in {int(number / 10**digits + 1e-9) * 10**digits:,}"


def length(seconds: float) -> str:
    """A length of time in its largest unit.

    >>> length(200), length(86400), length(5400)
    ('3.3 minutes', '1 day', '1.5 hours')
    """
    name, size = next((u for u in _LENGTHS if seconds >= u[1]), _LENGTHS[-1])
    number = rounded(seconds / size)
    return f"{number} {name}" + ("" if number == "1" else "s")


def rates(change: Change, by: str) -> str:
    """Both rates, in the unit that shows them best.

    >>> fields = dict(kind="faster", severity="low", clear=True, chance=0, alone=0, template="t-1")
    >>> fields |= dict(text="x", before=3, after=36, ratio=12, summary="")
    >>> rates(Change(**fields, rate_before=0.05, rate_after=0.6), "time")
    '3 → 36/min'
    """
    before, after = change.rate_before, change.rate_after
    if change.kind in ("new", "gone"):
        return f"{change.before:,} → {change.after:,}"
    if by == "lines":
        return f"{rounded(100 * before)} → {rounded(100 * after)} %"
    low, high = sorted((before, after))
    unit, size = next((u for u in _UNITS if high * u[1] >= 1 and low * u[1] >= 0.1), _UNITS[-1])
    return f"{rounded(before * size)} → {rounded(after * size)}/{unit}"


def factor(change: Change) -> str:
    """How many times as much, or as little; empty where there is no such number."""
    if change.ratio is None or change.ratio <= 0:
        return ""
    return f"×{rounded(change.ratio)}" if change.ratio >= 1 else f"÷{rounded(1 / change.ratio)}"


def render(diff: Diff, *, width: int = 80, color: bool = False, top: int = 20) -> str:
    """The comparison as text of `width` columns (at least 40), with the `top` changes (0 for all).

    >>> from logwright.findings.change import DiffSide
    >>> side = DiffSide(name="a.log", lines=10, templates=1)
    >>> print(render(Diff(a=side, b=side, changes=(), by="lines", common=1, tested=1)), end="")
    No change from A to B that is more than chance
    A  a.log: 10 lines
    B  a.log: 10 lines
    1 template in common · 1 compared, by its share of the lines
    """
    output = io.StringIO()
    width = max(width, 40)
    console = Console(
        file=output,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
    )
    for part in _report(diff, width, top):
        console.print(part)
    lines = output.getvalue().splitlines()
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def _report(diff: Diff, width: int, top: int) -> Iterator[RenderableType]:
    shown = diff.changes[:top] if top > 0 else diff.changes
    yield _title(diff)
    yield from _sides(diff)
    yield ""
    columns = _Columns(diff, shown, width)
    if shown:
        yield from columns.header()
    for change in shown:
        yield columns.row(change)
        yield from columns.evidence(change)
        yield ""
    if hidden := len(diff.changes) - len(shown):
        yield Text(
            f"{many(hidden, 'more change')} below these: raise --top, or use --json for all.",
            "dim",
        )
    if diff.not_told:
        yield Text(
            f"{many(diff.not_told, 'more template')} on one side only, as chance would often have "
            "it: not shown.",
            "dim",
        )
    if shown:
        yield Text(
            "chance: odds of such a difference anywhere in a comparison of logs that do not "
            "differ.",
            "dim",
        )
    for note in diff.notes:
        row = Table.grid(padding=(0, _GAP, 0, 0))
        row.add_column(width=len("Note"))
        row.add_column(overflow="fold")
        row.add_row("Note", Text(safe(note)), style="dim")
        yield row


def _title(diff: Diff) -> Text:
    clear = Counter(change.kind for change in diff.changes if change.clear)
    kinds = [f"{number} {kind}" for kind, number in clear.items()]
    unclear = sum(not change.clear for change in diff.changes)
    if not clear:
        title = Text("No change from A to B that is more than chance", "bold")
    else:
        title = Text(many(sum(clear.values()), "clear change"), "bold")
        title.append(f" from A to B: {', '.join(kinds)}", "default")
    if unclear:
        title.append(f"; {unclear:,} more that may be chance", "default")
    return title


def _sides(diff: Diff) -> Iterator[Text]:
    for letter, side in (("A", diff.a), ("B", diff.b)):
        line = Text(f"{letter}  ", "bold").append(f"{source_name(side.name)}: ", "default")
        line.append(many(side.lines, "line"), "default")
        if side.first and side.seconds is not None:
            line.append(f" in {length(side.seconds)}, {span(side.first, side.last)}", "default")
        yield line
    units = {"time": "rate", "lines": "share of the lines"}
    whose = "its" if diff.tested == 1 else "their"
    facts = [f"{many(diff.common, 'template')} in common"]
    facts.append(f"{diff.tested:,} compared, by {whose} {units[diff.by]}")
    if diff.parameters:
        facts.append(f"{many(diff.parameters, 'parameter')} compared")
    if diff.pace != 1:
        busy = f"B is {rounded(diff.pace)} times as busy as A: taken out of all rates"
        facts.append(busy)
    yield Text(" · ".join(facts), "dim")


class _Columns:
    """Widths of the columns, the same for all rows."""

    def __init__(self, diff: Diff, shown: Sequence[Change], width: int) -> None:
        self.diff, self.width = diff, width
        lines = [change.line for change in shown if change.line is not None]
        self.names = _names(lines)
        where = max((len(f"{self.names[x.source]}:{x.line_no}") for x in lines), default=0)
        self.where = min(max(where, 5), 24)
        values = [len(part) for change in shown for part in self._values(change)]
        self.values = min(max([*values, 5]), 22)

    def header(self) -> Iterator[Table]:
        if self.width >= _WIDE:
            yield self._wide("", "change", "A → B", "chance", "what", "where", style="dim")

    def _values(self, change: Change) -> tuple[str, str]:
        """What was, and is; and what that is."""
        if change.kind != "changed":
            return rates(change, self.diff.by), factor(change)
        before, after = change.value_before or 0.0, change.value_after or 0.0
        unit = f" {change.unit}" if change.unit else ""
        return f"{rounded(before)} → {rounded(after)}{unit}", fit(change.measure or "", 22)

    def _what(self, change: Change, room: int) -> Text:
        text = Text()
        parts = re.split(r"<\*>", change.text)
        for i, part in enumerate(parts):
            text.append(part)
            if i + 1 < len(parts):
                text.append("<*>", "bold" if i + 1 == change.parameter else "")
        whole = fit(text.plain, room * _TALL)
        if whole != text.plain:  # cut, or made harmless: the place of the parameter is lost
            return Text(whole)
        return text

    def row(self, change: Change) -> Table:
        severity = Text(change.severity, _STYLE[change.severity])
        kind = Text(change.kind, "bold" if change.clear else "")
        first, second = self._values(change)
        chance = odds(change.chance)
        place = self._place(change)
        if self.width >= _WIDE:
            values = Text(first)
            if second:
                values.append(f"\n{second}", "dim")
            what = self._what(change, self._room)
            return self._wide(severity, kind, values, Text(chance), what, place)
        row = Table.grid(padding=(0, _GAP, 0, 0))
        row.add_column(width=_SEVERITY)
        row.add_column(width=_KIND)
        room = self.width - _INDENT - _KIND - _GAP
        row.add_column(width=room, overflow="fold")
        row.add_row(severity, kind, self._what(change, room))
        facts = [first + (f" ({second})" if second else ""), chance, place]
        below = Table.grid()
        below.add_column(width=_INDENT)
        below.add_column(width=self.width - _INDENT, overflow="fold")
        below.add_row("", Text(" · ".join(fact for fact in facts if fact)))
        both = Table.grid()
        both.add_row(row)
        both.add_row(below)
        return both

    def evidence(self, change: Change) -> Iterator[Text]:
        """The line that shows it."""
        if change.line is None:
            return
        lead = " " * _INDENT + f"{change.line.line_no} │ "
        text = change.line.text[change.line.message_at :] or change.line.text
        yield Text(lead + fit(text, max(8, self.width - len(lead))), "dim")

    def _place(self, change: Change) -> str:
        if change.line is None:
            return ""
        number = f":{change.line.line_no}"
        return clip(self.names[change.line.source], self.where - len(number)) + number

    @property
    def _room(self) -> int:
        taken = _SEVERITY + _KIND + self.values + _CHANCE + self.where
        return self.width - taken - 5 * _GAP

    def _wide(self, *cells: RenderableType, style: str = "") -> Table:
        row = Table.grid(padding=(0, _GAP, 0, 0))
        row.add_column(width=_SEVERITY)
        row.add_column(width=_KIND)
        row.add_column(width=self.values)
        row.add_column(width=_CHANCE)
        row.add_column(width=self._room, overflow="fold")
        row.add_column(width=self.where)
        row.add_row(*cells, style=style)
        return row


def _names(lines: Sequence[CitedLine]) -> dict[str, str]:
    """The last part of each path; the whole path only where two would clash."""
    last = {x.source: x.source.rstrip("/").rpartition("/")[2] or x.source for x in lines}
    uses = Counter(last.values())
    return {s: source_name(s if uses[name] > 1 else name) for s, name in last.items()}
