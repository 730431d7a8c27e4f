"""Classing: the code of each line's set of true predicates, found with as little text as will do.

Three steps, each for what the one before leaves open:

1. by shape: the predicates are evaluated once per shape (and, where rules ask for them, per level,
   component and host);
2. by level: the line with its digits made 0, once for each that is new;
3. by line: predicates that tell digits apart, on lines where they can be true at all. Shapes with
   ever new text besides digits (hashes, names) skip the second step; a search for literals in the
   block's lines says which of them to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import Int32s, Int64s, LineBatch
from logwright.logs.coder import BLANK, OVERFLOW
from logwright.logs.kernel import Table
from logwright.logs.shapes import MASK, mask
from logwright.rules.engine.gating import Gate, leveled
from logwright.rules.engine.shapewise import How, Known, Predicates, Split
from logwright.rules.language.plain import Line

__all__ = ["Classer", "Naming", "Sets"]

_NEW, _OPEN, _WILD = -3, -2, -1
_MOST = 1 << 19
"""Levels, and combinations of columns, that are remembered; then all are forgotten."""
_MOST_WILD = 1_000
_WILD_FROM, _WILD_SHARE = 256, 0.3
_FEW = 0.1
_MANY = 8


def _no_template(shape: int) -> str:
    return ""


def _no_params(shape: int, content: bytes) -> Sequence[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Naming:
    """What codes of a batch mean: names of hosts and components by code, the id of a shape's
    template, and a line's parameters given its shape and message."""

    hosts: Sequence[bytes] = ()
    components: Sequence[bytes] = ()
    template: Callable[[int], str] = _no_template
    params: Callable[[int, bytes], Sequence[str]] = _no_params


@dataclass(slots=True)
class Sets:
    """Sets of predicates by code; code 0 is the empty one."""

    held: list[tuple[int, ...]] = field(default_factory=lambda: [()])
    _codes: dict[tuple[int, ...], int] = field(default_factory=lambda: {(): 0})

    def code(self, true: tuple[int, ...]) -> int:
        """The code of a set, given sorted."""
        found = self._codes.get(true)
        if found is None:
            found = self._codes[true] = len(self.held)
            self.held.append(true)
        return found


@dataclass(slots=True)
class _Wild:
    base: int  # the set of lines without a literal
    gate: Gate
    every: bool  # whether each line has to be looked at


@dataclass(slots=True)
class _Codes:
    """A table of texts, and by code the set's code or one of the negative marks."""

    table: Table = field(default_factory=Table)
    sets: Int32s = field(default_factory=lambda: np.empty(0, np.int32))

    def grown(self, room: int) -> Int32s:
        if room > len(self.sets):
            more = np.full(max(room, 2 * len(self.sets)) - len(self.sets), _NEW, np.int32)
            self.sets = np.concatenate((self.sets, more))
        return self.sets


