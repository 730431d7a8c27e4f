"""Export requests of OTLP, in protobuf and in JSON, and what is left of them after an accident."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest
from hypothesis import strategies as st

pytest.importorskip("opentelemetry.proto", reason="needs opentelemetry-proto, the extra otlp")

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

NOW = 1_700_000_000_000_000_000


def request(*bodies: str, **attributes: str) -> Any:
    """A request with a record for each body."""
    whole = ExportLogsServiceRequest()
    part = whole.resource_logs.add()
    for key, value in (("service.name", "shop"), ("host.name", "web1")):
        part.resource.attributes.add(key=key).value.string_value = value
    scope = part.scope_logs.add()
    scope.scope.name = "shop.pay"
    for i, body in enumerate(bodies):
        record = scope.log_records.add(time_unix_nano=NOW + i, severity_number=17)
        record.body.string_value = body
        for key, value in attributes.items():
            record.attributes.add(key=key.replace("_", ".")).value.string_value = value
    return whole


def as_json(whole: Any) -> bytes:
    """A request in the JSON of OTLP: ids in hexadecimal digits, numbers of enumerations."""
    found = json_format.MessageToDict(whole, use_integers_for_enums=True)
    for part in found.get("resourceLogs", []):
        for scope in part.get("scopeLogs", []):
            for record in scope.get("logRecords", []):
                for name in ("traceId", "spanId"):
                    if name in record:
                        record[name] = base64.b64decode(record[name]).hex()
    return json.dumps(found).encode()


TEXTS = st.text(max_size=12)
KEYS = st.text(max_size=6)


def fill(value: Any, what: Any) -> None:
    match what:
        case bool():
            value.bool_value = what
        case int():
            value.int_value = what
        case float():
            value.double_value = what
        case bytes():
            value.bytes_value = what
        case str():
            value.string_value = what
        case list():
            value.array_value.SetInParent()
            for inner in what:
                fill(value.array_value.values.add(), inner)
        case dict():
            value.kvlist_value.SetInParent()
            for key, inner in what.items():
                pair = value.kvlist_value.values.add(key=key)
                pair.value.SetInParent()
                fill(pair.value, inner)


VALUES = st.recursive(
    st.one_of(
        st.none(),
        TEXTS,
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(),
        st.binary(max_size=6),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def requests(draw: st.DrawFn) -> Any:
    whole = ExportLogsServiceRequest()
    for _ in range(draw(st.integers(0, 2))):
        part = whole.resource_logs.add()
        names = KEYS | st.sampled_from(["service.name", "host.name"])
        for key, value in draw(st.dictionaries(names, VALUES, max_size=3)).items():
            pair = part.resource.attributes.add(key=key)
            pair.value.SetInParent()
            fill(pair.value, value)
        for _ in range(draw(st.integers(0, 2))):
            scope = part.scope_logs.add()
            scope.scope.name = draw(TEXTS)
            for _ in range(draw(st.integers(0, 3))):
                record = scope.log_records.add(
                    time_unix_nano=draw(st.sampled_from([0, NOW, 2**64 - 1])),
                    observed_time_unix_nano=draw(st.sampled_from([0, NOW + 5])),
                    severity_number=draw(st.integers(0, 24)),
                    severity_text=draw(TEXTS),
                    trace_id=draw(st.binary(max_size=16) | st.binary(min_size=16, max_size=16)),
                    span_id=draw(st.binary(min_size=8, max_size=8)),
                    event_name=draw(TEXTS),
                )
                body = draw(VALUES)
                if body is not None:
                    fill(record.body, body)
                for key, value in draw(st.dictionaries(KEYS, VALUES, max_size=3)).items():
                    pair = record.attributes.add(key=key)
                    pair.value.SetInParent()
                    fill(pair.value, value)
    return whole


def mutated(raw: bytes, rng: random.Random) -> bytes:
    found = bytearray(raw or b"\0")
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(found) + 1)
        match rng.randrange(4):
            case 0:
                found[at:at] = rng.randbytes(rng.randint(1, 4))
            case 1:
                del found[at : at + rng.randint(1, 8)]
            case 2:
                found[at : at + 1] = bytes([rng.randrange(256)])
            case _:
                found += found[at : at + 50]
    return bytes(found)
