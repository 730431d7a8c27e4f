"""The sets of the sequence suite: what is trained on, what sets thresholds, what is judged.

Labels choose the normal sessions of history. HDFS comes three times: after its first 4,855 normal
sessions; after as many drawn at random, as papers train; and after its first 60 %. BGL comes after
its first 60 %. Only the draw leaks what is to come: in order of time, the first sessions of HDFS do
not even hold what most later ones look like.

Abnormal sessions of history are no part of training or test; an expert's verdicts can be about
them. Sessions repeat themselves: distinct ones are scored, and count as often as they came.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from logwright.bench.datasets import Dataset, open_dataset
from logwright.bench.parts import Bools, Part, Split
from logwright.bench.protocol import Cut, seen_first
from logwright.bench.sequence_metrics import Weighted
from logwright.bench.series import Ready
from logwright.bench.view import View
from logwright.logs.batch import Int32s, Int64s
from logwright.sequence.sequences import Sequences
from logwright.sequence.vocabulary import FIRST, EventVocabulary

__all__ = ["DRAWN", "NORMAL", "Events", "Held", "Judged", "first_normal", "held_of", "sets"]

NORMAL = 4_855
"""Normal sessions of HDFS that papers train on."""

DRAWN = f"{NORMAL:,} normal drawn at random (leaks)"

_CHECK = 0.3
"""Of those few, this part sets the threshold: at 10 alarms in 10,000 it must hold 1,000 at least
for one to be allowed at all."""

_SHARE, _CALM = 0.6, 0.1
_QUICK = 20_000


@dataclass(frozen=True, slots=True)
class Judged:
    """Distinct sessions of a part, how often each came, and which of them each session is."""

    sequences: Sequences
    weights: Weighted
    inverse: Int64s

    @staticmethod
    def of(sequences: Sequences, truth: Bools) -> Judged:
        """Of all sessions with their truth."""
        distinct, inverse = sequences.distinct()
        normal = np.bincount(inverse[~truth], minlength=len(distinct)).astype(np.int64)
        abnormal = np.bincount(inverse[truth], minlength=len(distinct)).astype(np.int64)
        return Judged(distinct, Weighted(normal, abnormal, distinct.lengths), inverse)


@dataclass(frozen=True, slots=True)
class Events:
    """Events in the order of their codes: the first `known` are those of training, those up to
    `past` came in history, all others in the test part alone."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    known: int
    past: int

    def vocabulary(self, met: int) -> EventVocabulary:
        """The events of training as learned ones; further ones up to number `met` by their texts
        alone. Nothing that trains may be given what only the test part holds.

        >>> events = Events(("a", "b", "c"), ("", "", ""), known=1, past=2)
        >>> len(events.vocabulary(events.past)), events.vocabulary(events.past).known
        (4, 1)
        """
        vocabulary = EventVocabulary(self.ids[: self.known], self.texts[: self.known])
        for at in range(self.known, met):
            vocabulary.meet(self.ids[at], self.texts[at])
        return vocabulary


@dataclass(frozen=True, slots=True)
class Held:
    """A set as one protocol cuts it. `train` are normal sessions, and so are those of `calm`, which
    thresholds come from; `check` are those of `calm` that hold no event new to training. `past` has
    all sessions of history, abnormal ones too, for an expert to be asked about."""

    common: dict[str, Any]
    view: View
    events: Events
    train: Sequences
    check: Sequences
    calm: Judged
    past: Judged
    test: Judged

    @property
    def name(self) -> str:
        """Set and protocol."""
        return f"{self.common['set']}, {self.common['history']}"


def sets(data: Path, quick: bool = False) -> Iterator[Held]:
    """All of them; quickly, the first alone and of few sessions."""
    hdfs = open_dataset("hdfs", data, _QUICK if quick else None)
    assert isinstance(hdfs.held, Part)
    truth = hdfs.held.truth
    yield held_of(
        hdfs, hdfs.series().split(first_normal(truth, NORMAL)), f"first {NORMAL:,} normal"
    )
    if quick:
        return
    yield held_of(hdfs, _drawn(hdfs, truth), DRAWN)
    yield held_of(hdfs, hdfs.series().split(_by_share(hdfs)), f"{_SHARE:.0%}")
    bgl = open_dataset("bgl-windows20", data)
    yield held_of(bgl, bgl.series().split(_by_share(bgl)), f"{_SHARE:.0%}")


