"""Writing a line as its template, in the two renderings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from logwright.reasoning.evidence.varying import Varying
from logwright.reasoning.reasoner import Rendering

__all__ = ["MASK", "rendered"]

MASK = "<*>"

_SIDE_BY_SIDE = re.compile(r"<\*>(?:(?:\s+|\.)?<\*>)+")
_JOINED = re.compile(r"<\*>(?:[:/.@+-]?<\*>)+")
_COLON = re.compile("[:]")


def rendered(line: str, parts: Sequence[Varying], rendering: Rendering) -> str:
    """The line with what varies written `<*>`. Spaces stay as they are: they are layout.

    >>> from logwright.reasoning.evidence.varying import varying
    >>> line = "Received block blk_35 of size 67 from /10.251.42.84:80"
    >>> rendered(line, varying(line), "characters")
    'Received block blk_<*> of size <*> from /<*>:<*>'
    >>> rendered(line, varying(line), "words")
    'Received block <*> of size <*> from <*>'
    """
    out: list[str] = []
    at = 0
    for part in parts:
        if rendering == "words":
            begin, end = max(part.outer, at), part.outer_end
        else:
            begin, end = part.begin, part.end
        if end <= at:
            continue
        out += [line[at:begin], _mask(line[begin:end], part, rendering)]
        at = end
    text = "".join([*out, line[at:]])
    if rendering == "words":
        return _JOINED.sub(MASK, text)
    return _SIDE_BY_SIDE.sub(MASK, text)


def _mask(text: str, part: Varying, rendering: Rendering) -> str:
    """By characters, the colons of a clock are text that the program writes."""
    if rendering == "characters" and part.kind in ("time", "address"):
        return ":".join([MASK] * (1 + text.count(":")))
    return MASK
