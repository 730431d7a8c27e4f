"""What the command line names, opened: sources, the keeper, sinks, and the worker's own name.

Addresses are ``SCHEME://...``; what has no scheme is a path. Each kind is imported when it is
named, so that a worker that tails a file needs nothing installed.
"""

from __future__ import annotations

import fcntl
import fnmatch
import os
import re
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from logwright.errors import SettingsError
from logwright.findings.escape import safe
from logwright.stream.feed import Feed, Source
from logwright.stream.keeper import Keeper
from logwright.stream.metrics import Metrics
from logwright.stream.sink import Sink
from logwright.stream.sinks import FileSink, StoreSink
from logwright.stream.tally import Counted
from logwright.stream.worker import Ending

if TYPE_CHECKING:
    from logwright.stream.spool import Spool

__all__ = [
    "Several",
    "is_dealt",
    "is_shared",
    "open_keeper",
    "open_sink",
    "open_source",
    "own_name",
    "scheme",
]

Say = Callable[[str], None]

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://")
_RECEIVERS = ("otlp", "syslog")
_SOURCES = "a file, '-', kafka://, redis://, otlp:// or syslog://"
_SINKS = "'-', a file, store, kafka://, redis://, http:// or https://"
_MOST_OWNERS = 1_000


def scheme(given: str) -> str:
    """What kind of thing an address names: its scheme, or 'file'.

    >>> scheme("redis://localhost/logs"), scheme("file:app.log"), scheme("-")
    ('redis', 'file', '-')
    """
    if given == "-":
        return "-"
    found = _SCHEME.match(given)
    return "file" if found is None else found[1]


def is_shared(inputs: Sequence[str]) -> bool:
    """Whether several processes can read these sources: not what comes to one process alone."""
    return not any(scheme(given) in ("-", *_RECEIVERS) for given in inputs)


def is_dealt(inputs: Sequence[str]) -> bool:
    """Whether a broker says whose the feeds are, so that workers need not."""
    return all(scheme(given) == "kafka" for given in inputs)


