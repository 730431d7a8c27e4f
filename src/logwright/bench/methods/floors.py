"""Floors: what needs no thought. A method that does not beat them has learned nothing.

They stand in every table: flag everything, flag nothing, words of trouble, any template and any
length that history never held. "Flag everything" alone reaches F1 .9 where most windows are
abnormal, and new templates alone nearly solve BGL.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from logwright.bench.methods.base import Method, Needs
from logwright.bench.parts import Train
from logwright.detectors.base import Floats
from logwright.logs.batch import Int32s
from logwright.templates.wording import SYMPTOM, trouble
from logwright.windows.window import Windows

__all__ = ["FlagAll", "FlagNone", "Keywords", "Known", "UnseenLength", "UnseenTemplate", "floors"]


class Known:
    """Which template indices windows of history held; any other index is new, however large.

    >>> Known(Windows.of_sequences([[0, 2]])).new(np.array([0, 1, 2, 9], np.int32)).tolist()
    [False, True, False, True]
    """

    def __init__(self, windows: Windows) -> None:
        self._new = np.bincount(windows.events.template, minlength=1) == 0
        self._new = np.append(self._new, True)

    def new(self, templates: Int32s) -> NDArray[np.bool_]:
        """Which of these indices history never held."""
        found: NDArray[np.bool_] = self._new[np.minimum(templates, len(self._new) - 1)]
        return found

    def records(self, windows: Windows) -> Floats:
        """How many records of each window are of new templates."""
        sums = np.concatenate(([0], np.cumsum(self.new(windows.events.template))))
        return (sums[windows.bounds[1:]] - sums[windows.bounds[:-1]]).astype(np.float64)


class FlagAll:
    """Every window is an alarm: F1 is 2p / (1 + p), where p is the share of abnormal windows."""

    name = "flag all"
    needs: Needs = "nothing"
    natural: float | None = 1.0
    seeded = False

    def fit(self, train: Train) -> None:
        """Nothing to learn."""

    def score(self, windows: Windows) -> Floats:
        """1 for every window."""
        return np.ones(len(windows))


class FlagNone:
    """No window is an alarm."""

    name = "flag none"
    needs: Needs = "nothing"
    natural: float | None = 1.0
    seeded = False

    def fit(self, train: Train) -> None:
        """Nothing to learn."""

    def score(self, windows: Windows) -> Floats:
        """0 for every window."""
        return np.zeros(len(windows))


class Keywords:
    """The gravest word in a window's templates (`templates.wording`), from a symptom on.

    Needs texts: without them all scores are 0. Indices beyond the texts have none.
    """

    name = "keyword list"
    needs: Needs = "nothing"
    natural: float | None = float(SYMPTOM)
    seeded = False

    def fit(self, train: Train) -> None:
        """What history held does not matter."""
        self._texts = train.texts or ()
        self._grades: dict[int, int] = {}

    def score(self, windows: Windows) -> Floats:
        """0 for no trouble, 4 for the gravest."""
        owner, template, _ = windows.counts()
        which, at = np.unique(template, return_inverse=True)
        grades = np.array([self._grade(t) for t in which.tolist()], np.float64)
        out = np.zeros(len(windows))
        np.maximum.at(out, owner, grades[at])
        return out

    def _grade(self, template: int) -> int:
        """A text is read when a window holds it, and not before: some are of the test part."""
        if template not in self._grades:
            held = template < len(self._texts)
            self._grades[template] = trouble(self._texts[template]) if held else 0
        return self._grades[template]


class UnseenTemplate:
    """How many records are of templates that history never held; one is an alarm."""

    name = "unseen template"
    natural: float | None = 1.0
    seeded = False

    def __init__(self, needs: Needs = "normal") -> None:
        self.needs = needs

    def fit(self, train: Train) -> None:
        """Learn which templates there are."""
        self._known = Known(train.windows)

    def score(self, windows: Windows) -> Floats:
        """The number of new records."""
        return self._known.records(windows)


class UnseenLength:
    """By how many records a window differs from the nearest length in history; one is an alarm."""

    name = "unseen length"
    natural: float | None = 1.0
    seeded = False

    def __init__(self, needs: Needs = "normal") -> None:
        self.needs = needs

    def fit(self, train: Train) -> None:
        """Learn which lengths there are."""
        self._lengths = np.unique(train.windows.sizes).astype(np.float64)

    def score(self, windows: Windows) -> Floats:
        """The distance to the nearest length, in records."""
        sizes = windows.sizes.astype(np.float64)
        if not len(self._lengths):
            return np.maximum(sizes, 1.0)
        at = np.searchsorted(self._lengths, sizes)
        above = self._lengths[np.minimum(at, len(self._lengths) - 1)]
        below = self._lengths[np.maximum(at - 1, 0)]
        return np.minimum(np.abs(above - sizes), np.abs(below - sizes))


def floors(texts: Sequence[str] | None) -> list[Method]:
    """All floors; the keyword list only where the set has texts.

    >>> [floor.name for floor in floors(None)]
    ['flag all', 'flag none', 'unseen template', 'unseen length']
    """
    words: list[Method] = [] if texts is None else [Keywords()]
    return [FlagAll(), FlagNone(), *words, UnseenTemplate(), UnseenLength()]
