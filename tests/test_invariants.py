"""Invariants: what healthy windows keep to is found without labels, and its breach is told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from logwright.rules.induction.drafts import Draft
from logwright.rules.induction.invariants import Limits, invariants
from logwright.rules.induction.sightings import Sightings
from logwright.rules.language.emit import callable_of
from logwright.rules.language.gate import parse
from logwright.windows.window import Windows
from rule_windows import IDS, TEXTS, plainly, sequences, timed

HEALTHY = [[0, 1], [0, 2, 1], [0, 1, 0, 1], [0, 2, 2, 1]]
FEW = Limits(support=3, broken=0.1)


def found(windows: Windows, check: int, limits: Limits = FEW) -> dict[str, Draft]:
    return {d.conditions[0].told: d for d in invariants(windows, TEXTS, IDS, check, limits)}


def broken(drafts: dict[str, Draft], templates: list[list[int]]) -> list[bool]:
    sightings = Sightings(Windows.of_sequences(templates), TEXTS, IDS)
    held = np.all([d.fires(sightings) for d in drafts.values()], axis=0)
    return (~held).tolist()


def test_what_always_held_is_proposed() -> None:
    told = found(Windows.of_sequences(HEALTHY * 40), 120)
    assert "as many lines have 'failed' as 'disk full'" in told
    assert any("'failed' is always followed by 'disk full'" in each for each in told)
    assert "the first line has 'failed'" in told
    assert "the last line has 'disk full'" in told


@pytest.mark.parametrize("wrong", [[0], [1, 0], [0, 2], [2], [0, 1] * 30])
def test_a_breach_is_seen(wrong: list[int]) -> None:
    drafts = found(Windows.of_sequences(HEALTHY * 40), 120)
    assert broken(drafts, [*HEALTHY, wrong]) == [False, False, False, False, True]


def test_a_few_incidents_in_history_are_no_counterproof() -> None:
    templates = HEALTHY * 100
    for at in (40, 130, 250):
        templates[at] = [0]
    drafts = found(Windows.of_sequences(templates), 300, Limits())
    assert "as many lines have 'failed' as 'disk full'" in drafts
    assert broken(drafts, [[0], [0, 1]]) == [True, False]


def test_what_no_longer_holds_in_validation_is_not_proposed() -> None:
    templates = HEALTHY * 40 + [[0], [0, 1]] * 20
    assert "as many lines have 'failed' as 'disk full'" not in found(
        Windows.of_sequences(templates), 160
    )


def test_what_follows_from_others_is_left_out() -> None:
    drafts = found(Windows.of_sequences([[0, 1, 2]] * 60), 50)
    assert sum("as many lines" in told for told in drafts) == 2


def test_what_the_same_windows_break_is_told_once() -> None:
    templates = [[0, 1, 2]] * 400
    for at in (30, 90, 150):
        templates[at] = [0]
    drafts = invariants(Windows.of_sequences(templates), TEXTS, IDS, 300, Limits())
    assert sum(d.facts.train[1] > 0 for d in drafts) == 1


def test_time_tells_what_lines_do_not() -> None:
    templates = [[0, *[2 + at % 3] * (at % 30 * 5), 1] for at in range(60)]
    windows = Windows.of_sequences(templates)
    seconds = [np.linspace(100 * at, 100 * at + 3, len(w)) for at, w in enumerate(templates)]
    windows.events.ts = np.concatenate(seconds).astype(np.int64) * 10**9
    told = found(windows, 50)
    soon = told["'failed' is always followed by 'disk full' within 5 seconds"]
    late = timed(Windows.of_sequences([[0, 1], [0, 1]]), [0, 3, 10, 40])
    assert soon.fires(Sightings(late, TEXTS, IDS)).tolist() == [True, False]


def test_what_lines_tell_is_not_told_in_seconds_again() -> None:
    windows = timed(Windows.of_sequences([[0, 1]] * 60), [0, 3, 10, 12])
    told = [t for t in found(windows, 50) if "'failed' is always followed by 'disk full'" in t]
    assert told == ["'failed' is always followed by 'disk full' within 1 line"]


def test_what_the_size_of_windows_makes_sure_is_not_proposed() -> None:
    few = found(Windows.of_sequences([[0, 1, 2, 2, 2, 2]] * 60, "count"), 50)
    assert {t: d.conditions[0].k for t, d in few.items()} == {
        "fewer than 3 lines have 'failed'": 3,
        "fewer than 3 lines have 'disk full'": 3,
    }
    free = found(Windows.of_sequences([[2, 2, 2, 2, 0, 1]] * 60, "time"), 50)
    assert max(d.conditions[0].k for d in free.values()) == 9


def test_lines_cut_anywhere_promise_nothing_but_how_often() -> None:
    drafts = found(Windows.of_sequences([[0, 1, 2]] * 60, "count"), 50)
    assert {d.conditions[0].kind for d in drafts.values()} == {"count"}


@given(sequences(least=1, most=60))
def test_limits_are_kept_and_the_source_says_the_same(templates: list[list[int]]) -> None:
    windows = timed(Windows.of_sequences(templates), [0, 1, 5, 5, None, 9])
    check = len(templates) * 3 // 4
    early = np.arange(len(templates)) < check
    for draft in invariants(windows, TEXTS, IDS, check, FEW):
        assert draft.must_hold
        assert draft.kind == "normal"
        breach = ~draft.fires(Sightings(windows, TEXTS, IDS))
        assert (breach[early].sum(), breach[~early].sum()) == (
            draft.facts.train[1],
            draft.facts.check[1],
        )
        for kept, broke in (draft.facts.train, draft.facts.check):
            assert broke <= FEW.broken * (kept + broke)
        assert draft.facts.train[0] >= FEW.support
        rule = callable_of(parse(draft.source))
        assert (~breach).tolist() == [rule(window) for window in plainly(windows, TEXTS, IDS)]


def test_little_history_promises_nothing() -> None:
    assert found(Windows.of_sequences([[0, 1]] * 2), 2) == {}
    assert invariants(Windows.of_sequences([]), TEXTS, IDS, 0) == []
