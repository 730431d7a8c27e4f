"""Sides: which lines of a run stand on side A of a comparison, and which on side B.

A side is some of the sources, or the lines for which conditions hold: `host=web1`, `component=`,
`level=`, `source=`, `since=`, `until=`, or any other key=value that stands in the line. Times are
those of `logwright.logs.selection`, with the log's last line as now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from logwright.errors import SettingsError
from logwright.logs.batch import NO_TIME, Int8s, Int32s, Int64s, LineBatch
from logwright.logs.layout import level_code
from logwright.logs.names import Names
from logwright.logs.reader import BLANK, OVERFLOW, Reader
from logwright.logs.recording import Recording
from logwright.logs.selection import holds, parse_moment

__all__ = ["Condition", "Piece", "Side", "SidedRecording"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP = 1 << 20
_ALWAYS = (NO_TIME, int(np.iinfo(np.int64).max))
_TIMED = 0.1  # the least share of lines with a time, for a side to have times


class Piece(NamedTuple):
    """Rows of both sides as columns: `side` is 0 for A and 1 for B; a line without a time has that
    of the line before it."""

    row: Int64s
    shape: Int32s
    ts: Int64s
    level: Int8s
    side: Int8s

    def of(self, at: NDArray[np.intp]) -> Piece:
        """Some of the rows."""
        row, shape, ts, level, side = self
        return Piece(row[at], shape[at], ts[at], level[at], side[at])


@dataclass(slots=True)
class Condition:
    """What must hold for a line of a side: `terms`, all of them, and the times.

    >>> Condition.parse("host=web1,since=10:00")
    Condition(text='host=web1,since=10:00', terms=(('host', 'web1'),), since='10:00', until=None)
    """

    text: str
    terms: tuple[tuple[str, str], ...] = ()
    since: str | None = None
    until: str | None = None

    @staticmethod
    def parse(text: str) -> Condition:
        """A condition as typed: key=value, several of them joined by commas."""
        times: dict[str, str] = {}
        terms = []
        for part in text.split(","):
            key, equals, value = (t.strip() for t in part.partition("="))
            if not equals or not key or not value:
                raise SettingsError(
                    f"a side is {text!r:.80}: expected key=value, such as host=web1, joined by "
                    "commas where there are several"
                )
            if key in ("since", "until"):
                times[key] = value
            else:
                terms.append((key, value))
        return Condition(text, tuple(terms), **times)

    def bounds(self, zone: tzinfo, now: datetime) -> tuple[int, int]:
        """First and last time, ns."""
        found = [*_ALWAYS]
        for i, text in enumerate((self.since, self.until)):
            if text is None:
                continue
            try:
                found[i] = (
                    (parse_moment(text, zone, now) - _EPOCH) // timedelta(microseconds=1) * 1000
                )
            except (ValueError, OverflowError):
                raise SettingsError(
                    f"{text!r:.80} is not a time: expected one such as '2024-05-01T10:00', "
                    "'10:00' or '15m'"
                ) from None
        return found[0], found[1]


@dataclass(slots=True)
class Side:
    """What there is on one side: lines, and the spans (ns) of its sources' times."""

    lines: int = 0
    timed: int = 0
    spans: dict[int, tuple[int, int]] = field(default_factory=dict)

    def cover(self) -> tuple[Int64s, Int64s]:
        """The union of the spans: where each begins, and how much time is covered before it; one
        more entry holds the end."""
        begins: list[int] = []
        before = [0]
        end = NO_TIME
        for low, high in sorted(self.spans.values()):
            if not begins or low > end:
                begins.append(low)
                before.append(before[-1])
                end = low
            before[-1] += max(high - end, 0)
            end = max(end, high)
        return np.array(begins, np.int64), np.array(before, np.int64)

    @property
    def seconds(self) -> float:
        """Time covered; 0 where the side has no times."""
        return float(self.cover()[1][-1]) / 1e9 if self.timed >= _TIMED * self.lines else 0.0

    @property
    def first(self) -> int:
        """The first time, ns; `NO_TIME` where there is none."""
        return min((low for low, _ in self.spans.values()), default=NO_TIME)

    @property
    def last(self) -> int:
        """The last time, ns; `NO_TIME` where there is none."""
        return max((high for _, high in self.spans.values()), default=NO_TIME)


class _Code:
    """The code of one value of a dictionary that grows."""

    def __init__(self, names: Names, value: str) -> None:
        self._names, self._value, self._looked, self._code = names, value.encode(), 0, -2

    def __call__(self) -> int:
        values = self._names.values
        if self._code < 0 and self._value in values[self._looked :]:
            self._code = values.index(self._value, self._looked)
        self._looked = len(values)
        return self._code


