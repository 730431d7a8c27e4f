"""Texts: a recording without an end. It holds the texts of the rows that somebody may still cite.

Texts are kept in packed segments. `keep` is told now and then which rows are still wanted: a
segment of which less than half is wanted is packed anew, so that memory and time are in proportion
to what is wanted and to what comes. That is done while further rows come, a little with each, so
that none of them waits for long. Where even that is more than `most` bytes, the oldest texts are
let go: of each such row its place stays, and the `digest` that findings are named by.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logwright.logs.batch import Int64s, LineBatch
from logwright.logs.recording import TEXT_LIMIT, Place, Recording
from logwright.snapshot import State, join, part

__all__ = ["Texts"]

_SEGMENT = 256 << 10
_FRAME = 16 << 10
"""Bytes that are packed together: as much is unpacked for one line that is cited."""

_SLACK = 65_536  # rows
_ROWS_A_SEGMENT = 100
"""For so many rows that come, one segment is tidied: faster than they can become segments."""

_LONGEST = 64 << 10
"""Bytes of a record that are held once its segment is packed anew."""

_MOST = 512 << 20
_COLUMNS = ("row", "line_no", "offset", "begin", "size", "joined", "digest")
_NO_COLUMNS = {name: np.empty(0, np.int64) for name in _COLUMNS}
_CODEC = pa.Codec("lz4_raw") if pa.Codec.is_available("lz4_raw") else pa.Codec("lz4")


@dataclass(slots=True, eq=False)
class _Segment:
    """Some records: `columns` say where each stands in the source, and in the text; `text` is
    packed where `raw` is 0 or more, which is its size then; None where it was let go."""

    columns: dict[str, Int64s]
    text: bytes | None
    raw: int = -1
    _ends: list[int] | None = None  # of the frames, the begin of the first one before them

    @property
    def rows(self) -> Int64s:
        return self.columns["row"]

    @property
    def held(self) -> int:
        return 0 if self.text is None else len(self.text)

    def unpacked(self) -> bytes:
        """The whole text."""
        return self.part(0, -(-self.raw // _FRAME))

    def part(self, first: int, stop: int) -> bytes:
        """Some frames of the text, of `_FRAME` bytes each; all of it where it is not packed."""
        assert self.text is not None
        if self.raw < 0:
            return self.text
        if self._ends is None:
            count = -(-self.raw // _FRAME)
            sizes = np.frombuffer(self.text, "<u4", count)
            self._ends = [4 * count, *(4 * count + np.cumsum(sizes, dtype=np.int64)).tolist()]
        ends, whole = self._ends, memoryview(self.text)
        frames = [
            _CODEC.decompress(
                whole[ends[at] : ends[at + 1]], min(self.raw - at * _FRAME, _FRAME), asbytes=True
            )
            for at in range(first, min(stop, len(ends) - 1))
        ]
        return frames[0] if len(frames) == 1 else b"".join(frames)

    def packed(self) -> None:
        """Pack the text, frame by frame: the sizes of the frames, then the frames."""
        if self.text is not None and self.raw < 0:
            self.raw, whole = len(self.text), memoryview(self.text)
            parts = (whole[at : at + _FRAME] for at in range(0, self.raw, _FRAME))
            frames = [_CODEC.compress(part, asbytes=True) for part in parts]
            sizes = np.array([len(frame) for frame in frames], "<u4").tobytes()
            self.text = b"".join((sizes, *frames))

    def some(self, which: NDArray[np.bool_]) -> _Segment:
        """Some of the records, not packed, with no text but theirs."""
        columns = {name: column[which] for name, column in self.columns.items()}
        if self.text is None:
            return _Segment(columns, None)
        text = np.frombuffer(self.unpacked(), np.uint8)
        size = np.minimum(columns["size"], _LONGEST)
        begin = np.cumsum(size) - size
        at = np.arange(int(size.sum())) + np.repeat(columns["begin"] - begin, size)
        columns |= {"begin": begin, "size": size}
        return _Segment(columns, text[at].tobytes())


def _together(segments: list[_Segment]) -> _Segment:
    """Several that are not packed as one."""
    if len(segments) == 1:
        return segments[0]
    texts = [segment.text or b"" for segment in segments]
    begins = np.cumsum([0, *map(len, texts[:-1])])
    columns = {
        name: np.concatenate([segment.columns[name] for segment in segments]) for name in _COLUMNS
    }
    columns["begin"] += np.repeat(begins, [len(segment.rows) for segment in segments])
    return _Segment(columns, b"".join(texts))


@dataclass(slots=True)
class _More:
    """Lines of later blocks that continue a record."""

    lines: int = 0
    text: bytearray = field(default_factory=bytearray)


class Texts(Recording):
    """The rows of a run without an end, after those of `past`, if there is one; all of one source.

    `digest` gives 8 bytes that stand for a text, cut at `text_limit`, once it is let go; `most` are
    the bytes held, packed.
    """

    def __init__(
        self,
        text_limit: int = TEXT_LIMIT,
        past: Recording | None = None,
        digest: Callable[[bytes], bytes] = lambda text: bytes(8),
        most: int = _MOST,
    ) -> None:
        super().__init__([None], keep_columns=False, text_limit=text_limit)
        self.rows = 0 if past is None else past.rows
        self.let_go = 0  # texts that were wanted
        self._past, self._limit, self._digest, self._most = past, text_limit, digest, most
        self._past_rows = self.rows
        self._segments: list[_Segment] = []  # in order of their rows
        self._fresh: list[_Segment] = []  # not packed yet
        self._fresh_bytes = self._held_rows = 0
        self._wanted = np.empty(0, np.int64)
        self._tidied = self._untidy = (
            0  # of the segments, which ones `keep` has still to go through
        )
        self._more: dict[int, _More] = {}
        self._last_row = -1
        self._open: tuple[_Segment | None, int, int, bytes] = (None, 0, 0, b"")

    @property
    def is_full(self) -> bool:
        """Whether it is time to `keep`."""
        over = self._held_rows > 2 * len(self._wanted) + _SLACK
        return over and self._tidied == self._untidy

    def append(self, batch: LineBatch) -> Int64s:
        """Take a batch; gives the global rows of its records."""
        n, first = len(batch), self.rows
        rows = np.arange(first, first + n, dtype=np.int64)
        text = batch.buf if batch.source_text is None else batch.source_text
        begin = batch.offset - batch.base
        if batch.carried and self._last_row >= 0:
            carried = text[: int(begin[0]) if n else len(text)]
            more = self._more.setdefault(self._last_row, _More())
            more.lines += batch.carried
            more.text += carried[: max(2 * self._limit - len(more.text), 0)]
        if not n:
            return rows
        joined = np.zeros(n, np.int64) if batch.joined is None else batch.joined.astype(np.int64)
        columns = {
            "row": rows,
            "line_no": batch.line_no,
            "offset": batch.offset,
            "begin": begin,
            "size": np.diff(begin, append=len(text)),
            "joined": joined,
            "digest": np.zeros(n, np.int64),
        }
        self._fresh.append(_Segment(columns, text))
        self._fresh_bytes += len(text)
        self._held_rows += n
        self._last_row = first + n - 1
        self.rows += n
        if self._fresh_bytes > _SEGMENT:
            self._pack()
        self._tidy(1 + n // _ROWS_A_SEGMENT)
        return rows

    def _pack(self) -> None:
        if self._fresh:
            segment = _together(self._fresh)
            segment.packed()
            self._segments.append(segment)
        self._fresh, self._fresh_bytes = [], 0

    def keep(self, wanted: Int64s) -> None:
        """Let go all rows but these, which are sorted: bit by bit, as further ones come."""
        self._pack()
        if self._past is not None and not (wanted < self._past_rows).any():
            self._past.close()
            self._past = None
        if self._more:
            held = {*wanted.tolist(), self._last_row}
            self._more = {row: more for row, more in self._more.items() if row in held}
        self._wanted, self._tidied, self._untidy = wanted, 0, len(self._segments)

    def _tidy(self, segments: int) -> None:
        """Go on through what `keep` was told of, by so many segments."""
        while segments > 0 and self._tidied < self._untidy:
            segments -= self._tidy_some(segments)
            if self._tidied == self._untidy:
                self._let_go()

    def _tidy_some(self, most: int) -> int:
        """Go through segments until one that stays, or has become one of several, is behind them;
        gives how many they were."""
        begin = at = self._tidied
        pieces: list[_Segment] = []
        room, stop = _SEGMENT, min(begin + most, self._untidy)
        while at < stop and room > 0:
            segment = self._segments[at]
            rows = segment.rows
            a, b = np.searchsorted(self._wanted, (rows[0], rows[-1] + 1))
            mine = self._wanted[a:b]
            stays = 2 * len(mine) > len(rows) and 2 * segment.held > _SEGMENT // 8
            if pieces and (stays or segment.text is None):
                break
            at += 1
            if stays:
                pieces, room = [segment], 0
            elif len(mine):
                piece = segment.some(np.isin(rows, mine, assume_unique=True))
                pieces.append(piece)
                room = 0 if piece.text is None else room - len(piece.text)
        together = [_together(pieces)] if pieces else []
        for segment in together:
            segment.packed()
        before = sum(len(segment.rows) for segment in self._segments[begin:at])
        self._held_rows += sum(len(segment.rows) for segment in together) - before
        self._segments[begin:at] = together
        self._tidied += len(together)
        self._untidy += len(together) - (at - begin)
        return at - begin

    def _let_go(self) -> None:
        """Let go the oldest texts where there are too many."""
        over = sum(segment.held for segment in self._segments) - self._most
        for segment in self._segments:
            if over <= 0:
                return
            if segment.text is None:
                continue
            over -= segment.held
            text, columns = segment.unpacked(), segment.columns
            pairs = zip(columns["begin"].tolist(), columns["size"].tolist(), strict=True)
            marks = [self._digest(self._line(text[a : a + n], self._limit)) for a, n in pairs]
            columns["digest"] = np.frombuffer(b"".join(marks), np.int64).copy()
            segment.text, segment.raw, segment._ends = None, -1, None
            self.let_go += len(marks)

    @staticmethod
    def _line(text: bytes, limit: int) -> bytes:
        return text.partition(b"\n")[0].removesuffix(b"\r")[:limit]

    def place(self, row: int, limit: int | None = None) -> Place:
        """Where a row stands; line 0 with no text where nothing is known of it any more."""
        if row < self._past_rows:
            return Place(0, 0, 0, b"") if self._past is None else self._past.place(row, limit)
        segments = self._segments
        if self._fresh and row >= int(self._fresh[0].rows[0]):
            segments = self._fresh
        number = bisect.bisect_right(segments, row, key=lambda s: int(s.rows[0])) - 1
        if number < 0:
            return Place(0, 0, 0, b"")
        segment = segments[number]
        at = int(np.searchsorted(segment.rows, row))
        if at == len(segment.rows) or segment.rows[at] != row:
            return Place(0, 0, 0, b"")
        line_no, offset, begin, size, joined, digest = (
            int(segment.columns[name][at]) for name in _COLUMNS[1:]
        )
        if segment.text is None:
            return Place(0, line_no, offset, b"", digest=digest.to_bytes(8, "little", signed=True))
        text = self._cut(segment, begin, size)
        limit = self._limit if limit is None else limit
        more = self._more.get(row)
        if more is not None:
            text, joined = text + bytes(more.text), joined + more.lines
        head, *rest = text[: limit + self._limit * bool(joined)].split(b"\n", joined + 1)
        further = tuple(line.removesuffix(b"\r") for line in rest[:joined])
        return Place(0, line_no, offset, head.removesuffix(b"\r")[:limit], further)

    def _cut(self, segment: _Segment, begin: int, size: int) -> bytes:
        """Some bytes of a segment's text."""
        if segment.raw < 0:
            assert segment.text is not None
            return segment.text[begin : begin + size]
        first, stop = begin // _FRAME, -(-(begin + size) // _FRAME)
        if self._open[:3] != (segment, first, stop):
            self._open = segment, first, stop, segment.part(first, stop)
        return self._open[3][begin - first * _FRAME :][:size]

    def close(self) -> None:
        """Let everything go."""
        if self._past is not None:
            self._past.close()
        self._segments, self._fresh, self._open = [], [], (None, 0, 0, b"")
        super().close()

    def paused(self) -> State:
        """All rows that are held. To be called after `keep`."""
        self._tidy(self._untidy)
        self._pack()
        segments = self._segments
        columns = {
            name: np.concatenate([_NO_COLUMNS[name], *(s.columns[name] for s in segments)])
            for name in _COLUMNS
        }
        sizes, texts = join([segment.text or b"" for segment in segments])
        table: dict[str, NDArray[Any]] = {
            "rows": np.array([len(segment.rows) for segment in segments], np.int64),
            "size": sizes,
            "raw": np.array([segment.raw for segment in segments], np.int64),
            "held": np.array([segment.text is not None for segment in segments], bool),
        }
        more = {str(row): [m.lines, m.text.decode("latin-1")] for row, m in self._more.items()}
        meta = {"rows": self.rows, "last": self._last_row, "let_go": self.let_go, "more": more}
        return State(meta, {"rows": columns, "segments": table}, {"texts": texts})

    def resume(self, state: State) -> None:
        """Go on from there."""
        columns, table = state.tables["rows"], state.tables["segments"]
        texts = part(table["size"], state.files["texts"])
        begin = 0
        for at, text in enumerate(texts):
            stop = begin + int(table["rows"][at])
            own = {name: columns[name][begin:stop].astype(np.int64) for name in _COLUMNS}
            held = text if table["held"][at] else None
            self._segments.append(_Segment(own, held, int(table["raw"][at])))
            begin = stop
        if begin != len(columns["row"]) or (np.diff(columns["row"]) <= 0).any():
            raise ValueError("rows of texts are not in order")
        self.rows, self._last_row = int(state.meta["rows"]), int(state.meta["last"])
        self.let_go = int(state.meta["let_go"])
        self._held_rows, self._wanted = begin, columns["row"]
        for row, (lines, more) in state.meta["more"].items():
            self._more[int(row)] = _More(int(lines), bytearray(more.encode("latin-1")))
