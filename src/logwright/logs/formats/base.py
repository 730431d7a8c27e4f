"""`Format`: a named log format, which is a few layouts of one kind of log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Format"]


@dataclass(frozen=True, slots=True)
class Format:
    """A log format that can be detected, or named with ``--format``.

    `layouts` are tried in order (`logs.layout` tells their language). `samples` are lines as they
    look in the wild; they stand in the documentation, and each is a test. `kind` is "text" for
    formats with header programs, "json" for JSON lines, "plain" for text without a header.

    `telltales` are texts, one of which must stand in one of the sampled lines: for formats whose
    header alone would fit the lines of others. `levels` are the words (in small letters) that stand
    where the level does and are no level names elsewhere.
    """

    name: str
    title: str
    layouts: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    kind: Literal["text", "json", "plain"] = "text"
    telltales: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
