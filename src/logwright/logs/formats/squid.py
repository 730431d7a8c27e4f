"""Squid's access log: the result (TCP_MISS) is the component, its status begins the message."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "squid",
    "Squid access log",
    layouts=("<time:%s.%f> <_> <_> <component>/<content>",),
    samples=(
        "1714557600.123    345 192.0.2.1 TCP_MISS/200 1234 GET http://example.com/ - "
        "HIER_DIRECT/198.51.100.7 text/html",
    ),
)
