"""Retention: old findings go, by age and by size; what an expert said stays.

Age is the time since a finding was found last, not the time of its lines: who judges a log of last
year today wants to keep what comes out today.
"""

from __future__ import annotations

import json
import math
import sqlite3

from logwright.errors import StoreError
from logwright.store.aggregates import refresh_incidents, refresh_patterns, touched
from logwright.store.answers import prune_answers
from logwright.store.base import Pruned
from logwright.store.sights import drop_places

__all__ = ["prune", "shrink", "size"]

_AT_ONCE = 10_000
_BY_AGE = """
    SELECT findings.id FROM findings JOIN runs ON runs.number = findings.run
    WHERE runs.added < ? LIMIT ?
"""
_BY_SIZE = """
    SELECT findings.id FROM findings JOIN runs ON runs.number = findings.run
    ORDER BY runs.added, findings.at, findings.id LIMIT ?
"""


def size(db: sqlite3.Connection) -> int:
    """Bytes in use: those of the file, once free pages are given back."""
    pages, free, page = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0])
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * page


def prune(db: sqlite3.Connection, before: int | None, most_bytes: int | None) -> Pruned:
    """Inside a transaction: take away what is too old, then the oldest until the size is right."""
    start = size(db)
    findings = patterns = incidents = 0
    while before is not None:
        found = [row[0] for row in db.execute(_BY_AGE, (before, _AT_ONCE))]
        if not found:
            break
        gone = _drop(db, found)
        findings, patterns, incidents = (
            findings + len(found),
            patterns + gone[0],
            incidents + gone[1],
        )
    runs = 0 if before is None else _drop_runs(db, before)
    answers = 0 if before is None else prune_answers(db, before)
    while most_bytes is not None and (used := size(db)) > most_bytes:
        number = int(db.execute("SELECT count(*) FROM findings").fetchone()[0])
        # Rows differ in size, so a part of what is estimated at a time, but always some.
        part = math.ceil(number * min(1.0, (used - most_bytes) / used) / 2)
        found = [row[0] for row in db.execute(_BY_SIZE, (min(part, _AT_ONCE),))]
        if not found:
            break
        gone = _drop(db, found)
        findings, patterns, incidents = (
            findings + len(found),
            patterns + gone[0],
            incidents + gone[1],
        )
    if findings:
        drop_places(db)
    return Pruned(
        findings=findings,
        patterns=patterns,
        incidents=incidents,
        runs=runs,
        answers=answers,
        before=start,
        after=size(db),
    )


def shrink(db: sqlite3.Connection) -> None:
    """Outside of a transaction: give free pages back to the file system."""
    # A script is run to its end; `execute` would stop after the first page.
    db.executescript("PRAGMA incremental_vacuum")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _drop(db: sqlite3.Connection, findings: list[str]) -> tuple[int, int]:
    """Delete findings; tells how many patterns and incidents went with them."""
    ids = json.dumps(findings)
    patterns, incidents = touched(db, ids)
    delete = "DELETE FROM findings WHERE id IN (SELECT value FROM json_each(?))"
    if db.execute(delete, (ids,)).rowcount != len(findings):
        # Without this, a damaged index would have the callers ask for the same ones for ever.
        raise StoreError("is damaged: its findings and their index differ")
    gone = _drop_patterns(db, json.dumps(sorted(patterns)))
    refresh_patterns(db, patterns - gone, {})
    return len(gone), refresh_incidents(db, incidents)


def _drop_patterns(db: sqlite3.Connection, among: str) -> set[str]:
    """Delete the patterns that have neither a finding nor a verdict."""
    rows = db.execute(
        "DELETE FROM patterns WHERE id IN (SELECT value FROM json_each(?)) "
        "AND NOT EXISTS (SELECT 1 FROM findings WHERE findings.pattern = patterns.id) "
        "AND NOT EXISTS (SELECT 1 FROM judged WHERE judged.pattern = patterns.id) RETURNING id",
        (among,),
    ).fetchall()
    gone = {str(row[0]) for row in rows}
    db.executemany("DELETE FROM seen WHERE pattern = ?", [(name,) for name in sorted(gone)])
    return gone


def _drop_runs(db: sqlite3.Connection, before: int) -> int:
    """Delete old runs without findings, except the last one."""
    old = "SELECT number FROM runs WHERE added < ? AND number < (SELECT max(number) FROM runs) "
    empty = "AND NOT EXISTS (SELECT 1 FROM findings WHERE findings.run = runs.number)"
    numbers = [row[0] for row in db.execute(old + empty, (before,)).fetchall()]
    patterns = set()
    for number in numbers:
        found = db.execute("SELECT pattern FROM seen WHERE run = ?", (number,)).fetchall()
        patterns |= {str(row[0]) for row in found}
        db.execute("DELETE FROM runs WHERE number = ?", (number,))
    refresh_patterns(db, patterns, {})
    return len(numbers)
