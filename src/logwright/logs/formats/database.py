"""PostgreSQL and MySQL server logs."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "database",
    "PostgreSQL / MySQL",
    layouts=(
        "<time:%Y-%m-%d %H:%M:%S{.%f} %z> [<_>] <level>: <content>",
        "<time:%Y-%m-%d %H:%M:%S{.%f} %z> [<_>] <_>@<component> <level>: <content>",
        "<time:%Y-%m-%dT%H:%M:%S.%f%z> <_> [<level>] {[<_>] }{[<component>] }<content>",
    ),
    samples=(
        "2024-05-01 10:00:00.123 UTC [1234] LOG:  database system is ready to accept connections",
        '2024-05-01 10:00:02.125 UTC [77] app@shop ERROR:  relation "items" does not exist',
        "2024-05-01T10:00:00.123456Z 0 [Warning] [MY-010068] [Server] CA certificate is expired",
    ),
)
