""".NET's console logger, on one line or on two: on two the second is indented."""

from logwright.logs.formats.base import Format

FORMAT = Format(
    "dotnet",
    ".NET console",
    layouts=("<level>: <component>[<_>] <content>", "<level>: <content>"),
    samples=(
        "info: Microsoft.Hosting.Lifetime[14] Now listening on: http://localhost:5000",
        "warn: Microsoft.AspNetCore.DataProtection.KeyManagement.XmlKeyManager[35]",
    ),
    telltales=("Microsoft.",),
)
