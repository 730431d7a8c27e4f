"""Rust's tracing: the crate is the component, the rest of the path begins the message."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "tracing",
    "Rust tracing",
    layouts=(
        r"<time:%Y-%m-%dT%H:%M:%S{.%f}%z> <level> <?><component>{\{<_...>\}}:{:}{ }<content>",
    ),
    samples=(
        "2024-05-01T10:00:00.123456Z  INFO server::net: listening addr=0.0.0.0:8080",
        "2024-05-01T10:00:00.123456Z ERROR request{id=7 path=/}: server::db: pool timed out",
    ),
    telltales=("::",),
)
