"""Migrations of the SQLite store: numbered, forward only, all that are due in one transaction.

Version N of the schema is what the first N migrations make; a migration is never changed once
released. `check` refuses every database whose schema is not exactly that: the file may come from
a stranger, whose triggers and views would act in our name.
"""

from __future__ import annotations

import sqlite3
from functools import cache

from logwright.errors import StoreError
from logwright.store.sights import OLD_FINDINGS

__all__ = ["APPLICATION", "LATEST", "MIGRATIONS", "check", "migrate", "version_of"]

APPLICATION = 0x4C6F6757
"""SQLite's application id of a store: 'LogW'."""

_RUNS = (
    """
    CREATE TABLE runs (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        added INTEGER NOT NULL,
        json TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE patterns (
        id TEXT NOT NULL PRIMARY KEY,
        detector TEXT NOT NULL,
        unit TEXT NOT NULL,
        finding TEXT,
        severity INTEGER NOT NULL,
        first_at INTEGER,
        last_at INTEGER,
        findings INTEGER NOT NULL,
        further INTEGER NOT NULL,
        lines INTEGER NOT NULL,
        runs INTEGER NOT NULL,
        about TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE findings (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        pattern TEXT NOT NULL REFERENCES patterns (id) DEFERRABLE INITIALLY DEFERRED,
        incident TEXT,
        run INTEGER NOT NULL REFERENCES runs (number),
        severity INTEGER NOT NULL,
        score REAL NOT NULL,
        lines INTEGER NOT NULL,
        first_at INTEGER,
        last_at INTEGER,
        at INTEGER NOT NULL,
        json TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE INDEX findings_of_pattern ON findings (pattern, severity DESC, score DESC, id, lines)
    """,
    "CREATE INDEX findings_by_time ON findings (at, id)",
    "CREATE INDEX findings_of_run ON findings (run, at)",
    """
    CREATE TABLE seen (
        pattern TEXT NOT NULL,
        run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
        further INTEGER NOT NULL,
        PRIMARY KEY (pattern, run)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX seen_of_run ON seen (run)",
)
_VERDICTS = (
    """
    CREATE TABLE entries (
        number INTEGER PRIMARY KEY,
        undoes INTEGER UNIQUE REFERENCES entries (number),
        json TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE judged (
        pattern TEXT NOT NULL,
        entry INTEGER NOT NULL REFERENCES entries (number),
        PRIMARY KEY (pattern, entry)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE audit (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        time INTEGER NOT NULL,
        by TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        entry INTEGER REFERENCES entries (number),
        changed TEXT NOT NULL
    ) STRICT
    """,
    *(
        f"""
    CREATE TRIGGER {table}_stay_{event.lower()} BEFORE {event} ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} are never changed'); END
    """
        for table in ("entries", "audit")
        for event in ("UPDATE", "DELETE")
    ),
)
_INCIDENTS = (
    """
    CREATE INDEX findings_of_incident ON findings (incident, run, severity, first_at, last_at)
    """,
    """
    CREATE TABLE incidents (
        id TEXT NOT NULL PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES runs (number) DEFERRABLE INITIALLY DEFERRED,
        severity INTEGER NOT NULL,
        findings INTEGER NOT NULL,
        first_at INTEGER,
        last_at INTEGER
    ) STRICT
    """,
    "CREATE INDEX incidents_of_run ON incidents (run)",
    """
    INSERT INTO incidents (id, run, severity, findings, first_at, last_at)
    SELECT incident, max(run), max(severity), count(*), min(first_at), max(last_at)
    FROM findings WHERE incident IS NOT NULL GROUP BY incident
    """,
    """
    CREATE TABLE state (
        name TEXT NOT NULL PRIMARY KEY,
        time INTEGER NOT NULL,
        json TEXT NOT NULL
    ) STRICT
    """,
)

_BODIES = (  # what is looked at in all findings is apart from their lines
    """
    CREATE TABLE places (
        key INTEGER PRIMARY KEY,
        json TEXT NOT NULL UNIQUE
    ) STRICT
    """,
    """
    CREATE TABLE bodies (
        key INTEGER PRIMARY KEY REFERENCES findings (key) ON DELETE CASCADE,
        body BLOB NOT NULL
    ) STRICT
    """,
    "ALTER TABLE findings ADD COLUMN place INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE findings ADD COLUMN span INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE findings ADD COLUMN because TEXT",
    "INSERT INTO bodies SELECT key, body_of(json) FROM findings",
    "INSERT OR IGNORE INTO places (json) SELECT place_of(json) FROM findings",
    """
    UPDATE findings SET span = span_of(json), because = because_of(json),
        place = (SELECT key FROM places WHERE places.json = place_of(findings.json))
    """,
    "ALTER TABLE findings DROP COLUMN json",
)

_ANSWERS = (
    """
    CREATE TABLE answers (
        id TEXT NOT NULL PRIMARY KEY,
        made INTEGER NOT NULL,
        task TEXT NOT NULL,
        engine TEXT NOT NULL,
        finding TEXT,
        body BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX answers_by_time ON answers (made, id)",
    """
    CREATE TABLE corrections (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        answer TEXT NOT NULL REFERENCES answers (id),
        time INTEGER NOT NULL,
        undone INTEGER,
        json TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX corrections_of_answer ON corrections (answer, number)",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = ((*_RUNS, *_VERDICTS), _INCIDENTS, _BODIES, _ANSWERS)
"""The statements of each migration, in order."""

LATEST = len(MIGRATIONS)
"""The version that this program reads and writes."""


def version_of(db: sqlite3.Connection) -> int:
    """The version of a database's schema; 0 is an empty one.

    >>> db = sqlite3.connect(":memory:", isolation_level=None)
    >>> migrate(db)
    >>> version_of(db) == LATEST
    True
    """
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def migrate(db: sqlite3.Connection, to: int = LATEST) -> None:
    """Bring a database to a version, in one transaction. Several processes may do so at once."""
    for name, function in OLD_FINDINGS.items():
        db.create_function(name, 1, function)
    db.execute("BEGIN IMMEDIATE")
    try:
        # Asked inside the transaction: another process may just have done it.
        for version in range(version_of(db), to):
            for statement in MIGRATIONS[version]:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {version + 1}")
            db.execute(f"PRAGMA application_id = {APPLICATION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def check(db: sqlite3.Connection) -> int:
    """The version of a store that can be used; `StoreError` where it is none, or a newer one."""
    db.execute("BEGIN")  # all of it of one moment: another process may be migrating
    try:
        schema, version = _schema(db), version_of(db)
        application = int(db.execute("PRAGMA application_id").fetchone()[0])
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
    if (application, version) == (0, 0) and not schema:
        return 0
    if application != APPLICATION:
        raise StoreError("is a database of another program, not a store of Logwright")
    if version > LATEST:
        raise StoreError(
            f"was written by a newer Logwright (version {version} of the store, this one reads "
            f"{LATEST}): update Logwright"
        )
    if version < 1 or schema != _schema_of(version):
        raise StoreError("is damaged: its tables are not those of a store")
    return version


def _schema(db: sqlite3.Connection) -> frozenset[tuple[str, str, str]]:
    rows = db.execute(
        "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    )
    return frozenset((str(kind), str(name), str(sql)) for kind, name, sql in rows)


@cache
def _schema_of(version: int) -> frozenset[tuple[str, str, str]]:
    db = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(db, version)
        return _schema(db)
    finally:
        db.close()
