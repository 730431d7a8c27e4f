"""Shelved: one rule of a rulebook, its code and what was decided about that code.

A state speaks of code. Who edits a rule has a draft again, whatever its state was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from logwright.rules.book.rulefile import RuleFile, hash_of
from logwright.rules.book.standing import Rating, Standing, State
from logwright.rules.language.problem import RuleError

__all__ = ["Shelved", "may_be"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)


def may_be(name: str) -> bool:
    """Whether a rule can have this name: it is a file's name and stands in findings.

    >>> may_be("disk_full"), may_be("Disk full"), may_be("../x")
    (True, False, False)
    """
    return _NAME.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Shelved:
    """A rule with what was decided about it. `file` is None where the code is gone or refused, as
    `problem` says; `hash` is that of the code that is there."""

    name: str
    file: RuleFile | None
    standing: Standing
    problem: str = ""
    hash: str = ""

    @classmethod
    def read(cls, path: Path, name: str, standing: Standing) -> Shelved:
        """The rule as its file says it is now."""
        try:
            file = RuleFile.read(path / f"{name}.py")
        except RuleError as error:
            return cls(name, None, standing, str(error))
        return cls(name, file, standing, "", hash_of(file.function))

    @property
    def edited(self) -> bool:
        """Whether the code is another one than that which its state speaks of."""
        held = self.standing.hash
        return self.file is not None and bool(held) and held != self.hash

    @property
    def state(self) -> State:
        """The state that holds: code that was edited, or cannot be read, is a draft at most."""
        kept = self.standing.state
        return kept if kept == "retired" or not (self.edited or self.file is None) else "draft"

    @property
    def runs(self) -> bool:
        """Whether windows are judged by it: active and not muted, or counting as a shadow."""
        return self.file is not None and self.state in ("active", "shadow")

    @property
    def alerts(self) -> bool:
        """Whether its word counts: active, and its kill switch is not thrown."""
        return self.runs and self.state == "active" and not self.standing.muted

    @property
    def rating(self) -> Rating | None:
        """The last backtest of this very code."""
        return next((b for b in reversed(self.standing.backtests) if b.hash == self.hash), None)
