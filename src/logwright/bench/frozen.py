"""A frozen configuration: learned on one folder, named by a hash, scored once on later data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from logwright.bench.datasets import Dataset
from logwright.bench.joined import joined_lines, joined_parts
from logwright.bench.labelled import LabelledLines
from logwright.bench.methods.base import Method
from logwright.bench.parts import Part
from logwright.bench.predictions import Predictions
from logwright.bench.protocol import Cut
from logwright.bench.runner import BUDGET, Case, Fitted, Gathered, View, described
from logwright.errors import InputError

__all__ = ["frozen_rows"]

_TRAIN = 0.9


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
    view = View(series.split(Cut(0.0, slice(0, cut), slice(cut, size), slice(size, len(series)))))
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
        return replace(train, held=joined_lines(train.held, test.held))
    raise InputError(f"{test.name}: one folder holds lines, the other one windows")
