#!/usr/bin/env python
"""Two workers judge the bundled log as it comes in by Redis, on four shards. One of them is killed
with `kill -9`, the other takes its shards over, and in the end the findings are compared with those
of `logwright detect` on the same lines.

Everything lies in a temporary folder and ends with the demo. Another machine's worker would be
started in the same way: what workers share is in Redis alone.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from logwright import api
from logwright.bench.sample import unpack
from logwright.bench.stream_processes import Process, RedisServer, until, worker
from logwright.errors import LogwrightError
from logwright.model import Model

SHARDS = 4
_ENTRY = 50  # lines
_KILL = 0.4  # of the lines are sent
_MOST = 55.0  # seconds
_LATER = timedelta(minutes=10)
_COLORS = {"one": "cyan", "two": "magenta"}


def parts_of(log: Path, folder: Path) -> list[list[bytes]]:
    """The lines of each shard, by node, also as files.

    A last line, ten minutes later, closes the windows of those before it: a stream has no end.
    """
    parts: list[list[bytes]] = [[] for _ in range(SHARDS)]
    for line in log.read_bytes().splitlines(keepends=True):
        parts[zlib.crc32(line.split(b" ", 4)[3]) % SHARDS].append(line)
    for number, part in enumerate(parts):
        part.append(_later(part[-1]))
        (folder / f"part-{number}.log").write_bytes(b"".join(part))
    return parts


def _later(line: bytes) -> bytes:
    label, epoch, _, node, at, rest = line.decode().split(" ", 5)
    moved = datetime.strptime(at, "%Y-%m-%d-%H.%M.%S.%f") + _LATER
    seconds = int(epoch) + int(_LATER.total_seconds())
    return f"{label} {seconds} {moved:%Y.%m.%d} {node} {moved:%Y-%m-%d-%H.%M.%S.%f} {rest}".encode()


def foretold(model: Model, folder: Path) -> Counter[str]:
    """The ids of what `logwright detect` finds in the parts."""
    ids: Counter[str] = Counter()
    for number in range(SHARDS):
        found = api.detect([str(folder / f"part-{number}.log")], model).findings
        ids.update(finding.id for finding in found)
    return ids


class Show:
    """What is seen: a table that is renewed on a terminal, else a line for all that happens."""

    def __init__(self, console: Console, server: RedisServer, parts: Sequence[Sequence[bytes]]):
        self._console, self._server = console, server
        self._sizes = [len(part) for part in parts]
        self.sent = [0] * SHARDS
        self.happened: list[str] = []
        self._began = time.monotonic()
        self._live = Live(console=console, refresh_per_second=8, transient=False)

    def __enter__(self) -> Show:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *failure: object) -> None:
        if self._console.is_terminal:
            self.renew()
            self._live.stop()

    def tell(self, text: str) -> None:
        """Something has happened."""
        self.happened.append(f"{time.monotonic() - self._began:5.1f} s  {text}")
        if not self._console.is_terminal:
            self._console.print(self.happened[-1], markup=False, highlight=False)

    def renew(self) -> None:
        """Draw it as it is now."""
        table = Table("shard", "worker", "", "sent", "kept", box=None, pad_edge=False)
        owners = owners_of(self._server)
        for number, size in enumerate(self._sizes):
            owner = owners[number]
            kept = min(kept_of(self._server, number) * _ENTRY, size)
            bar = Text("━" * (30 * kept // size), _COLORS.get(owner, "white"))
            bar.append("━" * (30 * self.sent[number] // size - 30 * kept // size), "yellow")
            bar.append("─" * (30 - 30 * self.sent[number] // size), "bright_black")
            who = Text(owner or "nobody", _COLORS.get(owner, "red"))
            table.add_row(f"logs:{number}", who, bar, f"{self.sent[number]:,}", f"{kept:,}")
        found = int(self._server.client.xlen("findings"))
        end = Text(f"\n{found} findings\n", "bold")
        self._live.update(Group(table, end, Text("\n".join(self.happened))))


def owners_of(server: RedisServer) -> list[str]:
    """Who has a shard, by the leases; nobody where the lease has run out."""
    seconds, micros = server.client.time()
    out = []
    for number in range(SHARDS):
        lease: Any = server.client.hmget(f"{{state}}:feed:redis:logs/{number}", "owner", "ends")
        owner, ends = lease
        holds = owner and float(ends or 0) > seconds * 1_000 + micros // 1_000
        out.append(owner.decode() if holds else "")
    return out


def _holds(server: RedisServer, process: Process, own: str) -> bool:
    if process.ended:
        raise LogwrightError(f"worker {own} ended: {process.said[-300:]}")
    return own in owners_of(server)


def kept_of(server: RedisServer, number: int) -> int:
    """Entries up to a shard's last checkpoint."""
    if not server.client.exists(f"logs:{number}"):
        return 0
    groups: Any = server.client.xinfo_groups(f"logs:{number}")
    return int(groups[0]["entries-read"] or 0) if groups else 0


