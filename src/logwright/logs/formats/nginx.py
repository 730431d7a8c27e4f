"""nginx's error log."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "nginx",
    "nginx error log",
    layouts=("<time:%Y/%m/%d %H:%M:%S> [<level>] <_>#<_>: <content>",),
    samples=(
        "2024/05/01 10:00:00 [error] 1234#0: *5 connect() failed (111: Connection refused)",
        "2024/05/01 10:00:01 [notice] 1#1: start worker process 29",
    ),
)
