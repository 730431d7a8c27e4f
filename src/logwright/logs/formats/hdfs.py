"""HDFS as published by the Chinese University of Hong Kong: two-digit year, thread number."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "hdfs",
    "HDFS",
    layouts=("<time:%y%m%d %H%M%S> <_> <level> <component>: <content>",),
    samples=(
        "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block "
        "blk_38865049064139660 terminating",
        "081109 214043 2561 WARN dfs.DataNode$DataXceiver: 10.251.126.5:50010:Got exception",
    ),
)
