"""Kafka: nothing lost or doubled however partitions move, bounded memory, honest failures."""

from __future__ import annotations

import builtins
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import endless_logs
import logwright as lw
from kafka_cluster import Cluster
from logwright import api
from logwright.errors import InputError, MissingExtraError, SettingsError
from logwright.findings.finding import Finding
from logwright.settings import Settings
from logwright.stream import kafka_sink, kafka_source
from logwright.stream.feed import Entry, Feed
from logwright.stream.kafka_feed import Message, Partition, entries
from logwright.stream.kafka_link import PASSWORD, KafkaAddress, parsed
from logwright.stream.kafka_sink import KafkaSink
from logwright.stream.kafka_source import KafkaSource
from logwright.stream.metrics import Metrics
from logwright.stream.running import Running
from logwright.stream.sink import SinkError

OURS = ("group", "from")


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster()


class Told(Metrics):
    """What a source tells and counts."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.counts: dict[str, int] = defaultdict(int)

    def count(self, name: str, what: str, n: int = 1) -> None:
        self.counts[what] += n


@pytest.fixture
def opened() -> Iterator[Callable[..., KafkaSource]]:
    sources: list[KafkaSource] = []

    def open_source(url: str, told: Told | None = None) -> KafkaSource:
        told = told or Told()
        sources.append(KafkaSource(url, told.texts.append, told))
        return sources[-1]

    yield open_source
    for source in sources:
        source.close()


def until(condition: Callable[[], Any], what: str, seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"{what}: not within {seconds} s")


def gained(source: KafkaSource, count: int) -> dict[str, Feed]:
    feeds: dict[str, Feed] = {}

    def enough() -> bool:
        feeds.update({feed.name: feed for feed in source.feeds()[0]})
        return len(feeds) >= count

    until(enough, f"{count} feeds")
    return feeds


def read_all(feed: Feed, size: int) -> list[Entry]:
    """Entries until they hold so many bytes, and what comes right after."""
    found: list[Entry] = []

    def enough() -> bool:
        found.extend(feed.read(1 << 20, 0.1))
        return sum(len(entry.data) for entry in found) >= size

    until(enough, f"{size} bytes of {feed.name}")
    return [*found, *feed.read(1 << 20, 0.1)]


def text(found: list[Entry]) -> bytes:
    return b"".join(entry.data for entry in found)


class TestAddress:
    def test_brokers_topic_and_options(self) -> None:
        url = "kafka://one,two:9093,[::1]/a.b-c_1?group=g&from=end&security.protocol=ssl"
        assert parsed(url, OURS) == KafkaAddress(
            "one:9092,two:9093,[::1]:9092",
            "a.b-c_1",
            {"group": "g", "from": "end"},
            {"security.protocol": "ssl"},
        )

    @pytest.mark.parametrize(
        "url",
        [
            *("kafka://", "kafka://host", "kafka:///topic", "kafka://host/", "kafka://host/a/b"),
            *("kafka://ho st/t", "kafka://host:x/t", "kafka://host,/t", "kafka://host/.."),
            *("redis://host/t", "kafka://host/t#f", "kafka://host/t?group=", "kafka://host/t?x=1"),
            "kafka://host/t?group=a&group=b",
            "kafka://host/t?plugin.library.paths=evil.so",  # would load code
            "kafka://host/t?enable.auto.commit=true",  # would break what is promised
        ],
    )
    def test_others_are_refused_in_one_sentence(self, url: str) -> None:
        with pytest.raises(SettingsError, match="The address") as caught:
            parsed(url, OURS)
        assert "\n" not in str(caught.value)

    def test_a_password_is_neither_taken_nor_shown(self) -> None:
        with pytest.raises(SettingsError) as caught:
            parsed("kafka://me:secret@host/topic", OURS)
        assert "secret" not in str(caught.value)
        assert PASSWORD in str(caught.value)

    def test_from_is_begin_or_end(self) -> None:
        with pytest.raises(SettingsError, match="begin or end"):
            KafkaSource("kafka://host/topic?from=middle")

    def test_a_bad_value_is_told_in_one_sentence(self) -> None:
        pytest.importorskip("confluent_kafka")
        with pytest.raises(SettingsError, match=r"session\.timeout\.ms"):
            KafkaSource("kafka://host/topic?session.timeout.ms=soon")

    def test_without_the_library_it_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        true_import = builtins.__import__

        def without(name: str, *rest: Any, **named: Any) -> Any:
            if name.startswith("confluent_kafka"):
                raise ImportError(name)
            return true_import(name, *rest, **named)

        monkeypatch.setattr(builtins, "__import__", without)
        for kind in (KafkaSource, KafkaSink):
            with pytest.raises(MissingExtraError, match=r"pip install 'logwright\[kafka\]'"):
                kind("kafka://host/topic")


def messages(sizes: list[int], times: list[int]) -> list[Message]:
    return [
        (b"%d" % at + b"x" * size + b"\n", 10 + at, when)
        for at, (size, when) in enumerate(zip(sizes, times, strict=False))
    ]


MESSAGES = st.builds(
    messages,
    st.lists(st.integers(0, 30), max_size=30),
    st.lists(st.integers(0, 30_000_000_000), min_size=30, max_size=30),
)


class TestPartition:
    @given(MESSAGES, st.integers(0, 40_000_000_000))
    def test_entries_are_the_messages_in_order(self, given: list[Message], now: int) -> None:
        found = list(entries(given, now))
        assert text(found) == b"".join(data for data, _, _ in given)
        at = {str(after): index + 1 for index, (_, after, _) in enumerate(given)}
        begin = 0
        for entry in found:  # each ends where its position says, and none is late by its time
            members = given[begin : at[entry.position]]
            assert entry.data == b"".join(data for data, _, _ in members)
            assert entry.arrived == max(arrived for _, _, arrived in members)
            begin += len(members)
        assert begin == len(given)

    def test_an_entry_s_time_is_true_for_its_first_line_too(self) -> None:
        now = 1_000_000_000_000
        given = [(b"a\n", 1, now), (b"b\n", 2, now + 900_000), (b"c\n", 3, now + 1_900_000)]
        assert [entry.data for entry in entries(given, now)] == [b"a\nb\n", b"c\n"]

    @given(MESSAGES, st.integers(1, 100))
    def test_reads_are_bounded_and_lose_nothing(self, given: list[Message], most: int) -> None:
        lock = threading.Lock()
        feed = Partition("t", 0, lock, lambda feed: None)
        with lock:
            feed.take(given)
        found = []
        while some := feed.read(most, 0):
            assert sum(len(entry.data) for entry in some) <= max(most, 33)
            found += some
        assert text(found) == b"".join(data for data, _, _ in given)
        assert feed.size == 0

    @pytest.mark.parametrize("end", ["lose", "close"])
    def test_a_waiting_reader_is_woken_when_the_feed_goes(self, end: str) -> None:
        lock = threading.Lock()
        feed = Partition("t", 0, lock, lambda feed: None)
        with lock:
            feed.take([(b"held\n", 1, 0)])
        assert text(feed.read(100, 0)) == b"held\n"

        def go() -> None:
            time.sleep(0.1)
            if end == "close":
                feed.close()
                return
            with lock:
                feed.lose()

        threading.Thread(target=go).start()
        began = time.monotonic()
        assert feed.read(100, 20) == []
        assert time.monotonic() - began < 10

    def test_a_foreign_position_is_refused(self) -> None:
        feed = Partition("t", 0, threading.Lock(), lambda feed: None)
        for position in ("-1", "1-0", "", "x", "²"):
            with pytest.raises(InputError, match="no offset"):
                feed.seek(position)


@pytest.mark.slow
class TestSource:
    def test_whatever_messages_hold_comes_as_lines(
        self, cluster: Cluster, opened: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kafka_source, "MESSAGE_BYTES", 1_000)
        topic, told = cluster.topic(), Told()
        odd: list[bytes | None] = [b"one", None, b"two\nthree", b"", b"\xff\x00\xfe\n", b"\n"]
        cluster.send(topic, 0, [*odd, b"x" * 1_001, b"last\r\n"])
        feeds = gained(opened(cluster.url(topic), told), 4)
        feed = feeds[f"kafka:{topic}/0"]
        assert feed.read(100, 0.2) == []  # nothing before it is said from where
        assert feed.lag() is None
        feed.seek(None)
        found = read_all(feed, 25)
        assert text(found) == b"one\ntwo\nthree\n\xff\x00\xfe\n\nlast\r\n"
        assert found[-1].position == "8"
        assert told.counts == {"tombstone": 1, "empty": 1, "too_large": 1}
        assert "the message at offset 6 was left out" in told.texts[0]
        assert abs(found[-1].arrived - time.time_ns()) < 60e9
        until(lambda: feed.lag() == 0, "no lag")

        # From the middle on, as after a restart; only what was checkpointed is committed.
        feed.seek("5")
        assert text(read_all(feed, 7)) == b"\nlast\r\n"
        feed.done("5")
        until(lambda: cluster.committed(topic) == {0: 5}, "a commit")

        # A feed that is closed while the partition stays is offered anew.
        feed.close()
        feed.close()
        again = gained(_source_of(feed), 1)[feed.name]
        again.seek("7")
        assert text(read_all(again, 6)) == b"last\r\n"

    @pytest.mark.slow
    def test_a_broker_that_is_silent_is_no_log_that_is(self, opened: Any) -> None:
        pytest.importorskip("confluent_kafka")
        script = (
            "import sys, kafka_cluster as k; c = k.Cluster(); t = c.topic();"
            "c.send(t, 0, [b'one']); print(c.url(t, wait=30_000), flush=True);"
            "[(c.send(t, 0, [b'two']), print(flush=True)) for _ in sys.stdin]"
        )
        command = [sys.executable, "-c", script]
        with subprocess.Popen(
            command,
            cwd=Path(__file__).parent,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as broker:
            assert broker.stdin is not None
            assert broker.stdout is not None
            try:
                topic = (url := broker.stdout.readline().strip()).split("/")[-1].partition("?")[0]
                feed = gained(opened(url), 4)[f"kafka:{topic}/0"]
                feed.seek(None)
                assert text(read_all(feed, 4)) == b"one\n"
                began = time.monotonic()
                while time.monotonic() < began + 3:
                    assert feed.read(100, 0.1) == []  # the log is silent, the broker is not
                broker.send_signal(signal.SIGSTOP)

                def says_so() -> bool:
                    try:
                        return feed.read(100, 0.1) != []
                    except InputError:
                        return True

                until(says_so, "an error")
                with pytest.raises(InputError, match="the broker has not answered"):
                    feed.read(100, 0.1)
                broker.send_signal(signal.SIGCONT)
                broker.stdin.write("\n")
                broker.stdin.flush()

                def comes() -> bytes:
                    try:
                        return text(feed.read(100, 0.1))
                    except InputError:
                        return b""

                assert until(comes, "the line") == b"two\n"
            finally:
                broker.kill()

    def test_from_end_begins_where_it_began_before(self, cluster: Cluster, opened: Any) -> None:
        topic = cluster.topic()
        cluster.send(topic, 1, [b"before"])
        source = opened(cluster.url(topic, start="end"))
        feed = gained(source, 4)[f"kafka:{topic}/1"]
        feed.seek(None)
        until(lambda: cluster.committed(topic), "where it began is kept")
        cluster.send(topic, 1, [b"after"])
        assert text(read_all(feed, 6)) == b"after\n"
        source.close()  # died before a checkpoint
        cluster.send(topic, 1, [b"later"])
        feed = gained(opened(cluster.url(topic, start="end")), 4)[f"kafka:{topic}/1"]
        feed.seek(None)
        assert text(read_all(feed, 12)) == b"after\nlater\n"

    def test_memory_is_bounded_while_the_worker_is_busy(
        self, cluster: Cluster, opened: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kafka_source, "ROOM", 400_000)
        monkeypatch.setattr(kafka_source, "_LEAST_ROOM", 100_000)
        monkeypatch.setattr(kafka_source, "_MANY", 50)
        topic = cluster.topic()
        lines: list[bytes | None] = [b"%06d" % at + b"x" * 993 for at in range(4_000)]
        cluster.send(topic, 0, lines)
        cluster.send(topic, 1, [b"of another partition"])
        feeds = gained(opened(cluster.url(topic)), 4)
        full, other = (feeds[f"kafka:{topic}/{number}"] for number in (0, 1))
        assert isinstance(full, Partition)
        for feed in (full, other):
            feed.seek(None)
        until(lambda: full.paused, "a pause")
        assert text(read_all(other, 21)) == b"of another partition\n"  # read on meanwhile
        time.sleep(0.3)
        assert full.size <= 100_000 + 51 * 1_000
        cluster.send(topic, 0, lines[:300])
        until(lambda: full.lag() == 4_300, "the lag, although nothing is received")
        expected = b"".join(b"%s\n" % line for line in [*lines, *lines[:300]])
        assert text(read_all(full, len(expected))) == expected
        until(lambda: full.lag() == 0, "no lag")

    def test_what_was_deleted_unread_is_counted_and_told(
        self, cluster: Cluster, opened: Any
    ) -> None:
        topic, told = cluster.topic(), Told()
        for first in range(0, 120, 20):  # the mock keeps the last 5 MB
            cluster.send(
                topic, 2, [b"%03d" % at + b"x" * 99_996 for at in range(first, first + 20)]
            )
        feed = gained(opened(cluster.url(topic), told), 4)[f"kafka:{topic}/2"]
        feed.seek("0")
        found = until(lambda: feed.read(1 << 20, 0.1), "what is left")
        gone = told.counts["deleted_unread"]
        assert gone > 50
        assert found[0].data[:3] == b"%03d" % gone
        assert any(f"{gone} messages were deleted before they were read" in t for t in told.texts)
        # A topic that was made anew is shorter than what was read.
        feed.seek("1000")
        found = until(lambda: feed.read(1 << 20, 0.1), "the new topic")
        assert found[0].data[:3] == b"%03d" % gone
        assert any("made anew" in text for text in told.texts)

    def test_a_worker_that_does_not_let_go_holds_others_up_for_a_while_only(
        self, cluster: Cluster, opened: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kafka_source, "HANDOVER", 0.5)
        topic = cluster.topic()
        first = opened(cluster.url(topic))
        old = gained(first, 4)
        for feed in old.values():
            feed.seek(None)
        second = opened(cluster.url(topic))
        new = gained(second, 2)
        cluster.send(topic, 0, [b"a"])
        cluster.send(topic, 1, [b"b"])
        for name, feed in new.items():
            feed.seek(None)
            if name[-1] in "01":
                assert text(read_all(feed, 2)) in (b"a\n", b"b\n")
            assert old[name].read(100, 0.1) == []  # nothing of it comes twice
            old[name].done("1")  # and it says nothing of what is another's now
        time.sleep(0.2)
        for name in new:
            old[name].close()
        assert set(first.feeds()[1]) >= set(new)
        assert not cluster.committed(topic)

    def test_a_partition_leaves_once_its_worker_has_kept_it(
        self, cluster: Cluster, opened: Any
    ) -> None:
        topic, told = cluster.topic(), Told()
        first = opened(cluster.url(topic, wait=4_500), told)
        old = gained(first, 4)
        second = opened(cluster.url(topic, wait=4_500))
        lost: list[str] = until(lambda: first.feeds()[1], "some are lost")
        time.sleep(0.5)  # a checkpoint takes its time
        for name in lost:
            old[name].done("7")
            old[name].close()
        assert sorted(gained(second, 2)) == sorted(lost)
        # A broker may refuse what is committed while it moves others; that is counted.
        shown = {} if told.counts["kafka_commit"] else {int(name[-1]): 7 for name in lost}
        assert cluster.committed(topic) == shown

    def test_a_cluster_that_is_away_is_told_once_and_waited_for(self, opened: Any) -> None:
        pytest.importorskip("confluent_kafka")
        told = Told()
        source = opened("kafka://127.0.0.1:1/topic", told)
        until(lambda: told.texts, "what is wrong")
        time.sleep(1)
        assert source.feeds() == ([], [])
        assert len(told.texts) <= 3  # one of each kind, while it is tried again and again
        assert all("tried again" in text for text in told.texts)
        began = time.monotonic()
        source.close()
        source.close()
        assert time.monotonic() - began < 5


def _source_of(feed: Feed) -> KafkaSource:
    assert isinstance(feed, Partition)
    owner: KafkaSource = feed._closed.__self__  # type: ignore[attr-defined]
    return owner


class Worker(threading.Thread):
    """Counts lines per feed, and checkpoints count and position together, as a keeper does."""

    def __init__(self, source: KafkaSource, kept: dict[str, tuple[str, list[bytes]]]) -> None:
        super().__init__(daemon=True)
        self.source, self.kept = source, kept
        self.owned: dict[str, Feed] = {}
        self.moved = 0
        self.ending = self.killed = False
        self._seen: dict[str, tuple[str | None, list[bytes]]] = {}
        self._turns = 0

    def run(self) -> None:
        while not self.ending:
            came, lost = self.source.feeds()
            for name in lost:
                self.moved += 1
                self.checkpoint(name)
                self.owned.pop(name).close()
            for feed in came:
                position, lines = self.kept.get(feed.name, (None, []))
                feed.seek(position)
                self.owned[feed.name] = feed
                self._seen[feed.name] = position, list(lines)
            for name, feed in self.owned.items():
                for entry in feed.read(4_096, 0.005):
                    self._seen[name][1].extend(entry.data.splitlines())
                    self._seen[name] = entry.position, self._seen[name][1]
            self._turns += 1
            if self._turns % 20 == 0:
                for name in self.owned:
                    self.checkpoint(name)
        if not self.killed:
            for name in self.owned:
                self.checkpoint(name)
        self.source.close()

    def checkpoint(self, name: str) -> None:
        position, lines = self._seen[name]
        if position is not None:
            self.kept[name] = position, list(lines)
            self.owned[name].done(position)


@pytest.mark.slow
def test_partitions_that_move_in_the_middle_lose_and_double_nothing(
    cluster: Cluster, opened: Any
) -> None:
    topic = cluster.topic()
    kept: dict[str, tuple[str, list[bytes]]] = {}
    sent: dict[str, list[bytes]] = {f"kafka:{topic}/{number}": [] for number in range(4)}
    stop = threading.Event()

    def produce() -> None:
        at = 0
        while not stop.is_set():
            for number in range(4):
                lines = [b"%d of %d" % (line, number) for line in range(at, at + 5)]
                cluster.producer.produce(topic, b"\n".join(lines), partition=number)
                sent[f"kafka:{topic}/{number}"] += lines
            at += 5
            cluster.producer.poll(0)
            time.sleep(0.005)

    producer = threading.Thread(target=produce)
    producer.start()
    first = Worker(opened(cluster.url(topic)), kept)
    first.start()
    until(lambda: len(first.owned) == 4, "the first owns all")
    second = Worker(opened(cluster.url(topic)), kept)
    second.start()
    until(lambda: len(second.owned) == 2, "two have moved")
    third = Worker(opened(cluster.url(topic)), kept)
    third.start()
    until(lambda: third.owned, "the third has one")
    first.killed = first.ending = True  # what it did since its checkpoints is done again
    first.join(20)
    until(lambda: len(second.owned) + len(third.owned) == 4, "two own all")
    second.ending = True
    second.join(20)
    until(lambda: len(third.owned) == 4, "the third owns all")
    stop.set()
    producer.join()
    cluster.producer.flush(20)
    until(lambda: {n: lines for n, (_, lines) in kept.items()} == sent, "all lines, once each")
    third.ending = True
    third.join(20)
    total = sum(map(len, sent.values()))
    moved = first.moved + second.moved + third.moved
    assert {name: lines for name, (_, lines) in kept.items()} == sent
    committed = {f"kafka:{topic}/{n}": str(at) for n, at in cluster.committed(topic).items()}
    assert committed == {name: position for name, (position, _) in kept.items()}
    print(f"{total:,} lines, {moved} handovers, 0 lost, 0 doubled")  # noqa: T201


@pytest.mark.slow
def test_a_partition_that_moved_gives_the_findings_of_the_whole_file(
    cluster: Cluster, opened: Any, tmp_path: Path
) -> None:
    (tmp_path / "history.log").write_bytes(endless_logs.log(1, 40))
    today = tmp_path / "today.log"
    today.write_bytes(endless_logs.log(2, 3, start=40 * 3600, odd=True))
    model = lw.learn(str(tmp_path / "history.log"))
    expected = sorted(f.id for f in api.detect([str(today)], model, quiet="0s").findings)
    lines, rng, sent, topic = today.read_bytes().splitlines(), random.Random(5), 0, cluster.topic()
    values: list[bytes | None] = []
    while sent < len(lines):  # messages of one line and of many
        size = rng.choice((1, 1, 7, 90))
        values.append(b"\n".join(lines[sent : sent + size]))
        sent += size
    cluster.send(topic, 3, values)

    first = opened(cluster.url(topic))
    feed = gained(first, 4)[f"kafka:{topic}/3"]
    feed.seek(None)
    running, found = Running(model, Settings(), feed.source), list[Finding]()
    some = until(lambda: feed.read(today.stat().st_size // 2, 0.1), "the first half")
    found += running.push(some)
    kept, position = running.snapshot(), some[-1].position
    assert 0 < int(position) < len(values)
    first.close()

    feed = gained(opened(cluster.url(topic)), 4)[feed.name]
    feed.seek(position)
    running = Running.restored(model, Settings(), feed.source, kept)
    while feed.lag() != 0 or position != str(len(values)):
        some = feed.read(10_000, 0.1)
        found += running.push(some)
        position = some[-1].position if some else position
    found += running.finish()
    assert sorted(finding.id for finding in found) == expected
    assert len(expected) > 5
    assert {line.source for finding in found for line in finding.lines} == {feed.name}


@pytest.mark.slow
class TestSink:
    def finding(self, number: int, size: int = 0) -> bytes:
        return json.dumps({"id": f"f-{number:016x}", "summary": "x" * size}).encode()

    def test_findings_are_there_when_put_returns(self, cluster: Cluster) -> None:
        topic = cluster.topic()
        sink = KafkaSink(f"kafka://{cluster.brokers}/{topic}")
        assert sink.name == f"kafka:{topic}"
        given = [self.finding(number) for number in range(200)]
        sink.put(given[:150])
        sink.put([])
        sink.put(given[150:])
        found = cluster.all_of(topic, 200)
        assert sorted(value for _, _, value in found) == sorted(given)
        assert all(json.loads(value)["id"].encode() == key for _, key, value in found)
        for number in range(4):  # in order within a partition
            there = [value for partition, _, value in found if partition == number]
            assert there == [value for value in given if value in there]
        sink.put(given[:1])  # again: the same partition, so that compaction keeps one
        key = found[0][1]
        assert len({p for p, k, _ in cluster.all_of(topic, 201) if k == key}) == 1
        sink.close()
        sink.close()

    def test_brokers_that_are_away_are_a_failure_that_passes(
        self, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(kafka_sink._SETTINGS, "message.timeout.ms", 1_000)
        topic = cluster.topic()
        sink = KafkaSink(f"kafka://127.0.0.1:1/{topic}")
        began = time.monotonic()
        with pytest.raises(SinkError, match="took 0 of 2 findings"):
            sink.put([self.finding(1), self.finding(2)])
        assert time.monotonic() - began < 10
        monkeypatch.setattr(sink, "_address", parsed(f"kafka://{cluster.brokers}/{topic}", ()))
        sink.put([self.finding(1), self.finding(2)])
        found = [value for _, _, value in cluster.all_of(topic, 2)]
        assert sorted(found) == [self.finding(1), self.finding(2)]

    def test_a_finding_that_the_client_refuses_is_a_failure(self, cluster: Cluster) -> None:
        sink = KafkaSink(f"kafka://{cluster.brokers}/{cluster.topic()}")
        with pytest.raises(SinkError, match=r"took 1 of 2 findings .*size"):
            sink.put([self.finding(1), self.finding(2, 9 << 20)])
        sink.put([self.finding(1)])
        sink.close()
