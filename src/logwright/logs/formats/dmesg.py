"""The kernel's ring buffer: seconds since the machine started, which are no time of day."""

from logwright.logs.formats.base import Format

_UPTIME = "[{ }<time:%f.%f>]"  # two numbers that make no time

FORMAT = Format(
    "dmesg",
    "kernel messages (dmesg)",
    layouts=(
        f"{{<pri>}}{_UPTIME}{{[<_>]}} <content>",
        f"<component>{{ }}:<level>{{ }}: {_UPTIME} <content>",
    ),
    samples=(
        "[    0.000000] Linux version 6.8.0 (builder@example.com) #1 SMP",
        "<4>[   12.345678] usb 1-1: device descriptor read/64, error -71",
        "[   12.345678][  T101] EXT4-fs (sda1): mounted filesystem",
        "kern  :warn  : [   13.000001] ACPI: thermal zone is hot",
    ),
)
