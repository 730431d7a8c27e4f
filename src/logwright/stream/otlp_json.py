"""Export requests in JSON, as OTLP has it: names in camel case, ids in hexadecimal digits."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable
from json.encoder import encode_basestring as quoted
from typing import Any

from logwright.stream.otlp_records import (
    DEEPEST,
    Bounds,
    Decoded,
    LineWriter,
    MalformedError,
    TooMuchError,
    scalar,
)

__all__ = ["decode_json"]

_WHOLE = re.compile(r"-?\d{1,20}")
_TRACE, _SPAN = re.compile(r"[0-9a-fA-F]{32}"), re.compile(r"[0-9a-fA-F]{16}")
_NOT_FINITE = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}


def decode_json(body: bytes, arrived: int, bounds: Bounds) -> Decoded:
    """The records of a request that arrived at `arrived` (ns since 1970).

    >>> decode_json(b'{"resourceLogs": []}', 0, Bounds()).records
    0
    """
    # Before Python makes objects of them, of 50 bytes and more each.
    if sum(body.count(sign) for sign in (b",", b"{", b"[")) > 3 * bounds.values:
        raise TooMuchError(f"A request may have {bounds.values:,} attributes at most.")
    try:
        request = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise MalformedError("The body is no JSON.") from None
    writer = LineWriter(bounds, arrived)
    try:
        for part in _parts(_object(request), "resourceLogs"):
            writer.expect(1)
            attributes, texts = _resource(_object(part.get("resource")))
            for piece in _parts(part, "scopeLogs"):
                writer.expect(1)
                writer.under(attributes, texts, _scope(_object(piece.get("scope"))))
                _records(_parts(piece, "logRecords"), writer)
    except MalformedError as error:
        raise MalformedError(f"The body is no ExportLogsServiceRequest: {error}") from None
    return writer.decoded()


def _records(records: Iterable[Any], writer: LineWriter) -> None:
    for record in records:
        writer.expect(1)
        try:
            body = record.get("body")
            ids = _id("trace_id", record.get("traceId"), _TRACE)
            ids += _id("span_id", record.get("spanId"), _SPAN)
            time = _whole(record, "timeUnixNano") or _whole(record, "observedTimeUnixNano")
            writer.write(
                time,
                _whole(record, "severityNumber"),
                _text(record, "severityText"),
                _value(body, 0, True) if body else None,
                _text(record, "eventName"),
                _pairs(_parts(record, "attributes"), 0),
                ids,
            )
        except MalformedError as error:
            writer.reject(f"A log record cannot be read: {error}")


def _object(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedError("something is not an object.")
    return value


def _parts(holder: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = holder.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(type(part) is dict for part in found):
        raise MalformedError(f"{name} is no array of objects.")
    return found


def _text(holder: dict[str, Any], name: str) -> str:
    found = holder.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise MalformedError(f"{name} is no text.")
    return found


def _whole(holder: dict[str, Any], name: str) -> int:
    """A whole number: as a number, or, since numbers of JSON may be too small, as a text."""
    found = holder.get(name)
    if found is None:
        return 0
    if isinstance(found, str) and _WHOLE.fullmatch(found):
        return int(found)
    if type(found) is int or (type(found) is float and found.is_integer()):
        return int(found)
    raise MalformedError(f"{name} is no whole number.")


def _id(name: str, value: Any, pattern: re.Pattern[str]) -> str:
    fits = isinstance(value, str) and pattern.fullmatch(value)
    return f',"{name}":"{value.lower()}"' if fits else ""


def _resource(resource: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    attributes: dict[str, str] = {}
    texts: dict[str, str] = {}
    for pair in _parts(resource, "attributes"):
        key = _text(pair, "key")
        attributes[quoted(key)] = _value(pair.get("value"), 0)
        texts[key] = _value(pair.get("value"), 0, True)
    return attributes, texts


def _scope(scope: dict[str, Any]) -> str:
    name = _text(scope, "name")
    parts = [f'"name":{quoted(name)}'] if name else []
    attributes = _pairs(_parts(scope, "attributes"), 0)
    return ",".join([*parts, attributes] if attributes else parts)


def _pairs(pairs: Iterable[dict[str, Any]], depth: int) -> str:
    return ",".join(
        [f"{quoted(_text(pair, 'key'))}:{_value(pair.get('value'), depth)}" for pair in pairs]
    )


def _value(value: Any, depth: int, bare: bool = False) -> str:
    """A value as JSON; `bare`: a text as it is."""
    value = _object(value)
    if "stringValue" in value:
        text = _text(value, "stringValue")
        return text if bare else quoted(text)
    if "intValue" in value:
        return str(_whole(value, "intValue"))
    if "boolValue" in value:
        if not isinstance(value["boolValue"], bool):
            raise MalformedError("boolValue is neither true nor false.")
        return scalar(value["boolValue"])
    if "doubleValue" in value:
        return _double(value["doubleValue"])
    if "bytesValue" in value:
        try:
            return scalar(base64.b64decode(_text(value, "bytesValue"), validate=True))
        except (binascii.Error, ValueError):
            raise MalformedError("bytesValue is not in base64.") from None
    holder = _object(value.get("arrayValue", value.get("kvlistValue")))
    if depth >= DEEPEST:
        raise MalformedError(f"A value is nested deeper than {DEEPEST} levels.")
    if "arrayValue" in value:
        return f"[{','.join([_value(inner, depth + 1) for inner in _parts(holder, 'values')])}]"
    if "kvlistValue" in value:
        return f"{{{_pairs(_parts(holder, 'values'), depth + 1)}}}"
    return "null"


def _double(value: Any) -> str:
    if isinstance(value, str) and value in _NOT_FINITE:
        return scalar(float(_NOT_FINITE[value]))
    if isinstance(value, str):
        try:
            return scalar(float(value))
        except ValueError:
            pass
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedError("doubleValue is no number.")
    return scalar(float(value))
