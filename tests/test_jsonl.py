"""Findings as JSON lines."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import LogwrightError
from logwright.findings import jsonl
from logwright.findings.finding import Finding

HERE = Path(__file__).parent
SAMPLE = (HERE / "golden" / "findings.jsonl").read_text(encoding="utf-8")
ONE: dict[str, Any] = json.loads(SAMPLE.splitlines()[0])
FINDING = Finding.model_validate(ONE)


def test_round_trip_is_byte_for_byte() -> None:
    stream = io.StringIO()
    assert jsonl.write(jsonl.read(SAMPLE.splitlines()), stream) == 7
    assert stream.getvalue() == SAMPLE


@given(st.text(st.characters(exclude_categories=["Cs"])), st.floats(allow_nan=False, width=32))
def test_any_text_and_number_comes_back(text: str, number: float) -> None:
    number = min(max(number, -1e30), 1e30)
    finding = FINDING.model_copy(update={"summary": text, "score": number})
    line = jsonl.dumps(finding)
    assert "\n" not in line
    assert list(jsonl.read([line])) == [finding]


def test_findings_of_before_there_were_hosts_and_reasons_are_read() -> None:
    old = json.loads(SAMPLE.splitlines()[0])
    del old["because"]
    for line in old["lines"]:
        del line["host"], line["component"]
    (found,) = jsonl.read([json.dumps(old)])
    assert (found.because, found.hosts) == (None, ())


def test_keys_are_in_the_order_of_the_schema() -> None:
    assert list(json.loads(jsonl.dumps(FINDING))) == list(jsonl.schema()["properties"])


def test_lone_surrogates_become_visible_escapes() -> None:
    line = jsonl.dumps(FINDING.model_copy(update={"seen": "a\udc80b\ud800"}))
    line.encode("utf-8")
    assert json.loads(line)["seen"] == r"a\x80b\ud800"


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_a_bug(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        jsonl.dumps(FINDING.model_copy(update={"score": number}))


def test_a_file_is_utf8_whatever_the_locale() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    jsonl.write([FINDING.model_copy(update={"seen": "日本"})], stream)
    stream.flush()
    assert "日本".encode() in raw.getvalue()
    assert b"\r" not in raw.getvalue()


def changed(**values: object) -> str:
    return json.dumps(ONE | values)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{", "x.jsonl, line 2: not a JSON object (Expecting property name"),
        ("[1]", "x.jsonl, line 2: expected a JSON object, got list."),
        ("[" * 100_000, "x.jsonl, line 2: not a JSON object (nested too deep)."),
        (changed(severity="urgent"), "x.jsonl, line 2: 'severity' is \"urgent\"; Input should be"),
        (changed(colour=1), "x.jsonl, line 2: 'colour' is not a key of a finding."),
        (changed(window={"kind": "time", "lines": 1}), "x.jsonl, line 2: 'window.key' is missing."),
        (changed(schema_version=2), "x.jsonl, line 2: 'schema_version' is 2; this version"),
        (changed(score=float("nan")), "x.jsonl, line 2: NaN is not a number in JSON."),
        (changed(score=12345.5).replace("12345.5", "1e999"), "x.jsonl, line 2: 'score' is not a"),
        ("{}", "x.jsonl, line 2: 'id' is missing."),
    ],
)
def test_bad_lines_are_named_in_one_sentence(line: str, sentence: str) -> None:
    with pytest.raises(LogwrightError) as caught:
        list(jsonl.read(["\n", line], name="x.jsonl"))
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_utf8_is_named() -> None:
    stream = io.TextIOWrapper(io.BytesIO(b"\n\xff\n"), encoding="utf-8")
    with pytest.raises(LogwrightError, match=r"x\.jsonl, near line 1: not UTF-8"):
        list(jsonl.read(stream, name="x.jsonl"))


def test_the_published_schema_is_this_one() -> None:
    published = HERE.parent / "docs" / "schema" / "finding.v1.json"
    assert json.loads(published.read_text(encoding="utf-8")) == jsonl.schema()
