"""Times as logs write them, made whole: the year, the day or the zone that a format leaves out.

The kernel reads what a line says. A `Clock`, one per source, adds the rest to its blocks in order:

* Year (or day) not named: the first time gets the latest one with which it does not lie more than a
  day (or an hour) after the reference, the source's own date. From then on a jump back by more than
  half a year begins the next one, and a jump forward by nearly a year is a straggler from the last.
* Zone not named: the times are read in the zone of the settings. The hour that the end of summer
  time repeats is told apart by a step back of five minutes or more.

Left out: a file whose first line is more than a year older than its date gets a year too late; a
note says so once its times pass the reference.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import timezone as fixed_zone
from zoneinfo import ZoneInfo

import numpy as np

from logwright.errors import SettingsError
from logwright.logs.batch import NO_TIME, Int64s
from logwright.snapshot import State

__all__ = ["Clock", "iso", "zone_of"]

_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND
_QUARTER = 900 * _SECOND
"""Zones change their offset at quarters of an hour at the finest."""

_STEP = 60 * _SECOND
"""A step back of at least this much is told; less is threads writing out of turn."""

_FOLD_STEP = 300 * _SECOND
_EPOCH = datetime(1970, 1, 1)
_LEAP_YEAR = 2000
_LEAP_START = (datetime(_LEAP_YEAR, 1, 1) - _EPOCH).days
_FEBRUARY_29 = 59
"""Day of a leap year, counted from 0."""


def iso(ns: int) -> str:
    """A time in nanoseconds as text: in milliseconds, microseconds or nanoseconds, as it needs.

    >>> iso(1117813370363000000), iso(0), iso(-1)
    ('2005-06-03T15:42:50.363Z', '1970-01-01T00:00:00Z', '1969-12-31T23:59:59.999999999Z')
    """
    seconds, rest = divmod(ns, _SECOND)
    text = (_EPOCH + timedelta(seconds=seconds)).isoformat()
    digits = f"{rest:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{text}.{digits}Z" if digits else f"{text}Z"


_REMEMBERED = (
    *("_period", "_last_within", "_first_period", "_past_reference", "_newest", "_in_fold"),
    *("_last", "_lines", "_timed", "_steps", "_worst", "_worst_line"),
)


class Clock:
    """Completes the times of one source, block after block.

    `timezone` is an IANA name, "UTC" or "+hh:mm"; `reference` the seconds since 1970 after which
    the source was not written any more. `year` and `day` are what `kernel.headers` is to be given.

    >>> clock = Clock("+02:00", 1118000000, names_year=False)
    >>> june = (datetime(clock.year, 6, 3, 12) - _EPOCH) // timedelta(microseconds=1) * 1000
    >>> [iso(t) for t in clock.fix(np.array([june])).tolist()]
    ['2005-06-03T10:00:00Z']
    >>> clock.notes[0]
    'times name no year: 2005 taken from the date of the source'
    """

    year, day = _LEAP_YEAR, 0

    def __init__(
        self,
        timezone: str,
        reference: float,
        *,
        names_year: bool = True,
        names_day: bool = True,
        names_zone: bool = False,
    ) -> None:
        self._zone_name, self._zone = timezone, None if names_zone else _zone(timezone)
        self._names_zone, self._names_day = names_zone, names_day
        self._whole = names_year and names_day
        self._reference = int(reference) * _SECOND
        self._local_reference = self._reference
        if self._zone is not None:
            moment = datetime.fromtimestamp(int(reference), self._zone)
            self._local_reference += (
                int((moment.utcoffset() or timedelta()).total_seconds()) * _SECOND
            )
        self._period = 0  # the year or the day that the last line belongs to
        self._last_within: int | None = None  # where in its period the last line lay
        self._first_period = 0
        self._past_reference = False
        self._newest = NO_TIME  # of local times, to tell a repeated hour from a first one
        self._in_fold = False
        self._offsets: dict[int, tuple[int, int]] = {}
        self._last = NO_TIME
        self._lines = self._timed = 0
        self._steps, self._worst, self._worst_line = 0, 0, 0

    def fix(self, ts: Int64s) -> Int64s:
        """The block's times in UTC; the lines of one source must be given in order.

        >>> Clock("UTC", 0).fix(np.array([5, NO_TIME])).tolist() == [5, NO_TIME]
        True
        """
        known = (
            slice(None) if len(ts) and int(ts.min()) != NO_TIME else np.flatnonzero(ts != NO_TIME)
        )
        times = ts[known]
        if len(times):
            if not self._whole:
                times = self._add_period(times)
            if self._zone is not None:
                times = self._to_utc(times, self._zone)
            self._look_for_steps(times, known)
            self._timed += len(times)
            if not (self._whole and self._zone is None):
                ts = ts.copy()
                ts[known] = times
        self._lines += len(ts)
        return ts

    @property
    def notes(self) -> list[str]:
        """What was assumed or noticed, as clauses for people."""
        notes = []
        if self._timed and not self._whole:
            if self._names_day:
                what, first = "year", str(_LEAP_YEAR + self._first_period)
            else:
                what, first = "day", iso(self._first_period * _DAY)[:10]
            notes.append(f"times name no {what}: {first} taken from the date of the source")
            if self._past_reference:
                notes.append(f"times run past the date of the source: the {what} may be too late")
        if self._timed and not self._names_zone:
            notes.append(f"times name no zone: read as {self._zone_name}")
        if self._steps:
            size = f"{self._worst / _SECOND:,.0f} s at line {self._worst_line:,}"
            more = f" (the largest of {self._steps:,} steps)" if self._steps > 1 else ""
            notes.append(f"clock stepped back by {size}{more}")
        return notes

    def paused(self) -> State:
        """Where the lines read so far stand in time."""
        return State({name: getattr(self, name) for name in _REMEMBERED})

    def resume(self, state: State) -> None:
        """Go on from there."""
        for name in _REMEMBERED:
            setattr(self, name, state.meta[name])

    def _look_for_steps(self, times: Int64s, known: slice | Int64s) -> None:
        before = self._last if self._last != NO_TIME else int(times[0])
        self._last = int(times[-1])
        change = np.diff(times, prepend=np.int64(before))
        if int(change.min()) > -_STEP:
            return
        steps = np.flatnonzero(change <= -_STEP)
        self._steps += len(steps)
        at = int(change.argmin())
        if -int(change[at]) > self._worst:
            row = at if isinstance(known, slice) else int(known[at])
            self._worst, self._worst_line = -int(change[at]), self._lines + row + 1

    # --- year and day ---

    def _add_period(self, times: Int64s) -> Int64s:
        """Put times within some year (or day) into the right one."""
        length = 366 * _DAY if self._names_day else _DAY
        within = times - _LEAP_START * _DAY if self._names_day else times % _DAY
        first = self._last_within is None
        if self._last_within is None:
            self._last_within = int(within[0])
        change = np.diff(within, prepend=np.int64(self._last_within))
        turns = (change < -length // 2).astype(np.int64) - (change > length - length // 50)
        turns = np.cumsum(turns)
        if first:
            self._period = self._first_period = self._start(within, turns)
        period = turns + self._period
        self._period, self._last_within = int(period[-1]), int(within[-1])
        placed = self._placed(within, period)
        self._past_reference |= int(placed.max()) > self._local_reference + _DAY
        return placed

    def _start(self, within: Int64s, turns: Int64s) -> int:
        """The period of the first line: the latest that the reference allows."""
        head = within[:1]
        latest = self._local_reference + (_DAY if self._names_day else 3600 * _SECOND)
        if self._names_day:
            period = (_EPOCH + timedelta(seconds=latest // _SECOND)).year - _LEAP_YEAR
        else:
            period = latest // _DAY
        if int(self._placed(head, np.array([period]))[0]) > latest:
            period -= 1
        leap_days = turns[within // _DAY == _FEBRUARY_29] if self._names_day else turns[:0]
        for back in range(8):  # a 29th of February tells the year: it must be a leap year
            if _is_leap(leap_days + (_LEAP_YEAR + period - back)).all():
                return int(period - back)
        return int(period)

    def _placed(self, within: Int64s, period: Int64s) -> Int64s:
        if not self._names_day:
            return within + period * _DAY
        year = period + _LEAP_YEAR
        past = year - 1
        start = past * 365 + past // 4 - past // 100 + past // 400 - 719162
        missing = (within // _DAY > _FEBRUARY_29) & ~_is_leap(year)
        placed: Int64s = within + (start - missing) * _DAY
        return placed

    # --- zone ---

    def _to_utc(self, times: Int64s, zone: tzinfo) -> Int64s:
        """Local times in UTC; what an offset is, is asked once per quarter of an hour."""
        quarter = times // _QUARTER
        edges = np.flatnonzero(np.diff(quarter, prepend=quarter[0] - 1))
        offsets = np.array([self._offset(q, zone) for q in quarter[edges].tolist()], dtype=np.int64)
        offsets = np.repeat(offsets, np.diff(edges, append=len(times)), axis=0)
        first, second = offsets.T
        utc: Int64s = times - first
        if self._in_fold or bool((first != second).any()):
            utc = self._unfold(times, utc, first - second)
        self._newest = max(self._newest, int(times.max()))
        return utc

    def _unfold(self, times: Int64s, utc: Int64s, repeated: Int64s) -> Int64s:
        """Move times of a repeated hour that come after a step back into its second pass."""
        newest = np.maximum.accumulate(np.append(self._newest, times))[:-1]
        ambiguous = repeated > 0
        row = np.arange(len(times))
        stepped = ambiguous & (times < newest - _FOLD_STEP) & (newest < times + _DAY)
        last_step = np.maximum.accumulate(np.where(stepped, row, -1 if not self._in_fold else 0))
        last_clear = np.maximum.accumulate(np.where(ambiguous, -1, row))
        second = ambiguous & (last_step > last_clear)
        self._in_fold = bool(second[-1])
        return np.where(second, utc + repeated, utc)

    def _offset(self, quarter: int, zone: tzinfo) -> tuple[int, int]:
        """The zone's two offsets in a quarter of an hour of local time; they differ in a fold."""
        found = self._offsets.get(quarter)
        if found is None:
            moment = _EPOCH + timedelta(seconds=quarter * 900)
            pair = [
                int(
                    (moment.replace(tzinfo=zone, fold=f).utcoffset() or timedelta()).total_seconds()
                )
                for f in (0, 1)
            ]
            # In the gap of spring the second offset is the larger one: nothing is repeated then.
            found = (pair[0] * _SECOND, min(pair) * _SECOND)
            if len(self._offsets) > 100_000:
                self._offsets.clear()
            self._offsets[quarter] = found
        return found


def _is_leap(year: Int64s) -> np.ndarray:
    leap: np.ndarray = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return leap


def zone_of(name: str) -> tzinfo:
    """The zone of that name: an IANA name, "UTC" or "+hh:mm"; `SettingsError` where it is none.

    >>> zone_of("+02:00").utcoffset(None)
    datetime.timedelta(seconds=7200)
    """
    return _zone(name) or UTC


def _zone(name: str) -> tzinfo | None:
    """The zone of a setting; None for UTC."""
    if name.upper() in ("UTC", "GMT", "Z"):
        return None
    offset = re.fullmatch(r"([+-])(\d\d?):?(\d\d)?", name)
    if offset and int(offset[2]) < 24 and int(offset[3] or 0) < 60:
        size = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return fixed_zone(-size if offset[1] == "-" else size)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise SettingsError(
            f"timezone is {name!r}: expected an IANA name such as Europe/Berlin, or +hh:mm"
        ) from None
