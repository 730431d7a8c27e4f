"""Findings as JSON lines: one object a line, keys in the order of the schema, UTF-8, no NaN.

The form is versioned by `schema_version`; `schema` gives the JSON Schema that is published as
`docs/schema/finding.v1.json`. Escaping is JSON's own: texts keep their control characters,
and those that hide or reorder text, as `\\u001b`; whoever shows them must make them harmless.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, TextIO

from pydantic import ValidationError

from logwright.errors import InputError
from logwright.findings.finding import SCHEMA_VERSION, Finding

__all__ = ["dumps", "read", "schema", "write"]

_SURROGATE = re.compile("[\ud800-\udfff]")
# What would act on a terminal or an editor that shows the file, or end a line for some readers.
_ACTING = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


def write(findings: Iterable[Finding], stream: TextIO) -> int:
    """Write each finding as one line; returns how many. A file or stdout is switched to UTF-8.

    >>> buffer = io.StringIO()
    >>> write([], buffer)
    0
    """
    if isinstance(stream, io.TextIOWrapper):
        # The locale's encoding is a matter of the terminal; JSON is UTF-8.
        stream.reconfigure(encoding="utf-8", newline="\n")
    count = 0
    for finding in findings:
        stream.write(dumps(finding) + "\n")
        count += 1
    return count


def dumps(finding: Finding) -> str:
    """One finding as one line of JSON. A number that is not finite is a bug: `ValueError`."""
    text = json.dumps(
        finding.model_dump(), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    # Lone surrogates are no Unicode text: strict readers refuse them, so they become `\xNN`.
    text = _SURROGATE.sub(_byte_escape, text)
    return _ACTING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _byte_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\\\u{code:04x}"


def read(lines: Iterable[str], name: str = "findings") -> Iterator[Finding]:
    """The findings in `lines`, such as an open file; empty lines are passed over.

    What does not fit raises `InputError` with one sentence that names line and key.

    >>> list(read(['{"id": 1}'], name="out.jsonl"))
    Traceback (most recent call last):
    ...
    logwright.errors.InputError: out.jsonl, line 1: 'id' is 1; Input should be a valid string.
    """
    number = 0
    try:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield _parse(line, f"{name}, line {number}")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}, near line {number + 1}: not UTF-8 ({error.reason}).") from None


def _parse(line: str, where: str) -> Finding:
    def refuse(token: str) -> NoReturn:
        raise InputError(f"{where}: {token} is not a number in JSON.")

    try:
        data = json.loads(line, parse_constant=refuse)
    except (json.JSONDecodeError, RecursionError) as error:
        reason = (
            f"{error.msg}, column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else "nested too deep"
        )
        raise InputError(f"{where}: not a JSON object ({reason}).") from None
    if not isinstance(data, dict):
        raise InputError(f"{where}: expected a JSON object, got {type(data).__name__}.")
    version = data.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        raise InputError(
            f"{where}: 'schema_version' is {_brief(version)}; "
            f"this version of logwright reads {SCHEMA_VERSION}."
        )
    try:
        finding = Finding.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{where}: {_first(error)}") from None
    for key in ("score", "threshold"):
        if not math.isfinite(data[key]):  # 1e999 is JSON, but reads as infinity
            raise InputError(f"{where}: '{key}' is not a finite number.")
    return finding


def _first(error: ValidationError) -> str:
    # One sentence about one key: the wrong value that comes first, else the key that is missing.
    problems = error.errors(include_url=False)
    problem = next((p for p in problems if p["type"] != "missing"), problems[0])
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"'{key}' is missing."
    if problem["type"] == "extra_forbidden":
        return f"'{key}' is not a key of a finding."
    return f"'{key}' is {_brief(problem['input'])}; {problem['msg']}."


def _brief(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 40 else text[:39] + "…"


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of one line that `write` makes.

    >>> list(schema()["properties"])[:3]
    ['schema_version', 'id', 'pattern']
    """
    body = Finding.model_json_schema(mode="serialization")
    body["properties"]["schema_version"]["const"] = SCHEMA_VERSION
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:logwright:finding:{SCHEMA_VERSION}",
        **body,
    }
