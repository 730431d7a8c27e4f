"""Rows of result files: read with care, what makes two of them the same one, which are floors."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logwright.bench.metrics import Triple
from logwright.errors import LogwrightError

__all__ = ["APART", "IDENTITY", "checked", "identity", "is_floor", "load", "title_of"]

Row = Mapping[str, Any]

APART = "published protocol, tuned on test"
"""The table that must not be compared with others."""

IDENTITY = (
    "table",
    "set",
    "lines",
    "grouping",
    "window",
    "history",
    "method",
    "what",
    "source",
    "system",
    "case",
    "kind",
)
"""What tells rows apart; all else is measured, or a setting. `lines` is a range only where it is
text: as a number it is a count, and counted."""

_FLOORS = {"flag all", "flag none", "keyword list", "unseen template", "unseen length"}


def load(path: Path) -> dict[str, Any]:
    """A result file; a `LogwrightError` where it is none, or where a row cannot be true."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise LogwrightError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise LogwrightError(
            f"{path} is no result file: write one with `logwright bench run SUITE --json FILE`"
        ) from None
    return checked(value, str(path))


def checked(value: Any, name: str) -> dict[str, Any]:
    """The result if it has the form of one and every row of it is possible.

    >>> row = {"method": "typed in", "precision": 0.886, "recall": 0.893, "f1": 0.966}
    >>> checked({"suite": "x", "machine": {}, "rows": [row], "summary": {}}, "x.json")
    Traceback (most recent call last):
    ...
    logwright.errors.LogwrightError: x.json, typed in: precision 0.886 and recall 0.893 make F1 \
0.889, not 0.966
    """
    forms = {"suite": str, "machine": dict, "rows": list, "summary": dict}
    optional = {"settings": dict, "times": dict, "curves": dict}
    if not isinstance(value, dict):
        raise LogwrightError(f"{name} is no result file: it is no JSON object")
    for key, form in (forms | optional).items():
        if (key in forms and key not in value) or not isinstance(value.get(key, form()), form):
            raise LogwrightError(f"{name} is no result file: '{key}' is absent or of another kind")
    for row in value["rows"]:
        if not isinstance(row, dict):
            raise LogwrightError(f"{name} is no result file: a row is no JSON object")
        if wrong := _impossible(row):
            raise LogwrightError(f"{name}, {title_of(row)}: {wrong}")
    for curve in value.get("curves", {}).values():
        if not isinstance(curve, list):
            raise LogwrightError(f"{name} is no result file: a curve is no list of points")
        for point in curve:
            numbers = isinstance(point, dict) and all(
                _is_number(point.get(key)) for key in ("questions", "f1")
            )
            if not numbers:
                raise LogwrightError(f"{name}: a point of a curve has no number of questions or F1")
    return value


def _impossible(row: Row) -> str:
    """What cannot be true of the row; empty where all can."""
    shares = ("precision", "recall", "f1", "f1_low", "f1_high", "specificity", "pr_auc")
    for key in shares:
        value = row.get(key)
        if value is not None and not (_is_number(value) and 0 <= value <= 1):
            return f"{key} is {value}: expected a number from 0 to 1"
    f1, low, high = row.get("f1"), row.get("f1_low"), row.get("f1_high")
    if f1 is None:
        return ""
    if low is not None and high is not None and not low <= f1 <= high:
        return f"F1 {f1} is not within its range of {low} to {high}"
    precision, recall = row.get("precision"), row.get("recall")
    # Papers print the mean of each figure by itself, which need not be one possible triple; our own
    # rows are those of one run, the one with the median F1.
    if precision is None or recall is None or (row.get("table") == APART and row.get("seeds") != 1):
        return ""
    digits = max(len(str(value).partition(".")[2]) for value in (precision, recall, f1))
    try:
        Triple(precision, recall, f1, digits)
    except LogwrightError as error:
        return str(error)
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def identity(row: Row) -> tuple[tuple[str, str], ...]:
    """What tells this row from others of its suite, also in a result of another day.

    >>> identity({"method": "length", "f1": 0.5, "lines": 2000})
    (('method', 'length'),)
    """
    return tuple((key, row[key]) for key in IDENTITY if isinstance(row.get(key), str) and row[key])


def title_of(row: Row) -> str:
    """The row's name, for people."""
    return ", ".join(value for _, value in identity(row)) or "a row"


def is_floor(row: Row) -> bool:
    """Whether the row is one that needs no thought, below which nothing should be.

    >>> is_floor({"method": "flag all"}), is_floor({"method": "floor: rare"}), is_floor({})
    (True, True, False)
    """
    name = str(row.get("method") or "")
    return name.startswith("floor") or name in _FLOORS
