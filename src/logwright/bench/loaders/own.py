"""A user's own labelled log: one label a line, or one a session."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from logwright.bench.labelled import LabelledLines, read_lines
from logwright.bench.loaders.sessions import is_normal, session_labels, with_sessions
from logwright.errors import InputError
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
    by_session = _head(labels).replace(" ", "").lower() == "session,label"
    if by_session:
        lines = read_lines([str(log)], settings, most)
        return with_sessions(lines, session_labels(labels), labels), True
    given = _line_labels(labels)
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


def _head(path: Path) -> str:
    with open(path, encoding="utf-8-sig", errors="backslashreplace") as file:
        return file.readline(200).strip()


def _line_labels(path: Path) -> list[str]:
    """One label per line, "" for normal."""
    text = path.read_text("utf-8-sig", "backslashreplace")
    given = [line.strip() for line in text.split("\n")]
    if given and not given[-1]:
        given.pop()
    if not given:
        raise InputError(f"{path}: no labels: expected one label a line")
    numbers = given[0] in ("0", "1")
    for number, label in enumerate(given, 1):
        if not label:
            raise InputError(f"{path}:{number}: no label: expected 0, 1, or a word like 'normal'")
        if numbers and label not in ("0", "1"):
            raise InputError(f"{path}:{number}: {label[:80]!r}: expected 0 or 1, as in line 1")
    return ["" if is_normal(label) else label for label in given]
