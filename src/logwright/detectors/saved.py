"""Saved: detectors by the names under which a model holds them."""

from __future__ import annotations

from logwright.detectors.base import Detector
from logwright.detectors.counts import UNITS, Counts
from logwright.detectors.parameters import Parameters
from logwright.detectors.period import Period
from logwright.detectors.rate import Rate
from logwright.detectors.sequence import NextEvent
from logwright.detectors.timing import Timing
from logwright.detectors.unseen import Unseen
from logwright.errors import ModelError

__all__ = ["empty"]


def empty(name: str, unit: str) -> Detector:
    """A detector by its saved name, to be restored; `ModelError` where there is none.

    >>> empty("timing", "period").name
    'timing'
    """
    if name == "unseen" and unit in ("template", "bigram"):
        return Unseen("bigram" if unit == "bigram" else "template")
    if name == "rate":
        return Rate()
    if name == "timing":
        return Period() if unit == "period" else Timing()
    if name == "parameters" and unit == "value":
        return Parameters()
    if name == "sequence" and unit == "next_event":
        return NextEvent()
    for known in UNITS:
        if name == "counts" and unit == known:
            return Counts(known)
    raise ModelError(f"there is no detector {name!r} with unit {unit!r} in this version")
