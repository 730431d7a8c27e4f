r"""Makes text from logs harmless to show: whatever acts instead of appearing becomes an escape.

A log line is written by strangers. Control characters (C0, C1, ESC, DEL) drive terminals, bidi
overrides reorder what the eye reads, and zero-width characters hide. All of them, with everything
else that has no visible form, become ``\x1b``-like escapes. Letters of all scripts stay.

A backslash stays as it is (paths would be unreadable), so the text that was escaped cannot be told
from a text that held the escape: `safe` is for showing, never for storing.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

__all__ = ["clip", "fit", "safe"]

# Default_Ignorable_Code_Point of Unicode 15 as far as `str.isprintable` lets it pass: letters and
# marks that draw nothing (fillers, joiners, variation selectors), and the blank braille pattern.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def safe(text: str, keep: str = "") -> str:
    r"""`text` with every character that is not visible text as an escape; `keep` names exceptions.

    >>> safe("\x1b[31mred\x1b[0m")
    '\\x1b[31mred\\x1b[0m'
    >>> safe("user\u202egnp.exe")
    'user\\u202egnp.exe'
    >>> safe("naïve 日本語")
    'naïve 日本語'
    """
    if text.isprintable() and not _INVISIBLE.search(text):
        return text
    return "".join(char if char in keep else _shown(char) for char in text)


@lru_cache(maxsize=4096)
def _shown(char: str) -> str:
    if char.isprintable() and not _INVISIBLE.match(char):
        return char
    if unicodedata.category(char) == "Zs":  # wide and no-break spaces: ordinary in many languages
        return char
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, carried by surrogateescape
        code -= 0xDC00
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def clip(text: str, width: int) -> str:
    """`text` in at most `width` terminal cells, the middle replaced by an ellipsis.

    >>> clip("abcdefghij", 7)
    'abcd…ij'
    >>> clip("日本語日本語", 7)
    '日本…語'
    """
    # Marks that sit on other letters take no cell: their number is bounded, too.
    if len(text) * 2 <= width or (len(text) <= width * 4 and cell_len(text) <= width):
        return text
    tail = (width - 1) // 3
    # `set_cell_size` pads half a wide character with a blank; the blank would be a lie.
    head = set_cell_size(text[:width], width - 1 - tail).rstrip()
    end = set_cell_size(text[::-1][:width], tail)[::-1].lstrip() if tail > 0 else ""
    return head + "…" + end


def fit(text: str, width: int, keep: str = "") -> str:
    r"""`text` made harmless and cut to `width` cells; the time it takes depends on `width` only.

    >>> fit("\0" * 1_000_000, 14)
    '\\x00\\x00\\…\\x00'
    """
    if len(text) > 4 * width:
        # No character gets shorter by escaping, so what is left out here would be cut anyway.
        text = text[: 2 * width] + text[-2 * width :]
    return clip(safe(text, keep), width)
