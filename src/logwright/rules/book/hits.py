"""Hits: what each rule of a rulebook hit in runs so far, in `hits.json` beside the rules.

It is how a shadow is judged before it is promoted. Running over the same log again counts again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from logwright.rules.book.rulebook import alone
from logwright.rules.language.problem import RuleError

__all__ = ["HITS", "Hits", "add_hits", "hits_of"]

HITS = "hits.json"
"""The file's name in a rulebook's folder."""

_MOST_BYTES = 16 << 20


class Hits(BaseModel):
    """Of one rule: `runs` that judged windows by it, `windows` it hit in them, the times of the
    first and last of these, and when the last run was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runs: int = Field(default=0, ge=0)
    windows: int = Field(default=0, ge=0)
    first: str | None = None
    last: str | None = None
    at: AwareDatetime | None = None

    def __add__(self, other: Hits) -> Hits:
        """Both together.

        >>> (Hits(runs=1, windows=2, first="2026-01-02") + Hits(runs=1, first="2026-01-01")).first
        '2026-01-01'
        """
        return Hits(
            runs=self.runs + other.runs,
            windows=self.windows + other.windows,
            first=min(filter(None, (self.first, other.first)), default=None),
            last=max(filter(None, (self.last, other.last)), default=None),
            at=max(filter(None, (self.at, other.at)), default=None),
        )


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rules: dict[Annotated[str, Field(max_length=60)], Hits] = Field(default_factory=dict)


def hits_of(folder: Path) -> dict[str, Hits]:
    """What rules hit so far, by name; nothing where no run has counted."""
    path = folder / HITS
    try:
        if not path.is_file():
            return {}
        if path.stat().st_size > _MOST_BYTES:
            raise RuleError(f"is larger than {_MOST_BYTES >> 20} MiB: remove it", str(path))
        return _File.model_validate_json(path.read_bytes()).rules
    except ValidationError:
        raise RuleError("is not what runs counted: remove it", str(path)) from None
    except OSError as error:
        raise RuleError(f"cannot be read: {error.strerror or error}", str(path)) from None


def add_hits(folder: Path, more: Mapping[str, tuple[int, str | None, str | None]]) -> None:
    """Add one run: of each rule the windows it hit, and the times of the first and last."""
    now = datetime.now(UTC)
    with alone(folder):
        held = hits_of(folder)
        for name, (windows, first, last) in more.items():
            run = Hits(runs=1, windows=windows, first=first, last=last, at=now)
            held[name] = held.get(name, Hits()) + run
        work = folder / f".{HITS}.{secrets.token_hex(8)}"
        try:
            work.write_text(_File(rules=held).model_dump_json(indent=1) + "\n", "utf-8")
            os.replace(work, folder / HITS)
        except OSError as error:
            raise RuleError(f"cannot be written: {error.strerror or error}", str(folder)) from None
        finally:
            work.unlink(missing_ok=True)
