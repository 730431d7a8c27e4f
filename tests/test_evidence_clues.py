"""Clues: columns, times, phrases, traces, retries, gaps, links and lift, as the lines have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.logs.batch import NO_TIME
from logwright.reasoning.answer import Answer, problems
from logwright.reasoning.evidence.clues import Clues
from logwright.reasoning.evidence.columns import ERROR, INFO, NO_LEVEL, WARNING, Columns
from logwright.reasoning.evidence.gaps import longest_gap
from logwright.reasoning.evidence.lift import Lift
from logwright.reasoning.evidence.links import Peer, peers
from logwright.reasoning.evidence.moments import moment
from logwright.reasoning.evidence.phrases import MOST, Phrases
from logwright.reasoning.evidence.retries import retries
from logwright.reasoning.evidence.traces import chains
from logwright.reasoning.material import Material
from logwright.reasoning.task import Task


def columns(*lines: str) -> Columns:
    return Columns.of(Material.of_lines(lines))


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("2026-01-01 10:00:00,1 ERROR [x] y", ERROR),
        ("10:00 WARN  x", WARNING),
        ("INFO error count", INFO),
        ('{"level":"error","msg":"x"}', ERROR),
        ('{"severity": "Warning"}', WARNING),
        ("level=info msg=error", INFO),
        ("[Sun Dec 04 04:47:44 2005] [error] mod_jk", ERROR),
        ("<warn> x", WARNING),
        ("TERRORS and INFORMATION", NO_LEVEL),
        ("x" * 500 + " ERROR", NO_LEVEL),
        ("no error here", NO_LEVEL),
        ("", NO_LEVEL),
    ],
)
def test_the_level_is_that_of_the_header(line: str, level: int) -> None:
    assert columns("INFO before", line, "ERROR behind").level.tolist()[1] == level


def test_a_line_without_a_level_at_the_edges_takes_none_from_beside_it() -> None:
    assert columns("x", "ERROR", "y").level.tolist() == [NO_LEVEL, ERROR, NO_LEVEL]


times = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
)


@given(st.lists(times, min_size=1, max_size=20), st.sampled_from([" ", "T"]), st.booleans())
def test_times_are_read_alike_in_columns_and_one_by_one(
    drawn: list[datetime], between: str, parts: bool
) -> None:
    form = f"%Y-%m-%d{between}%H:%M:%S"
    texts = [at.strftime(form) + f",{at.microsecond // 1000:03d}" * parts for at in drawn]
    found = columns(*(f"{text} INFO x" for text in texts)).time.tolist()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    kept = [at if parts else at.replace(microsecond=0) for at in drawn]
    assert found == [(at - epoch) // timedelta(microseconds=1) * 1000 for at in kept]
    assert found == [moment(text.encode()) for text in texts]


@pytest.mark.parametrize(
    ("one", "later"),
    [
        (b"Mar  1 04:12:00 db1 x", b"Mar  1 04:12:01 db1 x"),
        (b"[Sun Dec 04 04:47:44 2005] x", b"[Sun Dec 04 04:47:45 2005] x"),
        (b'1.2.3.4 - [10/Oct/2000:13:55:36 -0700] "GET', b"1.2.3.4 - [10/Oct/2000:20:55:37 +0000]"),
        (b"04:12:00 x", b"04:12:01 x"),
        (b'{"ts":1700000000.0}', b'{"ts":1700000001.0}'),
        (b"2026-01-01T02:00:00+02:00 x", b"2026-01-01T00:00:01Z x"),
    ],
)
def test_times_of_many_forms_are_a_second_apart(one: bytes, later: bytes) -> None:
    assert moment(later) - moment(one) == 1_000_000_000


@pytest.mark.parametrize("line", [b"", b"x", b"2026-02-31 10:00:00 x", b"99:99:99", b"12345"])
def test_what_is_no_time_is_none(line: bytes) -> None:
    assert moment(line) == NO_TIME


def test_lines_of_a_trace_have_the_time_above_them_but_not_of_another_source() -> None:
    one = Material.of_lines(["2026-01-01 10:00:00 ERROR x", "\tat a.b.c(D.java:1)"], "a.log")
    two = Material.of_lines(["no time", "2026-01-01 10:00:09 INFO y"], "b.log")
    found = Columns.of(Material.joined([one, two])).time.tolist()
    assert found[0] == found[1] != NO_TIME
    assert found[2] == NO_TIME


def test_line_ends_in_lines_and_broken_characters_move_nothing() -> None:
    found = columns("a\nb", "c\rd", "\ud800 x", "\udcff y", "ERROR z")
    assert len(found) == 5
    assert found.level.tolist()[4] == ERROR


def test_phrases_stand_alone_and_are_not_denied() -> None:
    found = Phrases([("x", "oom"), ("y", "disk * full")]).find(
        columns("oom", "room", "no oom today", "oom: 0", "Disk sdb1 is FULL", "disk", "full")
    )
    assert {name: sorted(lines) for name, lines in found.items()} == {"x": [0], "y": [4]}


def test_a_phrase_is_told_of_so_often_at_most() -> None:
    found = Phrases([("x", "oom")]).find(columns(*["oom"] * (MOST + 5)))
    assert sorted(found["x"]) == list(range(MOST))


def test_the_root_of_a_python_trace_is_what_was_raised_first() -> None:
    trace = """ERROR job
