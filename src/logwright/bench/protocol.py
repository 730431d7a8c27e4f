"""The protocol: cut by time first, window afterwards, and let nothing of the test part be learned.

A span of a data set begins at 0, a tenth, two tenths, ... of it. Within a span the first 60 % is
train, the next 10 % validation, then a gap of one window, and the rest test. A random split exists
for one labelled column only, to stand beside papers that used one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from logwright.bench.methods.base import Needs
from logwright.bench.parts import Bools, Part, Split
from logwright.detectors.base import Floats
from logwright.detectors.thresholds import Threshold, by_budget
from logwright.errors import LogwrightError
from logwright.logs.batch import Int32s, Int64s
from logwright.templates.template import Template
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Events, Windows

__all__ = [
    "Cut",
    "Listed",
    "Series",
    "cuts",
    "learned",
    "random_split",
    "renumbered",
    "roles",
    "seen_first",
    "splits",
    "threshold",
]

_TRAIN, _VALIDATION = 0.6, 0.1
_STEP = 0.1
_MOST_OFFSETS = 9
_RANDOM_TRAIN, _RANDOM_VALIDATION = 0.7, 0.1


@dataclass(frozen=True, slots=True)
class Cut:
    """Where one split cuts: positions in the data set, test after a gap."""

    offset: float
    train: slice
    validation: slice
    test: slice

    @property
    def parts(self) -> tuple[slice, slice, slice]:
        """In order of time."""
        return self.train, self.validation, self.test


class Series(Protocol):
    """A data set in order of time. Its positions are windows where it comes as windows, otherwise
    lines; then templates are learned on the train part alone, and windows are made within parts."""

    def __len__(self) -> int:
        """How many positions there are."""

    def after_gap(self, at: int) -> int:
        """The position one window after `at`."""

    def split(self, cut: Cut) -> Split:
        """The parts at this cut."""

    def chosen(self, seed: int) -> Split:
        """Parts by chance: 70 % train, 10 % validation, 20 % test, whole windows."""


def roles(n: int, seed: int) -> Int64s:
    """0 (train), 1 (validation) or 2 (test) per window, by chance.

    >>> np.bincount(roles(100, 0)).tolist()
    [70, 10, 20]
    """
    order = np.random.default_rng(seed).permutation(n)
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    ends = [int(n * _RANDOM_TRAIN), int(n * (_RANDOM_TRAIN + _RANDOM_VALIDATION))]
    return np.searchsorted(ends, place, side="right")


def cuts(series: Series, offsets: int) -> Iterator[Cut]:
    """The cuts at so many offsets.

    >>> class Hundred(list):
    ...     def after_gap(self, at):
    ...         return at + 1
    >>> for cut in list(cuts(Hundred(range(100)), 5))[:2]:
    ...     print(cut.offset, cut.train, cut.validation, cut.test)
    0.0 slice(0, 36, None) slice(36, 42, None) slice(43, 60, None)
    0.1 slice(10, 46, None) slice(46, 52, None) slice(53, 70, None)
    """
    if not 1 <= offsets <= _MOST_OFFSETS:
        raise LogwrightError(f"--offsets {offsets}: takes 1 to {_MOST_OFFSETS}")
    n = len(series)
    span = 1.0 - _STEP * (offsets - 1)
    for i in range(offsets):
        start = round(n * _STEP * i)
        train, validation, end = (
            min(start + round(n * span * share), n) for share in (_TRAIN, _TRAIN + _VALIDATION, 1.0)
        )
        test = series.after_gap(validation)
        if not start < train <= validation or test >= end:
            raise LogwrightError(f"{n} windows are too few to be split at {offsets} offsets")
        yield Cut(
            round(_STEP * i, 1), slice(start, train), slice(train, validation), slice(test, end)
        )


def splits(series: Series, offsets: int) -> Iterator[Split]:
    """The parts at each offset, in order of time."""
    for cut in cuts(series, offsets):
        yield series.split(cut)


def random_split(series: Series, seed: int) -> Split:
    """Parts by chance, for the one column that is labelled so."""
    return series.chosen(seed)


class Listed(Vocabulary):
    """A vocabulary of templates that are given, and of 64-bit numbers for them."""

    def __init__(self, hashes: NDArray[np.uint64], templates: Sequence[Template]) -> None:
        self._hashes, self.templates = hashes, list(templates)
        self.known = len(self.templates)

    def __len__(self) -> int:
        return len(self._hashes)

    @property
    def hashes(self) -> NDArray[np.uint64]:
        """A number per template."""
        return self._hashes

    @staticmethod
    def picked(vocabulary: Vocabulary, order: NDArray[np.intp]) -> Listed:
        """Templates of another vocabulary, by their indices there."""
        return Listed(vocabulary.hashes[order], [vocabulary.templates[i] for i in order.tolist()])

    def __add__(self, other: Listed) -> Listed:
        """The templates of both."""
        hashes = np.concatenate((self._hashes, other.hashes))
        return Listed(hashes, [*self.templates, *other.templates])


def seen_first(split: Split, which: Bools | None = None) -> Split:
    """The same split, its templates numbered anew: those of train first (of the chosen windows of
    train), so that all from `known` on were never seen there."""
    train = split.train.windows if which is None else split.train.windows.select(which)
    size = len(split.vocabulary)
    seen = np.bincount(train.events.template, minlength=size) > 0
    known = int(seen.sum())
    order = np.concatenate((np.flatnonzero(seen), np.flatnonzero(~seen)))
    if bool((order == np.arange(size)).all()):
        return replace(split, known=known)
    number = np.empty(size, np.int32)
    number[order] = np.arange(size)
    texts = split.texts
    return replace(
        split,
        train=renumbered(split.train, number),
        validation=renumbered(split.validation, number),
        test=renumbered(split.test, number),
        vocabulary=Listed.picked(split.vocabulary, order),
        texts=None if texts is None else [texts[i] for i in order.tolist()],
        known=known,
    )


def renumbered(part: Part, number: Int32s) -> Part:
    """A part whose template `i` is now `number[i]`."""
    w, e = part.windows, part.windows.events
    events = Events(number[e.template], e.ts, e.level, e.session, e.row)
    return replace(part, windows=Windows(w.kind, w.bounds, events, w.key, w.end, w.late))


def learned(split: Split, needs: Needs) -> tuple[Part, Part, Split]:
    """What a method of these needs learns from, what sets its threshold, and the split numbered by
    what it learns from. "nothing" gets all windows, labels unseen; "normal" the normal ones."""
    if needs == "normal":
        split = seen_first(split, ~split.train.truth)
        train, validation = split.train, split.validation
        return train.select(~train.truth), validation.select(~validation.truth), split
    if needs == "labels":
        return split.train, split.validation.select(~split.validation.truth), split
    return split.train, split.validation, split


def threshold(scores: Floats, budget: float) -> Threshold:
    """From scores of windows taken for normal: at most `budget` of 10,000 are alarms. Scores may be
    of any scale and sign; the smallest one seen is never an alarm.

    >>> threshold(np.array([-5.0, -5.0, -4.0]), 10.0).value > -4.0
    True
    """
    if not len(scores):
        raise LogwrightError("a threshold needs windows of validation, and there are none")
    low = float(scores.min())
    found = by_budget(scores - low, budget * len(scores) / 10_000, float(np.nextafter(0.0, 1.0)))
    silent = float(scores[scores - low < found.value].max())
    # Adding `low` back may round the threshold down to a score that must stay silent.
    return Threshold(max(found.value + low, float(np.nextafter(silent, np.inf))), found.reason)
