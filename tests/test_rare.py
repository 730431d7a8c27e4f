"""Rare trouble: what went wrong in a log's own past is a finding, habits are not."""

from __future__ import annotations

import numpy as np
import pytest

from logwright.detectors.rare import Rare
from logwright.templates.template import Template
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

TEXTS = ["step done", "disk sda failed", "Connection refused", "step <*> took <*> ms", "bare words"]


class Texts(Vocabulary):
    def __init__(self) -> None:
        self.templates = [
            Template([bytes([i] * 16)], lines=((t.encode(),),)) for i, t in enumerate(TEXTS)
        ]

    def __len__(self) -> int:
        return len(self.templates)


def log(counts: list[int], levels: dict[int, int] | None = None) -> Windows:
    windows = Windows.of_sequences([[t for t, n in enumerate(counts) for _ in range(n)]], "count")
    for template, level in (levels or {}).items():
        windows.events.level[windows.events.template == template] = level
    return windows


def rare(windows: Windows) -> tuple[Rare, Texts]:
    detector, texts = Rare(surprise=4.0), Texts()
    detector.fit(windows, texts)
    return detector, texts


def test_rare_lines_that_name_trouble_are_found_and_the_cause_comes_first() -> None:
    windows = log([900, 2, 2, 96, 0])
    detector, texts = rare(windows)
    found = detector.evidence(windows, 0, texts, 1e-9)
    by_score = sorted(found, key=lambda e: -e.score)
    assert [texts.templates[e.templates[0]].text for e in by_score] == [
        "Connection refused",
        "disk sda failed",
    ]
    assert by_score[0].count == 2
    assert by_score[0].summary == (
        "rare: 'Connection refused', seen 2 times in 1,000 lines, names trouble"
    )
    assert detector.score(windows, texts)[0] == by_score[0].score


def test_trouble_that_is_a_habit_is_none() -> None:
    detector, texts = rare(log([900, 60, 40, 0, 0]))
    assert detector.found(texts) == {}


@pytest.mark.parametrize(("level", "found"), [(3, False), (5, True), (7, True)])
def test_a_level_is_enough(level: int, found: bool) -> None:
    detector, texts = rare(log([999, 0, 0, 0, 1], {4: level}))
    assert (4 in detector.found(texts)) == found


def test_it_never_outscores_the_same_line_when_new() -> None:
    detector, texts = rare(log([10**6, 1, 0, 0, 0]))
    assert detector.found(texts)[1] <= 4.0 - 0.5 + 1.5


def test_saved_and_loaded_it_scores_alike() -> None:
    windows = log([900, 2, 3, 95, 0])
    detector, texts = rare(windows)
    again = Rare()
    again.load(detector.save())
    assert again.found(texts) == detector.found(texts)
    assert np.array_equal(again.score(windows, texts), detector.score(windows, texts))
