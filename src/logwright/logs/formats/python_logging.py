"""Python logging: the standard library, Flask, Celery, Loguru, Gunicorn, Tornado, Uvicorn,
Scrapy, fail2ban."""

from logwright.logs.formats.base import Format

_TIME = "%Y-%m-%d %H:%M:%S{,%f}{.%f}"

FORMAT = Format(
    "python",
    "Python logging",
    layouts=(
        f"<time:{_TIME}> - <component> - <level> - <content>",
        f"<time:{_TIME}> - <level> - <component> - <content>",
        f"<time:{_TIME}> - <level> - <content>",
        f"[<time:{_TIME}>] <level> in <component>: <content>",
        f"[<time:{_TIME}>: <level>/<component>] <content>",
        f"<time:{_TIME}> | <level> | <component>:<_> - <content>",
        f"<time:{_TIME}> [<level>] <component>: <content>",
        f"<time:{_TIME}> [<component>] <level>: <content>",
        f"<time:{_TIME}> <component> [<_>]: <level> <content>",
        "[<time:%Y-%m-%d %H:%M:%S %z>] [<_>] [<level>] <content>",
        "[<level> <time:%y%m%d %H:%M:%S> <component>:<_>] <content>",
        f"[<level> <time:{_TIME}> <component>] <content>",
        "<level>:<component>:<content>",
        "<level>: <content>",
    ),
    samples=(
        "2020-01-01 00:00:00,123 - my.app - INFO - listening on port 8080",
        "2020-01-01 00:00:00,123 - WARNING - disk is nearly full",
        "[2020-01-01 00:00:00,123] ERROR in app: Exception on /login [POST]",
        "[2024-01-01 10:00:00,000: INFO/MainProcess] Connected to redis://localhost",
        "2024-05-01 10:00:00.123 | INFO     | __main__:main:10 - loaded 12 items",
        "2024-05-01 10:00:00,123 [INFO] shop.cart: 3 items",
        "2024-05-01 10:00:00 [scrapy.core.engine] INFO: Spider opened",
        "2024-05-01 10:00:00,123 fail2ban.filter [77]: WARNING [sshd] Found 192.0.2.1",
        "[2024-05-01 10:00:00 +0000] [1234] [INFO] Booting worker with pid: 1234",
        "[I 240501 10:00:00 web:2271] 200 GET / (127.0.0.1) 0.56ms",
        "[I 2024-05-01 10:00:00.123 ServerApp] Serving notebooks from /home",
        "INFO:root:this one has no time",
        'INFO:     127.0.0.1:5000 - "GET / HTTP/1.1" 200 OK',
    ),
)
