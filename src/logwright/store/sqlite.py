"""The store as an SQLite file: WAL, every commit synced, several processes at once.

A writer takes the file's one write lock at the start (BEGIN IMMEDIATE) and waits for it, so what it
reads inside, such as the last number, still holds when it commits. Readers never wait.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from logwright.errors import InputError, StoreError
from logwright.findings.clean import clean
from logwright.findings.escape import safe
from logwright.findings.finding import Finding
from logwright.findings.run import Run
from logwright.findings.verdict import Entry, Undo, Verdict
from logwright.store import retention, sights
from logwright.store.aggregates import (
    put_bodies,
    put_findings,
    refresh_incidents,
    refresh_patterns,
    touched,
)
from logwright.store.answers import KeepsAnswers
from logwright.store.base import (
    AuditRow,
    IncidentRow,
    Kind,
    PatternRow,
    Pruned,
    RunRow,
    Sight,
    What,
)
from logwright.store.export import write
from logwright.store.opening import connect, told
from logwright.store.rows import (
    audit_of,
    body_of,
    dump,
    dump_model,
    entry_of,
    finding_of,
    incident_of,
    load,
    micros,
    now,
    pattern_of,
    run_of,
)

__all__ = ["SQLiteStore"]

_T = TypeVar("_T")

_AT_ONCE = 500  # findings read at a time
_MOST_STATE = 1 << 20
_MOST_ENTRY = 32 << 20  # characters
_MOST_NUMBER = (1 << 63) - 1
_LAST = "\U0010ffff"
_CANDIDATES = 5

_PUT_RUN = """
    INSERT INTO runs (id, added, json) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET added = excluded.added, json = excluded.json
    RETURNING number
"""
_PUT_SEEN = """
    INSERT INTO seen (pattern, run, further) VALUES (?, ?, ?)
    ON CONFLICT (pattern, run) DO UPDATE SET further = max(further, excluded.further)
"""
_PATTERNS = """
    SELECT id, detector, unit, finding, severity, first_at, last_at,
        findings, further, lines, runs, about FROM patterns
"""
_FINDINGS = "SELECT id, body FROM findings JOIN bodies USING (key) "
_RUNS = """
    SELECT id, added, json, (SELECT count(*) FROM findings WHERE run = number) FROM runs
    ORDER BY number DESC LIMIT ?
"""
_INCIDENTS = """
    SELECT incidents.id, severity, findings, first_at, last_at, runs.id
    FROM incidents JOIN runs ON runs.number = incidents.run
    ORDER BY last_at DESC, incidents.id
"""
_AUDIT = "SELECT number, time, by, action, subject, entry, changed FROM audit"
_PUT_AUDIT = """
    INSERT INTO audit (time, by, action, subject, entry, changed) VALUES (?, ?, ?, ?, ?, ?)
"""
_PUT_STATE = """
    INSERT INTO state (name, time, json) VALUES (?, ?, ?)
    ON CONFLICT (name) DO UPDATE SET time = excluded.time, json = excluded.json
