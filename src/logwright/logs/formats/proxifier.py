"""Proxifier: month and day in brackets, the program, a dash."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "proxifier",
    "Proxifier",
    layouts=("[<time:%m.%d %H:%M:%S>] <component> {*64 }- <content>",),
    samples=(
        "[10.30 16:49:06] chrome.exe - proxy.cse.cuhk.edu.hk:5070 open through proxy HTTPS",
        "[10.30 16:54:08] ss.exe *64 - 10.1.2.3:443 close, 0 bytes sent, lifetime 00:01",
    ),
)
