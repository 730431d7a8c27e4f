"""Marks: what is said of a log's lines while it is read, so that windows can be labelled.

Labels come from a prefix of each line, from a file (of lines or of sessions), or from verdicts on
the findings of a model. Nothing that learns sees them: they are columns beside the log, by row.

A mark is `UNKNOWN`, `NORMAL`, or the number of an abnormal label, from `ABNORMAL` on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from logwright.errors import InputError
from logwright.feedback.speaker import is_model
from logwright.findings.finding import Finding
from logwright.findings.run import many
from logwright.findings.verdict import Entry, Undo, Verdict
from logwright.intake import Intake
from logwright.labels import are_of_sessions, line_labels, session_labels
from logwright.logs.batch import Int32s, Int64s, LineBatch
from logwright.store import NAME, open_store
from logwright.windows.window import Windows

__all__ = ["ABNORMAL", "NORMAL", "UNKNOWN", "Marks", "of_windows", "verdicts_in"]

UNKNOWN, NORMAL, ABNORMAL = -1, 0, 1

_PREFIX_NORMAL = b"-"
_LINE_BITS = 40
_OTHER = "other labels"


class Marks:
    """Looks at the batches of one run, and says afterwards what is known of each row.

    With `file`, labels are read from it; with `prefix`, the reader has them from the lines. `names`
    are the abnormal labels: the first one is that of mark `ABNORMAL`, and so on.
    """

    def __init__(self, given: Intake, file: Path | None = None, prefix: bool = False) -> None:
        self._given, self._file, self._prefix = given, file, prefix
        self._sessions: Mapping[str, str] = {}
        self._lines: Sequence[str] = ()
        self.names: list[str] = []
        self._numbers: dict[str, int] = {"": NORMAL}
        if file is not None:
            if are_of_sessions(file):
                self._sessions = session_labels(file)
            else:
                self._lines = line_labels(file)
                if len(given.sources.sources) > 1:
                    raise InputError(
                        f"{file}: a label for each line goes with one log: expected one file"
                    )
        self._rows: list[Int32s] = []
        self._places: list[Int64s] = []
        self._of_session: list[int] = []
        self._of_label: list[int] = []
        self._of_line: tuple[Int32s, Int64s] | None = None
        self._last = 0

    @property
    def are_classes(self) -> bool:
        """Whether the labels name several classes of anomaly, of which a session has one."""
        return bool(self._sessions) and len(set(self._sessions.values()) - {""}) > 1

    def look(self, batch: LineBatch, first: int) -> None:
        """Take a batch whose first record is row `first`."""
        self._places.append((np.int64(batch.source_id) << _LINE_BITS) | batch.line_no)
        if len(batch):
            joined = 0 if batch.joined is None else int(batch.joined[-1])
            self._last = int(batch.line_no[-1]) + joined
        if self._prefix:
            self._rows.append(self._by_prefix(batch))
        elif self._sessions:
            self._rows.append(self._by_session(batch))
        elif self._lines:
            self._rows.append(self._by_line(batch))

    def _by_prefix(self, batch: LineBatch) -> Int32s:
        fresh = self._given.reader.labels.values[len(self._of_label) :]
        texts = [
            v.decode("utf-8", "backslashreplace") if v != _PREFIX_NORMAL else "" for v in fresh
        ]
        self._of_label += map(self._mark, texts)
        rest = self._mark(_OTHER) if (batch.label < 0).any() else NORMAL  # beyond what is held
        return np.asarray(np.array([*self._of_label, rest], np.int32)[batch.label])

    def _mark(self, label: str) -> int:
        """The mark of a label, "" for normal."""
        if label not in self._numbers:
            self._numbers[label] = ABNORMAL + len(self.names)
            self.names.append(label)
        return self._numbers[label]

    def _by_session(self, batch: LineBatch) -> Int32s:
        session = self._given.reader.session
        if session is None:
            raise InputError(
                f"{self._file} labels sessions, but the log's lines share no keys: --session names "
                "the expression of the key"
            )
        fresh = np.flatnonzero(batch.session >= len(self._of_session))
        codes, at = np.unique(batch.session[fresh], return_index=True)
        for code, row in zip(codes.tolist(), fresh[at].tolist(), strict=True):
            key = (session.key_of(batch.content(row)) or b"").decode("utf-8", "backslashreplace")
            label = self._sessions.get(key)
            self._of_session += [UNKNOWN] * (code - len(self._of_session))
            self._of_session.append(UNKNOWN if label is None else self._mark(label))
        return np.asarray(np.array([*self._of_session, UNKNOWN], np.int32)[batch.session])

    def _by_line(self, batch: LineBatch) -> Int32s:
        if self._of_line is None:
            marks = np.array([*map(self._mark, self._lines), NORMAL], np.int32)
            self._of_line = marks, np.append(np.flatnonzero(marks), len(marks) - 1)
        marks, bad = self._of_line
        first = np.minimum(batch.line_no - 1, len(marks) - 1)
        joined = np.zeros(len(batch), np.int64) if batch.joined is None else batch.joined
        nearest = bad[np.searchsorted(bad, first)]
        return np.where(nearest <= first + joined, marks[nearest], NORMAL).astype(np.int32)

    def rows(self) -> Int32s | None:
        """What is known of each row, as rows are numbered now; None where nothing was asked."""
        if self._lines and self._last != len(self._lines):
            raise InputError(
                f"{self._file}: {len(self._lines):,} labels for the {self._last:,} lines of the "
                "log: expected one label a line, or a CSV file with the head line 'session,label'"
            )
        if not self._rows:
            return None
        read = np.concatenate(self._rows)
        if self._sessions and not (read != UNKNOWN).any():
            raise InputError(f"{self._file}: none of its sessions is in the log")
        return self._sorted(read)

    def judged(self, findings: Iterable[Finding]) -> Int32s:
        """What verdicts say of each row: those that show a finding that is real are abnormal, of
        one that nobody has judged unknown, all others normal."""
        self._mark("real")
        places = np.concatenate(self._places) if self._places else np.empty(0, np.int64)
        order = np.argsort(places, kind="stable")
        number = {s.stats.name: i for i, s in enumerate(self._given.sources.sources)}
        read = np.full(len(places), NORMAL, np.int32)
        for wanted, mark in (("open", UNKNOWN), ("confirmed", ABNORMAL)):
            shown = [
                (number[line.source] << _LINE_BITS) | line.line_no
                for finding in findings
                if finding.state == wanted
                for line in [n for n in finding.lines if n.highlight] or finding.lines
            ]
            at = np.searchsorted(places, np.array(shown, np.int64), sorter=order)
            read[order[at]] = mark
        return self._sorted(read)

    def _sorted(self, read: Int32s) -> Int32s:
        """By the rows' numbers now, given them in the order in which they were read."""
        now = np.empty_like(read)
        now[self._given.recording.now(np.arange(len(read), dtype=np.int64))] = read
        return now


