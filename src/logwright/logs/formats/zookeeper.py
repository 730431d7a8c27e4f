"""ZooKeeper: the thread and class before the '@' is the component."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "zookeeper",
    "ZooKeeper",
    layouts=("<time:%Y-%m-%d %H:%M:%S,%f> - <level> [<component...>@<_>] - <content>",),
    samples=(
        "2015-07-29 17:41:44,747 - INFO  [QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181:"
        "FastLeaderElection@774] - Notification time out: 3200",
        "2015-07-29 19:04:12,394 - INFO  [/10.10.34.11:3888:QuorumCnxManager$Listener@493] - "
        "Received connection request /10.10.34.11:45307",
    ),
)
