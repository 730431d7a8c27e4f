"""GitHub Actions: the raw log, and ``gh run view --log`` with job and step in front.

`##[error]` and `##[warning]` give the level; `##[group]` and other marks of that kind are none.
"""

from logwright.logs.formats.base import Format

_LINE = "{\ufeff}<time:%Y-%m-%dT%H:%M:%S{.%f}%z> {##[<level>]}<content>"

FORMAT = Format(
    "github",
    "GitHub Actions",
    layouts=(f"<_...>\\\t<component...>\\\t{_LINE}", _LINE),
    samples=(
        "2024-05-01T10:00:00.1234567Z ##[group]Run actions/checkout@v4",
        "2024-05-01T10:00:07.7654321Z ##[error]Process completed with exit code 1.",
        "build\tRun tests\t2024-05-01T10:00:07.7654321Z ##[warning]Node.js 16 is deprecated",
    ),
    telltales=("##[",),
    levels=("group", "endgroup", "command", "section", "add-matcher", "remove-matcher"),
)
