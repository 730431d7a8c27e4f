"""A recording: what has to outlast its block, kept in bounded memory.

It numbers all records of a run (global rows 0, 1, 2, ...), keeps columns for a second pass, puts
the records of several sources in order of time, and finds a row's source, line number, byte
offset and text (with the lines that continue it) again. Columns above a stated size move to an
unnamed temporary file; texts are read again from their source where it is a plain file, and from a
compressed copy of the blocks (LZ4, in a temporary file too) where it is not.
"""

from __future__ import annotations

import bisect
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, LineBatch

__all__ = ["TEXT_LIMIT", "Place", "Recording"]

_IN_MEMORY = 256 << 20
_MOST_SORTED = 10_000_000
TEXT_LIMIT = 4096
_COLUMNS = {"shape": np.int32, "ts": np.int64, "level": np.int8, "session": np.int32}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: source number, 1-based line, byte offset, its head line's text (cut at
    4 KiB), and the lines that continue it (4 KiB of them). Of a text that was let go, a `digest`
    of its message is left."""

    source_id: int
    line_no: int
    offset: int
    text: bytes
    more: tuple[bytes, ...] = ()
    digest: bytes | None = None


@dataclass(slots=True)
class _Chunk:
    first_row: int
    rows: int
    source_id: int
    first_line: int
    base: int  # the block's offset in its source
    kinds: dict[str, Any]  # the dtype of each array: begin, lines?, joined?, and columns
    arrays: dict[str, NDArray[Any]] | None  # None: spilled
    carried: int = 0  # lines of later blocks that continue the last record
    at: int = -1  # position in the column file
    text_at: int = -1  # position in the text file, -1 where the source can be read again
    text_size: int = 0
    text_raw: int = 0

    @property
    def size(self) -> int:
        return self.rows * sum(int(np.dtype(kind).itemsize) for kind in self.kinds.values())


class Recording:
    """Rows of a run, appended batch by batch.

    `plain` holds, per source number, the path to read texts from again, or None where blocks must
    be copied; `keep_columns` says whether the columns for a second pass are kept; texts are cut at
    `text_limit` bytes.
    """

    def __init__(
        self,
        plain: Sequence[str | None],
        keep_columns: bool = True,
        text_limit: int = TEXT_LIMIT,
    ) -> None:
        self.rows = 0
        self.keep_columns = keep_columns
        self._text_limit = text_limit
        self._plain = plain
        self._chunks: list[_Chunk] = []
        self._firsts: list[int] = []
        self._held = 0
        self._spilled = 0
        self._file: IO[bytes] | None = None
        self._texts: IO[bytes] | None = None
        self._unpacked: tuple[int, bytes] = (-1, b"")
        self._order: NDArray[np.int64] | None = None  # sorted position -> row as it was read
        self._position: NDArray[np.int64] | None = None  # row as it was read -> sorted position
        self._as_read: list[tuple[int, _Chunk]] = []  # chunks and the first row each had then
        self._sorted: dict[str, NDArray[Any]] = {}
        self._codec = pa.Codec("lz4_raw") if pa.Codec.is_available("lz4_raw") else pa.Codec("lz4")

    def append(self, batch: LineBatch) -> NDArray[np.int64]:
        """Take a batch; gives the global rows of its records."""
        n = len(batch)
        rows = np.arange(self.rows, self.rows + n, dtype=np.int64)
        if batch.carried:
            for before in reversed(self._chunks):
                if before.rows:  # others hold only text that was carried on
                    before.carried += batch.carried
                    break
        copied = self._plain[batch.source_id] is None
        if not n and not (copied and batch.carried):
            return rows
        first_line = int(batch.line_no[0]) if n else 0
        arrays: dict[str, NDArray[Any]] = {"begin": (batch.offset - batch.base).astype(np.int32)}
        if n and int(batch.line_no[-1]) - first_line != n - 1:
            arrays["lines"] = (batch.line_no - first_line).astype(np.int32)
        if batch.joined is not None and batch.joined.any():
            arrays["joined"] = batch.joined
        if self.keep_columns:
            arrays |= {name: getattr(batch, name) for name in _COLUMNS}
        kinds = {name: array.dtype for name, array in arrays.items()}
        chunk = _Chunk(self.rows, n, batch.source_id, first_line, batch.base, kinds, arrays)
        if copied:
            self._copy_text(chunk, batch)
        self._chunks.append(chunk)
        self._firsts.append(self.rows)
        self.rows += n
        self._held += chunk.size
        while self._held > _IN_MEMORY:
            self._spill(self._chunks[self._spilled])
            self._spilled += 1
        return rows

    def _copy_text(self, chunk: _Chunk, batch: LineBatch) -> None:
        if self._texts is None:
            self._texts = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        raw = batch.source_text if batch.source_text is not None else batch.buf
        packed = self._codec.compress(raw, asbytes=True)
        chunk.text_at = self._texts.seek(0, 2)
        chunk.text_size, chunk.text_raw = len(packed), len(raw)
        self._texts.write(packed)

    def _spill(self, chunk: _Chunk) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        assert chunk.arrays is not None
        chunk.at = self._file.seek(0, 2)
        for array in chunk.arrays.values():
            self._file.write(np.ascontiguousarray(array).tobytes())
        self._held -= chunk.size
        chunk.arrays = None

    def _array(self, chunk: _Chunk, name: str) -> NDArray[Any]:
        if chunk.arrays is not None:
            return chunk.arrays[name]
        assert self._file is not None
        at = chunk.at
        for other, kind in chunk.kinds.items():
            if other == name:
                break
            at += chunk.rows * np.dtype(kind).itemsize
        self._file.seek(at)
        kind = chunk.kinds[name]
        return np.frombuffer(self._file.read(chunk.rows * np.dtype(kind).itemsize), kind)

    def read(
        self, first: int, stop: int, step: int, names: Sequence[str] = tuple(_COLUMNS)
    ) -> Iterator[tuple[NDArray[np.int64], dict[str, NDArray[Any]]]]:
        """Rows [first, stop) in pieces of about `step`: their numbers and their columns (all, or
        those of some names)."""
        if self._order is not None:
            for begin in range(first, stop, step):
                end = min(begin + step, stop)
                rows = np.arange(begin, end, dtype=np.int64)
                yield rows, {k: self._sorted[k][begin:end] for k in names}
            return
        # Cut at `step` rows exactly, wherever blocks end, so that they do not matter.
        for begin in range(first, stop, step):
            end = min(begin + step, stop)
            at = max(bisect.bisect_right(self._firsts, begin) - 1, 0)
            parts: list[dict[str, NDArray[Any]]] = []
            for chunk in self._chunks[at:]:
                a, b = max(begin - chunk.first_row, 0), min(end - chunk.first_row, chunk.rows)
                if chunk.first_row >= end:
                    break
                if a < b:
                    parts.append({name: self._array(chunk, name)[a:b] for name in names})
            rows = np.arange(begin, end, dtype=np.int64)
            yield rows, {name: np.concatenate([p[name] for p in parts]) for name in names}

    def sort_by_time(self, lateness: int) -> str | None:
        """Put the records of several sources in order of time, numbering them anew.

        Nothing is done where each source begins, but for `lateness` ns, after the one before it
        ended. Gives a sentence where there are too many records to be sorted in memory.
        """
        spans: dict[int, tuple[int, int]] = {}
        for chunk in self._chunks:
            ts = self._columns(chunk)["ts"]
            ts = ts[ts != NO_TIME]
            if len(ts):
                low, high = spans.get(chunk.source_id, (int(ts[0]), NO_TIME))
                spans[chunk.source_id] = min(low, int(ts[0])), max(high, int(ts.max()))
        if _in_turn(list(spans.values()), lateness):
            return None
        if _in_turn(sorted(spans.values()), lateness):  # rotated files, named newest first
            self._as_read = [(chunk.first_row, chunk) for chunk in self._chunks]
            self._chunks.sort(key=lambda c: spans.get(c.source_id, (NO_TIME, 0))[0])
            self._firsts = np.cumsum([0, *(c.rows for c in self._chunks[:-1])]).tolist()
            for chunk, first in zip(self._chunks, self._firsts, strict=True):
                chunk.first_row = first
            return None
        if self.rows > _MOST_SORTED:
            return (
                f"the sources overlap in time and hold more than the {_MOST_SORTED:,} lines that "
                "are sorted: records that overlap count as late"
            )
        parts = [self._columns(chunk) for chunk in self._chunks]
        columns = {name: np.concatenate([p[name] for p in parts]) for name in _COLUMNS}
        order = np.argsort(self._times_to_sort_by(columns["ts"]), kind="stable")
        self._sorted = {name: column[order] for name, column in columns.items()}
        self._order = order
        self._position = np.empty(len(order), np.int64)
        self._position[order] = np.arange(len(order))
        return None

    def now(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers that records have now, given those they had when they were read."""
        if self._position is not None:
            return self._position[rows]
        if not self._as_read or not len(rows):
            return rows
        first = np.array([first for first, _ in self._as_read], np.int64)
        moved = np.array([chunk.first_row for _, chunk in self._as_read], np.int64) - first
        return rows + moved[np.searchsorted(first, rows, side="right") - 1]

    def _times_to_sort_by(self, ts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Times in which a record without one has that of the record before it in its source, or,
        where there is none, of the next; a source without times stays behind the one before."""
        owner = np.repeat([c.source_id for c in self._chunks], [c.rows for c in self._chunks])
        new = np.concatenate(([True], owner[1:] != owner[:-1]))
        begin = np.maximum.accumulate(np.where(new, np.arange(len(ts)), 0))
        timed = np.where(ts != NO_TIME, np.arange(len(ts)), -1)
        before = np.maximum.accumulate(timed)
        later = np.where(timed < 0, len(ts), timed)
        after = np.minimum.accumulate(later[::-1])[::-1]
        usable = np.minimum(after, len(ts) - 1)
        after = np.where((after < len(ts)) & (begin[usable] == begin), usable, before)
        at = np.where(before >= begin, before, after)
        return np.where(at >= 0, ts[at], NO_TIME)

    def _columns(self, chunk: _Chunk) -> dict[str, NDArray[Any]]:
        return {name: self._array(chunk, name) for name in _COLUMNS}

    def place(self, row: int, limit: int | None = None) -> Place:
        """Where a row stands, and its text, cut at `limit` bytes (the recording's if not given)."""
        if self._order is not None:
            row = int(self._order[row])
        number = bisect.bisect_right(self._firsts, row) - 1
        chunk = self._chunks[number]
        index = row - chunk.first_row
        begins = self._array(chunk, "begin")
        begin = int(begins[index])
        more = int(self._array(chunk, "joined")[index]) if "joined" in chunk.kinds else 0
        more += chunk.carried if index == chunk.rows - 1 else 0
        size = self._text_limit if limit is None else limit
        if index + 1 < chunk.rows and not more:
            size = min(size, int(begins[index + 1]) - begin)
        text = self._text(number, begin, size + (self._text_limit if more else 0))
        line, *rest = text.split(b"\n", more + 1)
        further = tuple(r.removesuffix(b"\r") for r in rest[:more])
        line = line.removesuffix(b"\r")[:size]
        at = int(self._array(chunk, "lines")[index]) if "lines" in chunk.kinds else index
        offset = chunk.base + begin
        return Place(chunk.source_id, chunk.first_line + at, offset, line, further)

    def _text(self, number: int, begin: int, size: int) -> bytes:
        """Up to `size` bytes of a source, from `begin` of a chunk's block on."""
        chunk = self._chunks[number]
        path = self._plain[chunk.source_id]
        if path is not None:
            return _read_at(path, chunk.base + begin, size)
        text = b""
        for later in self._chunks[number:]:
            if later.source_id != chunk.source_id or len(text) >= size:
                break
            if self._unpacked[0] != later.text_at:  # lines that are asked for often stand together
                assert self._texts is not None
                self._texts.seek(later.text_at)
                packed = self._texts.read(later.text_size)
                raw = self._codec.decompress(packed, later.text_raw, asbytes=True)
                self._unpacked = (later.text_at, raw)
            text += self._unpacked[1][begin : begin + size - len(text)]
            begin = 0
        return text

    def close(self) -> None:
        """Let the temporary files go."""
        for file in (self._file, self._texts):
            if file is not None:
                file.close()


def _read_at(path: str, offset: int, size: int) -> bytes:
    """Bytes of a file that may have been rotated away since: then the text is not to be had."""
    try:
        with open(path, "rb", buffering=0) as file:
            file.seek(offset)
            return file.read(size)
    except OSError:
        return b""


def _in_turn(spans: list[tuple[int, int]], lateness: int) -> bool:
    """Whether each span begins, but for the lateness, after all before it have ended.

    >>> _in_turn([(0, 10), (9, 20)], 1), _in_turn([(0, 10), (2, 20)], 1)
    (True, False)
    """
    newest = NO_TIME
    for first, last in spans:
        if newest != NO_TIME and first < newest - lateness:
            return False
        newest = max(newest, last)
    return True
