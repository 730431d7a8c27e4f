"""Judging: what a lane asks of a feed's pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from logwright.findings.finding import Finding
from logwright.stream.feed import Entry, Feed

__all__ = ["End", "Judging", "Make"]


class Judging(Protocol):
    """A pipeline of one feed, without end."""

    def push(self, entries: Sequence[Entry]) -> list[Finding]:
        """Findings of the windows that these entries close."""

    def advance(self, seconds: float) -> list[Finding]:
        """Findings of the windows that close because no line came for so long."""

    def finish(self) -> list[Finding]:
        """Findings of all windows that are open: the feed has ended."""

    def snapshot(self) -> bytes:
        """All that decides later findings."""

    def paused(self) -> Callable[[], bytes]:
        """What gives the snapshot of now, in any thread, while this one goes on."""

    @property
    def lines(self) -> int:
        """The lines that were given, since the stream began."""

    @property
    def open_windows(self) -> int:
        """Windows that wait for more lines."""

    @property
    def evicted(self) -> Mapping[str, int]:
        """What was let go to bound memory, by reason: since the stream began, as far as a snapshot
        tells."""

    def close(self) -> None:
        """Let files and threads go."""


Make = Callable[[Feed, bytes | None], Judging]
"""Gives a feed's pipeline: a new one, or that of a snapshot (`LogwrightError` where it does not fit
the model)."""

End = Callable[[Judging], list[Finding]]
"""What closes windows behind the last line: `finish`, or the clock."""
