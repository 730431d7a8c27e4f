"""A JSON record as a Python object: what is read line by line where columns do not do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

__all__ = ["Path", "as_bytes", "as_text", "flatten", "load_object", "lookup"]

Path = tuple[str, ...]


def load_object(line: bytes) -> dict[str, Any] | None:
    """The JSON object that `line` is; None if it is something else.

    >>> load_object(b'{"a": 1}'), load_object(b"text")
    ({'a': 1}, None)
    """
    if line.lstrip()[:1] != b"{":
        return None
    try:
        value = json.loads(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def flatten(record: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    """The scalars of `record` with their paths; arrays are passed over.

    >>> list(flatten({"a": {"b": 1}, "c": [2]}))
    [(('a', 'b'), 1)]
    """
    left: list[tuple[Path, Any]] = [((), record)]
    while left:
        path, value = left.pop()
        if isinstance(value, dict):
            # Untrusted depth: no recursion, and paths that stay short.
            left.extend(((*path, key), value[key]) for key in value if len(path) < 16)
        elif not isinstance(value, list):
            yield path, value


def lookup(record: dict[str, Any], path: Path | None) -> Any:
    """The value at `path`, None where there is none.

    >>> lookup({"host": {"name": "a"}}, ("host", "name"))
    'a'
    """
    value: Any = record if path else None
    for name in path or ():
        value = value.get(name) if isinstance(value, dict) else None
    return value


def as_text(value: Any) -> str:
    """A value as text: itself, or as JSON has it.

    >>> as_text({"a": 1}), as_text([104, 105])
    ('{"a":1}', 'hi')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(type(v) is int and 0 <= v < 256 for v in value):
        return bytes(value).decode("utf-8", "surrogateescape")  # journald: text with odd bytes
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def as_bytes(text: str) -> bytes:
    """The bytes of a text that `load_object` gave, as they were in the line."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can name
        return text.encode("utf-8", "replace")
