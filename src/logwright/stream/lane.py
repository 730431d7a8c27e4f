"""A lane: one feed that this worker owns, from reading to the commit.

What was read is judged, and findings are put into the outbox at once. A checkpoint is made every 5
seconds (more seldom where judging has to wait for it: at most a four-hundredth of the time, and at
least one a minute is made), every six million lines, and before the feed is given up. It is written
by a thread while the lane goes on, unless something depends on it. Judging is a function of the
lines alone but for the clock: so where the clock moved the windows on, a checkpoint is made before
the next line, and a replay never crosses such a move.

Where judging breaks by a bug, what was read since the checkpoint is judged again without the line
that it breaks at (see `poison`), and a checkpoint is made behind that: a replay need not know.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from logwright.errors import InputError, LogwrightError
from logwright.findings.finding import Finding
from logwright.stream.feed import Entry, Feed
from logwright.stream.judging import End, Judging, Make
from logwright.stream.keeper import EVERY, Keeper, KeeperError
from logwright.stream.later import Later, Written
from logwright.stream.mending import NO_POISON, Mender, Read
from logwright.stream.metrics import Metrics
from logwright.stream.poison import size_of
from logwright.stream.tally import Counted, Tally, left_out

__all__ = ["Lane"]

_MOST = 1 << 20  # bytes at a time: the longest that a line waits for those before it
_EVERY, _SELDOM = 5.0, 60.0
_SHARE = 400
_LINES = 6_000_000
_IDLE = 5.0
_RETRY = 0.5
_REMIND = 600.0


@runtime_checkable
class OnDisk(Protocol):
    """A feed that this worker keeps on disk itself."""

    @property
    def bytes_on_disk(self) -> int:
        """Bytes that are there."""


class Lane:
    """One owned feed; `say` tells a person what goes wrong, `keeper` and `token` are for commits.

    Every method may raise `LostError`: then the feed belongs to another worker.
    """

    def __init__(
        self,
        feed: Feed,
        token: int,
        keeper: Keeper,
        make: Make,
        metrics: Metrics,
        say: Callable[[str], None],
    ) -> None:
        self.feed, self.token = feed, token
        self._keeper, self._metrics, self._say = keeper, metrics, say
        self._make = make
        kept = keeper.load(feed.name)
        self._position = kept.position
        self._judging = self._made(kept.snapshot or None)
        if kept.snapshot == b"" and kept.position is not None:
            # The stream before ended whole: what it emitted is nothing to the one that begins.
            try:
                began = self._judging.snapshot()
                keeper.checkpoint(feed.name, token, began, kept.position, (), EVERY)
            except BaseException:
                self._judging.close()
                raise
        self._evicted = Tally(metrics, "evicted", self._judging.evicted)
        self._dropped = Tally(metrics, "dropped")
        feed.seek(kept.position)
        self._pending: tuple[bytes | None, list[Finding]] | None = None
        self._crossed = False  # the clock moved windows on since the checkpoint
        self._unkept = 0  # lines since the checkpoint that is kept
        self._later = Later(keeper, feed.name, token)
        self._unjudged: list[Entry] = []
        self._mender = Mender(feed, token, keeper, metrics, self._say)
        self._ahead = kept.position  # what was read, judged or not, ends here
        self._kept = self._heard = self._advanced = time.monotonic()
        self._every, self._held_until = _EVERY, 0.0
        self._told: dict[str, float] = {}
        self._arrived: list[int] = []

    def _made(self, snapshot: bytes | None) -> Judging:
        try:
            return self._make(self.feed, snapshot)
        except LogwrightError as error:
            if snapshot is None:
                raise
            self._say(f"{self.feed.name} begins with no open windows: {error}")
            return self._make(self.feed, None)

    def step(self, timeout: float) -> int:
        """Read, judge and emit once; gives how many bytes were read."""
        self._settle()
        if self._pending is not None and not self._commit(*self._pending):
            return 0
        began = time.monotonic()
        if began < self._held_until:
            return 0
        try:
            entries = self._unjudged or self.feed.read(_MOST, timeout)
        except InputError as error:
            self._held_until = began + _RETRY
            self._heard = self._advanced = time.monotonic()  # nobody knows whether it was silent
            self._failed(error)
            return 0
        read = time.monotonic()
        if not entries:
            self._idle(read)
            return 0
        if not self._unjudged:
            self._ahead = entries[-1].position
        self._unjudged = entries
        if self._crossed and not self.checkpoint():
            return 0
        self._unjudged = []
        self._metrics.stage("read", read - began)
        self._heard = self._advanced = read
        size = self._judge(entries)
        if self._pending is None and self._due(time.monotonic()):
            self._keep_later()
        return size

    def _judge(self, entries: Sequence[Entry]) -> int:
        began = time.monotonic()
        try:
            found = self._judging.push(entries)
        except NO_POISON:
            raise
        except Exception as error:  # noqa: BLE001 - raised where no line's fault it is
            return self._mend(entries, error)
        self._metrics.stage("judge", time.monotonic() - began)
        first = self._position is None
        self._position = entries[-1].position
        size, lines = sum(len(entry.data) for entry in entries), size_of(entries)
        self._unkept += lines
        self._metrics.lines(lines, size)
        if found:
            self._arrived = [entries[-1].arrived]
        if first:  # where a feed begins is known only now: a restart must not begin elsewhere
            self._commit(self._judging.snapshot(), found)
        elif found:
            self._commit(None, found)
        return size

    def _close(self, end: End) -> list[Finding] | None:
        """Close windows; None where what was judged last had to be judged again first."""
        try:
            return end(self._judging)
        except NO_POISON:
            raise
        except Exception as error:
            if not self._unkept:
                raise
            self._mend((), error)
            return None

    def _mend(self, entries: Sequence[Entry], error: Exception) -> int:
        """Judge entries at which judging broke without the lines that did it, and keep that; raises
        the error where it is no line's fault."""
        self._settle(wait=True)
        self._judging.close()
        read = Read(entries, self._unkept, self._ahead)
        self._judging, good, found = self._mender.mend(self._make, read, error)
        self._unjudged, self._position = good.rest, good.entries[-1].position
        self._commit(self._judging.snapshot(), found)
        return sum(len(entry.data) for entry in good.entries)

    def _idle(self, now: float) -> None:
        """No line came: close by the clock what the log's own time would have closed."""
        if self._position is not None and now - self._advanced >= _IDLE:
            self._advanced = now
            found = self._close(lambda judging: judging.advance(now - self._heard))
            if found is None:
                return
            self._crossed = True
            if found:
                self._commit(self._judging.snapshot(), found)
        if self._pending is None and self._unkept and self._due(now):
            self.checkpoint()

    def _due(self, now: float) -> bool:
        due = now - self._kept >= self._every or self._unkept >= _LINES
        return due and not self._later.busy and now >= self._held_until

    def _keep_later(self) -> None:
        """Keep where the feed is, while it goes on."""
        assert self._position is not None
        began = time.monotonic()
        written = Written(self._position, self._judging.lines, self._unkept)
        self._later.write(self._judging.paused(), written)
        self._pause(time.monotonic() - began)

    def _settle(self, wait: bool = False) -> None:
        """Take note of a checkpoint that was kept meanwhile."""
        try:
            written = self._later.settle(wait)
        except KeeperError as error:
            self._fails(error)
            return
        if written is not None:
            self._is_kept(written)

    def _pause(self, took: float) -> None:
        """How long it is to the next checkpoint, where making one has taken so long."""
        self._every = min(max(_EVERY, took * _SHARE), _SELDOM)

    def checkpoint(self) -> bool:
        """Keep where the feed is; False where the keeper could not be written (it is tried again
        with the next step)."""
        self._settle(wait=True)
        if self._pending is not None and not self._commit(*self._pending):
            return False
        if self._position is None or not (self._unkept or self._crossed):
            return True
        began = time.monotonic()
        done = self._commit(self._judging.snapshot(), [])
        self._pause(time.monotonic() - began)
        return done

    def finish(self) -> bool:
        """The feed has ended: judge what is open, and keep that nothing is left. False where that
        is not done yet: to be called again."""
        if self._pending is not None and not self._commit(*self._pending):
            return False
        if self._unjudged:
            self.step(0)
            return False
        if self._position is None:
            return True
        found = self._close(lambda judging: judging.finish())
        return found is not None and self._commit(b"", found)

    def reload(self, make: Make) -> None:
        """Go on with another model, rules and verdicts, from a checkpoint."""
        self.checkpoint()
        self._make = make
        before, self._judging = self._judging, self._made(self._judging.snapshot())
        self._evicted.see(before.evicted)
        self._evicted = Tally(self._metrics, "evicted", self._judging.evicted)
        before.close()
        self._crossed = True  # a replay with the model from here on must begin here

    def _commit(self, snapshot: bytes | None, found: list[Finding]) -> bool:
        """Emit, or checkpoint where there is a snapshot. What the keeper cannot take now is kept
        for later, and nothing is read until then."""
        began = time.monotonic()
        self._pending = snapshot, found
        if snapshot is not None:
            self._settle(wait=True)  # an older one must not come after it
        try:
            if snapshot is None:
                self._keeper.emit(self.feed.name, self.token, found, self._judging.lines)
            else:
                assert self._position is not None
                args = snapshot, self._position, found, self._judging.lines
                self._keeper.checkpoint(self.feed.name, self.token, *args)
        except KeeperError as error:
            self._fails(error)
            return False
        self._pending = None
        self._told.clear()
        now = time.monotonic()
        self._metrics.stage("commit", now - began)
        self._metrics.found(found)
        for arrived in self._arrived:
            self._metrics.stage("end_to_end", (time.time_ns() - arrived) / 1e9)
        self._arrived = []
        if snapshot is not None:
            assert self._position is not None
            self._crossed = False
            lines = self._judging.lines
            self._is_kept(Written(self._position, lines, self._unkept, len(snapshot)))
        return True

    def _fails(self, error: KeeperError) -> None:
        self._held_until = time.monotonic() + _RETRY
        self._metrics.count("errors", "keeper")
        self._once(f"{error}; reading waits until it can be, nothing is lost")

    def _is_kept(self, written: Written) -> None:
        """Tell the feed what is kept. Where it cannot hear it now, the next checkpoint tells it."""
        self._kept = time.monotonic()
        self._unkept -= written.since
        self._metrics.gauge("snapshot_bytes", written.size, self.feed.name)
        self._metrics.count("checkpoints", "kept")
        try:
            self.feed.done(written.position)
        except InputError as error:
            self._failed(error)
        self.measure()

    def measure(self) -> None:
        """Tell metrics how the feed is; also while nothing is read or kept."""
        metrics, name = self._metrics, self.feed.name
        try:
            if (lag := self.feed.lag()) is not None:
                metrics.gauge("lag", lag, name)
        except InputError as error:
            self._failed(error)
        if isinstance(self.feed, OnDisk):
            metrics.gauge("spool_bytes", self.feed.bytes_on_disk, name)
        if isinstance(self.feed, Counted):
            self._dropped.see(left_out(self.feed.counts))
        metrics.gauge("open_windows", self._judging.open_windows, name)
        self._evicted.see(self._judging.evicted)

    def _failed(self, error: InputError) -> None:
        self._metrics.count("errors", "read")
        self._once(str(error))

    def _once(self, text: str) -> None:
        """Say something; again only when it has been so for long."""
        now = time.monotonic()
        if now - self._told.get(text, -_REMIND) >= _REMIND:
            self._told = {text: now}
            self._say(f"{self.feed.name}: {text}")

    def close(self) -> None:
        """Let the feed go, as far as this worker holds it."""
        self._later.close()
        self._judging.close()
        self._metrics.forget(self.feed.name)
