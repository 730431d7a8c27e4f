"""Hadoop and others with log4j's layout ``%d %p [%t] %c: %m``."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "hadoop",
    "Hadoop (log4j)",
    layouts=("<time:%Y-%m-%d %H:%M:%S,%f> <level> [<_>] <component>: <content>",),
    samples=(
        "2015-10-18 18:01:47,978 INFO [main] org.apache.hadoop.mapreduce.v2.app.MRAppMaster: "
        "Created MRAppMaster for application appattempt_1445144423722_0020_000001",
        "2015-10-18 18:05:27,570 WARN [LeaseRenewer:msrabi@msra-sa-41:9000] "
        "org.apache.hadoop.ipc.Client: Address change detected.",
    ),
)
