"""Layouts: what they compile to, what they read, and what a mistake in one is told as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import FormatError
from logwright.logs import program as p
from logwright.logs.batch import NO_TIME
from logwright.logs.layout import TIMES, Layout, compile_layout, level_code, run_on
from logwright.logs.timestamps import iso


def read(layout: Layout | str, line: bytes) -> dict[str, object]:
    """What a layout reads from a line; values that are absent are left out."""
    program = (compile_layout(layout) if isinstance(layout, str) else layout).program
    content, ts, spans, status = run_on(program, [line])
    found: dict[str, object] = {"content": line[content[0] :], "status": int(status[0])}
    if ts[0] != NO_TIME:
        found["time"] = iso(int(ts[0]))
    for name, slot in p.SLOTS.items():
        if spans[0, 2 * slot] >= 0:
            found[name] = line[spans[0, 2 * slot] : spans[0, 2 * slot + 1]]
    return found


def test_fields_fill_slots_by_name() -> None:
    assert read("<Level> <Node> <x> <Logger>: <Message>", b"INFO web1 77  a.b: hello  there") == {
        "content": b"hello  there",
        "status": p.FULL,
        "level": b"INFO",
        "host": b"web1",
        "component": b"a.b",
    }


def test_the_better_name_gets_the_slot() -> None:
    found = read("<Process> <Component> <Content>", b"main org.x run")
    assert found["component"] == b"org.x"


def test_literals_must_match_and_spaces_match_any_run() -> None:
    assert read("[<level>] - <content>", b"[INFO]\t  -   x")["status"] == p.FULL
    assert read("[<level>] - <content>", b"(INFO) - x")["status"] == p.NONE


def test_a_field_between_brackets_may_hold_spaces() -> None:
    found = read("[<component>] (<_>) <content>", b"[Socket Reader #1] (a b) x")
    assert (found["component"], found["content"]) == (b"Socket Reader #1", b"x")


def test_dots_read_up_to_the_next_literal() -> None:
    assert read("<component...>@<_> <content>", b"a b:c@77 x")["component"] == b"a b:c"


def test_optional_parts() -> None:
    layout = "<component>{[<_>]}: <content>"
    assert read(layout, b"sshd[17]: hi") == read(layout, b"sshd: hi")
    assert read("{<pri>}<host> <content>", b"<13>web hi")["level"] == b"<13"
    assert read("{<pri>}<host> <content>", b"web hi")["host"] == b"web"


def test_backslash_takes_the_next_character_literally() -> None:
    assert read(r"\<<level>\> \{<content>", b"<INFO> {x")["content"] == b"x"


def test_a_mark_forgives_what_follows() -> None:
    found = read("<host> <?><component>: <content>", b"web last message repeated")
    assert found == {"content": b"last message repeated", "status": p.PARTIAL, "host": b"web"}


def test_an_unusual_rest_does_not_cost_the_time() -> None:
    layout = "<time:%H:%M:%S> [<level>] <content>"
    assert read(layout, b"10:00:00 hello") == {
        "content": b"hello",
        "status": p.PARTIAL,
        "time": "1970-01-01T10:00:00Z",
    }
    assert read(layout, b"10:00:00")["time"] == "1970-01-01T10:00:00Z"


@pytest.mark.parametrize(
    ("pattern", "text", "want"),
    [
        ("%Y-%m-%d %H:%M:%S,%f", "2015-10-18 18:01:47,978", "2015-10-18T18:01:47.978Z"),
        ("%Y-%m-%dT%H:%M:%S{.%f}%z", "2024-05-01T10:00:00+02:00", "2024-05-01T08:00:00Z"),
        ("%Y-%m-%dT%H:%M:%S{.%f}%z", "2024-05-01T10:00:00.5-0130", "2024-05-01T11:30:00.500Z"),
        ("%y%m%d %H%M%S", "081109 203615", "2008-11-09T20:36:15Z"),
        ("%a %b %e %H:%M:%S %Y", "Sun Dec  4 04:47:44 2005", "2005-12-04T04:47:44Z"),
        ("%b %e, %Y %I:%M:%S %p", "May 01, 2024 12:00:01 AM", "2024-05-01T00:00:01Z"),
        ("%m/%d/%Y %I:%M:%S %p", "05/01/2024 1:02:03 PM", "2024-05-01T13:02:03Z"),
        ("%s", "1117838570", "2005-06-03T22:42:50Z"),
        ("%s", "1117838570123", "2005-06-03T22:42:50.123Z"),
        ("%s{.%f}", "1117838570.25", "2005-06-03T22:42:50.250Z"),
        ("%d/%b/%Y:%H:%M:%S %z", "10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36Z"),
        ("%Y%%%m%d", "2024%0501", "2024-05-01T00:00:00Z"),
        ("%Y-%m-%d %H:%M:%S", "2024-02-30 10:00:00", None),
    ],
)
def test_time_codes(pattern: str, text: str, want: str | None) -> None:
    found = read(f"<time:{pattern}> <content>", f"{text} x".encode())
    assert found["status"] == p.FULL
    assert found.get("time") == want


def test_every_known_time_compiles_and_tells_what_it_names() -> None:
    for pattern in TIMES:
        layout = compile_layout(f"<time:{pattern}> <content>")
        assert layout.time
        assert layout.names_year == any(code in pattern for code in ("%Y", "%y", "%s"))
        assert layout.names_day == (layout.names_year or "%d" in pattern or "%e" in pattern)
        assert layout.names_zone == any(code in pattern for code in ("%z", "%s"))


@pytest.mark.parametrize(
    ("layout", "line", "want"),
    [
        (
            "<Date> <Time> <Level> <Content>",
            "2015-10-18 18:01:47,978 INFO x",
            "%Y-%m-%d %H:%M:%S{.%f}{,%f}",
        ),
        (
            "<Month> <Date> <Time> <Host> <Content>",
            "Jun 14 15:16:01 combo x",
            "%b %e %H:%M:%S{.%f}{,%f}",
        ),
        (
            "<Date> <Time>, <Level> <Content>",
            "2016-09-28 04:30:30, Info x",
            "%Y-%m-%d %H:%M:%S{.%f}",
        ),
        (r"\[<Time>\] <Content>", "[Sun Dec 04 04:47:44 2005] x", "%a %b %e %H:%M:%S{.%f}{,%f} %Y"),
        (
            "<Label> <Timestamp> <Date> <Node> <Time> <Content>",
            "- 1117838570 2005.06.03 R1 12:00:00 x",
            "%s{.%f}",
        ),
        (
            "<Time> <Node> <Date> <Content>",
            "12:00:00 R1 2005-06-03T12:00:00Z x",
            "%Y-%m-%dT%H:%M:%S{.%f}{,%f}%z",
        ),
    ],
)
def test_plain_time_fields_are_found_in_samples(layout: str, line: str, want: str) -> None:
    assert f"<time:{want}>" in compile_layout(layout, [line.encode()] * 3).text


def test_without_samples_plain_time_fields_are_skipped() -> None:
    assert not compile_layout("<Date> <Time> <Content>").time


def test_a_layout_that_fits_no_sample_is_left_as_it_is() -> None:
    assert compile_layout("[<Date> <Content>", [b"nothing alike"]).text == "[<Date> <Content>"


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ("<Date> <Tim", "column 8: '<' is not closed"),
        ("<a> {[<b>", "column 5: '{' is not closed"),
        ("<a> } <content>", "column 5: '}' closes nothing"),
        ("<content> <level>", "column 10: nothing may follow the content"),
        ("<level><host> <content>", "column 8: two fields need a space or text between them"),
        ("<level> <> <content>", "column 9: a field needs a name"),
        ("<time:%Q> <content>", "column 7: '%Q' is not one of %Y"),
        ("<time:%Y <content>", "column 1: '<' is not closed"),
        ("<time:> <content>", "column 1: a time needs a pattern"),
        ("{} <content>", "column 1: an optional part must not be empty"),
        ("{<host>} <content>", "column 1: an optional part must begin with"),
        ("<a>{[x]}{(y)}{#z} <content>", "column 1: a field can end at two different characters"),
        ("<a...> <content>", "column 1: '...' needs one character that ends the field"),
        ("", "column 1: a layout needs fields"),
    ],
)
def test_mistakes_name_their_column(layout: str, message: str) -> None:
    with pytest.raises(FormatError) as error:
        compile_layout(layout)
    assert message in str(error.value)
    assert str(error.value).startswith(f"layout {layout!r} column ")
    assert "\n" not in str(error.value)


def test_a_time_that_is_not_known_is_told() -> None:
    with pytest.raises(
        FormatError, match=r"column 1: no known time fits <Date> in the sampled lines"
    ):
        compile_layout("<Date> <Level> <Content>", [b"yesterday INFO x"])


@given(st.text("<>{}\\%: []abtime:YmdHMSf?.", max_size=24))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    try:
        layout = compile_layout(text)
    except FormatError:
        return
    assert len(layout.program) % 4 == 0
    run_on(layout.program, [b"", b"abc 10:00 [x]"])


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_a_label_never_reaches_the_message(lines: list[bytes]) -> None:
    layout = compile_layout("<time:%s> <level>: <content>").labelled()
    for rest in lines:
        found = read(layout, b"KERNDTLB " + rest.lstrip(b" \t"))
        assert found["label"] == b"KERNDTLB"
        assert b"KERNDTLB" not in found["content"] or b"KERNDTLB" in rest


@pytest.mark.parametrize(
    ("code", "names"),
    [
        (0, "chatty 10 <999x main -"),
        (1, "TRACE V verbose FINEST"),
        (2, "DEBUG D dbg FINE"),
        (3, "INFO I inf Information LOG"),
        (4, "NOTICE note"),
        (5, "WARN W warning [Warn] <12"),
        (6, "ERROR E err SEVERE <11"),
        (7, "FATAL F FAILURE critical emerg ALERT panic <0 <8"),
    ],
)
def test_levels(code: int, names: str) -> None:
    assert [level_code(name.encode()) for name in names.split()] == [code] * len(names.split())
