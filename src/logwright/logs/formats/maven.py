"""Maven and other builds that print a level in brackets, and no time."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "maven",
    "Maven",
    layouts=("[<level>] <content>",),
    samples=(
        "[INFO] Building shop 1.4.2-SNAPSHOT",
        "[WARNING] Using platform encoding (UTF-8 actually) to copy filtered resources",
        "[ERROR] Tests run: 4, Failures: 0, Errors: 1, Skipped: 0",
    ),
)
