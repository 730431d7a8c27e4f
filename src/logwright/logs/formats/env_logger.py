"""Rust's env_logger."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "env_logger",
    "Rust env_logger",
    layouts=("[<time:%Y-%m-%dT%H:%M:%S{.%f}%z> <level> <component>] <content>",),
    samples=(
        "[2024-05-01T10:00:00Z INFO  server::net] listening on 0.0.0.0:8080",
        "[2024-05-01T10:00:00.123456Z ERROR server] no route to host",
    ),
)
