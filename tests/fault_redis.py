"""Faults of Redis and of the way to it: killed, cut off, stalled, flushed."""

from __future__ import annotations

import contextlib
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from fault_kit import QUICK, Outcome, complete, judged, log, named, nest, until, written
from redis_server import RedisServer, running
from tcp_proxy import Proxy

__all__ = ["Sender", "all_found", "cut", "flushed", "found", "killed", "stalled"]

_STALLED_AT_ONCE = 20


class Sender(threading.Thread):
    """Adds entries of a few lines to a stream until told to `finish`, each once: an answer that was
    lost is seen by the entry's id, which is there; with `ids` "*" the server makes them."""

    def __init__(
        self, server: RedisServer, stream: str, lines: Iterable[str], ids: str = ""
    ) -> None:
        super().__init__(daemon=True)
        self._server, self._stream, self._ids = server, stream, ids
        self._lines, self._dice = iter(lines), random.Random(stream)
        self._number = int(time.time() * 1000)
        self._texts: list[bytes] = []
        self._over, self.held = threading.Event(), threading.Lock()
        self.start()

    @property
    def sent(self) -> bytes:
        """The lines that were sent."""
        return b"".join(self._texts)

    def run(self) -> None:
        for _ in range(4):  # what came before the first fault
            self.say("".join(itertools.islice(self._lines, 250)).encode())
        while not self._over.wait(self._dice.uniform(0, 0.06)):
            with self.held:
                some = itertools.islice(self._lines, self._dice.randint(1, 24))
                self.say("".join(some).encode())

    def say(self, lines: bytes) -> None:
        """Add lines; others than its own while `held`."""
        self._texts.append(lines)
        self.add(lines)

    def add(self, text: bytes, field: str = "lines") -> None:
        """Add an entry."""
        from redis.exceptions import ConnectionError, ResponseError, TimeoutError

        self._number += 1
        while True:
            try:
                with self._server.client() as client:
                    client.xadd(self._stream, {field: text}, id=self._ids or f"{self._number}-1")
                return
            except ResponseError as error:
                if "equal or smaller" in str(error):
                    return
                time.sleep(0.01)  # it loads
            except (ConnectionError, TimeoutError):
                time.sleep(0.01)

    def begin_anew(self) -> None:
        """Ids begin where they may, as those of a stream that was flushed do."""
        self._number += 1_000

    def finish(self) -> bytes:
        """Send no more; gives all lines that were sent."""
        self._over.set()
        self.join()
        return self.sent


def found(server: RedisServer, stream: str = "found") -> list[str]:
    """Those in a sink's stream."""
    with server.client() as client:
        return [named(fields[b"finding"]) for _, fields in client.xrange(stream)]


def _behind(server: RedisServer, stream: str) -> bool:
    """Whether some entries are not kept yet, as the group tells; also where there is none now."""
    from redis.exceptions import ResponseError

    with server.client() as client, contextlib.suppress(ResponseError):
        for group in client.xinfo_groups(stream):
            last = client.xinfo_stream(stream)["last-generated-id"]
            return bool(group["last-delivered-id"] != last)
    return True


def _caught_up(server: RedisServer, stream: str = "logs") -> None:
    until(lambda: not _behind(server, stream), "no lag")


def all_found(server: RedisServer, expected: int) -> None:
    """Wait until so many findings are there."""
    with server.client() as client:
        until(lambda: client.xlen("found") >= expected, "all findings")


def _args(url: str, number: str = "") -> list[str]:
    return [
        *("--in", f"{url}logs{number}", "--out", f"{url}found{number}"),
        *("--state", f"{url}state{number}"),
    ]


@contextlib.contextmanager
def _disturbed(
    server: RedisServer, folder: Path, rounds: int, port: int
) -> Iterator[Callable[[str], Outcome]]:
    """A worker with everything in Redis, and who sends; gives what ends it and tells."""
    sender = Sender(server, "logs", log(5_000))

    def outcome(fault: str) -> Outcome:
        sent, began = sender.finish(), time.monotonic()
        _caught_up(server)
        lag = time.monotonic() - began
        expected = judged(sent)
        all_found(server, len(expected))
        time.sleep(0.2)
        home.all[-1].stop()
        return Outcome.of(fault, rounds, expected, found(server), lag)

    with nest(folder) as home:
        child = home.hatch(*_args(server.url(port=port)))
        until(child.owned, "an owner")
        yield outcome


