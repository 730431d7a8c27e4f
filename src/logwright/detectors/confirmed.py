"""Confirmed: templates that an expert called a real problem, whether history holds them or not.

A template that is new is raised by `detectors.unseen`, with or without a verdict. Once a model has
learned it, it is no longer new; what was confirmed is raised all the same. The alarm is named like
that of `unseen`, so that it has the same pattern.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Evidence, Floats, State
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

__all__ = ["Confirmed"]

_CITED = 5


class Confirmed:
    """Scores 1 where a window holds a known template that is among `names` (template ids)."""

    name = "unseen"
    unit = "template"

    def __init__(self, names: Collection[str] = ()) -> None:
        self.names = frozenset(names)
        self._mask: tuple[int, NDArray[np.bool_]] = (0, np.zeros(0, bool))

    def _of(self, vocabulary: Vocabulary) -> NDArray[np.bool_]:
        if self._mask[0] != len(vocabulary):
            mask = np.zeros(len(vocabulary), bool)
            for i, template in enumerate(vocabulary.templates[: vocabulary.known]):
                mask[i] = not self.names.isdisjoint((template.id, *template.aliases))
            self._mask = (len(vocabulary), mask)
        return self._mask[1]

    def fit(self, windows: Windows, vocabulary: Vocabulary) -> None:
        """Nothing is learned here."""

    def score(self, windows: Windows, vocabulary: Vocabulary) -> Floats:
        """1 for windows that hold such a template, else 0."""
        held = np.concatenate(([0], np.cumsum(self._of(vocabulary)[windows.events.template])))
        return np.asarray(held[windows.bounds[1:]] > held[windows.bounds[:-1]], np.float64)

    def evidence(
        self, windows: Windows, i: int, vocabulary: Vocabulary, threshold: float
    ) -> list[Evidence]:
        """One entry per such template of window `i`."""
        span = windows.span(i)
        events, rows = windows.events.template[span], windows.events.row[span]
        out = []
        for template in np.unique(events[self._of(vocabulary)[events]]).tolist():
            mine = rows[events == template].tolist()
            known = vocabulary.templates[template]
            times = "once" if len(mine) == 1 else f"{len(mine):,} times"
            out.append(
                Evidence(
                    score=1.0,
                    summary=f"known trouble: '{known.text}', seen {times}",
                    expected="no line of this template, though history holds it",
                    seen=f"{times}: {known.text}",
                    rows=mine[:_CITED],
                    key_rows=mine[:_CITED],
                    templates=[template],
                    parts=[known.id],
                    count=len(mine),
                )
            )
        return out

    def save(self) -> State:
        """The ids."""
        return State({"names": sorted(self.names)})

    def load(self, state: State) -> None:
        """Take over the ids."""
        self.names = frozenset(state.meta["names"])