"""


class SQLiteStore(KeepsAnswers):
    """A `Store` that is one SQLite file; what its methods do is told there."""

    def __init__(self, path: Path, write: bool = True) -> None:
        self.path = path
        try:
            with told(path):
                self._db = connect(path, write)
        except StoreError as error:
            raise StoreError(f"{error}; a run with `--store none` goes on without it") from error

    def add_run(
        self,
        run_id: str,
        run: Run,
        findings: Sequence[Finding],
        counted: Mapping[str, int],
    ) -> None:
        """See `Store.add_run`."""
        named = {clean(f.id): f for f in findings}  # one that is given twice is as it was last
        bodies = {name: body_of(f) for name, f in named.items()}  # before others have to wait
        ids = json.dumps(list(named))
        further = {clean(f.pattern): 0 for f in findings}
        further |= {clean(p): min(max(n, 0), _MOST_NUMBER) for p, n in counted.items()}
        time = now()
        with self._writing() as db:
            number = db.execute(_PUT_RUN, (clean(run_id), time, dump_model(run))).fetchone()[0]
            before, incidents = touched(db, ids)
            keys, batches = put_findings(db, named, number, time)
            put_bodies(db, keys, bodies)
            db.executemany(_PUT_SEEN, [(p, number, n) for p, n in further.items()])
            refresh_patterns(db, before | further.keys(), batches)
            incidents |= {clean(f.incident) for f in findings if f.incident is not None}
            refresh_incidents(db, incidents)

    def patterns(self) -> list[PatternRow]:
        """See `Store.patterns`."""
        return self._rows(_PATTERNS + "ORDER BY severity DESC, last_at DESC, id", (), pattern_of)

    def pattern(self, prefix: str) -> PatternRow:
        """See `Store.pattern`."""
        with told(self.path):
            return pattern_of(self._one("pattern", _PATTERNS + "WHERE id", prefix))

    def findings(
        self,
        pattern: str | None = None,
        incident: str | None = None,
        since: datetime | None = None,
        limit: int | None = None,
        among: Collection[str] | None = None,
    ) -> Iterator[Finding]:
        """See `Store.findings`. Those that are pruned while this is read are passed over."""
        asked = {
            "pattern = ?": pattern,
            "incident = ?": incident,
            "at >= ?": None if since is None else micros(since),
            "id IN (SELECT value FROM json_each(?))": (
                None if among is None else json.dumps(list(among))
            ),
        }
        given = {clause: value for clause, value in asked.items() if value is not None}
        where = "WHERE " + " AND ".join(given) if given else ""
        keys = self._rows(
            f"SELECT key FROM findings {where} ORDER BY at DESC, id DESC LIMIT ?",
            (*given.values(), _limit(limit)),
            lambda row: int(row[0]),
        )
        return self._by_key(keys)

    def sights(self, patterns: Collection[str] | None = None) -> list[Sight]:
        """See `Store.sights`."""
        with told(self.path):
            return list(sights.read(self._db, patterns))

    def finding(self, prefix: str) -> Finding:
        """See `Store.finding`."""
        with told(self.path):
            row = self._one("finding", _FINDINGS + "WHERE id", prefix)
            return finding_of(row[1])

    def incidents(self) -> list[IncidentRow]:
        """See `Store.incidents`."""
        return self._rows(_INCIDENTS, (), incident_of)

    def runs(self, limit: int | None = None) -> list[RunRow]:
        """See `Store.runs`."""
        return self._rows(_RUNS, (_limit(limit),), run_of)

    def last_run(self) -> RunRow | None:
        """See `Store.last_run`."""
        return next(iter(self.runs(1)), None)

    def add_entries(
        self,
        entries: Sequence[Entry],
        effects: Sequence[Mapping[str, Any]],
        within: Mapping[int, int] | None = None,
    ) -> list[Entry]:
        """See `Store.add_entries`."""
        changes, places = [dump(effect) for effect in effects], within or {}
        added: list[Entry] = []
        with self._writing() as db:
            number = self._newest(db)
            for at, (entry, changed) in enumerate(zip(entries, changes, strict=True)):
                number += 1
                update = {"number": number}
                if at in places:
                    update["undoes"] = added[places[at]].number
                numbered = entry.model_copy(update=update)
                _put_entry(db, numbered, changed)
                added.append(numbered)
        return added

    def entries(self, after: int = 0) -> list[Entry]:
        """See `Store.entries`."""
        query = "SELECT number, json FROM entries WHERE number > ? ORDER BY number"
        return self._rows(query, (after,), lambda row: entry_of(row[0], row[1]))

    def newest(self) -> int:
        """See `Store.newest`."""
        with told(self.path):
            return self._newest(self._db)

    def audit(self, limit: int | None = None) -> list[AuditRow]:
        """See `Store.audit`."""
        return self._rows(_AUDIT + " ORDER BY number DESC LIMIT ?", (_limit(limit),), audit_of)

    def save_state(self, name: str, value: Mapping[str, Any]) -> None:
        """See `Store.save_state`. Above 1 MiB it is not small: `ValueError`."""
        text = dump(value)
        if len(text) > _MOST_STATE:
            raise ValueError(f"the state {name!r} has {len(text):,} characters")
        with self._writing() as db:
            db.execute(_PUT_STATE, (name, now(), text))

    def state(self, name: str) -> dict[str, Any] | None:
        """See `Store.state`."""
        query = "SELECT json FROM state WHERE name = ?"
        return next(iter(self._rows(query, (name,), lambda row: load(row[0], "state"))), None)

    def prune(self, before: datetime | None = None, most_bytes: int | None = None) -> Pruned:
        """See `Store.prune`. What takes nothing away is not in the audit."""
        with self._writing() as db:
            done = retention.prune(db, None if before is None else micros(before), most_bytes)
            if done.findings or done.runs or done.answers:
                changed = dump_model(done)
                db.execute(_PUT_AUDIT, (now(), "logwright", "prune", "findings", None, changed))
        with told(self.path):
            retention.shrink(self._db)
        return done

    def export(self, target: str | os.PathLike[str], kind: Kind, what: What) -> Path:
        """See `Store.export`. All of it is of one moment, whoever writes meanwhile."""
        path = Path(target)
        with told(self.path), self._transaction("BEGIN"):
            if path.exists() and path.samefile(self.path):
                raise StoreError("cannot be exported to itself")
            return write(self, path, kind, what)

    def close(self) -> None:
        """See `Store.close`."""
        with told(self.path):
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with told(self.path), self._transaction("BEGIN IMMEDIATE"):
            yield self._db

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        self._db.execute(begin)
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            # The error that led here is the one to tell; SQLite may have rolled back by itself.
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    def _rows(
        self, query: str, values: tuple[Any, ...], make: Callable[[tuple[Any, ...]], _T]
    ) -> list[_T]:
        with told(self.path):
            return [make(row) for row in self._db.execute(query, values)]

    def _by_key(self, keys: list[int]) -> Iterator[Finding]:
        among = "WHERE key IN (SELECT value FROM json_each(?)) ORDER BY at DESC, id DESC"
        for start in range(0, len(keys), _AT_ONCE):
            part = json.dumps(keys[start : start + _AT_ONCE])
            yield from self._rows(_FINDINGS + among, (part,), lambda row: finding_of(row[1]))

    def _one(self, noun: str, query: str, prefix: str) -> tuple[Any, ...]:
        """The one row whose id, its first column, is or begins with a prefix. `query` ends before
        the comparison."""
        start, most = clean(prefix), _CANDIDATES + 1
        rows = (
            self._db.execute(query + " = ?", (start,)).fetchall()
            or self._db.execute(
                query + " BETWEEN ? AND ? ORDER BY id LIMIT ?", (start, start + _LAST, most)
            ).fetchall()
        )
        if not rows:
            raise InputError(f"no {noun} in {self.path} has an id that begins with {prefix!r:.60}")
        if len(rows) > 1:
            some = ", ".join(safe(row[0]) for row in rows[:_CANDIDATES])
            more = ", ..." if len(rows) == most else ""
            raise InputError(f"{prefix!r:.60} begins more than one {noun}: {some}{more}")
        return tuple(rows[0])

    @staticmethod
    def _newest(db: sqlite3.Connection) -> int:
        return int(db.execute("SELECT coalesce(max(number), 0) FROM entries").fetchone()[0])


def _limit(limit: int | None) -> int:
    return -1 if limit is None else max(limit, 0)  # SQLite takes -1 for no limit


def _put_entry(db: sqlite3.Connection, entry: Entry, changed: str) -> None:
    undoes: int | None = None
    if isinstance(entry, Undo):
        undoes = entry.undoes
        _must_stand(db, undoes)
        action, subject = "undo", f"verdict {undoes}"
    else:
        names = [clean(name) for name in entry.patterns]
        action = entry.word
        subject = names[0] if len(names) == 1 else f"{len(names):,} patterns"
    number, by = entry.number, clean(entry.by)
    text = dump_model(entry)
    if len(text) > _MOST_ENTRY:
        raise InputError(f"a verdict of {len(text) / 1e6:,.0f} MB is too large to be kept")
    db.execute("INSERT INTO entries VALUES (?, ?, ?)", (number, undoes, text))
    if isinstance(entry, Verdict):
        rows = [(name, number) for name in dict.fromkeys(names)]
        db.executemany("INSERT INTO judged VALUES (?, ?)", rows)
    db.execute(_PUT_AUDIT, (micros(entry.time), by, action, subject, number, changed))


def _must_stand(db: sqlite3.Connection, number: int) -> None:
    row = db.execute(
        "SELECT undoes, (SELECT number FROM entries WHERE undoes = :verdict) "
        "FROM entries WHERE number = :verdict",
        {"verdict": min(number, _MOST_NUMBER)},
    ).fetchone()
    if row is None:
        raise InputError(f"there is no verdict {number}")
    if row[0] is not None:
        raise InputError(f"{number} is the undoing of verdict {row[0]}, not a verdict")
    if row[1] is not None:
        raise InputError(f"verdict {number} is taken back already, by {row[1]}")
