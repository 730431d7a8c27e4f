"""The keeper as one SQLite file: for the workers of one machine, and with nothing to install.

Every commit of a feed is synced to the disk. A sink's cursor is not: after a power cut a sink may
be given once more what it had, as after any failure of its own. Leases are told by the machine's
monotonic clock, so that setting the time changes nothing. The file must not lie on a network's
file system (SQLite's WAL shares memory).
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from logwright.errors import StoreError
from logwright.findings.clean import clean
from logwright.findings.escape import safe
from logwright.findings.finding import Finding
from logwright.findings.jsonl import dumps
from logwright.stream.keeper import KeeperError, Kept, LostError

__all__ = ["LEASE", "SqliteKeeper"]

LEASE = 10.0
"""Seconds after which the feeds of a worker that says nothing are free for others."""

_APPLICATION = 0x4C57574B  # "LWWK"
_VERSION = 1
_PATIENCE = 5.0
_STALE = 7 * 86400
_WAL = 64 << 20
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
_LASTING = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_ERROR,
)
"""What goes on being wrong however long one waits."""

_TABLES = (
    """
    CREATE TABLE leases (
        feed TEXT NOT NULL PRIMARY KEY,
        owner TEXT NOT NULL,
        token INTEGER NOT NULL,
        until INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE checkpoints (
        feed TEXT NOT NULL PRIMARY KEY,
        position BLOB NOT NULL,
        snapshot BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE emitted (
        feed TEXT NOT NULL,
        id TEXT NOT NULL,
        lines INTEGER NOT NULL,
        PRIMARY KEY (feed, id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE outbox (sequence INTEGER PRIMARY KEY AUTOINCREMENT, json BLOB NOT NULL) STRICT",
    """
    CREATE TABLE sinks (
        name TEXT NOT NULL PRIMARY KEY,
        sequence INTEGER NOT NULL,
        asked INTEGER NOT NULL
    ) STRICT
    """,
)
_CLAIM = """
    INSERT INTO leases (feed, owner, token, until) VALUES (:feed, :owner, 1, :until)
    ON CONFLICT (feed) DO UPDATE
    SET owner = excluded.owner, token = token + 1, until = excluded.until
    RETURNING token
"""
_CHECKPOINT = """
    INSERT INTO checkpoints (feed, position, snapshot) VALUES (?, ?, ?)
    ON CONFLICT (feed) DO UPDATE SET position = excluded.position, snapshot = excluded.snapshot
"""


class SqliteKeeper:
    """A `Keeper` that is the file at `path`, made where it is absent. All threads may use it;
    `lease` is in seconds and `clock` gives nanoseconds that never go back.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     keeper = SqliteKeeper(Path(folder, "worker.db"))
    ...     token = keeper.claim("file:app.log", "here")
    ...     _ = keeper.checkpoint("file:app.log", token, b"state", "120", [], 120)
    ...     keeper.load("file:app.log"), keeper.claim("file:app.log", "there")
    ...     keeper.close()
    (Kept(snapshot=b'state', position='120'), None)
    """

    def __init__(
        self,
        path: Path,
        lease: float = LEASE,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.path, self._lease, self._clock = path, int(lease * 1e9), clock
        self._lock, self._out_lock = threading.Lock(), threading.Lock()
        with self._told():
            self._prepare()
            self._db = self._connect_in_turn("FULL")
            self._out = self._connect_in_turn("NORMAL")

    def _prepare(self) -> None:
        try:
            if self.path.exists() and not self.path.is_file():  # a pipe would wait for ever
                raise StoreError(f"The worker's state {self.path} is not a file")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Made here, as SQLite would let others read what findings cite.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise StoreError(
                f"The worker's state {self.path} cannot be written: {error.strerror or error}"
            ) from None

    def _connect_in_turn(self, synchronous: str) -> sqlite3.Connection:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._connect(synchronous)
            except sqlite3.OperationalError as error:
                # While one process makes the file, SQLite turns others away without waiting.
                if error.sqlite_errorcode & 0xFF not in _BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def _connect(self, synchronous: str) -> sqlite3.Connection:
        db = sqlite3.connect(
            self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(f"PRAGMA synchronous = {synchronous}")
            db.execute(f"PRAGMA journal_size_limit = {_WAL}")
            db.execute("BEGIN IMMEDIATE")
            self._check(db)
            db.execute("COMMIT")
            return db
        except BaseException:
            db.close()
            raise

    def _check(self, db: sqlite3.Connection) -> None:
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        application = int(db.execute("PRAGMA application_id").fetchone()[0])
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema")}
        if (version, application) == (0, 0) and not tables:
            for statement in _TABLES:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {_VERSION}")
            db.execute(f"PRAGMA application_id = {_APPLICATION}")
            return
        if application != _APPLICATION:
            raise StoreError(f"The worker's state {self.path} is a database of another program")
        if version > _VERSION:
            raise StoreError(
                f"The worker's state {self.path} was written by a newer Logwright (version "
                f"{version}, this one reads {_VERSION}): update Logwright"
            )
        if not {"leases", "checkpoints", "emitted", "outbox", "sinks"} <= tables:
            raise StoreError(f"The worker's state {self.path} is damaged: tables are missing")

    def claim(self, feed: str, owner: str) -> int | None:
        """See `Keeper.claim`."""
        feed, owner = clean(feed), clean(owner)
        with self._writing() as db:
            now = self._clock()
            row = db.execute("SELECT owner, until FROM leases WHERE feed = ?", (feed,)).fetchone()
            # One that ends later than a lease can is of before the machine was started anew.
            if row is not None and row[0] != owner and now < row[1] <= now + self._lease:
                return None
            told = {"feed": feed, "owner": owner, "until": now + self._lease}
            return int(db.execute(_CLAIM, told).fetchone()[0])

    def renew(self, feed: str, token: int) -> bool:
        """See `Keeper.renew`."""
        with self._writing() as db:
            until = self._clock() + self._lease
            done = db.execute(
                "UPDATE leases SET until = ? WHERE feed = ? AND token = ? AND owner != ''",
                (until, clean(feed), token),
            )
            return done.rowcount == 1

    def release(self, feed: str, token: int) -> None:
        """See `Keeper.release`."""
        with self._writing() as db:
            # The token is of no use from now on, as if another worker had claimed the feed.
            db.execute(
                "UPDATE leases SET until = 0, owner = '', token = token + 1 "
                "WHERE feed = ? AND token = ?",
                (clean(feed), token),
            )

    def load(self, feed: str) -> Kept:
        """See `Keeper.load`."""
        with self._lock, self._told():
            row = self._db.execute(
                "SELECT snapshot, position FROM checkpoints WHERE feed = ?", (clean(feed),)
            ).fetchone()
        if row is None:
            return Kept(None, None)
        return Kept(bytes(row[0]), bytes(row[1]).decode("utf-8", "surrogateescape"))

    def emit(self, feed: str, token: int, findings: Sequence[Finding], lines: int) -> int:
        """See `Keeper.emit`."""
        feed, rows = clean(feed), _rows(findings)
        with self._writing() as db:
            self._must_own(db, feed, token)
            return _put(db, feed, lines, rows)

    def checkpoint(
        self,
        feed: str,
        token: int,
        snapshot: bytes,
        position: str,
        findings: Sequence[Finding],
        lines: int,
    ) -> int:
        """See `Keeper.checkpoint`."""
        feed, rows = clean(feed), _rows(findings)
        with self._writing() as db:
            self._must_own(db, feed, token)
            new = _put(db, feed, lines, rows)
            # Those of this call stay known, so that it may be made again.
            db.execute("DELETE FROM emitted WHERE feed = ? AND lines < ?", (feed, lines))
            at = position.encode("utf-8", "surrogateescape")
            db.execute(_CHECKPOINT, (feed, at, snapshot))
            return new

    def outbox(self, sink: str, most: int) -> list[tuple[int, bytes]]:
        """See `Keeper.outbox`."""
        sink = clean(sink)
        with self._out_lock, self._told():
            row = self._out.execute("SELECT sequence FROM sinks WHERE name = ?", (sink,)).fetchone()
            if row is None or most == 0:
                self._know(sink)
            after = 0 if row is None else int(row[0])
            found = self._out.execute(
                "SELECT sequence, json FROM outbox WHERE sequence > ? ORDER BY sequence LIMIT ?",
                (after, most),
            )
            return [(int(sequence), bytes(json)) for sequence, json in found]

    def _know(self, sink: str) -> None:
        """Make a sink known; with that, what waits for sinks is let go that nobody names."""
        now = int(time.time())
        with _transaction(self._out):
            self._out.execute(
                "INSERT INTO sinks (name, sequence, asked) VALUES (?, 0, ?) "
                "ON CONFLICT (name) DO UPDATE SET asked = excluded.asked",
                (sink, now),
            )
            self._out.execute("DELETE FROM sinks WHERE asked < ?", (now - _STALE,))

    def delivered(self, sink: str, sequence: int) -> None:
        """See `Keeper.delivered`."""
        # One lock for whoever writes: SQLite's own waiting is by sleeping, for longer and longer.
        with self._lock, self._out_lock, self._told(), _transaction(self._out):
            self._out.execute(
                "UPDATE sinks SET sequence = max(sequence, ?) WHERE name = ?",
                (sequence, clean(sink)),
            )
            self._out.execute(
                "DELETE FROM outbox WHERE sequence <= (SELECT min(sequence) FROM sinks)"
            )

    def backlog(self) -> int:
        """See `Keeper.backlog`."""
        with self._out_lock, self._told():
            # In one statement: between two, another process may let the last ones go.
            low, high = self._out.execute(
                "SELECT (SELECT min(sequence) FROM outbox), (SELECT max(sequence) FROM outbox)"
            ).fetchone()
        return 0 if low is None else int(high) - int(low) + 1

    def close(self) -> None:
        """See `Keeper.close`."""
        with self._lock, self._out_lock:
            self._out.close()
            self._db.close()

    def _must_own(self, db: sqlite3.Connection, feed: str, token: int) -> None:
        row = db.execute("SELECT token FROM leases WHERE feed = ?", (feed,)).fetchone()
        if row is None or row[0] != token:
            raise LostError(f"The feed {feed} belongs to another worker by now")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._told(), _transaction(self._db):
            yield self._db

    @contextmanager
    def _told(self) -> Iterator[None]:
        """SQLite's errors as sentences: those that may pass, and those that will not."""
        try:
            yield
        except sqlite3.ProgrammingError:  # such as use after closing: a bug of the caller
            raise
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            sentence = f"The worker's state {self.path} cannot be used: {safe(str(error))}"
            lasting = code in _LASTING or isinstance(error, sqlite3.IntegrityError)
            raise (StoreError if lasting else KeeperError)(sentence) from None


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _rows(findings: Sequence[Finding]) -> list[tuple[str, bytes]]:
    return [(finding.id, dumps(finding).encode()) for finding in findings]


def _put(db: sqlite3.Connection, feed: str, lines: int, rows: Sequence[tuple[str, bytes]]) -> int:
    """Put into the outbox what is not known of the feed; gives how many."""
    new = 0
    for name, json in rows:
        known = db.execute(
            "UPDATE emitted SET lines = ? WHERE feed = ? AND id = ?", (lines, feed, name)
        ).rowcount
        if not known:
            db.execute("INSERT INTO emitted VALUES (?, ?, ?)", (feed, name, lines))
            db.execute("INSERT INTO outbox (json) VALUES (?)", (json,))
            new += 1
    return new
