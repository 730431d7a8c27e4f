"""`Clues`: everything that the lines of a material tell a reasoner, worked out once.

Who only needs a part pays only for that part: what takes time is made when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from logwright.logs.batch import NO_TIME
from logwright.reasoning.answer import Citation
from logwright.reasoning.evidence.bidden import bidden
from logwright.reasoning.evidence.catalogue import CONTACT, HINTS, phrases
from logwright.reasoning.evidence.columns import ERROR, NO_LEVEL, WARNING, Columns
from logwright.reasoning.evidence.gaps import Gap, longest_gap
from logwright.reasoning.evidence.lift import Lift
from logwright.reasoning.evidence.links import Contact
from logwright.reasoning.evidence.quoting import sound
from logwright.reasoning.evidence.retries import Retries, retries
from logwright.reasoning.evidence.traces import Chain, chains
from logwright.reasoning.material import Material
from logwright.templates.wording import CAUSE, trouble

__all__ = ["QUOTE", "Clues"]

QUOTE = 120
"""Characters of a quote at most."""


@dataclass(frozen=True)
class Clues:
    """The columns of a material, how it compares with healthy runs, and what follows.

    >>> clues = Clues.of(Material.of_lines(["INFO up", "ERROR disk full", "ERROR write failed"]))
    >>> sorted(clues.hits), clues.errors()
    (['says:disk full'], [1, 2])
    """

    columns: Columns
    lift: Lift

    @staticmethod
    def of(material: Material, healthy: Sequence[Material] = ()) -> Clues:
        """The clues of a material; `healthy` is what the same looks like when it is well."""
        columns, lift = Lift.of(material, healthy)
        return Clues(columns, lift)

    @cached_property
    def hits(self) -> Mapping[str, Mapping[int, tuple[int, int]]]:
        """Phrases of the catalogue: by name the lines that hold one, and where in them (bytes)."""
        found = phrases().find(self.columns)
        for name in _OF_AN_END & found.keys():
            found[name] = {line: at for line, at in found[name].items() if line not in self.bidden}
        return {name: lines for name, lines in found.items() if lines}

    @cached_property
    def bidden(self) -> frozenset[int]:
        """Lines that tell of an end that was asked for."""
        return bidden(self.columns)

    @cached_property
    def contact(self) -> Contact:
        """Who lost contact with whom."""
        kinds = {
            name.removeprefix(CONTACT): lines
            for name, lines in self.hits.items()
            if name.startswith(CONTACT)
        }
        texts = self.columns.material.lines
        skip = frozenset(
            line
            for kind, lines in kinds.items()
            for line in lines
            # An answer that comes late is no lost contact.
            if self.usual(line) == 1.0 or (kind == "unanswered" and "while reading" in texts[line])
        )
        return Contact(self.columns, kinds, skip)

    @cached_property
    def retries(self) -> Retries | None:
        """What was tried again."""
        return retries(self.columns)

    @cached_property
    def gap(self) -> Gap | None:
        """The longest silence that stands out."""
        return longest_gap(self.columns)

    @cached_property
    def chains(self) -> list[Chain]:
        """Chains of exceptions."""
        return chains(self.columns)

    @cached_property
    def wrappers(self) -> frozenset[int]:
        """Lines that name an exception that another one caused."""
        return frozenset(line for chain in self.chains for line in chain.lines[:-1])

    def usual(self, line: int) -> float:
        """The share of healthy runs that have lines like this one."""
        return float(self.lift.share[self.columns.shape[line]])

    def time(self, line: int) -> int:
        """When a line was written, nanoseconds; `NO_TIME` where nothing tells."""
        return int(self.columns.time[line])

    def by_time(self, lines: Sequence[int]) -> list[int]:
        """Lines in order of time; where one has none, in their own order."""
        if any(self.time(line) == NO_TIME for line in lines):
            return sorted(lines)
        return sorted(lines, key=lambda line: (self.time(line), line))

    def errors(self, most: int = 50) -> list[int]:
        """Lines that tell of trouble by level or words and that no healthy run has, by time, one
        of each shape."""
        first = self.columns.first
        levels = self.columns.level[first]
        texts = self.columns.material.lines
        found = [
            line
            for line, level, worded in zip(
                first.tolist(), levels.tolist(), self.columns.worded.tolist(), strict=True
            )
            if (
                level == ERROR
                or (level in (NO_LEVEL, WARNING) and worded and trouble(texts[line][:400]) >= CAUSE)
            )
            and self.usual(line) == 0
        ]
        return self.by_time(found)[:most]

    def grave(self, line: int) -> float:
        """How much a line's level says that something is wrong: 0 to 1."""
        return float(_GRAVITY[int(self.columns.level[line])])

    def cite(self, line: int, span: tuple[int, int] | None = None) -> Citation:
        """A citation of a line: the words from `span` (bytes) on, else its message."""
        text = self.columns.material.lines[line]
        if span is not None:
            begin = int(self.columns.start[line]) + span[0]
            end = min(int(self.columns.end[line]), begin + 4 * QUOTE)
            words = self.columns.buffer[begin:end].decode("utf-8", "surrogateescape")
            quote = _cut(words, span[1] - span[0])
            if quote in text:
                return Citation(line=line + 1, quote=sound(quote, text, 4 * QUOTE))
        body = text.strip()
        return Citation(line=line + 1, quote=sound(_cut(body[_message_at(body) :], 0), text))

    def shapes_of(self, lines: Sequence[int]) -> list[int]:
        """One line of each shape, the first, in order."""
        seen: set[int] = set()
        kept = []
        for line in lines:
            shape = int(self.columns.shape[line])
            if shape not in seen:
                seen.add(shape)
                kept.append(line)
        return kept


_OF_AN_END = frozenset({f"{HINTS}out of memory", f"{HINTS}process stopped from outside"})
"""Causes that the code of a process's end hints at."""
_GRAVITY = np.array([0.8, 0.6, 0.9, 1.0])


def _cut(words: str, least: int) -> str:
    """Words up to `QUOTE` characters, cut between words."""
    words = words.strip()
    if len(words) <= QUOTE:
        return words
    at = words.rfind(" ", max(least, 20), QUOTE)
    return words[: at if at > 0 else max(QUOTE, least)].strip()


def _message_at(line: str) -> int:
    """Where the message begins, for a quote: behind the last `: ` that has few words before it."""
    at = line.find(": ")
    return at + 2 if 0 < at < QUOTE and len(line) - at > 12 else 0
