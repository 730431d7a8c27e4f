"""The keeper: what outlives a worker. Each feed's checkpoint and lease, and the outbox of findings.

Each method is one transaction. A call that fails with `KeeperError` may have been done or not: to
make it again with the same arguments does no harm, so that is what a worker does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from logwright.errors import LogwrightError
from logwright.findings.finding import Finding

__all__ = ["EVERY", "Keeper", "KeeperError", "Kept", "LostError"]

EVERY = 1 << 53
"""More lines than any feed has: a checkpoint at which no id stays known."""


class LostError(LogwrightError):
    """The feed belongs to another worker by now: nothing of this call was kept."""


class KeeperError(LogwrightError):
    """The keeper cannot be reached, or cannot be written (the disk is full): call again later."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A feed's last checkpoint: the pipeline's snapshot, and the input's position it belongs to.
    Both are None where there is none yet."""

    snapshot: bytes | None
    position: str | None


class Keeper(Protocol):
    """Keeps feeds' checkpoints and the findings that sinks still wait for.

    A *token* is what `claim` gave: a number that grows with every owner of a feed, so that a worker
    whose lease ran out cannot write any more (`LostError`) once another one has claimed the feed.
    """

    def claim(self, feed: str, owner: str) -> int | None:
        """A lease on a feed: its token; None while another owner's lease holds. The same owner's
        claim gives a new token: what held the old one has died."""

    def renew(self, feed: str, token: int) -> bool:
        """Lengthen a lease; False where it is lost."""

    def release(self, feed: str, token: int) -> None:
        """End a lease, so that another worker need not wait; nothing where it is lost."""

    def load(self, feed: str) -> Kept:
        """The last checkpoint."""

    def emit(self, feed: str, token: int, findings: Sequence[Finding], lines: int) -> int:
        """Put findings into the outbox, in order, but those whose ids are known: of this feed, and
        emitted behind its checkpoint, which is when `lines` of the feed were judged. Gives how many
        were new."""

    def checkpoint(
        self,
        feed: str,
        token: int,
        snapshot: bytes,
        position: str,
        findings: Sequence[Finding],
        lines: int,
    ) -> int:
        """Replace the checkpoint, and emit: both or neither. Ids that were emitted when fewer lines
        were judged are not known any more; those at more lines stay, however often a checkpoint is
        made before a replay comes by them. Gives how many findings were new."""

    def outbox(self, sink: str, most: int) -> list[tuple[int, bytes]]:
        """The next `most` findings for a sink, as (sequence, JSON), in order. The first call, also
        with `most` 0, makes the sink known: from then on findings wait for it."""

    def delivered(self, sink: str, sequence: int) -> None:
        """A sink has all findings up to here; what all sinks have is let go."""

    def backlog(self) -> int:
        """How many findings some sink still waits for (for back-pressure; it may be rough)."""

    def close(self) -> None:
        """Close the keeper; it may be closed twice."""
