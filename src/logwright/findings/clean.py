"""Clean: texts that are Unicode, so that databases, JSON and other programs take them.

Python carries bytes that are not UTF-8 in file names and arguments as lone surrogates. They become
'\\xNN', as in findings.
"""

from __future__ import annotations

import re

__all__ = ["clean"]

_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str, slash: str = "\\") -> str:
    """A text without lone surrogates; `slash` is what stands for a backslash.

    >>> clean("caf\\udce9.log")
    'caf\\\\xe9.log'
    """

    def escape(match: re.Match[str]) -> str:
        code = ord(match[0])
        return f"{slash}x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"{slash}u{code:04x}"

    return text if text.isascii() else _SURROGATE.sub(escape, text)
