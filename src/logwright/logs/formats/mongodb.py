"""MongoDB before 4.4; newer ones write JSON."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "mongodb",
    "MongoDB",
    layouts=("<time:%Y-%m-%dT%H:%M:%S.%f%z> <level> <component> [<_>] <content>",),
    samples=(
        "2024-05-01T10:00:00.123+0200 I NETWORK  [conn123] end connection 192.0.2.1:51234",
        "2024-05-01T10:00:00.223+0200 W -        [ftdc] Uncaught exception in FTDC",
    ),
    levels=("d1", "d2", "d3", "d4", "d5"),
)
