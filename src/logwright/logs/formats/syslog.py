"""Syslog as files hold it: RFC 3164 (no year), and the ISO times of newer rsyslog and journalctl;
journalctl's short-full, too. Cron, Postfix, HAProxy and the packet filter write through it.

A line without a tag ("last message repeated 2 times") keeps its time and host.
"""

from logwright.logs.formats.base import Format

_TAG = "<component>{[<_>]}{ (<_>)}: <content>"
_OLD = "%b %e %H:%M:%S{.%f}"
_ISO = "%Y-%m-%dT%H:%M:%S{.%f}"

FORMAT = Format(
    "syslog",
    "syslog RFC 3164",
    layouts=(
        f"{{<pri>}}<time:{_OLD}> <host> <?>{_TAG}",
        f"{{<pri>}}<time:{_ISO}%z> <host> <?>{_TAG}",
        f"<time:%a %Y-%m-%d %H:%M:%S{{.%f}} %z> <host> <?>{_TAG}",
        f"<time:%a %Y-%m-%d %H:%M:%S{{.%f}}> <_> <host> <?>{_TAG}",
        f"{{<pri>}}<time:{_OLD}> {_TAG}",
        f"{{<pri>}}<time:{_ISO}%z> <component>[<_>]: <content>",
    ),
    samples=(
        "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0",
        "Dec 10 06:55:46 LabSZ sshd[24200]: Invalid user webmaster from 173.234.31.186",
        "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
        "Jul  1 09:00:55 calvisitor-10-105 kernel[0]: IOThunderboltSwitch<0>(0x0)::listen",
        "Jul  1 22:13:12 air com.apple.xpc.launchd[1] (com.apple.imfoundation): Unknown key: Type",
        "2024-05-01T10:00:00.123456+02:00 web1 systemd[1]: Started Session 12 of User root.",
        "Wed 2024-05-01 10:00:00 UTC web1 sshd[123]: Server listening on 0.0.0.0 port 22.",
        "Wed 2024-05-01 10:00:00 CEST web1 kernel: Linux version 6.8.0",
        "Jun 14 15:16:01 sshd[123]: Connection closed by 10.0.0.1",
        "2024-05-01T10:00:00.123456+00:00 app[web.1]: State changed from starting to up",
    ),
)
