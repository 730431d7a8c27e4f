"""logfmt: key=value pairs with the time and level in front (logrus, slog, log15, Loki)."""

from logwright.logs.formats.base import Format

_TIMES = (
    "<time:%Y-%m-%dT%H:%M:%S{.%f}%z>",
    "<time:%Y-%m-%dT%H:%M:%S{.%f}>",
    "<time:%s{.%f}>",
)
_SPACED = ("<time:%Y-%m-%d %H:%M:%S{.%f}%z>", "<time:%Y-%m-%d %H:%M:%S{.%f}>")
_KEYED = tuple(
    f"{key}={time}"
    for key in ("time", "ts", "t", "timestamp")
    for time in (*_TIMES, *(f'"{time}"' for time in (*_TIMES, *_SPACED)))
)
_TIMED = (
    "{0} level=<level> <content>",
    "{0} lvl=<level> <content>",
    "{0} severity=<level> <content>",
    "{0} caller=<component>:<_> level=<level> <content>",
    "{0} caller=<component> level=<level> <content>",
    "caller=<component>:<_> {0} level=<level> <content>",
    "logger=<component> {0} level=<level> <content>",
    "level=<level> {0} <content>",
    "lvl=<level> {0} <content>",
)

FORMAT = Format(
    "logfmt",
    "logfmt",
    layouts=(
        *(form.format(time) for form in _TIMED for time in _KEYED),
        *(f"{time} <content>" for time in _KEYED),
        "level=<level> <content>",
        "at=<level> <content>",
    ),
    samples=(
        'time="2024-05-01T10:00:00Z" level=info msg="listening" port=8080',
        'time=2024-05-01T10:00:00.000+02:00 level=WARN msg="slow query" ms=1200',
        'ts=2024-05-01T10:00:00.123Z caller=main.go:512 level=info msg="Server is ready"',
        'logger=settings t=2024-05-01T10:00:00.123456789Z level=info msg="Starting Grafana"',
        't=2024-05-01T10:00:00+0000 lvl=eror msg="no peers" peers=0',
        'level=info ts=1714557600.123 msg="replaying WAL"',
        'level=error msg="no such host" host=db.example.com',
    ),
)
