"""Words: what stood at the places where a template's words vary, as slots of `detectors.slots`.

A word without digits makes a shape of its own, so words cost nothing per line: they are looked at
once per shape. How many lines a template had, and when, is told by a sample of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logwright.detectors.slots import Slot
from logwright.logs.batch import Int32s, Int64s
from logwright.logs.kernel import VALUE
from logwright.logs.redaction import redact
from logwright.logs.shapes import shape_key
from logwright.templates.items import Lexer
from logwright.templates.template import Template
from logwright.templates.values import FEW, Record, Sketch
from logwright.templates.vocabulary import Vocabulary
from logwright.templates.watcher import SHOWN
from logwright.windows.window import Events

__all__ = ["WORD", "Words", "word_hash", "words_of"]

WORD = -1
"""The number of tokens of a slot that holds words: its ordinal is the place among the items."""

_MOST_SHAPES, _SAMPLE, _AROUND = 1024, 256, 9
_LEXER = Lexer()


def word_hash(word: bytes) -> int:
    """The 64-bit number under which a word is known, in every process."""
    return shape_key(word)[0]


def words_of(template: Template, content: bytes) -> dict[int, bytes]:
    """The words at the places where a template's words vary, by place.

    >>> template = Template([bytes(16)], b"user ann in", wild=frozenset({2}))
    >>> words_of(template, b"user bob in"), words_of(template, b"user bob7 in")
    ({2: b'bob'}, {})
    """
    items = _LEXER.items(content)
    found = {at: items[at] for at in sorted(template.wild) if at < len(items)}
    return {at: word for at, word in found.items() if word and word[0] != 0}


def _label(template: Template, content: bytes, at: int) -> str:
    items = [
        "…".encode() if i in template.wild or item[:1] == b"\x00" else item
        for i, item in enumerate(_LEXER.items(content))
    ]
    before = redact(b"".join(items[max(at - _AROUND, 0) : at]).lstrip())[-SHOWN:]
    after = redact(b"".join(items[at + 1 : at + 1 + _AROUND]).rstrip())[:SHOWN]
    return (before + b"<*>" + after).decode("utf-8", "backslashreplace")


class Words:
    """Collects when lines of templates with variable words came, to make slots of them."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        wild = [bool(t.wild) and len(t.members) <= _MOST_SHAPES for t in vocabulary.templates]
        self._wanted = np.array(wild, bool)
        self._seen = np.zeros(len(wild), np.int64)
        self._stride = np.ones(len(wild), np.int64)
        self._rows: dict[int, Int64s] = {}

    def see(self, events: Events) -> None:
        """Take records of history, in order of rows."""
        if not self._wanted.any():
            return
        mine = np.flatnonzero(self._wanted[events.template])
        template, rows = events.template[mine], events.row[mine]
        for at in np.unique(template).tolist():
            more, seen = rows[template == at], int(self._seen[at])
            stride = int(self._stride[at])
            every = np.arange(-seen % stride, len(more), stride)
            held = np.concatenate((self._rows.get(at, rows[:0]), more[every]))
            while len(held) > _SAMPLE:
                held, stride = held[::2], 2 * stride
            self._rows[at], self._stride[at], self._seen[at] = held, stride, seen + len(more)

    def slots(self, shapes: tuple[Int32s, Int64s, list[bytes]]) -> list[Slot]:
        """A slot for each place of few words, given the shapes: codes, rows of their first lines
        (in each source), and contents by code."""
        if not self._wanted.any():
            return []
        codes, rows, contents = shapes
        template = self._vocabulary.of(codes)
        mine = np.flatnonzero((template >= 0) & self._wanted[np.maximum(template, 0)])
        found: dict[tuple[int, int], list[Record]] = {}
        labels: dict[tuple[int, int], str] = {}
        columns = codes[mine].tolist(), rows[mine].tolist(), template[mine].tolist()
        for code, row, at in zip(*columns, strict=True):
            if at not in self._rows:
                continue
            known = self._vocabulary.templates[at]
            for place, word in words_of(known, contents[code]).items():
                record = Record(word_hash(word), len(word), word[:SHOWN], row)
                found.setdefault((at, place), []).append(record)
                label = _label(known, contents[code], place)
                labels[at, place] = min(labels.get((at, place), label), label)
        return [
            self._slot(*key, labels[key], records)
            for key, records in sorted(found.items())
            if len({r.what for r in records}) <= FEW
        ]

    def _slot(self, at: int, place: int, label: str, records: Sequence[Record]) -> Slot:
        rows = self._rows[at]
        sketch = Sketch(
            label,
            mode=VALUE,
            seen=int(self._seen[at]),
            sample=(rows, np.zeros(len(rows))),
            values=sorted(records, key=lambda r: (r.row, r.what)),
        )
        return Slot(int(self._vocabulary.hashes[at]), WORD, place, label, sketch)
