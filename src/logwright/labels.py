"""Labels: what a file says of a log's lines or sessions, as bench and rules read it.

Two forms: a text file with a label for every line of the log (0 or 1, or words), or a CSV or TSV
file with the head line "session,label". "0", "-", "normal", "false" and "benign" are normal.
"""

from __future__ import annotations

from pathlib import Path

from logwright.errors import InputError

__all__ = ["are_of_sessions", "is_normal", "line_labels", "session_labels"]

_NORMAL = frozenset({"0", "-", "normal", "false", "benign"})


def is_normal(label: str) -> bool:
    """Whether a label in words says that nothing was wrong.

    >>> is_normal("Normal"), is_normal("-"), is_normal("Anomaly"), is_normal("1")
    (True, True, False, False)
    """
    return label.strip().lower() in _NORMAL


def are_of_sessions(path: Path) -> bool:
    """Whether the file's head line says that its labels are those of sessions."""
    if not path.is_file():
        raise InputError(f"{path} is not there: expected a file of labels")
    with open(path, encoding="utf-8-sig", errors="backslashreplace") as file:
        head = file.readline(200).replace(" ", "").strip().lower()
    return head.replace("\t", ",") == "session,label"


def session_labels(path: Path) -> dict[str, str]:
    """Labels of sessions from a CSV or TSV file with a head line: session, label ("" for
    normal)."""
    if not path.is_file():
        raise InputError(f"{path} is not there: expected a CSV file of sessions and their labels")
    labels: dict[str, str] = {}
    with open(path, encoding="utf-8-sig", errors="backslashreplace") as file:
        for number, line in enumerate(file, 1):
            if number == 1 or not line.strip():
                continue
            mark = "," if "," in line else "\t"
            key, comma, label = (part.strip() for part in line.partition(mark))
            if not key or not comma or not label or mark in label:
                shown = line.strip()[:80]
                raise InputError(f"{path}:{number}: {shown!r}: expected 'session,label'")
            value = "" if is_normal(label) else label
            if labels.setdefault(key, value) != value:
                raise InputError(f"{path}:{number}: session {key[:80]} has two labels")
    if not labels:
        raise InputError(f"{path}: no labels: expected a head line, then 'session,label' lines")
    return labels


def line_labels(path: Path) -> list[str]:
    """One label per line of the log, "" for normal."""
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
