"""Confirmed: what an expert called a real problem is raised, whether history holds it or not.

What is new (a template, the make-up of a session) is raised by `detectors.unseen` or
`detectors.counts`, with or without a verdict. Once a model has learned it, it is no longer new;
what was confirmed is raised all the same. The alarm is named like that of the detector which
raised it first, so that it has the same pattern.

A template is known by its id. A make-up is known by its pattern alone: that is a hash of what the
session is made of, so that of each make-up in a log one can tell whether it was confirmed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from logwright.detectors.base import Evidence, Floats, State
from logwright.detectors.counts import UNITS, Counts
from logwright.detectors.ladder import Rung
from logwright.detectors.thresholds import Threshold
from logwright.detectors.unseen import Unseen
from logwright.findings.finding import pattern_id
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

__all__ = ["Confirmed", "ConfirmedMakeUps", "with_confirmed"]

_CITED = 5
_MEMO = 1_000_000  # make-ups of which it is known whether they were confirmed


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


class ConfirmedMakeUps:
    """Scores 1 where a session's make-up, or a 2-gram in it, has a pattern among `patterns`.

    `unit` is one of `detectors.counts.UNITS`, or ``bigram``. `own` is the ladder's rung of that
    unit, where it has one: what it raises is told in its words, since a window that is flagged here
    is not asked about its make-up again.

    >>> from types import SimpleNamespace
    >>> ids = ["t-00000000000000aa", "t-00000000000000bb"]
    >>> v = SimpleNamespace(
    ...     hashes=np.array([0xAA, 0xBB], np.uint64),
    ...     templates=[SimpleNamespace(id=name, text=name) for name in ids],
    ... )
    >>> bad = pattern_id("counts", "count_vector", [f"{ids[0]}x2", f"{ids[1]}x1"])
    >>> w = Windows.of_sequences([[0, 1], [0, 1, 0], [1]])
    >>> ConfirmedMakeUps("count_vector", [bad]).score(w, v).tolist()
    [0.0, 1.0, 0.0]
    """

    def __init__(
        self,
        unit: str = "count_vector",
        patterns: Collection[str] = (),
        own: Rung | None = None,
    ) -> None:
        self.patterns = frozenset(patterns)
        self._own = own
        self._memo: dict[int, bool] = {}
        self._named_as(unit)

    def _named_as(self, unit: str) -> None:
        # To a detector without history everything is new: it names the parts of any make-up.
        counted = next((u for u in UNITS if u == unit), None)
        self._naming = Unseen("bigram") if counted is None else Counts(counted)
        self.name, self.unit = self._naming.name, self._naming.unit

    def fit(self, windows: Windows, vocabulary: Vocabulary) -> None:
        """Nothing is learned here."""

    def score(self, windows: Windows, vocabulary: Vocabulary) -> Floats:
        """1 for sessions that hold something confirmed, else 0; other windows have no make-up."""
        if windows.kind != "session" or not len(windows):
            return np.zeros(len(windows))
        keys, bounds = self._keys(windows, vocabulary)
        distinct, first, which = np.unique(keys, return_index=True, return_inverse=True)
        owner = np.searchsorted(bounds, first, side="right") - 1
        if len(self._memo) + len(distinct) > _MEMO:
            self._memo.clear()
        for key, i in zip(distinct.tolist(), owner.tolist(), strict=True):
            if key not in self._memo:
                self._look(windows.select_one(i), vocabulary)
        real = np.array([self._memo[key] for key in distinct.tolist()], bool)
        held = np.concatenate(([0], np.cumsum(real[which])))
        return np.asarray(held[bounds[1:]] > held[bounds[:-1]], np.float64)

    def _keys(
        self, windows: Windows, vocabulary: Vocabulary
    ) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """A number for each make-up (or 2-gram), and where those of each window begin and end."""
        number = np.arange(len(windows) + 1)
        if isinstance(self._naming, Counts):
            return self._naming.keys(windows, vocabulary), number
        return Unseen.bigram_hashes(windows, vocabulary.hashes), windows.bounds + number

    def _look(self, one: Windows, vocabulary: Vocabulary) -> None:
        """Note of all that one window holds whether it was confirmed."""
        keys = dict.fromkeys(self._keys(one, vocabulary)[0].tolist())
        named = self._naming.evidence(one, 0, vocabulary, 0.0)
        for key, evidence in zip(keys, named, strict=True):
            self._memo[key] = self._is_real(evidence)

    def _is_real(self, evidence: Evidence) -> bool:
        return pattern_id(self.name, self.unit, evidence.parts) in self.patterns

    def evidence(
        self, windows: Windows, i: int, vocabulary: Vocabulary, threshold: float
    ) -> list[Evidence]:
        """What the ladder's own rung raises, then what else was confirmed."""
        one = windows.select_one(i)
        out = self._raised(one, vocabulary)
        told = {tuple(evidence.parts) for evidence in out}
        for evidence in self._naming.evidence(one, 0, vocabulary, threshold):
            if self._is_real(evidence) and tuple(evidence.parts) not in told:
                out.append(_known(evidence))
        return out

    def _raised(self, one: Windows, vocabulary: Vocabulary) -> list[Evidence]:
        if self._own is None:
            return []
        detector, threshold = self._own.detector, self._own.threshold
        if not threshold.alarms(detector.score(one, vocabulary)).any():
            return []
        return detector.evidence(one, 0, vocabulary, threshold.value)

    def save(self) -> State:
        """The unit and the patterns."""
        return State({"unit": self.unit, "patterns": sorted(self.patterns)})

    def load(self, state: State) -> None:
        """Take over the unit and the patterns."""
        self._named_as(str(state.meta["unit"]))
        self.patterns, self._memo = frozenset(state.meta["patterns"]), {}


def _known(evidence: Evidence) -> Evidence:
    """Evidence of a detector that knows nothing, in words for what was confirmed."""
    return Evidence(
        score=1.0,
        summary=f"known trouble: a session with {evidence.seen}",
        expected="no session like this, though history may hold some",
        seen=evidence.seen,
        rows=evidence.rows,
        key_rows=evidence.key_rows,
        templates=evidence.templates,
        parts=evidence.parts,
    )


def with_confirmed(
    rungs: Sequence[Rung],
    templates: Collection[str],
    make_ups: Mapping[str, Collection[str]],
) -> list[Rung]:
    """The rungs of a ladder with those for what verdicts say is real, and without earlier ones.

    `templates` are ids, `make_ups` patterns by unit. They come first: what an expert confirmed is
    hidden by nothing else in its window.

    >>> [rung.detector.unit for rung in with_confirmed([], [], {"event_set": ["p-1"]})]
    ['event_set']
    """
    plain = [r for r in rungs if not isinstance(r.detector, Confirmed | ConfirmedMakeUps)]
    added = []
    if templates and any(r.reads == "records" for r in plain):
        threshold = Threshold(1.0, "any line of it")
        added.append(Rung(Confirmed(templates), threshold, "records", "as verdicts say"))
    for unit, patterns in sorted(make_ups.items()):
        own = (r for r in plain if isinstance(r.detector, Counts | Unseen))
        mine = next((r for r in own if r.detector.unit == unit), None)
        detector = ConfirmedMakeUps(unit, patterns, mine)
        threshold = Threshold(1.0, "any session like it")
        added.append(Rung(detector, threshold, "windows", "as verdicts say"))
    return [*added, *plain]
