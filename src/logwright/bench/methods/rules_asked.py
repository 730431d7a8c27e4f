"""Rules, and an expert above them: the ladder with labels of history and answers of a person.

A rule that fires is a finding whose pattern is the rule; below rules stand templates that history
never held, with the judge and its questions as in suite `feedback`. History holds its anomalies
here, as rules were learned from them: what only abnormal windows held is not new.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from logwright.bench import asking, parts
from logwright.bench.methods.base import Needs
from logwright.bench.methods.rules import CHECK, InducedRules
from logwright.feedback.standing import Found
from logwright.findings.finding import pattern_id
from logwright.windows.window import Windows

__all__ = ["Ruled", "RulesAsked"]

Bools = NDArray[np.bool_]
_NO_DAY = 1  # the expert has no limit by the day, for which alone a day's length matters


class Ruled(asking.Part):
    """Windows after some history on which rules fire (`hits`: windows by rules, named `rules`)."""

    def __init__(
        self, train: parts.Train, test: Windows, rules: Sequence[str], hits: Bools
    ) -> None:
        super().__init__(train.windows, test, train.vocabulary, train.texts, "template", _NO_DAY)
        self._rules = [Found(pattern_id("rules", "rule", [r]), "rules", "rule") for r in rules]
        self._hits = hits

    def sight(self, window: int) -> list[Found]:
        """The rules that fire on a window, then its new templates."""
        fired = [self._rules[at] for at in np.flatnonzero(self._hits[window]).tolist()]
        return fired + super().sight(window)

    @property
    def interesting(self) -> list[int]:
        """The windows that hold anything new, and those on which a rule fires."""
        found: list[int] = np.flatnonzero(self.unseen | self._hits.any(axis=1)).tolist()
        return found


class RulesAsked:
    """Rules, what is new, and questions that an expert answers by the labels of the test part.

    Args:
        check: The share of history that is the validation slice of the rules.
        rules: Whether the first alarm of each rule is asked about as well. Else rules alarm as they
            are, and a window that one flags raises no question.
    """

    needs: Needs = "labels"
    seeded = False

    def __init__(self, check: float = CHECK, rules: bool = True) -> None:
        self.name = "rules, unseen, ask once" if rules else "rules (not asked), unseen, ask once"
        self.rules, self._asks = InducedRules(check), rules

    def fit(self, train: parts.Train) -> None:
        """Search history for rules."""
        self.rules.fit(train)
        self._train = train

    def answer(self, part: parts.Part) -> asking.Outcome:
        """What was flagged before each answer, and which windows were asked about."""
        hits = self.rules.hits(part.windows)
        if self._asks:
            names = [draft.name for draft in self.rules.drafts]
            return self._asked(part, names, hits)
        fired: Bools = np.logical_or.reduce(hits, axis=1)
        rest = self._asked(part.select(~fired), [], np.zeros(((~fired).sum(), 0), bool))
        flagged, answered = fired.copy(), fired.copy()
        flagged[~fired], answered[~fired] = rest.flagged, rest.answered
        asked = np.flatnonzero(~fired)[rest.asked].tolist()
        return asking.Outcome(flagged, answered, asked, rest.benign)

    def _asked(self, part: parts.Part, names: Sequence[str], hits: Bools) -> asking.Outcome:
        sight = Ruled(self._train, part.windows, names, hits)
        return asking.ask(sight, part.truth, asking.Expert())
