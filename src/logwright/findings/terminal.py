"""Findings in a terminal: one row a pattern, worst first, with the lines that show it.

`render` makes a string and touches no stream. From 100 columns on a pattern is a table row; below
that the same facts are stacked. All text goes through `safe` into `rich.text.Text`, so neither a
terminal code nor rich markup inside a log line does anything. What it leaves out (all findings of
a pattern, templates, the ladder where something was found) is in the JSON and HTML reports.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from logwright.findings.escape import clip, fit, safe
from logwright.findings.finding import (
    CitedLine,
    Finding,
    Severity,
    State,
    hosts_of,
    standings,
)
from logwright.findings.incident import few, incidents
from logwright.findings.run import (
    PatternGroup,
    Run,
    SourceInfo,
    by_pattern,
    many,
    moment,
    short_id,
    source_name,
    span,
    telling,
)

__all__ = ["STYLE", "on_hosts", "render", "tags"]

STYLE: dict[Severity, str] = {
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "blue",
}
_MARK: dict[State, tuple[str, str]] = {"confirmed": ("✓", "bold green"), "suppressed": ("–", "dim")}
_WIDE = 100
_GAP = 2
_SEVERITY, _WHEN, _ID = 8, 15, 10  # cells of the columns whose texts have a known length
_INDENT = _SEVERITY + _GAP
_CITED = 2  # cited lines shown of a pattern
_TALL = 4  # lines a summary may take before its middle is cut
_NAMED = 4  # sources that are named one by one; more are grouped by format
_HOSTS, _HOST_CELLS = 3, 32
_TAG_TALL = 2  # lines that the reason of a state may take
_FORMATS = 8
_INCIDENTS = 5
_MORE = 2  # lines shown that continue a cited one


def render(
    run: Run,
    findings: Sequence[Finding],
    *,
    width: int = 80,
    color: bool = False,
    top: int = 20,
) -> str:
    """The report as text of `width` columns (at least 40), with the `top` patterns (0 for all).

    >>> print(render(Run(lines=12, lines_scored=12, windows=3, seconds=0.1), []), end="")
    12 lines in 0.1 s; no findings
    <BLANKLINE>
    Nothing stands out. Checked: 12 lines in 3 windows.
    """
    output = io.StringIO()
    console = Console(
        file=output,
        width=max(width, 40),
        force_terminal=color,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
    )
    for part in _report(run, findings, max(width, 40), top):
        console.print(part)
    lines = output.getvalue().splitlines()
    return "\n".join(line.rstrip() for line in lines).rstrip() + "\n"


def _report(
    run: Run, findings: Sequence[Finding], width: int, top: int
) -> Iterator[RenderableType]:
    groups = by_pattern(findings)
    shown = groups[:top] if top > 0 else groups
    yield from _head(run, findings, groups, width)
    yield ""
    if shown:
        yield from _incidents(findings, width)
        columns = _Columns.fit(shown, width, not _on_one_host(findings))
        yield from columns.header()
        for group in shown:
            yield columns.row(group)
            yield from _evidence(group.representative, columns.names, width)
            yield ""
        hidden = groups[len(shown) :]
        if hidden:
            number = sum(len(group.findings) for group in hidden)
            yield Text(
                f"{many(len(hidden), 'more pattern')} ({many(number, 'finding')}) below these: "
                "raise --top, or use --json for all.",
                "dim",
            )
            yield ""
    else:
        yield _calm(run)
        yield from (_item("", reason) for reason in run.ladder)
        yield ""
    yield from (_item("Note", note) for note in run.notes)
    for source in run.sources:
        name = source_name(source.name)
        if source.skipped:
            yield _item("Skipped", f"{many(source.skipped, 'line')} of {name} that cannot be read")
    yield from (_item("Note", note) for note in _source_notes(run))


def _source_notes(run: Run) -> Iterator[str]:
    """The sources' notes; one that several sources share is said once."""
    sharing: dict[str, list[str]] = {}
    for source in run.sources:
        for note in source.notes:
            sharing.setdefault(note, []).append(source_name(source.name))
    for note, names in sharing.items():
        who = names[0] if len(names) == 1 else f"{len(names)} of {many(len(run.sources), 'source')}"
        yield f"{who}: {note}"


