"""PostgreSQL (with several prefixes, and as CSV) and MySQL and MariaDB server logs.

Of zones that PostgreSQL names (CEST) the name is skipped: such times count as local ones.
"""

from logwright.logs.formats.base import Format

_PG = "<time:%Y-%m-%d %H:%M:%S{.%f} %z>"
_PG_LOCAL = "<time:%Y-%m-%d %H:%M:%S{.%f}> <_>"
_WHO = "<level>{@<component> <level>}: <content>"

FORMAT = Format(
    "database",
    "PostgreSQL / MySQL",
    layouts=(
        f"{_PG} [<_>] {_WHO}",
        f"{_PG} [<_>]: [<_>] {{user=<_?>,db=<component?>,app=<_?>,client=<_?> }}<level>: <content>",
        f"{_PG}:<_?>:<_?>@<component?>:[<_>]:<level>: <content>",
        f'{_PG},{{"<_>"}},{{"<component>"}},<_?>,{{"<_>"}},<_?>,<_?>,{{"<_>"}},<_?>,<_?>,<_?>,'
        "<level>,<_?>,<content>",
        f"{_PG_LOCAL} [<_>] {_WHO}",
        "<time:%Y-%m-%dT%H:%M:%S.%f%z> <_> [<level>] {[<_>] }{[<component>] }<content>",
        "<time:%Y-%m-%d %H:%M:%S> <_> [<level>] <content>",
        "<time:%y%m%d %H:%M:%S> [<level>] <content>",
    ),
    samples=(
        "2024-05-01 10:00:00.123 UTC [1234] LOG:  database system is ready to accept connections",
        '2024-05-01 10:00:02.125 UTC [77] app@shop ERROR:  relation "items" does not exist',
        "2024-05-01T10:00:00.123456Z 0 [Warning] [MY-010068] [Server] CA certificate is expired",
        "2024-05-01 10:00:02 UTC [77]: [3-1] user=app,db=shop,app=psql,client=192.0.2.5 LOG:  done",
        "2024-05-01 10:00:02 UTC:192.0.2.5(41234):app@shop:[77]:FATAL:  too many connections",
        '2024-05-01 10:00:02.125 UTC,"app","shop",77,"192.0.2.5:41234",66320a,1,"SELECT",'
        '2024-05-01 09:59:00 UTC,3/12,0,ERROR,57014,"canceling statement due to user request"',
        "2024-05-01 10:00:02.125 CEST [77] app@shop LOG:  duration: 1200.123 ms",
        "2024-05-01  9:00:00 0 [Note] InnoDB: Completed initialization of buffer pool",
        "240501  9:00:00 [ERROR] mysqld: Table 'shop.items' is marked as crashed",
    ),
    levels=("system", "statement", "detail", "hint", "context", "query", "location"),
)