def killed(folder: Path, rounds: int) -> Outcome:
    """Kill -9 of the Redis that has input, state and findings, with every write on disk before it
    is answered."""
    dice = random.Random(rounds)
    with (
        running(folder) as server,
        _disturbed(server, folder, rounds, server.port) as outcome,
    ):
        for _ in range(rounds):
            time.sleep(dice.uniform(0.02, 0.3))
            server.kill()
            server.start()
        return outcome("Redis was killed")


def cut(folder: Path, rounds: int) -> Outcome:
    """All connections of a worker broken at once, whatever is under way in them."""
    dice = random.Random(rounds)
    with (
        running(folder) as server,
        closing(Proxy(server.port)) as proxy,
        _disturbed(server, folder, rounds, proxy.port) as outcome,
    ):
        for _ in range(rounds):
            time.sleep(dice.uniform(0.02, 0.2))
            proxy.cut()
        return outcome("connections were cut")


def stalled(folder: Path, rounds: int, seconds: float = 5.0) -> Outcome:
    """Nothing passes for 5 seconds, then all that was sent meanwhile arrives. Up to 20 workers,
    each with its own stream and state, are stalled at once. Their clocks close windows as they
    always do: a link that is silent must not look like a log that is."""
    workers = min(rounds, _STALLED_AT_ONCE)
    each = -(-rounds // workers)
    with (
        running(folder) as server,
        ExitStack() as proxies,
        nest(folder, "lane._EVERY, lane._SHARE = 0.05, 0") as home,
    ):
        wires = [proxies.enter_context(closing(Proxy(server.port))) for _ in range(workers)]
        for number, wire in enumerate(wires):
            home.hatch(*_args(server.url(port=wire.port), str(number)))
        until(lambda: all(child.owned() for child in home.all), "owners")
        senders = [Sender(server, f"logs{n}", log(5_000 + 100_000 * n)) for n in range(workers)]

        def stall(wire: Proxy, dice: random.Random) -> None:
            for _ in range(each):
                time.sleep(dice.uniform(0.1, 1.0))
                wire.hold()
                time.sleep(dice.uniform(seconds * 0.9, seconds * 1.1))
                wire.release()

        hands = [
            threading.Thread(target=stall, args=(wire, random.Random(n)))
            for n, wire in enumerate(wires)
        ]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
        for sender in senders:
            sender.finish()
        began = time.monotonic()
        for number in range(workers):
            _caught_up(server, f"logs{number}")
        lag = time.monotonic() - began
        for child in home.all:  # before their clocks find the log silent
            child.stop()
        expected = [each for sender in senders for each in judged(sender.sent)]
        got = [each for number in range(workers) for each in found(server, f"found{number}")]
    return Outcome.of("connections stalled for 5 s", each * workers, expected, got, lag)


def flushed(folder: Path, rounds: int) -> Outcome:
    """The input's consumer group is destroyed, or the whole Redis is flushed once all that it had
    was read. State and findings are in files."""
    dice, out = random.Random(rounds), folder / "out.jsonl"
    with (
        running(folder) as server,
        nest(folder, QUICK + "\nredis_source._ATTEND = 0.05") as home,
    ):
        sender = Sender(server, "logs", log(5_000))
        args = ("--in", server.url("logs"), "--out", str(out), "--state", str(folder / "w.db"))
        child = home.hatch(*args)
        until(child.owned, "an owner")
        client = server.client()
        for _ in range(rounds):
            time.sleep(dice.uniform(0.02, 0.2))
            with sender.held:
                if dice.random() < 0.5:
                    with contextlib.suppress(Exception):  # it may be gone still
                        client.xgroup_destroy("logs", "logwright")
                    continue
                _caught_up(server)
                client.flushall()
                sender.begin_anew()
        sent, began = sender.finish(), time.monotonic()
        _caught_up(server)
        lag = time.monotonic() - began
        expected = judged(sent)
        complete(out, len(expected))
        time.sleep(0.2)
        child.stop()
    return Outcome.of("the group was gone", rounds, expected, written(out), lag)
