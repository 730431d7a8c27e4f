"""Links: which machine a line is about, which source runs on which machine, and who lost contact.

Parts of a system depend on each other by what their lines share: a host, an address, an id. An id
that is in the name of a source (the log of a container or task) and in a line of another source
that also names a machine tells on which machine the source was written.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from ahocorasick_rs import BytesAhoCorasick

from logwright.logs.batch import NO_TIME
from logwright.reasoning.evidence.columns import Columns

__all__ = ["Contact", "Peer", "peers"]

_MANY = 3
"""Hosts that one part loses from which on it is thought to be cut off itself."""
_LINES, _HOSTS, _MENTIONS = 500, 16, 200
"""Lines of lost contact, machines declared lost, and mentions of each that are looked at."""
_ABOVE = 2
"""Lines above an exception in which the machine it is about may be named."""
_STEM = 8
"""Letters of a source's name from which on it is taken for an id that others may name."""
_NAMED = 12
"""Lines in which a source's id is looked at."""
_HEAD = 60
"""Bytes of a line in front of the name of the machine that writes it: the time, at most."""
_AFTER = 30 * 1_000_000_000
"""So much later (ns) a line is a sign of life: clocks differ, and going down takes a while."""

_PEER = re.compile(
    r"(?<![\d.-])(?P<ip>\d{1,3}(?:\.\d{1,3}){3})(?::(?P<port>\d{2,5}))?(?!-|\.?\d)"
    r"|\b(?P<name>[A-Za-z][\w-]*(?:\.[\w-]+)*|\d+[A-Za-z][\w-]*(?:\.[\w-]+)+):(?P<at>\d{2,5})\b"
    r"|\b(?i:node|host|server|datanode|machine|worker|executor|broker|peer|replica|member|instance)"
    r"[\s:=\"'/]{1,3}(?P<called>[A-Za-z][\w.-]*\d[\w.-]*|[A-Za-z][\w-]*(?:\.[\w-]+)+|[a-z]+-[\w-]+)"
    r"(?::(?P<to>\d{2,5})\b)?"
)
_NO_HOST = re.compile(
    r"(?i).*\.(?:java|py|go|rb|js|ts|c|cc|cpp|rs|php|scala|kt)$|.*(?:line|port|at)$"
)


@dataclass(frozen=True, slots=True)
class Peer:
    """A machine as a line names it: its name up to the first dot or its address, and the port."""

    host: str
    port: str


def peers(line: str) -> list[Peer]:
    """The machines that a line names, in order.

    >>> peers("Retrying connect to server: web-1.example.org/10.0.0.7:8020, Caller.java:41")
    [Peer(host='web-1', port=''), Peer(host='10.0.0.7', port='8020')]
    >>> peers("ran on unusable node N4.example:55452. Attempt 3")
    [Peer(host='n4', port='55452')]
    """
    found = []
    for match in _PEER.finditer(line[:2000]):
        name = match["ip"] or match["name"] or match["called"]
        if _NO_HOST.match(name):
            continue
        host = name if match["ip"] else name.split(".")[0].lower()
        found.append(Peer(host, match["port"] or match["at"] or match["to"] or ""))
    return found


