"""A keeper in Redis: each of its calls is one script, which Redis runs whole or not at all.

Keys begin with ``{NAME}`` (`NAME` is the path of the address), so that they lie together:

    {NAME}:feed:FEED          hash: token, owner, ends, nonce, call, new, snapshot, position
    {NAME}:ids:FEED           sorted set: ids emitted behind the checkpoint, by lines judged then
    {NAME}:outbox             stream of findings; entry 0-17 is number 17
    {NAME}:cursors            hash: sink -> last number it has
    {NAME}:asked              hash: sink -> when it last asked

Late calls: a call that was given up can reach the server after later ones of the same worker did.
So calls that write for a feed are numbered for each token, and a number that is not above the last
one's does nothing; a retry has its first try's number. A server that lost commits (it was restored,
or fsyncs only every second) shows in a number too low: the feed is lost then, and is taken up again
from the checkpoint that the server has.

Leases are reckoned by the server's clock alone. Where that is set forward, leases end early, and
tokens keep the former owners out; where it is set back, no lease is longer than one of now on.
Tokens are microseconds of that clock or, where that is more, one more than the last: so they grow
after a flush, too.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from logwright.findings.finding import Finding
from logwright.findings.jsonl import dumps
from logwright.stream.keeper import KeeperError, Kept, LostError
from logwright.stream.redis_link import Address, Link, LinkError, nobody

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["RedisKeeper"]

_PATIENCE = 2.0
_FORGET = 7 * 86_400
_ASKED = 60
_MOST = 2_000
_MOST_BYTES = 64 << 20
_LARGEST = 500 << 20  # a value of Redis is at most 512 MiB long

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

_CLAIM = (
    _NOW
    + """
local kept = redis.call('HMGET', KEYS[1], 'token', 'owner', 'ends', 'nonce')
local longest = now + tonumber(ARGV[2])
local ends = tonumber(kept[3] or 0)
if ends > longest then
    ends = longest
    redis.call('HSET', KEYS[1], 'ends', string.format('%.0f', ends))
end
if ends > now then
    if kept[2] ~= ARGV[1] then return false end
    if kept[4] == ARGV[3] then return kept[1] end
end
local token = math.max(tonumber(kept[1] or 0) + 1, time[1] * 1000000 + time[2])
token = string.format('%.0f', token)
redis.call('HSET', KEYS[1], 'token', token, 'owner', ARGV[1], 'nonce', ARGV[3],
    'ends', string.format('%.0f', longest), 'call', 0, 'new', 0)
return token
"""
)

_RENEW = (
    _NOW
    + """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'ends', string.format('%.0f', now + tonumber(ARGV[2])))
return 1
"""
)

_RELEASE = """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'ends', 0)
return 1
"""

# KEYS: feed, ids, outbox.
# ARGV: token, number of the call, last call that was answered, lines judged, snapshot and position
# where it is a checkpoint (else empty, and the flag 0), then id and JSON of each finding.
_COMMIT = """
local kept = redis.call('HMGET', KEYS[1], 'token', 'call', 'new')
if kept[1] ~= ARGV[1] then return -1 end
local call, done = tonumber(ARGV[2]), tonumber(kept[2])
if call == done then return tonumber(kept[3]) end
if call < done then return 0 end
if done < tonumber(ARGV[3]) then return -2 end
local new = 0
for at = 8, #ARGV, 2 do
    if not redis.call('ZSCORE', KEYS[2], ARGV[at]) then
        -- An error ends a script but undoes nothing: what can fail comes first.
        redis.call('XADD', KEYS[3], '0-*', 'finding', ARGV[at + 1])
        new = new + 1
    end
    -- Also those that are known: this very call may be made again.
    redis.call('ZADD', KEYS[2], ARGV[4], ARGV[at])
end
if ARGV[5] == '1' then
    redis.call('HSET', KEYS[1], 'snapshot', ARGV[6], 'position', ARGV[7])
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[4])
end
redis.call('HSET', KEYS[1], 'call', ARGV[2], 'new', new)
return new
"""

_OUTBOX = """
local now = tonumber(redis.call('TIME')[1])
if math.abs(now - tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or 0)) >= tonumber(ARGV[3]) then
    redis.call('HSET', KEYS[2], ARGV[1], now)
