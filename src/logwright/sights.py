"""Sights: how many findings of a pattern were kept, so that those that are too many are counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from logwright.logs.batch import NO_TIME
from logwright.snapshot import State
from logwright.windows.window import Windows

__all__ = ["Sights"]

STRETCH = 600_000_000_000
"""The stretches of time (ns) in which the findings of a pattern are counted anew in a run without
an end; of records without times they have `_ROWS`."""

_ROWS = 100_000
_MOST_PATTERNS = 100_000


@dataclass(slots=True)
class _Of:
    """What became of the findings of a pattern: the last one's state, and how many were kept in
    each, in a stretch."""

    state: str = "open"
    stretch: int = 0
    kept: dict[str, int] = field(default_factory=dict)


class Sights:
    """Of a pattern and state, `most` findings are kept: of a run that is `endless`, in each stretch
    of the log's time. Which ones these are of more may depend on how rows came in batches. The
    patterns seen last are remembered, 100,000 of them.

    >>> sights = Sights(1)
    >>> sights.of("p", Windows.of_sequences([[0]]), 0), sights.keeps("p", "open")
    (('open', False), True)
    >>> sights.of("p", Windows.of_sequences([[0]]), 0), sights.keeps("p", "open")
    (('open', True), False)
    """

    def __init__(self, most: int) -> None:
        self.endless = False
        self._most = most
        self._of: dict[str, _Of] = {}

    def of(self, pattern: str, windows: Windows, i: int) -> tuple[str, bool]:
        """The state of the last finding of a pattern, and whether no more of that state are kept;
        now that one is found in window `i`."""
        mine = self._of.pop(pattern, None) or _Of()
        self._of[pattern] = mine
        if len(self._of) > _MOST_PATTERNS:
            del self._of[next(iter(self._of))]
        if self.endless:
            first = int(windows.bounds[i])
            ts, row = int(windows.events.ts[first]), int(windows.events.row[first])
            stretch = row // _ROWS if ts == NO_TIME else ts // STRETCH
            if mine.stretch < stretch:
                mine.stretch, mine.kept = stretch, {}
        return mine.state, mine.kept.get(mine.state, 0) >= self._most

    def keeps(self, pattern: str, state: str) -> bool:
        """Whether a finding of a pattern, that has this state, is kept."""
        mine = self._of.setdefault(pattern, _Of())
        mine.state = state
        mine.kept[state] = mine.kept.get(state, 0) + 1
        return mine.kept[state] <= self._most

    def paused(self) -> State:
        """What became of each pattern."""
        return State({"of": {p: [s.state, s.stretch, s.kept] for p, s in self._of.items()}})

    def resume(self, state: State) -> None:
        """Go on from there."""
        self._of = {
            pattern: _Of(str(last), int(stretch), dict(kept))
            for pattern, (last, stretch, kept) in state.meta["of"].items()
        }
