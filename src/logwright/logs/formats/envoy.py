"""Envoy's own log, and others with spdlog's layout ``[time][thread][level][logger]``."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "envoy",
    "Envoy",
    layouts=(
        "[<time:%Y-%m-%d %H:%M:%S.%f>][<_>][<level>][<component>] [<_>] <content>",
        "[<time:%Y-%m-%d %H:%M:%S.%f>][<_>][<level>][<component>] <content>",
    ),
    samples=(
        "[2024-05-01 10:00:00.123][1][info][main] [source/server/server.cc:404] initializing",
        "[2024-05-01 10:00:00.123][14][warning][config] gRPC config stream closed: 14",
    ),
)
