"""RabbitMQ since 3.7: the Erlang process before the message is dropped."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "rabbitmq",
    "RabbitMQ",
    layouts=(
        r"<time:%Y-%m-%d %H:%M:%S.%f> [<level>] \<<_>\> <content>",
        r"<time:%Y-%m-%d %H:%M:%S.%f%z> [<level>] \<<_>\> <content>",
    ),
    samples=(
        "2024-05-01 10:00:00.123 [info] <0.222.0> Server startup complete; 3 plugins started.",
        "2024-05-01 10:00:00.123456+02:00 [warning] <0.701.0> closing AMQP connection",
    ),
)