Traceback (most recent call last):
  File "a.py", line 1, in f
    load()
KeyError: 'id'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "b.py", line 9, in g
    raise JobError("no job")
app.JobError: no job"""
    (chain,) = chains(columns(*trace.split("\n")))
    assert (chain.kind, chain.root) == ("KeyError", 4)


def test_wrappers_are_worth_less_than_what_they_wrap() -> None:
    clues = Clues.of(Material.of_lines([
        "ERROR x", "java.lang.IllegalStateException: no", "\tat a.b.C.d(C.java:1)",
        "Caused by: java.net.UnknownHostException: db",
    ]))  # fmt: skip
    assert clues.wrappers == {1}


def test_retries_are_counted_and_their_end_is_seen() -> None:
    tried = retries(columns("retrying", "x", "connect: Already tried 9 time(s)", "giving up"))
    assert tried is not None
    assert (tried.lines, tried.most, tried.given_up, tried.exhausted) == ((0, 2), 9, 3, True)
    assert retries(columns("all well")) is None


def test_a_pause_is_a_gap_only_where_it_stands_out() -> None:
    steady = [f"12:{n:02d}:00 step" for n in range(30)]
    assert longest_gap(columns(*steady)) is None
    gap = longest_gap(columns(*[f"12:00:{n:02d} step" for n in range(30)], "12:30:00 step"))
    assert gap is not None
    assert (gap.before, gap.behind) == (29, 30)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("connect to 10.0.0.4:5432 failed", [Peer("10.0.0.4", "5432")]),
        ("at a.b.C.d(C.java:41) x.py:3", []),
        ("block BP-17-10.0.0.9-144 of 10.0.0.3", [Peer("10.0.0.3", "")]),
        ("node web-3 is not ready", [Peer("web-3", "")]),
        ("12:30:41 version 1.2.3.4.5", []),
    ],
)
def test_machines_are_told_from_what_looks_like_them(line: str, found: list[Peer]) -> None:
    assert peers(line) == found


def test_the_nearest_healthy_run_is_the_one_with_most_in_common() -> None:
    failing = ["12:00:03 close", "12:00:01 open", "12:00:02 odd one", "12:00:04 end"]
    healthy = [
        ["12:00:01 open", "12:00:02 close"],
        ["12:00:00 boot", "12:00:00 halt"],
        ["09:00:00 boot", "09:00:01 close"],
    ]
    material = Material.of_lines(failing)
    _, lift = Lift.of(material, [Material.of_lines(lines) for lines in healthy])
    assert (lift.nearest, lift.parts) == (1, 2)
    assert lift.share.tolist() == [pytest.approx(2 / 3), pytest.approx(1 / 3), 0, 0]
    assert Lift.of(material, [material])[1].parts == -1


@given(st.lists(st.text(max_size=80), min_size=1, max_size=12))
def test_every_line_can_be_cited(lines: list[str]) -> None:
    clues = Clues.of(Material.of_lines(lines))
    cited = tuple(clues.cite(n) for n in range(len(lines)))
    answer = Answer(task=Task.ROOT_CAUSE, verdict="", text="", citations=cited, confidence=0)
    assert problems(answer, clues.columns.material) == []


@pytest.mark.parametrize(
    "time", ["[01/Jan/9999:10:00:00 +0000]", "9999-01-01 10:00:00", "0001-01-01 00:00:00"]
)
def test_a_year_that_nanoseconds_cannot_tell_is_no_time(time: str) -> None:
    lines = [f"{time} ERROR disk full", f"x {time} ready"]
    assert set(columns(*lines).time.tolist()) == {NO_TIME}


def test_of_a_line_ten_thousand_characters_are_looked_at() -> None:
    far = ["x" * 20_000 + " ERROR disk full", "y"]
    assert columns(*far).level.tolist() == [0, 0]
    assert not Clues.of(Material.of_lines(far)).hits
