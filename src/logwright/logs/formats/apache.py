"""Apache's error log, 2.2 (level) and 2.4 (module:level, pid)."""

from logwright.logs.formats.base import Format

_TIME = "[<time:%a %b %e %H:%M:%S{.%f} %Y>]"

FORMAT = Format(
    "apache",
    "Apache error log",
    layouts=(
        f"{_TIME} [<level>] <content>",
        f"{_TIME} [<component>:<level>] [pid <_...>] <content>",
    ),
    samples=(
        "[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok /etc/httpd/workers2.properties",
        "[Sun Dec 04 05:15:09 2005] [error] [client 222.166.160.184] Directory index forbidden",
        "[Thu Jan 11 10:10:10.123456 2024] [core:error] [pid 123:tid 456] [client 10.0.0.1:5] "
        "AH00128: File does not exist: /var/www/x",
    ),
)
