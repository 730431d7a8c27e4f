"""Settings: one loader, one order (command line > environment > TOML file > default).

Environment variables are ``LOGWRIGHT_`` + the key in capitals; the TOML file is ``logwright.toml``
in the working folder, or the one named by ``LOGWRIGHT_CONFIG``.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from logwright.errors import SettingsError

__all__ = ["Settings", "load_settings", "parse_length", "parse_trigger"]

_TEN_YEARS = 3650 * 86400.0
_MOST = (1 << 31) - 1
_LEAST_BUDGET = 1e-6
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHOWN = 200


_TRIGGER = re.compile(r"(\d{1,4})\s?/\s?(\d{1,4})", re.ASCII)
_LENGTH = re.compile(r"(\d{1,8})\s?([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_IGNORE = ".logwrightignore"

MOST_INTERVALS = 1_000


def parse_trigger(text: str) -> tuple[int, int] | None:
    """N and M of 'N/M', None where the text is no trigger.

    >>> parse_trigger("3/5"), parse_trigger("5/3")
    ((3, 5), None)
    """
    match = _TRIGGER.fullmatch(text.strip())
    if match is None:
        return None
    least, among = int(match[1]), int(match[2])
    return (least, among) if 1 <= least <= among <= MOST_INTERVALS else None


def parse_length(text: str) -> int | None:
    """Seconds of a length of time, None where the text is none.

    >>> parse_length("10m"), parse_length("ten")
    (600, None)
    """
    match = _LENGTH.fullmatch(text.strip())
    return None if match is None else int(match[1]) * _SECONDS[match[2]]


class Settings(BaseModel):
    """Everything a user can set. Defaults are meant to need no change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str | None = Field(
        default=None,
        description="Format name (see `docs/formats.md`) or a layout such as "
        "'<Date> <Time> <Level> <Component>: <Content>'. Default: detected.",
    )
    keep_suspect: bool = Field(
        default=False,
        description="Learn also from stretches of history that look like an incident.",
    )
    label_prefix: bool = Field(
        default=False,
        description="The first token of each line is a label, as in the public BGL-like sets; it "
        "is moved out of sight of everything that learns.",
    )
    timezone: str = Field(
        default="UTC", description="Zone of timestamps that name none: an IANA name or +hh:mm."
    )
    since: str | None = Field(
        default=None,
        description="Lines before this time are left out ('2024-05-01T10:00', '10:00' on the last "
        "day of the log, '15m' before now); `scan` takes them as the past.",
    )
    until: str | None = Field(default=None, description="Lines from this time on are left out.")
    around: str | None = Field(
        default=None, description="Ten minutes before and after this time: since and until in one."
    )
    where: tuple[str, ...] = Field(
        default=(),
        description="Only lines for which all of these hold, each 'key=value': host, component, "
        "level, source, or any key=value that stands in the line.",
    )
    session: str | None = Field(
        default=None,
        description="Regular expression whose first group (or whole match) is the session key. "
        "Default: found by itself; 'none' turns sessions off.",
    )
    window: str = Field(
        default="auto",
        description="'auto', a number of lines such as '100', or a time such as '60s', '5m', '1h'; "
        "with '/STEP' for sliding windows, such as '5m/1m'.",
    )
    session_gap: float = Field(
        default=3600.0,
        gt=0,
        le=_TEN_YEARS,
        allow_inf_nan=False,
        description="Most seconds of silence after which a session is closed; the gap itself "
        "follows from the log's sessions.",
    )
    session_end: str | None = Field(
        default=None,
        description="Regular expression of the templates that end their session, such as "
        "'request .* finished'. Default: sessions end by silence.",
    )
    lateness: float = Field(
        default=60.0,
        ge=0,
        le=_TEN_YEARS,
        allow_inf_nan=False,
        description="Seconds a record may be late against the newest one.",
    )
    max_session_lines: int = Field(
        default=10_000,
        ge=2,
        le=_MOST,
        description="Lines after which a session is closed (the cap).",
    )
    max_open_sessions: int = Field(
        default=1_000_000,
        ge=1,
        le=_MOST,
        description="Open sessions held; beyond it the oldest is closed.",
    )
    budget: float = Field(
        default=10.0,
        gt=0,
        le=1e9,
        allow_inf_nan=False,
        description="Alarm budget: alarms that normal data may raise, per day (bursts, "
        "silences, lost periods, parameters) and per 10,000 sessions (make-ups, gaps).",
    )
    block_bytes: int = Field(
        default=4 << 20, ge=4096, le=1 << 30, description="Bytes read and processed at a time."
    )
    max_line_bytes: int = Field(
        default=1 << 20, ge=64, le=1 << 28, description="A longer line is cut here, and marked."
    )
    max_shapes: int = Field(
        default=1_000_000,
        ge=100,
        le=_MOST,
        description="Shapes held in a run; lines of further shapes are counted as one template.",
    )
    exemplars: bool = Field(
        default=True,
        description="Keep example lines in the model, up to 8 per shape (well-known secret forms "
        "are always removed).",
    )
    emails: bool = Field(
        default=False, description="Redact e-mail addresses, too, in all that is kept or shown."
    )
    store: str | None = Field(
        default=None,
        description="File in which findings and verdicts are kept, 'none' for no such file. "
        "Default: `store.db` in the model's folder; for `scan`, one for each folder of logs, in "
        "the user's folder for state.",
    )
    rules: str | None = Field(
        default=None,
        description="Folder of a rulebook whose active rules judge each window (see "
        "`docs/rules.md`), 'none' for no such folder. Default: `rules` in the model's folder, "
        "where there is one.",
    )
    ignore: str | None = Field(
        default=None,
        description="File of findings to leave out (see `docs/findings.md`). Default: "
        "`.logwrightignore` in the working folder, where there is one.",
    )
    trigger: str | None = Field(
        default=None,
        description="'N/M': a pattern is raised once it was found in N of M consecutive intervals "
        "(see `docs/findings.md`). Default: at its first finding.",
    )
    quiet: str | None = Field(
        default=None,
        description="Findings of a pattern within this time of its last one ('10m', '1h') are "
        "counted, not raised anew; '0s' raises all. Default: '10m' while live, else '0s'.",
    )
    live: bool = Field(
        default=True,
        description="Whether standard input that is a pipe and stays open is judged as it comes "
        "(see `docs/live.md`), not when it ends.",
    )
    top: int = Field(default=20, ge=1, description="Patterns shown in the terminal table.")
    severity: Literal["low", "medium", "high", "critical"] = Field(
        default="low", description="Least severity that is shown."
    )

    @field_validator("trigger")
    @classmethod
    def _some_of_many(cls, text: str | None) -> str | None:
        if text is not None and parse_trigger(text) is None:
            raise ValueError(f"expected such as '3/5': n of m, m at most {MOST_INTERVALS:,}")
        return text

    @field_validator("quiet")
    @classmethod
    def _length(cls, text: str | None) -> str | None:
        if text is not None and parse_length(text) is None:
            raise ValueError("expected a length of time such as '90s', '10m', '2h' or '1d'")
        return text

    @field_validator("format", "timezone", "session", "window")
    @classmethod
    def _encodable(cls, text: str | None) -> str | None:
        if text is not None and _SURROGATE.search(text):
            raise ValueError("expected UTF-8 text")
        return text

    @field_validator("budget")
    @classmethod
    def _not_nothing(cls, budget: float) -> float:
        if budget < _LEAST_BUDGET:
            raise ValueError(f"expected at least {_LEAST_BUDGET:g}")
        return budget


