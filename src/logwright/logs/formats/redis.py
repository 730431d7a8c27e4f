"""Redis and Valkey: the role (M, S, C, X) is the component; `*` is a notice, `#` a warning."""

from logwright.logs.formats.base import Format

_REST = "<level> <content>"

FORMAT = Format(
    "redis",
    "Redis",
    layouts=(
        f"<_>:<component> <time:%d %b %Y %H:%M:%S.%f> {_REST}",
        f"<_>:<component> <time:%d %b %H:%M:%S.%f> {_REST}",
        f"[<_>] <time:%d %b %H:%M:%S.%f> {_REST}",
    ),
    samples=(
        "1234:M 01 May 2024 10:00:00.123 * Ready to accept connections",
        "21:C 01 May 10:00:00.123 # Warning: no config file specified",
        "[21] 01 May 10:00:00.123 - Accepted 192.0.2.1:4711",
    ),
    levels=("*", "#", "-", "."),
)
