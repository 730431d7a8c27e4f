"""Ranges: what parameters kept to is found without labels, and raises hardly an alarm."""

from __future__ import annotations

import numpy as np
import pytest

from logwright.rules.induction.invariants import invariants
from logwright.rules.induction.ranges import kept_to
from logwright.rules.induction.sightings import Sightings
from valued_windows import BEAT, IDS, TEXTS, Logged, Said, healthy, link, took


def told(lines: list[list[Said]], check: int | None = None) -> list[str]:
    logged = Logged(lines)
    at = len(lines) * 4 // 5 if check is None else check
    return sorted(k.probe.told for k in kept_to(logged.values, logged.windows, at, 0.001))


def test_a_number_a_code_and_words_are_kept_to() -> None:
    assert told(healthy(400)) == [
        "a number above 120 in 'took * ms'",
        "another number than 3 in 'port *'",
        "another word than 'standby', 'up' in 'link is *, port'",
    ]


@pytest.mark.parametrize(
    "wrong", [took(900), link("failed"), link("up", 0), link("up", 4)], ids=str
)
def test_a_breach_is_a_finding(wrong: Said) -> None:
    logged = Logged([*healthy(400), [BEAT, wrong], [BEAT]])
    history = logged.windows.select(np.arange(402) < 400)
    drafts = invariants(history, TEXTS, IDS, 320, messages=logged.messages)
    table = Sightings(logged.windows, TEXTS, IDS, logged.values)
    broken = ~np.all([draft.fires(table) for draft in drafts], axis=0)
    assert np.flatnonzero(broken).tolist() == [400]
    assert all(draft.must_hold for draft in drafts)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_healthy_later_raises_hardly_an_alarm(seed: int) -> None:
    random = np.random.default_rng(seed)
    heavy = [
        [took(int(random.lognormal(4, 1))), took(int(random.gamma(3, 20)))] for _ in range(4000)
    ]
    logged = Logged(heavy)
    early = np.arange(4000) < 1000
    drafts = invariants(logged.windows.select(early), TEXTS, IDS, 800, messages=logged.messages)
    table = Sightings(logged.windows.select(~early), TEXTS, IDS, logged.values)
    ranges = [draft for draft in drafts if "above" in draft.conditions[0].told]
    alarms = [int((~draft.fires(table)).sum()) for draft in ranges]
    assert sum(alarms) <= 6


def test_what_moves_or_comes_late_has_not_settled() -> None:
    def changed(line: Said, at: int) -> list[list[Said]]:
        lines = healthy(400)
        for window in lines[at::5]:
            window.append(line)
        return lines

    number = "a number above 120 in 'took * ms'"
    for at in (200, 300, 330):
        assert not any("another word" in each for each in told(changed(link("failed"), at)))
    assert number not in told(changed(took(5000), 330))
    for slope in (2, 40):
        growing = [[took(10 + at // slope + at * 7 % 50)] for at in range(1200)]
        assert told(growing) == []


def test_what_reached_far_beyond_what_came_before_can_do_so_again() -> None:
    lines = [[took(10 + at * 7 % 90)] for at in range(1000)]
    assert told(lines) != []
    for at in range(450, 600, 10):
        lines[at] = [took(1000 + at)]
    assert told(lines) == []


def test_few_lines_say_nothing() -> None:
    assert told([[took(ms)] for ms in np.arange(200) * 7 % 50]) == []


def test_a_stray_number_is_no_counterproof() -> None:
    lines = healthy(1000)
    lines[100].append(took(90_000))
    assert "a number above 130 in 'took * ms'" in told(lines)


def test_without_messages_no_parameter_is_looked_at() -> None:
    windows = Logged(healthy(400)).windows
    conditions = [d.conditions[0] for d in invariants(windows, TEXTS, IDS, 320)]
    assert not any("number" in c.told or "word" in c.told for c in conditions)
