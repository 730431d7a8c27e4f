"""The plan: which windows a log is cut into, chosen from its history, with the reason."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from logwright.errors import SettingsError
from logwright.settings import Settings
from logwright.windows.sessions import Sessions
from logwright.windows.tumbling import CountWindows, TimeWindows

__all__ = ["WindowPlan", "check_window", "choose_plan"]

SECOND = 1_000_000_000
_STEPS = [s * SECOND for s in (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 21600, 86400)]
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": 86400 * SECOND}
_LINES_PER_WINDOW = 100
_INTERVALS = 200
_EDGE_INTERVALS = _INTERVALS // 20
_SPEC = re.compile(r"(\d{1,18})([smhd]?)(?:/(\d{1,18})([smhd]?))?", re.ASCII)
_MOST = 1 << 62
_LONGEST = 36_500 * _UNITS["d"]
_MOST_LINES = 1_000_000_000
_COPIES = 100
"""Sliding windows that a record may stand in."""


class WindowPlan(BaseModel):
    """Windows of a log. Lengths are ns, or lines for `count`; `interval` (ns, 0 for none) is that
    of the rate detector."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["session", "time", "count"]
    size: int = Field(
        gt=0, lt=_MOST, description="Length of a window; the gap that closes a session."
    )
    step: int = Field(gt=0, lt=_MOST, description="From one window's start to the next.")
    lateness: int = Field(ge=0, lt=_MOST, description="How late a record may be, ns.")
    cap: int = Field(gt=0, lt=_MOST, description="Records after which a session is closed.")
    max_open: int = Field(gt=0, lt=_MOST, description="Open sessions held.")
    interval: int = Field(
        ge=0, lt=_MOST, description="Interval of the rate detector, ns; 0 without times."
    )
    session_end: str | None = Field(
        default=None, description="Regular expression of the templates that end their session."
    )
    reason: str = Field(description="Why these windows.")

    @model_validator(mode="after")
    def _check(self) -> WindowPlan:
        if 0 < self.interval < SECOND:
            raise ValueError("interval is less than a second")
        if not self.step <= self.size <= _COPIES * self.step:
            raise ValueError(f"step is not between size and size / {_COPIES}")
        return self

    @field_validator("session_end")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from None
        return value

    def assembler(self) -> Sessions | TimeWindows | CountWindows:
        """A fresh assembler of these windows."""
        if self.kind == "session":
            return Sessions(self.size, self.lateness, self.cap, self.max_open)
        if self.kind == "time":
            return TimeWindows(self.size, self.step, self.lateness)
        return CountWindows(self.size, self.step)

    def alike(self, other: WindowPlan) -> bool:
        """Whether both cut a log in the same way; the gap of sessions is each log's own."""
        if self.kind != other.kind:
            return False
        return self.kind == "session" or (self.size, self.step) == (other.size, other.step)

    @property
    def edge(self) -> int:
        """How near (ns) to the input's first or last time a session may be a part of one: the gap
        that closes sessions, or a twentieth of the time that was learned from; 0 without times."""
        return min(self.size, _EDGE_INTERVALS * self.interval)

    def loose(self) -> TimeWindows | CountWindows | None:
        """A fresh assembler for records that belong to no session; None without sessions."""
        if self.kind != "session":
            return None
        if self.interval:
            return TimeWindows(self.interval, self.interval, self.lateness)
        return CountWindows(_LINES_PER_WINDOW, _LINES_PER_WINDOW)

    def intervals(self) -> TimeWindows | None:
        """A fresh assembler of the rate detector's intervals, None without times."""
        if not self.interval:
            return None
        return TimeWindows(self.interval, self.interval, self.lateness)


def parse_window(text: str) -> tuple[Literal["time", "count"], int, int]:
    """A window setting as (kind, size, step): lines, or a time; '/step' makes it slide.

    >>> parse_window("100"), parse_window("5m/1m")
    (('count', 100, 100), ('time', 300000000000, 60000000000))
    """
    match = _SPEC.fullmatch(text.strip())
    if match:
        size, unit, step, step_unit = match.groups()
        step, step_unit = step or size, step_unit if step else unit
        factor = _UNITS.get(unit, 1)
        length, stride = int(size) * factor, int(step) * _UNITS.get(step_unit, 1)
        if bool(unit) == bool(step_unit) and 0 < stride <= length:
            if length > (_LONGEST if unit else _MOST_LINES):
                most = f"{_LONGEST // _UNITS['d']:,} days" if unit else f"{_MOST_LINES:,} lines"
                raise SettingsError(f"window is {text!r}: expected at most {most}")
            if length > _COPIES * stride:
                raise SettingsError(
                    f"window is {text!r}: expected a step of at least 1/{_COPIES} of the window, "
                    f"as every line is judged in {-(-length // stride):,} windows otherwise"
                )
            return ("time" if unit else "count"), length, stride
    raise SettingsError(
        f"window is {text[:80]!r}: expected 'auto', a number of lines ('100'), or a time ('60s', "
        "'5m', '1h'), with '/STEP' of at most that for sliding windows ('5m/1m')"
    )


def check_window(settings: Settings) -> None:
    """A `SettingsError` where the window or the end marker that was asked for is none."""
    if settings.session_end is not None:
        try:
            re.compile(settings.session_end)
        except re.error as error:
            raise SettingsError(
                f"session_end: {settings.session_end!r} is not a regular expression: {error}"
            ) from None
    if settings.window != "auto":
        parse_window(settings.window)


def choose_plan(settings: Settings, sessions: bool, lines: int, span: int) -> WindowPlan:
    """Windows for a history of `lines` records over `span` ns (0: no times).

    >>> plan = choose_plan(Settings(), False, 100_000, 86_400 * SECOND)
    >>> plan.kind, plan.size // SECOND, plan.interval // SECOND
    ('time', 300, 300)
    """
    interval = next((s for s in reversed(_STEPS) if s <= span / _INTERVALS), _STEPS[0])
    common: dict[str, Any] = {
        "lateness": int(settings.lateness * SECOND),
        "cap": settings.max_session_lines,
        "max_open": settings.max_open_sessions,
        "interval": interval if span else 0,
    }
    if settings.window != "auto":
        kind, size, step = parse_window(settings.window)
        if kind == "time" and not span:
            raise SettingsError(
                f"window is {settings.window!r}, but the log's lines have no times: "
                "expected a number of lines"
            )
        return WindowPlan(kind=kind, size=size, step=step, reason="as asked", **common)
    if sessions:
        gap = max(int(settings.session_gap * SECOND), 1)
        plan = WindowPlan(kind="session", size=gap, step=gap, reason="lines share keys", **common)
        return plan.model_copy(update={"session_end": settings.session_end})
    if span:
        wanted = _LINES_PER_WINDOW * span / max(lines, 1)
        size = next((s for s in _STEPS if s >= wanted), _STEPS[-3])
        size = min(size, 3600 * SECOND)
        reason = f"about {_LINES_PER_WINDOW} lines a window, no sessions"
        return WindowPlan(kind="time", size=size, step=size, reason=reason, **common)
    reason = "no sessions, and few lines or none have a time"
    n = _LINES_PER_WINDOW
    return WindowPlan(kind="count", size=n, step=n, reason=reason, **common)
