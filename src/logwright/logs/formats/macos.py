"""macOS's unified log (``log show`` in its default, syslog and compact styles), and NSLog."""

from logwright.logs.formats.base import Format

_TIME = "%Y-%m-%d %H:%M:%S.%f"

FORMAT = Format(
    "macos",
    "macOS unified log",
    layouts=(
        f"<time:{_TIME}%z> 0x<_> <level> 0x<_> <_> <_> <component...>: <content>",
        f"<time:{_TIME}%z> <component...>[<_>:<_>] <content>",
        f"<time:{_TIME}%z> <host> <?><component...>[<_>]: <content>",
        f"<time:{_TIME}> {{A}}<level?> <component...>[<_>:<_>] <content>",
        f"<time:{_TIME}> <component...>[<_>:<_>] <content>",
    ),
    samples=(
        "2024-05-01 10:00:00.123456+0200 0x1a2b     Error       0x0                  123    0    "
        "kernel: (AppleACPIPlatform) no such device",
        "2024-05-01 10:00:00.123456+0200  localhost kernel[0]: (Sandbox) deny file-read-data",
        "2024-05-01 10:00:00.123 Df loginwindow[170:5e3] [com.apple.login:main] Login done",
        "2024-05-01 10:00:00.123 Notes[1234:5678] saved 3 items",
        "2024-05-01 10:00:00.123456+0200 Notes[1234:5678] saved 3 items",
    ),
    levels=("default", "fault", "df", "db", "activity", "signpost", "state", "loss"),
)
