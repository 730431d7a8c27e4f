"""The worker: owns feeds, judges what they give, and hands findings to sinks.

One loop serves all feeds in turn, one thread each sink. A feed is owned by a lease in the keeper;
of several workers on the same feeds each takes its share at once and the others' only when nobody
has had them for a while. Nothing is read while the outbox is full.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Protocol, runtime_checkable

from logwright.errors import LogwrightError
from logwright.findings.run import many
from logwright.stream.delivery import Delivery
from logwright.stream.feed import Feed, Source
from logwright.stream.judging import Make
from logwright.stream.keeper import Keeper, KeeperError, LostError
from logwright.stream.lane import Lane
from logwright.stream.metrics import Metrics
from logwright.stream.tally import Counted, Tally, left_out

__all__ = ["MOST_WAITING", "Ending", "Worker", "share_of"]

MOST_WAITING = 100_000
"""Findings that wait for a sink, beyond which nothing is read until there are fewer."""

_NUMBER = re.compile(r"(?s)(.*?)(\d{1,9})\D*$")
_RENEW = 2.0
_CLAIM = 0.5
_OTHERS = 20.0  # longer than a lease: the share of another worker that does not come back
_LOOK = 0.1
_WAIT, _ROUND = 0.05, 0.02
_DRAIN = 5.0


@runtime_checkable
class Ending(Protocol):
    """A source that comes to an end, such as standard input."""

    @property
    def ended(self) -> bool:
        """Whether its feeds have given everything, and nothing will come."""


def share_of(feed: str, among: int) -> int:
    """Which of so many workers takes a feed first. Feeds that are numbered, such as partitions,
    shards and many files, go round.

    >>> sorted(share_of(f"kafka:logs/{i}", 2) for i in range(4))
    [0, 0, 1, 1]
    """
    numbered = _NUMBER.match(feed)
    name, number = (numbered[1], int(numbered[2])) if numbered else (feed, 0)
    return (zlib.crc32(name.encode("utf-8", "surrogateescape")) + number) % among


class Worker:
    """Runs until it is told to stop, or its source has ended.

    `share` is which of how many workers this one is; `renewed` gives a new `Make` for a reload;
    `orphaned` tells that whoever started this worker is gone.
    """

    def __init__(
        self,
        source: Source,
        keeper: Keeper,
        deliveries: Sequence[Delivery],
        make: Make,
        owner: str,
        metrics: Metrics,
        say: Callable[[str], None],
        *,
        renewed: Callable[[], Make] | None = None,
        share: tuple[int, int] = (0, 1),
        orphaned: Callable[[], bool] = lambda: False,
    ) -> None:
        self._source, self._keeper, self._deliveries = source, keeper, deliveries
        self._make, self._owner, self._metrics, self._say = make, owner, metrics, say
        self._renewed, self._share, self._orphaned = renewed, share, orphaned
        self._dropped = Tally(metrics, "dropped")
        self._lanes: dict[str, Lane] = {}
        self._free: dict[str, tuple[Feed, float]] = {}  # feeds to claim, and since when
        self._claimed = self._leased = self._looked = 0.0
        self._stopping = self._reloading = self._full = self._ended = False

    def stop(self) -> None:
        """End in good order, soon; may be called from a signal."""
        self._stopping = True

    def reload(self) -> None:
        """Take the model, rules and verdicts anew, soon; may be called from a signal."""
        self._reloading = True

    def run(self) -> None:
        """Work until the end. Failures that waiting does not mend are raised."""
        sound = False
        try:
            for delivery in self._deliveries:
                delivery.start()
            while not (self._stopping or self._ended or self._orphaned() or self._failure):
                self._turn()
            sound = True
        finally:
            self._wind_up(sound)
        if self._failure is not None:
            raise self._failure

    @property
    def _failure(self) -> BaseException | None:
        return next((d.failure for d in self._deliveries if d.failure is not None), None)

    def _turn(self) -> None:
        self._metrics.turn(len(self._lanes))
        now = time.monotonic()
        self._take()
        if now - self._claimed >= _CLAIM:
            self._claimed = now
            self._claim(now)
        if now - self._leased >= _RENEW:
            self._leased = now
            for lane in list(self._lanes.values()):
                self._guarded(lane, partial(self._renew, lane))
            self._measure()
        if self._reloading:
            self._reload()
        if now - self._looked >= _LOOK:
            self._looked = now
            self._look()
        if self._full or not self._lanes:
            time.sleep(_WAIT)
        else:
            self._round()

    def _round(self) -> None:
        """One step of every lane."""
        wait = _WAIT if len(self._lanes) == 1 else _ROUND / len(self._lanes)
        for lane in list(self._lanes.values()):
            self._guarded(lane, partial(lane.step, wait))
        if isinstance(self._source, Ending) and self._source.ended and not self._free:
            for lane in list(self._lanes.values()):
                self._guarded(lane, partial(self._finish, lane))
            self._ended = not (self._lanes or self._free)
        for delivery in self._deliveries:
            delivery.wake()

    def _guarded(self, lane: Lane, act: Callable[[], object]) -> None:
        """Do something with a lane; one that was lost is dropped, and claimed again later."""
        try:
            act()
        except LostError as error:
            self._say(f"{error}; it is taken up there from its last checkpoint")
            self._drop(lane)
            self._free[lane.feed.name] = lane.feed, time.monotonic()

    def _renew(self, lane: Lane) -> None:
        try:
            if not self._keeper.renew(lane.feed.name, lane.token):
                raise LostError(f"The feed {lane.feed.name} belongs to another worker by now")
        except KeeperError:
            pass  # commits say so, and refuse if the lease was lost meanwhile

    def _measure(self) -> None:
        for lane in self._lanes.values():
            lane.measure()
        if isinstance(self._source, Counted):
            self._dropped.see(left_out(self._source.counts))

    def _finish(self, lane: Lane) -> None:
        if lane.finish():
            self._give_up(lane)

    def _take(self) -> None:
        """Feeds gained, and those lost."""
        gained, lost = self._source.feeds()
        for name in lost:
            if (lane := self._lanes.get(name)) is not None:
                self._guarded(lane, lane.checkpoint)
                if name in self._lanes:
                    self._give_up(lane)
            if name in self._free:
                self._free.pop(name)[0].close()
        now = time.monotonic()
        for feed in gained:
            self._free[feed.name] = feed, now
            self._claimed = 0.0

    def _claim(self, now: float) -> None:
        number, among = self._share
        for name, (feed, since) in list(self._free.items()):
            mine = share_of(name, among) == number
            if not mine and now - since < _OTHERS:
                continue
            try:
                token = self._keeper.claim(name, self._owner)
                if token is None:
                    if not mine:
                        self._free[name] = feed, now  # somebody has it
                    continue
                args = self._keeper, self._make, self._metrics, self._say
                self._lanes[name] = Lane(feed, token, *args)
                del self._free[name]
            except KeeperError as error:
                self._say(f"{error}; tried again")
                return
            except LostError:
                continue

    def _look(self) -> None:
        """Whether the outbox is full."""
        try:
            waiting = self._keeper.backlog()
        except KeeperError:
            return  # commits say so
        if not self._full and waiting >= MOST_WAITING:
            self._say(f"reading waits: {many(waiting, 'finding')} wait for sinks")
            self._metrics.count("errors", "outbox_full")
        elif self._full and waiting < MOST_WAITING:
            self._say("reading goes on")
        self._full = waiting >= MOST_WAITING

    def _reload(self) -> None:
        self._reloading = False
        if self._renewed is None:
            return
        try:
            make = self._renewed()
        except LogwrightError as error:
            self._say(f"not reloaded, the model in use stays: {error}")
            return
        self._make = make
        for lane in list(self._lanes.values()):
            self._guarded(lane, partial(lane.reload, make))
        self._say("model, rules and verdicts are reloaded")

    def _drop(self, lane: Lane) -> None:
        del self._lanes[lane.feed.name]
        lane.close()

    def _give_up(self, lane: Lane) -> None:
        self._drop(lane)
        with suppress(KeeperError):  # the lease ends by itself
            self._keeper.release(lane.feed.name, lane.token)
        lane.feed.close()

    def _wind_up(self, sound: bool) -> None:
        """Keep where every feed is (unless something broke in the middle: then the last checkpoint
        is what can be relied on), deliver what is found, and let everything go."""
        for lane in list(self._lanes.values()):
            if sound:
                self._guarded(lane, lane.checkpoint)
            if lane.feed.name in self._lanes:
                self._give_up(lane)
        until = time.monotonic() + _DRAIN
        for delivery in self._deliveries:
            delivery.stop(max(until - time.monotonic(), 0.0))
        self._source.close()
        try:
            if left := self._keeper.backlog():
                self._say(f"for sinks when a worker runs again: {many(left, 'finding')}")
        except KeeperError:
            pass  # nobody can say
        self._keeper.close()
