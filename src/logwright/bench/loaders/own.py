"""A user's own labelled log: one label a line, or one a session."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from logwright.bench.labelled import LabelledLines, read_lines
from logwright.bench.loaders.sessions import with_sessions
from logwright.errors import InputError
from logwright.labels import are_of_sessions, line_labels, session_labels
from logwright.settings import Settings

__all__ = ["read_own"]


def read_own(
    log: Path, labels: Path, settings: Settings | None = None, most: int | None = None
) -> tuple[LabelledLines, bool]:
    """A log with its labels, and whether these are of sessions: a text file with a label for every
    line of the log (0 or 1, or words; "0", "-" and "normal" are normal), or a CSV file with the
    head line "session,label".

    Sessions are found as the product finds them, or by the setting `session`. A record of several
    lines has the first label of its lines that is not normal.
    """
    settings = settings or Settings()
    for path in (log, labels):
        if not path.is_file():
            raise InputError(f"{path} is not there")
    by_session = are_of_sessions(labels)
    if by_session:
        lines = read_lines([str(log)], settings, most)
        return with_sessions(lines, session_labels(labels), labels), True
    given = line_labels(labels)
    lines = read_lines([str(log)], settings)
    held = int((lines.line_no + lines.joined)[-1])
    if held != len(given):
        raise InputError(
            f"{labels}: {len(given):,} labels for the {held:,} lines of {log}: expected one label "
            "a line, or a CSV file with the head line 'session,label'"
        )
    kinds = ["", *dict.fromkeys(label for label in given if label)]
    of_line = np.array([kinds.index(label) for label in given], np.int32)
    kind = of_line[lines.line_no - 1]
    for row in np.flatnonzero(lines.joined).tolist():
        first = int(lines.line_no[row]) - 1
        own = of_line[first : first + int(lines.joined[row]) + 1]
        kind[row] = own[np.argmax(own > 0)]
    marked = dataclasses.replace(lines, kind=kind, kinds=kinds, truth=kind > 0)
    return (marked if most is None else marked.take(np.arange(min(most, len(marked))))), False
