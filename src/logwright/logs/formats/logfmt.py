"""logfmt: key=value pairs with the time and level in front (logrus, slog, Prometheus)."""

from logwright.logs.formats.base import Format

_TIME = "<time:%Y-%m-%dT%H:%M:%S{.%f}%z>"

FORMAT = Format(
    "logfmt",
    "logfmt",
    layouts=(
        f'time="{_TIME}" level=<level> <content>',
        f"time={_TIME} level=<level> <content>",
        f"ts={_TIME} caller=<component>:<_> level=<level> <content>",
        f"ts={_TIME} level=<level> <content>",
        f"level=<level> ts={_TIME} <content>",
        f'level=<level> time="{_TIME}" <content>',
        f"level=<level> time={_TIME} <content>",
    ),
    samples=(
        'time="2024-05-01T10:00:00Z" level=info msg="listening" port=8080',
        'time=2024-05-01T10:00:00.000+02:00 level=WARN msg="slow query" ms=1200',
        'ts=2024-05-01T10:00:00.123Z caller=main.go:512 level=info msg="Server is ready"',
    ),
)
