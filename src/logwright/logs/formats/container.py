"""Container runtimes (CRI): the files under /var/log/pods; the inner line is the message."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "cri",
    "container runtime (CRI)",
    layouts=("<time:%Y-%m-%dT%H:%M:%S{.%f}%z> std<_> <_> <content>",),
    samples=(
        "2024-05-01T10:00:00.123456789Z stdout F listening on :8080",
        "2024-05-01T10:00:00.223456789+02:00 stderr P panic: runtime error",
    ),
)
