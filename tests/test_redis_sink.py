"""A Redis stream as a sink: each finding once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from logwright.stream.redis_sink import RedisSink
from logwright.stream.sink import SinkError
from redis_server import RedisServer

pytestmark = pytest.mark.slow


def bodies(numbers: Sequence[int]) -> list[bytes]:
    return [b'{"id":"f-%d","text":"\xc3\xa9"}' % number for number in numbers]


def test_the_sink_adds_each_finding_once_in_order(server: RedisServer) -> None:
    sink = RedisSink(server.url("found"))
    sink.put([])
    sink.put(bodies([3, 1, 2]))
    sink.close()
    sink = RedisSink(server.url("found"))
    sink.put(bodies([1, 2, 5, 5, *range(10, 1_500)]))
    rows = [fields for _, fields in server.client().xrange("found")]
    numbers = [3, 1, 2, 5, *range(10, 1_500)]
    assert [row[b"finding"] for row in rows] == bodies(numbers)
    assert [row[b"id"] for row in rows] == [b"f-%d" % number for number in numbers]
    assert sink.name == f"redis:127.0.0.1:{server.port}/0/found"


def test_the_sink_is_bounded(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logwright.stream.redis_sink._IDS", 50)
    sink = RedisSink(server.url("found?maxlen=100"))
    sink.put(bodies(range(5_000)))
    client = server.client()
    assert client.xlen("found") < 700
    assert client.zcard("found:ids") == 50
    sink.put(bodies(range(4_950, 5_001)))
    assert client.xrevrange("found", count=2)[1][1][b"id"] == b"f-4999"


def test_a_sink_that_cannot_take_says_so(mortal: RedisServer) -> None:
    sink = RedisSink(mortal.url("found"))
    for key in ("found", "found:ids"):
        mortal.client().set(key, "a string")
        with pytest.raises(SinkError, match="WRONGTYPE"):
            sink.put(bodies([1]))
        mortal.client().delete(key)
    mortal.kill()
    with pytest.raises(SinkError, match="refused"):
        sink.put(bodies([1]))
    mortal.start()
    sink.put(bodies([1]))
    assert mortal.client().xlen("found") == 1
