"""Selection: which lines a run takes, by time and by what their header says.

Times are texts as people type them: `2024-05-01T10:00:00`, `2024-05-01 10:00`, `2024-05-01`, all in
the log's own zone where they name none; `10:00` or `10:00:05`, on the day of `now`; `15m`, `2h`,
`3d` before `now`. `now` is when the newest source was last written, so that a log of last week can
be asked for its last hour.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from logwright.errors import SettingsError
from logwright.logs.batch import NO_TIME, Int64s, LineBatch
from logwright.logs.layout import level_code
from logwright.logs.names import Names
from logwright.logs.source_state import SourceState
from logwright.logs.timestamps import zone_of
from logwright.settings import Settings

__all__ = ["AROUND", "Selection", "holds", "parse_moment"]

AROUND = timedelta(minutes=10)
"""How far `around` reaches before and after its time."""

_AGO = re.compile(r"(\d{1,6})\s?(s|m|h|d)(?: ago)?")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_moment(text: str, zone: tzinfo, now: datetime) -> datetime:
    """The time that a text names; `ValueError` where it names none.

    >>> now = datetime(2024, 5, 1, 12, tzinfo=UTC)
    >>> [parse_moment(t, UTC, now).isoformat() for t in ("2024-04-30 10:00", "11:30", "15m")]
    ['2024-04-30T10:00:00+00:00', '2024-05-01T11:30:00+00:00', '2024-05-01T11:45:00+00:00']
    """
    text = text.strip()
    ago = _AGO.fullmatch(text)
    if ago:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    if _CLOCK.fullmatch(text):
        text = f"{now.astimezone(zone):%Y-%m-%d} {text:0>5}"
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


@dataclass(frozen=True, slots=True)
class Selection:
    """Lines with `since` <= time < `until` (ns; `NO_TIME` where there is no such bound; a line
    without a time goes with the line before it), for which every (key, value) of `where` holds."""

    since: int = NO_TIME
    until: int = NO_TIME
    where: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(settings: Settings, now: float) -> Selection | None:
        """The selection that settings ask for, None where they ask for all; `now` in seconds since
        1970. `SettingsError` where a time or a condition cannot be read.

        >>> Selection.of(Settings(since="1970-01-02"), 0.0).since
        86400000000000
        """
        zone = zone_of(settings.timezone)
        moment = datetime.fromtimestamp(now, UTC)
        bounds = {}
        for name in ("since", "until", "around"):
            text = getattr(settings, name)
            if text is None:
                continue
            try:
                bounds[name] = parse_moment(text, zone, moment)
            except (ValueError, OverflowError):
                raise SettingsError(
                    f"{name} is {text!r:.80}: expected a time such as '2024-05-01T10:00', '10:00' "
                    "or '15m'"
                ) from None
        if "around" in bounds:
            if len(bounds) > 1:
                raise SettingsError("around stands for since and until: give one or the other")
            bounds = {"since": bounds["around"] - AROUND, "until": bounds["around"] + AROUND}
        where = tuple(map(_condition, settings.where))
        if not bounds and not where:
            return None
        ns = {k: (b - _EPOCH) // timedelta(microseconds=1) * 1000 for k, b in bounds.items()}
        since, until = ns.get("since", NO_TIME), ns.get("until", NO_TIME)
        if NO_TIME not in (since, until) and since >= until:
            raise SettingsError("since is not before until: no line lies between them")
        return Selection(since, until, where)

    def rows(
        self,
        batch: LineBatch,
        text: bytes,
        state: SourceState,
        source: str,
        hosts: Names,
        components: Names,
    ) -> NDArray[np.bool_]:
        """Which records of a batch it takes. `text` is the batch's block as it stands in the
        source of this name; `state` is told whether the last one is within the times."""
        which = np.ones(len(batch), bool)
        if not len(batch):
            return which
        if max(self.since, self.until) != NO_TIME:
            timed = batch.ts != NO_TIME
            inside = batch.ts >= self.since
            if self.until != NO_TIME:
                inside &= batch.ts < self.until
            last = np.maximum.accumulate(np.where(timed, np.arange(len(batch)), -1))
            which = np.where(last >= 0, inside[last], state.chosen)
            state.chosen = bool(which[-1])
        columns = {"host": (batch.host, hosts), "component": (batch.component, components)}
        for key, value in self.where:
            name = value.encode("utf-8", "surrogateescape")
            if key == "source":
                which &= value in (source, os.path.basename(source))
            elif key == "level" and level_code(name):
                which &= batch.level == level_code(name)
            elif key in columns and (columns[key][0] >= 0).any():
                codes, names = columns[key]
                which &= codes == (names.values.index(name) if name in names.values else -2)
            else:
                which &= holds(text, batch.offset - batch.base, key, value)
        return which


def _condition(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or not value:
        raise SettingsError(f"where is {text!r:.80}: expected key=value, such as host=web1")
    return key.strip(), value


def holds(text: bytes, start: Int64s, key: str, value: str) -> NDArray[np.bool_]:
    r"""Which records of a text, each from its `start` to the next one's, hold key=value: bare, in
    quotes, with a colon, or as JSON. Only head lines are looked at.

    >>> text = b'user=ann ok\n{"user": "ann"}\nuser=annette\n'
    >>> holds(text, np.array([0, 12, 28]), "user", "ann").tolist()
    [True, True, False]
    """
    name, what = (re.escape(t.encode("utf-8", "surrogateescape")) for t in (key, value))
    form = rb"(?<![\w.-])" + name + rb"[\"']?[ \t]?[=:][ \t]?[\"']?" + what + rb"(?![\w-]|\.\w)"
    at = np.array([m.start() for m in re.finditer(form, text)], np.int64)
    at = at[at >= start[0]]
    row = np.searchsorted(start, at, side="right") - 1
    newline = np.flatnonzero(np.frombuffer(text, np.uint8) == 10)
    head = np.searchsorted(newline, at) == np.searchsorted(newline, start[row])
    found = np.zeros(len(start), bool)
    found[row[head]] = True
    return found
