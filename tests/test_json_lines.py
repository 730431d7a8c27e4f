"""JSON lines: every line in is one row out, whatever it holds, read as columns or line by line."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.logs.batch import NO_TIME, Block
from logwright.logs.json_keys import find_keys
from logwright.logs.json_lines import Coded, JsonColumns, JsonLines
from logwright.logs.json_times import number_times, text_times

SAMPLE = (
    b'{"time": "2024-05-01T12:00:00Z", "level": "info", "host": "a", "logger": "b", "msg": "m m"}'
)
NOON = 1_714_564_800_000_000_000  # 2024-05-01T12:00:00Z


def messages(found: JsonColumns) -> list[bytes]:
    return [found.buf[a:b] for a, b in zip(found.start, found.end, strict=True)]


def values(column: Coded) -> list[bytes | None]:
    return [None if code < 0 else column.values[code] for code in column.codes]


def columns(text: bytes, sample: bytes = SAMPLE) -> JsonColumns:
    return JsonLines([sample]).columns(Block(text, 0, 0, 1))


def record(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_columns_of_a_block() -> None:
    text = b"\n".join(
        [
            record(time="2024-05-01T14:00:00.5+02:00", level="warn", msg="disk full", host="n1"),
            b"",
            b"panic: not JSON",
            record(level="info", msg="two\nlines\n", logger="db", extra={"msg": [1]}) + b"\r",
            b'  {"msg": "indented"}  ',
            record(msg="", host=None),
        ]
    )
    lines = JsonLines([SAMPLE])
    found = lines.columns(Block(text, 3, 1000, 7))
    assert messages(found) == [
        b"disk full",
        b"",
        b"panic: not JSON",
        b"two\\nlines",
        b"indented",
        b"",
    ]
    assert found.buf == b"".join(message + b"\n" for message in messages(found))
    assert found.ts.tolist() == [NOON + 500_000_000] + [NO_TIME] * 5
    assert values(found.level) == [b"warn", None, None, b"info", None, None]
    assert values(found.host) == [b"n1", None, None, None, None, None]
    assert values(found.component) == [None, None, None, b"db", None, None]
    starts = [0] + [i + 1 for i, char in enumerate(text) if char == 10]
    assert found.offset.tolist() == [1000 + start for start in starts]
    assert found.line_no.tolist() == [7, 8, 9, 10, 11, 12]
    assert [note.text for note in lines.notes("x")] == ["1 line is not JSON: taken as text"]


def test_a_record_without_the_message_key_is_its_other_fields() -> None:
    text = record(level="info", user="ann", code=5, ok=True, none=None, at={"x": 1.5}, list=[1])
    assert messages(columns(text)) == [b"at.x=1.5 code=5 ok=true user=ann"]
    assert messages(columns(record(msg=None, b=1, a="x"))) == [b"a=x b=1"]
    assert messages(columns(record(msg={"b": 1, "a": "é"}))) == ['{"a":"é","b":1}'.encode()]
    lines = JsonLines([record(code=5, user="ann")])
    assert lines.reason == "JSON lines: no message key: all fields as key=value"
    assert messages(lines.columns(Block(record(b=1, a=2), 0, 0, 1))) == [b"a=2 b=1"]


def test_a_record_too_deep_for_python_is_not_lost() -> None:
    deep = b'{"deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    lines = JsonLines([SAMPLE])
    assert messages(lines.columns(Block(record(msg="x") + b"\n" + deep, 0, 0, 1))) == [b"x", deep]
    assert lines.not_json == 1


TWISTS = [
    record(msg=5),
    record(msg=["a"]),
    record(msg="x", time=1714564800),
    record(msg="x", time=True),
    record(msg="x", time={"a": 1}),
    record(msg="x", host={"name": "a"}),
    record(msg="x", level=30),
    b'{"msg": "a"}{"msg": "b"}',
    b'{"msg": "a"} {"msg": "b"}',
    b'{"msg": "a"}\0{"msg": "b"}',
    b'{"msg": "a", /* }',
    b'{ */ "msg": "b"}',
    b'{"msg": "a"} // }',
    b'{"msg": "twice", "msg": "x"}',
    b'{"msg": "\xff\xfe bad UTF-8"}',
    b'{"time": "\xff2024", "msg": "x"}',
    b'{"msg": "\\ud800 half"}',
    b'{"msg": "nul \\u0000 tab \\t \\u2028"}',
    b'{"msg": "broken',
    b'{"msg": "raw \x01 control"}',
    b'{"msg":}',
    b"{}",
    b"{",
    b"}",
    b"{}}",
    b"[1, 2]",
    b'"text"',
    b"\xef\xbb\xbf{}",
    b'{"deep": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    b'{"deep": ' + b'{"a":' * 3000 + b"1" + b"}" * 3001,
    b'{"msg": "big", "time": ' + b"9" * 5000 + b"}",
    b'{"msg": "inf", "time": 1e999}',
    b'{"msg": "nan", "time": NaN}',
    record(msg="x", time="2024-13-45T99:00:00Z"),
    record(msg="x", time="٢٠٢٤"),
    b'{"msg": "' + b"x" * 100_000 + b'"}',
    b"plain text",
    b"",
    b"   ",
    b"\r",
]


def expected(line: bytes) -> bytes | None:
    """The message of a line, by the plainest means; None where this test does not say."""
    line = line.removesuffix(b"\r")
    try:
        value = json.loads(line.decode()) if line.strip().startswith(b"{") else None
    except (ValueError, RecursionError):
        return None if b"\xff" in line else line
    if not isinstance(value, dict):
        return line
    found = value.get("msg")
    if not isinstance(found, str) or "\ud800" in found:
        return None
    return found.rstrip("\r\n").replace("\r\n", "\n").replace("\n", "\\n").encode()


LINES = st.lists(
    st.one_of(
        st.sampled_from(TWISTS),
        st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")),
        st.builds(record, msg=st.text(), n=st.integers()),
        st.builds(record, msg=st.text(), time=st.sampled_from(["2024-05-01T12:00:00Z", "x"])),
    ),
    max_size=20,
)


@given(lines=LINES, end=st.booleans(), repeat=st.sampled_from([1, 1, 1, 40]))
def test_every_line_is_one_row_in_order(lines: list[bytes], end: bool, repeat: int) -> None:
    lines = lines * repeat
    text = b"\n".join(lines) + b"\n" * end
    if text and not text.endswith(b"\n"):
        lines = text.split(b"\n")
    else:
        lines = text.split(b"\n")[:-1]
    found = columns(text)
    got = messages(found)
    assert len(got) == len(lines)
    for column in (found.ts, found.level.codes, found.host.codes, found.offset, found.line_no):
        assert len(column) == len(lines)
    for row, (line, message) in enumerate(zip(lines, got, strict=True)):
        assert text[found.offset[row] :].startswith(line)
        wanted = expected(line)
        assert wanted is None or message == wanted.rstrip(b"\r\n") or message == wanted
        assert b"\n" not in message


@pytest.mark.parametrize("twist", TWISTS, ids=lambda twist: repr(twist[:30]))
def test_one_odd_line_disturbs_no_other(twist: bytes) -> None:
    good = [record(msg=f"line {i}", time="2024-05-01T12:00:00Z", host="h") for i in range(600)]
    text = b"\n".join([*good[:450], twist, *good[450:]])
    found = columns(text)
    got = messages(found)
    assert len(got) == 601
    del got[450]
    assert got == [b"line %d" % i for i in range(600)]
    ts = np.delete(found.ts, 450)
    assert (ts == NOON).all()
    assert values(found.host)[:450] == [b"h"] * 450


@pytest.mark.parametrize(
    ("sample", "reason", "level", "host", "component", "message"),
    [
        (
            {"timeUnixNano": str(NOON), "severityText": "WARN", "body": {"stringValue": "a b"}},
            "JSON lines: message 'body.stringValue', time 'timeUnixNano' (text), "
            "level 'severityText'",
            b"WARN", None, None, b"a b",
        ),
        (
            {"@timestamp": "2024-05-01T12:00:00.000Z", "log.level": "ERROR", "message": "a b",
             "service.name": "s", "host": {"name": "h"}},
            "JSON lines: message 'message', time '@timestamp' (text), level 'log.level', "
            "host 'host.name', component 'service.name'",
            b"ERROR", b"h", b"s", b"a b",
        ),
        (
            {"level": 30, "time": 1714564800000, "hostname": "h", "name": "n", "msg": "a"},
            "JSON lines: message 'msg', time 'time' (whole), level 'level', host 'hostname', "
            "component 'name'",
            b"INFO", b"h", b"n", b"a",
        ),
        (
            {"version": "1.1", "host": "h", "short_message": "a", "timestamp": 1714564800.0,
             "level": 3},
            "JSON lines: message 'short_message', time 'timestamp' (decimal), level 'level', "
            "host 'host'",
            b"ERROR", b"h", None, b"a",
        ),
        (
            {"log": "a\n", "stream": "stderr", "time": "2024-05-01T12:00:00.000000000Z"},
            "JSON lines: message 'log', time 'time' (text)",
            None, None, None, b"a",
        ),
        (
            {"t": {"$date": "2024-05-01T14:00:00.000+02:00"}, "s": "I", "c": "NETWORK", "id": 1,
             "ctx": "main", "msg": "a b"},
            "JSON lines: message 'msg', time 't.$date' (text), level 's', component 'c'",
            b"I", None, b"NETWORK", b"a b",
        ),
        (
            {"MESSAGE": "a", "__REALTIME_TIMESTAMP": "1714564800000000", "PRIORITY": "6",
             "_HOSTNAME": "h", "SYSLOG_IDENTIFIER": "sshd"},
            "JSON lines: message 'MESSAGE', time '__REALTIME_TIMESTAMP' (text), "
            "level 'PRIORITY', host '_HOSTNAME', component 'SYSLOG_IDENTIFIER'",
            b"INFO", b"h", b"sshd", b"a",
        ),
        (
            {"asctime": "2024-05-01 12:00:00,000", "levelname": "INFO", "name": "n",
             "what": "the longest text", "who": "a b"},
            "JSON lines: message 'what', time 'asctime' (text), level 'levelname', "
            "component 'name'",
            b"INFO", None, b"n", b"the longest text",
        ),
    ],
)  # fmt: skip
def test_well_known_layouts(
    sample: dict[str, Any],
    reason: str,
    level: bytes | None,
    host: bytes | None,
    component: bytes | None,
    message: bytes,
) -> None:
    line = json.dumps(sample).encode()
    lines = JsonLines([line, b"not JSON"])
    assert lines.reason == reason
    for text in (line, line + b"\n" + b"{} {}"):  # as columns, and line by line
        found = lines.columns(Block(text, 0, 0, 1))
        row = [c.values[c.codes[0]] if c.codes[0] >= 0 else None
               for c in (found.level, found.host, found.component)]  # fmt: skip
        assert row == [level, host, component]
        assert messages(found)[0] == message
        assert found.ts[0] == NOON


def test_keys_that_lie_in_one_another_are_not_both_used() -> None:
    keys = find_keys([record(log="a b"), record(log={"level": "info"}), record(msg="x", log="c d")])
    assert (keys.message, keys.level) == (("log",), None)
    keys = find_keys([record(log={"level": "info"}, x="a b"), record(log="long text here")])
    assert keys.level is None or keys.message == ("x",)
    JsonLines([record(log={"level": "info"}), record(log="some long text")])


def test_no_samples() -> None:
    lines = JsonLines([b"text"])
    assert lines.reason == "JSON lines: no JSON object among 1 sample lines"
    assert messages(lines.columns(Block(b'a\n{"b": 1}', 0, 0, 1))) == [b"a", b"b=1"]
    assert messages(JsonLines([]).columns(Block(b"a", 0, 0, 1))) == [b"a"]


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("2024-05-01T12:00:00Z", NOON),
        ("2024-05-01T12:00Z", NOON),
        ("2024-05-01 12:00:00", NOON),
        ("2024-05-01 12:00:00,250", NOON + 250_000_000),
        ("2024/05/01 12:00:00.250", NOON + 250_000_000),
        ("2024-05-01T12:00:00.123456789123Z", NOON + 123_456_789),
        ("2024-05-01T05:00:00-0700", NOON),
        ("2024-05-01T17:30:00+05:30", NOON),
        ("2024-05-01 12:00:00 UTC", NOON),
        ("2024-05-01 14:00:00 +0200", NOON),
        ("2024-05-01t12:00:00z", NO_TIME),
        ("1714564800", NOON),
        ("1714564800.5", NOON + 500_000_000),
        ("1714564800000", NOON),
        (str(NOON + 7), NOON + 7),
        ("2024-02-30T12:00:00Z", NO_TIME),
        ("9999-01-01T00:00:00Z", NO_TIME),
        ("99999999999999999999", NO_TIME),
        ("yesterday", NO_TIME),
        ("", NO_TIME),
        (None, NO_TIME),
    ],
)
def test_times(text: str | None, nanoseconds: int) -> None:
    alone = text_times(pa.array([text], pa.string()), "UTC")
    assert alone.tolist() == [nanoseconds]
    among = text_times(pa.array(["x", text, "2024-05-01T12:00:00Z", "1714564800"]), "UTC")
    assert among.tolist() == [NO_TIME, nanoseconds, NOON, NOON]


def test_the_zone_is_for_times_that_name_none() -> None:
    both = pa.array(["2024-05-01T14:00:00", "2024-05-01T12:00:00Z"])
    for zone in ("Europe/Berlin", "+02:00", "+0200"):
        assert text_times(both[:1], zone).tolist() == [NOON]
        assert text_times(both, zone).tolist() == [NOON, NOON]


def test_numbers_of_any_unit() -> None:
    whole = np.array([NOON // 10**9, NOON // 10**6, NOON // 10**3, NOON, 0, -5])
    assert number_times(whole).tolist() == [NOON] * 4 + [NO_TIME] * 2
    parts = np.array([1714564800.123456, 1714564800123.5, np.nan, np.inf])
    assert number_times(parts).tolist() == [NOON + 123_456_000, NOON + 123_500_000] + [NO_TIME] * 2


def test_a_key_that_is_not_utf8_is_no_column() -> None:
    line = b'{"timestamp": 1714557600123, "\xf6essage": "connection refused"}'
    lines = JsonLines([line] * 3)
    found = lines.columns(Block(line + b"\n", 0, 0, 1))
    assert b"connection refused" in found.buf


@given(
    st.recursive(
        st.one_of(st.text(), st.integers(-5, 5), st.booleans(), st.none()),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=4,
    ),
    st.dictionaries(st.sampled_from(["level", "x", "y"]), st.text(max_size=5), max_size=3),
)
def test_one_message_is_that_of_the_columns(message: Any, more: dict[str, str]) -> None:
    line = json.dumps({"msg": message, **more}).encode()
    assert JsonLines([SAMPLE]).message(line) == messages(columns(line + b"\n"))[0]
