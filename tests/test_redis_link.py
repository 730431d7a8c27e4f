"""The address of Redis, and what is told where it cannot be used."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import (
    AwayError,
    InputError,
    LogwrightError,
    MissingExtraError,
    SettingsError,
)
from logwright.stream import redis_link
from logwright.stream.redis_keeper import RedisKeeper
from logwright.stream.redis_link import PASSWORD, Address
from logwright.stream.redis_sink import RedisSink
from logwright.stream.redis_source import RedisSource
from redis_server import free_port, running


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://h/x", "is redis://"),
        ("redis:///x", "is redis://"),
        ("redis://h", "needs a name"),
        ("redis://h:port/x", "is redis://"),
        ("redis://h:99999/x", "is redis://"),
        ("redis://h/x?db=one", "db='one'"),
        ("redis://h/x?grp=g", "'grp' is no option"),
        ("redis://h/x?shards=0", "shards='0'"),
        ("redis://h/x?from=middle", "begin or end"),
        ("redis://h/x?trim=yes", "no or done"),
        ("redis://[::1/x", "is redis://"),
    ],
)
def test_addresses_that_are_none_are_told_in_a_sentence(url: str, why: str) -> None:
    pytest.importorskip("redis")
    with pytest.raises((SettingsError, InputError), match=re.escape(why)):
        RedisSource(url)


@given(st.text("a1/?#:@[]%&= é", min_size=1), st.sampled_from(["h:1/x", "h:p/x", "/", "h/x?a=b"]))
def test_no_message_names_a_password(tail: str, rest: str) -> None:
    password = "hush" + tail
    for url in (f"redis://:{password}@{rest}", f"redis://user:{password}@{rest}"):
        try:
            told = repr(address := Address.of(url, ())) + str(address)
        except LogwrightError as error:
            told = str(error)
        assert "hush" not in told


def test_the_password_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD, "from outside")
    assert Address.of("redis://h/x", ()).password == "from outside"
    assert Address.of("redis://u:p%2Fq@h/x", ()).password == "p/q"
    assert Address.of("redis://u:p%2Fq@h/x", ()).user == "u"


def test_a_wrong_password_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, "--protected-mode", "no") as server:
        server.client().config_set("requirepass", "right")
        began = time.monotonic()
        for url in (server.url("x"), server.url("x").replace("//", "//:wrong@")):
            for what in (RedisSource, RedisKeeper, RedisSink):
                with pytest.raises(
                    InputError, match=r"cannot be used: .*(NOAUTH|invalid|Auth)"
                ) as e:
                    what(url)
                assert "wrong" not in str(e.value)
        assert time.monotonic() - began < 2
        monkeypatch.setenv(PASSWORD, "right")
        RedisSink(server.url("x")).put([b'{"id":"f-1"}'])


def test_a_server_that_is_not_there_is_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("redis")
    monkeypatch.setattr(redis_link, "_START", 0.1)
    with pytest.raises(AwayError, match="cannot be used") as e:
        RedisKeeper(f"redis://127.0.0.1:{free_port()}/")
    assert e.value.exit_code == 75  # whoever looks after the worker starts it again


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    with pytest.raises(MissingExtraError, match=r"logwright\[redis\]"):
        RedisKeeper("redis://127.0.0.1/")
