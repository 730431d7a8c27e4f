"""Induced rules: readable functions found by a search over labelled history (`rules.induction`).

What is measured is their source: it goes through the gate of the language and is judged by the
engine, as the rules of a rulebook are. The last part of history is the validation slice of the
search. Rules that only one form of window supports stay drafts, as in the product: they do not
alarm here either. Normal rules are not looked for: they would hide nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from logwright.bench.methods.base import Needs
from logwright.bench.parts import Train
from logwright.detectors.base import Floats
from logwright.rules.engine.engine import Engine
from logwright.rules.engine.table import Table
from logwright.rules.induction.drafts import Draft
from logwright.rules.induction.induction import Sample, induce
from logwright.rules.language.gate import parse
from logwright.windows.window import Windows

__all__ = ["CHECK", "InducedRules"]

CHECK = 1 / 6
"""The last part of history, which is the validation slice: 10 % of a set where 60 % are learned
from."""


class InducedRules:
    """The number of abnormal rules that fire; one is an alarm.

    Args:
        check: The share of history that is the validation slice.
        words: Whether words of abnormal lines are listened for in lines that history never held.
    """

    needs: Needs = "labels"
    natural: float | None = 1.0
    seeded = False

    def __init__(self, check: float = CHECK, words: bool = True) -> None:
        self.name = "rules" if words else "rules, without those of words alone"
        self._check, self._words = check, words
        self.drafts: list[Draft] = []
        """The rules that alarm."""

    def fit(self, train: Train) -> None:
        """Search history for rules."""
        assert train.truth is not None, "rules are induced from labels"
        self._ids = [f"t-{value:016x}" for value in train.vocabulary.hashes.tolist()]
        self._texts = train.texts
        known = train.known  # texts from there on are closed until test windows are scored
        sample = Sample(
            train.windows,
            None if train.texts is None else train.texts[:known],
            self._ids[:known],
            train.truth,
            round(len(train.windows) * (1 - self._check)),
        )
        found = induce(sample, normal=None, words=self._words)
        self.drafts = [draft for draft in found if not draft.single]
        self._engine = Engine({d.name: parse(d.source, d.name) for d in self.drafts})

    def hits(self, windows: Windows) -> NDArray[np.bool_]:
        """Which rules (columns) fire on which windows (rows)."""
        texts: Sequence[str] = self._texts or [""] * len(self._ids)
        return self._engine.of_table(Table.of_templates(windows, texts, self._ids))

    def score(self, windows: Windows) -> Floats:
        """How many rules fire."""
        number: Floats = self.hits(windows).sum(axis=1).astype(np.float64)
        return number

    @property
    def told(self) -> list[str]:
        """What each rule says, in words."""
        return [" and ".join(c.told for c in draft.conditions) for draft in self.drafts]
