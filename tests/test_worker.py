"""The worker: nothing lost and nothing doubled, whatever dies, moves, fills up or falls silent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logwright.errors import InputError, LogwrightError
from logwright.findings.finding import Finding
from logwright.stream import lane as lane_module
from logwright.stream import worker as worker_module
from logwright.stream.delivery import Delivery
from logwright.stream.feed import Entry, Feed
from logwright.stream.judging import Make
from logwright.stream.keeper import KeeperError
from logwright.stream.metrics import Metrics
from logwright.stream.sqlite_keeper import SqliteKeeper
from logwright.stream.worker import Worker
from worker_fakes import Counting, Given, Heard, Lines, foretold

LINES = [f"line {n} is {'bad' if n % 7 == 3 else 'good'}" for n in range(100)]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "_CLAIM", 0.01)
    monkeypatch.setattr(worker_module, "_WAIT", 0.01)
    monkeypatch.setattr(worker_module, "_RENEW", 0.02)
    monkeypatch.setattr(lane_module, "_RETRY", 0.01)


class Crash(BaseException):
    """The worker is killed."""


class Place:
    """A state on disk, the feeds, and who hears: what outlives workers."""

    def __init__(self, path: Path) -> None:
        self.path, self.heard, self.said = path, Heard(), list[str]()
        self.made: list[Counting] = []

    def make(self, feed: Feed, snapshot: bytes | None) -> Counting:
        self.made.append(Counting(feed, snapshot))
        return self.made[-1]

    def worker(
        self,
        *feeds: Feed,
        keeper: SqliteKeeper | None = None,
        make: Make | None = None,
        source: Given | None = None,
        owner: str = "one",
        **more: Any,
    ) -> Worker:
        keeper = keeper or SqliteKeeper(self.path)
        self.keeper = keeper
        delivery = Delivery(keeper, self.heard, owner, Metrics(), self.said.append)
        args = (make or self.make, owner, Metrics(), self.said.append)
        return Worker(source or Given(*feeds), keeper, [delivery], *args, **more)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "worker.db")


def running(worker: Worker) -> threading.Thread:
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    return thread


def until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def test_a_source_that_ends_is_judged_whole_and_the_worker_ends(place: Place) -> None:
    feed = Lines("f", LINES[:95], ends=True)
    place.worker(feed).run()
    assert place.heard.ids == foretold(LINES[:95])
    assert feed.kept[-1] == 95
    assert feed.closed
    assert place.heard.closed
    assert place.made[-1].closed


def test_an_ended_stream_that_goes_on_is_numbered_anew(place: Place) -> None:
    place.worker(Lines("f", LINES, ends=True)).run()
    place.worker(Lines("f", LINES + LINES, ends=True)).run()
    assert place.heard.ids == foretold(LINES) * 2


def test_stopping_keeps_where_it_was(place: Place) -> None:
    feed = Lines("f", LINES[:57])
    worker = place.worker(feed)
    thread = running(worker)
    until(lambda: feed.at == 57)
    worker.stop()
    thread.join(20)
    assert feed.kept[-1] == 57
    place.worker(Lines("f", LINES, ends=True)).run()
    assert place.heard.ids == foretold(LINES)
    assert [made.line for made in place.made] == [57, 100]


def test_findings_come_at_once_not_with_the_checkpoint(place: Place) -> None:
    feed = Lines("f", LINES[:4])
    worker = place.worker(feed)
    thread = running(worker)
    until(lambda: len(place.heard.got) == 1)
    feed.lines += LINES[4:11]  # another one is in line 10
    until(lambda: len(place.heard.got) == 3)
    assert max(feed.kept) <= 4
    worker.stop()
    thread.join(20)


class Dying(SqliteKeeper):
    """A keeper whose worker dies at a commit: just before it, or just after it."""

    def __init__(self, path: Path, at: int, after: bool) -> None:
        super().__init__(path)
        self._left, self._after, self._dead = at, after, False

    def _act(self, act: Callable[[], int]) -> int:
        self._left -= 1
        if self._left > 0:
            return act()
        if self._after:
            act()
        self._dead = True
        raise Crash

    def emit(self, *args: Any) -> int:
        return self._act(lambda: super(Dying, self).emit(*args))

    def checkpoint(self, *args: Any) -> int:
        return self._act(lambda: super(Dying, self).checkpoint(*args))

    def release(self, feed: str, token: int) -> None:
        if not self._dead or feed.startswith("sink:"):
            super().release(feed, token)


@given(
    bad=st.lists(st.booleans(), min_size=1, max_size=60),
    crashes=st.lists(
        st.tuples(
            st.integers(1, 6), st.booleans(), st.integers(1, 9), st.sampled_from([1, 12, 99])
        ),
        max_size=4,
    ),
)
@example([False] * 3 + [True], [(1, True, 1, 1), (2, False, 1, 12), (3, False, 1, 1)])
@example([False] * 9 + [True], [(2, False, 1, 1), (2, False, 1, 12), (2, False, 1, 1)])
# Replayed with far more checkpoints than there were at first.
@example([False] * 50 + [True], [(3, True, 60, 99), (9, False, 1, 1)])
def test_crashes_lose_and_double_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    bad: list[bool],
    crashes: list[tuple[int, bool, int, int]],
) -> None:
    """Whatever the batches, the checkpoints' places, and the moments of death."""
    place = Place(tmp_path_factory.mktemp("state") / "worker.db")
    lines = [f"{n} {'bad' if b else 'good'}" for n, b in enumerate(bad)]
    with pytest.MonkeyPatch.context() as patch:
        for at, after, batch, every in crashes:
            patch.setattr(lane_module, "_LINES", every)
            keeper = Dying(place.path, at, after)
            worker = place.worker(Lines("f", lines, batch, ends=True), keeper=keeper)
            try:
                worker.run()
            except Crash:
                continue
            break
        place.worker(Lines("f", lines, 5, ends=True)).run()
    first = foretold(lines)
    assert place.heard.ids[: len(first)] == first
    assert len(place.heard.ids) == len(first)


