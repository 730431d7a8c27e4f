"""Redis and its readers cut, stalled and killed: nothing is lost, nothing comes twice."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from itertools import count

import pytest

from keeper_model import finding, ids_of
from logwright.errors import InputError
from logwright.findings.finding import Finding
from logwright.stream import redis_source
from logwright.stream.feed import Entry
from logwright.stream.keeper import LostError
from logwright.stream.redis_keeper import RedisKeeper
from redis_reading import add, read_all, the_feed
from redis_server import RedisServer
from tcp_proxy import Proxy

pytestmark = pytest.mark.slow


def texts(entries: Sequence[Entry]) -> list[str]:
    return [entry.data.decode() for entry in entries]


def murder(server: RedisServer, over: threading.Event, seed: int) -> threading.Thread:
    """Kill and restart the server at random points until it is `over`."""

    def act() -> None:
        dice = random.Random(seed)
        while not over.wait(dice.uniform(0.02, 0.3)):
            server.kill()
            server.start()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_what_is_done_is_told_once_the_server_is_back_though_nothing_comes(
    mortal: RedisServer,
) -> None:
    with mortal.client() as client:
        add(client, "logs", ["a", "b"])
    feed = the_feed(mortal.url("logs"))
    entries = read_all(feed, 2)
    mortal.kill()
    feed.done(entries[-1].position)
    mortal.start()
    with mortal.client() as client:
        until = time.monotonic() + 20
        while client.xinfo_groups("logs")[0]["lag"]:
            assert time.monotonic() < until
            with suppress(InputError):
                assert feed.read(1 << 20, 0.05) == []
    feed.close()


@pytest.mark.parametrize(
    "rounds", [10, pytest.param(200, marks=[pytest.mark.long])], ids=["quick", "long"]
)
@pytest.mark.slow
def test_what_a_killed_server_acknowledged_is_there(
    mortal: RedisServer, rounds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    keeper = RedisKeeper(mortal.url(), lease=60, patience=60)
    keeper.outbox("s", 0)
    token = keeper.claim("f", "a")
    assert token is not None
    over, kills = threading.Event(), 0
    numbers, expected, position = count(), list[str](), 0
    dice = random.Random(1)
    start = mortal.start

    def counted() -> None:
        nonlocal kills
        start()
        kills += 1
        if kills >= rounds:
            over.set()

    mortal.start = counted  # type: ignore[method-assign]
    thread = murder(mortal, over, 2)
    while not over.is_set():
        new = [finding(next(numbers)) for _ in range(dice.randrange(4))]
        if dice.random() < 0.3:
            position += 1
            got = keeper.checkpoint("f", token, bytes(dice.randrange(9_999)), str(position), new, 0)
        else:
            got = keeper.emit("f", token, new, 0)
        assert got == len(new)
        expected += [each.id for each in new]
        if dice.random() < 0.2:
            assert keeper.load("f").position == (str(position) if position else None)
    thread.join()
    assert ids_of(keeper.outbox("s", 1_000_000)) == expected
    with capsys.disabled():
        sys.stdout.write(f"\n{kills} kills, {len(expected)} findings, {position} checkpoints: ")
        sys.stdout.write("0 lost, 0 doubled\n")


@pytest.mark.usefixtures("impatient")
def test_cuts_and_stalls_lose_and_double_nothing(server: RedisServer) -> None:
    expected = [f"line {number}" for number in range(2_000)]

    def produce() -> None:
        client = server.client()
        for text in expected:
            add(client, "logs", [text])

    with closing(Proxy(server.port)) as proxy:
        told: list[str] = []
        feed = the_feed(server.url("logs", port=proxy.port), told)
        producer = threading.Thread(target=produce)
        producer.start()
        over = threading.Event()

        def disturb() -> None:
            dice = random.Random(3)
            while not over.wait(dice.uniform(0.01, 0.1)):
                if dice.random() < 0.1:
                    proxy.hold()
                    time.sleep(0.5)
                    proxy.release()
                else:
                    proxy.cut()

        disturber = threading.Thread(target=disturb)
        disturber.start()
        entries = read_all(feed, len(expected), 60)
        over.set()
        disturber.join()
        producer.join()
        feed.close()
    assert texts(entries) == [text + "\n" for text in expected]
    assert told


@pytest.mark.usefixtures("impatient")
def test_silence_of_the_server_is_not_taken_for_silence_of_the_log(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker closes windows where a feed gives nothing for long: it must not, then."""
    monkeypatch.setattr(redis_source, "_UNHEARD", 0.5)
    with closing(Proxy(server.port)) as proxy:
        feed = the_feed(server.url("logs", port=proxy.port))
        assert feed.read(100, 0.05) == []  # nothing came, and that is known
        proxy.hold()
        until = time.monotonic() + 5
        with suppress(InputError):
            while time.monotonic() < until:
                assert feed.read(100, 0.05) == []
        assert time.monotonic() < until
        for _ in range(5):  # also while it waits for its next try
            with pytest.raises(InputError, match="has not answered"):
                feed.read(100, 0.01)
        add(server.client(), "logs", ["after all"])
        proxy.release()
        entries: list[Entry] = []
        while not entries and time.monotonic() < until + 20:
            with suppress(InputError):
                entries = feed.read(100, 0.05)
        assert texts(entries) == ["after all\n"]
        assert feed.read(100, 0.05) == []
        feed.close()


