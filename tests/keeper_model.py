"""What every keeper must do, as a plain model that random histories are compared with.

    TestRedisKeeper = histories(lambda: Bench(...))

A bench opens keepers on one and the same state, and lets all leases run out.
"""

from __future__ import annotations

import json
import unittest
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from logwright.findings.finding import CitedLine, Finding, WindowRef
from logwright.stream.keeper import Keeper, Kept, LostError

FEEDS = ("file:/var/log/a.log", "redis:stream/0")
OWNERS = ("one", "two")
SINKS = ("stdout", "webhook")
NOTHING = Kept(None, None)


class Bench(Protocol):
    """Where the keepers of one history are. It is empty at first."""

    def open(self) -> Keeper:
        """A keeper on the state as it is."""

    def expire(self) -> None:
        """All leases have run out."""

    def close(self) -> None:
        """The history has ended."""


def finding(number: int, feed: str = "") -> Finding:
    """A finding whose id says which it is."""
    line = CitedLine(source=feed or "x", line_no=number + 1, offset=0, text=f"disk {number} \x1b é")
    return Finding(
        id=f"f-{number:016x}",
        pattern="p-0000000000000001",
        detector="unseen",
        unit="template",
        score=1.0,
        threshold=0.5,
        severity="high",
        summary=f"new: disk {number}",
        expected="none",
        seen="one",
        window=WindowRef(kind="time", key="w", lines=1),
        lines=(line,),
    )


def ids_of(rows: Sequence[tuple[int, bytes]]) -> list[str]:
    return [json.loads(body)["id"] for _, body in rows]


@dataclass
class _Feed:
    token: int = 0
    owner: str | None = None
    held: bool = False
    used: list[int] = field(default_factory=list)
    kept: Kept = NOTHING
    lines: int = 0
    known: dict[int, int] = field(default_factory=dict)  # when how many lines were judged


