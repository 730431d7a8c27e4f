"""Plain text: no header is known, so the whole line is the message."""

from logwright.logs.formats.base import Format

FORMAT = Format("plain", "plain text", samples=("starting up",), kind="plain")
