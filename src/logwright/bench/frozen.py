"""A frozen configuration: learned on one folder, named by a hash, scored once on later data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.bench.datasets import Dataset
from logwright.bench.fitted import BUDGET, Fitted
from logwright.bench.joined import joined_lines, joined_parts
from logwright.bench.labelled import SESSION, LabelledLines
from logwright.bench.methods.base import Method
from logwright.bench.overlap import overlap
from logwright.bench.parts import LeakError, Part
from logwright.bench.predictions import Predictions
from logwright.bench.protocol import Cut
from logwright.bench.runner import Case, Gathered, described
from logwright.bench.view import View
from logwright.errors import InputError
from logwright.logs.batch import NO_TIME, Int64s
from logwright.logs.coder import BLANK
from logwright.windows.window import mix

__all__ = ["apart", "frozen_rows"]

_TRAIN = 0.9
_VARIED = 20
"""A short log of fewer different records may be found in a longer one by chance."""


def frozen_rows(
    train: Dataset,
    test: Dataset,
    window: str,
    makes: Sequence[Callable[[], Method]],
    seeds: int,
    sink: Predictions,
) -> tuple[list[dict[str, Any]], str]:
    """A row per method, and the hash of what was frozen. All methods have learned and have their
    thresholds before the first window of the later data is scored."""
    series = _both(train, test).series(window)
    size = len(train.series(window))
    cut = int(size * _TRAIN)
    begin = series.after_gap(size)  # the one log may go on where the other ends
    if cut < 1 or begin >= len(series):
        raise InputError(f"{train.name}: too little of it in one of the two folders")
    view = View(series.split(Cut(0.0, slice(0, cut), slice(cut, size), slice(begin, len(series)))))
    fitted = [
        (seed, Fitted.of(make, view, seed))
        for make in makes
        for seed in range(seeds if make().seeded else 1)
    ]
    frozen = {
        "set": train.name,
        "window": window,
        "train": [train.lines, cut, len(view.split.train)],
        "validation": len(view.split.validation),
        "budget": BUDGET,
        "methods": [[one.method.name, seed, one.limit.value] for seed, one in fitted],
        "learned from": _content(view.split.train),
    }
    digest = hashlib.sha256(json.dumps(frozen, sort_keys=True).encode()).hexdigest()[:16]
    case = Case(test.name, test.lines, test.grouping, window, series, f"learned on {train.lines}")
    gathered: dict[str, Gathered] = {}
    for seed, one in fitted:
        run = one.run(view.of(one.method.needs)[2].test)
        mine = gathered.setdefault(one.method.name, Gathered(one.method))
        mine.add((case.name, 0.0, seed), view, run, sink)
    told = described([view.told()])
    return [mine.row(case, told) for mine in gathered.values()], digest


def apart(train: Dataset, test: Dataset) -> None:
    """`LeakError` where the two hold the same, in whole or in part (`bench.overlap`), or where the
    test set is not the later one: what was learned would be scored."""
    a, b = train.held, test.held
    if isinstance(a, Part) and isinstance(b, Part):
        first, second = _sequences(a), _sequences(b)
        if _copied(first, second):
            raise LeakError(f"{test.name}: the two folders hold the same windows")
        _unlike(test.name, first, second, "windows")
    elif isinstance(a, LabelledLines) and isinstance(b, LabelledLines):
        if _copied(_records(a), _records(b)):
            raise LeakError(f"{test.name}: the two folders hold the same log")
        if train.windows == (SESSION,):
            both = sorted({*_keys(a)} & {*_keys(b)})
            if both:
                raise LeakError(
                    f"{test.name}: {len(both):,} sessions are in both folders, such as {both[0]}"
                )
        _later(train, test, a, b)
        # Times that follow one another tell that nothing is shared; without them content has to.
        if any(2 * np.count_nonzero(held.ts == NO_TIME) > len(held) for held in (a, b)):
            _unlike(test.name, _records(a), _records(b), "lines")


def _unlike(name: str, a: NDArray[np.uint64], b: NDArray[np.uint64], what: str) -> None:
    shared = overlap(a, b)
    if shared:
        raise LeakError(
            f"{name}: {shared:,} of {len(b):,} {what} of --test-data are in --train-data too, in "
            "the same order: cut the log so that no line is in both folders"
        )


def _later(train: Dataset, test: Dataset, a: LabelledLines, b: LabelledLines) -> None:
    """Sessions run beside each other: of these the beginnings count."""
    sessions = train.windows == (SESSION,)
    first, second = (_begins(held) if sessions else held.ts for held in (a, b))
    first, second = first[first != NO_TIME], second[second != NO_TIME]
    if not len(first) or not len(second) or second.min() >= first.max():
        return
    old, new = (_records(held)[held.ts != NO_TIME] for held in (a, b))
    same = np.isin(new, old)
    told = f"{int(same.sum()):,} of {len(same):,} records of --test-data are in --train-data too"
    if not same.any():
        told = "--test-data begins before --train-data ends"
    raise LeakError(f"{test.name}: {told}: what is scored has to come after what was learned")


def _sequences(part: Part) -> NDArray[np.uint64]:
    """A number per window, by its events in their order."""
    template, bounds = part.windows.events.template, part.windows.bounds
    place = np.arange(len(template)) - np.repeat(bounds[:-1], np.diff(bounds))
    numbers = mix(mix(template.astype(np.uint64) + np.uint64(1)) + place.astype(np.uint64))
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(numbers, dtype=np.uint64)))
    return sums[bounds[1:]] - sums[bounds[:-1]]


def _holds(long: NDArray[np.uint64], short: NDArray[np.uint64]) -> bool:
    """Whether the one is a run of the other."""
    whole, sought = long.tobytes(), short.tobytes()
    at = whole.find(sought)
    while at % 8 and at >= 0:  # not at the beginning of a number
        at = whole.find(sought, at + 1)
    return at >= 0


def _copied(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> bool:
    """Whether the two are the same, or one holds the other."""
    short, long = sorted((a, b), key=len)
    return (len(a) == len(b) or len(np.unique(short)) >= _VARIED) and _holds(long, short)


def _records(lines: LabelledLines) -> NDArray[np.uint64]:
    """A number per record, by its time and half of its shape's key, which is enough; where it has
    no time, by all that it says."""
    shapes = np.where(lines.shape == BLANK, np.uint64(0), lines.keys[lines.shape, 0])
    return mix(shapes + mix(lines.ts.astype(np.uint64))) ^ lines.raw


def _keys(lines: LabelledLines) -> list[str]:
    return [lines.sessions[code] for code in np.unique(lines.session[lines.session >= 0]).tolist()]


def _begins(lines: LabelledLines) -> Int64s:
    """When each session begins."""
    held = np.flatnonzero((lines.session >= 0) & (lines.ts != NO_TIME))
    return lines.ts[held[np.unique(lines.session[held], return_index=True)[1]]]


def _content(part: Part) -> str:
    """A hash of what a part holds: its windows' templates, and their truth."""
    digest = hashlib.sha256(part.windows.events.template.tobytes())
    digest.update(part.windows.bounds.tobytes())
    digest.update(part.truth.tobytes())
    return digest.hexdigest()


def _both(train: Dataset, test: Dataset) -> Dataset:
    """The two as one set, in order."""
    if isinstance(train.held, Part) and isinstance(test.held, Part):
        held = joined_parts(train.held, test.held)
        short, long = sorted((list(train.texts or ()), list(test.texts or ())), key=len)
        if long[: len(short)] != short:
            raise InputError(f"{test.name}: event numbers stand for other texts in the two folders")
        return replace(train, held=held, texts=long or None)
    if isinstance(train.held, LabelledLines) and isinstance(test.held, LabelledLines):
        joined = joined_lines(train.held, test.held)
        raw = np.concatenate((train.held.raw, test.held.raw))
        return replace(train, held=replace(joined, raw=raw))
    raise InputError(f"{test.name}: one folder holds lines, the other one windows")
