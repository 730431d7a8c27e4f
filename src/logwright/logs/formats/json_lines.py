"""JSON lines: one object per line, read by `logs.json_lines`."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "json",
    "JSON lines",
    samples=(
        '{"ts": "2024-05-01T10:00:00.123Z", "level": "info", "msg": "listening", "port": 8080}',
        '{"timestamp": 1714557600123, "severity": "ERROR", "message": "connection refused"}',
    ),
    kind="json",
)
