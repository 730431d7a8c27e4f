"""The contract of a method: fit on history, score windows, higher is more anomalous."""

from __future__ import annotations

from typing import Literal, Protocol

from logwright.bench.parts import Train
from logwright.detectors.base import Floats
from logwright.windows.window import Windows

__all__ = ["Method", "Needs"]

Needs = Literal["nothing", "normal", "labels"]
"""What of the labels of history a method uses: none at all; to choose its normal windows; all."""


class Method(Protocol):
    """One row of a table. A threshold is no part of it: where `natural` is None, it comes from the
    normal windows of validation and the alarm budget; else a score at or above `natural` is an
    alarm by the method's own definition (such as "anything unseen", or a probability of .5)."""

    name: str
    needs: Needs
    natural: float | None
    seeded: bool
    """Whether the seed changes anything; others are run once."""

    def fit(self, train: Train) -> None:
        """Learn from history. Called once."""

    def score(self, windows: Windows) -> Floats:
        """One score per window, in any order of calls; template indices may be new."""