def verdicts_in(folder: Path | None) -> tuple[list[Entry], str]:
    """The verdicts in the store of a model's folder, with what was taken back, and whose they are.
    The word of a language model is left out, unless nobody else said anything."""
    path = None if folder is None else folder / NAME
    entries: list[Entry] = []
    if path is not None and path.is_file():
        with open_store(path, write=False) as store:
            entries = list(store.entries(0))
    undone = {entry.undoes for entry in entries if isinstance(entry, Undo)}
    given = [e for e in entries if isinstance(e, Verdict) and e.number not in undone]
    if not given:
        raise InputError(
            f"{folder} holds no verdicts: 'logwright detect', then 'logwright review', give some"
        )
    people = [verdict for verdict in given if not is_model(verdict)]
    rest = len(given) - len(people)
    if not people:
        return entries, f"{many(rest, 'verdict')} of a language model, as people gave none"
    left_out = {e.number for e in entries if isinstance(e, Verdict) and is_model(e)}
    kept = [e for e in entries if (e.undoes if isinstance(e, Undo) else e.number) not in left_out]
    told = many(len(people), "verdict") + (f"; {rest:,} of a language model left out" * (rest > 0))
    return kept, told


def of_windows(windows: Windows, rows: Int32s) -> Int32s:
    """The mark of each window: that of its first abnormal line, else unknown where nothing is known
    of one, else normal.

    >>> windows = Windows.of_sequences([[0, 1, 1], [0], [1]])
    >>> of_windows(windows, np.array([0, 2, 1, 0, -1], np.int32)).tolist()
    [2, 0, -1]
    """
    mine = rows[windows.events.row]
    found = np.where(_first(windows, mine == UNKNOWN)[1], UNKNOWN, NORMAL).astype(np.int32)
    at, some = _first(windows, mine >= ABNORMAL)
    found[some] = mine[at[some]]
    return found


def _first(windows: Windows, marked: NDArray[np.bool_]) -> tuple[Int64s, NDArray[np.bool_]]:
    """Per window the place of its first event that is marked, and whether it has one."""
    places = np.append(np.flatnonzero(marked), len(marked)).astype(np.int64)
    at = places[np.searchsorted(places, windows.bounds[:-1])]
    return at, at < windows.bounds[1:]
