"""What is known of patterns and incidents, made from the rows of their findings.

Numbers are counted anew from the rows, and what outlasts a finding (first and last time, sources,
hosts) only ever widens: so neither repetition nor order of what is added changes anything.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from logwright.errors import StoreError
from logwright.findings.clean import clean
from logwright.findings.finding import SEVERITIES, Finding
from logwright.store.base import MOST_PLACES
from logwright.store.rows import About, about_of, dump_model, finding_of, micros_of_text
from logwright.store.sights import Place, place_of, put_places, span_of

__all__ = [
    "Batch",
    "put_bodies",
    "put_findings",
    "refresh_incidents",
    "refresh_patterns",
    "touched",
]

_MOST = 1 << 40  # lines of one finding that are counted: sums must stay within 64 bits

_ADD_FINDING = """
    INSERT INTO findings
        (key, id, pattern, incident, run, severity, score, lines, first_at, last_at, at,
        place, span, because)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_PUT_FINDING = f"""{_ADD_FINDING}
    ON CONFLICT (key) DO UPDATE SET
        pattern = excluded.pattern, incident = excluded.incident, run = excluded.run,
        severity = excluded.severity, score = excluded.score, lines = excluded.lines,
        first_at = excluded.first_at, last_at = excluded.last_at, at = excluded.at,
        place = excluded.place, span = excluded.span, because = excluded.because
"""
_PUT_BODY = """
    INSERT INTO bodies (key, body) VALUES (?, ?)
    ON CONFLICT (key) DO UPDATE SET body = excluded.body
"""
_BODY = "SELECT body FROM findings JOIN bodies USING (key) WHERE id = ?"
_KEYS = "SELECT id, key FROM findings WHERE id IN (SELECT value FROM json_each(?))"
_PUT_PATTERN = """
    INSERT INTO patterns (id, detector, unit, finding, severity, first_at, last_at,
        findings, further, lines, runs, about)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET
        detector = excluded.detector, unit = excluded.unit, finding = excluded.finding,
        severity = excluded.severity, first_at = excluded.first_at, last_at = excluded.last_at,
        findings = excluded.findings, further = excluded.further, lines = excluded.lines,
        runs = excluded.runs, about = excluded.about
"""
_GRAVEST = """
    SELECT id, severity FROM findings WHERE pattern = ?
    ORDER BY severity DESC, score DESC, id LIMIT 1
"""
_COUNTS = """
    SELECT count(*), coalesce(sum(lines), 0),
        (SELECT count(*) FROM seen WHERE pattern = :name),
        (SELECT coalesce(max(further), 0) FROM seen WHERE pattern = :name)
    FROM findings WHERE pattern = :name
"""
_PUT_INCIDENT = """
    INSERT INTO incidents (id, run, severity, findings, first_at, last_at)
    SELECT incident, max(run), max(severity), count(*), min(first_at), max(last_at)
    FROM findings WHERE incident = ? GROUP BY incident
    ON CONFLICT (id) DO UPDATE SET
        run = excluded.run, severity = excluded.severity, findings = excluded.findings,
        first_at = excluded.first_at, last_at = excluded.last_at
"""


@dataclass(slots=True)
class Batch:
    """What the findings that are added show of one pattern."""

    findings: dict[str, Finding] = field(default_factory=dict)
    places: set[Place] = field(default_factory=set)
    first: int | None = None
    last: int | None = None

    def add(
        self, name: str, finding: Finding, place: Place, first: int | None, last: int | None
    ) -> None:
        """Take one finding; times in microseconds."""
        self.findings[name] = finding
        self.places.add(place)
        for at in (first, last):
            if at is not None:
                self.first = at if self.first is None else min(self.first, at)
                self.last = at if self.last is None else max(self.last, at)

    @property
    def hosts(self) -> set[str]:
        """The hosts that they name."""
        return {clean(host) for place in self.places for host in place[0]}

    @property
    def sources(self) -> set[str]:
        """The sources that they name."""
        return {clean(source) for place in self.places for source in place[1]}