def test_an_answer_that_was_held_up_says_nothing_of_now(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_source, "_UNHEARD", 0.3)
    with closing(Proxy(server.port)) as proxy:
        feed = the_feed(server.url("logs", port=proxy.port))
        assert feed.read(100, 0.05) == []
        timer = threading.Timer(0.1, proxy.hold)
        late = threading.Timer(0.7, proxy.release)
        for each in (timer, late):
            each.start()
        with pytest.raises(InputError, match="has not answered"):
            feed.read(100, 0.2)  # asked before, answered meanwhile, heard afterwards
        assert feed.read(100, 0.05) == []
        for each in (timer, late):
            each.join()
        feed.close()


def work(url: str, dice: random.Random, seconds: float) -> bool:
    """A worker's life, with a death at a random point; whether it came to the end of the input.
    Each entry is a finding, numbered by a state that the snapshot carries."""
    keeper = RedisKeeper(url, lease=0.05, patience=20)
    feed = the_feed(url + "?trim=done")
    token = None
    while token is None:
        token = keeper.claim(feed.name, f"worker {dice.random()}")
        time.sleep(0.01)
    kept = keeper.load(feed.name)
    state, since = int(kept.snapshot or b"0"), 0
    feed.seek(kept.position)
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            entries = feed.read(dice.randrange(1, 500), 0.05)
            for entry in entries:
                found: list[Finding] = []
                state, since = state + 1, since + 1
                assert entry.data == f"line {state}\n".encode()
                if state % 3 == 0:
                    found.append(finding(state))
                if since > 20:
                    keeper.checkpoint(feed.name, token, b"%d" % state, entry.position, found, 0)
                    if dice.random() < 0.8:
                        feed.done(entry.position)
                    since = 0
                else:
                    keeper.emit(feed.name, token, found, 0)
            if entries and state == LINES:
                return True
        return False
    finally:
        feed.close()
        keeper.close()


LINES = 1_500


@pytest.mark.parametrize(
    "rounds", [1, pytest.param(20, marks=[pytest.mark.long])], ids=["quick", "long"]
)
@pytest.mark.slow
def test_workers_and_servers_may_die_anywhere(
    mortal: RedisServer, rounds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in range(rounds):
        dice = random.Random(seed)
        client = mortal.client()
        client.flushall()
        RedisKeeper(mortal.url("logs")).outbox("s", 0)
        add(client, "logs", [f"line {n}" for n in range(1, LINES + 1)])
        over = threading.Event()
        thread = murder(mortal, over, seed)
        lives = 0
        try:
            finished = False
            while not finished:
                lives += 1
                with suppress(InputError, LostError):
                    finished = work(mortal.url("logs"), dice, dice.uniform(0.05, 2.0))
        finally:
            over.set()
            thread.join()
        found = ids_of(RedisKeeper(mortal.url("logs")).outbox("s", 99_999))
        assert found == [f"f-{n:016x}" for n in range(3, LINES + 1, 3)]
        with capsys.disabled():
            sys.stdout.write(f"\n{lives} lives, {len(found)} findings: 0 lost, 0 doubled\n")
