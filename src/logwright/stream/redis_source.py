"""Redis streams as a source: each stream is a feed, each entry a batch of lines.

An entry's field ``lines`` holds lines joined by newlines (at most 1,000 an entry are recommended);
``line`` or ``message`` holds one. Other fields are not read. An entry without any of them is
*poison*: it is put aside, as it came, into the stream ``STREAM:poison`` with the reason.

Reading is by ``XREAD`` from a position that the feed itself counts, not by ``XREADGROUP``: a read
that changes nothing can be repeated after any cut, while a group read whose answer is lost would
hand entries to nobody, and would be written to the server's log besides. The consumer group is
the mark that others see: where the feed has come to for good (`done`), hence its lag, and what may
be trimmed. Who may read a feed is a matter of the keeper's lease.

A position is ``ID COUNT``: the last entry's id, and how many entries were added up to it, from
which lag and entries that were removed before they were read are reckoned. Ids are expected to grow
with time, as Redis makes them (``XADD … *``).
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logwright.errors import InputError
from logwright.stream.feed import Entry, Feed
from logwright.stream.redis_link import Address, Link, LinkError, Pause, id_key, nobody

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["GROUP", "OPTIONS", "RedisFeed", "RedisSource"]

GROUP = "logwright"
OPTIONS = ("from", "group", "shards", "trim")

_FIELDS = (b"lines", b"line", b"message")
_LONGEST_WAIT = 1.0  # well below the time after which a silent server is given up
_MOST_ENTRIES = 512
_FIRST_ENTRIES = 16
_LARGEST = 64 << 20
_ATTEND = 1.0
_POISON = 1_000
_POISON_BYTES = 64 << 10
_UNHEARD = 2.0  # s; a worker takes 5 s without a line for silence of the log
_FIRST_TIME = 10**12  # an id with fewer milliseconds (2001) is no time
_MOST_SHARDS = 4_096

# Where a stream stands. Makes the group where there is none; moves it up to what is done, and
# trims what no group needs any more, where asked. Replies of XINFO are flat lists.
# KEYS: stream. ARGV: group; begin or end, for a new group; id that is done, or empty; its count, or
# empty; "done" where the stream is to be trimmed.
_ATTEND_SCRIPT = """
local function before(a, b)
    local a1, a2 = string.match(a, '(%d+)-(%d+)')
    local b1, b2 = string.match(b, '(%d+)-(%d+)')
    if a1 ~= b1 then return tonumber(a1) < tonumber(b1) end
    return tonumber(a2) < tonumber(b2)
end
local function fields(list)
    local named = {}
    for at = 1, #list, 2 do named[list[at]] = list[at + 1] end
    return named
end
local key, name, start, done, count = KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local groups = redis.call('EXISTS', key) == 1 and redis.call('XINFO', 'GROUPS', key) or {}
local own
for _, group in ipairs(groups) do
    local told = fields(group)
    if told['name'] == name then own = told end
end
local absent = own == nil
if absent then
    redis.call('XGROUP', 'CREATE', key, name, '0', 'MKSTREAM')
    own = {['last-delivered-id'] = '0-0'}
end
local stream = fields(redis.call('XINFO', 'STREAM', key))
local last, added = stream['last-generated-id'], stream['entries-added']
if absent and start == 'end' then done, count = last, added end
if done ~= '' and before(own['last-delivered-id'], done) and not before(last, done) then
    if count == '' then
        redis.call('XGROUP', 'SETID', key, name, done)
    else
        redis.call('XGROUP', 'SETID', key, name, done, 'ENTRIESREAD', count)
    end
    own['last-delivered-id'], own['entries-read'] = done, tonumber(count)
end
if ARGV[5] == 'done' and done ~= '' and not absent then
    local least = done
    for _, group in ipairs(groups) do
        local told = fields(group)
        if before(told['last-delivered-id'], least) and told['name'] ~= name then
            least = told['last-delivered-id']
        end
        if told['pending'] > 0 then
            local id = redis.call('XPENDING', key, told['name'])[2]
            if before(id, least) then least = id end
        end
    end
    redis.call('XTRIM', key, 'MINID', '=', least)
end
local first = stream['first-entry']
return {absent and 1 or 0, last, added, stream['length'], first and first[1] or '',
    own['last-delivered-id'], own['entries-read'] or -1}
