"""A Redis stream as a sink: one entry a finding, with its id and its JSON, each id once.

The ids of the last 100,000 findings are kept beside the stream (``STREAM:ids``), and looked up and
added in the same script as the entry: whatever is offered again after a failure is there once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pydantic_core import from_json

from logwright.stream.redis_link import Address, Link, LinkError, nobody
from logwright.stream.sink import SinkError

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["OPTIONS", "RedisSink"]

OPTIONS = ("maxlen",)

_PATIENCE = 2.0
_IDS = 100_000
_MOST = 500
_KEPT = 100_000

# KEYS: stream, ids. ARGV: most ids, most entries (0: all), then id and JSON of each finding.
_PUT = """
local number = tonumber(redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')[2] or 0)
for at = 3, #ARGV, 2 do
    if not redis.call('ZSCORE', KEYS[2], ARGV[at]) then
        -- An error ends a script but undoes nothing: what can fail comes first.
        redis.call('XADD', KEYS[1], '*', 'id', ARGV[at], 'finding', ARGV[at + 1])
        number = number + 1
        redis.call('ZADD', KEYS[2], number, ARGV[at])
    end
end
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -tonumber(ARGV[1]) - 1)
if ARGV[2] ~= '0' then redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[2]) end
return 1
"""


class RedisSink:
    """Writes findings to the stream that `url` names; `maxlen` is about how many entries it keeps
    (100,000 where not said; 0 keeps all)."""

    def __init__(self, url: str, say: Callable[[str], None] = nobody) -> None:
        address = Address.of(url, OPTIONS)
        self.name = f"redis:{address.host}:{address.port}/{address.db}/{address.name}"
        self._most = address.number("maxlen", _KEPT, 0)
        self._link = Link(address, say)
        self._link.check()
        stream = address.name.encode("utf-8", "surrogateescape")
        self._keys = [stream, stream + b":ids"]
        self._put = self._link.client.register_script(_PUT)

    def put(self, findings: Sequence[bytes]) -> None:
        """Add findings in order; when this returns, the server has answered for all of them."""
        from redis.exceptions import ResponseError

        for first in range(0, len(findings), _MOST):
            args: list[str | bytes | int] = [_IDS, self._most]
            for finding in findings[first : first + _MOST]:
                args += [str(from_json(finding)["id"]), finding]
            try:
                self._link.call(partial(self._once, args), _PATIENCE)
            except LinkError as error:
                raise SinkError(str(error)) from None
            except ResponseError as error:
                raise SinkError(f"Redis at {self._link.address} refuses: {error}") from None

    def _once(self, args: list[str | bytes | int], _: Redis) -> object:
        return self._put(keys=self._keys, args=args)

    def close(self) -> None:
        """Close the connection; it may be closed twice."""
        self._link.close()