def put_findings(
    db: sqlite3.Connection, findings: Mapping[str, Finding], run: int, time: int
) -> tuple[dict[str, int], dict[str, Batch]]:
    """Add findings of a run, by id; tells their keys, and what they show of each pattern."""
    keys: dict[str, int] = dict(db.execute(_KEYS, (json.dumps(list(findings)),)))
    free = 1 + int(db.execute("SELECT coalesce(max(key), 0) FROM findings").fetchone()[0])
    known = [name for name in findings if name in keys]
    new = [name for name in findings if name not in keys]
    keys |= {name: key for key, name in enumerate(new, start=free)}
    places: dict[Place, int] = {}
    batches: dict[str, Batch] = {}

    def rows(names: Iterable[str]) -> Iterator[tuple[object, ...]]:
        for name in names:
            finding = findings[name]
            place, pattern = place_of(finding), clean(finding.pattern)
            if place not in places:
                places.update(put_places(db, (place,)))
            first = micros_of_text(finding.first_seen)
            last = micros_of_text(finding.last_seen)
            last = first if last is None else last
            batches.setdefault(pattern, Batch()).add(name, finding, place, first, last)
            yield (
                keys[name],
                name,
                pattern,
                None if finding.incident is None else clean(finding.incident),
                run,
                SEVERITIES.index(finding.own_severity or finding.severity),
                finding.score,
                min(max(finding.count, 0), _MOST),
                first,
                last,
                time if last is None else last,
                places[place],
                span_of(finding.window),
                None if finding.because is None else clean(finding.because),
            )

    db.executemany(_ADD_FINDING, rows(new))  # in half the time of one that may be there
    db.executemany(_PUT_FINDING, rows(known))
    return keys, batches


def put_bodies(
    db: sqlite3.Connection, keys: Mapping[str, int], bodies: Mapping[str, bytes]
) -> None:
    """Add the bodies of findings, by id, whose keys are given."""
    db.executemany(_PUT_BODY, ((keys[name], body) for name, body in bodies.items()))


def touched(db: sqlite3.Connection, findings: str) -> tuple[set[str], set[str]]:
    """Patterns and incidents of findings, given as a JSON list of ids, as they are stored now."""
    rows = db.execute(
        "SELECT DISTINCT pattern, incident FROM findings "
        "WHERE id IN (SELECT value FROM json_each(?))",
        (findings,),
    ).fetchall()
    return {row[0] for row in rows}, {row[1] for row in rows if row[1] is not None}


def refresh_patterns(
    db: sqlite3.Connection, patterns: Iterable[str], batches: Mapping[str, Batch]
) -> None:
    """Bring the rows of patterns in line with those of their findings and runs."""
    for pattern in sorted(patterns):
        _refresh(db, pattern, batches.get(pattern, Batch()))


def _refresh(db: sqlite3.Connection, pattern: str, batch: Batch) -> None:
    old = db.execute(
        "SELECT detector, unit, finding, severity, first_at, last_at, about "
        "FROM patterns WHERE id = ?",
        (pattern,),
    ).fetchone()
    gravest = db.execute(_GRAVEST, (pattern,)).fetchone()
    about = About() if old is None else about_of(old[6])
    known = [batch.first, batch.last, *(() if old is None else old[4:6])]
    times = [at for at in known if at is not None]
    if gravest is not None:
        name, severity = gravest
        shown = batch.findings.get(name)
        if shown is None and (old is None or old[2] != name):
            row = db.execute(
                "SELECT body FROM findings JOIN bodies USING (key) WHERE id = ?", (name,)
            ).fetchone()
            if row is None:
                raise StoreError("is damaged: its findings and their index differ")
            shown = finding_of(row[0])
        head = old[:2] if shown is None else (clean(shown.detector), clean(shown.unit))
        if shown is not None:
            about.summary = shown.summary
            about.templates = [t.id for t in shown.templates]
            about.texts = [t.text for t in shown.templates]
    elif old is not None:  # its findings are gone, what they were is still told
        name, severity, head = None, old[3], old[:2]
    else:
        return
    about.sources = sorted(batch.sources.union(about.sources))[:MOST_PLACES]
    about.hosts = sorted(batch.hosts.union(about.hosts))[:MOST_PLACES]
    findings, lines, runs, further = db.execute(_COUNTS, {"name": pattern}).fetchone()
    span = (min(times, default=None), max(times, default=None))
    db.execute(
        _PUT_PATTERN,
        (pattern, *head, name, severity, *span, findings, further, lines, runs, dump_model(about)),
    )


def refresh_incidents(db: sqlite3.Connection, incidents: Iterable[str]) -> int:
    """Bring the rows of incidents in line with those of their findings; tells how many are gone."""
    gone = 0
    for incident in sorted(incidents):
        if db.execute(_PUT_INCIDENT, (incident,)).rowcount < 1:
            gone += db.execute("DELETE FROM incidents WHERE id = ?", (incident,)).rowcount
    return gone
