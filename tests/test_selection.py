"""Selections: by time, by what headers say, and by key and value in the line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.logs.batch import NO_TIME
from logwright.logs.selection import AROUND, Selection, holds, parse_moment
from logwright.settings import Settings
from read_rows import Read, timed


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "app.log"


@pytest.mark.parametrize(
    ("chosen", "kept"),
    [
        ({"since": "2024-05-01 10:00:05"}, range(5, 10)),
        ({"until": "2024-05-01T10:00:05Z"}, range(5)),
        ({"since": "2024-05-01 10:00:02", "until": "2024-05-01 10:00:04"}, [2, 3]),
        ({"where": ("user=ann",)}, range(0, 10, 3)),
        ({"where": ("level=info", "component=app.main", "user=bob")}, range(1, 10, 3)),
        ({"where": ("source=app.log", "user=an")}, []),
        ({"where": ("level=error",)}, []),
    ],
)
def test_a_selection_leaves_lines_out(log: Path, chosen: dict, kept: list[int]) -> None:
    names = ["ann", "bob", "cyd"] * 4
    text = "".join(timed(n, f"user={names[n]} logs in\n\tat a.B.c(B.java:1)") for n in range(10))
    log.write_text(text, "utf-8")
    for block in (4096, 1 << 20):
        found = Read(log, block_bytes=block, **chosen)
        assert [n for _, n, _ in found.place] == [2 * k + 1 for k in kept]
        assert found.reader.joined == len(list(kept))
        assert found.reader.left_out == 20 - 2 * len(list(kept))
        assert found.reader.sources.sources[0].stats.lines == 20


def test_a_condition_holds_for_head_lines_only() -> None:
    text = b"user=\nann went\nfailed\n\tuser=ann\nuser=ann ok\n"
    assert holds(text, np.array([0, 6, 15, 32]), "user", "ann").tolist() == [
        False,
        False,
        False,
        True,
    ]


@given(st.integers(0, 999_999), st.sampled_from("smhd"), st.sampled_from(["", " ago"]))
def test_a_length_of_time_reaches_back_from_now(number: int, unit: str, ago: str) -> None:
    now, seconds = datetime(4000, 1, 1, tzinfo=UTC), {"s": 1, "m": 60, "h": 3600, "d": 86_400}
    found = parse_moment(f"{number}{unit}{ago}", UTC, now)
    assert now - found == timedelta(seconds=number * seconds[unit])


@given(st.datetimes(datetime(1970, 1, 3), datetime(2200, 1, 1)))
def test_around_a_time_is_as_far_before_as_after_it(middle: datetime) -> None:
    found = Selection.of(Settings(around=middle.isoformat()), 0.0)
    assert found is not None
    assert found.until - found.since == 2 * AROUND // timedelta(microseconds=1) * 1000
    assert found == Selection.of(
        Settings(since=str(middle - AROUND), until=str(middle + AROUND)), 0.0
    )


def test_who_asks_for_all_gets_no_selection() -> None:
    assert Selection.of(Settings(), 0.0) is None
    assert Selection.of(Settings(where=("a=b",)), 0.0) == Selection(NO_TIME, NO_TIME, (("a", "b"),))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"since": "soon"}, "since is 'soon': expected a time"),
        ({"around": "10:00", "since": "15m"}, "around stands for since and until"),
        ({"since": "2024-05-02", "until": "2024-05-01"}, "since is not before until"),
        ({"where": ("user",)}, "where is 'user': expected key=value"),
        ({"where": ("=ann",)}, "where is '=ann': expected key=value"),
    ],
)
def test_what_selects_nothing_is_one_sentence(options: dict, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        Selection.of(Settings(**options), 0.0)
