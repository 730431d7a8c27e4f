"""Records of OTLP become lines: the same ones from both encodings, and nothing that harms."""

from __future__ import annotations

import contextlib
import json
import random
import time
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import MissingExtraError
from logwright.logs.batch import Block
from logwright.logs.json_lines import JsonLines
from logwright.stream import otlp_protobuf
from logwright.stream.http_requests import RefusedError
from logwright.stream.otlp import unzipped
from logwright.stream.otlp_json import decode_json
from logwright.stream.otlp_protobuf import protobuf_decoder
from logwright.stream.otlp_records import Bounds, MalformedError, TooMuchError

pytest.importorskip("opentelemetry.proto", reason="needs opentelemetry-proto, the extra otlp")

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from otlp_samples import NOW, as_json, fill, mutated, request, requests


class TestRecords:
    decode = staticmethod(protobuf_decoder(Bounds()))

    @given(requests())
    def test_both_encodings_give_the_same_lines(self, whole: Any) -> None:
        found = self.decode(whole.SerializeToString(), 7)
        assert decode_json(as_json(whole), 7, Bounds()) == found
        records = [
            record
            for part in whole.resource_logs
            for scope in part.scope_logs
            for record in scope.log_records
        ]
        lines = found.data.decode().split("\n")
        assert lines.pop() == ""
        assert (found.records, found.rejected) == (len(records), 0)
        for record, line in zip(records, lines, strict=True):
            told = json.loads(line)
            assert set(told) >= {"time", "severity", "service.name", "host.name", "body"}
            assert set(told["attributes"]) == {pair.key for pair in record.attributes}
            if record.body.WhichOneof("value") == "string_value":
                assert told["body"] == record.body.string_value
            times = (record.time_unix_nano, record.observed_time_unix_nano)
            assert told["time"] in (*times, 7)
            assert told["time"] < 2**63

    def test_the_reader_finds_every_role_from_any_first_line(self) -> None:
        bare = ExportLogsServiceRequest()
        bare.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "first"
        full = request("card 12 declined", log_record_template="card <*> declined")
        lines = [self.decode(r.SerializeToString(), NOW).data for r in (bare, full)]
        for samples in (lines, lines[:1]):
            reader = JsonLines(samples)
            found = reader.columns(Block(b"".join(lines), 0, 0, 1))
            assert found.buf == b"first\ncard 12 declined\n"
            assert found.ts.tolist() == [NOW, NOW]
            assert [found.level.values[i] for i in found.level.codes] == [b"", b"ERROR"]
            assert [found.host.values[i] for i in found.host.codes] == [b"", b"web1"]
            assert [found.component.values[i] for i in found.component.codes] == [b"", b"shop"]
        found = JsonLines(lines).columns(Block(b"".join(lines), 0, 0, 1))
        assert found.template is not None
        assert found.template[0] == b"first\ncard <*> declined\n"

    @pytest.mark.parametrize(
        ("change", "body"),
        [
            (lambda r: r.ClearField("body"), '{"a":"b"}'),
            (lambda r: setattr(r, "event_name", "paid") or r.ClearField("body"), "paid"),
            (lambda r: fill(r.body, {"x": [1, True]}), '{"x":[1,true]}'),
            (lambda r: fill(r.body, 5), "5"),
            (lambda r: fill(r.body, "two\nlines\0"), "two\nlines\0"),
        ],
    )
    def test_what_the_message_is(self, change: Callable[[Any], object], body: str) -> None:
        whole = request("x", a="b")
        change(whole.resource_logs[0].scope_logs[0].log_records[0])
        assert json.loads(self.decode(whole.SerializeToString(), 1).data)["body"] == body
        assert json.loads(decode_json(as_json(whole), 1, Bounds()).data)["body"] == body

    def test_text_that_is_not_utf8_costs_a_character(self) -> None:
        raw = request("good", "b\x01d").SerializeToString().replace(b"b\x01d", b"b\xffd")
        found = self.decode(raw, 1)
        assert (found.records, found.rejected) == (2, 0)
        assert json.loads(found.data.splitlines()[1])["body"] == "b\ufffdd"

    def test_a_broken_record_is_left_out_and_counted(self) -> None:
        raw = request("good", "body").SerializeToString().replace(b"\x04body", b"\x7fbody")
        found = self.decode(raw, 1)
        assert (found.records, found.rejected) == (1, 1)
        assert "LogRecord" in found.reason
        broken = json.loads(as_json(request("good", "bad")))
        records = broken["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
        records[1]["body"] = {"stringValue": 5}
        found = decode_json(json.dumps(broken).encode(), 1, Bounds())
        assert (found.records, found.rejected) == (1, 1)
        assert "stringValue" in found.reason

    def test_values_nested_too_deep_are_refused_alone(self) -> None:
        whole, value = request("good"), AnyValue()
        for _ in range(40):
            outer = AnyValue()
            outer.array_value.values.append(value)
            value = outer
        record = whole.resource_logs[0].scope_logs[0].log_records.add()
        record.body.CopyFrom(value)
        for found in (
            self.decode(whole.SerializeToString(), 1),
            decode_json(as_json(whole), 1, Bounds()),
        ):
            assert (found.records, found.rejected) == (1, 1)
            assert "deeper than 32" in found.reason

    def test_what_is_too_large_is_cut_or_refused(self) -> None:
        bounds = Bounds(records=8, values=10, lines=5_000, body=50, attributes=60, resource=100)
        decode = protobuf_decoder(bounds)

        def both(whole: Any) -> Any:
            found = decode(whole.SerializeToString(), 1)
            assert decode_json(as_json(whole), 1, bounds) == found
            return found

        found = both(request("x" * 80, a="b" * 100))
        told = json.loads(found.data)
        assert (told["body"], told["attributes"], found.cut) == ("x" * 50, {}, 2)
        large = request("x")
        large.resource_logs[0].resource.attributes.add(key="k").value.string_value = "v" * 100
        told = json.loads(both(large).data)
        assert "resource" not in told
        assert told["service.name"] == "shop"
        for whole in (
            request(*"1234567"),  # with its resource and its scope
            request(*"123456", a="1", b="2"),
        ):
            for call in (
                lambda w=whole: decode(w.SerializeToString(), 1),
                lambda w=whole: decode_json(as_json(w), 1, Bounds(7, 9, 1_200)),
            ):
                with pytest.raises(TooMuchError, match=r"send smaller batches|at most"):
                    call()

    def test_lines_share_one_bound(self) -> None:
        whole, bounds = request(*["x" * 60] * 6), Bounds(lines=1_000)
        for call in (
            lambda: protobuf_decoder(bounds)(whole.SerializeToString(), 1),
            lambda: decode_json(as_json(whole), 1, bounds),
        ):
            with pytest.raises(TooMuchError, match=r"1,000 bytes at most"):
                call()

    @given(requests(), st.randoms(use_true_random=False))
    def test_mutated_requests_never_crash(self, whole: Any, rng: random.Random) -> None:
        for raw, decode in (
            (whole.SerializeToString(), self.decode),
            (as_json(whole), lambda body, at: decode_json(body, at, Bounds())),
        ):
            for _ in range(5):
                with contextlib.suppress(MalformedError, TooMuchError):
                    found = decode(mutated(raw, rng), 1)
                    assert found.data.count(b"\n") == found.records
                    for line in found.data.splitlines():
                        json.loads(line)

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b'{"resourceLogs":[' + b"{}," * 4_000_000 + b"{}]}",
            b'{"resourceLogs": {"a": 1}}',
            b'{"resourceLogs": [5]}',
            b"[]",
            b"9" * 10_000,
            b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":1e400}]}]}]}'[:-3],
            b"\xff\xfe",
            b"",
        ],
    )
    def test_hostile_json_is_refused_in_little_memory(self, body: bytes) -> None:
        tracemalloc.start()
        try:
            with pytest.raises((MalformedError, TooMuchError)):
                decode_json(body, 1, Bounds())
            assert tracemalloc.get_traced_memory()[1] < 64 << 20
        finally:
            tracemalloc.stop()

    def test_odd_numbers_of_json_reject_a_record_each(self) -> None:
        records = ",".join(
            f'{{"timeUnixNano":{value}}}' for value in ('"1x"', "1.5", "1e999", "true", "[]")
        )
        body = f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}'
        assert decode_json(body.encode(), 1, Bounds())[1:3] == (0, 5)

    @pytest.mark.parametrize("tag", [b"\x0a\x00", b"\x0a\x02\x12\x00", b"\x0a\x04\x12\x02\x12\x00"])
    def test_many_empty_parts_are_refused_at_once(self, tag: bytes) -> None:
        start = time.process_time()
        with pytest.raises(TooMuchError):
            self.decode(tag * 1_000_000, 1)
        assert time.process_time() - start < 2

    def test_a_bomb_is_not_unpacked(self) -> None:
        stream = zlib.compressobj(wbits=31)
        bomb = b"".join(stream.compress(bytes(1 << 20)) for _ in range(64)) + stream.flush()
        tracemalloc.start()
        try:
            with pytest.raises(RefusedError) as refused:
                unzipped(bomb, 1 << 20)
            assert tracemalloc.get_traced_memory()[1] < 8 << 20
        finally:
            tracemalloc.stop()
        assert refused.value.status == 413

    def test_without_the_extra_there_is_one_sentence(self, monkeypatch: Any) -> None:
        def absent(name: str) -> Any:
            raise ModuleNotFoundError(name)

        monkeypatch.setattr(otlp_protobuf, "import_module", absent)
        with pytest.raises(MissingExtraError, match=r"logwright\[otlp\]"):
            protobuf_decoder(Bounds())
