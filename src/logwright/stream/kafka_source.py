"""Kafka topics as a source: each partition that the group gives to this worker is a feed.

One consumer and one thread: the thread receives, and carries out what feeds wish; it goes on while
the worker is busy, so that the group keeps its members. Partitions move incrementally
(cooperative-sticky): those that stay are read on. One that leaves is told by `feeds`, and its
leaving is held up until the worker has closed its feed, which it does after a checkpoint, or until
`HANDOVER` is over.

Where a feed goes on is the keeper's to say. Offsets are committed after checkpoints, for others to
see; they are read only where ``from=end`` begins without a checkpoint.

Memory is bounded: what waits for the worker by `ROOM` over all partitions (one that has its share
is paused), what waits in the client library by `CONSUMER`, a message by `MESSAGE_BYTES` (a larger
one is left out, counted and told).
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from logwright.errors import SettingsError
from logwright.stream.feed import Feed
from logwright.stream.kafka_feed import Message, Partition
from logwright.stream.kafka_link import CONSUMER, client, parsed, reason_of
from logwright.stream.metrics import Metrics

__all__ = ["HANDOVER", "MESSAGE_BYTES", "ROOM", "KafkaSource"]

ROOM = 64 << 20
"""Bytes that wait for the worker, over all partitions."""

MESSAGE_BYTES = 16 << 20
HANDOVER = 10.0
"""Seconds that a partition's leaving waits for the worker's checkpoint."""

_LEAST_ROOM = 256 << 10
_TICK = 0.02
_MANY = 10_000
_ASKING = 5.0
"""Seconds that a question to the broker may take; paused partitions' ends are asked as often."""

_LOOKING = 0.2
_UNHEARD = 2_000_000  # us; a worker takes 5 s without a line for silence of the log
_AGAIN = 1.0
_TELL_AGAIN = 60.0


