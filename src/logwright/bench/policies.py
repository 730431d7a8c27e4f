"""Policies: experts of several kinds who answer what the judge asks, as rows of the benchmark."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from logwright.bench import asking, parts
from logwright.bench.methods.base import Needs
from logwright.bench.methods.ours import AskOnce
from logwright.detectors.base import Floats
from logwright.feedback.rarity import LATELY, Rarity
from logwright.windows.window import Windows

__all__ = ["Policy", "RareLately"]

_REFIT = 500
_RARE = 0.9
_DIGITS = 4


class Policy(AskOnce):
    """The judge, and an expert of one kind who reads labels of the test part, one per question.

    Args:
        name: The row's name.
        expert: How the questions are answered; its seed is that of the run.
        day: How many windows come in a day.
        texts: Whether the templates' texts are looked at, where the set has any.
    """

    def __init__(self, name: str, expert: asking.Expert, day: int, texts: bool = True) -> None:
        super().__init__()
        self.name = name
        self.seeded = expert.wrong > 0
        self.outcome: asking.Outcome | None = None
        self._expert, self._day, self._looks = expert, day, texts

    @property
    def unit(self) -> str:
        """The make-up that is asked about besides templates, as history chose it."""
        return self._unit

    def fit(self, train: parts.Train) -> None:
        """Choose the unit to ask by from history."""
        super().fit(train if self._looks else replace(train, texts=None))
        self._expert = replace(self._expert, seed=train.seed)

    def sight(self, windows: Windows) -> asking.Part:
        """What history says of these windows: nobody was asked anything yet."""
        sight = self._part(windows)
        sight.day = self._day
        return sight

    def answer(self, part: parts.Part, expert: asking.Expert | None = None) -> asking.Outcome:
        """What comes of the answers; `outcome` keeps it."""
        sight = self.sight(part.windows)
        self.outcome = asking.ask(sight, part.truth, expert or self._expert)
        return self.outcome


class RareLately:
    """SeaLog's score alone, a floor: how rare the rarest template of a window is among those seen
    last (`feedback.rarity`); rarer than nine tenths of them is an alarm.

    Windows of one call follow one another in time, and each call begins anew.
    """

    name = f"floor: rare among the last {LATELY} templates (EVT)"
    needs: Needs = "nothing"
    natural: float | None = float(np.nextafter(_RARE, 1.0))
    seeded = False

    def fit(self, train: parts.Train) -> None:
        """Nothing to learn."""

    def score(self, windows: Windows) -> Floats:
        """0 to 1 in steps of .0001."""
        seen: dict[int, int] = {}  # the one seen last is last
        out = np.zeros(len(windows))
        rarity: Rarity | None = None
        owner, template, number = windows.counts()
        for at, t, n in zip(owner.tolist(), template.tolist(), number.tolist(), strict=True):
            if at % _REFIT == 0:
                rarity = Rarity.of(list(seen.values())[-LATELY:])
            before = seen.pop(t, 0)
            if rarity is not None:
                out[at] = max(out[at], rarity.score(before + n))
            seen[t] = before + n
        return out.round(_DIGITS)
