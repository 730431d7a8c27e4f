"""Overlap: two cuts of one log are found out, two logs that say the same are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.bench.labelled import read_lines
from logwright.bench.overlap import RUN, overlap
from logwright.bench.raw import raw_numbers
from logwright.logs.batch import NO_TIME, LineBatch
from logwright.settings import Settings

SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int, size: int, words: int) -> np.ndarray:
    """A log of so many different lines, by chance."""
    return np.random.default_rng(seed).integers(0, words, size).astype(np.uint64)


@given(SEEDS, st.integers(RUN, 300), st.integers(0, 300), st.integers(0, 300), st.integers(8, 999))
def test_what_two_cuts_share_is_counted(
    seed: int, shared: int, before: int, after: int, words: int
) -> None:
    log = drawn(seed, before + shared + after, words)
    first, second = log[: before + shared], log[before:]
    assert overlap(first, second) == shared
    assert overlap(second, first) == shared


@given(SEEDS, st.integers(0, 400), st.integers(0, 400), st.integers(2, 999))
def test_what_is_not_shared_is_not_found(seed: int, a: int, b: int, words: int) -> None:
    log = drawn(seed, a + b, words)
    assert overlap(log[:a], log[a:]) == 0


@given(SEEDS, st.integers(0, RUN - 1))
def test_short_runs_are_no_sign(seed: int, shared: int) -> None:
    log = np.random.default_rng(seed).permutation(1_000).astype(np.uint64)
    assert overlap(log[:500], log[500 - shared :]) == 0


@pytest.mark.parametrize("lines", [1, 2, 15])
def test_heartbeats_and_circles_are_no_sign(lines: int) -> None:
    circle = np.arange(1_000, dtype=np.uint64) % np.uint64(lines)
    start = np.array([100, 101, 102], np.uint64)  # what is said once, before the beats begin
    assert overlap(np.append(start, circle), np.append(start, circle[:700])) == 0


def test_what_is_done_every_night_is_no_sign() -> None:
    night = np.arange(200, dtype=np.uint64)
    between = np.arange(1_000, 1_600, dtype=np.uint64)
    logs = [np.concatenate((night, part, night)) for part in (between[:300], between[300:])]
    assert overlap(*logs) == 0
    # Where it was cut out of one log, what lies between the nights tells.
    assert overlap(logs[0], np.concatenate((between[100:300], night))) >= 200


CONTENT = st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"]), min_size=1)


@given(st.lists(CONTENT, min_size=1, max_size=40))
def test_equal_contents_have_equal_numbers_wherever_they_stand(lines: list[str]) -> None:
    def numbers(texts: list[str]) -> list[int]:
        buf = "".join(f"{text}\n" for text in texts).encode()
        ends = np.cumsum([len(text) + 1 for text in texts]) - 1
        starts = np.concatenate(([0], ends[:-1] + 1))
        none = np.full(len(texts), -1, np.int32)
        times = np.full(len(texts), NO_TIME, np.int64)
        found: list[int] = raw_numbers(
            LineBatch(
                buf, 0, starts, ends, starts, none, times, none.astype(np.int8),
                none, none, none, none, starts, starts,
            )
        ).tolist()  # fmt: skip
        return found

    there, alone = numbers(lines), [numbers([line])[0] for line in lines]
    assert there == alone
    assert len(set(there)) == len(set(lines))


def test_values_count_and_lines_with_a_time_have_no_number(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("job 1 done\njob 2 done\njob 1 done\n")
    raw = read_lines([str(log)], Settings(session="none")).raw
    assert raw[0] == raw[2] != raw[1]
    log.write_text("2024-01-01 00:00:00 INFO job 1 done\n2024-01-01 00:00:01 INFO job 2 done\n")
    assert not read_lines([str(log)], Settings(session="none")).raw.any()
