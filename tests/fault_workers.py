"""Faults of workers: killed anywhere, and asleep for longer than their lease lasts."""

from __future__ import annotations

import itertools
import random
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fault_kit import Hatched, Outcome, judged, log, nest, short, until, written
from fault_redis import Sender, found
from redis_server import RedisServer, running

__all__ = ["killed", "killed_at_redis", "slept", "slept_at_redis"]


class _File:
    """Lines in a file, state in SQLite, findings in a file."""

    def __init__(self, folder: Path, lines: Iterable[str], dice: random.Random) -> None:
        self._path, self._out = folder / "app.log", folder / "out.jsonl"
        self._lines, self._dice = iter(lines), dice
        self._path.touch()
        state = str(folder / "w.db")
        self.args = ("--in", str(self._path), "--out", str(self._out), "--state", state)

    def flow(self, seconds: float) -> None:
        """Lines come for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._write(self._dice.randint(0, 12))
            time.sleep(self._dice.uniform(0, 0.02))

    def _write(self, some: int) -> None:
        with self._path.open("a") as file:
            file.write("".join(itertools.islice(self._lines, some)))

    def finish(self) -> bytes:
        """The last lines come; gives all."""
        self._write(1_000)
        return self._path.read_bytes()

    def found(self) -> list[str]:
        """Findings by name."""
        return written(self._out)


class _Redis:
    """Lines, state and findings in one Redis."""

    def __init__(self, server: RedisServer) -> None:
        self._server, self._sender = server, Sender(server, "logs", log(5_000))
        url = server.url()
        self.args = ("--in", f"{url}logs", "--out", f"{url}found", "--state", f"{url}state")

    def flow(self, seconds: float) -> None:
        """Lines come for a while."""
        time.sleep(seconds)

    def finish(self) -> bytes:
        """The last lines come; gives all."""
        return self._sender.finish()

    def found(self) -> list[str]:
        """Findings by name."""
        return found(self._server)


def _killed(folder: Path, rounds: int, place: _File | _Redis, what: str) -> Outcome:
    dice = random.Random(rounds)
    with nest(folder) as home:
        for _ in range(rounds):
            child = home.hatch(*place.args)
            place.flow(dice.uniform(0, 0.6))
            child.kill()
        assert sum(child.owned() for child in home.all) >= rounds // 4
        expected = judged(place.finish())
        began = time.monotonic()
        home.hatch(*place.args)
        until(lambda: len(place.found()) >= len(expected), "all findings")
        lag = time.monotonic() - began
        time.sleep(0.2)
        home.all[-1].stop()
    return Outcome.of(what, rounds, expected, place.found(), lag)


def _slept(folder: Path, rounds: int, place: _File | _Redis, what: str) -> Outcome:
    dice = random.Random(rounds)
    moves = 0
    with nest(folder, short(0.25)) as home:
        pair = [home.hatch(*place.args) for _ in range(2)]
        place.flow(0.1)
        for _ in range(rounds):
            owner, other = until(lambda: _owner(*pair), "an owner")
            before = other.owned()
            place.flow(dice.uniform(0, 0.2))
            owner.send(signal.SIGSTOP)
            # One that sleeps within a transaction of SQLite keeps others out until it wakes.
            end = time.monotonic() + 2
            while other.owned() == before and time.monotonic() < end:
                time.sleep(0.01)
            moves += other.owned() > before
            place.flow(dice.uniform(0, 0.1))
            owner.send(signal.SIGCONT)
        assert moves > rounds // 2
        sent, began = place.finish(), time.monotonic()
        expected = judged(sent)
        until(lambda: len(place.found()) >= len(expected), "all findings")
        lag = time.monotonic() - began
        time.sleep(0.2)
        for child in pair:
            child.stop()
    return Outcome.of(what, rounds, expected, place.found(), lag)


def _owner(one: Hatched, two: Hatched) -> tuple[Hatched, Hatched] | None:
    """Who owns the feed, and the other one; None while both believe to, or none does."""
    if one.owns() == two.owns():
        return None
    return (one, two) if one.owns() else (two, one)


def killed(folder: Path, rounds: int) -> Outcome:
    """Kill -9 at a random moment of a worker's life, that of its start included."""
    place = _File(folder, log(5_000), random.Random(rounds))
    return _killed(folder, rounds, place, "a worker was killed")


def slept(folder: Path, rounds: int) -> Outcome:
    """The owner of a file is stopped in the middle of whatever it does until another worker owns
    the file; then it wakes, and believes to own it still."""
    place = _File(folder, log(5_000), random.Random(rounds))
    return _slept(folder, rounds, place, "a worker slept past its lease")


@contextmanager
def _in_redis(folder: Path) -> Iterator[_Redis]:
    with running(folder) as server:
        yield _Redis(server)


def killed_at_redis(folder: Path, rounds: int) -> Outcome:
    """As `killed`, with everything in Redis."""
    with _in_redis(folder) as place:
        return _killed(folder, rounds, place, "a worker of Redis was killed")


def slept_at_redis(folder: Path, rounds: int) -> Outcome:
    """As `slept`, with everything in Redis."""
    with _in_redis(folder) as place:
        return _slept(folder, rounds, place, "a worker of Redis slept past its lease")
