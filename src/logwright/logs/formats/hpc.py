"""HPC (Los Alamos) as published: log number, node, component, state, epoch, flag."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "hpc",
    "HPC",
    layouts=("<_> <host> <component> <_> <time:%s> <_> <content>",),
    samples=(
        "134681 node-246 unix.hw state_change.unavailable 1077804742 1 Component State Change: "
        "Component alt0 is in the unavailable state (HWID=1973)",
        "2557 node-1 gige temperature 1135300000 1 ambient=30",
    ),
)
