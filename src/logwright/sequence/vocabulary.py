"""`EventVocabulary`: the codes of events, and what an event is made of besides its id: its words.

A code is a row of the network's embedding matrix. What was learned comes first; events met later
get the codes after, and their embedding from their words alone. Words are hashed into a fixed
number of rows, so that a word never seen before has a row too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np

from logwright.errors import InputError
from logwright.logs.batch import Int32s, Int64s

__all__ = [
    "BUCKETS",
    "END",
    "FIRST",
    "MOST_MET",
    "MOST_PIECES",
    "START",
    "EventVocabulary",
    "words",
]

START = 0
"""The mark before a session's first event."""
END = 1
"""The mark after a session's last event."""
FIRST = 2
"""The code of the first event."""

BUCKETS = 2_048
"""Rows of the table of words."""
MOST_PIECES = 16
"""Words of an event that count: its first ones."""
MOST_MET = 4_096
"""Events met later that have a code of their own. All beyond share one, which knows no words."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")
_MASK = re.compile(r"<[^<>\s]*>")


def words(text: str) -> list[str]:
    """The words of a template that count: lower case, parted at changes of case, without masks.

    >>> words("PacketResponder <*> for blk_<*> terminating: DMACheck")
    ['packet', 'responder', 'for', 'blk', 'terminating', 'dma', 'check']
    """
    return [word.lower() for word in _WORD.findall(_MASK.sub(" ", text))][:MOST_PIECES]


def _row(word: str) -> int:
    return (
        int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()) % BUCKETS
    )


class EventVocabulary:
    """Events by code. `ids` are names (template ids or any), `texts` what they say; both without
    the marks. `known` is the number learned; those after it were met later.

    >>> v = EventVocabulary(["a", "b"], ["disk full", "disk ok"])
    >>> len(v), v.codes(["b", "a"]).tolist(), v.meet("c", "disk slow"), v.known
    (4, [3, 2], 4, 2)
    """

    def __init__(self, ids: Sequence[str], texts: Sequence[str] | None = None) -> None:
        """An event without text counts its id as its one word."""
        if len(set(ids)) != len(ids):
            raise InputError("an event vocabulary needs ids that differ")
        self.ids = list(ids)
        self.texts = [""] * len(self.ids) if texts is None else list(texts)
        if len(self.texts) != len(self.ids):
            raise InputError(f"{len(self.ids)} events need as many texts, not {len(self.texts)}")
        self.known = len(self.ids)
        self._code = {name: FIRST + at for at, name in enumerate(self.ids)}
        self._rows: list[list[int]] = [[_row("<start>")], [_row("<end>")]]
        self._rows += [self._pieces_of(*pair) for pair in zip(self.ids, self.texts, strict=True)]
        self._flat: tuple[Int32s, Int64s] | None = None

    def __len__(self) -> int:
        """Codes in use, marks included."""
        return len(self._rows)

    @property
    def learned(self) -> int:
        """Codes below this were learned: the marks and the `known` events."""
        return FIRST + self.known

    def code(self, name: str) -> int:
        """The code of an event that was learned or met."""
        found = self._code.get(name)
        if found is None:
            raise InputError(f"the event {name!r} was neither learned nor met: give its text first")
        return found

    def codes(self, names: Iterable[str]) -> Int32s:
        """The codes of events that were learned or met."""
        return np.array([self.code(name) for name in names], np.int32)

    def meet(self, name: str, text: str = "") -> int:
        """The code of an event; one that is new gets the next. From `MOST_MET` new ones on, all
        share one code, and their names are not kept."""
        found = self._code.get(name)
        if found is not None:
            return found
        if len(self) >= self.learned + MOST_MET:
            if len(self) == self.learned + MOST_MET:
                self._add("", "", [_row("<other>")])
            return self.learned + MOST_MET
        self._code[name] = len(self)
        self._add(name, text, self._pieces_of(name, text))
        return self._code[name]

    def text(self, code: int) -> str:
        """What a code stands for, for people: the event's text, its id where it has none.

        >>> v = EventVocabulary(["a", "7"], ["disk full", ""])
        >>> [v.text(code) for code in range(len(v))]
        ['(start)', '(end)', 'disk full', '7']
        """
        if code < FIRST:
            return "(start)" if code == START else "(end)"
        return self.texts[code - FIRST] or self.ids[code - FIRST] or "(other)"

    @property
    def pieces(self) -> tuple[Int32s, Int64s]:
        """The rows in the table of words of every code, flat, and their bounds; at least one each.

        >>> rows, bounds = EventVocabulary(["a", "b"], ["disk full", "disk ok"]).pieces
        >>> bounds.tolist(), rows[bounds[2]] == rows[bounds[3]]
        ([0, 1, 2, 4, 6], np.True_)
        """
        if self._flat is None or len(self._flat[1]) != len(self) + 1:
            sizes = [len(rows) for rows in self._rows]
            bounds = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
            self._flat = (np.array([r for rows in self._rows for r in rows], np.int32), bounds)
        return self._flat

    def _add(self, name: str, text: str, rows: list[int]) -> None:
        self.ids.append(name)
        self.texts.append(text)
        self._rows.append(rows)

    @staticmethod
    def _pieces_of(name: str, text: str) -> list[int]:
        return [_row(word) for word in words(text)] or [_row(f"<id {name}>")]
