"""Docker Compose: the container before a bar, then whatever it wrote."""

from logwright.logs.formats.base import Format
from logwright.logs.layout import TIMES

_TIMED = ("<time:{0}> <level> <content>", "<time:{0}> <content>", "[<time:{0}>] <content>")
_UNTIMED = ("[<level>] <content>", "<level>: <content>", "<level> <content>", "<content>")

FORMAT = Format(
    "compose",
    "Docker Compose",
    layouts=(
        *(f"<component> | {form.format(time)}" for form in _TIMED for time in TIMES),
        *(f"<component> | {form}" for form in _UNTIMED),
    ),
    samples=(
        "web-1  | 2024-05-01T10:00:00Z listening",
        "db-1   | 2024-05-01 10:00:00.123 INFO ready",
        "web-1  | INFO:     Application startup complete.",
        "web-1  | listening on port 8080",
    ),
)