def test_a_stream_after_one_that_ended_doubles_nothing_either(place: Place) -> None:
    place.worker(Lines("f", LINES, ends=True)).run()
    for at in (2, 3, 4):
        keeper = Dying(place.path, at, True)
        with pytest.raises(Crash):
            place.worker(Lines("f", LINES + LINES, ends=True), keeper=keeper).run()
    place.worker(Lines("f", LINES + LINES, ends=True)).run()
    assert place.heard.ids == foretold(LINES) * 2


class Slow(Dying):
    """A keeper that writes checkpoints slowly, and of which the worker dies at an emit."""

    def checkpoint(self, *args: Any) -> int:
        time.sleep(0.03)
        return SqliteKeeper.checkpoint(self, *args)


@pytest.mark.parametrize("at", range(2, 11))
def test_findings_go_on_while_a_checkpoint_is_written(
    place: Place, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    class Seen(Lines):
        def read(self, most: int, timeout: float) -> list[Entry]:
            time.sleep(0.005)
            return super().read(most, timeout)

    monkeypatch.setattr(lane_module, "_LINES", 9)
    for _ in range(2):
        worker = place.worker(Seen("f", LINES), keeper=Slow(place.path, at, True))
        with pytest.raises(Crash):
            worker.run()
    place.worker(Lines("f", LINES, ends=True)).run()
    assert place.heard.ids == foretold(LINES)


def test_a_feed_that_moves_in_the_middle_goes_on_there(place: Place, tmp_path: Path) -> None:
    source = Given(first := Lines("f", LINES[:33]))
    one = place.worker(source=source)
    thread = running(one)
    until(lambda: first.at == 33)
    other = Place(place.path)
    other.heard = place.heard
    second = Lines("f", LINES, ends=True)
    two = other.worker(second, owner="two")
    thread_two = running(two)
    source.gone = ["f"]  # the broker gives it to the other one
    thread_two.join(20)
    assert not thread_two.is_alive()
    one.stop()
    thread.join(20)
    assert first.kept[-1] == 33
    assert place.heard.ids == foretold(LINES)


def test_a_worker_that_lost_a_feed_writes_nothing_more(place: Place) -> None:
    feed = Lines("f", LINES[:33])
    one = place.worker(feed)
    keeper = place.keeper
    thread = running(one)
    until(lambda: feed.at == 33)
    keeper._lease = 0  # as if it had slept for longer than its lease
    taken = SqliteKeeper(place.path)
    token = None
    while token is None:
        token = taken.claim("f", "two")
    keeper._lease = int(10e9)
    feed.lines += LINES[33:]
    until(lambda: any("belongs to another" in text for text in place.said))
    kept = taken.load("f")
    one.stop()
    thread.join(20)
    assert taken.load("f") == kept
    taken.close()


class Full(SqliteKeeper):
    """A keeper on a disk that is full at times."""

    full = False

    @property
    def _now(self) -> None:
        if self.full:
            raise KeeperError("the disk is full")

    def emit(self, *args: Any) -> int:
        _ = self._now
        return super().emit(*args)

    def checkpoint(self, *args: Any) -> int:
        _ = self._now
        return super().checkpoint(*args)


def test_a_full_disk_stops_reading_and_loses_nothing(place: Place) -> None:
    feed = Lines("f", LINES[:30], ends=False)
    keeper = Full(place.path)
    worker = place.worker(feed, keeper=keeper)
    thread = running(worker)
    until(lambda: feed.at == 30)
    keeper.full = True
    feed.lines += LINES[30:]
    until(lambda: any("full" in text for text in place.said))
    time.sleep(0.1)
    at = feed.at
    assert at < 45, "at most up to the finding that could not be kept"
    time.sleep(0.05)
    assert feed.at == at
    assert len([text for text in place.said if "full" in text]) == 1
    keeper.full = False
    until(lambda: feed.at == 100)
    worker.stop()
    thread.join(20)
    assert place.heard.ids == foretold(LINES)


def test_reading_waits_while_too_many_findings_wait(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "MOST_WAITING", 5)
    monkeypatch.setattr(worker_module, "_LOOK", 0.0)
    place.heard.down = True
    feed = Lines("f", LINES, 2)
    worker = place.worker(feed)
    thread = running(worker)
    until(lambda: any("reading waits" in text for text in place.said))
    time.sleep(0.05)
    assert feed.at < 50
    place.heard.down = False
    until(lambda: feed.at == 100)
    worker.stop()
    thread.join(20)
    assert place.heard.ids == foretold(LINES)
    assert any("reading goes on" in text for text in place.said)


def test_the_clock_moves_windows_on_and_a_checkpoint_follows(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_module, "_IDLE", 0.03)
    feed = Lines("f", LINES[:20])
    worker = place.worker(feed)
    thread = running(worker)
    until(lambda: bool(place.made and place.made[0].advanced))
    feed.lines.append("one more")
    until(lambda: feed.at == 21)
    until(lambda: 20 in feed.kept)  # before the line that came after the clock had acted
    worker.stop()
    thread.join(20)


class Broken(Lines):
    """A feed that cannot be read at times."""

    broken = True

    def read(self, most: int, timeout: float) -> list[Entry]:
        if self.broken:
            raise InputError("app.log cannot be read: permission denied")
        return super().read(most, timeout)


def test_a_feed_that_cannot_be_read_is_said_once_and_tried_again(place: Place) -> None:
    feed = Broken("f", LINES, ends=True)
    worker = place.worker(feed)
    thread = running(worker)
    until(lambda: bool(place.said))
    time.sleep(0.1)
    feed.broken = False
    thread.join(20)
    assert place.heard.ids == foretold(LINES)
    assert len([text for text in place.said if "permission" in text]) == 1


def test_reloading_goes_on_from_the_same_line(place: Place) -> None:
    feed = Lines("f", LINES[:33])
    made: list[str] = []

    def newer(feed: Feed, snapshot: bytes | None) -> Counting:
        made.append("newer")
        return Counting(feed, snapshot)

    worker = place.worker(feed, renewed=lambda: newer)
    thread = running(worker)
    until(lambda: feed.at == 33)
    worker.reload()
    until(lambda: any("reloaded" in text for text in place.said))
    feed.lines += LINES[33:]
    feed.ends = True
    thread.join(20)
    assert made == ["newer"]
    assert place.heard.ids == foretold(LINES)


def test_a_model_that_cannot_be_loaded_changes_nothing(place: Place) -> None:
    def broken() -> Make:
        raise LogwrightError("the model is damaged")

    feed = Lines("f", LINES[:33])
    worker = place.worker(feed, renewed=broken)
    thread = running(worker)
    until(lambda: feed.at == 33)
    worker.reload()
    until(lambda: any("damaged" in text for text in place.said))
    feed.lines += LINES[33:]
    feed.ends = True
    thread.join(20)
    assert place.heard.ids == foretold(LINES)


def test_a_snapshot_that_does_not_fit_is_said_and_begun_anew(place: Place) -> None:
    feed = Lines("f", LINES[:33])
    worker = place.worker(feed)
    thread = running(worker)
    until(lambda: feed.at == 33)
    worker.stop()
    thread.join(20)

    def picky(feed: Feed, snapshot: bytes | None) -> Counting:
        if snapshot is not None:
            raise LogwrightError("the snapshot is of another model")
        return Counting(feed, None)

    second = Lines("f", LINES, ends=True)
    place.worker(second, make=picky).run()
    assert second.kept[0] > 33
    assert any("another model" in text for text in place.said)


def test_time_in_which_nobody_could_read_is_no_silence(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unread(Lines):
        until = 0.0

        def read(self, most: int, timeout: float) -> list[Entry]:
            if self.at == 33 and not self.until:
                self.until = time.monotonic() + 1
            if time.monotonic() < self.until:
                raise InputError("nobody answers")
            return super().read(most, timeout)

    monkeypatch.setattr(lane_module, "_IDLE", 0.2)
    worker = place.worker(feed := Unread("f", LINES[:33]))
    thread = running(worker)
    until(lambda: bool(place.made and place.made[-1].advanced))
    assert time.monotonic() - feed.until > 0.1
    assert place.made[-1].advanced[0] < 0.7
    worker.stop()
    thread.join(20)


def test_two_workers_share_feeds_and_one_takes_over(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "_OTHERS", 0.2)
    names = [f"feed{n}" for n in range(6)]
    other = Place(place.path)
    other.heard = place.heard
    feeds = [[Lines(n, [f"{n} {line}" for line in LINES[:50]]) for n in names] for _ in range(2)]
    workers = [
        place.worker(*feeds[0], share=(0, 2), owner="one"),
        other.worker(*feeds[1], share=(1, 2), owner="two"),
    ]
    threads = [running(worker) for worker in workers]
    until(lambda: all(a.at + b.at >= 50 for a, b in zip(*feeds, strict=True)))
    assert all(any(feed.at for feed in mine) for mine in feeds), "each has its share"
    workers[0].stop()
    threads[0].join(20)
    for feed in feeds[1]:
        feed.lines += [f"{feed.name} {line}" for line in LINES[50:]]
        feed.ends = True
    threads[1].join(20)
    assert not threads[1].is_alive()
    expected = [i for n in names for i in foretold([f"{n} {line}" for line in LINES])]
    assert sorted(place.heard.ids) == sorted(expected)


def test_a_bug_while_judging_commits_nothing_of_it(place: Place) -> None:
    class Buggy(Counting):
        def push(self, entries: Sequence[Entry]) -> list[Finding]:
            found = super().push(entries)
            if self.line > 50:
                raise ZeroDivisionError
            return found

    with pytest.raises(ZeroDivisionError):
        place.worker(Lines("f", LINES, ends=True), make=Buggy).run()
    place.worker(Lines("f", LINES, ends=True)).run()
    assert place.heard.ids == foretold(LINES)


def test_a_sink_whose_reader_went_away_ends_the_worker(place: Place) -> None:
    class GoneError(Exception):
        pass

    def put(findings: Sequence[bytes]) -> None:
        raise GoneError

    place.heard.put = put  # type: ignore[method-assign]
    feed = Lines("f", LINES)
    with pytest.raises(GoneError):
        place.worker(feed).run()
    assert feed.kept
