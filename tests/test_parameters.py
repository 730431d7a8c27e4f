"""Parameters: exact round trip, and the types of values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.templates.classes import is_value, value_type
from logwright.templates.parameters import Parameter, fit, render

PARTS = st.lists(st.binary(max_size=4), min_size=1, max_size=5).map(tuple)
INK = st.binary(max_size=4).map(lambda b: b.translate(None, b" \t\r\n\x0b\x0c"))


@given(PARTS, st.binary(max_size=60))
def test_any_line_comes_back(parts: tuple[bytes, ...], line: bytes) -> None:
    assert render(parts, fit(parts, line)) == line


@given(st.lists(INK, min_size=1, max_size=5).map(tuple), st.data())
def test_lines_that_fit_need_no_copy_of_the_line(
    parts: tuple[bytes, ...], data: st.DataObject
) -> None:
    values = [data.draw(INK) or b"1" for _ in parts[1:]]
    line = parts[0] + b"".join(v + p for v, p in zip(values, parts[1:], strict=True))
    assert "line" not in {p.type for p in fit(parts, line)}


def test_white_space_that_differs_keeps_the_values() -> None:
    first, last = fit((b"took ", b" ms"), b"took \t7 ms")
    assert first == Parameter(b"7", "number")
    assert last == Parameter(b"took \t7 ms", "line")


def test_render_needs_all_parameters() -> None:
    with pytest.raises(ValueError, match="1 parameters are needed, not 0"):
        render((b"a", b"b"), ())


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("42", "number"), ("-1.5e3", "number"), ("12ms", "amount"), ("50%", "amount"),
        ("0xdeadbeef", "hex"), ("cafebabe12", "hex"), ("192.168.0.1", "ip"), ("/10.0.0.1:22", "ip"),
        ("fe80::1", "ip"), ("123e4567-e89b-12d3-a456-426614174000", "uuid"),
        ("https://a.example.com/x?q=1", "url"), ("/var/log/x.1", "path"), ("C:\\Win\\a", "path"),
        ("ann@example.com", "user"), ("db1.example.com", "host"), ("db-1.local:5432", "host"),
        ("2024-05-01", "time"), ("12:30:01,123", "time"), ("v1.2.3", "version"), ("ann", "word"),
        ("a b", "list"), ("a+b*7", "other"), ("", "other"),
    ],
)  # fmt: skip
def test_types(value: str, kind: str) -> None:
    assert value_type(value.encode()) == kind


@pytest.mark.parametrize("token", ["com.example.App", "run.sh", "n/a", "workerEnv.init", "ok", "/"])
def test_words_are_not_values(token: str) -> None:
    assert not is_value(token.encode())
