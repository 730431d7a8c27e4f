"""MySQL's slow query log: the time stands in a line of its own before each query's figures."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "mysqlslow",
    "MySQL slow query log",
    layouts=("# {Time: <time:%Y-%m-%dT%H:%M:%S{.%f}%z>}<content>",),
    samples=("# Query_time: 2.000213  Lock_time: 0.000004 Rows_sent: 1  Rows_examined: 0",),
    telltales=("# Query_time: ",),
)