"""


@dataclass(frozen=True, slots=True)
class _Sight:
    """A stream's last and first ids, its counts of entries, and its group's id and count."""

    last: str
    added: int
    length: int
    first: str
    group: str
    read: int


class RedisFeed:
    """One stream. A server that is away is waited for (its link says so). Its memory is one answer
    of the server: at most 512 entries, and fewer where they are large."""

    def __init__(self, link: Link, stream: str, name: str) -> None:
        options = link.address.options
        self.name = self.source = name
        self.counts = Counter[str]()
        """Entries that gave no lines: `poison`, and `removed` before they were read."""
        self._link = link
        self._stream = stream.encode("utf-8", "surrogateescape")
        self._group = options.get("group", GROUP)
        self._from = link.address.choice("from", "begin", "end")
        self._trim = link.address.choice("trim", "no", "done")
        self._attend_script = link.client.register_script(_ATTEND_SCRIPT)
        self._id: str | None = None  # of the last entry that was read; None: where the group stands
        self._count: int | None = None
        self._done: tuple[str, int | None] | None = None  # what is kept, and was not told yet
        self._added = 0
        self._entries = _FIRST_ENTRIES
        self._attended = -math.inf
        self._pause, self._not_before = Pause(), -math.inf
        self._heard = time.monotonic()  # when the last question was asked that was answered

    def seek(self, position: str | None) -> None:
        """Go on from a position; None: from where the group stands, or, where there is no group
        yet, from where the address says."""
        self._id, self._count = (None, None) if position is None else _parsed(position)
        self._attended = -math.inf

    def read(self, most: int, timeout: float) -> list[Entry]:
        """Entries of about `most` bytes at most, once one is there; none after `timeout` s.
        `InputError` where the server has not answered for 2 s: nobody knows then whether lines
        came, and no window may be closed because none did."""
        wait = self._not_before - time.monotonic()
        if wait > 0:
            time.sleep(min(wait, timeout))
            if wait > timeout:
                return self._nothing()
        asked = time.monotonic()
        try:
            if time.monotonic() - self._attended > _ATTEND:
                self._attend()
            rows = self._rows(timeout)
            entries = self._taken(rows, most)
        except LinkError:
            self._failed()
            return self._nothing()
        except _response_error() as error:
            self._link.say(f"{self.name} cannot be read: {error}")
            self._failed()
            return self._nothing()
        self._pause.reset()
        self._heard = asked
        return entries if rows else self._nothing()  # an empty answer may be old when it comes

    def done(self, position: str) -> None:
        """Everything up to here is kept: the group is moved there, and the stream trimmed where
        that was asked for (`trim=done`), as far as no other group needs it."""
        self._done = _parsed(position)
        try:
            self._look()
        except (LinkError, _response_error()):
            self._attended = -math.inf  # only others' sight of it suffers, until it is told

    def lag(self) -> int | None:
        """Entries that are not read yet, as of about a second ago; None before that is known."""
        if time.monotonic() - self._attended > _ATTEND:
            with suppress(LinkError, _response_error()):
                self._attend()
        return None if self._count is None else max(self._added - self._count, 0)

    def close(self) -> None:
        """Close the connection; it may be closed twice."""
        self._link.close()

    def _nothing(self) -> list[Entry]:
        if time.monotonic() - self._heard > _UNHEARD:
            raise InputError(f"Redis at {self._link.address} has not answered for a while")
        return []

    def _failed(self) -> None:
        # After a restart or a flush the stream may be another one, or shorter than it was.
        self._attended = -math.inf
        self._not_before = time.monotonic() + self._pause.take()

    def _look(self) -> _Sight:
        """Where the stream stands, having told what is done, where that was not told yet."""
        done, count = self._done or ("", None)
        shown = "" if count is None else count
        start = self._from if self._id is None else "begin"
        args: list[str | int] = [self._group, start, done, shown, self._trim]

        def ask(_: Redis) -> Any:
            return self._attend_script(keys=[self._stream], args=args)

        absent, last, added, length, first, group, read = self._link.once(ask)
        self._done = None
        sight = _Sight(last.decode(), added, length, first.decode(), group.decode(), read)
        if absent and self._id is not None:
            self._link.say(f"{self.name}: consumer group {self._group!r} was gone; it is made anew")
            if id_key(sight.last) < id_key(self._id):  # after a flush all that is there is new
                self._id, self._count = "0-0", added - length
        return sight

    def _attend(self) -> None:
        """Begin, or see whether the stream is still the one that was read."""
        sight = self._look()
        if self._id is None:
            self._id, self._count = sight.group, sight.read if sight.read >= 0 else None
            if self._id == "0-0":
                self._count = sight.added - sight.length
        if id_key(sight.last) < id_key(self._id):
            self._link.say(f"{self.name} ends before what was read of it: Redis was set back")
            self._id, self._count = sight.last, sight.added
        self._attended, self._added = time.monotonic(), sight.added
        self._reckon(sight, self._id)

    def _reckon(self, sight: _Sight, position: str) -> None:
        """Count what was removed before it was read, where that can be told: at the stream's end,
        or where all that is left was added after the position."""
        count = self._count
        if id_key(sight.last) <= id_key(position):
            self._count = sight.added
        elif not sight.first or id_key(sight.first) > id_key(position):
            self._count = sight.added - sight.length
        if count is None or self._count is None or self._count <= count:
            return
        removed = self._count - count
        self.counts["removed"] += removed
        self._link.say(f"{self.name}: {removed:,} entries were removed before they were read")

    def _rows(self, timeout: float) -> Sequence[Any]:
        block = math.ceil(min(timeout, _LONGEST_WAIT) * 1000)
        # `BLOCK 0` would wait for ever.
        waiting: list[str | int] = ["BLOCK", block] if block > 0 else []
        streams = ("STREAMS", self._stream, self._id or "0-0")
        reply = self._link.command("XREAD", "COUNT", self._entries, *waiting, *streams)
        return reply[0][1] if reply else []

    def _taken(self, rows: Sequence[Any], most: int) -> list[Entry]:
        entries: list[Entry] = []
        poison: list[tuple[bytes, Sequence[bytes], str]] = []
        now, count, size = time.time_ns(), self._count, 0
        for name, fields in rows:
            count = None if count is None else count + 1
            data = _lines(fields)
            if isinstance(data, str):
                poison.append((name, fields or (), data))
                continue
            size += len(data)
            text = name.decode()
            milliseconds = int(text.partition("-")[0])
            arrived = milliseconds * 1_000_000 if milliseconds > _FIRST_TIME else now
            position = text if count is None else f"{text} {count}"
            entries.append(Entry(data, position, arrived))
        if poison:
            self._put_aside(poison)
        if rows:
            self._id, self._count = rows[-1][0].decode(), count
            # As many as would have fitted; one large entry makes the next answer small at once.
            fit = int(most * len(rows) / max(size, 1))
            self._entries = max(1, min(_MOST_ENTRIES, 2 * self._entries, fit))
        return entries

    def _put_aside(self, poison: Sequence[tuple[bytes, Sequence[bytes], str]]) -> None:
        """Under their own ids, so that those of a replay, which come again, are refused."""
        key = self._stream + b":poison"

        def ask(client: Redis) -> None:
            pipe: Any = client.pipeline(transaction=False)
            for name, fields, reason in poison:
                kept = [value[:_POISON_BYTES] for value in fields[:_POISON]]
                # XADD wants pairs; Redis has no entry without them, but a value may be cut off.
                told = ["reason", reason, *kept[: len(kept) // 2 * 2]]
                pipe.execute_command("XADD", key, "MAXLEN", "~", _POISON, name, *told)
            pipe.execute(raise_on_error=False)

        if self.counts["poison"] == 0:
            what = f"an entry gave no lines ({poison[0][2]}): such are kept in"
            self._link.say(f"{self.name}: {what} {key.decode(errors='backslashreplace')}")
        self._link.once(ask)
        self.counts["poison"] += len(poison)


class RedisSource:
    """The streams of an address: ``STREAM``, or ``STREAM:0`` to ``STREAM:N-1`` with ``shards=N``.

    ``group`` is the consumer group (default ``logwright``), ``from`` where a new group begins
    (``begin``, the default, or ``end``), ``trim=done`` lets go of entries that all groups are done
    with. Every worker is offered every feed; the keeper's lease says whose it is.
    """

    def __init__(self, url: str, say: Callable[[str], None] = nobody) -> None:
        address = Address.of(url, OPTIONS)
        shards = address.number("shards", 1, 1)
        if shards > _MOST_SHARDS:
            raise InputError(f"shards={shards} of {address} are too many: {_MOST_SHARDS} at most.")
        group = address.options.get("group", GROUP)
        # Another group is another reader with positions of its own.
        suffix = "" if group == GROUP else f"@{group}"
        self._feeds: list[Feed] = []
        for shard in [None] if shards == 1 else range(shards):
            stream = address.name if shard is None else f"{address.name}:{shard}"
            name = f"redis:{address.name}" if shard is None else f"redis:{address.name}/{shard}"
            self._feeds.append(RedisFeed(Link(address, say), stream, name + suffix))
        self._given = False
        check = Link(address, say)
        check.check()
        check.close()

    def feeds(self) -> tuple[list[Feed], list[str]]:
        """All feeds at the first call, none later: streams neither come nor go."""
        gained = [] if self._given else list(self._feeds)
        self._given = True
        return gained, []

    def close(self) -> None:
        """Close all feeds."""
        for feed in self._feeds:
            feed.close()


def _lines(fields: Sequence[bytes] | None) -> bytes | str:
    """An entry's lines, each ended; a reason where it has none."""
    if not fields:
        return "it has no fields"
    found = [fields[at + 1] for at in range(0, len(fields), 2) if fields[at] in _FIELDS]
    if not found:
        return "it has no field 'lines', 'line' or 'message'"
    data = b"".join(_ended(found)) if len(found) > 1 else next(iter(_ended(found)))
    if len(data) < 2 and not data.strip():
        return "its lines are empty"
    if len(data) > _LARGEST:
        return f"it is larger than {_LARGEST >> 20} MiB"
    return data


def _ended(texts: Iterable[bytes]) -> Iterable[bytes]:
    return (text if text.endswith(b"\n") else text + b"\n" for text in texts)


def _parsed(position: str) -> tuple[str, int | None]:
    identity, _, count = position.partition(" ")
    try:
        id_key(identity)
        return identity, int(count) if count else None
    except ValueError:
        raise InputError(f"{position!r} is no position in a Redis stream.") from None


def _response_error() -> type[Exception]:
    from redis.exceptions import ResponseError

    return ResponseError
