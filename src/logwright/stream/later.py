"""Later: a checkpoint that is written by a thread while the lane goes on.

Making a snapshot's bytes and writing them takes a tenth of a second and more, and findings of what
comes meanwhile need not wait for it: ids that are emitted behind a checkpoint stay known, however
late it is kept (`Keeper.checkpoint`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from logwright.stream.keeper import Keeper

__all__ = ["Later", "Written"]


@dataclass(frozen=True, slots=True)
class Written:
    """A checkpoint: where it stands, at how many lines, behind how many since the one before, and
    the size of its snapshot (0 until it is kept)."""

    position: str
    lines: int
    since: int
    size: int = 0


class Later:
    """Writes checkpoints of one feed, one at a time.

    >>> from logwright.stream.sqlite_keeper import SqliteKeeper
    >>> import tempfile, pathlib
    >>> keeper = SqliteKeeper(pathlib.Path(tempfile.mkdtemp(), "worker.db"))
    >>> later = Later(keeper, "f", keeper.claim("f", "here"))
    >>> later.write(lambda: b"state", Written("7", 7, 7))
    >>> later.settle(wait=True)
    Written(position='7', lines=7, since=7, size=5)
    >>> keeper.load("f"), later.settle(wait=True)
    (Kept(snapshot=b'state', position='7'), None)
    >>> later.close(); keeper.close()
    """

    def __init__(self, keeper: Keeper, feed: str, token: int) -> None:
        self._keeper, self._feed, self._token = keeper, feed, token
        self._pool = ThreadPoolExecutor(1, "checkpoint")
        self._written: tuple[Written, Future[int]] | None = None

    @property
    def busy(self) -> bool:
        """Whether a checkpoint is being written, or what became of it was not asked yet."""
        return self._written is not None

    def write(self, snapshot: Callable[[], bytes], written: Written) -> None:
        """Begin to write a checkpoint."""
        self._written = written, self._pool.submit(self._write, snapshot, written)

    def _write(self, snapshot: Callable[[], bytes], written: Written) -> int:
        data = snapshot()
        self._keeper.checkpoint(self._feed, self._token, data, written.position, (), written.lines)
        return len(data)

    def settle(self, wait: bool = False) -> Written | None:
        """The checkpoint that was kept since the last call, if there is one; raises what kept it
        from that (`KeeperError`: it is to be made again; `LostError`)."""
        if self._written is None or not (wait or self._written[1].done()):
            return None
        (written, future), self._written = self._written, None
        return Written(written.position, written.lines, written.since, future.result())

    def close(self) -> None:
        """Wait for what is being written. What becomes of it matters no more: the feed is given up,
        and where it could not be kept, the checkpoint before it is good."""
        self._pool.shutdown()
