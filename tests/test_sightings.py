"""Sightings: columns of windows are what a loop over their lines would count."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from logwright.rules.induction.sightings import NEVER, Sightings
from logwright.rules.induction.signs import Sign
from logwright.rules.language.plain import first, longest_gap, phrase
from logwright.windows.window import Windows
from rule_windows import IDS, TEXTS, TIMES, plainly, sequences, timed

DISK = Sign("phrase", "disk")


@given(sequences())
def test_counts_and_places(templates: list[list[int]]) -> None:
    windows = Windows.of_sequences(templates)
    table = Sightings(windows, TEXTS, IDS)
    plain = [[phrase(line.text, "disk") for line in w.lines] for w in plainly(windows, TEXTS, IDS)]
    assert table.count(DISK).tolist() == [sum(flags) for flags in plain]
    assert table.first(DISK).tolist() == [first(flags) for flags in plain]
    assert table.edge(DISK, last=False).tolist() == [any(flags[:1]) for flags in plain]
    assert table.edge(DISK, last=True).tolist() == [any(flags[-1:]) for flags in plain]


@given(sequences(), st.lists(TIMES, max_size=9))
def test_gaps(templates: list[list[int]], seconds: list[int | None]) -> None:
    windows = timed(Windows.of_sequences(templates), seconds)
    expected = [longest_gap(window) for window in plainly(windows, TEXTS, IDS)]
    assert Sightings(windows, TEXTS, IDS).gaps.tolist() == expected


@given(sequences(), st.lists(TIMES, max_size=9))
def test_distances_and_delays(templates: list[list[int]], seconds: list[int | None]) -> None:
    windows = timed(Windows.of_sequences(templates), seconds)
    sightings = Sightings(windows, TEXTS, IDS)
    places, waits = [], []
    for i, window in enumerate(plainly(windows, TEXTS, IDS)):
        here = [phrase(line.text, "disk") for line in window.lines]
        there = [line.template == "t-3" for line in window.lines]
        times = [line.ts for line in window.lines]
        for at in (at for at, flag in enumerate(here) if flag):
            later = [j for j in range(at + 1, len(there)) if there[j]]
            places.append((i, min(later, default=NEVER + at) - at))
            apart = [times[j] - times[at] for j in later]
            waits.append((i, min((t for t in apart if t == t), default=np.inf)))
    for found, expected in (
        (sightings.distance(DISK, Sign("template", "t-3")), places),
        (sightings.delay(DISK, Sign("template", "t-3")), waits),
    ):
        assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


def test_no_line_follows_from_the_next_window() -> None:
    table = Sightings(Windows.of_sequences([[0], [2]]), TEXTS, IDS)
    owner, far = table.distance(DISK, Sign("phrase", "up"))
    assert (owner.tolist(), far.tolist()) == ([0], [NEVER])


def test_without_texts_the_ids_tell() -> None:
    table = Sightings(Windows.of_sequences([[0, 1], [1]]), None, IDS)
    assert np.array_equal(table.count(Sign("template", "t-1")), [1, 0])
