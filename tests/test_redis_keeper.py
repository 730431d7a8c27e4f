"""The keeper in Redis: what was acknowledged is there once, and one owner writes for a feed."""

from __future__ import annotations

import random
import threading
import time
from contextlib import closing
from itertools import count

import pytest

from keeper_model import finding, histories, ids_of
from logwright.stream.keeper import KeeperError, LostError
from logwright.stream.redis_keeper import RedisKeeper
from redis_server import RedisServer
from tcp_proxy import Proxy

pytestmark = pytest.mark.slow


class _Bench:
    """Each history has a name of its own in the module's server."""

    server: RedisServer
    numbers = count()

    def __init__(self) -> None:
        self.name = f"history-{next(self.numbers)}"

    def open(self) -> RedisKeeper:
        return RedisKeeper(self.server.url(self.name), lease=60)

    def expire(self) -> None:
        with closing(self.server.client()) as client:
            for key in client.keys(f"{{{self.name}}}:feed:*"):
                client.hset(key, "ends", 1)

    def close(self) -> None:
        with closing(self.server.client()) as client:
            client.flushall()


@pytest.fixture
def bench(server: RedisServer) -> None:
    _Bench.server = server


TestHistories = pytest.mark.usefixtures("bench")(histories(_Bench))


def test_two_who_fight_for_a_feed_never_both_write(server: RedisServer) -> None:
    """Leases are so short that owners lose them while they work."""
    numbers, lock = count(), threading.Lock()
    written: list[tuple[int, str]] = []
    lost = 0

    def fight(owner: str) -> None:
        nonlocal lost
        keeper = RedisKeeper(server.url("fight"), lease=0.01)
        until = time.monotonic() + 1.5
        dice = random.Random(owner)
        while time.monotonic() < until:
            token = keeper.claim("f", owner)
            if token is None:
                time.sleep(0.002)
                continue
            try:
                for _ in range(5):
                    number = next(numbers)
                    keeper.emit("f", token, [finding(number)], 0)
                    with lock:
                        written.append((token, f"f-{number:016x}"))
                    time.sleep(dice.random() * 0.01)
            except LostError:
                lost += 1

    threads = [threading.Thread(target=fight, args=(owner,)) for owner in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keeper = RedisKeeper(server.url("fight"))
    order = ids_of(keeper.outbox("s", 100_000))
    tokens = {name: token for token, name in written}
    assert sorted(order) == sorted(tokens)
    assert lost > 0
    # In the outbox no owner's finding stands after one of a later owner.
    held = [tokens[name] for name in order]
    assert held == sorted(held)


def test_a_lease_runs_out_by_the_servers_clock(server: RedisServer) -> None:
    keeper = RedisKeeper(server.url(), lease=0.2)
    first = keeper.claim("f", "a")
    assert first is not None
    assert keeper.claim("f", "b") is None
    time.sleep(0.1)
    assert keeper.renew("f", first)
    time.sleep(0.15)
    assert keeper.claim("f", "b") is None
    time.sleep(0.1)
    second = keeper.claim("f", "b")
    assert second is not None
    assert second > first
    assert not keeper.renew("f", first)
    keeper.release("f", first)
    assert keeper.claim("f", "a") is None
    keeper.release("f", second)
    assert keeper.claim("f", "a") is not None


def test_a_clock_that_was_set_back_holds_a_lease_no_longer_than_one(server: RedisServer) -> None:
    keeper = RedisKeeper(server.url(), lease=0.2)
    token = keeper.claim("f", "a")
    assert token is not None
    # What the server sees after its clock went back by a year, or after a year's tokens.
    year = 365 * 86_400_000
    key = "{logwright}:feed:f"
    client = server.client()
    client.hincrby(key, "ends", year)
    client.hincrby(key, "token", year * 1000)
    assert keeper.claim("f", "b") is None
    time.sleep(0.25)
    later = keeper.claim("f", "b")
    assert later == token + year * 1000 + 1


def test_a_lease_that_nobody_wanted_is_taken_up_again(server: RedisServer) -> None:
    keeper = RedisKeeper(server.url(), lease=0.05)
    token = keeper.claim("f", "a")
    assert token is not None
    time.sleep(0.1)
    assert keeper.emit("f", token, [finding(1)], 0) == 1
    assert keeper.renew("f", token)
    assert keeper.claim("f", "b") is None


def test_tokens_of_before_a_flush_are_no_good_after_it(server: RedisServer) -> None:
    keeper = RedisKeeper(server.url())
    token = keeper.claim("f", "a")
    assert token is not None
    keeper.checkpoint("f", token, b"s", "p", [], 0)
    server.client().flushall()
    with pytest.raises(LostError):
        keeper.emit("f", token, [finding(1)], 0)
    again = RedisKeeper(server.url()).claim("f", "b")
    assert again is not None
    assert again > token
    with pytest.raises(LostError):
        keeper.checkpoint("f", token, b"s", "p", [], 0)
    assert keeper.load("f").snapshot is None


def test_commits_that_redis_lost_lose_the_feed(server: RedisServer) -> None:
    """As where it fsyncs only every second: what was emitted comes again by the replay."""
    keeper = RedisKeeper(server.url())
    token = keeper.claim("f", "a")
    assert token is not None
    client = server.client()
    keeper.emit("f", token, [finding(1)], 0)
    saved = {key: client.dump(key) for key in client.scan_iter()}
    keeper.emit("f", token, [finding(2)], 0)
    for key in list(client.scan_iter()):
        client.delete(key)
    for key, dump in saved.items():
        client.restore(key, 0, dump)
    with pytest.raises(LostError, match="set back"):
        keeper.emit("f", token, [finding(3)], 0)
    token = keeper.claim("f", "a")
    assert token is not None
    assert keeper.emit("f", token, [finding(n) for n in (1, 2, 3)], 0) == 2
    assert ids_of(keeper.outbox("s", 9)) == [f"f-{n:016x}" for n in (1, 2, 3)]


@pytest.mark.usefixtures("impatient")
def test_a_late_call_changes_nothing(server: RedisServer) -> None:
    """A checkpoint stalls on its connection, is made again on another one, and arrives when newer
    ones are there already."""
    with closing(Proxy(server.port)) as proxy:
        keeper = RedisKeeper(server.url(port=proxy.port))
        token = keeper.claim("f", "a")
        assert token is not None
        keeper.emit("f", token, [finding(0)], 0)
        proxy.hold(new=False)
        assert keeper.checkpoint("f", token, b"old", "1", [finding(1)], 0) == 1
        assert keeper.emit("f", token, [finding(2)], 0) == 1
        assert keeper.checkpoint("f", token, b"new", "2", [], 0) == 0
        assert keeper.emit("f", token, [finding(3)], 0) == 1
        proxy.release()
        time.sleep(0.3)
        assert keeper.load("f").position == "2"
        # Ids since the checkpoint before the last are known still.
        assert keeper.emit("f", token, [finding(n) for n in (2, 3, 4)], 0) == 1
        assert ids_of(keeper.outbox("s", 9)) == [f"f-{n:016x}" for n in range(5)]


@pytest.mark.usefixtures("impatient")
def test_a_late_claim_does_not_take_the_feed_from_its_own_retry(server: RedisServer) -> None:
    with closing(Proxy(server.port)) as proxy:
        keeper = RedisKeeper(server.url(port=proxy.port))
        assert keeper.claim("other", "a") is not None
        proxy.hold(new=False)
        token = keeper.claim("f", "a")
        assert token is not None
        proxy.release()
        time.sleep(0.3)
        assert keeper.emit("f", token, [finding(1)], 0) == 1


@pytest.mark.usefixtures("impatient")
def test_a_call_whose_answer_is_lost_counts_once(server: RedisServer) -> None:
    with closing(Proxy(server.port)) as proxy:
        told: list[str] = []
        keeper = RedisKeeper(server.url(port=proxy.port), told.append)
        token = keeper.claim("f", "a")
        assert token is not None
        keeper.emit("f", token, [finding(0)], 0)  # from now on the server knows the script
        proxy.deaf = True
        timer = threading.Timer(0.5, setattr, (proxy, "deaf", False))
        timer.start()
        assert (
            keeper.emit("f", token, [finding(1)], 0) == 1
        )  # the retry tells what the first try did
        timer.join()
        proxy.deaf = True
        timer = threading.Timer(0.5, setattr, (proxy, "deaf", False))
        timer.start()
        again = keeper.claim("f", "a")
        timer.join()
        assert again is not None
        assert keeper.emit("f", again, [finding(1), finding(2)], 0) == 1
        assert len(ids_of(keeper.outbox("s", 9))) == 3
        assert [text.rpartition(" ")[2] for text in told] == ["again", "back"] * 2


def test_a_server_that_stays_away_is_a_keeper_error(mortal: RedisServer) -> None:
    keeper = RedisKeeper(mortal.url(), patience=0.1)
    token = keeper.claim("f", "a")
    assert token is not None
    mortal.kill()
    for _ in range(2):
        with pytest.raises(KeeperError, match="refused"):
            keeper.emit("f", token, [finding(1)], 0)
    mortal.start()
    assert keeper.emit("f", token, [finding(1)], 0) == 1
    assert keeper.emit("f", token, [finding(1)], 0) == 0


def test_a_server_without_memory_is_a_keeper_error(server: RedisServer) -> None:
    keeper = RedisKeeper(server.url(), patience=0.1)
    token = keeper.claim("f", "a")
    assert token is not None
    client = server.client()
    client.config_set("maxmemory", "1kb")
    try:
        with pytest.raises(KeeperError, match="maxmemory"):
            keeper.checkpoint("f", token, b"s", "p", [finding(1)], 0)
    finally:
        client.config_set("maxmemory", "0")
    assert keeper.outbox("s", 9) == []
    assert keeper.checkpoint("f", token, b"s", "p", [finding(1)], 0) == 1


@pytest.mark.parametrize("key", ["outbox", "ids:f"])
def test_a_commit_that_fails_in_the_middle_can_be_made_again(server: RedisServer, key: str) -> None:
    keeper = RedisKeeper(server.url())
    token = keeper.claim("f", "a")
    assert token is not None
    server.client().set(f"{{logwright}}:{key}", "of somebody else")
    with pytest.raises(KeeperError, match="WRONGTYPE"):
        keeper.checkpoint("f", token, b"s", "p", [finding(1)], 0)
    server.client().delete(f"{{logwright}}:{key}")
    assert keeper.load("f").position is None
    assert keeper.checkpoint("f", token, b"s", "p", [finding(1)], 0) == 1
    assert len(keeper.outbox("s", 9)) == 1


def test_a_sink_that_was_taken_away_is_not_waited_for_for_ever(server: RedisServer) -> None:
    keeper = RedisKeeper(server.url())
    token = keeper.claim("f", "a")
    assert token is not None
    for sink in ("here", "gone"):
        keeper.outbox(sink, 0)
    keeper.emit("f", token, [finding(n) for n in range(3)], 0)
    keeper.delivered("here", keeper.outbox("here", 9)[-1][0])
    assert keeper.backlog() == 3
    assert server.client().hincrby("{logwright}:asked", "gone", -8 * 86_400) > 0
    keeper.emit("f", token, [finding(9)], 0)
    keeper.delivered("here", keeper.outbox("here", 9)[-1][0])
    assert keeper.backlog() == 0


def test_more_findings_than_one_script_takes(server: RedisServer) -> None:
    keeper = RedisKeeper(server.url())
    token = keeper.claim("f", "a")
    assert token is not None
    many = [finding(n) for n in range(4_500)]
    assert keeper.checkpoint("f", token, b"s", "p", many, 0) == 4_500
    assert keeper.checkpoint("f", token, b"s", "p", many, 0) == 0
    assert ids_of(keeper.outbox("s", 9_999)) == [each.id for each in many]
