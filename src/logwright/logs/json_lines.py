"""JSON lines: one record per line as columns, by Arrow's JSON reader.

A block's lines that look like objects are read as columns at once. Where that fails (types that
mix, a broken line), the block is halved until the pieces that fail are small, and those are read
line by line. A line that is not JSON is its own message, and `text` says so (a file may mix the
two). Where records name the template they were made from (OpenTelemetry's `log.record.template`),
it comes along, for a shape that needs no guessing. Every line in is one row out, in order.

Left out: records that span lines, several records in a line (taken as text), JSON arrays.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, Block, Int32s, Int64s, Note
from logwright.logs.json_keys import find_keys, level_name
from logwright.logs.json_records import Path, as_bytes, as_text, flatten, load_object, lookup
from logwright.logs.json_times import number_times, text_times

__all__ = ["Coded", "JsonColumns", "JsonLines"]

_TEMPLATE = "log.record.template"
_SMALL = 256  # lines; a piece of this size that Arrow refuses is read line by line
_COLUMN = {"text": pa.string(), "whole": pa.int64(), "decimal": pa.float64()}
_NEWLINE, _ENDS = re.compile(rb"\r?\n"), re.compile(rb"[\r\n]+\Z")
# Two objects in one line would shift the rows after them. Arrow takes comments for space.
_TWO_OBJECTS = re.compile(rb"\}[ \t\r]*[{/]")


class Coded(NamedTuple):
    """A column of few distinct values: `values[codes[row]]`, code -1 where absent."""

    codes: Int32s
    values: list[bytes]


@dataclass(slots=True)
class JsonColumns:
    """One block's records, one row per line of the block.

    `buf` holds the messages, each ended by a newline; `start` and `end` are byte positions in it. A
    newline inside a message is the two characters ``\\n``. `ts` is nanoseconds since 1970 UTC,
    `NO_TIME` where absent. `offset` and `line_no` locate the record's line in the source. `text`
    marks lines that are not JSON. `template`, where records name one, is the text that the shape is
    to be made from, per row (the message where a record names none): a buffer, starts and ends.
    """

    buf: bytes
    start: Int64s
    end: Int64s
    ts: Int64s
    level: Coded
    host: Coded
    component: Coded
    offset: Int64s
    line_no: Int64s
    text: NDArray[np.bool_]
    template: tuple[bytes, Int64s, Int64s] | None


@dataclass(slots=True)
class _Rows:
    """Columns of some of the lines; all have one entry per line."""

    message: pa.Array
    ts: Int64s
    level: pa.Array
    host: pa.Array
    component: pa.Array
    template: pa.Array
    text: NDArray[np.bool_]


class JsonLines:
    """Reads blocks of JSON lines; the keys are found in `samples`, some of its lines.

    `keys` are the keys, `reason` says which and why; `zone` is that of times which name none.

    >>> lines = JsonLines([b'{"time": "2024-05-01T12:00:00Z", "level": "info", "msg": "a b"}'])
    >>> lines.reason
    "JSON lines: message 'msg', time 'time' (text), level 'level'"
    >>> found = lines.columns(Block(b'{"msg": "x\\\\ny", "level": "warn"}\\nnot JSON\\n', 0, 0, 1))
    >>> found.buf, found.level.values, found.level.codes.tolist()
    (b'x\\\\ny\\nnot JSON\\n', [b'warn'], [0, -1])
    """

    def __init__(self, samples: Sequence[bytes], zone: str = "UTC"):
        self.keys = find_keys(samples, zone)
        self.reason = self.keys.reason
        self.not_json = 0
        self._zone = zone
        keys = self.keys
        kinds = [
            (keys.message, "text"),
            (keys.time, keys.time_kind),
            (keys.level, keys.level_kind),
            (keys.host, "text"),
            (keys.component, "text"),
        ]
        self._template = _template_path(samples)
        kinds.append((self._template, "text"))
        self._used = {path for path, _ in kinds if path}
        # Arrow names no column that is not UTF-8: such records are read line by line.
        self._columnar = bool(self._used) and all(map(_is_utf8, self._used))
        columns = [(path, _COLUMN[kind]) for path, kind in kinds if path and self._columnar]
        self._schema = _schema(columns)

    def notes(self, source: str) -> list[Note]:
        """What a person should know about the blocks read so far."""
        if not self.not_json:
            return []
        lines = "1 line is" if self.not_json == 1 else f"{self.not_json:,} lines are"
        return [Note(source, f"{lines} not JSON: taken as text")]

    def names(self, line: bytes) -> tuple[bytes, bytes] | None:
        """The host and the component of one line, empty where it has none; None where it is not
        JSON."""
        record = load_object(line)
        if record is None:
            return None
        host, component = (_label(record, path) for path in (self.keys.host, self.keys.component))
        return host or b"", component or b""

    def message(self, line: bytes) -> bytes | None:
        """The message of one line, as `columns` has it; None where the line is not JSON.

        >>> JsonLines([b'{"msg": "a b"}']).message(b'{"msg": "x\\\\ty\\\\nz"}')
        b'x\\ty\\\\nz'
        """
        record = load_object(line)
        if record is None:
            return None
        return _NEWLINE.sub(rb"\\n", _ENDS.sub(b"", self._told(record)))

    def columns(self, block: Block) -> JsonColumns:
        """The records of `block`."""
        start, end = _lines(block.buf)
        count = len(start)
        chars = np.frombuffer(block.buf, np.uint8)
        filled = np.flatnonzero(end > start)
        like = (chars[start[filled]] == ord("{")) & (chars[end[filled] - 1] == ord("}"))
        fast = filled[like]
        slow = np.setdiff1d(np.arange(count), fast, assume_unique=True)
        if len(slow):
            data, first, last = _gather(block.buf, start, end, fast)
        else:
            data, first, last = block.buf, start, end
        # A NUL ends the text for Arrow.
        odd = b"\0" in data or _TWO_OBJECTS.search(data) is not None
        pieces = self._fast(memoryview(data), first, last, odd)
        if len(slow):
            pieces.append(self._slow([block.buf[start[i] : end[i]] for i in slow]))
        back = np.argsort(np.concatenate([fast, slow]))
        message = pa.concat_arrays([piece.message for piece in pieces]).take(pa.array(back))
        buf, begin, stop = _joined(message)
        template = None
        if self._template is not None:
            named = pa.concat_arrays([piece.template for piece in pieces]).take(pa.array(back))
            template = _joined(pc.coalesce(named, message))

        def coded(arrays: list[pa.Array]) -> Coded:
            found = pa.concat_arrays(arrays).dictionary_encode()
            codes = pc.fill_null(found.indices, -1).to_numpy().astype(np.int32)
            return Coded(codes[back], found.dictionary.to_pylist())

        level = coded([piece.level for piece in pieces])
        names = [level_name(value, self.keys.level) for value in level.values]
        return JsonColumns(
            buf=buf,
            start=begin,
            end=stop,
            ts=np.concatenate([piece.ts for piece in pieces])[back],
            level=Coded(level.codes, names),
            host=coded([piece.host for piece in pieces]),
            component=coded([piece.component for piece in pieces]),
            offset=start + block.offset,
            line_no=np.arange(block.line_no, block.line_no + count, dtype=np.int64),
            text=np.concatenate([piece.text for piece in pieces])[back],
            template=template,
        )

    def _fast(self, data: memoryview, start: Int64s, end: Int64s, odd: bool) -> list[_Rows]:
        """Rows of lines that look like objects: as columns, or halved until that works.

        `odd` says that some line may hold something that shifts Arrow's rows.
        """
        if not len(start):
            return [self._slow([])]
        piece = data[int(start[0]) : int(end[-1])]
        if odd:
            odd = b"\0" in bytes(piece) or _TWO_OBJECTS.search(piece) is not None
        if self._columnar and not odd:
            try:
                return [self._read(piece, data, start, end)]
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
                pass  # types that mix, or a line that is broken
        if len(start) <= _SMALL:
            return [self._slow([bytes(data[a:b]) for a, b in zip(start, end, strict=True)])]
        half = len(start) // 2
        return [
            *self._fast(data, start[:half], end[:half], odd),
            *self._fast(data, start[half:], end[half:], odd),
        ]

    def _read(self, piece: memoryview, data: memoryview, start: Int64s, end: Int64s) -> _Rows:
        table = pj.read_json(
            pa.BufferReader(pa.py_buffer(piece)),
            # One piece, so that no line is too long for it; one core, as blocks are the unit.
            read_options=pj.ReadOptions(use_threads=False, block_size=len(piece) + 1),
            parse_options=pj.ParseOptions(
                explicit_schema=self._schema, unexpected_field_behavior="ignore"
            ),
        )
        if table.num_rows != len(start):
            raise pa.ArrowInvalid("several objects in a line")
        keys = self.keys
        none = pa.nulls(len(start), pa.binary())
        message = _column(table, keys.message)
        message = none if message is None else message.cast(pa.binary())
        text_rows = np.zeros(len(start), bool)
        if message.null_count:
            absent = np.flatnonzero(message.is_null().to_numpy(zero_copy_only=False))
            lines = [bytes(data[start[i] : end[i]]) for i in absent]
            found = [self._without_message(line) for line in lines]
            text_rows[absent] = [text is None for text in found]
            whole = [
                line if text is None else text for line, text in zip(lines, found, strict=True)
            ]
            texts = pa.array(whole, pa.binary())
            message = pc.replace_with_mask(message, message.is_null(), texts)
        time = _column(table, keys.time)
        if time is None:
            ts = np.full(len(start), NO_TIME, np.int64)
        elif pa.types.is_string(time.type):
            ts = text_times(time, self._zone)
        else:
            ts = number_times(pc.fill_null(time, 0).to_numpy())

        def text(path: Path | None) -> pa.Array:
            column = _column(table, path)
            if column is None:
                return none
            return column.cast(pa.string()).cast(pa.binary())

        level, host, component = text(keys.level), text(keys.host), text(keys.component)
        return _Rows(message, ts, level, host, component, text(self._template), text_rows)

    def _slow(self, lines: list[bytes]) -> _Rows:
        """Rows of any lines, one by one."""
        keys = self.keys
        message: list[bytes] = []
        texts: list[str | None] = []
        numbers: list[float | int] = []
        labels: tuple[list[bytes | None], ...] = ([], [], [], [])
        paths = (keys.level, keys.host, keys.component, self._template)
        is_text = np.zeros(len(lines), bool)
        for row, line in enumerate(lines):
            record = load_object(line)
            if record is None:
                self.not_json += bool(line.strip())
                is_text[row] = True
                message.append(line)
                record = {}
            else:
                message.append(self._told(record))
            time = lookup(record, keys.time)
            texts.append(_readable(time) if isinstance(time, str) else None)
            usable = isinstance(time, int | float) and abs(time) < 9.2e18
            numbers.append(time if usable else 0)
            for column, path in zip(labels, paths, strict=True):
                column.append(_label(record, path))
        ts = text_times(pa.array(texts, pa.string()), self._zone)
        # Two columns: nanoseconds do not survive as decimals.
        for kind in (int, float):
            chosen = [number if type(number) is kind else 0 for number in numbers]
            of_numbers = number_times(np.array(chosen, kind))
            ts = np.where(of_numbers == NO_TIME, ts, of_numbers)
        level, host, component, template = (pa.array(column, pa.binary()) for column in labels)
        texts_of = pa.array(message, pa.binary())
        return _Rows(texts_of, ts, level, host, component, template, is_text)

    def _without_message(self, line: bytes) -> bytes | None:
        """The message of an object that Arrow could read; None where Python gives up on it (deep
        nesting), which makes it text."""
        record = load_object(line)
        if record is None:
            self.not_json += 1
            return None
        return as_bytes(self._rest(record))

    def _told(self, record: dict[str, Any]) -> bytes:
        """The message of a record, with its newlines."""
        value = lookup(record, self.keys.message)
        return as_bytes(self._rest(record) if value is None else as_text(value))

    def _rest(self, record: dict[str, Any]) -> str:
        """The scalars that no role took, as the message of a record that has none."""
        found = [
            (".".join(path), value)
            for path, value in flatten(record)
            if path not in self._used and value is not None
        ]
        return " ".join(
            f"{key}={as_text(value)}" for key, value in sorted(found, key=lambda f: f[0])
        )


def _label(record: dict[str, Any], path: Path | None) -> bytes | None:
    value = lookup(record, path)
    usable = value is not None and not isinstance(value, dict | list)
    return as_bytes(as_text(value)) if usable else None


def _is_utf8(path: Path) -> bool:
    return all(part.encode("utf-8", "ignore").decode() == part for part in path)


def _template_path(samples: Sequence[bytes]) -> Path | None:
    """Where records name their template, as OpenTelemetry has it."""
    for record in filter(None, map(load_object, samples)):
        for path, value in flatten(record):
            if ".".join(path).lower().endswith(_TEMPLATE) and isinstance(value, str):
                return path
    return None


def _schema(columns: list[tuple[Path, pa.DataType]]) -> pa.Schema:
    """The nested schema of some paths; none of them leads through another."""
    fields: dict[str, list[tuple[Path, pa.DataType]]] = {}
    for path, kind in columns:
        fields.setdefault(path[0], []).append((path[1:], kind))

    def field(name: str, below: list[tuple[Path, pa.DataType]]) -> pa.Field:
        if below[0][0] == ():
            return pa.field(name, below[0][1])
        return pa.field(name, pa.struct(list(_schema(below))))

    return pa.schema([field(name, below) for name, below in fields.items()])


def _column(table: pa.Table, path: Path | None) -> pa.Array | None:
    if path is None:
        return None
    column = table.column(path[0]).combine_chunks()
    for name in path[1:]:
        column = pc.struct_field(column, [column.type.get_field_index(name)])
    return column


def _lines(buf: bytes) -> tuple[Int64s, Int64s]:
    newline = np.flatnonzero(np.frombuffer(buf, np.uint8) == 10)
    start = np.concatenate([[0], newline + 1])
    end = np.concatenate([newline, [len(buf)]])
    if start[-1] == len(buf):
        start, end = start[:-1], end[:-1]
    chars = np.frombuffer(buf, np.uint8)
    end = end - ((end > start) & (chars[end - 1] == 13)) if len(end) else end
    return start.astype(np.int64), end.astype(np.int64)


def _gather(buf: bytes, start: Int64s, end: Int64s, rows: Int64s) -> tuple[bytes, Int64s, Int64s]:
    """The lines `rows` alone, with their positions."""
    data = b"\n".join([buf[a:b] for a, b in zip(start[rows], end[rows], strict=True)])
    size = end[rows] - start[rows]
    first = np.concatenate([[0], np.cumsum(size + 1)[:-1]]).astype(np.int64)[: len(rows)]
    return data, first, first + size


def _joined(message: pa.Array) -> tuple[bytes, Int64s, Int64s]:
    """All messages in one buffer, each one line; and where each is."""
    if pc.any(pc.match_substring_regex(message, r"[\r\n]")).as_py():
        message = pc.replace_substring_regex(message, r"[\r\n]+$", "")
        message = pc.replace_substring_regex(message, r"\r?\n", r"\\n")
    size = pc.binary_length(message).to_numpy().astype(np.int64)
    ended = pa.concat_arrays([message, pa.array([b""], pa.binary())])
    whole = pa.ListArray.from_arrays(pa.array([0, len(ended)], pa.int32()), ended)
    buf = pc.binary_join(whole, b"\n")[0].as_py()
    stop = np.cumsum(size + 1) - 1
    return buf, stop - size, stop


def _readable(text: str) -> str:
    return text if text.isascii() else ""  # a time is ASCII; Arrow takes no surrogates