end
redis.call('HSETNX', KEYS[1], ARGV[1], 0)
if ARGV[2] == '0' then return {} end
local after = redis.call('HGET', KEYS[1], ARGV[1])
return redis.call('XRANGE', KEYS[3], '(0-' .. after, '+', 'COUNT', ARGV[2])
"""

_DELIVERED = """
local now = tonumber(redis.call('TIME')[1])
if tonumber(ARGV[2]) > tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or 0) then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
local least = tonumber(ARGV[2])
local cursors = redis.call('HGETALL', KEYS[1])
for at = 1, #cursors, 2 do
    local asked = tonumber(redis.call('HGET', KEYS[2], cursors[at]) or now)
    if now - asked > tonumber(ARGV[3]) and cursors[at] ~= ARGV[1] then
        redis.call('HDEL', KEYS[1], cursors[at])
        redis.call('HDEL', KEYS[2], cursors[at])
    else
        least = math.min(least, tonumber(cursors[at + 1]))
    end
end
redis.call('XTRIM', KEYS[3], 'MINID', '=', string.format('0-%.0f', least + 1))
return 1
"""


class RedisKeeper:
    """Keeps checkpoints, leases and the outbox in the Redis at `url`.

    `lease` is how many seconds a lease lasts after it was claimed or renewed. `patience` is how
    many seconds a call waits for a server that is away before it fails with `KeeperError`. Memory:
    a feed's last snapshot, the ids that were emitted behind it, and the findings that some
    sink waits for; a sink that has not asked for 7 days is waited for no longer.
    """

    def __init__(
        self,
        url: str,
        say: Callable[[str], None] = nobody,
        lease: float = 15.0,
        patience: float = _PATIENCE,
    ) -> None:
        address = Address.of(url, (), name="logwright")
        self._link = Link(address, say)
        self._link.check()
        self._lease, self._patience = int(lease * 1000), patience
        self._name = "{" + address.name + "}"
        self._calls: dict[tuple[str, int], tuple[int, int]] = {}
        self._lock = threading.Lock()
        register = self._link.client.register_script
        self._claim, self._renew = register(_CLAIM), register(_RENEW)
        self._release, self._commit = register(_RELEASE), register(_COMMIT)
        self._outbox, self._delivered = register(_OUTBOX), register(_DELIVERED)

    def claim(self, feed: str, owner: str) -> int | None:
        """A lease on a feed: its token; None while another owner's lease holds."""
        # A second try must not take the feed from the first one, whose answer was lost.
        asked: list[str | int] = [owner, self._lease, uuid.uuid4().hex]
        token = self._ask(lambda _: self._claim(keys=[self._key("feed", feed)], args=asked))
        if token is None:
            return None
        with self._lock:
            self._calls = {k: v for k, v in self._calls.items() if k[0] != feed}
            self._calls[feed, int(token)] = 0, 0
        return int(token)

    def renew(self, feed: str, token: int) -> bool:
        """Lengthen a lease; False where another worker has claimed the feed since. A lease that ran
        out while nobody wanted it is taken up again."""
        keys = [self._key("feed", feed)]
        return bool(self._ask(lambda _: self._renew(keys=keys, args=[token, self._lease])))

    def release(self, feed: str, token: int) -> None:
        """End a lease, so that another worker need not wait; nothing where it is lost."""
        keys = [self._key("feed", feed)]
        self._ask(lambda _: self._release(keys=keys, args=[token]))

    def load(self, feed: str) -> Kept:
        """The last checkpoint."""
        key = self._key("feed", feed)
        snapshot, position = self._ask(lambda client: client.hmget(key, ["snapshot", "position"]))
        return Kept(snapshot, None if position is None else _text(position))

    def emit(self, feed: str, token: int, findings: Sequence[Finding], lines: int) -> int:
        """Put findings into the outbox; gives how many were new. More than 2,000 go in parts."""
        new = 0
        for part in _parts(findings):
            new += self._write(feed, token, lines, None, part)
        return new

    def checkpoint(
        self,
        feed: str,
        token: int,
        snapshot: bytes,
        position: str,
        findings: Sequence[Finding],
        lines: int,
    ) -> int:
        """Replace the checkpoint, and emit; gives how many findings were new. Of more than 2,000
        findings the last part goes with the checkpoint; their ids keep parts from coming twice."""
        if len(snapshot) > _LARGEST:
            size = len(snapshot) >> 20
            raise KeeperError(f"a snapshot of {size:,} MiB is too large for Redis: {feed}")
        *before, last = _parts(findings) or [[]]
        new = sum(self._write(feed, token, lines, None, part) for part in before)
        return new + self._write(feed, token, lines, (snapshot, _bytes(position)), last)

    def outbox(self, sink: str, most: int) -> list[tuple[int, bytes]]:
        """The next `most` findings for a sink, as (sequence, JSON), in order."""
        keys = [self._key("cursors"), self._key("asked"), self._key("outbox")]
        rows = self._ask(lambda _: self._outbox(keys=keys, args=[_bytes(sink), most, _ASKED]))
        return [(int(number.partition(b"-")[2]), fields[1]) for number, fields in rows]

    def delivered(self, sink: str, sequence: int) -> None:
        """A sink has all findings up to here; what all sinks have is let go."""
        keys = [self._key("cursors"), self._key("asked"), self._key("outbox")]
        self._ask(lambda _: self._delivered(keys=keys, args=[_bytes(sink), sequence, _FORGET]))

    def backlog(self) -> int:
        """How many findings some sink still waits for."""
        return int(self._ask(lambda client: client.xlen(self._key("outbox"))))

    def close(self) -> None:
        """Close the connection; it may be closed twice."""
        self._link.close()

    def _write(
        self,
        feed: str,
        token: int,
        lines: int,
        kept: tuple[bytes, bytes] | None,
        part: Sequence[bytes],
    ) -> int:
        keys = [self._key("feed", feed), self._key("ids", feed), self._key("outbox")]
        with self._lock:
            if (feed, token) not in self._calls:  # claimed through another keeper
                told = self._ask(lambda client: client.hget(keys[0], "call"))
                self._calls[feed, token] = int(told or 0), int(told or 0)
            last, answered = self._calls[feed, token]
            # Counted before it is tried: the next call must not be taken for a retry of this one.
            self._calls[feed, token] = last + 1, answered
            checkpoint: list[bytes | int] = [0, b"", b""] if kept is None else [1, *kept]
            args: list[bytes | int] = [token, last + 1, answered, lines, *checkpoint, *part]
            new = int(self._ask(lambda _: self._commit(keys=keys, args=args)))
            if new < 0:
                del self._calls[feed, token]
                if new == -1:
                    raise LostError(f"The feed {feed} belongs to another worker by now")
                raise LostError(f"The feed {feed} was set back: Redis came back without commits")
            self._calls[feed, token] = last + 1, last + 1
        return new

    def _ask(self, ask: Callable[[Redis], Any]) -> Any:
        from redis.exceptions import ResponseError

        try:
            return self._link.call(ask, self._patience)
        except LinkError as error:
            raise KeeperError(str(error)) from None
        except ResponseError as error:
            raise KeeperError(f"Redis at {self._link.address} refuses: {error}") from None

    def _key(self, *parts: str) -> bytes:
        return _bytes(":".join((self._name, *parts)))


def _parts(findings: Sequence[Finding]) -> list[list[bytes]]:
    """Id and JSON of each finding, one after the other, in parts that one script can take."""
    parts: list[list[bytes]] = []
    size = _MOST_BYTES
    for finding in findings:
        text = dumps(finding).encode()
        if size + len(text) > _MOST_BYTES or len(parts[-1]) >= 2 * _MOST:
            parts.append([])
            size = 0
        parts[-1] += [finding.id.encode(), text]
        size += len(text)
    return parts


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
