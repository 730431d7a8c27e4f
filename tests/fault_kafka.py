"""A fault of Kafka's groups: partitions move between workers in the middle of sessions."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fault_kit import Nest, Outcome, complete, judged, log, nest, short, written
from kafka_cluster import Cluster

__all__ = ["moved"]

_GROUPS = 10
_PARTITIONS = 4


class _Sender(threading.Thread):
    """Gives each partition of some topics lines of its own, a few at a time."""

    def __init__(self, cluster: Cluster, topics: list[str]) -> None:
        super().__init__(daemon=True)
        self._cluster = cluster
        self._places = list(itertools.product(topics, range(_PARTITIONS)))
        self.sent: dict[tuple[str, int], list[str]] = defaultdict(list)
        self.over = threading.Event()

    def run(self) -> None:
        dice = random.Random(1)
        lines = {place: log(5_000 + 100_000 * n) for n, place in enumerate(self._places)}
        while not self.over.wait(0.05):
            for place in self._places:
                some = list(itertools.islice(lines[place], dice.randint(0, 6)))
                if some:
                    topic, number = place
                    self._cluster.producer.produce(topic, "".join(some), partition=number)
                    self.sent[place] += some
            self._cluster.producer.poll(0)
        assert self._cluster.producer.flush(20) == 0

    def expected(self, topic: str) -> list[str]:
        """The findings of a topic."""
        parts = (lines for (name, _), lines in self.sent.items() if name == topic)
        return [each for lines in parts for each in judged("".join(lines).encode())]


def moved(folder: Path, rounds: int) -> Outcome:
    """In each of some groups workers come, and others leave or are killed, until so many
    partitions have moved; each has some thirty sessions open."""
    cluster = Cluster()
    groups = min(_GROUPS, -(-rounds // 4))
    topics = [cluster.topic() for _ in range(groups)]
    sender = _Sender(cluster, topics)
    with nest(folder, short(1.0)) as home:
        sender.start()
        each = -(-rounds // groups)
        with ThreadPoolExecutor(groups) as pool:
            crowds = [pool.submit(_crowd, home, cluster, folder, topic, each) for topic in topics]
        moves = sum(crowd.result() for crowd in crowds)
        sender.over.set()
        sender.join()
        began = time.monotonic()
        expected = {topic: sender.expected(topic) for topic in topics}
        for topic in topics:
            complete(folder / f"{topic}.jsonl", len(expected[topic]))
        lag = time.monotonic() - began
        time.sleep(0.2)
        for child in home.all:
            if not child.gone():
                child.stop()
    got = [each for topic in topics for each in written(folder / f"{topic}.jsonl")]
    foretold = [each for topic in topics for each in expected[topic]]
    return Outcome.of("a partition moved", moves, foretold, got, lag)


def _crowd(home: Nest, cluster: Cluster, folder: Path, topic: str, rounds: int) -> int:
    """Workers of one group, two at most, until its partitions have moved so often; gives
    how often."""
    dice, all_of = random.Random(topic), []
    args = ("--in", cluster.url(topic), "--out", str(folder / f"{topic}.jsonl"))
    old, moves = None, 0
    while moves < rounds:
        new = home.hatch(*args, "--state", str(folder / f"{topic}.db"))
        all_of.append(new)
        new.takes(0)
        time.sleep(dice.uniform(0, 0.5))
        if old is not None:
            before = new.owned()
            old.kill() if dice.random() < 0.5 else old.stop()
            new.takes(before)
            time.sleep(dice.uniform(0, 0.5))
        old = new
        moves = sum(child.owned() for child in all_of) - _PARTITIONS
    return moves
