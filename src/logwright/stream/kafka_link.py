"""How a Kafka cluster is named and reached: an address, and a client's settings made from it.

An address is ``kafka://HOST:PORT[,HOST:PORT]/TOPIC?OPTION=VALUE&...``. Of the client library's own
options only those of `PASSED` are let through: others would change what is promised (offsets,
order), or load code. The password comes from the environment, never from the address, which is
shown in messages and kept by shells.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from logwright.errors import MissingExtraError, SettingsError

__all__ = [
    "CONSUMER",
    "PASSED",
    "PASSWORD",
    "KafkaAddress",
    "client",
    "logger",
    "parsed",
    "reason_of",
]

PASSWORD = "LOGWRIGHT_KAFKA_PASSWORD"

PASSED = (
    *("client.id", "client.rack", "group.instance.id"),
    *("session.timeout.ms", "heartbeat.interval.ms"),
    *("security.protocol", "sasl.mechanism", "sasl.username", "ssl.ca.location"),
    *("ssl.certificate.location", "ssl.key.location", "ssl.endpoint.identification.algorithm"),
)
"""Options of librdkafka that an address may hold, by its own names for them."""

CONSUMER: dict[str, Any] = {
    "partition.assignment.strategy": "cooperative-sticky",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,  # gives the end, for the lag
    "auto.offset.reset": "error",  # to tell what was deleted unread
    "isolation.level": "read_committed",
    "session.timeout.ms": 10_000,  # a dead worker's partitions move after this
    "heartbeat.interval.ms": 2_000,
    "topic.metadata.refresh.interval.ms": 30_000,
    "statistics.interval.ms": 500,  # tells which brokers answer
    "fetch.wait.max.ms": 20,  # what is new comes at once; this is for partitions that join in
    "fetch.queue.backoff.ms": 5,
    "fetch.max.bytes": 8 << 20,
    "receive.message.max.bytes": 128 << 20,
    "queued.max.messages.kbytes": 16 << 10,  # beside what waits for the worker
    "reconnect.backoff.max.ms": 2_000,
}
"""How a source reads: nothing is committed by itself, what is new comes at once."""

_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_BROKER = re.compile(r"([\w.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?")

logger = logging.getLogger("logwright.kafka")
logger.addHandler(logging.NullHandler())  # librdkafka would write to standard error by itself


@dataclass(frozen=True, slots=True)
class KafkaAddress:
    """One topic of a cluster; `options` are ours, `passed` the client library's."""

    brokers: str
    topic: str
    options: dict[str, str] = field(default_factory=dict)
    passed: dict[str, str] = field(default_factory=dict)


def parsed(url: str, ours: Collection[str]) -> KafkaAddress:
    """Take an address apart; `ours` are the options that are known besides `PASSED`.

    >>> parsed("kafka://one,two:9093/app?group=g", {"group"})
    KafkaAddress(brokers='one:9092,two:9093', topic='app', options={'group': 'g'}, passed={})
    """
    # Brokers are read apart: what is between brackets in the middle is no address to some Pythons.
    scheme, _, rest = url.partition("://")
    brokers, slash, path = rest.partition("/")
    parts = urlsplit(f"{scheme}://{slash}{path}")._replace(netloc=brokers)
    if "@" in parts.netloc:
        raise SettingsError(
            "A kafka:// address holds no user or password: name the user by the option"
            f" sasl.username, and put the password into the environment as {PASSWORD}"
        )
    names = parts.netloc.split(",")
    topic = parts.path.strip("/")
    wrong = None
    if parts.scheme != "kafka" or parts.fragment or not all(map(_BROKER.fullmatch, names)):
        wrong = "it is kafka://HOST:PORT[,HOST:PORT]/TOPIC"
    elif not _TOPIC.fullmatch(topic) or topic in (".", ".."):
        wrong = f"{topic!r} cannot be a topic's name"
    options: dict[str, str] = {}
    passed: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in ours and name not in PASSED:
            wrong = f"there is no option {name!r}, there are {', '.join((*sorted(ours), *PASSED))}"
        elif name in options or name in passed or not value:
            wrong = f"the option {name!r} has no value, or several"
        (options if name in ours else passed)[name] = value
    if wrong:
        raise SettingsError(f"The address {url!r} cannot be used: {wrong}")
    with_ports = [name if re.search(r":\d+$", name) else f"{name}:9092" for name in names]
    return KafkaAddress(",".join(with_ports), topic, options, passed)


def client(kind: str, address: KafkaAddress, settings: dict[str, Any]) -> Any:
    """A `Consumer` or a `Producer` of the client library.

    What an address passes goes before `settings`; nothing of it is in both.
    """
    try:
        import confluent_kafka as library
    except ImportError:
        raise MissingExtraError("kafka", "confluent-kafka") from None
    password = os.environ.get(PASSWORD)
    secret = {"sasl.password": password} if password else {}
    base = {"bootstrap.servers": address.brokers, "client.id": "logwright", "log_level": 4}
    try:
        return getattr(library, kind)(base | settings | address.passed | secret, logger=logger)
    except (library.KafkaException, ValueError, TypeError) as error:
        raise SettingsError(
            f"Kafka at {address.brokers} cannot be used: {reason_of(error)}"
        ) from None


def reason_of(error: object) -> str:
    """What the client library says of an error (its own kind, or an exception), in words."""
    inner = error.args[0] if isinstance(error, Exception) and error.args else error
    text = getattr(inner, "str", None)
    return str(text() if callable(text) else inner)