@dataclass(frozen=True)
class Contact:
    """Lines that tell of contact lost and found, by kind (see `causes.toml`): line -> where its
    words stand."""

    columns: Columns
    kinds: Mapping[str, Mapping[int, tuple[int, int]]]
    skip: frozenset[int] = field(default=frozenset())
    """Lines that do not count: every healthy run has them, say."""
    _peers: dict[int, list[Peer]] = field(default_factory=dict)

    def lines(self, *kinds: str) -> list[int]:
        """The lines of these kinds, by time."""
        found = {line for kind in kinds for line in self.kinds.get(kind, ())} - self.skip
        rows = np.array(sorted(found), np.int64)
        ordered: list[int] = rows[np.argsort(self.columns.time[rows], kind="stable")].tolist()
        return ordered[:_LINES]

    def _named(self, line: int) -> list[Peer]:
        if line not in self._peers:
            self._peers[line] = peers(self.columns.material.lines[line])
        return self._peers[line]

    @cached_property
    def lost(self) -> dict[str, int]:
        """Machines that were declared lost, and the line that first does."""
        found: dict[str, int] = {}
        for line in self.lines("declared"):
            for peer in self._named(line):
                if len(found) < _HOSTS:
                    found.setdefault(peer.host, line)
        return found

    @cached_property
    def unreached(self) -> dict[str, set[str]]:
        """Machines whose connections broke or were not answered, with the ports concerned."""
        found: dict[str, set[str]] = defaultdict(set)
        for line in self.lines("broken", "unanswered", "noroute"):
            for peer in self._named(line):
                found[peer.host].add(peer.port)
        return found

    def concerned(self) -> list[str]:
        """The machines that contact is lost with, those most told of first."""
        if self.lost:
            return list(self.lost)
        told = Counter(
            peer.host
            for line in self.lines("broken", "unanswered", "noroute")
            for peer in self._named(line)
        )
        return [host for host, _ in told.most_common()]

    def refused(self) -> list[int]:
        """Lines in which a machine refuses connections that others cannot reach, or any machine,
        where no line says whom it cannot reach. That another one refuses tells nothing."""
        gone = self.unreached
        return [
            line
            for line in self.lines("refused")
            if not gone or any(peer.host in gone for peer in self._about(line))
        ]

    def _about(self, line: int) -> list[Peer]:
        """The machines of a line; an exception has them in a line above it."""
        for at in range(line, max(-1, line - _ABOVE - 1), -1):
            if named := self._named(at):
                return named
        return []

    def everyone(self) -> list[int]:
        """Lines in which one source loses contact with so many others that it is cut off itself."""
        by_source: dict[int, dict[str, int]] = defaultdict(dict)
        for line in self.lines("broken", "unanswered", "noroute"):
            for peer in self._named(line)[-1:]:
                by_source[int(self.columns.source[line])].setdefault(peer.host, line)
        many = [list(hosts.values()) for hosts in by_source.values() if len(hosts) >= _MANY]
        return max(many, key=len, default=[])

    def services(self) -> list[int]:
        """Lines by which at least two ports of the same machine do not answer."""
        gone = {host for host, ports in self.unreached.items() if len(ports - {""}) >= 2}
        return [
            line
            for line in self.lines("broken", "unanswered")
            if any(peer.host in gone for peer in self._named(line))
        ]

    def alive(self) -> list[int]:
        """Lines that show that a machine lives that was declared lost: it says so, or others do, or
        it goes on writing lines itself."""
        times = self.columns.time
        since = min((line for line in self.lines("declared")), default=-1)
        if since < 0:
            return []
        told = [
            line
            for line in self.lines("alive")
            if _later(int(times[since]), since, int(times[line]), line)
        ]
        return told or self._written()

    def _written(self) -> list[int]:
        """Lines that a machine wrote itself after it was declared lost."""
        times, text = self.columns.time, self.columns.lowered
        owned = self._owned(set(self.lost))
        for host, since in self.lost.items():
            needle = host.encode("utf-8", "replace")
            at = text.find(needle, int(self.columns.end[since]))
            for _ in range(_MENTIONS):
                if at < 0:
                    break
                line = self.columns.line_at(at)
                # Behind the time and before the message stands who writes.
                head = text[int(self.columns.start[line]) : at]
                own = len(head) <= _HEAD and not _MESSAGE.search(head)
                if own and times[since] != NO_TIME and times[line] > times[since] + _AFTER:
                    return [line]
                at = text.find(needle, int(self.columns.end[line]))
            for source in owned.get(host, ()):
                rows = np.flatnonzero(self.columns.source == source)
                later = rows[times[rows] > times[since] + _AFTER]
                if times[since] != NO_TIME and len(later):
                    return [int(later[0])]
        return []

    def _owned(self, hosts: Iterable[str]) -> dict[str, set[int]]:
        """The sources that were written on each of these machines."""
        stems: dict[bytes, int] = {}
        number: dict[str, int] = {}
        for part in self.columns.material.parts:
            code = number.setdefault(part.source, len(number))
            stem = os.path.basename(part.source).split(".")[0].lower()
            if len(stem) >= _STEM:
                stems[stem.encode("utf-8", "surrogateescape")] = code
        wanted, owned = set(hosts), defaultdict[str, set[int]](set)
        if not stems or not wanted:
            return owned
        names = list(stems)
        looked = [0] * len(names)
        for which, begin, _ in BytesAhoCorasick(names).find_matches_as_indexes(
            self.columns.lowered
        ):
            if looked[which] >= _NAMED:
                continue
            looked[which] += 1
            for peer in peers(self.columns.material.lines[self.columns.line_at(begin)]):
                if peer.host in wanted:
                    owned[peer.host].add(stems[names[which]])
        return owned


_MESSAGE = re.compile(rb"[a-z]{2,}\s+[a-z]{3,}\s|: ")
"""What shows that the message has begun: a name in there is not that of the writer."""


def _later(since: int, since_line: int, time: int, line: int) -> bool:
    """Whether a line is later than another, by time where both have one."""
    if since != NO_TIME and time != NO_TIME:
        return time > since or (time == since and line > since_line)
    return line > since_line