class KafkaSource:
    """``kafka://HOST:PORT[,HOST:PORT]/TOPIC?group=GROUP&from=begin|end``.

    Args:
        url: The address; `kafka_link` has its options.
        tell: Given what a person should know, one sentence at a time.
        metrics: Counts what was left out, and failures.
    """

    def __init__(
        self, url: str, tell: Callable[[str], None] | None = None, metrics: Metrics | None = None
    ) -> None:
        address = parsed(url, {"group", "from"})
        begin = address.options.get("from", "begin")
        if begin not in ("begin", "end"):
            raise SettingsError(f"The address {url!r} cannot be used: from is begin or end")
        self.topic = address.topic
        self._from_end = begin == "end"
        self._tell = tell or (lambda text: None)
        self._metrics = metrics or Metrics()
        self._lock = threading.Lock()
        self._given_up = threading.Condition(self._lock)
        self._owned: set[int] = set()
        self._feeds: dict[int, Partition] = {}
        self._lost: list[str] = []
        self._assigned: set[int] = set()  # those that are being received; the thread's own
        self._told: dict[str, float] = {}
        self._asked = self._looked = 0.0
        self._ending = False
        self._failure: Exception | None = None
        settings = CONSUMER | {
            "group.id": address.options.get("group", "logwright"),
            "error_cb": self._failed,
            "on_commit": self._committed,
            "stats_cb": self._hear,
        }
        self._consumer = client("Consumer", address, settings)
        import confluent_kafka

        self._library = confluent_kafka
        self._consumer.subscribe(
            [self.topic], on_assign=self._gain, on_revoke=self._revoke, on_lost=self._lose
        )
        self._thread = threading.Thread(target=self._run, name="kafka", daemon=True)
        self._thread.start()

    def feeds(self) -> tuple[list[Feed], list[str]]:
        """Feeds gained, and names of feeds lost, since the last call. A partition that comes back
        is given once its former feed was closed."""
        gained: list[Feed] = []
        with self._lock:
            if self._failure is not None:
                raise self._failure
            lost, self._lost = self._lost, []
            for number in sorted(self._owned):
                old = self._feeds.get(number)
                if old is None or (
                    old.closed_at is not None and time.monotonic() > old.closed_at + _AGAIN
                ):
                    feed = Partition(self.topic, number, self._lock, self._closed)
                    self._feeds[number] = feed
                    gained.append(feed)
        return gained, lost

    def close(self) -> None:
        """Commit what was wished, leave the group; partitions move on at once."""
        with self._lock:
            self._ending = True
            self._given_up.notify_all()
        self._thread.join()

    def _closed(self, feed: Partition) -> None:
        with self._lock:
            if feed.lost and self._feeds.get(feed.number) is feed:
                del self._feeds[feed.number]
            self._given_up.notify_all()

    # All that follows is called by the source's own thread, and nothing else talks to the consumer:
    # `get_watermark_offsets` of another thread than that of `poll` never returns (2.16).

    def _run(self) -> None:
        try:
            while not self._ending:
                self._carry_out()
                message = self._consumer.poll(_TICK)
                if message is not None:
                    self._take([message, *self._consumer.consume(_MANY, 0)])
            self._commit([f for f in self._feeds.values() if not f.lost], wait=True)
        except Exception as error:  # noqa: BLE001 (raised where the worker asks for feeds)
            with self._lock:
                self._failure = error
        finally:
            self._ending = True
            with contextlib.suppress(self._library.KafkaException):
                self._consumer.close()

    def _carry_out(self) -> None:
        """What feeds wish: to be placed, resumed, committed, or read no more."""
        with self._lock:
            feeds = [feed for feed in self._feeds.values() if not feed.lost]
        for feed in feeds:
            if feed.is_closed:
                self._stop([feed.number])
            elif feed.wish is not None:
                self._go(feed, feed.wish)
            elif feed.paused and feed.size <= self._share() // 4:
                feed.paused = False
                self._consumer.resume([self._place(feed)])
        self._commit(feeds)
        self._look(feeds)

    def _look(self, feeds: Iterable[Partition]) -> None:
        """How far the broker's partitions go, for the lag."""
        now = time.monotonic()
        asks = now > self._asked + _ASKING
        if now < self._looked + _LOOKING:
            return
        self._looked = now
        for feed in feeds:
            if not feed.placed:
                continue
            # What a partition's last answer said; one that is paused gets none.
            found = self._consumer.get_watermark_offsets(self._place(feed), cached=True)
            if feed.paused and asks:
                self._asked = now
                with contextlib.suppress(self._library.KafkaException):
                    found = self._ends(feed, 0.5)
            if found is not None and found[1] >= 0:
                feed.highest = max(feed.highest, found[1])

    def _go(self, feed: Partition, wish: str) -> None:
        """Receive a partition from where its feed wishes."""
        try:
            offset = int(wish) if wish else self._first(feed)
            self._stop([feed.number])
            self._consumer.incremental_assign([self._place(feed, offset)])
        except self._library.KafkaException as error:
            self._say("place", f"{feed.name} cannot be begun, it is tried again", error)
            return
        self._assigned.add(feed.number)
        with self._lock:
            if feed.wish == wish and not feed.is_closed:  # not wished anew meanwhile
                feed.wish, feed.placed, feed.paused = None, True, False
                feed.end, feed.highest = (offset if offset >= 0 else None), -1

    def _first(self, feed: Partition) -> int:
        """Where to begin without a checkpoint."""
        if not self._from_end:
            return int(self._library.OFFSET_BEGINNING)
        place = self._place(feed)
        kept = self._consumer.committed([place], timeout=_ASKING)[0]
        if kept.error is None and kept.offset >= 0:
            return int(kept.offset)
        # Kept at once: a worker that dies before its first checkpoint begins here again.
        end = self._ends(feed, _ASKING)[1]
        self._consumer.commit(offsets=[self._place(feed, end)], asynchronous=False)
        return end

    def _take(self, messages: list[Any]) -> None:
        """Messages and events, of any partitions."""
        now = time.time_ns()
        received: dict[int, list[Message]] = {}
        ends: dict[int, int] = {}
        for message in messages:
            error = message.error()
            number = message.partition()
            if error is not None:
                if error.code() == self._library.KafkaError._PARTITION_EOF:
                    ends[number] = message.offset()
                else:
                    self._event(error, number)
                continue
            ends[number] = after = message.offset() + 1
            value = message.value()
            if not value or len(value) > MESSAGE_BYTES:
                self._left_out(number, after - 1, value)
                continue
            if not value.endswith(b"\n"):
                value += b"\n"
            kind, at = message.timestamp()
            # No arrival is later than now, whatever a producer's clock says.
            arrived = min(at * 1_000_000, now) if kind and at > 0 else now
            received.setdefault(number, []).append((value, after, arrived))
        full = []
        with self._lock:
            for number, end in ends.items():
                feed = self._feeds.get(number)
                if feed is None or not feed.placed:
                    continue
                feed.end = end
                feed.take(received.get(number, []))
                if feed.size > self._share() and not feed.paused:
                    feed.paused = True
                    full.append(feed)
        if full:
            self._consumer.pause([self._place(feed) for feed in full])

    def _left_out(self, number: int, offset: int, value: bytes | None) -> None:
        reason = "tombstone" if value is None else "too_large" if value else "empty"
        self._metrics.count("dropped", reason)
        if value:
            self._tell(
                f"kafka:{self.topic}/{number}: the message at offset {offset} was left out, it has"
                f" {len(value):,} bytes of {MESSAGE_BYTES:,} allowed"
            )

    def _event(self, error: Any, number: int) -> None:
        feed = self._feeds.get(number)
        if error.code() != self._library.KafkaError._AUTO_OFFSET_RESET:
            self._failed(error)
        elif feed is not None and feed.placed:
            try:
                low, high = self._ends(feed, _ASKING)
            except self._library.KafkaException as failure:
                self._say("place", f"{feed.name} cannot be read, it is tried again", failure)
                low, high = 0, -1
            with self._lock:
                if feed.wish is None and not feed.is_closed:
                    self._misplaced(feed, low, high)

    def _misplaced(self, feed: Partition, low: int, high: int) -> None:
        """The broker does not have what comes next in a partition of such ends."""
        wanted = feed.end if feed.end is not None else low
        feed.placed, feed.wish = False, str(wanted)
        if high < 0 or low <= wanted <= high:
            return
        feed.wish = str(low)
        if wanted < low:
            self._metrics.count("dropped", "deleted_unread", low - wanted)
            self._tell(
                f"{feed.name}: {low - wanted:,} messages were deleted before they were read"
                f" (offsets {wanted} to {low - 1}): keep the topic's messages for longer"
            )
        else:
            self._tell(
                f"{feed.name} ends at offset {high}, before {wanted} where it was read to: the"
                f" topic was made anew, and is read from its begin"
            )

    def _gain(self, consumer: Any, places: Sequence[Any]) -> None:
        consumer.incremental_assign([])  # received once its feed says from where
        with self._lock:
            self._owned |= {place.partition for place in places}

    def _revoke(self, consumer: Any, places: Sequence[Any]) -> None:
        leaving = self._leave(places)
        with self._lock:
            self._given_up.wait_for(
                lambda: self._ending or all(feed.is_closed for feed in leaving), HANDOVER
            )
        self._commit(leaving, wait=True)
        self._stop([place.partition for place in places], or_none=True)

    def _lose(self, consumer: Any, places: Sequence[Any]) -> None:
        """The group took them away already: another member may be reading them."""
        self._leave(places)
        self._stop([place.partition for place in places], or_none=True)

    def _leave(self, places: Iterable[Any]) -> list[Partition]:
        leaving = []
        with self._lock:
            for number in [place.partition for place in places]:
                self._owned.discard(number)
                feed = self._feeds.get(number)
                if feed is None:
                    continue
                feed.lose()
                leaving.append(feed)
                if feed.is_closed:
                    del self._feeds[number]
                else:
                    self._lost.append(feed.name)
        return leaving

    def _stop(self, numbers: Iterable[int], or_none: bool = False) -> None:
        """Receive partitions no more; `or_none`: the client waits for the call in any case."""
        known = self._assigned.intersection(numbers)
        self._assigned -= known
        if known or or_none:
            places = [self._library.TopicPartition(self.topic, number) for number in known]
            self._consumer.incremental_unassign(places)

    def _commit(self, feeds: Iterable[Partition], wait: bool = False) -> None:
        with self._lock:
            places = []
            for feed in feeds:
                if feed.to_commit is not None:
                    places.append(self._place(feed, feed.to_commit))
                    feed.to_commit = None
        if places:
            try:
                self._consumer.commit(offsets=places, asynchronous=not wait)
            except self._library.KafkaException as error:
                self._committed(error.args[0], places)

    def _committed(self, error: Any, places: Sequence[Any]) -> None:
        """Nothing hangs on it but what others see; the next checkpoint's is greater."""
        if error is not None:
            self._metrics.count("errors", "kafka_commit")

    def _failed(self, error: Any) -> None:
        """Told by the client, which tries again by itself."""
        self._metrics.count("errors", "kafka")
        self._say(str(error.code()), "Kafka cannot be read, it is tried again", error)

    def _say(self, kind: str, text: str, error: object) -> None:
        """Tell of a failure, not more often than once a minute for each kind."""
        now = time.monotonic()
        if now > self._told.get(kind, -_TELL_AGAIN) + _TELL_AGAIN:
            self._told[kind] = now
            self._tell(f"{text}: {reason_of(error)}")

    def _hear(self, told: str) -> None:
        """Which partitions' brokers answer: each fetch is answered in half a second, with nothing
        if there is nothing, and the client says nothing of one that is not."""
        found = json.loads(told)
        idle = {b["nodeid"]: b["rxidle"] for b in found["brokers"].values() if b["state"] == "UP"}
        parts = found["topics"].get(self.topic, {}).get("partitions", {})
        with self._lock:
            for number, feed in self._feeds.items():
                leader = parts.get(str(number), {}).get("leader", -1)
                unheard = leader >= 0 and idle.get(leader, _UNHEARD) >= _UNHEARD
                feed.unheard = unheard and feed.placed and not feed.paused

    def _share(self) -> int:
        return max(ROOM // max(len(self._owned), 1), _LEAST_ROOM)

    def _place(self, feed: Partition, offset: int | None = None) -> Any:
        place = self._library.TopicPartition(self.topic, feed.number)
        if offset is not None:
            place.offset = offset
        return place

    def _ends(self, feed: Partition, patience: float) -> tuple[int, int]:
        """The first offset of a partition, and the one after its last."""
        found = self._consumer.get_watermark_offsets(self._place(feed), timeout=patience)
        if found is None:
            raise self._library.KafkaException(self._library.KafkaError._TIMED_OUT)
        return int(found[0]), int(found[1])
