"""Places: where the store of a run lies that has no model, and which store the last run used.

A log that is scanned has a store in the user's folder for state, one for each folder of logs: what
was judged benign in one service says nothing about another.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import suppress
from glob import has_magic
from pathlib import Path

__all__ = ["NAME", "default_path", "is_remembered", "place_of", "remember"]

NAME = "store.db"
"""The file's name in a model's folder."""

_LAST = "last"
_MOST = 1 << 14


def place_of(inputs: Sequence[str]) -> Path:
    """The store of the folder in which logs lie, or that is given itself; of the working folder
    for standard input.

    >>> place_of(["a/x.log"]) == place_of(["a/y.log", "a/*.log"]) != place_of(["b/x.log"])
    True
    """
    folders = {_folder_of(name) for name in inputs if name != "-"}
    where = os.path.commonpath(folders or {os.getcwd()})
    digest = hashlib.blake2b(os.fsencode(where), digest_size=8).hexdigest()
    return _folder() / "stores" / f"{digest}.db"


def _folder_of(name: str) -> str:
    path = os.path.abspath(name)
    if os.path.isdir(path):
        return path
    if has_magic(name) and not os.path.exists(path):
        while has_magic(path):  # what comes before the first wildcard
            path = os.path.dirname(path)
        return path
    return os.path.dirname(path)


def default_path() -> Path:
    """The store that the last run used; where there was none, one that does not exist."""
    return _last() or _folder() / NAME


def is_remembered(place: Path) -> bool:
    """Whether the last run used this store."""
    return place == _last()


def _last() -> Path | None:
    try:
        with open(_folder() / _LAST, "rb") as file:
            named = os.fsdecode(file.read(_MOST).rstrip(b"\n"))
    except OSError:
        return None
    return Path(named) if os.path.isabs(named) and "\0" not in named else None


def remember(place: Path) -> None:
    """Note which store the last run used. That nobody may write there is no reason to fail."""
    last = _folder() / _LAST
    work = last.with_name(f".{_LAST}.{secrets.token_hex(8)}")
    with suppress(OSError):
        last.parent.mkdir(parents=True, exist_ok=True)
        work.write_bytes(os.fsencode(place.absolute()) + b"\n")
        os.replace(work, last)


def _folder() -> Path:
    return _state_folder() / "logwright"


def _state_folder() -> Path:
    named = Path(os.environ.get("XDG_STATE_HOME", ""))
    if named.is_absolute():  # the standard asks to ignore others
        return named
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path.home() / ".local" / "state"
