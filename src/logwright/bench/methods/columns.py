"""Columns: count vectors as the classical peers see them, with one last column for what is new."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.bench.parts import Counted, Train
from logwright.detectors.base import Floats
from logwright.errors import MissingExtraError
from logwright.logs.batch import Int64s
from logwright.windows.window import Windows

__all__ = ["counted", "idf", "labelled", "learner", "probability"]


def counted(windows: Windows, known: int) -> Counted:
    """Distinct count vectors over the `known` templates, and one column for all others together.

    >>> counted(Windows.of_sequences([[0, 1], [0, 7, 9]]), 2).matrix.tolist()
    [[1, 1, 0], [1, 0, 2]]
    """
    events = replace(windows.events, template=np.minimum(windows.events.template, known))
    return Counted.of(replace(windows, events=events, _counts=None), known + 1)


def idf(history: Counted) -> Floats:
    """log(windows / windows with the template); what no window has counts as if one had it.

    >>> idf(counted(Windows.of_sequences([[0], [0, 1]]), 2)).round(3).tolist()
    [0.0, 0.693, 0.693]
    """
    having = history.times @ (history.matrix > 0)
    scale: Floats = np.log(history.times.sum() / np.maximum(having, 1))
    return scale


def labelled(train: Train) -> tuple[Int64s, NDArray[np.bool_], Int64s]:
    """Distinct (count vector, label) pairs of history and how often each comes: a learner that
    takes weights learns from them what it would learn from all windows."""
    assert train.truth is not None, "this method learns from labels"
    history = counted(train.windows, train.known)
    rows = len(history.times)
    abnormal = np.bincount(history.inverse, weights=train.truth, minlength=rows).astype(np.int64)
    normal = history.times - abnormal
    at = np.concatenate((np.flatnonzero(normal), np.flatnonzero(abnormal)))
    truth = np.arange(len(at)) >= np.count_nonzero(normal)
    return history.matrix[at], truth, np.where(truth, abnormal[at], normal[at])


def probability(model: Any, matrix: NDArray[Any]) -> Floats:
    """The probability of "abnormal" by a fitted classifier, which may have seen one class only."""
    of_class: Floats = model.predict_proba(matrix)
    classes = list(model.classes_)
    return of_class[:, classes.index(True)] if True in classes else np.zeros(len(matrix))


def learner(module: str, name: str) -> Any:
    """A class of scikit-learn, which only the benchmark needs."""
    try:
        return getattr(import_module(f"sklearn.{module}"), name)
    except ImportError:
        raise MissingExtraError("bench", "scikit-learn") from None