class Classer:
    """Gives lines the codes of their sets. One for a run; `naming` may be another in each call, as
    long as codes keep their meaning."""

    def __init__(self, predicates: Predicates) -> None:
        self.predicates, self.sets = predicates, Sets()
        reads = predicates.reads
        self._columns = [c for c in ("level", "component", "host") if c in reads]
        self._mixed = bool(self._columns) or "template" in reads
        self._params = "params" in reads
        self._first, self._second, self._pairs = _Codes(), _Codes(), _Codes()
        self._open: dict[int, Known] = {}
        self._splits: dict[int, Split | None] = {}
        self._wild: dict[int, _Wild] = {}
        self.looked_at = 0
        """Lines that were asked one by one."""

    def codes(self, batch: LineBatch, naming: Naming) -> Int32s:
        """The set of each line of a batch."""
        out = np.zeros(len(batch), np.int32)
        if not len(batch) or not len(self.predicates):
            return out
        first = self._by_shape(batch, naming)
        out[:] = self._first.sets[first]
        rows = np.flatnonzero(out == _OPEN)
        if len(rows):
            self._by_level(batch, naming, first, rows, out)
        for code in np.unique(first[out == _WILD]).tolist():
            here = np.flatnonzero((first == code) & (out == _WILD))
            self._by_gate(batch, naming, code, here, out)
        return out

    def _line(self, batch: LineBatch, naming: Naming, row: int, text: bytes) -> Line:
        """A line with this text and what else the predicates read."""
        told = text.decode("utf-8", "surrogateescape")
        if not (self._mixed or self._params):
            return Line(told)
        shape, host, component = (int(c[row]) for c in (batch.shape, batch.host, batch.component))
        params: Sequence[str] = ()
        if self._params:
            params = naming.params(shape, batch.content(row))
        return Line(
            told,
            level=int(batch.level[row]),
            template=naming.template(shape),
            params=params,
            component=_name(naming.components, component),
            host=_name(naming.hosts, host),
        )

    # --- by shape ---------------------------------------------------------------------------------

    def _by_shape(self, batch: LineBatch, naming: Naming) -> Int32s:
        """Codes of shapes with columns, whose sets are in `_first`."""
        first = batch.shape
        if self._columns:
            if len(self._first.table) > _MOST:
                self._first = _Codes()
                self._wild.clear()
                self._pairs = _Codes()
                self._open.clear()
                self._splits.clear()
            parts = [batch.shape, *(getattr(batch, c).astype(np.int32) for c in self._columns)]
            first = _interned(self._first.table, parts)
        sets = self._first.grown(int(first.max()) + 1)
        new = np.flatnonzero(sets[first] == _NEW)
        if len(new):
            codes, at = np.unique(first[new], return_index=True)
            self._meet(batch, naming, codes, new[at])
        return first

    def _meet(self, batch: LineBatch, naming: Naming, codes: Int32s, rows: Int64s) -> None:
        """Evaluate shapes that are met for the first time, each with a row of it."""
        sets = self._first.sets
        if self.predicates.hides:  # shapes alone settle next to nothing
            sets[codes] = _OPEN
            return
        exact: list[tuple[int, int, bytes]] = []
        masked: list[tuple[int, int, bytes]] = []
        for code, row in zip(codes.tolist(), rows.tolist(), strict=True):
            if not _has_shape(batch, row):
                sets[code] = _OPEN
                continue
            text = mask(batch.content(row))
            where = masked if MASK in text else exact
            where.append((code, row, text))
        self._enter(batch, naming, exact, "exact", sets)
        self._enter(batch, naming, masked, "shape", sets)

    def _enter(
        self,
        batch: LineBatch,
        naming: Naming,
        texts: list[tuple[int, int, bytes]],
        how: How,
        sets: Int32s,
    ) -> list[tuple[int, Known]]:
        """Enter the sets of texts, given with their codes and a row of each; gives those that are
        open."""
        if not texts:
            return []
        known = self.predicates.known(
            [text for _, _, text in texts],
            lambda i: self._line(batch, naming, texts[i][1], texts[i][2]),
            how,
        )
        sets[[code for code, _, _ in texts]] = 0
        opened = []
        for i, found in known.items():
            code = texts[i][0]
            sets[code] = _OPEN if found.open else self.sets.code(found.true)
            if found.open:
                opened.append((code, found))
        return opened

    # --- by level ---------------------------------------------------------------------------------

    def _by_level(
        self, batch: LineBatch, naming: Naming, first: Int32s, rows: Int64s, out: Int32s
    ) -> None:
        if len(rows) < _FEW * len(batch):
            joined, begin, stop = _joined(batch, rows)
            text = leveled(joined)
        else:
            text, begin, stop = leveled(batch.buf), batch.content_start[rows], batch.end[rows]
        if max(len(self._second.table), len(self._pairs.table)) > _MOST:
            self._second, self._pairs = _Codes(), _Codes()
            self._open.clear()
            self._splits.clear()
        second, _ = self._second.table.intern(text, begin, stop)
        held = self._second
        if self._mixed or self._params:  # not by text alone
            second, held = _interned(self._pairs.table, [first[rows], second]), self._pairs
        sets = held.grown(int(second.max()) + 1)
        found = sets[second]
        new = np.flatnonzero(found == _NEW)
        if len(new):
            codes, at = np.unique(second[new], return_index=True)
            at = new[at]
            tame = self._tamed(first, rows, at)
            fresh = [
                (code, int(rows[i]), text[int(begin[i]) : int(stop[i])])
                for code, i in zip(codes[tame].tolist(), at[tame].tolist(), strict=True)
            ]
            self._open.update(self._enter(batch, naming, fresh, "level", sets))
            found = sets[second]
            found[found == _NEW] = _WILD
        at = np.flatnonzero(found == _OPEN)
        at = at[np.argsort(second[at], kind="stable")]
        cuts = np.flatnonzero(np.diff(second[at])) + 1
        for group in np.split(at, cuts) if len(at) else ():
            i = int(group[0])
            level = text[int(begin[i]) : int(stop[i])]
            found[group] = self._by_digits(batch, naming, int(second[i]), rows[group], level)
        out[rows] = found

    def _by_digits(
        self, batch: LineBatch, naming: Naming, code: int, rows: Int64s, level: bytes
    ) -> Int32s:
        """The sets of lines that differ in digits alone."""
        known = self._open[code]
        if len(rows) < _MANY:  # quicker than columns of a few lines
            return np.array([self._asked(batch, naming, row, known) for row in rows.tolist()])
        if code not in self._splits:
            line = self._line(batch, naming, int(rows[0]), level)
            self._splits[code] = self.predicates.split(known, line)
        split = self._splits[code]
        if split is None:
            return np.array([self._asked(batch, naming, row, known) for row in rows.tolist()])
        bits = np.zeros(len(rows), np.int64)
        begin = batch.content_start[rows]
        for at, digits in enumerate(split.digits):
            bits |= digits.holds(batch.buf, begin).astype(np.int64) << at
        held, of = np.unique(bits, return_inverse=True)
        codes = [self.sets.code(split.judge(found)) for found in held.tolist()]
        return np.array(codes, np.int32)[of]

    def _tamed(self, first: Int32s, rows: Int64s, new: Int64s) -> NDArray[np.bool_]:
        """Which of the new levels to keep: not those of shapes with very many, which turn wild."""
        fresh = np.bincount(first[rows[new]])
        many = np.flatnonzero(fresh >= _WILD_FROM)
        if len(many):
            seen = np.bincount(first[rows], minlength=len(fresh))
            many = many[fresh[many] > _WILD_SHARE * seen[many]]
            many = many[: _MOST_WILD - len(self._wild)]
            self._first.sets[many] = _WILD
        tame: NDArray[np.bool_] = self._first.sets[first[rows[new]]] != _WILD
        return tame

    def _asked(self, batch: LineBatch, naming: Naming, row: int, known: Known) -> int:
        """The set of a line, asking it for what is open."""
        self.looked_at += 1
        line = self._line(batch, naming, row, batch.content(row))
        exact = self.predicates.exact
        more = [p for p in known.open if exact[p](line)]
        return self.sets.code(tuple(sorted((*known.true, *more))))

    # --- by line ----------------------------------------------------------------------------------

    def _by_gate(
        self, batch: LineBatch, naming: Naming, code: int, rows: Int64s, out: Int32s
    ) -> None:
        wild = self._wild.get(code)
        if wild is None:
            wild = self._wild[code] = self._tell(batch, naming, int(rows[0]))
        out[rows] = wild.base
        levels = [leveled(batch.content(row)) for row in rows.tolist()]
        asked = np.arange(len(rows)) if wild.every else np.unique(wild.gate.hits(levels)[0])
        self.looked_at += len(asked)
        mine = rows[asked].tolist()
        known = self.predicates.known(
            [levels[i] for i in asked.tolist()],
            lambda i: self._line(batch, naming, mine[i], batch.content(mine[i])),
            "exact",
        )
        out[rows[asked]] = 0
        for i, found in known.items():
            out[mine[i]] = self.sets.code(found.true)

    def _tell(self, batch: LineBatch, naming: Naming, row: int) -> _Wild:
        line = None
        if _has_shape(batch, row):
            line = self._line(batch, naming, row, mask(batch.content(row)))
        base, gates = self.predicates.gated(line)
        gate = Gate({number: atom.needs for number, atom in gates.items()})
        return _Wild(self.sets.code(base.true), gate, bool(base.open))


def _has_shape(batch: LineBatch, row: int) -> bool:
    """Whether the row's shape is that of its message: of JSON lines it may be another text's."""
    return int(batch.shape[row]) not in (BLANK, OVERFLOW) and batch.source_text is None


def _name(names: Sequence[bytes], code: int) -> str:
    return names[code].decode("utf-8", "surrogateescape") if code >= 0 else ""


def _interned(table: Table, columns: list[Int32s]) -> Int32s:
    """Codes of rows of several columns."""
    keys = np.ascontiguousarray(np.stack(columns, axis=1, dtype=np.int32))
    size = keys.shape[1] * 4
    begin = np.arange(len(keys), dtype=np.int64) * size
    return table.intern(keys.tobytes(), begin, begin + size)[0]


def _joined(batch: LineBatch, rows: Int64s) -> tuple[bytes, Int64s, Int64s]:
    """The messages of some rows, one after the other, and where each begins and ends."""
    contents = [batch.content(row) for row in rows.tolist()]
    ends = np.cumsum([len(text) for text in contents], dtype=np.int64)
    return b"".join(contents), np.concatenate(([0], ends[:-1])).astype(np.int64), ends
