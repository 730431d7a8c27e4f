"""Delivery: findings from the outbox to the sinks, one thread for each, in order.

A sink that cannot take findings is asked again after 0.1 s, then ever more seldom up to 30 s, for
as long as the worker runs: its findings wait in the outbox, in order, and when that is full the
worker stops reading. Of several workers on one outbox one delivers to a sink: it holds a lease.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from logwright.errors import LogwrightError
from logwright.findings.run import many
from logwright.stream.keeper import Keeper, KeeperError
from logwright.stream.metrics import Metrics
from logwright.stream.sink import Sink, SinkError
from logwright.stream.sinks import Numbered

__all__ = ["Delivery"]

_BATCH = 500
_POLL = 0.02  # findings of other workers come without a sign
_FIRST, _LONGEST = 0.1, 30.0
_REMIND = 600.0
_RENEW = 2.0
_CLAIM = 1.0


class Delivery:
    """Delivers to one sink from `start` to `stop`; `wanted` says which findings it takes.

    `failure` is what ended the thread, where that was no failure of the sink: such as a reader of
    standard output that went away.
    """

    def __init__(
        self,
        keeper: Keeper,
        sink: Sink,
        owner: str,
        metrics: Metrics,
        say: Callable[[str], None],
        wanted: Callable[[bytes], bool] = lambda json: True,
    ) -> None:
        self.failure: BaseException | None = None
        self.sink = sink
        self._keeper, self._owner, self._metrics, self._say = keeper, owner, metrics, say
        self._wanted = wanted
        self._lease, self._token, self._renewed = f"sink:{sink.name}", 0, 0.0
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._until = 0.0
        self._failed = self._told = 0.0  # since when the sink fails, and when that was said
        self._wait = _FIRST
        self._thread = threading.Thread(target=self._run, name=self._lease, daemon=True)

    def start(self) -> None:
        """Begin to deliver; from now on findings wait for this sink."""
        self._keeper.outbox(self.sink.name, 0)
        self._thread.start()

    def wake(self) -> None:
        """There are new findings."""
        self._wake.set()

    def stop(self, patience: float) -> None:
        """Deliver what is there, for `patience` seconds at most, and end."""
        self._until = time.monotonic() + patience
        self._stopping.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(patience + _LONGEST)

    def _run(self) -> None:
        try:
            while not self._over() and self._step():
                pass
        except BaseException as error:  # noqa: BLE001 - raised again by the worker's own thread
            self.failure = error
        finally:
            with suppress(LogwrightError):  # the lease ends by itself
                self.sink.close()
                if self._token:
                    self._keeper.release(self._lease, self._token)

    def _over(self) -> bool:
        return self._stopping.is_set() and time.monotonic() > self._until

    def _step(self) -> bool:
        """One batch, or a wait for one; False where everything is delivered and it was time."""
        try:
            if not self._owns():
                return not self._stopping.is_set() and self._pause(_CLAIM)
            waiting = self._keeper.outbox(self.sink.name, _BATCH)
        except KeeperError:  # the worker says so
            return self._pause(_CLAIM)
        if not waiting:
            self._metrics.gauge("outbox", 0, self.sink.name)
            return not self._stopping.is_set() and self._pause(_POLL)
        began = time.monotonic()
        try:
            if isinstance(self.sink, Numbered):
                self.sink.begin(waiting[0][0])
            if chosen := [json for _, json in waiting if self._wanted(json)]:
                self.sink.put(chosen)
        except SinkError as error:
            return self._fails(error)
        self._works()
        self._metrics.stage("deliver", time.monotonic() - began)
        self._metrics.count("delivered", self.sink.name.partition(":")[0], len(chosen))
        return self._done(waiting[-1][0])

    def _done(self, sequence: int) -> bool:
        """Keep how far the sink is: what it has must not be offered again while there is a way."""
        while True:
            try:
                self._keeper.delivered(self.sink.name, sequence)
                return True
            except KeeperError:
                if self._over():
                    return False
                self._pause(_CLAIM)

    def _owns(self) -> bool:
        now = time.monotonic()
        if self._token and now - self._renewed < _RENEW:
            return True
        if not self._token or not self._keeper.renew(self._lease, self._token):
            self._token = self._keeper.claim(self._lease, self._owner) or 0
        self._renewed = now
        return bool(self._token)

    def _fails(self, error: SinkError) -> bool:
        now = time.monotonic()
        self._metrics.count("errors", "sink")
        self._metrics.gauge("outbox", self._keeper_backlog(), self.sink.name)
        if not self._failed or now - self._told > _REMIND:
            self._failed, self._told = self._failed or now, now
            self._say(f"{error}; findings wait for it in their order, and are offered again")
        until = now + self._wait
        self._wait = min(2 * self._wait, _LONGEST)
        while (left := until - time.monotonic()) > 0 and not self._stopping.is_set():
            with suppress(KeeperError):
                self._owns()
            self._stopping.wait(min(left, _CLAIM))
        return not self._stopping.is_set() or self._pause(_FIRST)

    def _keeper_backlog(self) -> int:
        try:
            return self._keeper.backlog()
        except KeeperError:
            return 0

    def _works(self) -> None:
        if self._failed:
            length = many(max(int(time.monotonic() - self._failed), 1), "second")
            self._say(f"{self.sink.name} takes findings again, after {length}")
        self._failed, self._wait = 0.0, _FIRST

    def _pause(self, seconds: float) -> bool:
        """Wait, or less where there is news; always True."""
        self._wake.wait(min(seconds, 0.1) if self._stopping.is_set() else seconds)
        if not self._stopping.is_set():
            self._wake.clear()
        return True
