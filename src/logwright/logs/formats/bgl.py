"""BlueGene/L as published: epoch, node, local time with microseconds, node, type, facility, level.

The second is taken from the epoch, which is UTC, and its fraction from the local time behind it.
"""

from logwright.logs.formats.base import Format

_REST = "<time:%s> <_> <host> <?><_>.<_>.<_>.<time:%f> <_> <_> <component> <level> <content>"

FORMAT = Format(
    "bgl",
    "BlueGene/L",
    layouts=(f"<_> <?>{_REST}", _REST),
    samples=(
        "- 1117838570 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.675872 "
        "R02-M1-N0-C:J12-U11 RAS KERNEL INFO instruction cache parity error corrected",
        "APPREAD 1117869872 2005.06.04 R23-M1-N8-I:J18-U11 2005-06-04-00.24.32.398284 "
        "R23-M1-N8-I:J18-U11 RAS APP FATAL ciod: failed to read message prefix",
        "1117838570 2005.06.03 R02-M1-N0-C:J12-U11 2005-06-03-15.42.50.675872 "
        "R02-M1-N0-C:J12-U11 RAS KERNEL INFO instruction cache parity error corrected",
    ),
)
