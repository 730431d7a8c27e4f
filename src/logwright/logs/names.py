"""Names: dictionaries that give each byte string of a run a code, bounded by `MOST`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from logwright.logs.batch import Int8s, Int32s, Int64s
from logwright.logs.kernel import Table
from logwright.logs.layout import level_code

__all__ = ["MOST", "Levels", "Names"]

MOST = 1_000_000
"""A dictionary that holds so many takes no more: what it would be asked for has no code."""


@dataclass(slots=True)
class Names:
    """A dictionary of byte strings, filled by interning spans of blocks.

    >>> names = Names()
    >>> names.code(b"web1 web2", np.array([0, 5, -1]), np.array([4, 9, -1])).tolist()
    [0, 1, -1]
    >>> names.values
    [b'web1', b'web2']
    """

    table: Table = field(default_factory=Table)
    values: list[bytes] = field(default_factory=list)

    def code(self, buf: bytes, start: Int64s, end: Int64s) -> Int32s:
        """Codes of the spans, -1 where there is none (or there are too many different ones)."""
        if len(self.values) >= MOST:
            return np.full(len(start), -1, np.int32)
        codes, fresh = self.table.intern(buf, start, end)
        self.values.extend(buf[int(start[i]) : int(end[i])] for i in fresh.tolist())
        return codes

    def recode(self, codes: Int32s, values: list[bytes]) -> Int32s:
        """Codes of another dictionary, which holds these `values`, as codes of this one.

        >>> names = Names()
        >>> names.recode(np.array([1, -1, 0], np.int32), [b"db", b"web"]).tolist(), names.values
        ([1, -1, 0], [b'db', b'web'])
        """
        ends = np.cumsum([len(v) for v in values], dtype=np.int64)
        starts = np.concatenate(([0], ends[:-1])).astype(np.int64) if values else ends
        table = self.code(b"".join(values), starts, ends)
        return np.append(table, np.int32(-1))[codes]


@dataclass(slots=True)
class Levels:
    """What the words for levels stand for; each word is looked at once.

    >>> levels = Levels()
    >>> codes = levels.words.code(b"INFO ERROR", np.array([0, 5, -1]), np.array([4, 10, -1]))
    >>> levels.of(codes).tolist()
    [3, 6, 0]
    """

    words: Names = field(default_factory=Names)
    _of_word: Int8s = field(default_factory=lambda: np.zeros(1, np.int8))
    """By code of the word; the last entry is what code -1 finds."""

    def of(self, codes: Int32s) -> Int8s:
        """The levels that these codes of words stand for, 0 for none."""
        known, values = len(self._of_word) - 1, self.words.values
        if len(values) > known:
            more = [level_code(v) for v in values[known:]]
            self._of_word = np.concatenate((self._of_word[:-1], more, [0])).astype(np.int8)
        return self._of_word[codes]
