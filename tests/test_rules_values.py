"""Values: columns hold what rules read from the same lines, and names and counters are left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from logwright.rules.induction.drafts import written
from logwright.rules.induction.places import Place
from logwright.rules.induction.predicates import Condition, Kind
from logwright.rules.induction.probes import Probe
from logwright.rules.induction.sightings import Sightings
from logwright.rules.induction.signs import Sign
from logwright.rules.induction.values import Values
from logwright.rules.language.emit import callable_of
from logwright.rules.language.gate import parse
from logwright.rules.language.plain import number
from logwright.windows.window import Windows
from valued_windows import BEAT, IDS, TEXTS, Logged, healthy, link, took

LINES = st.one_of(
    st.builds(took, st.sampled_from([0, 5, 50, 51, 1000, "-5", "5.5", "n/a", ""])),
    st.builds(link, st.sampled_from(["up", "standby", "failed", "up-ish", "9"]), st.integers(0, 9)),
    st.just(BEAT),
    st.builds(
        lambda a, b: (3, f"it took {a} ms and {b} tries"), st.integers(0, 99), st.integers(0, 9)
    ),
)
WINDOWS = st.lists(st.lists(LINES, max_size=6), min_size=1, max_size=8)
KINDS: list[Kind] = ["has", "only", "count", "opens", "closes", "more", "before", "followed"]


def probes(values: Values) -> list[Probe]:
    """Some of each form, for each column."""
    found = []
    for column in values.columns:
        if column.words:
            found += [
                Probe(column.place, words=tuple(sorted(column.words[:2])), others=o)
                for o in (True, False)
            ]
        else:
            limits = ((None, 50.0), (50.0, None), (5.0, 50.0), (5.5, None))
            found += [Probe(column.place, column.held, low, high) for low, high in limits]
    return found


@settings(max_examples=60)
@given(WINDOWS, st.data())
def test_columns_and_source_agree(said: list[list[tuple[int, str]]], data: st.DataObject) -> None:
    logged = Logged([*healthy(30), *said])
    values = logged.values
    assume(values.columns)
    a = data.draw(st.sampled_from(probes(values)))
    kind = data.draw(st.sampled_from(KINDS))
    b = Sign("phrase", "link") if kind in ("more", "before", "followed") else None
    condition = Condition(kind, a, b, data.draw(st.integers(1, 3)), data.draw(st.booleans()))
    table = Sightings(logged.windows, TEXTS, IDS, values)
    rule = callable_of(parse(written([condition], ["Told."])))
    assert condition.holds(table).tolist() == [rule(window) for window in logged.plainly()]


@given(WINDOWS)
def test_a_column_holds_what_a_rule_would_read(said: list[list[tuple[int, str]]]) -> None:
    logged = Logged([*healthy(30), *said])
    every = [text for window in logged.lines for _, text in window]
    for column in logged.values.columns:
        if not column.words:
            read = [number(column.place.pattern(column.held), text) for text in every]
            np.testing.assert_array_equal(column.at(np.arange(len(every))), read)


def held(text: str, lines: list[str]) -> list[str]:
    """The expressions for the numbers, and the words, of the places worth reading."""
    windows = Windows.of_sequences([[0]] * len(lines))
    values = Values.of(windows, [text], lambda rows: [lines[row] for row in rows])
    return [column.held or " ".join(sorted(column.words)) for column in values.columns]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([i * 7 % 50 for i in range(90)], [r"(\d+)"]),
        ([i * 7 % 50 - 9 for i in range(90)], [r"(-?\d+)"]),
        ([f"{i * 7 % 50}.5" for i in range(90)], [r"(\d+(?:\.\d+)?)"]),
        ([f"{i * 7 % 50}ms" for i in range(90)], [r"(\d+)ms"]),
        (["up", "down"] * 45, ["down up"]),
        (list(range(5000, 5090)), []),  # counts something
        ([10**8 + i * 7919 % 10**4 for i in range(90)], []),  # as wide as names are
        ([f"{i * 7 % 50:03}" for i in range(90)], []),  # so are leading zeros
        ([f"{i * 7 % 50}{'ms' if i % 2 else 's'}" for i in range(90)], []),
        ([f"user{'abcdefghij'[i % 10]}" for i in range(90)], []),  # many words
        ([i * 7 % 50 for i in range(20)], []),  # too few lines
    ],
)
def test_numbers_and_few_words_are_kept(values: list[object], expected: list[str]) -> None:
    assert held("state <*> now", [f"state {value} now" for value in values]) == expected


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("from port <*>", False),
        ("child <*> found", False),
        ("pid=<*>, started", False),
        ("blockId: <*> lost", False),
        ("support <*> now", True),
        ("grid <*> now", True),
        ("id was <*> now", True),
    ],
)
def test_what_the_words_before_call_a_name_has_no_range(text: str, kept: bool) -> None:
    many = held(text, [text.replace("<*>", str(i * 7919 % 50_000)) for i in range(90)])
    assert many == ([r"(\d+)"] if kept else [])
    few = held(text, [text.replace("<*>", str(i * 7 % 3)) for i in range(90)])
    assert few == [r"(\d+)"]


def test_a_place_that_a_line_has_twice_tells_no_words() -> None:
    text, lines = "<*>: state <*>, on <*>", ["/7/x: state up, on /7/x"] * 90
    assert held(text, lines) == ["up"]
    assert held(text, [*lines, "/7/x: state up, on /7/x, state down, on /7/x"]) == []


def test_windows_may_share_records() -> None:
    windows = Windows.of_sequences([[0]] * 60)
    windows.events.row = np.repeat(np.arange(30), 2)
    values = Values.of(windows, TEXTS, lambda rows: [f"took {row * 7 % 20} ms" for row in rows])
    probe = Probe(Place("took ", " ms", True, True), r"(\d+)", high=6)
    assert values.holds(probe, windows.events.row)[:4].tolist() == [False, False, True, True]
