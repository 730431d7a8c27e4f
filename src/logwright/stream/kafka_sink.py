"""A Kafka topic as a sink: each finding a message, its key the finding's id.

`put` returns when every message was taken by all brokers that have to have it. The producer is
idempotent: its own retries neither double nor reorder. What a failed `put` was given is given
again, so after a failure a topic can hold a finding twice: its id tells, and a compacted topic
keeps one. Order holds within a partition, and findings are spread by id: who needs the order of all
findings makes the topic with one partition.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from logwright.stream.kafka_link import client, parsed, reason_of
from logwright.stream.sink import SinkError

__all__ = ["KafkaSink"]

_PATIENCE = 10.0
"""Seconds after which a message that the brokers did not take has failed."""

_SETTINGS: dict[str, Any] = {
    "enable.idempotence": True,
    "linger.ms": 1,
    "message.timeout.ms": int(_PATIENCE * 1000),
    "message.max.bytes": 8 << 20,  # the topic's own limit decides
    "reconnect.backoff.max.ms": 1_000,
}


class KafkaSink:
    """``kafka://HOST:PORT[,HOST:PORT]/TOPIC``; `kafka_link` has the other options."""

    def __init__(self, url: str) -> None:
        self._address = parsed(url, ())
        self.name = f"kafka:{self._address.topic}"
        self._producer: Any = client("Producer", self._address, _SETTINGS)

    def put(self, findings: Sequence[bytes]) -> None:
        """Send findings; `SinkError` where the brokers did not take them all in time."""
        if self._producer is None:
            self._producer = client("Producer", self._address, _SETTINGS)
        reports: list[Any] = []
        failure: object = None
        try:
            for finding in findings:
                self._send(finding, lambda error, message: reports.append(error))
        except _failures() as error:
            failure = error
        self._producer.flush(_PATIENCE + 1)
        taken = sum(error is None for error in reports)
        if taken == len(findings):
            return
        # What is still queued must not arrive after what is given again; and the idempotent
        # producer may be past use.
        self.close()
        failure = next((error for error in reports if error is not None), failure)
        raise SinkError(
            f"Kafka at {self._address.brokers} took {taken} of {len(findings)} findings for the"
            f" topic {self._address.topic}: {reason_of(failure or 'the brokers do not answer')}"
        )

    def _send(self, finding: bytes, report: Any) -> None:
        key = json.loads(finding)["id"]
        while True:
            try:
                self._producer.produce(self._address.topic, finding, key, on_delivery=report)
                return
            except BufferError:  # the client's queue is full: it empties, or times out
                self._producer.poll(0.05)

    def close(self) -> None:
        """Let the producer go, and what it still has."""
        if self._producer is not None:
            self._producer.purge(blocking=False)
            self._producer.flush(0)
            self._producer = None


def _failures() -> type[Exception]:
    from confluent_kafka import KafkaException

    failure: type[Exception] = KafkaException
    return failure
