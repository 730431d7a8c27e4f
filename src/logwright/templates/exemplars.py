"""Exemplars: the few lines of a shape that are kept, to word templates and to show.

Which lines these are depends on the set of lines that were offered, not on their order.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

__all__ = ["EXEMPLARS_MAX", "LONG", "exemplar", "kept"]

EXEMPLARS_MAX = 8
"""Distinct lines kept per shape: those with the smallest checksums, so that order is irrelevant."""

LONG = 4096
"""A line of more bytes is kept only alone, for want of shorter ones."""


def _order(line: bytes) -> tuple[bool, int, bytes]:
    """Long lines last, then by checksum: a sample that does not depend on order."""
    return len(line) > LONG, zlib.crc32(line), line


def kept(lines: list[bytes]) -> list[bytes]:
    """The lines to keep.

    >>> len(kept([b"took %d ms" % n for n in range(50)]))
    8
    """
    best = sorted(lines, key=_order)[:EXEMPLARS_MAX]
    return best[:1] + [line for line in best[1:] if len(line) <= LONG]


def exemplar(lines: Sequence[bytes]) -> bytes | None:
    """The line to show. A line with a NUL stands for one whose text was not kept."""
    return min((line for line in lines if b"\x00" not in line), key=_order, default=None)
