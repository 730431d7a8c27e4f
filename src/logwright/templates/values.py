"""Values: what the variable tokens of each shape held, in bounded memory.

A *slot* is one variable token of a shape. Shapes of few lines have none. The others' slots are
walked over by the kernel (`logs.kernel.watch`), which tells only of what a slot's `Sketch` does not
hold yet, so that the cost per line falls as history grows. After its first tokens each slot is
judged: identifiers and counters are given up, and cost nothing from then on.

What a sketch holds depends on the lines and their order alone, not on where batches end. Rows are
those of the recording; where sources are read one after another but overlap in time, the first row
of each value is kept per source (of the first 64 sources, and the one read last), and
`Sketch.moved` numbers them anew.

The first lines of a shape, before it has slots, are kept as text while there is room for them, and
are looked at as soon as it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int64s, LineBatch
from logwright.logs.kernel import ALL, FORM, NUMBER, SAMPLE, VALUE
from logwright.templates.watcher import LONGEST_LINE, SHOWN, Watcher, kinds_of, layout_of

__all__ = ["FEW", "Record", "Sketch", "Values"]

FEW = 64
"""Distinct values up to which a slot is a field of few values."""

_SKIPPED_LINES, _LOOKED_AT = 64, 256
_EXTREMES, _SAMPLE = 64, 256
_MOST_SLOTS, _WIDEST = 4096, 16
_SOURCES, _ODD = 64, 64
_MOST_KEPT, _PER_LINE = 8 << 20, 24
_PENDING, _PIECE, _DENSE = 16_384, 4_096, 0.2
_DISTINCT, _FEW_STEPS = 0.9, 8
_IDENTIFIER = 1 | 2 | 8 | 256 | 512 | 1024  # digits, hex letters, - . _
_LONG_NUMBER = 12
_DIGIT = re.compile(rb"\d")


class Record(NamedTuple):
    """A value, or a form, when it was first seen in a source: its hash (kinds of characters and
    length for a form), text and row."""

    what: int
    length: int
    text: bytes
    row: int


@dataclass(slots=True)
class _Pending:
    """Tokens told of, in order: rows, which token of the slot each is, numbers, hashes, texts."""

    row: Int64s
    nth: Int64s
    number: NDArray[np.float64]
    hash: Int64s
    text: list[bytes]
    source: int


@dataclass(slots=True)
class Sketch:
    """What one slot held: `mode` says which of the fields mean anything.

    `high` and `low` are the extreme numbers, `sample` every `stride`-th token (all as rows and
    numbers); `values` the distinct values while they are few, `forms` what widened the kinds of
    characters and the length, `odd` tokens that were no numbers where others are. `_held` has, by
    value, the source it was seen in last, in how many it was, and its last place in `values`.
    """

    label: str
    mode: int = ALL
    seen: int = 0
    stride: int = 1
    high: tuple[Int64s, NDArray[np.float64]] = field(default_factory=lambda: _none())
    low: tuple[Int64s, NDArray[np.float64]] = field(default_factory=lambda: _none())
    sample: tuple[Int64s, NDArray[np.float64]] = field(default_factory=lambda: _none())
    values: list[Record] = field(default_factory=list)
    forms: list[Record] = field(default_factory=list)
    odd: list[Record] = field(default_factory=list)
    _nth: Int64s = field(default_factory=lambda: np.empty(0, np.int64))
    _waiting: list[_Pending] = field(default_factory=list)
    _held: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    _envelope: tuple[int, int, int] = (-1, 0, 0)  # source, kinds, longest

    @property
    def judged(self) -> bool:
        """Whether enough was seen to know what the slot holds."""
        return self.mode & ALL == 0

    def take(self, told: _Pending) -> None:
        """Take what the kernel told of, in order."""
        if self.judged:
            self._live(told)
            return
        self._waiting.append(told)
        if told.nth[-1] >= _LOOKED_AT - 1:
            self._judge()
            waiting, self._waiting = self._waiting, []
            for part in waiting if self.mode else ():
                self._live(part)

    def _judge(self) -> None:
        """Decide by the first tokens what to hold of this slot; nothing of an identifier."""
        texts = [t for part in self._waiting for t in part.text][:_LOOKED_AT]
        number = np.concatenate([part.number for part in self._waiting])[:_LOOKED_AT]
        distinct = len(set(texts))
        self.mode = SAMPLE
        if distinct <= FEW:
            self.mode |= VALUE
        if not np.isnan(number).any():
            quarter = len(number) // 4
            begin, end = number[:quarter], number[-quarter:]
            moves = end.min() > begin.max() or end.max() < begin.min()
            long = max(map(len, texts)) >= _LONG_NUMBER and distinct > _DISTINCT * len(texts)
            self.mode = 0 if distinct > _FEW_STEPS and (moves or long) else self.mode | NUMBER
        elif distinct > FEW:
            low, high = min(texts), max(texts)  # what these begin with, all begin with
            prefix = next((i for i, b in enumerate(low) if high[i : i + 1] != bytes([b])), 0)
            rest = 0
            for text in texts:
                rest |= kinds_of(text[prefix:])
            fixed = len({len(text) for text in texts}) == 1
            self.mode = 0 if fixed or not rest & ~_IDENTIFIER else self.mode | FORM

    def _live(self, told: _Pending) -> None:
        every = told.nth % self.stride == 0
        if every.any():
            self._nth = np.concatenate((self._nth, told.nth[every]))
            number = told.number[every] if self.mode & NUMBER else np.zeros(int(every.sum()))
            self.sample = _joined(self.sample, (told.row[every], number))
            while len(self._nth) > _SAMPLE:
                self.stride *= 2
                keep = self._nth % self.stride == 0
                self._nth = self._nth[keep]
                self.sample = self.sample[0][keep], self.sample[1][keep]
        if self.mode & NUMBER:
            known = ~np.isnan(told.number)
            numbers = told.row[known], told.number[known]
            self.high = _extreme(_joined(self.high, numbers), -1.0)
            self.low = _extreme(_joined(self.low, numbers), 1.0)
            for i in np.flatnonzero(~known).tolist():
                if len(self.odd) < _ODD:
                    text = told.text[i]
                    self.odd.append(Record(0, len(text), text[:SHOWN], int(told.row[i])))
        if self.mode & VALUE:
            self._take_values(told)
        if self.mode & FORM:
            self._take_forms(told)

    def _take_values(self, told: _Pending) -> None:
        first = np.unique(told.hash, return_index=True)[1]
        for i in np.sort(first).tolist():
            value = int(told.hash[i]) & (1 << 64) - 1
            source, times, last = self._held.get(value, (-1, 0, -1))
            if source == told.source:
                continue
            record = Record(value, len(told.text[i]), told.text[i][:SHOWN], int(told.row[i]))
            if times < _SOURCES:
                times, last = times + 1, len(self.values)
                self.values.append(record)
            else:  # rotated files are often read newest first: the last source may be the earliest
                self.values[last] = record
            self._held[value] = told.source, times, last
        if len(self._held) > FEW:
            self.mode &= ~VALUE
            self.values, self._held = [], {}
            if self.mode == SAMPLE:
                self.mode = 0

    def _take_forms(self, told: _Pending) -> None:
        source, kinds, longest = self._envelope
        if source != told.source:
            kinds = longest = 0
            del self.forms[FEW * _SOURCES // 2 :]  # room for those of the source read last
        for row, text in zip(told.row.tolist(), told.text, strict=True):
            own = kinds_of(text)
            if (own & ~kinds or len(text) > longest) and len(self.forms) < FEW * _SOURCES:
                self.forms.append(Record(own, len(text), text[:SHOWN], row))
            kinds, longest = kinds | own, max(longest, len(text))
        self._envelope = told.source, kinds, longest

    def tell(self, watcher: Watcher, slot: int, source: int) -> None:
        """Let the kernel know what need not be told of any more."""
        record = watcher.slots[slot]
        record["mode"], record["stride"] = self.mode, self.stride
        if self.mode & NUMBER and len(self.high[0]) >= _EXTREMES:
            record["high"], record["low"] = self.high[1].min(), self.low[1].max()
        elif self.mode & NUMBER:
            record["low"], record["high"] = np.inf, -np.inf
        if self.mode & VALUE:
            watcher.know(slot, [v for v, (last, *_) in self._held.items() if last == source])
        if self.mode & FORM and self._envelope[0] == source:
            kinds, longest = self._envelope[1:]
            record["classes"] = kinds
            record["longest"] = longest if longest < LONGEST_LINE else 1 << 30

    def moved(self, now: Callable[[Int64s], Int64s]) -> Sketch:
        """The same with rows as they are numbered now, records in order of rows."""

        def renumbered(records: list[Record]) -> list[Record]:
            rows = now(np.array([r.row for r in records], np.int64)).tolist()
            fresh = [r._replace(row=row) for r, row in zip(records, rows, strict=True)]
            return sorted(fresh, key=lambda r: (r.row, r.what))

        return replace(
            self,
            high=(now(self.high[0]), self.high[1]),
            low=(now(self.low[0]), self.low[1]),
            sample=(now(self.sample[0]), self.sample[1]),
            values=renumbered(self.values),
            forms=renumbered(self.forms),
            odd=renumbered(self.odd),
        )

    def merged(self, others: Sequence[Sketch]) -> Sketch:
        """What this slot and others held together, in whatever order; all have been `moved`."""
        every = [self, *others]
        mode, stride = ALL | NUMBER | VALUE | FORM | SAMPLE, max(s.stride for s in every)
        for sketch in every:
            mode &= sketch.mode
        values: dict[int, Record] = {}
        for record in _in_order(s.values for s in every):
            values.setdefault(record.what, record)
        if len(values) > FEW:
            mode, values = mode & ~VALUE, {}
        forms, kinds, longest = [], 0, 0
        for record in _in_order(s.forms for s in every):
            if record.what & ~kinds or record.length > longest:
                forms.append(record)
            kinds, longest = kinds | record.what, max(longest, record.length)
        on = [s._nth % stride == 0 for s in every]
        rows, numbers = _joined(
            *((s.sample[0][at], s.sample[1][at]) for s, at in zip(every, on, strict=True))
        )
        nth = np.concatenate([s._nth[at] for s, at in zip(every, on, strict=True)])
        keep = np.argsort(rows, kind="stable")
        while len(keep) > _SAMPLE:
            keep, stride = keep[::2], 2 * stride
        return replace(
            self,
            label=min(s.label for s in every),
            mode=mode,
            seen=sum(s.seen for s in every),
            stride=stride,
            high=_extreme(_by_row(_joined(*(s.high for s in every))), -1.0),
            low=_extreme(_by_row(_joined(*(s.low for s in every))), 1.0),
            sample=(rows[keep], numbers[keep]),
            values=list(values.values()),
            forms=forms,
            odd=_in_order(s.odd for s in every)[:_ODD],
            _nth=nth[keep],
        )


class _Beginnings:
    """The first lines of shapes that have no slots yet, while there is room for them: so many bytes
    in a run, first come first served, so that it does not matter where batches end."""

    def __init__(self) -> None:
        self._buf = bytearray()
        self._lines: list[tuple[int, int, int, int]] = []  # shape code, row, source, end in `_buf`
        self._room = _MOST_KEPT

    @property
    def full(self) -> bool:
        """Whether no line is kept any more."""
        return self._room <= 0

    def keep(self, batch: LineBatch, rows: NDArray[np.intp], first_row: int) -> None:
        """Keep these lines of a batch."""
        begin, end, code = batch.content_start[rows], batch.end[rows], batch.shape[rows]
        columns = rows.tolist(), begin.tolist(), end.tolist(), code.tolist()
        for row, a, b, shape in zip(*columns, strict=True):
            content = batch.buf[a:b] if b - a <= LONGEST_LINE else b""
            kept = _DIGIT.search(content) is not None  # most that vary without one are words
            self._room -= len(content) * kept + _PER_LINE
            if self._room <= 0:
                return
            if kept:
                self._buf += content
                self._lines.append((shape, first_row + row, batch.source_id, len(self._buf)))

    def of(self, codes: set[int]) -> list[tuple[int, int, int, bytes]]:
        """(shape code, row, source, content) of the lines kept of shapes, in order."""
        out, begin = [], 0
        for code, row, source, end in self._lines:
            if code in codes:
                out.append((code, row, source, bytes(self._buf[begin:end])))
            begin = end
        return out


class Values:
    """The sketches of all slots of a run.

    >>> from logwright.logs.kernel import Table, lines
    >>> buf = b"".join(b"took %d ms\\n" % (n % 50) for n in range(1000))
    >>> start, end = lines(buf)
    >>> none = np.zeros(1000, np.int32)
    >>> shape = Table().encode(buf, start, end)[0] + 2
    >>> batch = LineBatch(buf, 0, start, end, start, shape, start, none.astype(np.int8), none, none,
    ...                   none, none, start, start)
    >>> values = Values()
    >>> values.look(batch, 0)
    >>> [(s.label, float(s.high[1].max()), len(s.values)) for _, _, _, s in values.sketches()]
    [('took <*> ms', 49.0, 50)]
    """

    def __init__(self) -> None:
        self._watcher = Watcher(_SKIPPED_LINES)
        self._sketches: list[Sketch] = []
        self._beginnings = _Beginnings()
        self._where: list[tuple[int, int, int]] = []  # shape code, tokens, ordinal, by slot
        self._pending: list[tuple[Int64s, NDArray[np.float64], list[bytes], int]] = []
        self._waiting = self._looked = self._due = 0
        self._dense = True
        self._source = -1

    def look(self, batch: LineBatch, first_row: int) -> None:
        """Take a batch, whose records are numbered from `first_row`."""
        if batch.source_id != self._source:
            self._begin(batch.source_id)
        at, waiting = 0, self._waiting
        while at < len(batch):  # all tokens of slots not judged yet are told of: little at a time
            end = min(at + _PIECE, len(batch)) if self._dense else len(batch)
            rows = np.arange(at, end) if end - at < len(batch) else None
            if not self._beginnings.full:
                early = at + self._watcher.waiting(batch.shape[at:end])
                self._beginnings.keep(batch, early, first_row)
            found, numbers = self._watcher.walk(batch, rows)
            begun = found[:, 1] < 0
            self._keep(batch, first_row, found[~begun], numbers[~begun])
            if begun.any():
                behind = self._place(batch, found[begun, 0], end)
                self._keep(batch, first_row, *self._watcher.walk(batch, behind))
            self._looked += end - at
            self._dense = self._waiting - waiting > _DENSE * (end - at)
            if self._waiting > _PENDING or self._looked >= self._due or self._dense:
                self._settle()
            at, waiting = end, self._waiting

    def _begin(self, source: int) -> None:
        """A source begins: what is known of others is to be told of once more."""
        self._settle()
        self._source, self._due = source, 0
        self._watcher.known[:] = 0
        self._watcher.slots["classes"] = 0
        self._watcher.slots["longest"] = 0

    def _place(self, batch: LineBatch, rows: Int64s, end: int) -> NDArray[np.intp]:
        """Give slots to shapes of which enough lines came; gives the rows behind those lines that
        come before row `end`."""
        behind = np.zeros(end, bool)
        placed: set[int] = set()
        for row in rows.tolist():
            layout = layout_of(batch.content(row))
            code = int(batch.shape[row])
            if layout is None or len(self._sketches) >= _MOST_SLOTS:
                continue
            slots = []
            for i, ordinal in enumerate(layout.ordinals[:_WIDEST]):
                slots.append(self._watcher.add())
                self._watcher.slots["mode"][slots[-1]] = ALL
                self._sketches.append(Sketch(layout.label(i)))
                self._where.append((code, layout.tokens, ordinal))
            self._watcher.place(code, layout, slots)
            placed.add(code)
            behind[row + 1 :] |= batch.shape[row + 1 : end] == code
        if placed:
            self._recall(placed)
        return np.flatnonzero(behind)

    def _recall(self, codes: set[int]) -> None:
        """Look at the first lines of shapes that have slots now: too few to judge a slot by."""
        kept = self._beginnings.of(codes)
        for source in dict.fromkeys(line[2] for line in kept):
            lines = [line for line in kept if line[2] == source]
            end = np.cumsum([len(line[3]) for line in lines])
            buf = b"".join(line[3] for line in lines)
            shape = np.array([line[0] for line in lines], np.int32)
            start = np.concatenate(([0], end[:-1]))
            found, numbers = self._watcher.walk_over(buf, start, end, shape)
            found[:, 0] = np.array([line[1] for line in lines], np.int64)[found[:, 0]]
            texts = [buf[a:b] for a, b in found[:, 2:4].tolist()]
            for slot, mine in _by_slot(found):
                self._sketches[slot].take(_told(found, numbers, texts, mine, source))

    def _keep(
        self, batch: LineBatch, first_row: int, found: Int64s, numbers: NDArray[np.float64]
    ) -> None:
        if len(found):
            edges = zip(found[:, 2].tolist(), found[:, 3].tolist(), strict=True)
            texts = [batch.buf[a : min(b, a + LONGEST_LINE)] for a, b in edges]
            found[:, 0] += first_row
            self._pending.append((found, numbers, texts, batch.source_id))
            self._waiting += len(found)

    def _settle(self) -> None:
        """Put what was told of into the sketches, and give up slots that are not worth it."""
        pending, self._pending, self._waiting = self._pending, [], 0
        self._due = 2 * self._looked
        if not pending:
            return
        found = np.concatenate([p[0] for p in pending])
        numbers = np.concatenate([p[1] for p in pending])
        texts = [text for p in pending for text in p[2]]
        gone = set()
        for number, rows in _by_slot(found):
            sketch = self._sketches[number]
            sketch.take(_told(found, numbers, texts, rows, self._source))
            if not sketch.mode:
                gone.add(number)
            sketch.tell(self._watcher, number, self._source)
        if gone:
            self._watcher.drop(gone)

    def sketches(self) -> list[tuple[int, int, int, Sketch]]:
        """(shape code, tokens of the shape, number of the token, what it held) of all slots that
        are worth looking at."""
        self._settle()
        out = []
        for slot, sketch in enumerate(self._sketches):
            if sketch.judged and sketch.mode:
                sketch.seen = int(self._watcher.slots["seen"][slot])
                out.append((*self._where[slot], sketch))
        return out


def _by_slot(found: Int64s) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each slot that the kernel told of, and which of what it told, in order."""
    order = np.argsort(found[:, 1], kind="stable")
    slot = found[order, 1]
    first = np.flatnonzero(np.diff(slot, prepend=-1)).tolist()
    for at, end in zip(first, [*first[1:], len(slot)], strict=True):
        yield int(slot[at]), order[at:end]


