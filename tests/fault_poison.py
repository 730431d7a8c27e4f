"""Poison: entries and messages of a broker that hold no lines, or none that anybody expected."""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path

from fault_kit import QUICK, Outcome, complete, judged, log, nest, until, written
from fault_redis import Sender, found
from kafka_cluster import Cluster
from redis_server import running

__all__ = ["of_kafka", "of_redis"]

_LARGEST = 20_000
_BYTES = (
    b"\xff\xfe\x00\x01",
    b"\x00" * 50,
    b"\x1b[2J\r",
    b"\xc3(\xed\xa0\x80",
    b"a\xffreq-\x80 is read",
)
"""Lines all the same, although of no text."""


def of_redis(folder: Path, rounds: int) -> Outcome:
    """Entries with other fields, with empty ones, with giant ones, and of bytes that are no text,
    among good ones. Those that hold no lines are found in the stream of poison, and all others
    count as if those had never been there."""
    dice, put_aside = random.Random(rounds), 0
    changes = f"{QUICK}\nredis_source._LARGEST = {_LARGEST}"
    with running(folder) as server, nest(folder, changes) as home:
        sender = Sender(server, "logs", log(5_000))
        url = server.url()
        args = ("--in", f"{url}logs", "--out", f"{url}found", "--state", f"{url}state")
        child = home.hatch(*args)
        for _ in range(rounds):
            time.sleep(dice.uniform(0.01, 0.1))
            with sender.held:
                if dice.random() < 0.3:
                    sender.say(dice.choice(_BYTES) + b"\n")
                    continue
                put_aside += 1
                field = dice.choice(("lines", "line", "message"))
                sender.add(
                    *dice.choice(
                        (
                            (b"x", "json"),
                            (b"", field),
                            (b"\n", field),
                            (b"x" * _LARGEST, field),
                            (b"", ""),
                        )
                    )
                )
        sent, began = sender.finish(), time.monotonic()
        expected = judged(sent)
        with server.client() as client:
            until(lambda: client.xlen("found") >= len(expected), "all findings")
            until(lambda: client.xlen("logs:poison") >= put_aside, "all poison")
        lag = time.monotonic() - began
        time.sleep(0.2)
        child.stop()
        assert client.xlen("logs:poison") == put_aside
        return Outcome.of("poison came by Redis", rounds, expected, found(server), lag)


def of_kafka(folder: Path, rounds: int) -> Outcome:
    """Messages without a value, with an empty one, with a giant one, and of bytes that are no text,
    among good ones."""
    dice, out, cluster = random.Random(rounds), folder / "out.jsonl", Cluster()
    topic, lines, sent = cluster.topic(), log(5_000), list[bytes]()
    poison = (None, b"", b"x" * (_LARGEST + 1))
    bound = f"from logwright.stream import kafka_source\nkafka_source.MESSAGE_BYTES = {_LARGEST}"
    with nest(folder, f"{QUICK}\n{bound}") as home:
        args = ("--in", cluster.url(topic), "--out", str(out), "--state", str(folder / "w.db"))
        child = home.hatch(*args)
        for _ in range(rounds):
            values = [
                "".join(itertools.islice(lines, dice.randint(1, 24))).encode() for _ in range(5)
            ]
            if dice.random() < 0.3:
                values[2] = dice.choice(_BYTES)
            sent += values
            cluster.send(topic, 0, [*values[:3], dice.choice(poison), *values[3:]])
            time.sleep(dice.uniform(0.01, 0.1))
        began = time.monotonic()
        expected = judged(b"".join(v if v.endswith(b"\n") else v + b"\n" for v in sent))
        complete(out, len(expected))
        lag = time.monotonic() - began
        time.sleep(0.2)
        child.stop()
    return Outcome.of("poison came by Kafka", rounds, expected, written(out), lag)
