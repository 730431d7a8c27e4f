"""Labelled lines: a raw log as columns with what its labels say of each record, cut by time first.

A record's label never reaches its shape: `read_lines` hides it with the setting `label_prefix`.
Templates are learned from the lines of a part (`learn_templates`) and windows are made from the
lines of a part (`windows_of`), so that nothing crosses from one part into another.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.bench.raw import raw_numbers
from logwright.errors import InputError
from logwright.logs.batch import NO_TIME, Int8s, Int32s, Int64s
from logwright.logs.coder import BLANK
from logwright.logs.reader import Reader
from logwright.logs.sources import open_sources
from logwright.settings import Settings
from logwright.templates.miner import Miner
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.plan import parse_window
from logwright.windows.tumbling import TimeWindows, fill_times
from logwright.windows.window import Events, Windows

__all__ = [
    "SESSION",
    "LabelledLines",
    "learn_templates",
    "parsed_rows",
    "read_lines",
    "windows_of",
]

Bools = NDArray[np.bool_]

SESSION = "session"
"""The window that is a session: all lines of one key."""

_NORMAL_LABEL = b"-"
_COLUMNS = ("shape", "ts", "level", "session", "line_no", "label", "source", "joined", "raw")


@dataclass(frozen=True, slots=True)
class LabelledLines:
    """Records in order of time. `kind` is a code into `kinds`, whose first is "" (normal);
    `session` a code into `sessions`, -1 for none; `joined` counts the lines that continue a record.
    `keys` and `contents` are those of each shape code: its key, and the first line that had it.
    `raw` is a number per record by its content's bytes, where it has no time by which it could be
    told from others, and 0 elsewhere; an empty column where nobody asks."""

    shape: Int32s
    ts: Int64s
    level: Int8s
    session: Int32s
    source: Int32s
    line_no: Int64s
    truth: Bools
    kind: Int32s
    keys: NDArray[np.uint64]
    contents: Sequence[bytes]
    kinds: Sequence[str] = ("",)
    sessions: Sequence[str] = ()
    corrected: Bools | None = None
    joined: Int32s = field(default_factory=lambda: np.empty(0, np.int32))
    notes: Sequence[str] = ()
    raw: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))

    def __len__(self) -> int:
        return len(self.shape)

    def take(self, rows: Int64s) -> LabelledLines:
        """The same log with other rows, or another order of them."""
        return dataclasses.replace(
            self,
            **{
                name: getattr(self, name)[rows]
                for name in ("shape", "ts", "level", "session", "source", "line_no")
            },
            truth=self.truth[rows],
            kind=self.kind[rows],
            corrected=None if self.corrected is None else self.corrected[rows],
            joined=self.joined[rows],
            raw=self.raw[rows],
        )

    def by_time(self) -> LabelledLines:
        """In order of time where several sources were read; a line without one has that of the line
        before it in its source, or of the first one that has."""
        filled = np.empty(len(self), np.int64)
        for source in np.unique(self.source).tolist():
            mine = self.source == source
            timed = self.ts[mine & (self.ts != NO_TIME)]
            filled[mine] = fill_times(self.ts[mine], int(timed[0]) if len(timed) else NO_TIME)
        return self.take(np.argsort(filled, kind="stable"))

    def units(self, window: str) -> int:
        """How many sessions (window "session") or lines there are to cut at."""
        return len(self._first_rows()) if window == SESSION else len(self)

    def _first_rows(self) -> Int64s:
        """The first row of each session that has one, in order of time."""
        held = np.flatnonzero(self.session >= 0)
        _, first = np.unique(self.session[held], return_index=True)
        return np.sort(held[first])

    def rows(self, begin: int, end: int, window: str) -> Int64s:
        """The rows of the units from `begin` up to `end`: lines, or all lines of whole sessions in
        the order in which sessions begin."""
        if window != SESSION:
            return np.arange(max(begin, 0), min(end, len(self)), dtype=np.int64)
        chosen = np.zeros(len(self.sessions) + 1, bool)  # the last one is that of no session
        chosen[self.session[self._first_rows()[begin:end]]] = True
        return np.flatnonzero(chosen[self.session]).astype(np.int64)

    def after_gap(self, at: int, window: str) -> int:
        """The unit from which on nothing lies within one window of what comes before unit `at`."""
        if window == SESSION:
            return at + 1
        kind, size, _ = parse_window(window)
        if kind == "count" or at <= 0:
            return min(at + size, len(self)) if kind == "count" else at
        newest = np.maximum.accumulate(fill_times(self.ts, NO_TIME))
        return max(int(np.searchsorted(newest, newest[at - 1] + size, side="right")), at)


def read_lines(
    paths: Sequence[str], settings: Settings, most: int | None = None, by_time: bool = False
) -> LabelledLines:
    """Read a log as the product does; with `label_prefix` a line's first token is its label ("-" is
    normal, all else names an alert). `most`: records to read at most, from the beginning.

    >>> import tempfile, pathlib
    >>> log = pathlib.Path(tempfile.mkdtemp(), "a.log")
    >>> _ = log.write_text("- all is well\\nDISK disk 7 failed\\n- all is well\\n")
    >>> lines = read_lines([str(log)], Settings(label_prefix=True, session="none"))
    >>> lines.truth.tolist(), [lines.kinds[k] for k in lines.kind], lines.contents[lines.shape[1]]
    ([False, True, False], ['', 'DISK', ''], b'disk 7 failed')
    """
    reader = Reader(open_sources(paths, settings), settings)
    columns: dict[str, list[NDArray[Any]]] = {name: [] for name in _COLUMNS}
    contents: dict[int, bytes] = {}
    sessions: list[str] = []
    held = 0
    for batch in reader.batches():
        new = reader.take_shapes()
        for code, content in zip(new.codes.tolist(), new.contents, strict=True):
            # Only the first line of a shape: further ones may lie in a later part of the log.
            contents.setdefault(code, content)
        joined = batch.joined if batch.joined is not None else np.zeros(len(batch), np.int32)
        if reader.session is not None:
            fresh = np.flatnonzero(batch.session >= len(sessions))
            codes, first = np.unique(batch.session[fresh], return_index=True)
            for code, row in zip(codes.tolist(), fresh[first].tolist(), strict=True):
                key = reader.session.key_of(batch.content(row)) or b""
                sessions += [""] * (code - len(sessions))  # codes of what was no key after all
                sessions.append(key.decode("utf-8", "backslashreplace"))
        given: dict[str, NDArray[Any]] = {
            "source": np.full(len(batch), batch.source_id, np.int32),
            "joined": joined,
            "raw": raw_numbers(batch),
        }
        for column, values in columns.items():
            values.append(given[column] if column in given else getattr(batch, column))
        held += len(batch)
        if most is not None and held >= most:
            break
    if not held:
        raise InputError(f"{', '.join(paths[:3])} holds no lines")
    whole = {column: np.concatenate(values)[:most] for column, values in columns.items()}
    label = whole.pop("label").astype(np.int32)
    normal = np.array([value == _NORMAL_LABEL for value in reader.labels.values] + [True])
    names = ["", *(v.decode("utf-8", "backslashreplace") for v in reader.labels.values)]
    truth = ~normal[label]
    size = int(whole["shape"].max()) + 1
    result = LabelledLines(
        truth=truth,
        kind=np.where(truth, label + 1, 0).astype(np.int32),
        keys=reader.shapes.keys(np.arange(size, dtype=np.int32)),
        contents=[contents.get(code, b"") for code in range(size)],
        kinds=names,
        sessions=sessions,
        notes=list(dict.fromkeys(note.text for note in reader.notes)),
        **whole,
    )
    return result.by_time() if by_time else result


def learn_templates(lines: LabelledLines, rows: Int64s) -> Vocabulary:
    """Templates learned from some rows alone; all other shapes of the log are then met as the
    product meets them: each is looked at by itself, and changes nothing."""
    codes = _codes(lines.shape[rows])
    miner = Miner()
    miner.add(lines.keys[codes], [lines.contents[code] for code in codes.tolist()])
    vocabulary = Vocabulary(miner, miner.group())
    vocabulary.learn_shapes(codes, lines.keys[codes])
    rest = np.setdiff1d(_codes(lines.shape), codes, assume_unique=True)
    vocabulary.meet_shapes(rest, lines.keys[rest], [lines.contents[code] for code in rest.tolist()])
    return vocabulary


def parsed_rows(lines: LabelledLines, rows: Int64s, codes: Int32s) -> Int64s:
    """The lines that a parser has read which was given `rows` and knows these shapes: `rows`, and
    all lines of shapes that none of them has. It is told by what was learned, not by what was
    given, so that a parser that reads more than it should is found out."""
    extra = np.setdiff1d(codes, np.append(_codes(lines.shape[rows]), BLANK))
    return (
        np.concatenate((rows, np.flatnonzero(np.isin(lines.shape, extra)))) if len(extra) else rows
    )


def _codes(shapes: Int32s) -> Int32s:
    """The codes that occur, without that of blank lines. They are dense, so counting beats
    `np.unique` by far."""
    counts = np.bincount(shapes)
    counts[BLANK : BLANK + 1] = 0
    codes: Int32s = np.flatnonzero(counts).astype(np.int32)
    return codes


def windows_of(
    lines: LabelledLines, rows: Int64s, window: str, vocabulary: Vocabulary | None = None
) -> tuple[Windows, Bools, list[str], Bools | None]:
    """The windows of some rows with their truth, kind and corrected truth: a window is abnormal
    where one of its lines is, and has the kind that most of these have (the earlier one of two).

    `window`: lines ("20"), a time ("1h"), or "session". Without a vocabulary, templates are shape
    codes. Sessions come in the order in which they begin, as published sets have them.
    """
    rows = rows[lines.shape[rows] != BLANK]
    shape = lines.shape[rows]
    events = Events(
        shape if vocabulary is None else vocabulary.of(shape),
        lines.ts[rows],
        lines.level[rows],
        lines.session[rows],
        rows,
    )
    windows = _sessions(events) if window == SESSION else _cut(events, window)
    at = windows.events.row
    truth = _any(windows, lines.truth[at])
    corrected = None if lines.corrected is None else _any(windows, lines.corrected[at])
    return windows, truth, _kinds(windows, lines.kind[at], lines.kinds), corrected


def _cut(events: Events, window: str) -> Windows:
    kind, size, step = parse_window(window)
    if size != step:
        raise InputError(f"window {window}: windows that overlap would share lines")
    if kind == "time":
        if not (events.ts != NO_TIME).any():
            raise InputError(f"window {window}: the log has no times, give a number of lines")
        # The lines lie in their own order: none is late, however clocks may jump.
        time = TimeWindows(size, step, 1 << 62)
        time.push(events)
        return time.flush()
    number = np.arange(-(-len(events) // size), dtype=np.int64)
    bounds = np.append(number * size, len(events))
    late = np.zeros(len(number), bool)
    return Windows("count", bounds, events, number, (number + 1) * size, late)


def _sessions(events: Events) -> Windows:
    events = events.take(events.session >= 0)
    codes, first, inverse = np.unique(events.session, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    events = events.take(np.argsort(place[inverse], kind="stable"))
    sizes = np.bincount(place[inverse], minlength=len(codes))
    bounds = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    end = np.maximum.reduceat(events.ts, bounds[:-1]) if len(codes) else np.empty(0, np.int64)
    key = codes[order].astype(np.int64)
    return Windows("session", bounds, events, key, end, np.zeros(len(key), bool))


def _any(windows: Windows, marked: Bools) -> Bools:
    sums = np.concatenate(([0], np.cumsum(marked)))
    found: Bools = sums[windows.bounds[1:]] > sums[windows.bounds[:-1]]
    return found


def _kinds(windows: Windows, kind: Int32s, names: Sequence[str]) -> list[str]:
    out = [""] * len(windows)
    bad = np.flatnonzero(kind > 0)
    pairs, first, number = np.unique(
        windows.owner[bad] * len(names) + kind[bad], return_index=True, return_counts=True
    )
    order = np.lexsort((-first, number))  # the last of a window's pairs is the one that counts
    for pair in pairs[order].tolist():
        out[pair // len(names)] = names[pair % len(names)]
    return out
