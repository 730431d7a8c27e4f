"""The runner: every method at every offset and seed, on data that the guard let through, as rows.

The figures of a row are those of one run: the one with the median F1, so that precision, recall and
F1 belong together; `offset` says which, and what describes the data (windows, positive rate, ...)
is of that run's test part. `f1_low` and `f1_high` are the range over offsets and seeds. A test part
without anything abnormal has no F1: its runs are left out, and a note says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from logwright.bench.fitted import Asking, Make, Run, run_method
from logwright.bench.methods.base import Method, Needs
from logwright.bench.metrics import f1_of, measured
from logwright.bench.predictions import Predictions
from logwright.bench.protocol import Series, random_split, splits
from logwright.bench.view import View
from logwright.errors import LogwrightError

__all__ = [
    "Case",
    "Gathered",
    "Make",
    "Run",
    "View",
    "described",
    "ordered",
    "rows_of",
    "run_method",
]

_LEAST_WINDOWS = 50
_FEW = "so few test windows tell next to nothing"

_TABLE: dict[Needs, str] = {"nothing": "no labels", "normal": "no labels", "labels": "labels"}
_USED: dict[Needs, str] = {
    "nothing": "none",
    "normal": "normal windows chosen",
    "labels": "all",
}
_KEYS = (
    "table",
    "set",
    "lines",
    "grouping",
    "window",
    "method",
    "labels_used",
    "questions",
    "llm_calls",
    "llm_cost",
    "offsets",
    "offset",
    "seeds",
    "windows",
    "positive_rate",
    "distinct_windows",
    "test_seen_in_train",
    "precision",
    "recall",
    "f1",
    "f1_mean",
    "f1_low",
    "f1_high",
    "f1_ci_low",
    "f1_ci_high",
    "specificity",
    "pr_auc",
    "alarms_per_10k",
    "alarms_per_day",
    "recall_by_kind",
    "lines_to_first_alarm",
    "seconds_to_first_alarm",
    "f1_distinct",
    "f1_corrected",
    "f1_random_split",
    "stress",
    "note",
)


_NUMBERS = ("windows", "distinct_windows")


def ordered(row: dict[str, Any]) -> dict[str, Any]:
    """The keys of a row in their order, those without a value left out.

    >>> ordered({"f1": 0.5, "note": None, "table": "labels"})
    {'table': 'labels', 'f1': 0.5}
    """
    return {key: row[key] for key in _KEYS if row.get(key) is not None}


@dataclass(frozen=True, slots=True)
class Case:
    """A data set with what a table says of it."""

    name: str
    lines: str
    grouping: str
    window: str
    series: Series
    note: str = ""

    @property
    def common(self) -> dict[str, Any]:
        """The columns that all its rows share."""
        return {
            "set": self.name,
            "lines": self.lines,
            "grouping": self.grouping,
            "window": self.window,
            "note": self.note or None,
        }


@dataclass(slots=True)
class Gathered:
    """All runs of one method on one set."""

    method: Method
    runs: list[tuple[dict[str, Any], Run]] = field(default_factory=list)
    offsets: set[float] = field(default_factory=set)
    seeds: set[int] = field(default_factory=set)
    random_f1: float | None = None
    stress: dict[str, Any] = field(default_factory=dict)

    def add(self, of: tuple[str, float, int], view: View, run: Run, sink: Predictions) -> None:
        """Take the figures of a run on the test part of a view: `of` is its set, offset, seed."""
        name, offset, seed = of
        test = view.split.test
        figures = {
            **view.told(),
            "offset": offset,
            "questions": run.questions,
            **measured(run.scores, run.alarms, test, view.distinct, seed),
            "note": view.split.note,
        }
        # The scores themselves are in the predictions: here they would fill memory.
        self.runs.append((figures, run.emptied()))
        self.offsets.add(offset)
        self.seeds.add(seed)
        sink.add((name, self.method.name, offset, seed), test, run.scores, run.alarms)

    def row(self, case: Case, told: Mapping[str, float] | None = None) -> dict[str, Any]:
        """The run with the median F1, and the range of F1. `told` stands in for what the run itself
        tells of the data."""
        figures = sorted(
            (f for f, _ in self.runs if "f1" in f), key=lambda f: (f["f1"], f.get("pr_auc", 0.0))
        )
        if not figures:
            raise LogwrightError(
                f"{case.name}: no test part holds anything abnormal, so there is nothing to find"
            )
        middle = {**figures[(len(figures) - 1) // 2], **(told or {})}
        asks = isinstance(self.method, Asking)
        return ordered(
            {
                **case.common,
                "table": "questions asked" if asks else _TABLE[self.method.needs],
                "method": self.method.name,
                "labels_used": _USED[self.method.needs],
                "llm_calls": 0,
                "llm_cost": 0,
                "offsets": len(self.offsets),
                "seeds": len(self.seeds),
                **middle,
                "f1_low": figures[0]["f1"],
                "f1_high": figures[-1]["f1"],
                "f1_random_split": self.random_f1,
                "stress": self.stress or None,
                "note": self._note(case, middle) or None,
            }
        )

    def _note(self, case: Case, middle: Mapping[str, Any]) -> str:
        few = middle["windows"] < _LEAST_WINDOWS
        notes = [_FEW if few else case.note, middle["note"]]
        empty = {f["offset"] for f, _ in self.runs if "f1" not in f}
        if empty:
            told = f"{len(empty)} of {len(self.offsets)} offsets"
            notes.append(f"{told} hold nothing abnormal to find: left out")
        return "; ".join(note for note in notes if note)

    def times(self) -> dict[str, float]:
        """Median seconds of learning (with the threshold) and of scoring."""
        return {
            "fit_seconds": round(median(run.fit_seconds for _, run in self.runs), 3),
            "score_seconds": round(median(run.score_seconds for _, run in self.runs), 3),
        }


Stress = Callable[[View, Make, Run], dict[str, Any]]


def rows_of(
    case: Case,
    makes: Sequence[Make],
    offsets: int,
    seeds: Sequence[int],
    stress: Stress | None,
    sink: Predictions,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A row per method, in their order, and their seconds."""
    every = [(make, Gathered(make())) for make in makes]
    for at, split in enumerate(splits(case.series, offsets)):
        view = View(split)
        for make, one in every:
            # The first seed comes last: its run is the one that stress is compared with.
            for seed in reversed(seeds if one.method.seeded else seeds[:1]):
                run = run_method(make, view, seed)
                one.add((case.name, split.offset, seed), view, run, sink)
            if stress is not None and not at and not isinstance(one.method, Asking):
                one.stress = stress(view, make, run)
    view = View(random_split(case.series, seeds[0]))
    for make, one in every:
        if not isinstance(one.method, Asking):  # it asks in order of time, which is lost here
            alarms = run_method(make, view, seeds[0]).alarms
            one.random_f1 = f1_of(alarms, view.split.test.truth)
    rows = [one.row(case) for _, one in every]
    return rows, {one.method.name: one.times() for _, one in every}


def described(told: Sequence[dict[str, float]]) -> dict[str, float]:
    """What a table tells of the data: medians over offsets.

    >>> described([{"windows": 3, "positive_rate": 0.25}, {"windows": 4, "positive_rate": 0.5}])
    {'windows': 3, 'positive_rate': 0.375}
    """
    middle = {key: median(one[key] for one in told) for key in told[0]}
    return {k: int(v) if k in _NUMBERS else round(v, 4) for k, v in middle.items()}
