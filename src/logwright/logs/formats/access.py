"""Access logs of web servers (common and combined): the request and what follows is the message."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "access",
    "web access log",
    layouts=("<_> <_> <_...>[<time:%d/%b/%Y:%H:%M:%S %z>] <content>",),
    samples=(
        '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326',
        '10.0.0.7 - - [01/May/2024:10:00:00 +0000] "POST /api HTTP/1.1" 502 150 "-" "curl/8.5"',
    ),
)
