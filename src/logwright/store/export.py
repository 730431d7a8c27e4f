"""Export: what a store holds, as JSON lines or Parquet, whole or not at all.

JSON lines hold the records as they are, findings in their published form. Parquet has their main
keys as columns, and the whole record in the column `json`. Texts are those of the store (redacted,
not escaped): escape them before showing them.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

from pydantic import TypeAdapter, ValidationError

from logwright.errors import StoreError
from logwright.findings.finding import Finding
from logwright.findings.jsonl import dumps
from logwright.findings.run import parse_time
from logwright.findings.verdict import ENTRY, Undo, Verdict
from logwright.store.base import AuditRow, Kind, PatternRow, Store, What
from logwright.store.kept_answers import AnswerRow
from logwright.store.rows import dump_model

__all__ = ["write"]

_Record = Finding | PatternRow | Verdict | Undo | AuditRow | AnswerRow

_AT_ONCE = 5_000
_MOST = (1 << 63) - 1
_COLUMNS: dict[What, dict[str, str]] = {
    "findings": {
        **dict.fromkeys(("id", "pattern", "incident", "detector", "unit"), "text"),
        **dict.fromkeys(("severity", "state", "summary"), "text"),
        **dict.fromkeys(("first_seen", "last_seen"), "time"),
        "score": "real",
        "count": "number",
    },
    "patterns": {
        **dict.fromkeys(("id", "detector", "unit", "finding", "severity", "summary"), "text"),
        **dict.fromkeys(("templates", "texts", "sources", "hosts"), "texts"),
        **dict.fromkeys(("first_seen", "last_seen"), "time"),
        **dict.fromkeys(("findings", "further", "lines", "runs"), "number"),
    },
    "verdicts": {
        **dict.fromkeys(("number", "undoes"), "number"),
        **dict.fromkeys(("entry", "word", "note", "by"), "text"),
        "patterns": "texts",
        "time": "time",
    },
    "audit": {
        **dict.fromkeys(("number", "entry"), "number"),
        **dict.fromkeys(("by", "action", "subject"), "text"),
        "time": "time",
    },
    "answers": {**dict.fromkeys(("id", "finding", "question"), "text"), "made": "time"},
}

_LONGEST = 64 << 20  # bytes of one line
_READERS: dict[What, TypeAdapter[Any]] = {
    "findings": TypeAdapter(Finding),
    "patterns": TypeAdapter(PatternRow),
    "verdicts": ENTRY,
    "audit": TypeAdapter(AuditRow),
    "answers": TypeAdapter(AnswerRow),
}


def write(store: Store, target: Path, kind: Kind, what: What) -> Path:
    """Write one sort of record of a store to a file, or to WHAT.KIND in a folder.

    The file appears when it is whole, and replaces an older export. Else `StoreError`.
    """
    path = target / f"{what}.{kind}" if target.is_dir() else target
    if path.exists():
        if not path.is_file():
            raise StoreError(f"cannot be exported to {path}, which is not a file")
        if not _may_replace(path, kind, what):
            raise StoreError(
                f"cannot be exported to {path}, which is no older export of {what}: it would be "
                "overwritten, choose another name"
            )
    # In the same folder, because a rename across file systems is not atomic.
    work = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        # For the owner only, as the store itself: there are log lines in it.
        with open(os.open(work, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            records = _records(store, what)
            if kind == "jsonl":
                _write_lines(records, file)
            else:
                _write_parquet(records, file, _COLUMNS[what])
            file.flush()
            os.fsync(file.fileno())
        os.replace(work, path)
    except OSError as error:
        raise StoreError(f"cannot be exported to {path}: {error.strerror or error}") from error
    finally:
        work.unlink(missing_ok=True)
    return path


def _may_replace(path: Path, kind: Kind, what: What) -> bool:
    """Whether a file is empty, or holds the same sort of record."""
    try:
        if not path.stat().st_size:
            return True
        if kind == "jsonl":
            with open(path, "rb") as file:
                _READERS[what].validate_json(file.readline(_LONGEST))
            return True
        from pyarrow import ArrowException, parquet
    except (OSError, ValidationError):
        return False
    try:
        return list(parquet.read_schema(path).names) == [*_COLUMNS[what], "json"]
    except (OSError, ArrowException):
        return False


def _records(store: Store, what: What) -> Iterator[_Record]:
    if what == "findings":
        return store.findings()
    if what == "patterns":
        return iter(store.patterns())
    if what == "verdicts":
        return iter(store.entries())
    if what == "answers":
        return reversed(store.answers())
    return reversed(store.audit())


def _text(record: _Record) -> str:
    return dumps(record) if isinstance(record, Finding) else dump_model(record)


def _write_lines(records: Iterable[_Record], file: IO[bytes]) -> None:
    for record in records:
        file.write(_text(record).encode("utf-8") + b"\n")


def _write_parquet(records: Iterator[_Record], file: IO[bytes], columns: dict[str, str]) -> None:
    import pyarrow as pa  # heavy, and not needed for JSON lines
    from pyarrow import parquet

    types = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "number": pa.int64(),
        "real": pa.float64(),
        "time": pa.timestamp("us", tz="UTC"),
    }
    fields = [(name, types[form]) for name, form in columns.items()]
    schema = pa.schema([*fields, ("json", pa.string())])
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while part := list(islice(records, _AT_ONCE)):
            rows = [
                {name: _value(record, name, form) for name, form in columns.items()}
                | {"json": _text(record)}
                for record in part
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _value(record: _Record, name: str, form: str) -> Any:
    value = getattr(record, name, None)
    if form == "number" and value is not None:
        return min(value, _MOST)
    if form == "time" and isinstance(value, str):
        return parse_time(value)
    return value
