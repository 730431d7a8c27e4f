"""Redis streams as feeds: every entry once, in order, from any position on."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import InputError
from logwright.stream.feed import Entry
from logwright.stream.redis_source import RedisSource
from redis_reading import add, read_all, the_feed
from redis_server import RedisServer

pytestmark = pytest.mark.slow


def texts(entries: Sequence[Entry]) -> list[str]:
    return [entry.data.decode() for entry in entries]


def test_entries_hold_lines_in_one_of_three_fields(server: RedisServer) -> None:
    client = server.client()
    client.xadd("logs", {"lines": "a\nb"})
    client.xadd("logs", {"lines": "c\nd\n"})
    client.xadd("logs", {"host": "h", "line": "e"})
    client.xadd("logs", {"message": b"\xff\x00"})
    client.execute_command("XADD", "logs", "*", "line", "f", "line", "g")
    entries = read_all(the_feed(server.url("logs")), 5)
    assert [entry.data for entry in entries] == [
        b"a\nb\n",
        b"c\nd\n",
        b"e\n",
        b"\xff\x00\n",
        b"f\ng\n",
    ]
    assert all(abs(entry.arrived - time.time_ns()) < 60e9 for entry in entries)


def test_ids_that_are_no_times_do_not_tell_when_it_arrived(server: RedisServer) -> None:
    server.client().xadd("logs", {"line": "a"}, id="7-1")
    (entry,) = read_all(the_feed(server.url("logs")), 1)
    assert abs(entry.arrived - time.time_ns()) < 60e9


def test_poison_is_put_aside_with_its_reason_once(server: RedisServer) -> None:
    client = server.client()
    told: list[str] = []
    feed = the_feed(server.url("logs"), told)
    for fields in ({"other": "x"}, {"lines": ""}, {"line": "good"}, {"lines": "\n"}):
        client.xadd("logs", fields)
    for position in (None, "0-0"):  # a replay puts nothing aside twice
        feed.seek(position)
        assert texts(read_all(feed, 1)) == ["good\n"]
    kept = [fields for _, fields in client.xrange("logs:poison")]
    assert [fields[b"reason"].decode() for fields in kept] == [
        "it has no field 'lines', 'line' or 'message'",
        "its lines are empty",
        "its lines are empty",
    ]
    assert kept[0][b"other"] == b"x"
    assert feed.counts["poison"] == 6  # type: ignore[attr-defined]
    assert len(told) == 1


def test_only_poison_moves_on_too(server: RedisServer) -> None:
    client = server.client()
    for _ in range(100):
        client.xadd("logs", {"other": "x"})
    feed = the_feed(server.url("logs"))
    assert read_all(feed, 1, 1) == []
    client.xadd("logs", {"line": "good"})
    assert texts(read_all(feed, 1)) == ["good\n"]


def test_shards_are_feeds(server: RedisServer) -> None:
    source = RedisSource(server.url("logs?shards=3&group=g"))
    feeds, _ = source.feeds()
    assert [feed.name for feed in feeds] == [f"redis:logs/{n}@g" for n in range(3)]
    assert source.feeds() == ([], [])
    for number, feed in enumerate(feeds):
        add(server.client(), f"logs:{number}", [f"of {number}"])
        assert texts(read_all(feed, 1)) == [f"of {number}\n"]
    source.close()
    source.close()


@given(
    sizes=st.lists(st.integers(1, 3_000), min_size=1, max_size=30),
    at=st.integers(0, 30),
    most=st.integers(1, 9_999),
)
def test_reading_goes_on_from_any_position(
    one_server: RedisServer, sizes: list[int], at: int, most: int
) -> None:
    one_server.client().flushall()
    add(one_server.client(), "logs", ["x" * size for size in sizes])
    feed = the_feed(one_server.url("logs"))
    feed.seek(None)
    entries: list[Entry] = []
    while got := feed.read(most, 0.0):
        entries += got
    assert [len(entry.data) - 1 for entry in entries] == sizes
    at = min(at, len(sizes) - 1)
    other = the_feed(one_server.url("logs"))
    other.seek(entries[at].position)
    assert read_all(other, len(sizes) - at - 1) == entries[at + 1 :]
    other.close()
    feed.close()


def test_an_answer_stays_near_what_was_asked(server: RedisServer) -> None:
    client = server.client()
    add(client, "logs", ["x" * 10_000] * 200)
    feed = the_feed(server.url("logs"))
    sizes = []
    while got := feed.read(100_000, 0.0):
        sizes.append(sum(len(entry.data) for entry in got))
    assert max(sizes[1:]) <= 100_020
    assert len(sizes) < 30


def test_a_read_waits_as_long_as_it_is_told(server: RedisServer) -> None:
    feed = the_feed(server.url("logs"))
    feed.read(1, 0.0)
    began = time.monotonic()
    assert feed.read(1, 0.2) == []
    assert 0.15 < time.monotonic() - began < 1.0
    timer = threading.Timer(0.1, add, (server.client(), "logs", ["a"]))
    timer.start()
    began = time.monotonic()
    assert texts(feed.read(1, 0.9)) == ["a\n"]
    assert time.monotonic() - began < 0.6
    timer.join()


def test_a_new_group_begins_where_the_address_says(server: RedisServer) -> None:
    client = server.client()
    add(client, "logs", ["old"])
    begin, end = the_feed(server.url("logs")), the_feed(server.url("logs?from=end&group=tail"))
    assert end.read(1, 0.0) == []
    # A restart before the first checkpoint does not begin later.
    add(client, "logs", ["new"])
    again = the_feed(server.url("logs?from=end&group=tail"))
    assert texts(read_all(again, 1)) == ["new\n"]
    assert texts(read_all(begin, 2)) == ["old\n", "new\n"]
    assert again.lag() == 0


def test_the_group_shows_others_what_is_done_and_the_lag(server: RedisServer) -> None:
    client = server.client()
    feed = the_feed(server.url("logs"))
    assert feed.lag() == 0
    add(client, "logs", list("abcd"))
    entries = read_all(feed, 4)
    assert feed.lag() == 0
    feed.done(entries[1].position)
    (group,) = client.xinfo_groups("logs")
    assert (group["lag"], group["entries-read"], group["pending"]) == (2, 2, 0)
    # Who has no checkpoint goes on from there.
    other = the_feed(server.url("logs"))
    assert read_all(other, 2) == entries[2:]
    other.seek(None)
    assert other.lag() == 2


def test_a_group_made_by_others_has_no_count_until_the_end(server: RedisServer) -> None:
    client = server.client()
    names = add(client, "logs", list("abcd"))
    client.xgroup_create("logs", "logwright", names[1])
    told: list[str] = []
    feed = the_feed(server.url("logs"), told)
    entries = read_all(feed, 2)
    assert texts(entries) == ["c\n", "d\n"]
    time.sleep(1.1)
    feed.read(1, 0.0)
    assert feed.lag() == 0
    add(client, "logs", ["e"])
    (entry,) = read_all(feed, 1)
    assert entry.position.endswith(" 5")
    assert told == []


def test_trimming_lets_go_of_what_all_groups_are_done_with(server: RedisServer) -> None:
    client = server.client()
    names = add(client, "logs", list("abcdef"))
    feed = the_feed(server.url("logs?trim=done"))
    entries = read_all(feed, 6)
    assert client.xlen("logs") == 6
    feed.done(entries[3].position)
    assert client.xlen("logs") == 3  # the last one done stays
    client.xgroup_create("logs", "other", names[3])
    feed.done(entries[5].position)
    assert client.xlen("logs") == 3  # what another group has not read stays
    client.xreadgroup("other", "me", {"logs": ">"})
    client.xack("logs", "other", names[5])
    feed.done(entries[5].position)
    assert client.xlen("logs") == 2  # and what it has read, but not acknowledged
    client.xgroup_destroy("logs", "other")
    feed.done(entries[5].position)
    assert client.xlen("logs") == 1
    add(client, "logs", ["g"])
    assert texts(read_all(feed, 1)) == ["g\n"]
    quiet = the_feed(server.url("logs?group=keeps"))
    quiet.done(read_all(quiet, 2)[-1].position)
    assert client.xlen("logs") == 2


def test_a_late_done_trims_nothing_that_is_not_done(server: RedisServer) -> None:
    client = server.client()
    add(client, "logs", list("abcdef"))
    feed = the_feed(server.url("logs?trim=done"))
    entries = read_all(feed, 6)
    client.xgroup_destroy("logs", "logwright")
    feed.done(entries[2].position)
    feed.done(entries[1].position)
    assert client.xlen("logs") == 5
    (group,) = client.xinfo_groups("logs")
    assert group["entries-read"] == 3
    other = the_feed(server.url("logs?trim=done"))
    other.seek(entries[2].position)
    assert read_all(other, 3) == entries[3:]


def test_what_a_producer_removed_unread_is_counted(server: RedisServer) -> None:
    client = server.client()
    told: list[str] = []
    feed = the_feed(server.url("logs"), told)
    add(client, "logs", list("ab"))
    entries = read_all(feed, 2)
    add(client, "logs", list("cdefg"), maxlen=2, approximate=False)
    feed.seek(entries[-1].position)
    assert texts(read_all(feed, 2)) == ["f\n", "g\n"]
    assert feed.counts["removed"] == 3  # type: ignore[attr-defined]
    assert told == ["redis:logs: 3 entries were removed before they were read"]
    assert feed.lag() == 0
    feed.seek("0-0 0")
    client.xtrim("logs", maxlen=0, approximate=False)
    assert read_all(feed, 1, 0.1) == []
    assert feed.counts["removed"] == 3 + 7  # type: ignore[attr-defined]


def test_after_a_flush_the_group_is_made_anew_and_that_is_said_once(server: RedisServer) -> None:
    client = server.client()
    told: list[str] = []
    feed = the_feed(server.url("logs"), told)
    add(client, "logs", list("abc"))
    entries = read_all(feed, 3)
    client.flushall()
    feed.done(entries[-1].position)
    feed.done(entries[-1].position)
    assert client.xinfo_groups("logs")[0]["name"] == b"logwright"
    add(client, "logs", list("de"))
    assert texts(read_all(feed, 2)) == ["d\n", "e\n"]
    assert len(told) == 1
    assert "made anew" in told[0]
    # Also of a position that a keeper elsewhere has kept, whatever ids there are now.
    client.flushall()
    client.xadd("logs", {"line": "new"}, id="1-1")
    other = the_feed(server.url("logs"), told)
    other.seek(entries[-1].position)
    assert texts(read_all(other, 1)) == ["new\n"]


def test_a_stream_that_was_set_back_goes_on_from_its_end(server: RedisServer) -> None:
    """As where Redis lost a second of entries that were read already: none is read twice."""
    client = server.client()
    told: list[str] = []
    feed = the_feed(server.url("logs"), told)
    add(client, "logs", list("ab"))
    feed.read(1, 0.0)
    saved = client.dump("logs")
    add(client, "logs", list("cd"))
    entries = read_all(feed, 2)
    client.delete("logs")
    client.restore("logs", 0, saved)
    feed.seek(entries[-1].position)
    assert read_all(feed, 1, 0.1) == []
    assert "set back" in told[0]
    add(client, "logs", ["e"])
    assert texts(read_all(feed, 1)) == ["e\n"]


def test_a_stream_that_is_none_is_said_and_waited_for(server: RedisServer) -> None:
    client = server.client()
    client.set("logs", "a string")
    told: list[str] = []
    feed = the_feed(server.url("logs"), told)
    assert feed.read(1, 0.05) == []
    assert "WRONGTYPE" in told[0]
    client.delete("logs")
    add(client, "logs", ["a"])
    assert texts(read_all(feed, 1)) == ["a\n"]


@pytest.mark.parametrize("position", ["", "x", "1-x", "1-1 x", "-"])
def test_a_position_of_something_else_is_refused(server: RedisServer, position: str) -> None:
    with pytest.raises(InputError, match="no position"):
        the_feed(server.url("logs")).seek(position)
