"""Findings as one HTML file that needs nothing else: no network, no script.

The page is a template (`report.html`) with its style sheet (`report.css`) inside. Two things make
log text inert in it, whatever it holds: every expression of the template passes through `safe`
(no control or invisible characters) and then through jinja's autoescaping; and the page's policy
allows no source at all but this one style sheet, named by its hash. What is large is bounded: the
page says how much more there is, and the JSON output has all of it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from logwright.errors import LogwrightError
from logwright.findings.escape import clip, fit, safe
from logwright.findings.finding import SEVERITIES, CitedLine, Finding, hosts_of, standings
from logwright.findings.incident import Incident, few, incidents
from logwright.findings.plot import plot
from logwright.findings.run import (
    PatternGroup,
    Run,
    by_pattern,
    many,
    moment,
    ranked,
    short_id,
    source_name,
    span,
    telling,
)

__all__ = ["render_html", "write_report"]

_PATTERNS = 200  # patterns shown
_OPEN = 12  # of them, those whose evidence is unfolded from the start
_MORE = 50  # further findings listed of a pattern
_LINES = 40  # lines cited of a finding
_CONTINUED = 30  # lines shown that continue a cited one
_ROWS = 200  # sources, notes, ladder lines
_TEMPLATES = 20
_INCIDENTS = 20
_OF_INCIDENT = 12  # patterns named of an incident
_HOSTS = 3
_NAME_CELLS = 80
_LINE_CELLS = 2000
_KEEP = "\n\t"  # the page keeps the layout of lines such as stack traces
_SENTENCE_CELLS = 600
_PARAMETER = re.compile(r"(<\*(?::[\w-]+)?>)")


def write_report(run: Run, findings: Sequence[Finding], path: str | os.PathLike[str]) -> None:
    """Write the report to `path`: the whole file or none, also when the machine stops half-way."""
    page = render_html(run, findings).encode("utf-8")
    target = Path(path)
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(page)  # a pipe or device: there is no file to replace
            return
        _replace(target.resolve(), page)
    except OSError as error:
        reason = error.strerror or error
        raise LogwrightError(f"The report {target} cannot be written: {reason}.") from error


def _replace(target: Path, content: bytes) -> None:
    # In the same folder, because a rename across file systems is not atomic; made by `open` and
    # not by `tempfile`, so that the umask decides who may read it.
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def render_html(run: Run, findings: Sequence[Finding]) -> str:
    """The report as a string.

    >>> page = render_html(Run(lines=12, lines_scored=12, windows=3, seconds=0.1), [])
    >>> "Nothing stands out" in page, "<script" in page
    (True, False)
    """
    order = ranked(findings)
    groups = by_pattern(order)
    shown = groups[:_PATTERNS]
    anchors = {group.pattern for group in shown}
    stories = [i for i in incidents(order) if len(i.patterns) > 1]
    told = {f.id: i.id for i in stories[:_INCIDENTS] for f in i.findings}
    folder = resources.files("logwright.findings")
    style = folder.joinpath("report.css").read_text(encoding="utf-8")
    template = _environment().from_string(folder.joinpath("report.html").read_text("utf-8"))
    return template.render(
        run=run,
        findings=order,
        groups=groups,
        suppressed=sum(f.state == "suppressed" for f in order),
        shown=shown,
        severities=[
            (severity, number)
            for severity in reversed(SEVERITIES)
            if (number := sum(g.representative.severity == severity for g in shown))
        ],
        stories=stories[:_INCIDENTS],
        stories_in_all=len(stories),
        anchors=anchors,
        told=told,
        plot=plot(run.timeline, [f for f in order if f.pattern in anchors]),
        style=Markup(style),  # our own file, no log text
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        limits={
            "continued": _CONTINUED,
            "lines": _LINES,
            "more": _MORE,
            "open": _OPEN,
            "rows": _ROWS,
            "of_incident": _OF_INCIDENT,
            "templates": _TEMPLATES,
        },
    )


def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        began=_began,
        cited=_cited,
        clip=_sentence,
        ladder=_ladder,
        many=many,
        members=_members,
        moment=lambda text: moment(text) if text else "",
        parts=_parts,
        short=short_id,
        size=_size,
        hosts=_hosts,
        source=source_name,
        standings=standings,
        span=lambda thing: span(thing.first_seen, thing.last_seen),
        telling=telling,
        where=_where,
    )
    return environment


def _visible(value: object) -> object:
    # jinja calls this for every expression before it escapes: no text can go around it.
    if isinstance(value, str) and not isinstance(value, Markup):
        return safe(value, keep=_KEEP)
    return value


def _sentence(text: str) -> str:
    return fit(text, _SENTENCE_CELLS, keep=_KEEP)


@dataclass(frozen=True, slots=True)
class _Block:
    """Cited lines of one source; a number in `rows` is that of lines left out in between."""

    source: str
    rows: tuple[CitedLine | int, ...]


def _cited(finding: Finding) -> list[_Block]:
    blocks: list[_Block] = []
    rows: list[CitedLine | int] = []
    before: CitedLine | None = None
    for line in _chosen(finding):
        if before is None or line.source != before.source:
            if before is not None:
                blocks.append(_Block(before.source, tuple(rows)))
            rows = []
        elif line.line_no > before.line_no + 1:
            rows.append(line.line_no - before.line_no - 1)
        text = fit(line.text, _LINE_CELLS, keep=_KEEP)
        rows.append(line.model_copy(update={"text": text}))
        before = line
    if before is not None:
        blocks.append(_Block(before.source, tuple(rows)))
    return blocks


def _chosen(finding: Finding) -> Sequence[CitedLine]:
    if len(finding.lines) <= _LINES:
        return finding.lines
    # Reasons first, then whatever comes first; shown in input order.
    indices = range(len(finding.lines))
    chosen = sorted(indices, key=lambda i: (not finding.lines[i].highlight, i))[:_LINES]
    return [finding.lines[i] for i in sorted(chosen)]


def _began(finding: Finding) -> str:
    return finding.templates[0].text if finding.templates else finding.summary


def _members(incident: Incident) -> list[Finding]:
    """The first finding of each pattern of an incident, in order of time."""
    first: dict[str, Finding] = {}
    for finding in incident.findings:
        first.setdefault(finding.pattern, finding)
    return list(first.values())


def _hosts(thing: Incident | PatternGroup) -> str:
    hosts = hosts_of(thing.findings)
    names = [fit(host, _NAME_CELLS) for host in hosts[:_HOSTS]]
    return f"on {few([*names, *hosts[_HOSTS:]], _HOSTS)}" if hosts else ""


def _parts(template: str) -> Iterator[tuple[bool, str]]:
    for index, part in enumerate(_PARAMETER.split(_sentence(template))):
        if part:
            yield index % 2 == 1, part


def _ladder(reason: str) -> tuple[str, str]:
    name, colon, rest = reason.partition(": ")
    return (name, rest) if colon and len(name) <= 24 else ("", reason)


def _where(thing: Finding | PatternGroup) -> str:
    line = telling(thing.representative if isinstance(thing, PatternGroup) else thing)
    if line is None:
        return ""
    return f"{clip(source_name(line.source), 80)}:{line.line_no}"


def _size(number: int) -> str:
    """Bytes as people read them.

    >>> _size(999), _size(131882113)
    ('999 bytes', '131.9 MB')
    """
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= factor:
            return f"{number / factor:.1f} {unit}"
    return many(number, "byte")