class _History(RuleBasedStateMachine):
    make: Callable[[], Bench]

    def __init__(self) -> None:
        super().__init__()
        self.bench = self.make()
        self.keeper = self.bench.open()
        self.feeds = {name: _Feed() for name in FEEDS}
        self.emitted: list[str] = []
        self.cursors = dict.fromkeys(SINKS, 0)
        self.fresh = 0

    @initialize()
    def sinks_are_known(self) -> None:
        for sink in SINKS:
            assert self.keeper.outbox(sink, 0) == []

    @rule(name=st.sampled_from(FEEDS), owner=st.sampled_from(OWNERS))
    def claim(self, name: str, owner: str) -> None:
        feed = self.feeds[name]
        token = self.keeper.claim(name, owner)
        if feed.held and feed.owner != owner:
            assert token is None
            return
        assert token is not None
        assert token > feed.token
        if feed.token:
            feed.used.append(feed.token)
        feed.token, feed.owner, feed.held = token, owner, True

    @rule(name=st.sampled_from(FEEDS))
    def renew(self, name: str) -> None:
        feed = self.feeds[name]
        if feed.held:
            assert self.keeper.renew(name, feed.token)
        for token in feed.used:
            assert not self.keeper.renew(name, token)

    @rule(name=st.sampled_from(FEEDS), stale=st.booleans())
    def release(self, name: str, stale: bool) -> None:
        feed = self.feeds[name]
        if stale:
            for token in feed.used:
                self.keeper.release(name, token)
        elif feed.held:
            self.keeper.release(name, feed.token)
            feed.held = False

    @rule()
    def all_leases_run_out(self) -> None:
        self.bench.expire()
        for feed in self.feeds.values():
            feed.held = False

    def _held(self, name: str) -> _Feed:
        if not self.feeds[name].held:
            self.claim(name, OWNERS[0])
        return self.feeds[name]

    def _numbers(self, feed: _Feed, picks: Sequence[int]) -> list[int]:
        """Ids new or known of this feed; one given up long ago is not asked for again."""
        known = sorted(feed.known)
        numbers = []
        for pick in picks:
            if known and pick % 2:
                numbers.append(known[pick % len(known)])
            else:
                self.fresh += 1
                numbers.append(self.fresh)
                if pick % 4 == 0:
                    numbers.append(self.fresh)  # twice in one call
        return numbers

    def _take(self, feed: _Feed, numbers: Sequence[int]) -> int:
        new = [n for n in dict.fromkeys(numbers) if n not in feed.known]
        feed.known |= dict.fromkeys(numbers, feed.lines)
        self.emitted += [f"f-{n:016x}" for n in new]
        return len(new)

    @rule(name=st.sampled_from(FEEDS), back=st.booleans(), lines=st.integers(0, 5))
    def lines_are_judged(self, name: str, back: bool, lines: int) -> None:
        """On, or, as after a crash, from an earlier one on."""
        feed = self.feeds[name]
        feed.lines = lines if back else feed.lines + lines

    @rule(name=st.sampled_from(FEEDS), picks=st.lists(st.integers(0, 1_000), max_size=6))
    def emit(self, name: str, picks: list[int]) -> None:
        feed = self._held(name)
        numbers = self._numbers(feed, picks)
        findings = [finding(n, name) for n in numbers]
        new = self.keeper.emit(name, feed.token, findings, feed.lines)
        assert new == self._take(feed, numbers)

    @rule(
        name=st.sampled_from(FEEDS),
        picks=st.lists(st.integers(0, 1_000), max_size=6),
        snapshot=st.binary(max_size=40),
        position=st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
        again=st.integers(0, 2),
    )
    def checkpoint(
        self, name: str, picks: list[int], snapshot: bytes, position: str, again: int
    ) -> None:
        feed = self._held(name)
        numbers = self._numbers(feed, picks)
        findings = [finding(n, name) for n in numbers]
        args = name, feed.token, snapshot, position, findings, feed.lines
        assert self.keeper.checkpoint(*args) == self._take(feed, numbers)
        feed.known = {n: lines for n, lines in feed.known.items() if lines >= feed.lines}
        feed.kept = Kept(snapshot, position)
        for _ in range(again):  # as after an answer that was lost
            assert self.keeper.checkpoint(*args) == 0

    @rule(name=st.sampled_from(FEEDS), number=st.integers(10**6, 10**6 + 9))
    def who_lost_a_feed_writes_nothing(self, name: str, number: int) -> None:
        for token in self.feeds[name].used:
            with pytest.raises(LostError):
                self.keeper.emit(name, token, [finding(number)], 0)
            with pytest.raises(LostError):
                self.keeper.checkpoint(name, token, b"stale", "stale", [finding(number)], 0)

    @rule(sink=st.sampled_from(SINKS), most=st.integers(0, 5), taken=st.integers(0, 5))
    def deliver(self, sink: str, most: int, taken: int) -> None:
        rows = self.keeper.outbox(sink, most)
        at = self.cursors[sink]
        assert ids_of(rows) == self.emitted[at : at + most]
        numbers = [number for number, _ in rows]
        assert numbers == sorted(set(numbers))
        if rows[:taken]:
            self.keeper.delivered(sink, rows[:taken][-1][0])
            self.keeper.delivered(sink, rows[0][0])  # one that comes late sets nothing back
            self.cursors[sink] += len(rows[:taken])

    @rule()
    def the_keeper_is_opened_again(self) -> None:
        self.keeper.close()
        self.keeper = self.bench.open()

    @precondition(lambda self: self.emitted)
    @rule()
    def backlog(self) -> None:
        waiting = len(self.emitted) - min(self.cursors.values())
        assert (self.keeper.backlog() > 0) == (waiting > 0)

    @invariant()
    def checkpoints_are_the_last_ones(self) -> None:
        for name, feed in self.feeds.items():
            assert self.keeper.load(name) == feed.kept

    def teardown(self) -> None:
        for sink in SINKS:
            rows = self.keeper.outbox(sink, 10_000)
            assert ids_of(rows) == self.emitted[self.cursors[sink] :]
        self.keeper.close()
        self.bench.close()


def histories(make: Callable[[], Bench]) -> Any:
    """A test case that compares random histories of a keeper with the model."""

    class History(_History):
        pass

    History.make = staticmethod(make)  # type: ignore[assignment]
    case: type[unittest.TestCase] = History.TestCase
    return case
