"""Ruby's Logger, and so Rails in production."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "ruby",
    "Ruby logger",
    layouts=(
        "<_>, [<time:%Y-%m-%dT%H:%M:%S.%f> #<_>] <level> -- : <content>",
        "<_>, [<time:%Y-%m-%dT%H:%M:%S.%f> #<_>] <level> -- <component>: <content>",
    ),
    samples=("I, [2024-05-01T10:00:00.123456 #1234]  INFO -- : Started GET / for 10.0.0.1",),
)
