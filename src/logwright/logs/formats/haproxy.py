"""HAProxy's TCP and HTTP logs without a syslog header; with one they are read as syslog."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "haproxy",
    "HAProxy",
    layouts=("<_> [<time:%d/%b/%Y:%H:%M:%S.%f>] <content>",),
    samples=(
        "192.0.2.1:41234 [01/May/2024:10:00:00.123] http-in app/web1 0/0/1/12/13 200 1234 - - ---- "
        '1/1/0/0/0 0/0 "GET / HTTP/1.1"',
        "[2001:db8::7]:41235 [01/May/2024:10:00:00.456] db db/pg1 0/0/5007 212 -- 0/0/0/0/3 0/0",
    ),
)
