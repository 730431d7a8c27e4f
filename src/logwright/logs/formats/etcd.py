"""etcd before 3.4 (capnslog); newer ones write JSON."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "etcd",
    "etcd (capnslog)",
    layouts=("<time:%Y-%m-%d %H:%M:%S.%f> <level> | <component>: <content>",),
    samples=(
        "2024-05-01 10:00:00.123456 I | etcdserver: published {Name:infra1} to cluster",
        "2024-05-01 10:00:01.123456 W | rafthttp: health check for peer 8211f1d0f64f3269 failed",
    ),
)
