"""The store: findings, patterns, incidents, verdicts and audit, kept from run to run.

`Store` (`base.py`) is what the rest of the package knows; `open_store` gives one that is a file.
"""

from __future__ import annotations

import os
from pathlib import Path

from logwright.store.base import Store
from logwright.store.places import NAME, default_path, is_remembered, place_of, remember

__all__ = ["NAME", "default_path", "is_remembered", "open_store", "place_of", "remember"]


def open_store(path: str | os.PathLike[str], write: bool = True) -> Store:
    """Open the store at `path`, brought up to date; with `write`, it is made where it is absent.

    What cannot be opened raises `StoreError` with one sentence. A store belongs to the thread that
    opened it; other threads and processes open their own, all may write at once.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / NAME) as store:
    ...     store.newest(), store.patterns()
    (0, [])
    """
    from logwright.store.sqlite import SQLiteStore  # sqlite3 is loaded by those who open a store

    return SQLiteStore(Path(path), write)
