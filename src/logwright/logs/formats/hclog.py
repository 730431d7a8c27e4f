"""Consul, Vault, Nomad and Terraform (hclog), and Consul before 1.6."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "hclog",
    "HashiCorp (hclog)",
    layouts=(
        "<time:%Y-%m-%dT%H:%M:%S{.%f}%z> [<level>] <component>: <content>",
        "<time:%Y/%m/%d %H:%M:%S> [<level>] <component>: <content>",
    ),
    samples=(
        "2024-05-01T10:00:00.123Z [INFO]  agent.server.raft: entering follower state: leader=",
        "2024-05-01T10:00:00.123+0200 [DEBUG] provider: starting plugin: path=terraform-x",
        "2024/05/01 10:00:00 [WARN] agent: Check is now critical",
    ),
)
