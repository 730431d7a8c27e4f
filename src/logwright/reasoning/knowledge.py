"""`Known`: what engineers know about an error by its words: its meaning, causes and remedies.

The entries are data (`knowledge/*.toml`, in our own words). `known_in` finds those that a line
names, `sightings` those that many lines name, in one pass over all of them: an Aho-Corasick
automaton over the lower-cased bytes, and numpy for the rest.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick

__all__ = [
    "CAUSE_CLASSES",
    "Known",
    "Severity",
    "Sightings",
    "knowledge",
    "known_in",
    "sightings",
    "sightings_in",
]

Severity = Literal["info", "warning", "error", "critical"]

CAUSE_CLASSES = (
    "attack",
    "authentication",
    "bad data",
    "certificate",
    "clock",
    "configuration",
    "contention",
    "dependency",
    "disk fault",
    "disk full",
    "exhausted resource",
    "hardware",
    "machine or service down",
    "memory",
    "name resolution",
    "network disconnection",
    "overload",
    "permission",
    "power or cooling",
    "recovery",
    "software fault",
    "stopped on purpose",
)
"""The kinds of cause an entry can belong to. "recovery" says that a fault has gone away."""

_GAP = " ... "
"""Stands in a phrase for whatever may stand between its pieces, on the same line."""

_WORD = np.zeros(256, bool)
_WORD[[*b"0123456789abcdefghijklmnopqrstuvwxyz_"]] = True


_N, _O = b"no"


@dataclass(frozen=True, slots=True)
class Known:
    """An error that is known by its words.

    `look` are first actions that change nothing, `mend` those that do, the safest first.
    A `transient` error often goes away by itself, when what it waits for comes back.
    """

    name: str
    words: tuple[str, ...]
    """Phrases and codes in small letters; any of them names the error."""
    meaning: str
    causes: tuple[str, ...]
    look: tuple[str, ...]
    mend: tuple[str, ...]
    cause_class: str
    severity: Severity
    transient: bool
    example: str
    """A line that names it."""
    area: str
    """The file it is from, such as "network"."""

    @property
    def remedies(self) -> tuple[str, ...]:
        """What to do, the safest first."""
        return self.look + self.mend

    @property
    def recovery(self) -> bool:
        """Whether it says that something is well again."""
        return self.cause_class == "recovery"


@dataclass(frozen=True, slots=True)
class Sightings:
    """Which lines name which entries: a row per sighting, in the order of the lines.

    `line` int64 counts from 1 on, `entry` int64 is a place in `knowledge()`, `begin` and `end`
    int64 are where the words stand in the line as UTF-8 bytes.
    """

    line: NDArray[np.int64]
    entry: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.line)

    def entries(self) -> list[Known]:
        """The entries that are named, in the order in which they are first named."""
        _, first = np.unique(self.entry, return_index=True)
        return [knowledge()[self.entry[row]] for row in np.sort(first)]

    def lines_of(self, known: Known) -> NDArray[np.int64]:
        """The numbers of the lines that name an entry, each once, in order."""
        return np.unique(self.line[self.entry == _places()[known.name]])

    def without(self, lines: Sequence[int]) -> Sightings:
        """These, but none of some lines."""
        kept = ~np.isin(self.line, lines)
        return Sightings(self.line[kept], self.entry[kept], self.begin[kept], self.end[kept])


@cache
def knowledge() -> tuple[Known, ...]:
    """All entries, by area."""
    folder = resources.files("logwright.reasoning") / "knowledge"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=str)
    return tuple(
        _entry(record, file.name.removesuffix(".toml"))
        for file in files
        for record in tomllib.loads(file.read_text(encoding="utf-8"))["known"]
    )


def known_in(text: str) -> list[Known]:
    """The entries that a line names, those with the longest words first.

    >>> [known.name for known in known_in("java.net.NoRouteToHostException: No route to host")]
    ['no route to host']
    >>> [known.name for known in known_in("exit code 1370 after 5 s")]
    []
    """
    seen = sightings([text])
    by_length = np.argsort(seen.begin - seen.end, kind="stable")
    return list(dict.fromkeys(knowledge()[seen.entry[row]] for row in by_length))


def sightings(lines: Sequence[str]) -> Sightings:
    """What lines name. Words that stand within longer words of another entry do not count.

    >>> seen = sightings(["all well", "write: No space left on device", "write: ENOSPC"])
    >>> seen.line.tolist(), [known.name for known in seen.entries()]
    ([2, 3], ['no space left'])
    """
    # Lines hold surrogates where the source was no UTF-8: they pass, as nothing here reads them.
    raw = [line.encode("utf-8", "surrogatepass") for line in lines]
    text = b"\n".join(raw).lower()
    lengths = np.fromiter(map(len, raw), np.int64, len(raw))
    starts = np.concatenate([[0], np.cumsum(lengths + 1)])[: len(raw)]
    return sightings_in(text, starts, starts + lengths)


def sightings_in(text: bytes, start: NDArray[np.int64], end: NDArray[np.int64]) -> Sightings:
    """What lines name that stand in one text, in small letters: where they begin and end in it."""
    starts, stops = start, end
    automaton, phrases = _automaton()
    found = automaton.find_matches_as_indexes(text, overlapping=True)
    rows = np.array(found, np.int64).reshape(-1, 3)
    rows = rows[_stands_alone(text, rows)]
    line = np.searchsorted(starts, rows[:, 1], side="right") - 1
    begin, end, phrase = rows[:, 1], rows[:, 2].copy(), rows[:, 0]
    keep = np.ones(len(rows), bool)
    for row in np.flatnonzero(phrases.gapped[phrase]):
        stop = _rest(text, phrases.rest[phrase[row]], int(end[row]), int(stops[line[row]]))
        keep[row] = stop >= 0
        end[row] = stop
    line, begin, end, entry = line[keep], begin[keep], end[keep], phrases.entry[phrase[keep]]
    order = np.lexsort((entry, -end, begin))
    line, begin, end, entry = line[order], begin[order], end[order], entry[order]
    # In this order, words lie within longer ones if something before them ends as late.
    reach = np.maximum.accumulate(np.concatenate([[-1], end]))[:-1]
    keep = end > reach
    line, begin, end, entry = line[keep], begin[keep], end[keep], entry[keep]
    at = starts[line] if len(line) else line
    return Sightings(line + 1, entry, begin - at, end - at)


@dataclass(frozen=True, slots=True)
class _Phrases:
    entry: NDArray[np.int64]
    gapped: NDArray[np.bool_]
    rest: list[list[bytes]]


@cache
def _automaton() -> tuple[BytesAhoCorasick, _Phrases]:
    from ahocorasick_rs import BytesAhoCorasick

    pieces = [
        (place, [piece.encode() for piece in words.split(_GAP)])
        for place, known in enumerate(knowledge())
        for words in known.words
    ]
    phrases = _Phrases(
        np.array([place for place, _ in pieces], np.int64),
        np.array([len(parts) > 1 for _, parts in pieces]),
        [parts[1:] for _, parts in pieces],
    )
    return BytesAhoCorasick([parts[0] for _, parts in pieces]), phrases


@cache
def _places() -> dict[str, int]:
    return {known.name: place for place, known in enumerate(knowledge())}


def _stands_alone(text: bytes, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether words are no part of longer ones, and not denied: "eio" is not named by "geiod",
    nor "topology change" by "no topology change"."""
    # Newlines stand behind the text, so that positions before it and its end are no part of words.
    at = np.frombuffer(text + b"\n\n\n\n", np.uint8)
    begin, end = rows[:, 1], rows[:, 2]
    inside_left: NDArray[np.bool_] = _WORD[at[begin]] & _WORD[at[begin - 1]]
    inside_right: NDArray[np.bool_] = _WORD[at[end - 1]] & _WORD[at[end]]
    denied: NDArray[np.bool_] = (
        (at[begin - 3] == _N) & (at[begin - 2] == _O) & (at[begin - 1] == 32)
    )
    denied &= ~_WORD[at[begin - 4]]
    return ~(inside_left | inside_right | denied)


def _rest(text: bytes, pieces: list[bytes], at: int, stop: int) -> int:
    """Where the last of the pieces ends that stand in this order from `at` on; -1 if not there."""
    for piece in pieces:
        at = text.find(piece, at, stop)
        if at < 0:
            return -1
        at += len(piece)
    return at


def _entry(record: dict[str, Any], area: str) -> Known:
    lists: dict[str, Any] = {
        key: tuple(record.pop(key)) for key in ("words", "causes", "look", "mend")
    }
    return Known(**lists, transient=record.pop("transient", False), area=area, **record)
