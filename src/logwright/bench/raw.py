"""Raw numbers: a number per record by the bytes of its content, for records without a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logwright.logs.batch import NO_TIME, LineBatch
from logwright.windows.window import mix

__all__ = ["raw_numbers"]

_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)


def raw_numbers(batch: LineBatch) -> NDArray[np.uint64]:
    """Equal for equal contents, in whatever block they are; 0 for records that have a time.

    A record is a number whose digits are its bytes, to an odd base and modulo 2 ** 64. Sums over
    the whole block give that of each record without a loop over lines.
    """
    numbers = np.zeros(len(batch), np.uint64)
    timeless = np.flatnonzero(batch.ts == NO_TIME)
    if not len(timeless):
        return numbers
    start, end = batch.content_start[timeless], batch.end[timeless]
    digits = mix(np.frombuffer(batch.buf, np.uint8).astype(np.uint64) + np.uint64(1))
    sums = np.zeros(len(digits) + 1, np.uint64)
    np.cumsum(digits * _powers(_BASE, len(digits)), out=sums[1:])
    back = _powers(_INVERSE, len(digits) + 1)[start]
    numbers[timeless] = mix((sums[end] - sums[start]) * back)
    return numbers


def _powers(base: int, size: int) -> NDArray[np.uint64]:
    """base ** 0, 1, 2, ... modulo 2 ** 64."""
    powers = np.full(size, base, np.uint64)
    powers[:1] = 1
    return np.cumprod(powers, dtype=np.uint64)
