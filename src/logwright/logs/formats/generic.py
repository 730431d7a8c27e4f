"""Anything that names a time: the time, a level where there is one, and the rest."""

from logwright.logs.formats.base import Format
from logwright.logs.layout import TIMES

_BODIES = (
    "{0} [<level>] <content>",
    "{0} <level>: <content>",
    "{0} - <level> - <content>",
    "{0} <level> - <content>",
    "{0} <level> <content>",
    "{0} [<_>] [<level>] <content>",
    "{0} [<_>] <level> <content>",
    "{0} [<_>] <level>: <content>",
    "{0}: <level>: <content>",
    "{0}: <content>",
    "{0} - <content>",
    "{0} <content>",
    "{0}|<content>",
)
_BRACKETED = ("[<time:{0}>]", "<time:{0}>", "(<time:{0}>)")
_LEVEL_WITHIN = ("[<time:{0}> <level>] <content>", "[<level> <time:{0}>] <content>")
_LATER = (
    "<level> <time:{0}> <content>",
    "<level> [<time:{0}>] <content>",
    "[<level>] <time:{0}> <content>",
    "[<level>] [<time:{0}>] <content>",
    "<_> <time:{0}> <level> <content>",
    "<_> [<time:{0}>] <level> <content>",
    "<_> <time:{0}> <content>",
    "<_> [<time:{0}>] <content>",
)

FORMAT = Format(
    "timestamped",
    "text with times",
    layouts=(
        *(
            body.format(around.format(time))
            for body in _BODIES
            for around in _BRACKETED
            for time in TIMES
        ),
        *(f"<time:{time}>,{{ }}<content>".replace("{,%f}", "") for time in TIMES),
        *(body.format(time) for body in (*_LEVEL_WITHIN, *_LATER) for time in TIMES),
    ),
    samples=(
        "2024-05-01T10:00:00.123Z INFO user 12 logged in",
        "[2024-05-01 10:00:00,123] INFO new leader elected (kafka.controller.KafkaController)",
        "2024-05-01T10:00:00Z [error] cannot open /dev/sda",
        "1700000000.123 eth0 link up",
        "2024/05/01 10:00:00 http: TLS handshake error from 10.0.0.1:5000: EOF",
        "WARN 2024-05-01 10:00:00.123 queue is full",
        "10:00:00 tick",
        "[10:00:00 INF] Now listening on: http://localhost:5000",
        "worker-3 2024-05-01 10:00:00 job 17 done",
        "2024-05-01 10:00:00,pump 3,stopped",
    ),
)
