"""Thunderbird, Spirit and Liberty as published: epoch and node in front of a syslog line."""

from logwright.logs.formats.base import Format

_REST = "<time:%s> <_> <host> <_> <_> <_> <_> <?><component>{[<_>]}: <content>"

FORMAT = Format(
    "thunderbird",
    "Thunderbird",
    layouts=(f"<_> <?>{_REST}", _REST),
    samples=(
        "- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond[2916]: (root) CMD (true)",
        "VAPI 1131566461 2005.11.09 dn3 Nov 9 12:01:01 dn3/dn3 kernel: [KERNEL_IB] timed out",
        "1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond(pam_unix)[2915]: session "
        "closed for user root",
    ),
)