class Several:
    """Several sources as one."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = list(sources)

    def feeds(self) -> tuple[list[Feed], list[str]]:
        """See `Source.feeds`."""
        gained: list[Feed] = []
        lost: list[str] = []
        for source in self._sources:
            new, gone = source.feeds()
            gained += new
            lost += gone
        return gained, lost

    @property
    def counts(self) -> Counter[str]:
        """See `tally.Counted`."""
        counted = (source.counts for source in self._sources if isinstance(source, Counted))
        return sum(counted, Counter())

    @property
    def ended(self) -> bool:
        """See `worker.Ending`."""
        return all(isinstance(source, Ending) and source.ended for source in self._sources)

    def close(self) -> None:
        """See `Source.close`."""
        for source in self._sources:
            source.close()


class _Spooled(Several):
    """A source that leaves its spool to be closed by who made it."""

    def __init__(self, source: Source, spool: Spool) -> None:
        super().__init__([source])
        self._spool = spool

    def close(self) -> None:
        """See `Source.close`."""
        super().close()
        self._spool.close()


def open_source(
    inputs: Sequence[str], spools: Path, limit: int, metrics: Metrics, say: Say
) -> Source:
    """The source of some addresses. What cannot be read again is kept in a folder in `spools`;
    longer lines than `limit` bytes are cut."""
    paths = [given for given in inputs if scheme(given) == "file"]
    sources: list[Source] = []
    try:
        if paths:
            from logwright.stream.files import Files

            sources.append(Files(paths, limit=limit, notify=say))
        for given in inputs:
            if scheme(given) != "file":
                sources.append(_source(given, spools, limit, metrics, say))
    except BaseException:
        Several(sources).close()
        raise
    return sources[0] if len(sources) == 1 else Several(sources)


def _source(given: str, spools: Path, limit: int, metrics: Metrics, say: Say) -> Source:
    kind = scheme(given)
    if kind == "kafka":
        from logwright.stream.kafka_source import KafkaSource

        return KafkaSource(given, say, metrics)
    if kind in ("redis", "rediss"):
        from logwright.stream.redis_source import RedisSource

        return RedisSource(given, say)
    if kind not in ("-", *_RECEIVERS):
        raise SettingsError(f"--in {safe(kind)}:// is no source: it is {_SOURCES}")
    from logwright.stream.spool import Spool

    name = "stdin" if kind == "-" else re.sub(r"[^\w.-]+", "_", given, flags=re.ASCII)
    spool = Spool(spools / name, notify=say)
    try:
        if kind == "-":
            from logwright.stream.stdin import Stdin

            return _Spooled(Stdin(spool, limit=limit), spool)
        if kind == "otlp":
            from logwright.stream.otlp import OtlpSource

            return OtlpSource.opened(given, spool)
        from logwright.stream.syslog import SyslogSource

        return SyslogSource.opened(given, spool)
    except BaseException:
        spool.close()
        raise


def open_keeper(state: str, say: Say) -> Keeper:
    """The keeper at a path, or in a Redis."""
    kind = scheme(state)
    if kind in ("redis", "rediss"):
        from logwright.stream.redis_keeper import RedisKeeper

        return RedisKeeper(state, say)
    if kind != "file":
        raise SettingsError(f"--state {safe(state)!r} is no state: it is a file or redis://")
    from logwright.stream.sqlite_keeper import SqliteKeeper

    return SqliteKeeper(Path(state.removeprefix("file:")))


def open_sink(given: str, store: Path | None, inputs: Sequence[str], text: Sink, say: Say) -> Sink:
    """The sink of an address; `text` is standard output, and `store` where the store is. A file
    that is one of the `inputs` is refused: findings would give findings."""
    kind = scheme(given)
    if kind == "-":
        return text
    if given == "store":
        if store is None:
            raise SettingsError("--out store needs a store, and --store is none")
        return StoreSink(store)
    if kind == "kafka":
        from logwright.stream.kafka_sink import KafkaSink

        return KafkaSink(given)
    if kind in ("redis", "rediss"):
        from logwright.stream.redis_sink import RedisSink

        return RedisSink(given, say)
    if kind in ("http", "https"):
        from logwright.stream.webhook import Webhook

        return Webhook(given)
    if kind != "file":
        raise SettingsError(f"--out {safe(kind)}:// is no sink: it is {_SINKS}")
    path = Path(given.removeprefix("file:"))
    for each in inputs:
        if scheme(each) == "file" and _holds(each, path):
            raise SettingsError(f"--out {path} is one of the files of --in {each}: choose another")
    return FileSink(path)


def _holds(given: str, path: Path) -> bool:
    """Whether a path, glob or folder stands for a file.

    >>> _holds("logs/*.log", Path("logs/a.log")), _holds("logs/", Path("logs/a.log"))
    (True, True)
    """
    name = os.path.abspath(given.removeprefix("file:").partition("?from=")[0])
    target = os.path.abspath(path)
    within = os.path.isdir(name) or given.endswith(os.sep)
    return (
        target == name
        or fnmatch.fnmatchcase(target, name)
        or (within and target.startswith(name + os.sep))
    )


def own_name(beside: Path) -> str:
    """A name for this worker: ``HOST/0``, or the first number that no other living worker of
    this machine holds. One that is killed leaves its name, and with it its feeds, to the next.

    `beside` names the state; the numbers are locks on bytes of ``BESIDE.owners``, which end with
    the process.
    """
    host = socket.gethostname()
    try:
        fd = os.open(f"{beside}.owners", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return f"{host}/pid{os.getpid()}"  # then feeds are free when the lease has run out
    for number in range(_MOST_OWNERS):
        try:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
        except OSError:
            continue
        return f"{host}/{number}"
    raise SettingsError(f"more than {_MOST_OWNERS} workers have the state {beside}")
