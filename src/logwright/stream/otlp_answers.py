"""What the OTLP receiver answers, as bytes."""

from __future__ import annotations

import json

from logwright.stream.otlp_records import Decoded

__all__ = ["JSON", "PROTOBUF", "answer_bytes"]

PROTOBUF, JSON = b"application/x-protobuf", b"application/json"
_REASONS = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}
_RETRY_AFTER = {429: 1, 503: 5}  # s


def answer_bytes(
    kind: bytes, keeps: bool, status: int, sentence: str, found: Decoded | None
) -> bytes:
    """An answer to a request of content type `kind`; `keeps`: the connection goes on.

    >>> answer_bytes(PROTOBUF, True, 200, "", Decoded(b"", 1, 0, "", 0))[-4:]
    b'\\r\\n\\r\\n'
    """
    body = _body(kind, sentence, found)
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}"]
    lines.append(f"Content-Type: {(kind if kind == PROTOBUF else JSON).decode()}")
    lines.append(f"Content-Length: {len(body)}")
    if status in _RETRY_AFTER:
        lines.append(f"Retry-After: {_RETRY_AFTER[status]}")
    if status == 405:
        lines.append("Allow: POST")
    if status == 415:
        lines.append("Accept-Encoding: gzip")
    if not keeps:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode() + body


def _body(kind: bytes, sentence: str, found: Decoded | None) -> bytes:
    """An ExportLogsServiceResponse, or, without `found`, a google.rpc.Status."""
    if kind != PROTOBUF:
        if found is None:
            return json.dumps({"message": sentence}).encode()
        partial = {"rejectedLogRecords": str(found.rejected), "errorMessage": found.reason}
        return json.dumps({"partialSuccess": partial} if found.rejected else {}).encode()
    if found is None:
        return _field(2, sentence.encode())
    if not found.rejected:
        return b""
    rejected = b"\x08" + _varint(found.rejected)
    return _field(1, rejected + _field(2, found.reason.encode("utf-8", "replace")))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)
