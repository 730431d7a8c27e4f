"""One incident, told in order of time, with every line that its findings cite."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from logwright.findings.escape import clip, fit
from logwright.findings.finding import CitedLine, Finding
from logwright.findings.incident import Incident, few
from logwright.findings.run import many, moment, short_id, source_name, span
from logwright.findings.terminal import STYLE, on_hosts, tags

__all__ = ["tell"]

_WHEN, _SEVERITY, _ID, _PLACE, _GAP = 15, 8, 10, 23, 2
_TALL = 3  # lines a summary may take
_NAMED = 5


def tell(incident: Incident, *, width: int = 80, color: bool = False) -> str:
    """The incident as text of `width` columns (at least 40)."""
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
    for part in _parts(incident, width):
        console.print(part)
    lines = output.getvalue().splitlines()
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def _parts(incident: Incident, width: int) -> Iterator[RenderableType]:
    head = Text().append(f"Incident {incident.id}  ", "bold")
    yield head.append(incident.severity, STYLE[incident.severity])
    findings, patterns = len(incident.findings), len(incident.patterns)
    facts = [f"{many(findings, 'finding')} of {many(patterns, 'pattern')}"]
    if incident.hosts:
        facts.append(on_hosts(incident.hosts, width))
    facts.append(few([source_name(s) for s in incident.sources], _NAMED))
    if when := span(incident.first_seen, incident.last_seen):
        facts.insert(0, f"{when} UTC")
    yield Text(" · ".join(facts), "dim")
    yield Text("")
    before: str | None = None
    told: set[str] = set()
    for finding in incident.findings:
        yield _headline(finding, before, finding.pattern in told, width)
        for line in finding.lines:
            yield from _line(line, width)
        if finding.pattern not in told:
            yield Text("")
        told.add(finding.pattern)
        before = finding.first_seen


def _headline(finding: Finding, before: str | None, again: bool, width: int) -> Table:
    """When, how grave and what; what was told before is only named again."""
    when = moment(finding.first_seen, after=before) if finding.first_seen else ""
    room = max(width - _WHEN - _SEVERITY - _ID - 3 * _GAP, 10)
    what = Text(fit(finding.summary, room * _TALL), "bold")
    if again:
        what = Text(fit("again: " + _name(finding), room))
    for text, style in tags([finding], room):
        what.append("\n").append(text, style)
    row = Table.grid(padding=(0, _GAP, 0, 0))
    row.add_column(width=_WHEN)
    row.add_column(width=_SEVERITY)
    row.add_column(width=room, overflow="fold")
    row.add_column(width=_ID)
    ids = short_id(finding.id) + ("" if again else f"\n{short_id(finding.pattern)}")
    row.add_row(when, Text(finding.severity, STYLE[finding.severity]), what, Text(ids, "dim"))
    return row


def _name(finding: Finding) -> str:
    return finding.templates[0].text if finding.templates else finding.summary


def _line(line: CitedLine, width: int) -> Iterator[Text]:
    name = line.source.rstrip("/").rpartition("/")[2] or line.source
    place = clip(source_name(name), _PLACE - len(f":{line.line_no}")) + f":{line.line_no}"
    style = "default" if line.highlight else "dim"
    room = max(width - _PLACE - 5, 10)
    yield (
        Text()
        .append(f"  {place:>{_PLACE}} │ ", "dim")
        .append(fit(line.text[line.message_at :] or line.text, room), style)
    )
    for further in line.more:
        yield Text(f"  {'':>{_PLACE}} │ {fit(further, room)}", "dim")
