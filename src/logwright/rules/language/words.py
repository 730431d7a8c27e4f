"""Words: texts as Python literals, and what a docstring comes to."""

from __future__ import annotations

import inspect

__all__ = ["cleaned", "quoted", "visible"]

_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def quoted(text: str, raw: bool = False) -> str:
    r"""The text as a literal in double quotes. What cannot be seen (control characters, halves of
    surrogate pairs, marks of writing direction) is escaped. With `raw` a raw literal, where one can
    hold the text and is shorter.

    >>> print(quoted('say "a"'), quoted("a\x1b"), quoted(r"\d+", raw=True))
    "say \"a\"" "a\x1b" r"\d+"
    """
    if raw and "\\" in text and '"' not in text and text[-1] != "\\" and text.isprintable():
        return f'r"{text}"'
    return '"' + "".join(map(_escaped, text)) + '"'


def visible(text: str) -> str:
    r"""The text with what cannot be seen escaped.

    >>> print(visible('say "a"\x1b[2J'))
    say "a"\x1b[2J
    """
    return text if text.isprintable() else "".join(map(_seen, text))


def _escaped(char: str) -> str:
    return _SHORT.get(char) or _seen(char)


def _seen(char: str) -> str:
    if char.isprintable():
        return char
    code = ord(char)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


def cleaned(doc: str) -> str:
    r"""A docstring without its indentation, blanks at line ends and blank lines around it; doing it
    twice changes nothing.

    >>> cleaned(" A disk.\n\n      It fails.  \n    ")
    'A disk.\n\nIt fails.'
    """
    plain = "".join(" " if c.isspace() and c != "\n" else c for c in doc)
    lines = inspect.cleandoc(plain).split("\n")
    return inspect.cleandoc("\n".join(line.rstrip(" ") for line in lines)).strip("\n ")
