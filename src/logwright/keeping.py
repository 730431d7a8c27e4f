"""Keeping: what a run takes from a store (verdicts, how new things were), and what it leaves in it.

A store that cannot be made, because nobody may write there, is no reason to fail: the run says so.
One that is there but cannot be read is: verdicts in it would be passed over in silence.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from logwright.errors import StoreError
from logwright.feedback.judge import Judge
from logwright.findings.finding import Finding
from logwright.findings.run import Run
from logwright.findings.verdict import Entry
from logwright.store import open_store
from logwright.store.base import Store

__all__ = ["Keeper"]

_STATE = "judge.2"


class Keeper:
    """The store of one run, at `path` (None: none); `known` gives the texts of history's templates,
    and `policy` says whether more than verdicts decides (`feedback.judge`).

    >>> keeper = Keeper(None)
    >>> keeper.judge is None, keeper.notes
    (True, [])
    """

    def __init__(
        self,
        path: Path | None,
        known: Callable[[], Iterable[str]] = lambda: (),
        policy: bool = False,
    ) -> None:
        self.notes: list[str] = []
        self.judge: Judge | None = None
        self._run, self._may_write = f"r-{secrets.token_hex(8)}", True
        self._policy, self._path = policy, path
        self._store = None if path is None else self._opened(path)
        if self._store is not None:
            self.judge = Judge(known, self._entries, policy=policy, whole=True)
            if policy and (state := self._store.state(_STATE)) is not None:
                try:
                    self.judge.load(state)
                except ValueError:
                    self.notes.append(f"what {path} says of new templates is damaged, and not used")

    def _opened(self, path: Path) -> Store | None:
        try:
            return open_store(path)
        except StoreError as error:
            self._may_write = False
            self.notes.append(f"nothing is kept for later: {error}")
            return open_store(path, write=False) if path.exists() else None

    def _entries(self, after: int) -> Iterable[Entry]:
        assert self._store is not None
        return self._store.entries(after) if self._store.newest() > after else ()

    def keep(self, run: Run, findings: Sequence[Finding], counted: Mapping[str, int]) -> None:
        """Leave a run and its findings in the store; while it goes on, as often as one likes."""
        if self._store is None or not self._may_write:
            return
        try:
            self._store.add_run(self._run, run, findings, counted)
            if self._policy and self.judge is not None and (state := self.judge.save()):
                self._store.save_state(_STATE, state)
        except StoreError as error:
            self._may_write = False
            self.notes.append(f"nothing is kept for later: {error}")

    def close(self) -> None:
        """Close the store."""
        if self._store is not None:
            self._store.close()
