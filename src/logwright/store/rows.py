"""Rows of the SQLite store: what stands in its columns, and records made of it.

Times are microseconds since 1970. A row that does not make a record comes from a damaged file, or
from somebody who wrote to it: `StoreError`.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from logwright.errors import StoreError
from logwright.findings.clean import clean
from logwright.findings.finding import SEVERITIES, Finding, Severity
from logwright.findings.jsonl import dumps
from logwright.findings.run import Run, parse_time
from logwright.findings.verdict import ENTRY, Entry
from logwright.store.base import AuditRow, IncidentRow, PatternRow, RunRow

__all__ = [
    "About",
    "about_of",
    "audit_of",
    "body_of",
    "dump",
    "dump_model",
    "entry_of",
    "finding_of",
    "incident_of",
    "load",
    "micros",
    "micros_of_text",
    "moment_of",
    "now",
    "packed",
    "pattern_of",
    "run_of",
    "severity_of",
]


class About(BaseModel):
    """What a pattern's row tells in words."""

    model_config = ConfigDict(extra="forbid")

    summary: str = ""
    templates: list[str] = []
    texts: list[str] = []
    sources: list[str] = []
    hosts: list[str] = []


_LONGEST = 64 << 20  # bytes of one finding
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FINDING: TypeAdapter[Finding] = TypeAdapter(Finding)
_ABOUT: TypeAdapter[About] = TypeAdapter(About)
_RUN: TypeAdapter[Run] = TypeAdapter(Run)
_OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_T = TypeVar("_T")
_M = TypeVar("_M", bound=BaseModel)


def now() -> int:
    """The present, as a column has it."""
    return micros(datetime.now(UTC))


def micros(time: datetime) -> int:
    """A time as a column has it; one without a zone is UTC.

    >>> micros(datetime(1970, 1, 1, 0, 0, 1))
    1000000
    """
    whole = time.replace(tzinfo=UTC) if time.tzinfo is None else time
    return (whole - _EPOCH) // _MICROSECOND


def micros_of_text(text: str | None) -> int | None:
    """The time of an ISO 8601 text as a column has it, None where it is none.

    >>> micros_of_text("1970-01-01T00:00:01Z"), micros_of_text("yesterday")
    (1000000, None)
    """
    time = parse_time(text) if text else None
    return None if time is None else micros(time)


def moment_of(value: int | None) -> datetime | None:
    """The time that a column has.

    >>> moment_of(1_000_000).isoformat()
    '1970-01-01T00:00:01+00:00'
    """
    try:
        return None if value is None else _EPOCH + timedelta(microseconds=value)
    except OverflowError:
        raise StoreError(f"is damaged: {value} is no time") from None


def dump(value: Mapping[str, Any]) -> str:
    """A JSON object in one line."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return clean(text, "\\\\")


def dump_model(record: BaseModel) -> str:
    """A record as JSON in one line."""
    return dump(record.model_dump(mode="json"))


def load(text: str, what: str) -> dict[str, Any]:
    """A JSON object that was written by `dump`.

    >>> load("{", "state")
    Traceback (most recent call last):
    ...
    logwright.errors.StoreError: is damaged: a row of its state cannot be read
    """
    return _read(_OBJECT, text, what)


def packed(text: str) -> bytes:
    """A finding's JSON as its body has it: an eighth of its size."""
    return zlib.compress(text.encode("utf-8", "backslashreplace"), 1)


def body_of(finding: Finding) -> bytes:
    """A finding as its body has it. A number that is not finite is a bug: `ValueError`."""
    try:
        if math.isfinite(finding.score) and math.isfinite(finding.threshold):
            return packed(finding.model_dump_json())
    except ValueError:  # bytes that are no text
        pass
    return packed(dumps(finding))


def severity_of(value: int) -> Severity:
    """The severity that a column has."""
    if not 0 <= value < len(SEVERITIES):
        raise StoreError(f"is damaged: {value} is no severity")
    return SEVERITIES[value]


def finding_of(body: bytes) -> Finding:
    """The finding that was stored as this body."""
    reader = zlib.decompressobj()
    try:
        text = reader.decompress(body, _LONGEST)
        if not reader.eof:  # cut short, or made by a stranger to fill the memory
            raise _damaged("findings")
        return _FINDING.validate_json(text)
    except (zlib.error, ValidationError):
        raise _damaged("findings") from None


def about_of(text: str) -> About:
    """What was stored of a pattern as this text."""
    return _read(_ABOUT, text, "patterns")


def entry_of(number: int, text: str) -> Entry:
    """The verdict or undo that was stored as this text, under this number."""
    entry = _read(ENTRY, text, "verdicts")
    if entry.number != number:
        raise _damaged("verdicts")
    return entry


def pattern_of(row: tuple[Any, ...]) -> PatternRow:
    """A pattern: columns in the order of the table."""
    return _make(
        PatternRow,
        "patterns",
        load(row[11], "patterns")
        | {
            "id": row[0],
            "detector": row[1],
            "unit": row[2],
            "finding": row[3],
            "severity": severity_of(row[4]),
            "first_seen": moment_of(row[5]),
            "last_seen": moment_of(row[6]),
            "findings": row[7],
            "further": row[8],
            "lines": row[9],
            "runs": row[10],
        },
    )


def incident_of(row: tuple[Any, ...]) -> IncidentRow:
    """An incident: id, severity, findings, first and last time, run."""
    return _make(
        IncidentRow,
        "incidents",
        {
            "id": row[0],
            "severity": severity_of(row[1]),
            "findings": row[2],
            "first_seen": moment_of(row[3]),
            "last_seen": moment_of(row[4]),
            "run": row[5],
        },
    )


def run_of(row: tuple[Any, ...]) -> RunRow:
    """A run: id, time added, JSON, findings."""
    run = _read(_RUN, row[2], "runs")
    values = {"id": row[0], "added": moment_of(row[1]), "run": run, "findings": row[3]}
    return _make(RunRow, "runs", values)


def audit_of(row: tuple[Any, ...]) -> AuditRow:
    """A row of the audit: columns in the order of the table."""
    values = dict(zip(("number", "time", "by", "action", "subject", "entry"), row, strict=False))
    values["time"] = moment_of(row[1])
    return _make(AuditRow, "audit", values | {"changed": load(row[6], "audit")})


def _read(form: TypeAdapter[_T], text: str, what: str) -> _T:
    try:
        return form.validate_json(text)
    except ValidationError:
        raise _damaged(what) from None


def _make(form: type[_M], what: str, values: dict[str, Any]) -> _M:
    try:
        return form.model_validate(values)
    except ValidationError:
        raise _damaged(what) from None


def _damaged(what: str) -> StoreError:
    return StoreError(f"is damaged: a row of its {what} cannot be read")