def first_normal(truth: Bools, number: int) -> Cut:
    """The cut at which history holds so many normal sessions.

    >>> first_normal(np.array([False, True] * 20), 10)
    Cut(offset=0.0, train=slice(0, 13, None), validation=slice(13, 19, None), \
test=slice(19, 40, None))
    """
    normal = np.flatnonzero(~truth)[:number]
    calm = int(normal[int(len(normal) * (1.0 - _CHECK)) - 1]) + 1
    end = int(normal[-1]) + 1
    return Cut(0.0, slice(0, calm), slice(calm, end), slice(end, len(truth)))


def _drawn(dataset: Dataset, truth: Bools) -> Split:
    """As `first_normal`, of sessions in an order drawn at random."""
    series = dataset.series()
    assert isinstance(series, Ready)
    order = np.random.default_rng(0).permutation(len(truth))
    role = np.empty(len(truth), np.int64)
    for number, drawn in enumerate(first_normal(truth[order], NORMAL).parts):
        role[order[drawn]] = number
    train, calm, test = (series.part.select(role == number) for number in range(3))
    size = len(series.vocabulary)
    held = series.vocabulary, series.texts, size
    return seen_first(Split(train, calm, test, *held, by_time=False))


def _by_share(dataset: Dataset) -> Cut:
    """60 % of the set, then 10 % for the threshold, and the rest is judged."""
    series = dataset.series()
    n = len(series)
    train, calm = int(n * _SHARE), int(n * (_SHARE + _CALM))
    # Sessions do not overlap; windows that were cut from one log follow each other.
    test = calm if dataset.grouping == "block" else series.after_gap(calm)
    return Cut(0.0, slice(0, train), slice(train, calm), slice(test, n))


def held_of(dataset: Dataset, cut: Split, history: str) -> Held:
    """A set that is cut like this."""
    view = View(cut)
    train, calm, split = view.of("normal")
    events, codes = _events(split)

    def judged(*parts: Part) -> Judged:
        every = [Sequences.of_windows(part.windows, codes) for part in parts]
        return Judged.of(_joined(every), np.concatenate([part.truth for part in parts]))

    normal = Sequences.of_windows(calm.windows, codes)
    new = np.add.reduceat(normal.events >= FIRST + events.known, normal.bounds[:-1])
    common = {
        "set": dataset.name,
        "lines": dataset.lines,
        "grouping": dataset.grouping,
        "window": dataset.windows[0],
        "history": history,
    }
    return Held(
        common,
        view,
        events,
        Sequences.of_windows(train.windows, codes),
        normal.take(new == 0),
        judged(calm),
        judged(split.train, split.validation),
        judged(split.test),
    )


def _events(split: Split) -> tuple[Events, Int32s]:
    """The events of a split, and the code of each of its templates. Sets that come without texts
    have none in their place: what is new is then told by its number alone."""
    size = len(split.vocabulary)
    past = np.zeros(size, bool)
    for part in (split.train, split.validation):
        past[part.windows.events.template] = True
    order = np.argsort(np.where(np.arange(size) < split.known, 0, 2 - past), kind="stable")
    codes = np.empty(size, np.int32)
    codes[order] = np.arange(FIRST, FIRST + size)
    texts = split.texts or [""] * size
    named = tuple(str(i) for i in order.tolist()), tuple(texts[i] for i in order.tolist())
    held = int((past | (np.arange(size) < split.known)).sum())
    return Events(*named, split.known, held), codes


def _joined(parts: list[Sequences]) -> Sequences:
    bounds: list[Int64s] = [np.zeros(1, np.int64)]
    for part in parts:
        bounds.append(part.bounds[1:] + bounds[-1][-1])
    return Sequences(
        np.concatenate([part.events for part in parts]),
        np.concatenate(bounds),
        np.concatenate([part.weights for part in parts]),
    )
