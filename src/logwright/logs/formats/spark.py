"""Spark's default log4j layout."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "spark",
    "Spark",
    layouts=("<time:%y/%m/%d %H:%M:%S> <level> <component>: <content>",),
    samples=(
        "17/06/09 20:10:40 INFO executor.CoarseGrainedExecutorBackend: Registered signal handlers",
        "17/06/09 20:10:45 WARN storage.BlockManager: Putting block rdd_0_1 failed",
    ),
)
