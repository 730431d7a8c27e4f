"""Which keys of JSON records hold the message, the time, the level, the host and the component.

Keys are found by well-known names (of OpenTelemetry, ECS, GELF, journald, Bunyan, pino, zap,
structlog, Serilog, Docker, MongoDB and others), in that order, at any depth; a message with none of
them is the longest text with spaces. Names are compared without case.

Left out: records inside arrays (OTLP's `resourceLogs`), of which one line holds many.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from logwright.logs.batch import NO_TIME
from logwright.logs.json_records import Path, flatten, load_object
from logwright.logs.json_times import number_times, text_times

__all__ = ["Keys", "find_keys", "level_name"]

# fmt: off
_MESSAGE = [
    "message", "msg", "log", "event", "text", "body", "short_message", "body.stringvalue",
    "textpayload", "jsonpayload.message", "log.message", "record.message", "data.message", "@m",
    "@mt", "@message", "fields.message", "raw", "_raw", "output", "description",
]
_TIME = [
    "timestamp", "@timestamp", "time", "ts", "datetime", "date", "@t", "t", "eventtime",
    "event_time", "timeunixnano", "observedtimeunixnano", "t.$date", "timestamp.$date",
    "instant.epochsecond", "timemillis", "asctime", "__realtime_timestamp", "log.time",
    "created_at", "start_time", "time_iso8601", "startutc", "requestreceivedtimestamp",
    "stagetimestamp", "msec",
]
_LEVEL = [
    "level", "severity", "log.level", "lvl", "loglevel", "log_level", "levelname", "level_name",
    "severitytext", "severity_text", "@l", "@level", "priority", "s", "error_severity",
    "severitynumber", "severity_number",
]
_HOST = [
    "host", "hostname", "host.name", "host.hostname", "_hostname", "node", "server", "instance",
]
_COMPONENT = [
    "logger", "logger_name", "loggername", "log.logger", "component", "service", "service.name",
    "subsystem", "module", "c", "syslog_identifier", "_comm", "@module", "target", "name", "app",
    "application", "appname", "category", "tag", "kubernetes.container_name",
]
# fmt: on

_BUNYAN = {10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARN", 50: "ERROR", 60: "FATAL"}
_SYSLOG = ("EMERG", "ALERT", "CRIT", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG")
_OTEL = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")


@dataclass(slots=True, frozen=True)
class Keys:
    """The path of each role, None where there is none, and why."""

    message: Path | None
    time: Path | None
    level: Path | None
    host: Path | None
    component: Path | None
    time_kind: str  # text, whole or decimal
    level_kind: str  # text or whole
    reason: str


def find_keys(samples: Sequence[bytes], zone: str = "UTC") -> Keys:
    """The keys of the records in `samples` (lines); `zone` is that of times which name none.

    >>> find_keys([b'{"ts": 1700000000.5, "lvl": "info", "msg": "started", "pid": 3}']).reason
    "JSON lines: message 'msg', time 'ts' (decimal), level 'lvl'"
    """
    records = [dict(flatten(r)) for r in map(load_object, samples) if r is not None]
    values: dict[Path, list[Any]] = {}
    for record in records:
        for path, value in record.items():
            if value is not None:
                values.setdefault(path, []).append(value)
    taken: list[Path] = []

    def choose(names: Sequence[str], fits: Callable[[list[Any]], bool]) -> Path | None:
        """The first name that half of the records have, else the most frequent one."""
        paths = sorted(
            (path for path in values if ".".join(path).lower() in names and fits(values[path])),
            key=lambda path: names.index(".".join(path).lower()),
        )
        # A path inside another's text cannot be read as a column.
        paths = [path for path in paths if _apart(path, taken)]
        if not paths:
            return None
        best = next((p for p in paths if 2 * len(values[p]) >= len(records)), None)
        best = best or max(paths, key=lambda path: len(values[path]))
        taken.append(best)
        return best

    time = choose(_TIME, lambda found: _share_of_times(found, zone) > 0.5)
    message = choose(_MESSAGE, lambda found: _mostly(found, str))
    level = choose(_LEVEL, _is_level)
    host = choose(_HOST, lambda found: _mostly(found, str))
    component = choose(_COMPONENT, lambda found: _mostly(found, str))
    if message is None:
        message = _longest_text(values, taken)
    time_kind = _kind(values[time]) if time else "text"
    level_kind = _kind(values[level]) if level else "text"
    roles = {"message": message, "time": time, "level": level, "host": host, "component": component}
    said = [f"{role} {'.'.join(path)!r}" for role, path in roles.items() if path]
    if time:
        said = [part + f" ({time_kind})" if part.startswith("time ") else part for part in said]
    if message is None:
        said.insert(0, "no message key: all fields as key=value")
    reason = "JSON lines: " + ", ".join(said)
    if not records:
        reason = f"JSON lines: no JSON object among {len(samples)} sample lines"
    return Keys(message, time, level, host, component, time_kind, level_kind, reason)


def _apart(path: Path, taken: list[Path]) -> bool:
    return not any(path[: len(other)] == other[: len(path)] for other in taken)


def _mostly(found: list[Any], kind: type) -> bool:
    return 2 * sum(isinstance(value, kind) for value in found) > len(found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(found: list[Any]) -> str:
    """The type of column that reads most of `found`."""
    if _mostly(found, str):
        return "text"
    return "decimal" if any(isinstance(value, float) for value in found) else "whole"


def _is_level(found: list[Any]) -> bool:
    texts = all(isinstance(value, str) and len(value) <= 16 for value in found)
    return texts or all(isinstance(v, int) and _is_number(v) and 0 <= v <= 100 for v in found)


def _share_of_times(found: list[Any], zone: str) -> float:
    texts = [value for value in found if isinstance(value, str) and value.isprintable()]
    numbers = [float(value) for value in found if _is_number(value) and abs(value) < 1e19]
    times = np.concatenate(
        [text_times(pa.array(texts, pa.string()), zone), number_times(np.array(numbers, float))]
    )
    return float((times != NO_TIME).sum()) / len(found)


def _longest_text(values: dict[Path, list[Any]], taken: list[Path]) -> Path | None:
    def size(path: Path) -> int:
        return sum(len(value) for value in values[path] if isinstance(value, str) and " " in value)

    return max(
        (path for path in values if path not in taken and size(path)), key=size, default=None
    )


def level_name(value: bytes, path: Path | None) -> bytes:
    """The name of a level that is a number: Bunyan's, OpenTelemetry's or syslog's.

    >>> level_name(b"30", ("level",)), level_name(b"3", ("PRIORITY",)), level_name(b"warn", ("l",))
    (b'INFO', b'ERROR', b'warn')
    """
    if not value.isdigit() or len(value) > 3 or not path:
        return value
    number = int(value)
    if path[-1].lower() in ("severitynumber", "severity_number"):
        return _OTEL[(number - 1) // 4].encode() if 1 <= number <= 24 else value
    if number in _BUNYAN:
        return _BUNYAN[number].encode()
    return _SYSLOG[number].encode() if number < len(_SYSLOG) else value
