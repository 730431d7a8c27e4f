"""Syslog RFC 5424, as networks carry it: structured data (up to three elements) is skipped."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "syslog5424",
    "syslog RFC 5424",
    layouts=(
        "<pri>1 <time:%Y-%m-%dT%H:%M:%S{.%f}%z> <host> <component> <_> <_> <?>"
        "{-}{[<_>]}{[<_>]}{[<_>]} {\ufeff}<content>",
    ),
    samples=(
        "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed",
        '<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 evntslog 8710 ID47 [ex@32473 iut="3"]'
        " An application event",
        '<165>1 2003-10-11T22:14:15Z host app - - [a@1 x="1"][b@1 y="2"] two elements',
    ),
)
