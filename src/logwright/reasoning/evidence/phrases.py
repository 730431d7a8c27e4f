"""`Phrases`: words that are looked for in all lines at once, by an automaton over the buffer.

A phrase is literal text in lower case. ` * ` in it stands for anything in between on the same line:
`heartbeat * expired`. Where a phrase begins or ends with a letter or digit, no other stands beside
it: `oom` is not in "room".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from itertools import count

import numpy as np
from ahocorasick_rs import BytesAhoCorasick
from numpy.typing import NDArray

from logwright.logs.batch import Int64s
from logwright.reasoning.evidence.columns import Columns

__all__ = ["MOST", "Phrases"]

MOST = 1_000
"""Times that a phrase is told of, the first ones: what is said more often than that is told."""

_WORD = np.zeros(256, np.bool_)
_WORD[[*b"abcdefghijklmnopqrstuvwxyz0123456789_"]] = True
_NOUGHT = re.compile(rb"(?: errors?)?\s?[:=]\s?(?:0|none|false)\b(?!\.)")
_NO = re.compile(rb"(?:^|[^a-z])(?:no|not|without) $")
_REACH = 2_000
"""Bytes of a line in which the rest of a phrase with a gap is looked for."""


class Phrases:
    """Phrases by name.

    >>> from logwright.reasoning.material import Material
    >>> columns = Columns.of(Material.of_lines(["room 7", "disk sda is Full", "OOM", "oom: 0"]))
    >>> Phrases([("memory", "oom"), ("disk", "disk * full")]).find(columns)
    {'disk': {1: (0, 16)}, 'memory': {2: (0, 3)}}
    """

    def __init__(self, phrases: Iterable[tuple[str, str]]) -> None:
        self._meant: list[tuple[str, tuple[bytes, ...]]] = []
        by_head: dict[bytes, list[int]] = {}
        for name, phrase in phrases:
            head, *rest = (part.strip().encode() for part in phrase.split(" * "))
            by_head.setdefault(head, []).append(len(self._meant))
            self._meant.append((name, tuple(rest)))
        self._heads = list(by_head)
        self._of_head = list(by_head.values())
        self._automaton = BytesAhoCorasick(self._heads)

    def find(self, columns: Columns) -> dict[str, dict[int, tuple[int, int]]]:
        """By name: the lines that hold one of its phrases, and where in the line it stands (begin
        and end, bytes of the line)."""
        text = columns.lowered
        found: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
        matches = self._automaton.find_matches_as_indexes(text, overlapping=True)
        if not matches:
            return {}
        rows = np.array(matches, np.int64)
        rows = rows[_alone(np.frombuffer(text, np.uint8), rows[:, 1], rows[:, 2])]
        rows = rows[np.argsort(rows[:, 1], kind="stable")]
        rows = rows[_among_first(rows[:, 0], len(self._heads))]
        line_of = np.searchsorted(columns.start, rows[:, 1], "right") - 1
        first, last = columns.start[line_of].tolist(), columns.end[line_of].tolist()
        for row, line, (head, begin, end) in zip(
            count(), line_of.tolist(), rows.tolist(), strict=False
        ):
            if _denied(text, begin, end):
                continue
            for number in self._of_head[head]:
                name, rest = self._meant[number]
                if line in found[name]:
                    continue
                stop = _rest(text, end, min(last[row], end + _REACH), rest) if rest else end
                if stop:
                    found[name][line] = (begin - first[row], stop - first[row])
        return {name: lines for name, lines in found.items() if lines}


def _alone(text: NDArray[np.uint8], begin: Int64s, end: Int64s) -> NDArray[np.bool_]:
    """Whether no letter or digit stands beside a phrase that begins or ends with one."""
    before = _WORD[text[begin]] & _WORD[text[begin - 1]] & (begin > 0)
    behind = _WORD[text[end - 1]] & _WORD[text[np.minimum(end, len(text) - 1)]] & (end < len(text))
    alone: NDArray[np.bool_] = ~(before | behind)
    return alone


def _among_first(head: Int64s, heads: int) -> NDArray[np.bool_]:
    """Whether a match is among the first `MOST` of its phrase."""
    order = np.argsort(head, kind="stable")
    counts = np.bincount(head, minlength=heads)
    place = np.arange(len(head)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = np.zeros(len(head), np.bool_)
    kept[order[place < MOST]] = True
    return kept


def _denied(text: bytes, begin: int, end: int) -> bool:
    """Whether what is named is said not to be: `timed out: 0`, `no data corruption`."""
    if _NO.search(text[max(0, begin - 9) : begin]):
        return True
    return _NOUGHT.match(text, end, end + 9) is not None


def _rest(text: bytes, at: int, end: int, rest: tuple[bytes, ...]) -> int:
    """Where the rest of a phrase ends; 0 where it does not stand there."""
    for part in rest:
        at = text.find(part, at, end)
        if at < 0:
            return 0
        at += len(part)
    return at
