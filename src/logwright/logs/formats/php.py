"""PHP: FPM's log, PHP's error log, and Monolog (Laravel, Symfony)."""

from logwright.logs.formats.base import Format

_DAY = "%d-%b-%Y %H:%M:%S{.%f}"
_ERROR = "PHP <level>{ error}: <content>"

FORMAT = Format(
    "php",
    "PHP",
    layouts=(
        f"[<time:{_DAY} %z>] {_ERROR}",
        f"[<time:{_DAY}> <_...>] {_ERROR}",
        f"[<time:{_DAY}>] <level>: <content>",
        "[<time:%Y-%m-%d %H:%M:%S>] <component>.<level>: <content>",
        "[<time:%Y-%m-%dT%H:%M:%S{.%f}%z>] <component>.<level>: <content>",
    ),
    samples=(
        "[01-May-2024 10:00:00] NOTICE: fpm is running, pid 1",
        "[01-May-2024 10:00:00 UTC] PHP Fatal error:  Uncaught Error in /srv/www/index.php:3",
        "[01-May-2024 10:00:00 Europe/Berlin] PHP Warning:  Undefined variable $x",
        '[2024-05-01 10:00:00] production.ERROR: Division by zero {"userId":7}',
        '[2024-05-01T10:00:00.123456+02:00] request.INFO: Matched route "home". [] []',
    ),
    levels=("parse", "deprecated", "recoverable", "catchable"),
)
