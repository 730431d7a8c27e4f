"""Rarity: how unusual it is that something came so seldom, among what came lately.

SeaLog (arXiv 2306.05032, v2) fits a generalised extreme value distribution to the counts of the
templates that were seen last, and takes the tail as the score of one template; the equation, and
how it is fitted, are not published. Here it is fitted by L-moments (Hosking, Wallis and Wood 1985)
to minus the logarithm of the counts, so that a high value is a rare one. The score orders questions
(`feedback.questions`): what lies between plainly common and plainly rare is asked about first. As a
detector by itself it is a row of the benchmark, and a weak one (docs/feedback.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["LATELY", "Rarity"]

LATELY = 30
"""How many of the things that were seen last are looked at."""

_LEAST = 5
_NARROWEST = 0.25  # of counts that are all alike one cannot tell how they vary


@dataclass(frozen=True, slots=True)
class Rarity:
    """A generalised extreme value distribution of minus log counts: location, scale, shape (in
    Hosking's sign: positive has an upper end).

    >>> rarity = Rarity.of([900, 800, 500, 400, 90, 60, 30, 8])
    >>> [round(rarity.score(count), 2) for count in (1000, 100, 1)]
    [0.12, 0.65, 0.98]
    """

    location: float
    scale: float
    shape: float

    @staticmethod
    def of(counts: Sequence[int]) -> Rarity | None:
        """The distribution of the counts of what was seen lately, None for fewer than five.

        With probability-weighted moments b0, b1, b2: l1 = b0, l2 = 2 b1 - b0, t3 = l3 / l2; the
        shape is 7.859 c + 2.9554 c^2 with c = 2 / (3 + t3) - log 2 / log 3.
        """
        if len(counts) < _LEAST:
            return None
        x = np.sort(-np.log(np.maximum(np.asarray(counts[:LATELY], float), 1.0)))
        n, i = len(x), np.arange(len(x))
        b0, b1 = float(x.mean()), float((i * x).sum() / (n * (n - 1)))
        b2 = float((i * (i - 1) * x).sum() / (n * (n - 1) * (n - 2)))
        second, third = 2 * b1 - b0, 6 * b2 - 6 * b1 + b0
        if second < _NARROWEST * math.log(2):
            scale = _NARROWEST
            return Rarity(b0 - 0.5772 * scale, scale, 0.0)
        c = 2 / (3 + third / second) - math.log(2) / math.log(3)
        shape = min(max(7.859 * c + 2.9554 * c * c, -0.9), 2.0)
        if abs(shape) < 1e-6:
            scale = second / math.log(2)
            return Rarity(b0 - 0.5772 * scale, scale, 0.0)
        gamma = math.gamma(1 + shape)
        scale = second * shape / (gamma * (1 - 2**-shape))
        return Rarity(b0 - scale * (1 - gamma) / shape, scale, shape)

    def score(self, count: int) -> float:
        """The share of what comes lately that comes more often: near 1 is rare."""
        z = (-math.log(max(count, 1)) - self.location) / self.scale
        if self.shape:
            inside = 1 - self.shape * z
            if inside <= 0:  # beyond the end of the distribution
                return 1.0 if self.shape > 0 else 0.0
            exponent = inside ** (1 / self.shape)
        else:
            exponent = math.exp(min(-z, 700.0))
        return math.exp(-exponent)
