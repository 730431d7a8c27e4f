"""The SQLite keeper: leases, fencing, one transaction each, and what a crash leaves."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from keeper_model import histories
from logwright.errors import StoreError
from logwright.stream.keeper import KeeperError, Kept, LostError
from logwright.stream.sqlite_keeper import SqliteKeeper
from worker_fakes import finding


class Clock:
    def __init__(self) -> None:
        self.now = 10**12

    def __call__(self) -> int:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += int(seconds * 1e9)


class Bench:
    """A file, and a clock on which leases run out."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()

    def open(self) -> SqliteKeeper:
        return SqliteKeeper(Path(self.folder.name, "worker.db"), clock=self.clock)

    def expire(self) -> None:
        self.clock.wait(60)

    def close(self) -> None:
        self.folder.cleanup()


TestHistories = histories(Bench)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keeper(tmp_path: Path, clock: Clock) -> SqliteKeeper:
    return SqliteKeeper(tmp_path / "worker.db", lease=10, clock=clock)


def owned(keeper: SqliteKeeper, feed: str = "f", owner: str = "a") -> int:
    token = keeper.claim(feed, owner)
    assert token is not None
    return token


def waiting(keeper: SqliteKeeper, sink: str = "s") -> list[str]:
    return [json.loads(text)["id"] for _, text in keeper.outbox(sink, 1_000)]


def test_a_lease_holds_until_it_ends_or_is_released(keeper: SqliteKeeper, clock: Clock) -> None:
    token = owned(keeper)
    assert keeper.claim("f", "b") is None
    clock.wait(9)
    assert keeper.renew("f", token)
    clock.wait(9)
    assert keeper.claim("f", "b") is None
    clock.wait(2)
    second = owned(keeper, owner="b")
    assert second > token
    assert not keeper.renew("f", token)
    keeper.release("f", token)  # nothing of the second one's
    assert keeper.claim("f", "a") is None
    keeper.release("f", second)
    assert owned(keeper) > second


def test_the_same_owner_need_not_wait(keeper: SqliteKeeper) -> None:
    first = owned(keeper)
    again = owned(keeper)
    assert again > first
    with pytest.raises(LostError):
        keeper.emit("f", first, [finding(1)], 0)


def test_a_lease_of_before_the_machine_was_started_anew_is_void(
    keeper: SqliteKeeper, clock: Clock
) -> None:
    owned(keeper)
    clock.now = 1
    assert keeper.claim("f", "b") is not None


def test_who_lost_a_feed_can_commit_nothing(keeper: SqliteKeeper, clock: Clock) -> None:
    keeper.outbox("s", 0)
    old = owned(keeper)
    keeper.checkpoint("f", old, b"one", "1", [], 0)
    clock.wait(11)
    keeper.emit("f", old, [finding(1)], 0)  # the lease is over, but nobody has claimed the feed
    new = owned(keeper, owner="b")
    with pytest.raises(LostError):
        keeper.emit("f", old, [finding(2)], 0)
    with pytest.raises(LostError):
        keeper.checkpoint("f", old, b"two", "2", [finding(2)], 0)
    assert keeper.load("f") == Kept(b"one", "1")
    assert waiting(keeper) == [finding(1).id]
    assert keeper.checkpoint("f", new, b"two", "2", [], 0) == 0


def test_an_id_is_emitted_once_until_a_checkpoint_behind_it(keeper: SqliteKeeper) -> None:
    keeper.outbox("s", 0)
    token = owned(keeper)
    assert keeper.emit("f", token, [finding(1), finding(2)], 7) == 2
    assert keeper.emit("f", token, [finding(2), finding(3), finding(3)], 8) == 1
    for lines in (2, 4, 6):  # of a replay that has not come by there
        assert keeper.checkpoint("f", token, b"x", "5", [], lines) == 0
    assert keeper.emit("f", token, [finding(1), finding(2)], 7) == 0
    # The very call again, as after an answer that was lost; however often.
    for new in (1, 0, 0):
        assert keeper.checkpoint("f", token, b"x", "9", [finding(3), finding(4)], 9) == new
    assert waiting(keeper) == [finding(n).id for n in (1, 2, 3, 4)]
    assert keeper.checkpoint("f", token, b"y", "10", [], 10) == 0
    assert keeper.emit("f", token, [finding(1)], 11) == 1


def test_feeds_know_nothing_of_each_other(keeper: SqliteKeeper) -> None:
    keeper.outbox("s", 0)
    assert keeper.emit("f", owned(keeper), [finding(1)], 0) == 1
    assert keeper.emit("g", owned(keeper, "g"), [finding(1)], 0) == 1
    assert keeper.load("g") == Kept(None, None)


def test_each_sink_has_its_place_and_what_all_have_is_let_go(keeper: SqliteKeeper) -> None:
    keeper.outbox("s", 0)
    keeper.outbox("t", 0)
    keeper.emit("f", owned(keeper), [finding(n) for n in range(5)], 0)
    rows = keeper.outbox("s", 3)
    assert [n for n, _ in rows] == sorted(n for n, _ in rows)
    keeper.delivered("s", rows[-1][0])
    assert waiting(keeper) == [finding(n).id for n in (3, 4)]
    assert len(waiting(keeper, "t")) == keeper.backlog() == 5
    keeper.delivered("t", rows[-2][0])
    assert keeper.backlog() == 3
    keeper.delivered("t", rows[0][0])  # a late word changes nothing
    assert len(waiting(keeper, "t")) == 3


