"""Who sends: lines by the clock into a Redis stream or a Kafka topic, whether or not anybody keeps
up.

Run as a process, ``python -m logwright.bench.stream_producer`` with the words of `Sending` as JSON.
It says in the measurement's Redis (`READY`) which address a worker is to read and what its feed is
called, waits for `GO` there, sends, and prints what came of it as JSON.

Kafka is librdkafka's mock cluster, in this very process. It speaks the protocol, keeps about 5 MB
of a partition and nothing on disk: it is no test of a broker's speed or durability.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from logwright.bench.stream_lines import Flow, parts

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["GO", "READY", "STREAM", "Sending", "Sent", "flow_of"]

READY, GO = "bench:ready", "bench:go"
STREAM = "logs"


@dataclass(frozen=True, slots=True)
class Sending:
    """What is to be sent: so many lines, `size` of them an entry, at `rate` lines a second, by way
    of "redis" or "kafka". `port` is the Redis; `data` the folder of the data sets."""

    data: str
    port: int
    way: str
    lines: int
    size: int
    rate: float

    @property
    def words(self) -> str:
        """For the process."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of it. Entry i was due at `first` + i * size / rate seconds since 1970, which is
    when its last line is there; by `late` seconds it was sent after that, at the 99th percentile
    (which is part of what findings wait)."""

    first: float
    late: float


def flow_of(data: str | Path, rate: float) -> Flow:
    """The sample's later sessions, without end."""
    return Flow(parts(Path(data))[1], rate)


def main(words: str) -> None:
    """Send, and say what came of it."""
    from redis import Redis

    sending = Sending(**json.loads(words))
    flow = flow_of(sending.data, sending.rate)
    client = Redis("127.0.0.1", sending.port, protocol=2)
    send, finish = (_kafka if sending.way == "kafka" else _redis)(client)
    while not client.exists(GO):
        time.sleep(0.01)
    step = sending.size / sending.rate
    late: list[float] = []
    began, epoch = time.monotonic() + step, time.time() + step
    for at, data in enumerate(flow.entries(sending.size, sending.lines)):
        due = began + at * step
        if (wait := due - time.monotonic()) > 0:
            time.sleep(wait)
        send(data)
        late.append(time.monotonic() - due)
    sent = Sent(epoch, float(np.quantile(late, 0.99)))
    sys.stdout.write(json.dumps(asdict(sent)) + "\n")
    sys.stdout.flush()
    while finish() and client.exists(GO):
        time.sleep(0.05)


_Way = tuple[Callable[[bytes], object], Callable[[], bool]]
"""Sends an entry; says whether it must stay until the end of the measurement."""


def _redis(client: Redis) -> _Way:
    port = client.connection_pool.connection_kwargs["port"]
    source = f"redis://127.0.0.1:{port}/{STREAM}?trim=done"
    client.hset(READY, mapping={"source": source, "feed": f"redis:{STREAM}"})
    return (lambda data: client.xadd(STREAM, {"lines": data})), (lambda: False)


def _kafka(client: Redis) -> _Way:
    from confluent_kafka import Producer

    settings = {
        "bootstrap.servers": "mock",
        "test.mock.num.brokers": 1,
        "log_level": 2,
        "linger.ms": 0,
    }
    producer = Producer(settings)
    producer.list_topics(STREAM, timeout=10)  # makes it
    brokers = producer.list_topics(timeout=10).brokers.values()
    source = f"kafka://{','.join(f'{b.host}:{b.port}' for b in brokers)}/{STREAM}"
    client.hset(READY, mapping={"source": source, "feed": f"kafka:{STREAM}/0"})

    def send(data: bytes) -> None:
        producer.produce(STREAM, data, partition=0)
        producer.poll(0)

    def finish() -> bool:
        producer.flush(10)
        return True  # the cluster ends with this process

    return send, finish


if __name__ == "__main__":
    main(sys.argv[1])
