"""Java logging: log4j, logback, Spring Boot, Tomcat, Elasticsearch, Logstash, Cassandra, Minecraft;
and their relatives log4net and NLog."""

from logwright.logs.formats.base import Format

_TIMES = (
    "<time:%Y-%m-%d %H:%M:%S{.%f}{,%f}>",
    "<time:%Y-%m-%dT%H:%M:%S{.%f}{,%f}%z>",
    "<time:%Y-%m-%dT%H:%M:%S{.%f}{,%f}>",
    "<time:%d %b %Y %H:%M:%S{.%f}{,%f}>",
    "<time:%Y/%m/%d %H:%M:%S{.%f}{,%f}>",
    "<time:%H:%M:%S{.%f}{,%f}>",
)
_BODIES = (
    "<level> <_> --- {[<_>] }{[<_>] }<component> : <content>",
    "[<_>] <level> <component> {[<_>] }- <content>",
    "[<_>] <level> <component>: <content>",
    "<level> [<_>] <component> - <content>",
    "<level> [<_>] <component>: <content>",
    "- <level> [<_>] - <content>",
    "<level> [<_>] - <content>",
    "<level> <component> - <content>",
    "<level> <component>: <content>",
)

FORMAT = Format(
    "log4j",
    "Java logging",
    layouts=(
        *(f"{time} {body}" for time in _TIMES for body in _BODIES),
        "<time:%d-%b-%Y %H:%M:%S.%f> <level> [<_>] <component> <content>",
        "[<time:%Y-%m-%dT%H:%M:%S,%f>][<level>{ }][<component>{ }] {[<host>] }<content>",
        "<level> [<_>] <time:%Y-%m-%d %H:%M:%S,%f> <component> - <content>",
        "<time:%Y-%m-%d %H:%M:%S.%f>|<level>|<component>|<content>",
        "[<time:%H:%M:%S>] [<_...>/<level>]: {[<component>] }<content>",
        "<time:%b %e, %Y %I:%M:%S %p> <component> <content>",
    ),
    samples=(
        "2024-05-01 10:00:00.123 [main] INFO  com.example.App - Started in 2.1 seconds",
        "10:00:00.123 [http-nio-8080-exec-1] WARN  c.e.web.Filter - slow request: 1200 ms",
        "2015-07-29 17:41:44,747 - INFO  [main-thread 1] - starting quorum peer",
        "2024-05-01 10:00:00.123  INFO 12345 --- [           main] o.s.b.SpringApplication  : Up",
        "2024-05-01T10:00:00.123+02:00  INFO 1 --- [app] [main] o.s.b.SpringApplication : Up now",
        "2024-05-01 10:00:00,123 ERROR com.example.Dao: no connection after 3 tries",
        "01-May-2024 10:00:00.123 INFO [main] org.apache.catalina.startup.Catalina.start Server up",
        "[2024-05-01T10:00:00,123][INFO ][o.e.n.Node               ] [node-1] started",
        "INFO  [main] 2024-05-01 10:00:00,123 CassandraDaemon.java:123 - JVM vendor: x",
        "2024-05-01 10:00:00,123 [7] WARN  Shop.Cart [(null)] - no stock",
        "2024-05-01 10:00:00.1234|ERROR|Shop.Cart|no stock",
        "[10:00:00] [Server thread/WARN]: Can't keep up!",
        "May 01, 2024 10:00:00 AM org.apache.catalina.core.StandardService start",
    ),
)
