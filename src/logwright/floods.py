"""Floods: lines whose templates are new, and more than are told of one by one.

A model knows the templates of history. A stream may bring `_TEMPLATES` new ones at once,
`_OF_TEMPLATES` more every 10,000 lines, and `_ALL_TEMPLATES` in all; each of these gets its
finding, and takes memory to the end of the run. It may bring many more new shapes that turn out to
belong to known templates, as names in a text do. What is beyond that is a flood: such lines are
counted, are part of no window, and are told of by one finding when it begins, and when it has
reached 1,000 lines, 10,000 and so on.

decisions/011-floods.md says why, and what it costs.
"""

from __future__ import annotations

import numpy as np

from logwright.detectors.base import Evidence
from logwright.detectors.ladder import Alarm, Ladder
from logwright.detectors.unseen import LEVEL_WEIGHT, Unseen
from logwright.findings.run import many
from logwright.intake import Intake
from logwright.logs.allowance import STRETCH, Allowance
from logwright.snapshot import State
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Events, Windows

__all__ = ["Floods"]

_TEMPLATES, _OF_TEMPLATES, _ALL_TEMPLATES = 1_000, 25, 10_000
_SHAPES, _OF_SHAPES = 10_000, 200
_TIMES_HISTORY = 4
"""As often as in history lines may bring new shapes, times this: what is usual is no flood."""

_TOLD = 1_000
_OVER = 100_000
"""A flood is over when so many lines came without one of it."""


class Floods:
    """Bounds what a run may bring that is new to a model of `history` lines, and words the alarms.
    To be made before the run's first line."""

    def __init__(self, given: Intake, vocabulary: Vocabulary, history: int) -> None:
        coder, miner = given.reader.coder, vocabulary.miner
        usual = len(miner) * STRETCH * _TIMES_HISTORY // max(history, 1)
        self._shapes = Allowance(_SHAPES, max(_OF_SHAPES, usual))
        self._templates = Allowance(_TEMPLATES, _OF_TEMPLATES, _ALL_TEMPLATES)
        coder.expect(lambda keys: miner.learned_of(keys) >= 0, self._shapes)
        self._folded = vocabulary.expect(coder.overflow, self._templates)
        self.folded = vocabulary.hashes[self._folded]
        """The number (see `Vocabulary.hashes`) of the template that stands for those of floods."""
        self.lines = 0
        """The lines of floods."""
        self._begun = self._size = self._last = self._next = 0

    def apart(self, events: Events, ladder: Ladder) -> tuple[Events, list[tuple[Windows, Alarm]]]:
        """Events without those of a flood, and the alarms that tell of it, each with its window."""
        among = events.template == self._folded
        if not among.any():
            return events, []
        self.lines += int(np.count_nonzero(among))
        flood = events.take(among)
        return events.take(~among), self._alarms(flood, ladder)

    def without(self, events: Events) -> Events:
        """Events without those of a flood, which were counted before."""
        return events.take(events.template != self._folded)

    def _alarms(self, flood: Events, ladder: Ladder) -> list[tuple[Windows, Alarm]]:
        alarms, at = list[tuple[Windows, Alarm]](), 0
        pauses = [*(np.flatnonzero(np.diff(flood.row) > _OVER) + 1).tolist(), len(flood)]
        for stop in pauses:
            first = int(flood.row[at])
            if not self._size or first - self._last > _OVER:
                self._begun, self._size, self._next = first, 0, 1
            while self._size + stop - at >= self._next:
                n = at + self._next - self._size - 1
                alarms += self._told(flood.take(slice(n, n + 1)), ladder, self._next)
                self._next = max(self._next * 10, _TOLD)
            self._size += stop - at
            self._last = int(flood.row[stop - 1])
            at = stop
        return alarms

    def _told(self, event: Events, ladder: Ladder, size: int) -> list[tuple[Windows, Alarm]]:
        rungs = (r for r in ladder.rungs if isinstance(r.detector, Unseen))
        rung = next((r for r in rungs if r.detector.unit == "template"), None)
        if rung is None:
            return []
        row = int(event.row[0])
        number = np.array([row], np.int64)
        window = Windows("count", np.array([0, 1]), event, number, number, np.zeros(1, bool))
        seen = f"{many(size, 'line')} since line {self._begun + 1:,}"
        evidence = Evidence(
            score=rung.threshold.value + float(LEVEL_WEIGHT.max()),
            summary=f"a flood of new templates: {seen}, beyond those that are told of one by one",
            expected=f"at most {_TEMPLATES:,} new templates at once, {_OF_TEMPLATES} more in "
            f"{STRETCH:,} lines, {_ALL_TEMPLATES:,} in all: learn again",
            seen=seen,
            rows=[row],
            key_rows=[row],
            templates=[self._folded],
            parts=["flood"],
            count=size,
            severity="high",
        )
        return [(window, Alarm(0, rung, [evidence]))]

    def paused(self) -> State:
        """What may come yet, and the flood there is."""
        own = [self.lines, self._begun, self._size, self._last, self._next]
        return State(
            {"own": own, "shapes": self._shapes.paused(), "templates": self._templates.paused()}
        )

    def resume(self, state: State) -> None:
        """Go on from there."""
        own = map(int, state.meta["own"])
        self.lines, self._begun, self._size, self._last, self._next = own
        self._shapes.resume(state.meta["shapes"])
        self._templates.resume(state.meta["templates"])
