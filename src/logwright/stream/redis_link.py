"""The link to a Redis server: its address, one client, and patience with a server that comes back.

Addresses are ``redis://[USER:PASSWORD@]HOST[:PORT]/NAME[?option=value]``, ``rediss://`` with TLS.
The password may stand in the environment instead (``LOGWRIGHT_REDIS_PASSWORD``), where no list of
processes shows it; no message ever names it. Redis 7 or newer, or Valkey.

What is sent twice must do no harm: a reply can be lost after the server has done the work, and a
call that was given up can still be done later, when a stalled connection comes to life. Whoever
calls through a link says in its own module why that is so.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from logwright.errors import (
    AwayError,
    InputError,
    LogwrightError,
    MissingExtraError,
    SettingsError,
)

if TYPE_CHECKING:
    from redis import Redis

__all__ = ["PASSWORD", "Address", "Link", "LinkError", "Pause", "id_key", "nobody"]

PASSWORD = "LOGWRIGHT_REDIS_PASSWORD"

_PORT = 6379
_CONNECT = 3.0
_ANSWER = 5.0
_START = 3.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0
_OLDEST = 7
# Errors of a server that cannot do it now, besides those that have a class of their own; all other
# replies are a matter of what was asked.
_PASSING = ("BUSY ", "MISCONF", "NOREPLICAS")

_Result = TypeVar("_Result")


class LinkError(LogwrightError):
    """The server cannot be reached, or cannot do it now."""


def nobody(text: str) -> None:
    """Who is told where nobody wants to be."""


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed address. `name` is its path: a stream, or what a keeper's keys begin with."""

    host: str
    port: int
    name: str
    tls: bool = False
    db: int = 0
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The address as it may be shown."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis{'s' * self.tls}://{host}:{self.port}/{self.name}"

    @staticmethod
    def of(url: str, known: Collection[str], name: str | None = None) -> Address:
        """Parse `url`; options that are not `known` are refused. `name` is taken where the address
        has none.

        >>> str(Address.of("redis://:secret@cache/logs?db=2&group=g", {"group"}))
        'redis://cache:6379/logs'
        >>> str(Address.of("redis://[::1]:7000", (), name="logwright"))
        'redis://[::1]:7000/logwright'
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or _PORT
        except ValueError:
            parts, host, port = urlsplit(""), "", 0
        # A password with / ? or # in it would end up in what is shown.
        if (
            parts.scheme not in ("redis", "rediss")
            or not host
            or "@" in url[len(parts.scheme) :][3 + len(parts.netloc) :]
        ):
            raise SettingsError(
                "An address of Redis is redis://[USER:PASSWORD@]HOST[:PORT]/NAME, with special "
                "characters of a password percent-encoded (%2F for /); this one is none."
            )
        path = unquote(parts.path.strip("/")) or name
        if not path:
            raise SettingsError(f"{parts.scheme}://{host}:{port} needs a name: …/STREAM")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        database = options.pop("db", "0")
        if not (database.isascii() and database.isdigit()):
            raise SettingsError(f"db={database!r} of a Redis address must be a number.")
        for option in options:
            if option not in known:
                raise SettingsError(
                    f"{option!r} is no option of this Redis address; there are: "
                    f"{', '.join(sorted({*known, 'db'}))}."
                )
        return Address(
            host,
            port,
            path,
            parts.scheme == "rediss",
            int(database),
            unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else os.environ.get(PASSWORD) or None,
            options,
        )

    def number(self, option: str, default: int, least: int) -> int:
        """The value of an option that is a whole number."""
        text = self.options.get(option, str(default))
        if not (text.isascii() and text.isdigit() and int(text) >= least):
            raise SettingsError(f"{option}={text!r} of {self} must be a number from {least} on.")
        return int(text)

    def choice(self, option: str, first: str, *others: str) -> str:
        """The value of an option that is one of some words; the first one is the default."""
        value = self.options.get(option, first)
        if value not in (first, *others):
            words = " or ".join((first, *others))
            raise SettingsError(f"{option}={value!r} of {self} must be {words}.")
        return value


class Pause:
    """How long to wait before the next try: from 20 ms on twice as long each time, up to 1 s."""

    def __init__(self) -> None:
        self._next = _FIRST_PAUSE

    def take(self) -> float:
        """The next wait, in seconds."""
        now, self._next = self._next, min(self._next * 2, _LONGEST_PAUSE)
        return now

    def reset(self) -> None:
        """Begin again with the shortest."""
        self._next = _FIRST_PAUSE


class Link:
    """A client of one server. `say` is told once when the server is out of reach, and once when it
    is back. Threads may share a link; processes open their own."""

    def __init__(self, address: Address, say: Callable[[str], None] = nobody) -> None:
        self.address = address
        self.say = say
        self._down: str | None = None
        self._lock = threading.Lock()
        self.client = _client(address)

    def check(self) -> None:
        """Raise `InputError` where the server cannot be used as things stand, and `AwayError` where
        it cannot be reached: at the start of a run, a wrong address or password is told soon
        (within 3 s), not waited for."""
        errors = _errors()
        pause, until = Pause(), time.monotonic() + _START
        while True:
            try:
                told: Any = self.client.info("server")
                break
            except errors.RedisError as error:
                refused = isinstance(error, errors.AuthenticationError) or not _is_passing(error)
                if refused or time.monotonic() > until:
                    why = f"Redis at {self.address} cannot be used: {_reason(error)}"
                    raise (InputError if refused else AwayError)(why) from None
            time.sleep(pause.take())
        version = str(told.get("redis_version", "0"))
        if int(version.split(".")[0]) < _OLDEST:
            raise InputError(f"Redis at {self.address} is {version}: {_OLDEST}.0 is needed.")

    def once(self, ask: Callable[[Redis], _Result]) -> _Result:
        """One try. `LinkError` where the server cannot do it now; another error of the server is a
        `redis.ResponseError`."""
        errors = _errors()
        try:
            result = ask(self.client)
        except errors.RedisError as error:
            if not _is_passing(error):
                raise
            self._fell(_reason(error))
            raise LinkError(f"Redis at {self.address}: {_reason(error)}") from None
        self._rose()
        return result

    def command(self, *parts: str | bytes | int) -> Any:
        """One try of a command; see `once`."""
        client: Any = self.client
        return self.once(lambda _: client.execute_command(*parts))

    def call(self, ask: Callable[[Redis], _Result], patience: float) -> _Result:
        """Try for so many seconds, with growing pauses; then `LinkError`."""
        pause, until = Pause(), time.monotonic() + patience
        while True:
            try:
                return self.once(ask)
            except LinkError:
                wait = pause.take()
                if time.monotonic() + wait > until:
                    raise
                time.sleep(wait)

    def close(self) -> None:
        """Close all connections."""
        self.client.close()

    def _fell(self, reason: str) -> None:
        with self._lock:
            before, self._down = self._down, reason
        if before is None:
            self.say(f"Redis at {self.address}: {reason}; trying again")

    def _rose(self) -> None:
        if self._down is None:
            return
        with self._lock:
            before, self._down = self._down, None
        if before is not None:
            self.say(f"Redis at {self.address} is back")


def id_key(text: str) -> tuple[int, int]:
    """An entry's id as numbers that sort. What is no id raises `ValueError`.

    >>> id_key("1700000000000-3") < id_key("1700000000000-10")
    True
    """
    milliseconds, _, number = text.partition("-")
    return int(milliseconds), int(number or 0)


def _errors() -> Any:
    try:
        from redis import exceptions
    except ImportError:
        raise MissingExtraError("redis", "redis") from None
    return exceptions


def _client(address: Address) -> Redis:
    _errors()
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    tls: dict[str, Any] = {"ssl": True} if address.tls else {}
    client = Redis(
        address.host,
        address.port,
        address.db,
        username=address.user,
        password=address.password,
        socket_timeout=_ANSWER,
        socket_connect_timeout=_CONNECT,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),  # whether to try again is decided here, in one place
        protocol=2,
        client_name="logwright",
        **tls,
    )
    # Its own parsing makes dicts, in which of two like-named fields one is lost.
    client.set_response_callback("XREAD", lambda reply, **options: reply)
    return client


def _is_passing(error: Exception) -> bool:
    errors = _errors()
    classes = (
        errors.ConnectionError,  # also while it loads its data
        errors.TimeoutError,
        errors.OutOfMemoryError,
        errors.ReadOnlyError,
        errors.TryAgainError,
        errors.ClusterDownError,
        errors.MasterDownError,
    )
    return isinstance(error, classes) or str(error).startswith(_PASSING)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
