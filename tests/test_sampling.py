"""What a model is shown: the typical, its nearest opposites, what tells them apart, in little."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.rules.language.plain import Line, Window
from logwright.rules.synthesis.clustering import clusters, space
from logwright.rules.synthesis.sampling import (
    FELLOWS,
    OPPOSITES,
    Anchored,
    Contrast,
    anchored,
    contrast,
    shown,
    tokens_of,
)
from logwright.windows.window import Windows

TEXTS = ["job started <*>", "disk failed <*>", "link went down", "all quiet here", "job ended"]


def picked(held: list[list[int]], bad: list[bool], cluster: int = 0) -> Anchored:
    windows, side = Windows.of_sequences(held), np.array(bad, bool)
    whole = space(windows, TEXTS)
    return anchored(windows, whole, clusters(whole, side), cluster, ~side, len(TEXTS))


def test_the_nearest_opposites_come_first() -> None:
    held = [[3, 3], [0, 4, 1], [2], [0, 4], [0, 1, 4, 1]]
    found = picked(held, [False, True, False, False, True])
    assert found.opposites[0] == 3
    assert set(found.opposites) == {0, 2, 3}
    assert set(found.own) == {1, 4}


def test_fellows_are_of_the_own_cluster_and_spread_over_its_forms() -> None:
    held = [[1] + [0] * (i % 3) for i in range(30)] + [[3]] * 10
    found = picked(held, [True] * 30 + [False] * 10)
    assert len(found.own) == 1 + FELLOWS
    assert len(found.opposites) == OPPOSITES
    assert len(set(found.own)) == 1 + FELLOWS
    assert all(i < 30 for i in found.own)
    assert {tuple(held[i]) for i in found.own} == {(1,), (1, 0), (1, 0, 0)}


def test_the_contrast_is_over_all_windows_of_both_sides() -> None:
    found = picked([[1, 0]] * 3 + [[0]] * 3 + [[0, 1]], [True] * 3 + [False] * 4)
    assert found.contrast.own.tolist() == [1, 1, 0, 0, 0]
    assert found.contrast.other.tolist() == [1, 0.25, 0, 0, 0]
    assert contrast(found.contrast, TEXTS) == ["own 100%, other 25%: disk failed <*>"]


def test_what_the_cluster_lacks_is_told_too() -> None:
    shares = Contrast(np.array([0.0, 0.5]), np.array([1.0, 0.002]))
    told = contrast(shares, ["ended", "failed"])
    assert told == ["own 50%, other below 1%: failed", "own 0%, other 100%: ended"]


@pytest.mark.parametrize("bad", [[True], [True, True, True]])
def test_a_side_without_opposites_has_none_to_show(bad: list[bool]) -> None:
    found = picked([[1]] * len(bad), bad)
    assert found.opposites == ()
    assert found.contrast.other.sum() == 0


def line(text: str, template: str) -> Line:
    return Line(text, template=template)


def test_like_lines_are_shown_once_with_their_number() -> None:
    window = Window([line(f"job {i}", "a") for i in range(50)] + [line("end", "b")])
    assert shown(window, 100, lambda _: 0.0) == ["[50 lines] job 0", "[1 line] end"]


def test_lines_without_a_template_are_all_shown() -> None:
    assert len(shown(Window.of_texts(["a", "b"]), 100, lambda _: 0.0)) == 2


def test_what_tells_most_stays_where_room_is_short() -> None:
    window = Window([line(f"usual words of kind {t}", t) for t in "abcdefgh"])
    told = shown(window, 12, lambda one: float(one.template == "f"))
    assert told == ["[5 lines left out]", "[1 line] usual words of kind f", "[2 lines left out]"]


held = st.lists(st.tuples(st.text(max_size=600), st.sampled_from("abc")), max_size=12)


@given(held, st.integers(0, 400))
def test_room_is_kept_and_every_line_is_told_or_counted(
    pairs: list[tuple[str, str]], room: int
) -> None:
    window = Window([line(text, template) for text, template in pairs])
    told = shown(window, room, lambda one: float(len(one.text)))
    kept = [row for row in told if not row.endswith("left out]") or "] " in row]
    assert sum(map(tokens_of, kept)) <= room
    counts = [int(row[1:].split()[0]) for row in told]
    assert sum(counts) == len(pairs)