class SidedRecording(Recording):
    """A recording that knows the side of each row.

    Sources below `split` are side A, the others B; or, where `conditions` are given, lines for
    which A's and B's hold (None for one of them: all other lines).
    """

    def __init__(
        self,
        plain: Sequence[str | None],
        reader: Reader,
        split: int,
        conditions: tuple[Condition | None, Condition | None] | None,
        text_limit: int,
    ) -> None:
        super().__init__(plain, text_limit=text_limit)
        self._reader, self._split, self._conditions = reader, split, conditions
        self._codes: dict[tuple[str, str], _Code] = {}
        self._marks: list[tuple[int, Int8s]] = []  # a batch's source; bit 0: A, bit 1: B

    def append(self, batch: LineBatch) -> Int64s:
        """Take a batch; gives the global rows of its records."""
        rows = super().append(batch)
        if len(rows):
            self._marks.append((batch.source_id, self._mark(batch)))
        return rows

    def _mark(self, batch: LineBatch) -> Int8s:
        n = len(batch)
        if self._conditions is None:
            return np.broadcast_to(np.int8(1 if batch.source_id < self._split else 2), (n,))
        marks = np.zeros(n, np.int8)
        for bit, condition in enumerate(self._conditions):
            if condition is None:
                continue
            found = np.ones(n, bool)
            for key, value in condition.terms:
                found &= self._holds(batch, key, value)
            marks |= found.astype(np.int8) << bit
        return marks

    def _holds(self, batch: LineBatch, key: str, value: str) -> NDArray[np.bool_]:
        if key == "source":
            name = self._reader.sources.sources[batch.source_id].stats.name
            return np.full(len(batch), value in (name, name.rpartition("/")[2]))
        if key == "level":
            return np.equal(batch.level, level_code(value.encode()))
        if key in ("host", "component"):
            hosts = key == "host"
            column = batch.host if hosts else batch.component
            names = self._reader.hosts if hosts else self._reader.components
            code = self._codes.setdefault((key, value), _Code(names, value))
            if (column >= 0).any():
                return np.equal(column, code())
        text = batch.buf if batch.source_text is None else batch.source_text
        return holds(text, batch.offset - batch.base, key, value)

    def pieces(self, zone: tzinfo) -> Iterator[Piece]:
        """All rows that stand on a side, in order; blank lines are left out."""
        bounds = self._bounds(zone)
        for piece, marks, _ in self._read():
            piece = piece._replace(side=self._side(marks, piece.ts, bounds))
            blank = (piece.shape == BLANK) | (piece.shape == OVERFLOW)
            yield piece.of(np.flatnonzero((piece.side >= 0) & ~blank))

    def _read(self) -> Iterator[tuple[Piece, Int8s, Int32s]]:
        """All rows, none on a side yet; with their marks and their sources."""
        clock: dict[int, int] = {}
        at = 0
        for rows, columns in self.read(0, self.rows, _STEP):
            filled, done = columns["ts"].copy(), 0
            marks, sources = np.empty(len(rows), np.int8), np.empty(len(rows), np.int32)
            while done < len(rows):
                source, mark = self._marks[at]
                here = slice(done, done + len(mark))
                marks[here], sources[here] = mark, source
                filled[here] = ts = _filled(filled[here], clock.get(source, NO_TIME))
                clock[source] = int(ts[-1])
                done, at = done + len(mark), at + 1
            none = np.full(len(rows), -1, np.int8)
            yield Piece(rows, columns["shape"], filled, columns["level"], none), marks, sources

    def sides(self, zone: tzinfo) -> tuple[Side, Side]:
        """What there is on each side.

        Where conditions make the sides, both cover all the time of their sources that lies in their
        period: a host that is silent has been there.
        """
        found = (Side(), Side())
        bounds = self._bounds(zone)
        for piece, marks, sources in self._read():
            on = self._side(marks, piece.ts, bounds)
            blank = (piece.shape == BLANK) | (piece.shape == OVERFLOW)
            for code, side in enumerate(found):
                mine = (on == code) & ~blank
                side.lines += int(mine.sum())
                side.timed += int((mine & (piece.ts != NO_TIME)).sum())
                seen = mine if self._conditions is None else np.ones(len(mine), bool)
                since, until = bounds[code] if bounds is not None else _ALWAYS
                seen &= (piece.ts != NO_TIME) & (piece.ts >= since) & (piece.ts < until)
                for s in np.unique(sources[seen]).tolist():
                    ts = piece.ts[seen & (sources == s)]
                    low, high = side.spans.get(s, (int(ts[0]), int(ts[0])))
                    side.spans[s] = min(low, int(ts.min())), max(high, int(ts.max()))
        return found

    def _bounds(self, zone: tzinfo) -> list[tuple[int, int]] | None:
        """The times between which a line must stand for each side; None where that is all one."""
        conditions = self._conditions
        if conditions is None or not any(c and (c.since or c.until) for c in conditions):
            return None
        last = max((int(c["ts"].max()) for _, c in self.read(0, self.rows, _STEP)), default=0)
        if last == NO_TIME:
            raise SettingsError("the log has no times: a side cannot be a period of it")
        now = _EPOCH + timedelta(microseconds=last // 1000)
        return [(c or Condition("")).bounds(zone, now) for c in conditions]

    def _side(
        self, marks: Int8s, ts: Int64s, bounds: list[tuple[int, int]] | None
    ) -> NDArray[np.int8]:
        holding = [(marks >> bit & 1).astype(bool) for bit in (0, 1)]
        for i, (since, until) in enumerate(bounds or []):
            holding[i] &= (ts >= since) & (ts < until)
        if self._conditions is not None:
            for i, condition in enumerate(self._conditions):
                if condition is None:
                    holding[i] = ~holding[1 - i]
        if (holding[0] & holding[1]).any():
            raise SettingsError("some lines stand on both sides: expected two sides that differ")
        return np.where(holding[0], 0, np.where(holding[1], 1, -1)).astype(np.int8)


def _filled(ts: Int64s, before: int) -> Int64s:
    """Times in which a line without one has that of the line before it."""
    at = np.maximum.accumulate(np.where(ts != NO_TIME, np.arange(len(ts)), -1))
    return np.where(at >= 0, ts[np.maximum(at, 0)], before)
