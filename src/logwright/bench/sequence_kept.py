"""Runs that are kept as they come, so that a suite that was stopped goes on where it was.

They are kept in the user's folder for caches, under a name made of what decides what comes out:
settings, the code of the sequence model and of the suite, and the data. So a run of other code, or
on other data, begins anew. What is kept may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import logwright.bench
import logwright.sequence
from logwright.errors import InputError

__all__ = ["Kept", "fingerprint"]

Row = dict[str, Any]


def fingerprint(settings: Mapping[str, Any], files: list[Path]) -> str:
    """Of settings, of the data files (by size and time of change) and of the code."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(json.dumps(settings, sort_keys=True).encode())
    for path in files:
        found = path.stat()
        digest.update(f"{path.name} {found.st_size} {found.st_mtime_ns}".encode())
    sequence, bench = (Path(module.__path__[0]) for module in (logwright.sequence, logwright.bench))
    for code in (*sorted(sequence.glob("*.py")), *sorted(bench.glob("sequence*.py"))):
        digest.update(code.read_bytes())
    return digest.hexdigest()


class Kept:
    """Rows by the name of their run, in a file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._rows: dict[str, list[Row]] = {}
        if path.is_file():
            self._read()

    @staticmethod
    def of(name: str) -> Kept:
        """The file of this name in the user's folder for caches."""
        named = Path(os.environ.get("XDG_CACHE_HOME", ""))
        caches = named if named.is_absolute() else Path.home() / ".cache"
        return Kept(caches / "logwright" / "bench" / f"sequence-{name}.jsonl")

    def _read(self) -> None:
        lines = self.path.read_bytes().split(b"\n")
        # What follows the last line end was being written when the run was stopped.
        for line in lines[:-1]:
            try:
                run = json.loads(line)
                self._rows[run["run"]] = run["rows"]
            except (ValueError, KeyError, TypeError):
                raise InputError(
                    f"{self.path} is damaged: delete it, and the suite begins anew"
                ) from None
        whole = sum(len(line) + 1 for line in lines[:-1])
        if lines[-1]:
            with open(self.path, "r+b") as file:
                file.truncate(whole)

    def __contains__(self, run: str) -> bool:
        return run in self._rows

    def rows(self, run: str, make: Callable[[], list[Row]]) -> list[Row]:
        """The rows of a run, made where they are not there yet."""
        if run not in self._rows:
            rows = make()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"run": run, "rows": rows}) + "\n")
            self._rows[run] = rows
        return self._rows[run]