def load_settings(**overrides: Any) -> Settings:
    """Settings from the command line's `overrides` (None means not given), environment and TOML.

    >>> load_settings(budget=3).budget
    3.0
    """
    values: dict[str, Any] = {"ignore": _IGNORE} if Path(_IGNORE).is_file() else {}
    origin: dict[str, str] = {}
    path = os.environ.get("LOGWRIGHT_CONFIG") or "logwright.toml"
    if Path(path).is_file():
        try:
            table = tomllib.loads(Path(path).read_text("utf-8"))
        except (ValueError, RecursionError) as error:
            raise SettingsError(f"{path} is not valid TOML: {error}") from None
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
        values.update(table)
        origin.update(dict.fromkeys(table, path))
    elif "LOGWRIGHT_CONFIG" in os.environ:
        raise SettingsError(f"LOGWRIGHT_CONFIG names {path!r}, which is not a file")
    for key in Settings.model_fields:
        name = f"LOGWRIGHT_{key.upper()}"
        if name in os.environ:
            values[key] = os.environ[name]
            origin[key] = name
    given = {key: value for key, value in overrides.items() if value is not None}
    values.update(given)
    origin.update(dict.fromkeys(given, "the command line"))
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        if first["type"] == "extra_forbidden":
            raise SettingsError(f"{origin[key]}: there is no setting named {key!r}") from None
        shown = repr(first["input"])
        shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
        said = first["msg"].lower().removeprefix("value error, ").replace("utf-8", "UTF-8")
        raise SettingsError(f"{origin.get(key, 'default')}: {key} is {shown}: {said}") from None
