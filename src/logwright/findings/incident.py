"""Incidents: findings that belong together in time and cause, told as one line.

Two findings are linked where both show the same mark and the later one begins soon enough after
the earlier one ended. Marks, from strong to weak, and how soon:

* a pattern, or an identifier in the lines that are the reason (a request id, a UUID, an address, a
  path): 30 minutes; for a pattern that keeps coming at a slower beat, three beats, up to 6 hours;
* a template: 10 minutes, whatever file or service it stands in;
* a place, which is a source and what the header names in it (host, component): 1 minute, and only
  between findings that show no identifier.

An identifier or template that more than 10 findings and more than a fifth of them show links
nothing: it is a host's name, or what every session does. An incident is a set of linked findings;
it began with its earliest finding, which is its best guess at a cause.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median

from logwright.findings.finding import SEVERITIES, CitedLine, Finding, Severity, hosts_of
from logwright.findings.run import parse_time, ranked
from logwright.logs.sessions import identifiers

__all__ = ["Incident", "few", "incidents", "with_incidents"]

_STRONG, _WEAK, _PLACE = timedelta(minutes=30), timedelta(minutes=10), timedelta(minutes=1)
_BEATS, _LEAST_BEATS, _LONGEST = 3, 3, timedelta(hours=6)
_COMMON, _COMMON_SHARE = 10, 0.2
_LINES = 5  # cited lines of a finding that are looked at
_TEXT = 2_000
_DIGITS = re.compile(r"\d")
_WORD = re.compile(r"[A-Za-z][\w.$/-]*")
_OPAQUE = re.compile(r"(?i)[0-9a-f]{12,}|[0-9a-f]{8}-[0-9a-f-]{27}|req-[0-9a-f-]{8,}")
_NO_PLACE = re.compile(
    r"(?i)(trace|debug|info\w*|notice|warn\w*|err\w*|fatal|critical|crit|severe|panic|alert|"
    r"jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun|t|z|utc)"
)
# Addresses and paths, which `identifiers` leaves out: many sessions share them, troubles do, too.
_THING = re.compile(
    r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d{1,5})?(?![\w.])|(?<![\w/.:])/(?:[\w.+@-]{1,64}/?){1,8}"
)


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
    def hosts(self) -> tuple[str, ...]:
        """The hosts that its findings name, in the order in which they came."""
        return hosts_of(self.findings)

    @property
    def patterns(self) -> tuple[str, ...]:
        """Its patterns, in the order in which they came."""
        return tuple(dict.fromkeys(f.pattern for f in self.findings))

    @property
    def first_seen(self) -> str | None:
        """When it began."""
        return self.first.first_seen

    @property
    def last_seen(self) -> str | None:
        """When its last finding ended."""
        times = [t for f in self.findings if (t := f.last_seen or f.first_seen)]
        latest = datetime.min.replace(tzinfo=UTC)
        return max(times, key=lambda t: parse_time(t) or latest, default=None)


Mark = tuple[str, ...]
"""What a finding can share with others: its kind, then what it names."""


def _marks(finding: Finding) -> set[Mark]:
    """What a finding can share with others, but for its pattern."""
    marks: set[Mark] = {("template", t.id) for t in finding.templates}
    constant = " ".join(t.text for t in finding.templates)
    named: set[str] = set()
    if finding.window.kind == "session" and finding.window.key:
        named.add(finding.window.key)
    lines = [line for line in finding.lines if line.highlight] or list(finding.lines)
    for line in lines[:_LINES]:
        named |= {n for n in _named(line) if n not in constant}
    if named:
        return marks | {("id", n) for n in named}
    return marks | {_place(line) for line in lines[:_LINES]}


def _named(line: CitedLine) -> set[str]:
    """Identifiers in a line: in its header only those that cannot be a host's or a pod's name."""
    header, message = line.text[: line.message_at], line.text[line.message_at :][:_TEXT]
    found = set(_OPAQUE.findall(header[:_TEXT]))
    if _DIGITS.search(message):
        found |= identifiers(message)
    return found | {t.rstrip("/.") for t in _THING.findall(message)} - {"", "0.0.0.0", "127.0.0.1"}


def _place(line: CitedLine) -> Mark:
    header = line.text[: line.message_at][:_TEXT]
    words = [w for w in _WORD.findall(header) if not _NO_PLACE.fullmatch(w)]
    return ("place", line.source, *words)


def _allowed(mark: Mark, begins: Sequence[datetime]) -> timedelta:
    """How long after an occurrence of this mark the next one still belongs to it."""
    if mark[0] == "id":
        return _STRONG
    if mark[0] == "template":
        return _WEAK
    if mark[0] == "place":
        return _PLACE
    gaps = [b - a for a, b in pairwise(begins)]
    if len(gaps) < _LEAST_BEATS:
        return _STRONG
    beat = timedelta(seconds=median(gap.total_seconds() for gap in gaps))
    return max(_STRONG, min(_BEATS * beat, _LONGEST))


def _linked(timed: Sequence[tuple[datetime, datetime, Finding]]) -> list[list[Finding]]:
    """Groups of findings, given as (begin, end, finding) in order of time, that marks join."""
    shown: dict[Mark, list[int]] = defaultdict(list)
    for n, (_, _, finding) in enumerate(timed):
        shown["pattern", finding.pattern].append(n)
        for mark in _marks(finding):
            shown[mark].append(n)
    group = list(range(len(timed)))

    def root(n: int) -> int:
        while group[n] != n:
            group[n] = group[group[n]]
            n = group[n]
        return n

    for mark, members in shown.items():
        much = len(members) > _COMMON and len(members) > _COMMON_SHARE * len(timed)
        if len(members) < 2 or (much and mark[0] in ("id", "template")):
            continue
        allowed = _allowed(mark, [timed[n][0] for n in members])
        until = timed[members[0]][1]
        for before, n in pairwise(members):
            until = max(until, timed[before][1])
            if timed[n][0] - until <= allowed:
                group[root(n)] = root(before)
    groups: dict[int, list[Finding]] = defaultdict(list)
    for n, (_, _, finding) in enumerate(timed):
        groups[root(n)].append(finding)
    return list(groups.values())


def few(names: Sequence[str], most: int) -> str:
    """Names as people read them: the first ones, and how many more there are.

    >>> few(["web1", "web2", "web3", "db1"], 2)
    'web1, web2 and 2 more'
    """
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left:,} more" if left > 0 else "")


def incidents(findings: Iterable[Finding]) -> list[Incident]:
    """Incidents, worst first; findings without a time are incidents of their own.

    Findings that name their incident already (`with_incidents`) are grouped by that.

    >>> incidents([])
    []
    """
    given = list(findings)
    if given and all(f.incident is not None for f in given):
        named: dict[str, list[Finding]] = defaultdict(list)
        for finding in given:
            named[finding.incident or ""].append(finding)
        return _ordered([Incident(i, _in_time(group)) for i, group in named.items()])
    timed: list[tuple[datetime, datetime, Finding]] = []
    alone: list[Finding] = []
    for finding in given:
        begin = parse_time(finding.first_seen) if finding.first_seen else None
        if begin is None:
            alone.append(finding)
        else:
            end = parse_time(finding.last_seen) if finding.last_seen else None
            timed.append((begin, max(begin, end or begin), finding))
    timed.sort(key=lambda each: (each[0], each[2].id))
    return _ordered([_incident(group) for group in [*_linked(timed), *([f] for f in alone)]])


def with_incidents(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, in their order, each with the id of its incident.

    >>> with_incidents([])
    []
    """
    ids = {f.id: i.id for i in incidents(findings) for f in i.findings}
    return [f.model_copy(update={"incident": ids[f.id]}) for f in findings]


def _ordered(found: list[Incident]) -> list[Incident]:
    order = {f.id: n for n, f in enumerate(ranked(f for i in found for f in i.findings))}
    return sorted(found, key=lambda i: min(order[f.id] for f in i.findings))


def _in_time(group: Iterable[Finding]) -> tuple[Finding, ...]:
    # Parsed, because texts with and without fractions of a second do not sort as times do.
    latest = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(group, key=lambda f: (parse_time(f.first_seen or "") or latest, f.id)))


def _incident(group: Iterable[Finding]) -> Incident:
    ordered = _in_time(group)
    digest = hashlib.blake2b(
        ordered[0].id.encode("utf-8", "surrogatepass"), digest_size=8
    ).hexdigest()
    return Incident(f"i-{digest}", ordered)
