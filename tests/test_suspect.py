"""Stretches of history that look like an incident are found; habits, starts and deploys are not."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logwright.detectors.suspect import MOST_SHARE, Suspect, Suspects, worded_levels
from logwright.logs.batch import NO_TIME
from logwright.windows.window import Events

pytestmark = pytest.mark.slow

SECOND = 10**9
DAY = 86_400
INFO, WARNING, ERROR = 3, 5, 6


def log(days: float = 4.0, seed: int = 1, per_day: int = 8_000) -> list[tuple[float, int, int]]:
    """(second, template, level): common lines, some warnings, an error in 500 lines."""
    rng = np.random.default_rng(seed)
    n = int(days * per_day)
    template = np.minimum(rng.geometric(0.2, n), 20)
    level = np.full(n, INFO)
    for share, first, grade in ((0.01, 30, WARNING), (0.002, 40, ERROR)):
        pick = rng.random(n) < share
        template[pick], level[pick] = first + rng.integers(0, 3, int(pick.sum())), grade
    seconds = rng.uniform(0, days * DAY, n)
    return list(zip(seconds.tolist(), template.tolist(), level.tolist(), strict=True))


def stretch(
    first: float, hours: float, lines: int, templates: tuple[int, ...], level: int
) -> list[tuple[float, int, int]]:
    """Lines that are planted."""
    rng = np.random.default_rng(7)
    seconds = first + rng.uniform(0, hours * 3600, lines)
    return [(s, templates[i % len(templates)], level) for i, s in enumerate(seconds.tolist())]


def events(rows: list[tuple[float, int, int]], timed: bool = True) -> Events:
    rows = sorted(rows)
    n = len(rows)
    ts = np.array([int(s * SECOND) for s, _, _ in rows], np.int64)
    return Events(
        np.array([t for _, t, _ in rows], np.int32),
        ts if timed else np.full(n, NO_TIME),
        np.array([x for _, _, x in rows], np.int8),
        np.full(n, -1, np.int32),
        np.arange(n, dtype=np.int64),
    )


def found(rows: list[tuple[float, int, int]], timed: bool = True) -> list[Suspect]:
    suspects = Suspects(timed)
    suspects.add(events(rows, timed))
    return suspects.found()


def planted(rows: list[tuple[float, int, int]], first: int) -> tuple[int, int]:
    """First and last row of the templates from `first` on."""
    at = np.flatnonzero(events(rows).template >= first)
    return int(at[0]), int(at[-1])


def test_a_healthy_history_holds_no_suspect():
    assert not found(log())
    assert not found(log(), timed=False)
    assert not found([])


@pytest.mark.parametrize("begin", [0.0, 1.3 * DAY, 4 * DAY - 3 * 3600])
@pytest.mark.parametrize("timed", [True, False])
def test_a_stretch_of_errors_is_found_wherever_it_stands(begin, timed):
    rows = log() + stretch(begin, 3, 400, (60, 61), ERROR)
    (suspect,) = found(rows, timed)
    first, last = planted(rows, 60)
    assert suspect.first_row <= first
    assert suspect.last_row >= last
    assert suspect.lines < 0.1 * len(rows)


def test_the_reason_is_told_in_words():
    rows = log() + stretch(1.5 * DAY, 3, 1000, (60, 61, 62), ERROR)
    (suspect,) = found(rows)
    assert suspect.reason.startswith("1970-01-02 11:")
    assert f"({suspect.lines:,} lines): " in suspect.reason
    assert "% errors against 0.2" in suspect.reason
    assert "3 templates seen only there" in suspect.reason
    (untimed,) = found(rows, timed=False)
    assert untimed.reason.startswith(f"lines {untimed.first_row + 1:,} to ")


def test_errors_that_history_knows_are_found_where_they_pile_up():
    rows = log() + stretch(2.2 * DAY, 2, 300, (40,), ERROR)
    assert len(found(rows)) == 1


def test_a_storm_of_warnings_is_found():
    rows = log() + stretch(2.2 * DAY, 2, 8000, (60,), WARNING)
    (suspect,) = found(rows)
    assert "times as many lines as usual" in suspect.reason
    assert "warnings or worse" in suspect.reason


def test_a_job_that_errs_every_night_is_a_habit():
    nights = [stretch((d + 0.1) * DAY, 1, 300, (60, 61), ERROR) for d in range(4)]
    assert not found(log() + [row for night in nights for row in night])


@pytest.mark.parametrize(
    "extra",
    [
        stretch(0, 1, 500, tuple(range(60, 90)), INFO),  # start-up
        stretch(3.5 * DAY, 12, 2000, tuple(range(60, 90)), INFO),  # a deploy that stays
        stretch(2.1 * DAY, 2, 500, tuple(range(60, 90)), INFO),  # a job that ran once
        stretch(2.1 * DAY, 2, 9000, tuple(range(1, 10)), INFO),  # a rush of users
        stretch(2.1 * DAY, 0.01, 3, (60,), ERROR),  # a few errors
    ],
    ids=["start", "deploy", "job", "rush", "few"],
)
def test_what_is_no_trouble_is_no_suspect(extra):
    assert not found(log() + extra)


def test_a_single_error_in_a_quiet_log_is_no_suspect():
    quiet = [(s * 600.0, 1, INFO) for s in range(1000)]
    assert not found([*quiet, (3e5, 2, ERROR)])


def test_where_too_much_looks_bad_nothing_is_left_out_and_it_is_said():
    rows = log() + stretch(0.5 * DAY, 36, 6000, (60, 61), ERROR)
    suspects = Suspects(timed=True)
    suspects.add(events(rows))
    assert not suspects.found()
    assert suspects.note is not None
    assert "too much to tell what is normal" in suspects.note
    assert MOST_SHARE < 36 / 96


@given(cuts=st.lists(st.integers(1, 32_000), max_size=6))
@settings(max_examples=15)
def test_portions_do_not_matter(cuts):
    every = events(log() + stretch(1.3 * DAY, 3, 400, (60, 61), ERROR))
    suspects = Suspects(timed=True)
    edges = [0, *sorted(cuts), len(every)]
    for a, b in itertools.pairwise(edges):
        suspects.add(every.take(slice(a, b)))
    whole = Suspects(timed=True)
    whole.add(every)
    assert suspects.found() == whole.found() != []


def test_lines_without_a_time_take_that_before_them():
    every = events(log() + stretch(1.3 * DAY, 3, 400, (60, 61), ERROR))
    every.ts[::3] = NO_TIME
    suspects = Suspects(timed=True)
    suspects.add(every)
    assert len(suspects.found()) == 1


def test_what_is_held_is_bounded():
    suspects = Suspects(timed=True)
    for part in range(60):
        rows = [(part * 1e6 + i * 1e3, i % 50, INFO) for i in range(1000)]
        chunk = events(rows)
        chunk.row[:] += part * 1000
        suspects.add(chunk)
    assert sum(len(e) for e in suspects._entries) < 1100 * 50
    assert suspects.found() == []


def test_words_stand_in_for_levels():
    texts = ["request <*> served", "connection refused by <*>"]
    assert worded_levels(texts).tolist() == [0, ERROR]
