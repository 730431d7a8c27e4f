"""Thresholds: objects that turn scores into decisions for an alarm budget (never from labels).

A threshold is set from scores of normal data alone. `by_budget` takes the smallest value that keeps
the alarms on those scores within what is allowed; where less than one alarm is allowed, it
extrapolates the upper tail with a generalised Pareto distribution (peaks over threshold, Siffer et
al., KDD 2017, with the method of moments instead of Grimshaw's likelihood: closed form, no failed
fits), or, where the tail is too thin for that, goes a stated margin above the largest score.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Floats

__all__ = ["Tail", "Threshold", "by_budget", "fit_tail"]

_LEAST_EXCESSES = 20
_MARGIN = 0.1


@dataclass(frozen=True, slots=True)
class Threshold:
    """Scores at or above `value` are alarms; `reason` says where the value comes from."""

    value: float
    reason: str

    def alarms(self, scores: Floats) -> NDArray[np.bool_]:
        """Which scores are alarms.

        >>> Threshold(1.0, "example").alarms(np.array([0.5, 1.0])).tolist()
        [False, True]
        """
        return scores >= self.value


@dataclass(frozen=True, slots=True)
class Tail:
    """A generalised Pareto tail above `start`, which a share `rate` of values exceed."""

    start: float
    scale: float
    shape: float
    rate: float

    def value(self, p: float) -> float:
        """The value that a share p of values exceed (p at most `rate`)."""
        ratio = p / self.rate
        if abs(self.shape) < 1e-9:
            return self.start - self.scale * math.log(ratio)
        return float(self.start + self.scale / self.shape * (ratio**-self.shape - 1.0))

    def digits(self, x: Floats) -> Floats:
        """Minus log10 of the share of values that exceed x, 0 below `start`, at most 30.

        >>> t = Tail(start=0.0, scale=1.0, shape=0.0, rate=0.1)
        >>> t.digits(np.array([-1.0, 0.0, 2.302585])).round(2).tolist()
        [0.0, 1.0, 2.0]
        """
        y = np.maximum(x - self.start, 0.0) / self.scale
        if abs(self.shape) < 1e-9:
            log_share = -y
        else:
            log_share = -np.log(np.maximum(1.0 + self.shape * y, 1e-300)) / self.shape
        digits = -(log_share / math.log(10) + math.log10(self.rate))
        return np.where(x < self.start, 0.0, np.minimum(digits, 30.0))


def fit_tail(values: Floats, share: float = 0.1) -> Tail | None:
    """The tail above the (1 - share) quantile, or None where fewer than 20 values exceed it."""
    if not len(values):
        return None
    start = float(np.quantile(values, 1.0 - share))
    excess = values[values > start] - start
    if len(excess) < _LEAST_EXCESSES:
        return None
    mean, variance = float(excess.mean()), float(excess.var())
    if variance <= 1e-12 * mean * mean:
        return Tail(start, mean, 0.0, len(excess) / len(values))
    shape = 0.5 * (1.0 - mean * mean / variance)
    scale = 0.5 * mean * (mean * mean / variance + 1.0)
    return Tail(start, scale, shape, len(excess) / len(values))


def by_budget(scores: Floats, allowed: float, floor: float) -> Threshold:
    """The smallest threshold, `floor` or more, that keeps normal data within `allowed` alarms.

    >>> by_budget(np.array([0.1, 0.2, 3.0, 4.0]), allowed=1, floor=1.0).value > 3.0
    True
    >>> by_budget(np.array([0.1, 0.2]), allowed=1, floor=1.0)
    Threshold(value=1.0, reason='0 of 2 normal windows reach 1; 1 may')
    """
    over = np.sort(scores[scores >= floor])[::-1]
    may = f"{allowed:.3g}"
    if len(over) <= allowed:
        reason = f"{len(over):,} of {len(scores):,} normal windows reach {floor:.3g}; {may} may"
        return Threshold(floor, reason)
    if allowed >= 1:
        value = float(np.nextafter(over[int(allowed)], np.inf))
        reason = (
            f"{len(over):,} of {len(scores):,} normal windows reach {floor:.3g}, only {may} may"
        )
        return Threshold(value, f"{reason}: raised to {value:.3g}")
    tail = fit_tail(scores)
    top = float(over[0])
    if tail is not None and allowed / len(scores) < tail.rate:
        value = max(tail.value(allowed / len(scores)), float(np.nextafter(top, np.inf)))
        return Threshold(value, f"extreme-value tail at {may} alarms: {value:.3g}")
    value = top * (1.0 + _MARGIN)
    return Threshold(value, f"too few high scores for a tail: {_MARGIN:.0%} above the largest")