def due(parts: Sequence[Sequence[bytes]], rate: float) -> Iterator[tuple[float, int, bytes, int]]:
    """When to send what: the second, the shard, an entry, and its lines."""
    sent = 0
    for begin in range(0, max(map(len, parts)), _ENTRY):
        for number, part in enumerate(parts):
            if some := part[begin : begin + _ENTRY]:
                yield sent / rate, number, b"".join(some), len(some)
                sent += len(some)


def shown(
    server: RedisServer,
    workers: dict[str, Process],
    show: Show,
    parts: Sequence[Sequence[bytes]],
    rate: float,
    expected: Counter[str],
) -> None:
    """Send, kill, and wait until all is found."""
    began, total = time.monotonic(), sum(map(len, parts))
    held: list[str] = []
    entries, killed = due(parts, rate), False
    at, number, data, lines = next(entries)
    sending = True
    while time.monotonic() - began < _MOST:
        now = time.monotonic() - began
        while sending and at <= now:
            server.client.xadd(f"logs:{number}", {"lines": data})
            show.sent[number] += lines
            following = next(entries, None)
            if following is None:
                sending = False
                show.tell(f"all {total:,} lines are sent")
            else:
                at, number, data, lines = following
        owners = owners_of(server)
        if owners != held and all(owners):
            for name in workers:
                if mine := [str(n) for n, owner in enumerate(owners) if owner == name]:
                    show.tell(f"worker {name} has shard {', '.join(mine)}")
            held = owners
        if not killed and sum(show.sent) > _KILL * total:
            workers["one"].kill()
            killed = True
            show.tell("kill -9 of worker one: its leases run out 15 s after it renewed them")
        show.renew()
        if (
            not sending
            and set(owners) == {"two"}
            and server.client.xlen("findings") >= len(expected)
        ):
            return
        if workers["two"].ended:
            raise LogwrightError(f"worker two ended: {workers['two'].said[-300:]}")
        time.sleep(0.05)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; 0 where nothing was lost and nothing doubled."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--rate", type=float, default=3_000, metavar="N", help="lines a second")
    rate = parser.parse_args(arguments).rate
    if not 1_000 <= rate <= 100_000:
        parser.error("--rate is from 1,000 to 100,000")
    console = Console()
    try:
        with tempfile.TemporaryDirectory() as name:
            return _run(console, Path(name), rate)
    except LogwrightError as error:
        sys.stderr.write(f"demo-stream: {error}\n")
        return 2


def _run(console: Console, folder: Path, rate: float) -> int:
    with ExitStack() as stack:
        server = stack.enter_context(RedisServer(folder))
        history, today = unpack(folder)
        learned = api.learn(str(history), label_prefix=True)
        learned.save(folder / "model")
        console.print(
            f"Learned {len(learned.templates)} templates from {learned.history.lines:,} lines of a "
            "BlueGene/L log. The next day comes in by Redis, on four shards.\n"
        )
        parts = parts_of(today, folder)
        expected = foretold(api.load(str(folder / "model")), folder)
        where = ["--state", server.url("state"), "--out", server.url("findings")]
        workers: dict[str, Process] = {}
        # One is told of half of the shards: else it would have all before there is another.
        for own, shards in (("one", SHARDS // 2), ("two", SHARDS)):
            (folder / own).mkdir()
            source, more = server.url(f"logs?shards={shards}"), [*where, "--owner", own]
            workers[own] = worker(folder / "model", source, folder / own, *more)
            stack.enter_context(workers[own])
            until(partial(_holds, server, workers[own], own), f"worker {own}")
        with Show(console, server, parts) as show:
            shown(server, workers, show, parts, rate, expected)
        workers["two"].end()
        found = Counter(name for name, _ in server.found())
    lost, others = expected.keys() - found.keys(), found.keys() - expected.keys()
    doubled = sum(found.values()) - len(found)
    told = f"{len(found):,} findings, {len(lost)} lost, {doubled} doubled"
    good = not (lost or others or doubled)
    console.print(
        f"\n[bold {'green' if good else 'red'}]{told}[/], beside `logwright detect` on the same "
        "lines" + (f"; {len(others)} that it does not have" if others else "")
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
