"""A Kafka of the tests' own: librdkafka's mock cluster, in this process.

It speaks the protocol, with groups, commits and idempotent producers, but keeps about 5 MB of a
partition and nothing on disk: what is tested with it is the client's side, and no durability.
"""

from __future__ import annotations

import pytest

__all__ = ["Cluster"]


class Cluster:
    """A mock cluster of one broker; topics have four partitions."""

    def __init__(self) -> None:
        self.kafka = pytest.importorskip("confluent_kafka")
        settings = {
            "bootstrap.servers": "mock",
            "test.mock.num.brokers": 1,
            "log_level": 2,
            "message.max.bytes": 8 << 20,
            "linger.ms": 0,
        }
        self.producer = self.kafka.Producer(settings)
        found = self.producer.list_topics(timeout=10).brokers.values()
        self.brokers = ",".join(f"{broker.host}:{broker.port}" for broker in found)
        self._number = 0

    def topic(self) -> str:
        """A topic of the test's own."""
        self._number += 1
        name = f"topic-{self._number}"
        self.producer.list_topics(name, timeout=10)  # makes it
        return name

    def send(self, topic: str, partition: int, values: list[bytes | None]) -> None:
        for value in values:
            self.producer.produce(topic, value, partition=partition)
        assert self.producer.flush(20) == 0

    def url(self, topic: str, group: str = "g", start: str = "begin", wait: int = 3_000) -> str:
        # Many heartbeats: machines that run tests stand still for a second at times. A rebalance
        # of the mock cluster takes as long as a session lasts, so that is short.
        beats = f"session.timeout.ms={wait}&heartbeat.interval.ms=300"
        options = f"group={group}-{topic}&from={start}&{beats}"
        return f"kafka://{self.brokers}/{topic}?{options}"

    def committed(self, topic: str, group: str = "g") -> dict[int, int]:
        settings = {"bootstrap.servers": self.brokers, "group.id": f"{group}-{topic}"}
        looker = self.kafka.Consumer(settings)
        places = [self.kafka.TopicPartition(topic, number) for number in range(4)]
        found = {p.partition: p.offset for p in looker.committed(places, 10) if p.offset >= 0}
        looker.close()
        return found

    def all_of(self, topic: str, count: int) -> list[tuple[int, bytes, bytes]]:
        """What a topic holds: partition, key, value."""
        settings = {"bootstrap.servers": self.brokers, "group.id": "look", "log_level": 2}
        looker = self.kafka.Consumer(settings)
        begin = self.kafka.OFFSET_BEGINNING
        looker.assign([self.kafka.TopicPartition(topic, n, begin) for n in range(4)])
        found = looker.consume(count, 10)
        looker.close()
        return [(m.partition(), m.key(), m.value()) for m in found if m.error() is None]
