"""Clocks: years, days and zones that a log leaves out, across blocks; and what is told of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.logs.batch import NO_TIME, Int64s
from logwright.logs.timestamps import Clock, iso

SECOND = 10**9


def ns(text: str) -> int:
    """A time as text in nanoseconds: "2005-06-03T15:42:50"; without a year in 2000."""
    text = text if text[:4].isdigit() else f"2000-{text}"
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


def column(*texts: str) -> Int64s:
    return np.array([ns(text) for text in texts], dtype=np.int64)


def seconds(text: str) -> float:
    return ns(text) / SECOND


def fixed(clock: Clock, *texts: str) -> list[str]:
    return [iso(t).removesuffix("Z") for t in clock.fix(column(*texts)).tolist()]


def without_year(reference: str, timezone: str = "UTC") -> Clock:
    return Clock(timezone, seconds(reference), names_year=False)


# --- times that name everything -------------------------------------------------------------------


def test_whole_times_in_utc_stay_as_they_are() -> None:
    ts = column("2005-06-03T15:42:50", "2005-06-03T15:42:51")
    clock = Clock("UTC", 0, names_zone=True)
    assert clock.fix(ts) is ts
    assert clock.notes == []


def test_lines_without_a_time_keep_none() -> None:
    for clock in (Clock("UTC", 0), Clock("Europe/Berlin", 0), without_year("2005-01-01")):
        ts = np.array([NO_TIME, ns("06-03T10:00:00"), NO_TIME], dtype=np.int64)
        found = clock.fix(ts)
        assert (found == NO_TIME).tolist() == [True, False, True]
    empty = np.zeros(0, dtype=np.int64)
    assert len(Clock("UTC", 0).fix(empty)) == 0


def test_a_source_without_times_has_no_notes() -> None:
    clock = without_year("2005-01-01")
    clock.fix(np.full(3, NO_TIME, dtype=np.int64))
    assert clock.notes == []


# --- years ----------------------------------------------------------------------------------------


def test_the_first_year_is_the_latest_that_the_reference_allows() -> None:
    assert fixed(without_year("2005-07-27T00:00:00"), "06-14T15:16:01") == ["2005-06-14T15:16:01"]
    assert fixed(without_year("2005-07-27T00:00:00"), "11-14T15:16:01") == ["2004-11-14T15:16:01"]


def test_a_day_in_the_future_of_the_reference_is_allowed() -> None:
    assert fixed(without_year("2005-06-14T00:00:00"), "06-14T23:00:00") == ["2005-06-14T23:00:00"]
    assert fixed(without_year("2005-06-14T00:00:00"), "06-16T00:00:00") == ["2004-06-16T00:00:00"]


def test_the_year_turns_within_a_block_and_between_blocks() -> None:
    clock = without_year("2006-03-01")
    assert fixed(clock, "12-31T23:59:59", "01-01T00:00:01") == [
        "2005-12-31T23:59:59",
        "2006-01-01T00:00:01",
    ]
    clock = without_year("2007-03-01")
    assert fixed(clock, "11-30T00:00:00") == ["2006-11-30T00:00:00"]
    assert fixed(clock, "01-02T00:00:00") == ["2007-01-02T00:00:00"]


def test_a_straggler_from_before_new_year_stays_in_its_year() -> None:
    times = ("12-31T23:59:59", "01-01T00:00:01", "12-31T23:59:58", "01-01T00:00:02")
    found = fixed(without_year("2006-03-01"), *times)
    assert [time[:4] for time in found] == ["2005", "2006", "2005", "2006"]


def test_a_leap_day_tells_the_year() -> None:
    clock = without_year("2006-06-01")
    assert fixed(clock, "02-28T00:00:00", "02-29T00:00:00", "03-01T00:00:00") == [
        "2004-02-28T00:00:00",
        "2004-02-29T00:00:00",
        "2004-03-01T00:00:00",
    ]


def test_days_after_february_are_right_in_common_years() -> None:
    days = ("02-28T12:00:00", "03-01T12:00:00", "12-31T12:00:00")
    assert fixed(without_year("2005-12-31T13:00:00"), *days) == [f"2005-{day}" for day in days]


def test_the_year_is_told() -> None:
    clock = without_year("2005-07-27")
    clock.fix(column("06-14T15:16:01"))
    assert clock.notes == [
        "times name no year: 2005 taken from the date of the source",
        "times name no zone: read as UTC",
    ]
    clock.fix(column("12-01T00:00:00", "01-01T00:00:00"))
    assert clock.notes[1] == "times run past the date of the source: the year may be too late"


@given(
    first=st.datetimes(datetime(1972, 1, 1), datetime(2090, 1, 1)),
    gaps=st.lists(st.integers(0, 180 * 86400), max_size=12),
    cut=st.integers(0, 12),
)
def test_any_log_of_rising_times_gets_its_years_back(
    first: datetime, gaps: list[int], cut: int
) -> None:
    moments = [first.replace(microsecond=0)]
    for gap in gaps:
        moments.append(moments[-1] + timedelta(seconds=gap))
    # The reference lies within a year of the first line; no 29th of February to help or harm.
    moments = [m for m in moments if (m.month, m.day) != (2, 29)]
    if not moments:
        return
    want = [m.isoformat() for m in moments]
    clock = Clock("UTC", seconds(want[0]), names_year=False)
    months = [m.replace(year=2000).isoformat() for m in moments]
    assert fixed(clock, *months[:cut]) + fixed(clock, *months[cut:]) == want


# --- days -----------------------------------------------------------------------------------------


def test_times_of_day_get_the_day_of_the_reference_and_turn_at_midnight() -> None:
    clock = Clock("UTC", seconds("2024-05-02T08:00:00"), names_year=False, names_day=False)
    assert fixed(clock, "1970-01-01T23:59:59") == ["2024-05-01T23:59:59"]
    assert fixed(clock, "1970-01-01T00:00:01") == ["2024-05-02T00:00:01"]
    assert clock.notes[0] == "times name no day: 2024-05-01 taken from the date of the source"


def test_the_day_that_the_kernel_was_given_does_not_matter() -> None:
    clock = Clock("UTC", seconds("2024-05-02T08:00:00"), names_year=False, names_day=False)
    assert fixed(clock, "2011-11-11T07:00:00") == ["2024-05-02T07:00:00"]


# --- zones ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["+02:00", "+0200", "+2", "Africa/Johannesburg"])
def test_local_times_become_utc(name: str) -> None:
    assert fixed(Clock(name, 0), "2024-05-01T10:00:00") == ["2024-05-01T08:00:00"]
    assert fixed(Clock("-01:30", 0), "2024-05-01T10:00:00") == ["2024-05-01T11:30:00"]


def test_summer_time_is_kept() -> None:
    found = fixed(Clock("Europe/Berlin", 0), "2024-01-01T12:00:00", "2024-07-01T12:00:00")
    assert found == ["2024-01-01T11:00:00", "2024-07-01T10:00:00"]


def test_half_hour_zones() -> None:
    assert fixed(Clock("Asia/Kolkata", 0), "2024-01-01T12:00:00") == ["2024-01-01T06:30:00"]
    assert fixed(Clock("Australia/Lord_Howe", 0), "2024-07-01T12:00:00") == ["2024-07-01T01:30:00"]


def test_zones_that_are_named_are_not_moved_again() -> None:
    clock = Clock("Europe/Berlin", 0, names_zone=True)
    assert fixed(clock, "2024-07-01T12:00:00") == ["2024-07-01T12:00:00"]


REPEATED = ("01:59:59", "02:10:00", "02:59:00", "02:00:10", "02:30:00", "02:58:30", "03:00:00")
"""Local times in Berlin on 27 October 2024: 02:00 to 03:00 comes twice."""


@pytest.mark.parametrize("cut", range(len(REPEATED) + 1))
def test_the_repeated_hour_is_told_apart_by_a_step_back(cut: int) -> None:
    times = [f"2024-10-27T{time}" for time in REPEATED]
    clock = Clock("Europe/Berlin", 0)
    found = fixed(clock, *times[:cut]) + fixed(clock, *times[cut:])
    assert [time[11:] for time in found] == [
        "23:59:59",
        "00:10:00",
        "00:59:00",
        "01:00:10",
        "01:30:00",
        "01:58:30",
        "02:00:00",
    ]
    assert clock.notes == ["times name no zone: read as Europe/Berlin"]


def test_the_skipped_hour_moves_forward() -> None:
    times = ("2024-03-31T01:59:59", "2024-03-31T02:30:00", "2024-03-31T03:00:00")
    found = fixed(Clock("Europe/Berlin", 0), *times)
    assert [time[11:] for time in found] == ["00:59:59", "01:30:00", "01:00:00"]


@given(st.lists(st.datetimes(datetime(1980, 1, 1), datetime(2037, 1, 1)), min_size=1, max_size=9))
def test_local_times_agree_with_the_standard_library(moments: list[datetime]) -> None:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("America/New_York")
    rising = sorted(m.replace(microsecond=0, fold=0) for m in moments)
    found = fixed(Clock("America/New_York", 0), *(m.isoformat() for m in rising))
    assert found == [m.replace(tzinfo=zone).astimezone(UTC).isoformat()[:19] for m in rising]


@pytest.mark.parametrize("name", ["Mars/Phobos", "", "+25:00", "../etc/passwd", "2"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="expected an IANA name"):
        Clock(name, 0)


# --- steps ----------------------------------------------------------------------------------------


def test_steps_back_are_told_with_their_line() -> None:
    clock = Clock("UTC", 0, names_zone=True)
    clock.fix(column("2024-05-01T10:00:00", "2024-05-01T11:00:00"))
    assert clock.notes == []
    ts = np.array([NO_TIME, ns("2024-05-01T10:00:00"), ns("2024-05-01T10:00:01")], dtype=np.int64)
    clock.fix(ts)
    assert clock.notes == ["clock stepped back by 3,600 s at line 4"]
    clock.fix(column("2024-05-01T09:58:00"))
    assert clock.notes == ["clock stepped back by 3,600 s at line 4 (the largest of 2 steps)"]


def test_lines_a_little_out_of_turn_are_no_step() -> None:
    clock = Clock("UTC", 0, names_zone=True)
    clock.fix(column("2024-05-01T10:00:30", "2024-05-01T10:00:00"))
    assert clock.notes == []


# --- text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_500_000_000, "1970-01-01T00:00:01.500Z"),
        (1_000_001_000, "1970-01-01T00:00:01.000001Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (-SECOND, "1969-12-31T23:59:59Z"),
        (2**63 - 1, "2262-04-11T23:47:16.854775807Z"),
    ],
)
def test_iso(time: int, text: str) -> None:
    assert iso(time) == text
