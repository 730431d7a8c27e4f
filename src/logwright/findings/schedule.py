"""Schedules: when something is expected, such as a backup each night.

A schedule is days, hours, or both, and a zone where that is not UTC: ``sat,sun``,
``02:00-03:30``, ``mon-fri 22:00-06:00``, ``sun 01:00-05:00 Europe/Berlin``. Hours past midnight
belong to the day on which they begin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from logwright.errors import SettingsError
from logwright.logs.timestamps import zone_of

__all__ = ["Schedule"]

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_DAY_LIST = re.compile(r"[a-z]{3}(-[a-z]{3})?(,[a-z]{3}(-[a-z]{3})?)*")
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Schedule:
    """Days of the week (0 is Monday) and minutes of the day, [`start`, `stop`), in a zone.

    >>> night = Schedule.parse("mon-fri 22:00-06:00")
    >>> moments = ("2026-11-20T23:00+00:00", "2026-11-21T05:00+00:00", "2026-11-21T23:00+00:00")
    >>> [night.covers(datetime.fromisoformat(moment)) for moment in moments]
    [True, True, False]
    """

    days: frozenset[int]
    start: int
    stop: int
    zone: tzinfo

    @staticmethod
    def parse(text: str) -> Schedule:
        """The schedule that a text names; `SettingsError` where it names none."""
        words = text.split()
        days, hours = frozenset(range(7)), (0, _DAY)
        said = False
        if words and _DAY_LIST.fullmatch(words[0].lower()):
            days, said = _days(words.pop(0).lower(), text), True
        if words and (match := _HOURS.fullmatch(words[0])):
            words.pop(0)
            a, b, c, d = map(int, match.groups())
            hours, said = (60 * a + b, 60 * c + d), True
            if max(hours) > _DAY or b > 59 or d > 59 or hours[0] == hours[1]:
                raise _no_schedule(text)
        if not said or len(words) > 1:
            raise _no_schedule(text)
        return Schedule(days, *hours, zone_of(words[0] if words else "UTC"))

    def covers(self, moment: datetime) -> bool:
        """Whether the schedule holds at a moment."""
        try:
            local = moment.astimezone(self.zone)
        except OverflowError:  # at the ends of the calendar
            return False
        minute, day = 60 * local.hour + local.minute, local.weekday()
        if self.start < self.stop:
            return day in self.days and self.start <= minute < self.stop
        if minute >= self.start:
            return day in self.days
        before = (local - timedelta(days=1)).weekday()
        return minute < self.stop and before in self.days


def _days(text: str, whole: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last and last not in _DAYS):
            raise _no_schedule(whole)
        a = _DAYS.index(first)
        b = _DAYS.index(last) if last else a
        found |= {day % 7 for day in range(a, b + 1 if a <= b else b + 8)}
    return frozenset(found)


def _no_schedule(text: str) -> SettingsError:
    return SettingsError(
        f"{text!r:.80} is no schedule: expected such as 'sat,sun', '02:00-03:30' or "
        "'mon-fri 22:00-06:00 Europe/Berlin'"
    )
