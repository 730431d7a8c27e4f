"""What tests of Redis streams share: entries are added, and a feed is read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from logwright.errors import InputError
from logwright.stream.feed import Entry, Feed
from logwright.stream.redis_source import RedisSource

__all__ = ["add", "read_all", "the_feed"]


def add(client: Any, stream: str, texts: Sequence[str], **more: Any) -> list[str]:
    return [client.xadd(stream, {"lines": text}, **more).decode() for text in texts]


def the_feed(url: str, told: list[str] | None = None) -> Feed:
    (feed,), lost = RedisSource(url, (told if told is not None else []).append).feeds()
    assert lost == []
    return feed


def read_all(feed: Feed, number: int, seconds: float = 20.0) -> list[Entry]:
    """So many entries, and what comes right after; while the server is away, it is waited for."""
    entries: list[Entry] = []
    until = time.monotonic() + seconds
    while len(entries) < number and time.monotonic() < until:
        with suppress(InputError):
            entries += feed.read(1 << 20, 0.05)
    return entries + feed.read(1 << 20, 0.0)
