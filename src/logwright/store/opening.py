"""Opening the SQLite store, and telling its errors in one sentence.

The file is not trusted: its schema must be exactly ours (`migrations.check`) before anything else
is asked of it, and what SQLite finds damaged later is a `StoreError` as well.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from logwright.errors import StoreError
from logwright.findings.escape import safe
from logwright.store.migrations import LATEST, check, migrate

__all__ = ["connect", "told"]

_PATIENCE = 30.0  # seconds that a writer waits for others
_LONGEST = 256 << 20  # bytes of one value; a stranger's file must not fill the memory
_CACHE = 256 << 20  # bytes that a writer may hold, as far as it needs them
_SINCE = (3, 37)  # strict tables
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG)
_READ_ONLY = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM)


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Errors of SQLite, of the file system and of damaged rows as `StoreError`s that name the file.

    >>> with told(Path("a/store.db")):
    ...     raise StoreError("is damaged")
    Traceback (most recent call last):
    ...
    logwright.errors.StoreError: The store a/store.db is damaged
    """
    name = f"The store {path}"
    try:
        yield
    except StoreError as error:
        if str(error).startswith(name):
            raise
        raise StoreError(f"{name} {error}") from None
    except sqlite3.ProgrammingError:  # such as use after closing: a bug of the caller
        raise
    except sqlite3.Error as error:
        raise StoreError(f"{name} {_reason(error)}") from error
    except UnicodeDecodeError:  # SQLite tells what is wrong in words of the file itself
        raise StoreError(f"{name} is damaged") from None
    except OSError as error:
        raise StoreError(f"{name} cannot be used: {error.strerror or error}") from error


def _reason(error: sqlite3.Error) -> str:
    code = _code(error)
    if code in _BUSY:
        return "is being written by another process, which does not end: try again later"
    if code == sqlite3.SQLITE_NOTADB:
        return "is not a store of Logwright"
    if code in _DAMAGED or isinstance(error, sqlite3.IntegrityError):
        return f"is damaged: {safe(str(error))}"
    if code in _READ_ONLY:
        return "cannot be written: it is read-only"
    if code == sqlite3.SQLITE_FULL:
        return "cannot be written: the disk is full"
    return f"cannot be used: {safe(str(error))}"


def _code(error: sqlite3.Error) -> int:
    # The low byte is the error, the others say more of it. Errors of Python's own have no code.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def connect(path: Path, write: bool) -> sqlite3.Connection:
    """A connection to the store at `path`, at the latest version; `write` makes it where absent.

    Whoever reads an older version brings it up to date, too: that changes nothing of what it says.
    """
    if sqlite3.sqlite_version_info < _SINCE:
        raise StoreError(f"cannot be used: SQLite {sqlite3.sqlite_version} is older than 3.37")
    _prepare(path, write)
    if write:
        return _connect_in_turn(path)
    try:
        return _connect_to_read(path)
    except _OlderError as older:
        _bring_up_to_date(path, older)
        return _connect_to_read(path)


class _OlderError(StoreError):
    """A store of an older version."""


def _bring_up_to_date(path: Path, older: _OlderError) -> None:
    """Migrate a store that is to be read; a sentence that says who can where we may not."""
    try:
        _connect_in_turn(path).close()
    except sqlite3.OperationalError as error:
        if _code(error) not in (sqlite3.SQLITE_CANTOPEN, *_READ_ONLY):
            raise
        raise StoreError(
            f"{older}, and you may not write it: once somebody who may has run `logwright findings "
            f"list --store {safe(str(path))}`, it can be read"
        ) from None


def _connect_in_turn(path: Path) -> sqlite3.Connection:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return _connect_to_write(path)
        except sqlite3.OperationalError as error:
            # While one process makes the file, SQLite turns others away without waiting.
            if _code(error) not in _BUSY or time.monotonic() > until:
                raise
            time.sleep(random.uniform(0.005, 0.05))


def _prepare(path: Path, write: bool) -> None:
    if path.exists():
        if not path.is_file():  # opening a pipe would wait for ever
            raise StoreError("is not a file")
    elif not write:
        raise StoreError("does not exist")
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Made here, as SQLite would let others read it; what it adds (-wal, -shm) has these rights.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _connect_to_write(path: Path) -> sqlite3.Connection:
    db = _open(path, "mode=rw")
    try:
        version = check(db)
        if version == 0:
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # only ever works on an empty file
        # A long run's rows stay in memory until it commits: else each page is written many times.
        db.execute(f"PRAGMA cache_size = -{_CACHE >> 10}")
        db.execute("PRAGMA journal_mode = WAL")
        # With WAL, what is committed is on the disk only if each commit is synced.
        db.execute("PRAGMA synchronous = FULL")
        if version < LATEST:
            migrate(db)
        return db
    except BaseException:
        db.close()
        raise


def _connect_to_read(path: Path) -> sqlite3.Connection:
    try:
        return _checked(path, "mode=ro")
    except sqlite3.OperationalError as error:
        # A folder that cannot be written has no place for -shm. The file alone is read only where
        # no changes wait in -wal, which would be passed over in silence.
        wal = path.with_name(path.name + "-wal")
        unopened = _code(error) in (sqlite3.SQLITE_CANTOPEN, *_READ_ONLY)
        if not unopened or (wal.exists() and wal.stat().st_size):
            raise
        return _checked(path, "mode=ro&immutable=1")


def _checked(path: Path, how: str) -> sqlite3.Connection:
    db = _open(path, how)
    try:
        version = check(db)
        if version == 0:
            raise StoreError("is empty: a run of `logwright detect` or `scan` fills it")
        if version < LATEST:
            raise _OlderError(f"has the older version {version}")
        return db
    except BaseException:
        db.close()
        raise


def _open(path: Path, how: str) -> sqlite3.Connection:
    url = f"file:{quote(os.fsencode(path.absolute()))}?{how}"
    db = sqlite3.connect(url, uri=True, timeout=_PATIENCE, isolation_level=None)
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA cell_size_check = ON")
    db.execute("PRAGMA foreign_keys = ON")
    return db
