"""Metrics: what alarms and scores are worth against labels, all computed from counts.

A figure that cannot be computed is left out rather than set to 0: no PR-AUC without a positive, no
seconds without times; nothing to find has no precision, recall or F1, and nothing normal no
specificity. Where there is something to find, precision without an alarm is 0, as F1 is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.bench.parts import Bools, Part
from logwright.detectors.base import Floats
from logwright.errors import LogwrightError
from logwright.logs.batch import NO_TIME

__all__ = [
    "Tally",
    "Triple",
    "average_precision",
    "f1_of",
    "first_alarms",
    "interval",
    "measured",
]

_DIGITS = 4
_ROUNDS = 1_000
_DAY = 86_400e9


@dataclass(frozen=True, slots=True)
class Triple:
    """Precision, recall and F1 that can belong together, each rounded to `digits` places. Tables
    copied from papers hold rows that cannot: those are refused.

    >>> Triple(0.5, 1.0, 0.6667).f1
    0.6667
    >>> Triple(0.886, 0.893, 0.966, digits=3)
    Traceback (most recent call last):
    ...
    logwright.errors.LogwrightError: precision 0.886 and recall 0.893 make F1 0.889, not 0.966
    """

    precision: float
    recall: float
    f1: float
    digits: int = _DIGITS

    def __post_init__(self) -> None:
        for value in (self.precision, self.recall, self.f1):
            if not 0.0 <= value <= 1.0:
                raise LogwrightError(f"{value} is no precision, recall or F1: these are 0 to 1")
        # F1 grows with both, so the extremes of what was rounded bound it.
        half = 0.5000001 * 10.0**-self.digits
        low = harmonic(max(self.precision - half, 0.0), max(self.recall - half, 0.0)) - half
        high = harmonic(min(self.precision + half, 1.0), min(self.recall + half, 1.0)) + half
        if not low <= self.f1 <= high:
            true = round(harmonic(self.precision, self.recall), self.digits)
            raise LogwrightError(
                f"precision {self.precision} and recall {self.recall} make F1 {true}, not {self.f1}"
            )


def harmonic(precision: float, recall: float) -> float:
    """F1 of a precision and a recall."""
    total = precision + recall
    return 2.0 * precision * recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Tally:
    """Windows by alarm and truth."""

    tp: int
    fp: int
    fn: int
    tn: int

    @staticmethod
    def of(alarms: Bools, truth: Bools) -> Tally:
        """Counted.

        >>> Tally.of(np.array([True, False]), np.array([True, True]))
        Tally(tp=1, fp=0, fn=1, tn=0)
        """
        tp = int(np.count_nonzero(alarms & truth))
        alarmed, true = int(np.count_nonzero(alarms)), int(np.count_nonzero(truth))
        return Tally(tp, alarmed - tp, true - tp, len(truth) - alarmed - true + tp)

    @property
    def windows(self) -> int:
        """All windows."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def precision(self) -> float:
        """True ones among the alarms."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        """Alarms among the true ones."""
        return _share(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float:
        """From the counts, not from rounded shares."""
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def specificity(self) -> float:
        """Silent ones among the normal."""
        return _share(self.tn, self.tn + self.fp)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def f1_of(alarms: Bools, truth: Bools) -> float | None:
    """F1 as it stands in a row; None where there is nothing to find.

    >>> f1_of(np.array([True, False]), np.array([True, True]))
    0.6667
    >>> f1_of(np.array([True, False]), np.array([False, False]))
    """
    return round(Tally.of(alarms, truth).f1, _DIGITS) if truth.any() else None


def average_precision(scores: Floats, truth: Bools) -> float | None:
    """The area under the precision-recall curve in steps; equal scores are one step, so that their
    order counts for nothing. None without a positive.

    >>> average_precision(np.array([3.0, 2.0, 1.0]), np.array([True, False, True]))
    0.8333333333333333
    >>> average_precision(np.zeros(4), np.array([True, False, False, False]))
    0.25
    """
    positives = int(np.count_nonzero(truth))
    if not positives:
        return None
    values, inverse = np.unique(-scores, return_inverse=True)
    true = np.cumsum(np.bincount(inverse[truth], minlength=len(values)))
    alarms = np.cumsum(np.bincount(inverse, minlength=len(values)))
    steps = np.diff(true, prepend=0) / positives
    return float(np.sum(steps * true / alarms))


def interval(tally: Tally, seed: int = 0, rounds: int = _ROUNDS) -> tuple[float, float]:
    """The 95 % bootstrap interval of F1. Drawing windows with replacement is drawing the four
    counts, so it costs the same for a thousand windows and for a million.

    >>> low, high = interval(Tally(90, 10, 10, 890))
    >>> low < 0.9 < high
    True
    """
    if not tally.windows:
        return 0.0, 0.0
    cells = np.array([tally.tp, tally.fp, tally.fn, tally.tn], float) / tally.windows
    drawn = np.random.default_rng(seed).multinomial(tally.windows, cells, size=rounds)
    tp, wrong = drawn[:, 0], drawn[:, 1] + drawn[:, 2]
    f1 = np.divide(2 * tp, 2 * tp + wrong, out=np.zeros(rounds), where=(2 * tp + wrong) > 0)
    low, high = np.quantile(f1, [0.025, 0.975])
    return float(low), float(high)


def recall_by_kind(alarms: Bools, part: Part) -> dict[str, float]:
    """Recall of each kind of anomaly, kinds by name."""
    if part.kinds is None:
        return {}
    kinds = np.array(part.kinds, dtype=object)
    names = sorted({str(k) for k in kinds[part.truth]} - {""})
    return {
        name: round(float(alarms[part.truth & (kinds == name)].mean()), _DIGITS) for name in names
    }


def first_alarms(alarms: Bools, part: Part) -> tuple[float | None, float | None]:
    """Median lines and seconds from the start of an anomaly to its first alarm, over those found.

    An anomaly is an abnormal session, or a run of abnormal windows that follow one another. It
    starts with its first abnormal line, or with its first window's first line where only windows
    have labels. A window is judged when it closes, so its alarm comes with its last line.

    >>> from logwright.windows.window import Windows
    >>> w = Windows.of_sequences([[0], [1, 1], [1, 1], [0]], "count")
    >>> part = Part(w, np.array([False, True, True, False]))
    >>> first_alarms(np.array([False, False, True, False]), part)
    (4.0, None)
    """
    windows, truth = part.windows, part.truth
    if windows.kind == "session":
        start = np.flatnonzero(alarms & truth)
        end = start
    else:
        begins = np.flatnonzero(truth & ~np.concatenate(([False], truth[:-1])))
        hits = np.flatnonzero(alarms & truth)
        run = np.searchsorted(begins, hits, side="right") - 1
        run, first = np.unique(run, return_index=True)
        start, end = begins[run], hits[first]
    if not len(start):
        return None, None
    line = windows.bounds[start]
    if part.marks is not None:
        marked = np.flatnonzero(part.marks.truth)
        line = marked[np.searchsorted(marked, line)]
    lines = windows.bounds[end + 1] - line
    times = windows.events.ts
    if not len(times) or bool((times == NO_TIME).all()):
        return float(np.median(lines)), None
    ends = [windows.first_last(b)[1] for b in end.tolist()]
    if part.marks is not None:
        begins_at = times[line].tolist()
    else:
        begins_at = [windows.first_last(a)[0] for a in start.tolist()]
    seconds = [(b - a) / 1e9 for a, b in zip(begins_at, ends, strict=True) if NO_TIME not in (a, b)]
    return float(np.median(lines)), float(np.median(seconds)) if seconds else None


def measured(
    scores: Floats, alarms: Bools, part: Part, distinct: NDArray[np.intp], seed: int = 0
) -> dict[str, Any]:
    """Every figure of a row that comes from one run. `distinct` is one window for each that
    differs from all others."""
    tally = Tally.of(alarms, part.truth)
    lines, seconds = first_alarms(alarms, part)
    every = {
        **_triple(tally, seed),
        "specificity": tally.specificity if tally.tn + tally.fp else None,
        "pr_auc": average_precision(scores, part.truth),
        **_rate(tally, part),
        "recall_by_kind": recall_by_kind(alarms, part) or None,
        "lines_to_first_alarm": lines,
        "seconds_to_first_alarm": seconds,
        "f1_distinct": f1_of(alarms[distinct], part.truth[distinct]),
        "f1_corrected": None if part.corrected is None else f1_of(alarms, part.corrected),
    }
    return {
        key: round(value, _DIGITS) if isinstance(value, float) else value
        for key, value in every.items()
        if value is not None
    }


def _triple(tally: Tally, seed: int) -> dict[str, float]:
    """Precision, recall and F1 with its interval, where there is something to find."""
    if not tally.tp + tally.fn:
        return {}
    triple = Triple(*np.round([tally.precision, tally.recall, tally.f1], _DIGITS).tolist())
    low, high = interval(tally, seed)
    return {
        "precision": triple.precision,
        "recall": triple.recall,
        "f1": triple.f1,
        "f1_ci_low": low,
        "f1_ci_high": high,
    }


def _rate(tally: Tally, part: Part) -> dict[str, float]:
    """Alarms, true ones too, per day where there is time, else per 10,000 windows."""
    times = part.windows.events.ts
    times = times[times != NO_TIME]
    alarms = tally.tp + tally.fp
    span = float(times.max() - times.min()) if len(times) else 0.0
    if span:
        return {"alarms_per_day": alarms * _DAY / span}
    return {"alarms_per_10k": _share(10_000 * alarms, tally.windows)}
