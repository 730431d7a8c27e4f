"""Windows component servicing (CBS.log)."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "cbs",
    "Windows CBS",
    layouts=("<time:%Y-%m-%d %H:%M:%S>, <level> <component> <content>",),
    samples=(
        "2016-09-28 04:30:30, Info                  CBS    Loaded Servicing Stack v6.1.7601",
        "2016-09-28 04:30:31, Info                  CSI    00000001@2016/9/27:20:30:31.455 Wcp",
    ),
)