def _told(
    found: Int64s,
    numbers: NDArray[np.float64],
    texts: list[bytes],
    rows: NDArray[np.intp],
    source: int,
) -> _Pending:
    """Some of what the kernel told of, all of one slot."""
    told = found[rows]
    text = [texts[i] for i in rows.tolist()]
    return _Pending(told[:, 0], told[:, 4], numbers[rows], told[:, 5], text, source)


def _none() -> tuple[Int64s, NDArray[np.float64]]:
    return np.empty(0, np.int64), np.empty(0)


def _in_order(parts: Iterable[list[Record]]) -> list[Record]:
    return sorted((r for part in parts for r in part), key=lambda r: (r.row, r.what))


def _joined(
    *parts: tuple[Int64s, NDArray[np.float64]],
) -> tuple[Int64s, NDArray[np.float64]]:
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _by_row(
    numbers: tuple[Int64s, NDArray[np.float64]],
) -> tuple[Int64s, NDArray[np.float64]]:
    order = np.argsort(numbers[0], kind="stable")
    return numbers[0][order], numbers[1][order]


def _extreme(
    numbers: tuple[Int64s, NDArray[np.float64]], sign: float
) -> tuple[Int64s, NDArray[np.float64]]:
    """The largest (sign -1) or smallest numbers, with their rows; of equals the earliest."""
    rows, values = numbers
    if len(rows) <= _EXTREMES:
        return numbers
    keep = np.lexsort((rows, sign * values))[:_EXTREMES]
    return rows[keep], values[keep]