def _head(
    run: Run, findings: Sequence[Finding], groups: list[PatternGroup], width: int
) -> Iterator[Text]:
    head = Text(f"{many(run.lines, 'line')} in {run.seconds:.1f} s")
    if len(run.sources) == 1:
        head.append(f" from {source_name(run.sources[0].name)}")
    elif run.sources:
        head.append(f" from {many(len(run.sources), 'source')}")
    result = "no findings"
    if groups:
        result = f"{many(len(findings), 'finding')} of {many(len(groups), 'pattern')}"
        if suppressed := sum(finding.state == "suppressed" for finding in findings):
            result += f", {suppressed:,} suppressed"
    yield head.append("; ").append(result, "bold")
    if len(run.sources) == 1 and (why := _why(run.sources[0])):
        yield Text(f"read as {why}", "dim")
    facts = []
    if not run.timeline.empty:
        first, last = run.timeline.bounds
        until = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
        facts.append(f"{first:%Y-%m-%d %H:%M} to {until} UTC")
    if run.baseline and groups:
        facts.append(f"normal: {safe(run.baseline)}")
    if run.windows and groups:
        facts.append(f"{many(run.windows, 'window')} scored")
    if _on_one_host(findings):
        facts.append(f"all {on_hosts(hosts_of(findings), width)}")
    if facts:
        yield Text(" · ".join(facts), "dim")
    if len(run.sources) > 1:
        yield from (Text("  " + clip(line, width - 2), "dim") for line in _listed(run.sources))


def _listed(sources: Sequence[SourceInfo]) -> Iterator[str]:
    """A line for each source; where they are many, one for each format."""
    groups: dict[str, list[SourceInfo]] = {}
    for source in sources:
        key = source.name if len(sources) <= _NAMED else source.format
        groups.setdefault(key, []).append(source)
    by_lines = sorted(groups.values(), key=lambda group: -sum(s.lines for s in group))
    for group in list(groups.values()) if len(sources) <= _NAMED else by_lines[:_FORMATS]:
        lines = many(sum(s.lines for s in group), "line")
        if len(group) == 1:
            why = _why(group[0])
            yield f"{source_name(group[0].name)}: {lines}" + (f" ({why})" if why else "")
        else:
            known = safe(group[0].format) or "no known format"
            yield f"{many(len(group), 'file')}: {known}, {lines}"
    if len(sources) > _NAMED and len(by_lines) > _FORMATS:
        left = sum(len(group) for group in by_lines[_FORMATS:])
        yield f"and {many(left, 'file')} of {many(len(by_lines) - _FORMATS, 'more format')}"


def _why(source: SourceInfo) -> str:
    return safe(": ".join(part for part in (source.format, source.reason) if part))


def _together(group: PatternGroup) -> str:
    """What a group's count counts, where its summary tells of one finding among several."""
    if len(group.findings) == 1:
        return ""
    windows = many(len(group.findings), "window")
    if all(finding.count == 1 for finding in group.findings):
        return f"{windows} together"
    return f"{many(group.count, 'line')} in {windows} together"


def tags(findings: Sequence[Finding], width: int) -> Iterator[tuple[str, str]]:
    """A text and its style for each state other than open that like findings have."""
    for state, text in standings(findings):
        mark, style = _MARK[state]
        yield f"{mark} {fit(text, width * _TAG_TALL - len(mark) - 1)}", style


def on_hosts(hosts: Sequence[str], width: int) -> str:
    """Some hosts as people read them, harmless to show: up to three, or as many as `width` cells
    hold; empty where there are none.

    >>> on_hosts(["web1", "web2", "web3", "db1"], 80)
    'on web1, web2, web3 and 1 more'
    >>> on_hosts(["web1", "web2", "web3", "db1"], 20)
    'on web1 and 3 more'
    >>> on_hosts(["web1", "web2", "web3", "db1"], 10)
    'on 4 hosts'
    """
    names = [fit(host, _HOST_CELLS) for host in hosts[:_HOSTS]]
    texts = [f"on {few([*names, *hosts[_HOSTS:]], most)}" for most in range(len(names), 0, -1)]
    if len(hosts) > 1:
        texts.append(f"on {len(hosts):,} hosts")
    return next((text for text in texts if cell_len(text) <= width), texts[-1] if texts else "")


def _on_one_host(findings: Sequence[Finding]) -> bool:
    """Whether one host is all that any finding names: then it is said once, not in each row."""
    return len({finding.hosts for finding in findings}) == 1 and len(findings[0].hosts) == 1


