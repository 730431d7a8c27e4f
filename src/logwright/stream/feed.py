"""Feeds: ordered streams of lines that can be read again from a position, and what gives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Entry", "Feed", "Source"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Whole lines, each ended by a newline. `position` says where to go on after them, in this
    feed's own form; `arrived` (ns since 1970) when the last of them arrived, as the source says."""

    data: bytes
    position: str
    arrived: int


class Feed(Protocol):
    """One ordered stream of lines: a file, a partition of a topic, a shard of a stream.

    `name` is the same in all workers and after restarts; `source` is what findings cite.
    """

    name: str
    source: str

    def seek(self, position: str | None) -> None:
        """Go on from a position; None: from where the source says (its begin, or its end)."""

    def read(self, most: int, timeout: float) -> list[Entry]:
        """Entries of about `most` bytes at most, after `timeout` seconds at most."""

    def done(self, position: str) -> None:
        """Say that nothing up to here will be asked for again."""

    def lag(self) -> int | None:
        """Lines (or entries) that wait to be read; None where nobody knows."""

    def close(self) -> None:
        """Let go what is open."""


class Source(Protocol):
    """What gives feeds to a worker, and takes them away."""

    def feeds(self) -> tuple[list[Feed], list[str]]:
        """The feeds gained, and the names of those lost, since the last call. Never waits."""

    def close(self) -> None:
        """Let go what is open."""