def test_a_sink_nobody_names_for_a_week_holds_nothing_up(keeper: SqliteKeeper) -> None:
    for sink in ("s", "gone"):
        keeper.outbox(sink, 0)
    keeper.emit("f", owned(keeper), [finding(1)], 0)
    with sqlite3.connect(keeper.path) as db:
        db.execute("UPDATE sinks SET asked = asked - 8 * 86400")
    db.close()
    keeper.outbox("s", 0)
    keeper.delivered("s", keeper.outbox("s", 1)[0][0])
    assert keeper.backlog() == 0


def test_everything_is_there_after_opening_again(keeper: SqliteKeeper, clock: Clock) -> None:
    keeper.outbox("s", 0)
    token = owned(keeper)
    keeper.checkpoint("f", token, b"\x00snapshot", "caf\udce9:7", [finding(1)], 0)
    keeper.close()
    keeper.close()
    again = SqliteKeeper(keeper.path, clock=clock)
    assert again.load("f") == Kept(b"\x00snapshot", "caf\udce9:7")
    assert again.renew("f", token)
    assert again.emit("f", token, [finding(1)], 0) == 0
    assert waiting(again) == [finding(1).id]


def test_names_that_are_no_unicode(keeper: SqliteKeeper) -> None:
    name = "file:/var/log/caf\udce9.log"
    token = owned(keeper, name)
    keeper.checkpoint(name, token, b"x", "1", [], 0)
    assert keeper.load(name) == Kept(b"x", "1")
    assert keeper.renew(name, token)


def test_a_full_disk_is_told_and_passes(keeper: SqliteKeeper) -> None:
    token = owned(keeper)
    keeper.checkpoint("f", token, b"small", "1", [], 0)
    (pages,) = keeper._db.execute("PRAGMA page_count").fetchone()
    keeper._db.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(KeeperError, match="full"):
        keeper.checkpoint("f", token, os.urandom(1 << 20), "2", [finding(1)], 0)
    assert keeper.load("f") == Kept(b"small", "1")
    keeper._db.execute("PRAGMA max_page_count = 1000000")
    keeper.outbox("s", 0)
    assert keeper.checkpoint("f", token, b"large", "2", [finding(1)], 0) == 1
    assert keeper.load("f") == Kept(b"large", "2")


@pytest.mark.parametrize("content", [b"hello, this is no database" * 50, b"SQLite format 3\0"])
def test_what_is_no_state_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "worker.db"
    path.write_bytes(content)
    with pytest.raises((StoreError, KeeperError), match=r"worker\.db"):
        SqliteKeeper(path)
    assert path.read_bytes() == content


def test_other_databases_newer_states_and_folders_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()
    with pytest.raises(StoreError, match="another program"):
        SqliteKeeper(other)
    SqliteKeeper(tmp_path / "new.db").close()
    with sqlite3.connect(tmp_path / "new.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="newer"):
        SqliteKeeper(tmp_path / "new.db")
    with pytest.raises(StoreError, match="not a file"):
        SqliteKeeper(tmp_path)


def test_many_threads_lose_and_double_nothing(keeper: SqliteKeeper) -> None:
    keeper.outbox("s", 0)

    def work(feed: str) -> None:
        token = owned(keeper, feed)
        for n in range(20):
            keeper.emit(feed, token, [finding(n, feed)], 0)

    threads = [threading.Thread(target=work, args=(f"feed{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = waiting(keeper)
    assert len(ids) == len(set(ids)) == 80
    for n in range(4):  # each feed's own are in order
        mine = [finding(i, f"feed{n}").id for i in range(20)]
        assert [i for i in ids if i in mine] == mine


_CRASH = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from worker_fakes import finding
from logwright.stream.sqlite_keeper import SqliteKeeper
keeper = SqliteKeeper(Path(sys.argv[1]))
keeper.outbox("s", 0)
token = keeper.claim("f", "crash")
at = int(keeper.load("f").position or 0)
while True:
    keeper.emit("f", token, [finding(at)], at)
    print("e", at, flush=True)
    at += 1
    keeper.checkpoint("f", token, b"x" * 10000, str(at), [], at)
    print("c", at, flush=True)
"""


@pytest.mark.slow
def test_a_backlog_that_another_process_empties_meanwhile_is_none(keeper: SqliteKeeper) -> None:
    keeper.outbox("s", 0)
    token = keeper.claim("f", "one")
    assert token is not None
    other, statements = SqliteKeeper(keeper.path), list[str]()

    def empty(statement: str) -> None:
        statements.append(statement)
        if len(statements) == 2:  # between the first and a second one
            other.delivered("s", 1)

    keeper.emit("f", token, [finding(1)], 0)
    keeper._out.set_trace_callback(empty)
    assert keeper.backlog() == 1
    keeper._out.set_trace_callback(None)
    assert other.backlog() == 1
    other.close()


def test_what_was_answered_is_there_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "worker.db"
    told = 0
    for round_ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", _CRASH, str(path), str(Path(__file__).parent)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        for _ in range(7 + round_):
            kind, at = child.stdout.readline().split()
            told = int(at) if kind == "c" else told
        child.send_signal(signal.SIGKILL)
        rest = child.communicate()[0].split("\n")
        last = [int(line[2:]) for line in rest if line.startswith("c ")]
        told = max([told, *last])
        keeper = SqliteKeeper(path)
        kept = int(keeper.load("f").position or 0)
        assert kept >= told
        ids = waiting(keeper)
        keeper.close()
        assert ids == [finding(n).id for n in range(len(ids))]
        assert len(ids) in (kept, kept + 1)
