"""Export requests in protobuf.

They are read by the official schema with one change: messages and texts inside of messages come as
bytes. So an attribute that repeats is decoded once, a text that is not UTF-8 costs a replacement
character and not the request, and two bytes that stand for an empty record stay two bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from json.encoder import encode_basestring as quoted
from typing import Any

from logwright.errors import MissingExtraError
from logwright.stream.otlp_records import (
    DEEPEST,
    Bounds,
    Decoded,
    LineWriter,
    MalformedError,
    scalar,
)

__all__ = ["protobuf_decoder"]

_SHORT = 128  # bytes of an attribute that is worth remembering
_MOST_KEPT = 16_384  # attributes


def protobuf_decoder(bounds: Bounds) -> Callable[[bytes, int], Decoded]:
    """A function of a request's bytes and its arrival (ns since 1970)."""
    return _Protobuf(bounds).decoded


class _Protobuf:
    """Decodes requests; remembers short attributes, which mostly repeat."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._kinds, self._error = _view()
        self._kept: dict[bytes, str] = {}
        self._writer = LineWriter(bounds, 0)

    def decoded(self, body: bytes, arrived: int) -> Decoded:
        kinds = self._kinds
        writer = self._writer = LineWriter(self._bounds, arrived)
        try:
            parts = kinds["ExportLogsServiceRequest"].FromString(body).resource_logs
            writer.expect(len(parts))
            for part in parts:
                of_resource = kinds["ResourceLogs"].FromString(part)
                resource = kinds["Resource"].FromString(of_resource.resource)
                writer.expect(len(of_resource.scope_logs))
                attributes, texts = self._resource(resource.attributes)
                for piece in of_resource.scope_logs:
                    of_scope = kinds["ScopeLogs"].FromString(piece)
                    writer.under(attributes, texts, self._scope(of_scope.scope))
                    self._records(of_scope.log_records, writer)
        except (self._error, MalformedError) as error:
            raise MalformedError("The body is no protobuf ExportLogsServiceRequest.") from error
        return writer.decoded()

    def _records(self, records: Any, writer: LineWriter) -> None:
        writer.expect(len(records))
        read, attribute, value = self._kinds["LogRecord"].FromString, self._attribute, self._value
        for raw in records:
            try:
                record = read(raw)
                trace, span = record.trace_id, record.span_id
                ids = f',"trace_id":"{trace.hex()}"' if len(trace) == 16 else ""
                if len(span) == 8:
                    ids += f',"span_id":"{span.hex()}"'
                body, attributes = record.body, record.attributes
                writer.expect_values(len(attributes))
                writer.write(
                    record.time_unix_nano or record.observed_time_unix_nano,
                    record.severity_number,
                    record.severity_text.decode("utf-8", "replace"),
                    value(body, 0, True) if body else None,
                    record.event_name.decode("utf-8", "replace"),
                    ",".join([attribute(raw) for raw in attributes]),
                    ids,
                )
            except self._error:
                writer.reject("A log record is no protobuf LogRecord.")
            except MalformedError as error:
                writer.reject(str(error))

    def _attribute(self, raw: bytes) -> str:
        """`"key":value` in JSON."""
        found = self._kept.get(raw)
        if found is None:
            found = self._pair(raw, 0)
            if len(raw) <= _SHORT:
                if len(self._kept) >= _MOST_KEPT:
                    self._kept.clear()
                self._kept[raw] = found
        return found

    def _pair(self, raw: bytes, depth: int) -> str:
        pair = self._kinds["KeyValue"].FromString(raw)
        return f"{quoted(pair.key.decode('utf-8', 'replace'))}:{self._value(pair.value, depth)}"

    def _resource(self, pairs: Any) -> tuple[dict[str, str], dict[str, str]]:
        attributes: dict[str, str] = {}
        texts: dict[str, str] = {}
        self._writer.expect_values(len(pairs))
        for raw in pairs:
            pair = self._kinds["KeyValue"].FromString(raw)
            key = pair.key.decode("utf-8", "replace")
            attributes[quoted(key)] = self._value(pair.value, 0)
            texts[key] = self._value(pair.value, 0, True)
        return attributes, texts

    def _scope(self, raw: bytes) -> str:
        scope = self._kinds["InstrumentationScope"].FromString(raw)
        self._writer.expect_values(len(scope.attributes))
        parts = [f'"name":{quoted(scope.name.decode("utf-8", "replace"))}'] if scope.name else []
        return ",".join(parts + [self._attribute(pair) for pair in scope.attributes])

    def _value(self, raw: bytes, depth: int, bare: bool = False) -> str:
        """A value as JSON; `bare`: a text as it is."""
        value = self._kinds["AnyValue"].FromString(raw)
        kind = value.WhichOneof("value")
        if kind == "string_value":
            text: str = value.string_value.decode("utf-8", "replace")
            return text if bare else quoted(text)
        if kind in ("array_value", "kvlist_value"):
            if depth >= DEEPEST:
                raise MalformedError(f"A value is nested deeper than {DEEPEST} levels.")
            if kind == "array_value":
                values = self._kinds["ArrayValue"].FromString(value.array_value).values
                self._writer.expect_values(len(values))
                return f"[{','.join([self._value(inner, depth + 1) for inner in values])}]"
            pairs = self._kinds["KeyValueList"].FromString(value.kvlist_value).values
            self._writer.expect_values(len(pairs))
            return f"{{{','.join([self._pair(pair, depth + 1) for pair in pairs])}}}"
        return scalar(None if kind is None else getattr(value, kind))


def _view() -> tuple[dict[str, Any], type[Exception]]:
    """The schema's messages, each with its inner messages and texts as bytes."""
    try:
        schemas = [
            import_module(f"opentelemetry.proto.{name}_pb2").DESCRIPTOR
            for name in (
                "common.v1.common",
                "resource.v1.resource",
                "logs.v1.logs",
                "collector.logs.v1.logs_service",
            )
        ]
        protobuf = import_module("google.protobuf.descriptor_pb2")
        pools = import_module("google.protobuf.descriptor_pool")
        factory = import_module("google.protobuf.message_factory")
        error: type[Exception] = import_module("google.protobuf.message").DecodeError
    except ImportError:
        raise MissingExtraError("otlp", "opentelemetry-proto") from None
    kinds = protobuf.FieldDescriptorProto
    view = protobuf.FileDescriptorProto(name="view.proto", package="view", syntax="proto3")
    for schema in schemas:
        whole = protobuf.FileDescriptorProto()
        schema.CopyToProto(whole)
        for message in whole.message_type:
            for field in message.field:
                if field.type in (kinds.TYPE_MESSAGE, kinds.TYPE_STRING):
                    field.type = kinds.TYPE_BYTES
                elif field.type == kinds.TYPE_ENUM:
                    field.type = kinds.TYPE_INT32
                field.ClearField("type_name")
            view.message_type.append(message)
    pool = pools.DescriptorPool()
    pool.Add(view)
    found = pool.FindFileByName("view.proto").message_types_by_name
    return {name: factory.GetMessageClass(kind) for name, kind in found.items()}, error