def _unwanted(group: PatternGroup) -> bool:
    return all(finding.state == "suppressed" for finding in group.findings)


def _calm(run: Run) -> Text:
    if run.lines == 0:
        return Text("There were no lines to check.")
    if run.lines_scored == 0:
        return Text("No line was judged, so this says nothing about the log.")
    checked = many(run.lines_scored, "line")
    if run.windows:
        checked += f" in {many(run.windows, 'window')}"
    if run.baseline:
        checked += f", against {safe(run.baseline)}"
    budget = "" if run.budget is None else f" Alarm budget: {run.budget:g} a day."
    return Text(f"Nothing stands out. Checked: {checked}.{budget}")


def _item(label: str, text: str) -> Table:
    # A grid, so that what does not fit in one line hangs under its own text.
    row = Table.grid(padding=(0, _GAP, 0, 0))
    row.add_column(width=len("Skipped") if label else 0)
    row.add_column(overflow="fold")
    row.add_row(label, Text(safe(text)), style="dim")
    return row


@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths of the columns, the same for all rows of a report, and the names of its sources."""

    width: int
    count: int
    where: int
    names: dict[str, str]
    hosts: bool
    """Whether rows name their hosts."""

    @classmethod
    def fit(cls, groups: Sequence[PatternGroup], width: int, hosts: bool) -> _Columns:
        names = _names(groups)
        count = max(len(f"{group.count:,}") for group in groups)
        lines = [line for group in groups if (line := telling(group.representative))]
        where = max((len(f"{names[n.source]}:{n.line_no}") for n in lines), default=0)
        offset = max((len(f"+{line.offset:,} bytes") for line in lines), default=0)
        return cls(width, max(count, 5), min(max(where, offset, 5), 24), names, hosts)

    def header(self) -> Iterator[Table]:
        if self.width >= _WIDE:
            yield self._wide("", "when (UTC)", "what", "count", "where", "id", style="dim")

    def row(self, group: PatternGroup) -> Table:
        finding = group.representative
        line = telling(finding)
        severity = Text(finding.severity, STYLE[finding.severity])
        times = (group.first_seen, group.last_seen)
        identifier = short_id(finding.id)
        together = _together(group)
        hosts = hosts_of(group.findings) if self.hosts else ()
        style = "dim" if _unwanted(group) else ""
        if self.width >= _WIDE:
            what = Text(fit(finding.summary, self._room * _TALL))
            for text, mark in tags(group.findings, self._room):
                what.append("\n").append(text, mark)
            for fact in (together, on_hosts(hosts, self._room)):
                if fact:
                    what.append(f"\n{fact}", "dim")
            where = Text()
            if line is not None:
                where.append(self._place(line, self.where))
                where.append(f"\n+{line.offset:,} bytes", "dim")
            count = Text(f"{group.count:,}", "bold")
            ids = Text(identifier)
            ids.append(f"\n{short_id(group.pattern)}", "dim")
            return self._wide(severity, _stacked(*times), what, count, where, ids, style=style)
        count = Text(f"×{group.count:,}", "bold")
        room = self.width - _INDENT - len(count) - _GAP
        facts = [span(*times), identifier, short_id(group.pattern), together]
        if line is not None:
            offset = f" +{line.offset}"
            taken = sum(len(fact) + 3 for fact in facts if fact) + len(offset)
            place = self._place(line, max(20, self.width - _INDENT - taken))
            facts.insert(1, place + offset)
        row = Table.grid(padding=(0, _GAP, 0, 0))
        row.add_column(width=_SEVERITY)
        row.add_column(width=room, overflow="fold")
        row.add_column(width=len(count))
        row.add_row(severity, Text(fit(finding.summary, room * _TALL)), count)
        below = Table.grid()
        below.add_column(width=_INDENT)
        below.add_column(width=self.width - _INDENT, overflow="fold")
        for text, mark in tags(group.findings, self.width - _INDENT):
            below.add_row("", Text(text, mark))
        facts.append(on_hosts(hosts, self.width - _INDENT))
        below.add_row("", Text(" · ".join(fact for fact in facts if fact)))
        both = Table.grid()
        both.style = style
        both.add_row(row)
        both.add_row(below)
        return both

    @property
    def _room(self) -> int:
        return self.width - _SEVERITY - _WHEN - self.count - self.where - _ID - 5 * _GAP

    def _wide(self, *cells: RenderableType, style: str = "") -> Table:
        row = Table.grid(padding=(0, _GAP, 0, 0))
        row.add_column(width=_SEVERITY)
        row.add_column(width=_WHEN)
        row.add_column(width=self._room, overflow="fold")
        row.add_column(width=self.count, justify="right")
        row.add_column(width=self.where)
        row.add_column(width=_ID)
        # As `Text`: rich would take what stands in brackets in a plain string for markup.
        row.add_row(*(Text(c) if isinstance(c, str) else c for c in cells), style=style)
        return row

    def _place(self, line: CitedLine, room: int) -> str:
        number = f":{line.line_no}"
        return clip(self.names[line.source], room - len(number)) + number


def _stacked(first: str | None, last: str | None) -> str:
    # Both clocks stand under each other: "Jun 15 13:12:10" over "    to 13:14:11".
    if first is None:
        return ""
    start, end = moment(first), moment(last or first, after=first)
    if start.endswith(end):
        return start
    return f"{start}\n{f'to {end}':>{_WHEN}}" if len(end) == len("13:14:11") else f"{start}\n{end}"


def _incidents(findings: Sequence[Finding], width: int) -> Iterator[Text]:
    """Each incident of several patterns, worst first: when, how much and where, then what it began
    with; nothing where there is none."""
    several = [i for i in incidents(findings) if len(i.patterns) > 1]
    if several:
        yield Text(f"{'incidents':{_INDENT}}(findings that belong together)", "dim")
    for incident in several[:_INCIDENTS]:
        first = incident.first
        when = span(incident.first_seen, incident.last_seen)
        line = Text().append(f"{incident.severity:{_SEVERITY}}", STYLE[incident.severity])
        line.append(" " * _GAP + when)
        number = f"{many(len(incident.findings), 'finding')} of {len(incident.patterns):,} patterns"
        hosts = on_hosts(incident.hosts, width - line.cell_len - len(number) - 6)
        for fact in (number, hosts, _named(incident.sources)):
            if fact and line.cell_len + cell_len(fact) + 3 <= width:
                line.append(f" · {fact}", "dim")
        yield line
        began = f"'{first.templates[0].text}'" if first.templates else first.summary
        line = Text(" " * _INDENT).append("began with ", "dim")
        line.append(fit(began, max(width - line.cell_len - _GAP - _ID, 12)))
        yield line.append(" " * (width - line.cell_len - _ID) + short_id(incident.id))
    if len(several) > _INCIDENTS:
        yield Text(f"and {many(len(several) - _INCIDENTS, 'more incident')}", "dim")
    if several:
        yield Text("--incident ID tells one in order of time, with all its lines", "dim")
        yield Text("")


def _named(sources: Sequence[str]) -> str:
    names = [source_name(s.rstrip("/").rpartition("/")[2] or s) for s in sources]
    return ", ".join(names) if len(names) <= _NAMED else many(len(names), "source")


def _evidence(finding: Finding, names: dict[str, str], width: int) -> Iterator[Text]:
    home = telling(finding)
    chosen = [line for line in finding.lines if line.highlight] or list(finding.lines)
    for line in chosen[:_CITED]:
        place = f"{line.line_no}"
        if home is not None and line.source != home.source:
            place = f"{clip(names[line.source], 16)}:{place}"
        lead = " " * _INDENT + f"{place} │ "
        # The message says what happened; its header stands in the columns already.
        text = line.text[line.message_at :] or line.text
        yield Text(lead + fit(text, max(8, width - len(lead))), "dim")
        lead = f"{'':{len(lead) - 2}}│ "[-len(lead) :]
        for further in line.more[:_MORE]:
            yield Text(lead + fit(further.expandtabs(4), max(8, width - len(lead))), "dim")
        if len(line.more) > _MORE:
            left = many(len(line.more) - _MORE, "more line")
            yield Text(f"{lead}and {left} of this record", "dim")


def _names(groups: Sequence[PatternGroup]) -> dict[str, str]:
    # The last part of a path is what people look for; the whole path only where two would clash.
    sources = {line.source for group in groups for line in group.representative.lines}
    last = {source: source.rstrip("/").rpartition("/")[2] or source for source in sources}
    uses = Counter(last.values())
    return {s: source_name(s if uses[name] > 1 else name) for s, name in last.items()}
