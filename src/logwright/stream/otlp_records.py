"""Log records of the OpenTelemetry protocol as JSON lines.

A line has always the same keys for what `logs.json_lines` looks for, so that the form that is found
in the first lines fits all that follow::

    {"time":1700000000000000000,"severity":"INFO","service.name":"shop","host.name":"web1",
     "attributes":{...},"trace_id":"...","span_id":"...","resource":{...},"scope":{...},
     "body":"paid"}

(on one line). `time` is the record's, else when it was observed, else when it arrived, in
nanoseconds. `severity` is the number's name, else the text. A body that is no text is its JSON; a
record without a body is told by its event's name, else by its attributes. `log.record.template`
stays an attribute and is read from there.

What is too large is cut, or refused as a whole: see `Bounds`. The two encodings are read by
`otlp_protobuf` and `otlp_json`, which give the same lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from json.encoder import encode_basestring as quoted
from typing import NamedTuple

__all__ = ["DEEPEST", "Bounds", "Decoded", "LineWriter", "MalformedError", "TooMuchError", "scalar"]

DEEPEST = 32
"""How deep values may be nested."""

_NAMES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
_SEVERITY = ['""', *(f'"{_NAMES[i // 4]}"' for i in range(24))]
_MOST_TIME = 9_200_000_000_000_000_000  # ns; above: no time that the readers know
_MOST_LEVEL = 16  # characters


class MalformedError(ValueError):
    """Bytes that are no export request, or no record."""


class TooMuchError(ValueError):
    """A request that holds more than is taken at once; the sentence is for its sender."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The largest that is taken, per request and per record (in characters of JSON, but `body`, in
    characters of text). Beyond: a request is refused, a part of a record is left out and counted.
    """

    records: int = 100_000
    """With the resources and scopes that they are under."""
    values: int = 1_000_000
    """Attributes, and values inside of values."""
    lines: int = 32 << 20
    """Bytes of all lines of a request."""
    body: int = 100_000
    attributes: int = 64_000
    resource: int = 4_000
    """The resource's attributes, and the scope's name and attributes: both are on every line."""


class Decoded(NamedTuple):
    """A request's records as lines; how many; how many more were left out, and why the first; and
    of how many parts of records were cut."""

    data: bytes
    records: int
    rejected: int
    reason: str
    cut: int


class LineWriter:
    """The lines of one request."""

    def __init__(self, bounds: Bounds, arrived: int) -> None:
        self._bounds, self._arrived = bounds, str(arrived)
        self._lines: list[str] = []
        self._size = self._rejected = self._cut = 0
        self._records = self._values = 0
        self._reason = ""
        self._roles = self._tail = ""

    def under(self, attributes: dict[str, str], texts: dict[str, str], scope: str) -> None:
        """What the next records have in common: the resource's attributes, as JSON and, of those
        that are texts, as text; and the scope as JSON."""
        service, host = texts.get("service.name", ""), texts.get("host.name", "")
        most = self._bounds.resource
        self._cut += (len(service) > 256) + (len(host) > 256)
        self._roles = f',"service.name":{quoted(service[:256])},"host.name":{quoted(host[:256])}'
        whole = ",".join(f"{key}:{value}" for key, value in attributes.items())
        self._tail = ""
        for name, text in (("resource", whole), ("scope", scope)):
            if len(text) > most:
                self._cut += 1
            elif text:
                self._tail += f',"{name}":{{{text}}}'

    def expect(self, records: int) -> None:
        """More records, resources or scopes are about to be read."""
        self._records += records
        if self._records > self._bounds.records:
            told = f"A request may have {self._bounds.records:,} records at most"
            raise TooMuchError(f"{told}: send smaller batches.")

    def expect_values(self, values: int) -> None:
        """More attributes or other values are about to be read."""
        self._values += values
        if self._values > self._bounds.values:
            told = f"A request may have {self._bounds.values:,} attributes at most"
            raise TooMuchError(f"{told}: send smaller batches.")

    def write(
        self,
        time: int,
        severity: int,
        level: str,
        body: str | None,
        event: str,
        attributes: str,
        ids: str,
    ) -> None:
        """One record; `attributes` is JSON without its braces, `ids` begins with a comma."""
        bounds = self._bounds
        if len(attributes) > bounds.attributes:
            attributes = ""
            self._cut += 1
        if body is None:
            body = event or (f"{{{attributes}}}" if attributes else "")
        elif event:
            ids += f',"event_name":{quoted(event[:256])}'
        if len(body) > bounds.body:
            body = body[: bounds.body]
            self._cut += 1
        name = _SEVERITY[severity] if 0 < severity < 25 else quoted(level[:_MOST_LEVEL])
        # The body comes last: what a finding cites of the line begins there.
        text = (
            f'{{"time":{time if 0 < time < _MOST_TIME else self._arrived},"severity":{name}'
            f'{self._roles},"attributes":{{{attributes}}}{ids}{self._tail},"body":{quoted(body)}}}'
        )
        self._size += len(text)
        if self._size > bounds.lines:
            told = f"The records of a request may have {bounds.lines:,} bytes at most, as lines"
            raise TooMuchError(f"{told}: send smaller batches.")
        self._lines.append(text)

    def reject(self, reason: str) -> None:
        """A record that is left out."""
        self._reason = self._reason or reason
        self._rejected += 1

    def decoded(self) -> Decoded:
        """What became of the request."""
        self._lines.append("")
        data = "\n".join(self._lines).encode("utf-8", "replace")
        return Decoded(data, len(self._lines) - 1, self._rejected, self._reason, self._cut)


def scalar(value: object) -> str:
    """A value that holds no others as JSON; bytes as hexadecimal digits, as ids are.

    >>> [scalar(value) for value in (None, True, 3, 0.5, float("inf"), b"ab")]
    ['null', 'true', '3', '0.5', '"inf"', '"6162"']
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return f'"{value.hex()}"'
    if isinstance(value, float) and not -1e308 < value < 1e308:
        return f'"{value}"'  # JSON has no infinity
    return quoted(value) if isinstance(value, str) else str(value)
