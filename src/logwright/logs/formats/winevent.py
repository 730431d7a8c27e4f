"""Windows events as XML: one event per line, or an element per line.

The level's slot begins within `Level>4`, which tells Windows' numbers from syslog's. Laid out over
lines, time, provider, level and computer belong to the line that names them.
"""

from logwright.logs.formats.base import Format

_QUOTED = "{{'{0}'}}{{\"{0}\"}}"
_TIME = "<time:%Y-%m-%dT%H:%M:%S{.%f}%z>"
_PROVIDER = f"Provider Name={_QUOTED.format('<component...>')}"
_LEVEL = r"L<level>\</Level\>"
_CREATED = "TimeCreated SystemTime={'}{\"}" + _TIME

FORMAT = Format(
    "winevent",
    "Windows events (XML)",
    layouts=(
        rf"\<Event{{ <_...>}}\>{{ }}\<System\>\<{_PROVIDER}<_...>\>\<EventID{{ <_...>}}\>"
        rf"<_>\</EventID\>\<{{Version\><_>\</Version\>\<}}{_LEVEL}\<Task\><_>\</Task\>\<"
        rf"{{Opcode\><_>\</Opcode\>\<}}Keywords\><_>\</Keywords\>\<{_CREATED}"
        r"""{'}{"}{ }/\>\<EventRecordID\><_>\</EventRecordID\>\<"""
        r"C{orrelation<_...>\>\<{Execution<_...>\>\<}C}hannel\><_...>\</Channel\>\<"
        r"Computer\><host>\</Computer\>\<Security<_...>\>\</System\><content>",
        rf"<?>{{ \<{{{_CREATED}}}{{{_PROVIDER}}}{{{_LEVEL}}}{{C{{omputer\><host>}}}}<?>}}"
        r"\<{/}Event<content>",
    ),
    samples=(
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        "<Provider Name='Service Control Manager' Guid='{555908d1}' EventSourceName='SCM'/>"
        "<EventID Qualifiers='16384'>7036</EventID><Version>0</Version><Level>4</Level>"
        "<Task>0</Task><Opcode>0</Opcode><Keywords>0x8080000000000000</Keywords>"
        "<TimeCreated SystemTime='2024-05-01T10:00:00.1234567Z'/><EventRecordID>31</EventRecordID>"
        "<Correlation/><Execution ProcessID='700' ThreadID='2032'/><Channel>System</Channel>"
        "<Computer>pc7.example.com</Computer><Security/></System><EventData>"
        "<Data Name='param1'>Print Spooler</Data></EventData></Event>",
        '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event">',
    ),
    telltales=("<Event",),
    levels=tuple(f"evel>{number}" for number in range(6)),
)
