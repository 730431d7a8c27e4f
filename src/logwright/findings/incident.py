"""Incidents: findings that belong together in time and cause, told as one line.

Two findings are linked when the later one begins within `quiet` of the end of the earlier one's
incident so far and both share something: a source, a template, a session key, or an identifier in
their cited lines (a request id, a block id, a UUID, a long hex number). An incident is a set of
linked findings; it began with its earliest finding, which is its best guess at a cause.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from logwright.findings.finding import SEVERITIES, Finding, Severity
from logwright.findings.run import parse_time, ranked
from logwright.logs.sessions import identifiers

__all__ = ["Incident", "incidents"]

_QUIET = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Incident:
    """Linked findings in order of time; `id` is 'i-' + 16 hex digits, from the first finding's."""

    id: str
    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """The finding it began with."""
        return self.findings[0]

    @property
    def worst(self) -> Finding:
        """The finding that deserves attention most."""
        return ranked(self.findings)[0]

    @property
    def severity(self) -> Severity:
        """The highest severity among its findings."""
        return SEVERITIES[max(SEVERITIES.index(f.severity) for f in self.findings)]

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources it touches."""
        return tuple(dict.fromkeys(line.source for f in self.findings for line in f.lines))

    @property
    def last_seen(self) -> str | None:
        """When its last finding ended."""
        times = [t for f in self.findings if (t := f.last_seen or f.first_seen)]
        return max(times, key=lambda t: parse_time(t) or datetime.min, default=None)


def _marks(finding: Finding) -> set[str]:
    """What a finding can share with others."""
    marks = {f"source {line.source}" for line in finding.lines}
    marks |= {f"template {t.id}" for t in finding.templates}
    if finding.window.kind == "session":
        marks.add(f"key {finding.window.key}")
    for line in finding.lines:
        marks |= {f"key {i}" for i in identifiers(line.text)}
    return marks


def incidents(findings: Iterable[Finding], quiet: timedelta = _QUIET) -> list[Incident]:
    """Incidents, worst first; findings without a time are incidents of their own.

    >>> incidents([])
    []
    """
    timed: list[tuple[datetime, Finding]] = []
    alone: list[Finding] = []
    for finding in findings:
        begin = parse_time(finding.first_seen) if finding.first_seen else None
        if begin is None:
            alone.append(finding)
        else:
            timed.append((begin, finding))
    timed.sort(key=lambda pair: (pair[0], pair[1].id))
    open_groups: list[_Group] = []
    closed: list[_Group] = []
    for begin, finding in timed:
        still = [g for g in open_groups if begin - g.until <= quiet]
        closed += [g for g in open_groups if begin - g.until > quiet]
        marks = _marks(finding)
        linked = [g for g in still if g.marks & marks]
        group = max(linked, key=lambda g: len(g.findings), default=_Group([], set(), begin))
        for other in linked:  # one finding can join what were two incidents
            if other is not group:
                group.findings += other.findings
                group.marks |= other.marks
                group.until = max(group.until, other.until)
        end = parse_time(finding.last_seen) if finding.last_seen else None
        group.findings.append(finding)
        group.marks |= marks
        group.until = max(group.until, end or begin)
        open_groups = [g for g in still if g not in linked] + [group]
    groups = [g.findings for g in closed + open_groups] + [[f] for f in alone]
    found = [_incident(group) for group in groups]
    order = {f.id: n for n, f in enumerate(ranked(f for i in found for f in i.findings))}
    return sorted(found, key=lambda i: min(order[f.id] for f in i.findings))


@dataclass(slots=True, eq=False)
class _Group:
    findings: list[Finding]
    marks: set[str]
    until: datetime


def _incident(group: Sequence[Finding]) -> Incident:
    findings = tuple(sorted(group, key=lambda f: (f.first_seen or "", f.id)))
    digest = hashlib.blake2b(findings[0].id.encode(), digest_size=8).hexdigest()
    return Incident(f"i-{digest}", findings)
