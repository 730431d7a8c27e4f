"""Probes: what a line holds at a place, as a condition that says what it means."""

from __future__ import annotations

import pytest

from logwright.rules.engine.engine import Engine
from logwright.rules.engine.table import Table
from logwright.rules.induction.drafts import written
from logwright.rules.induction.places import Place
from logwright.rules.induction.predicates import Condition
from logwright.rules.induction.probes import Probe
from logwright.rules.language.emit import callable_of
from logwright.rules.language.gate import parse
from logwright.rules.language.plain import Window

MS = Place("took ", " ms", True, True)
LINK = Place("link is ", "", True, True)


@pytest.mark.parametrize(
    ("probe", "told", "yes", "no"),
    [
        (Probe(MS, r"(\d+)", high=500), "a number above 500", "took 501 ms", "took 500 ms"),
        (Probe(MS, r"(\d+)", low=10), "a number below 10", "took 9 ms", "took 10 ms"),
        (Probe(MS, r"(\d+)", 3, 3), "another number than 3", "took 4 ms", "took 3 ms"),
        (Probe(MS, r"(-?\d+)", low=-2.5), "a number below -2.5", "took -3 ms", "took -2 ms"),
        (Probe(MS, r"(\d+)", 3, 9), "a number below 3 or above 9", "took 2 ms", "no took 2 ms"),
        (Probe(LINK, words=("up",), others=True), "another word", "link is a+b", "link is up"),
        (Probe(LINK, words=("a+b", "up")), "'a+b', 'up'", "link is a+b", "link is aab"),
    ],
)
def test_it_passes_the_gate_and_holds_where_it_says(
    probe: Probe, told: str, yes: str, no: str
) -> None:
    condition = Condition("has", probe)
    function = parse(written([condition], ["Told."]))
    windows = [Window.of_texts([text, "other"]) for text in (yes, no, "another text")]
    assert [callable_of(function)(window) for window in windows] == [True, False, False]
    engine = Engine({"rule": function})
    assert not engine.plain
    assert engine.of_table(Table.of_windows(windows)).tolist() == [[True], [False], [False]]
    assert told in condition.told


def test_values_cost_more_to_read_than_words() -> None:
    limit = Condition("has", Probe(MS, r"(\d+)", high=500))
    assert Condition("has").cost < limit.cost < limit.turned().cost
