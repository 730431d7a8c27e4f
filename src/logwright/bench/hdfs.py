"""The whole HDFS set in time order: learn on early normal sessions, judge all later ones.

Learn on the normal sessions of the first part of the set, calibrate on the normal sessions of the
next 10 %, test on the rest (no gap is needed: sessions do not overlap rows). Labels choose the
normal sessions of history and score the result, nothing else. Beside the ladder stand the floors
(flag all, flag none) and each unit alone.
"""

from __future__ import annotations

import io
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logwright.detectors.counts import UNITS, Counts
from logwright.detectors.ladder import Budget
from logwright.detectors.learner import CHECK_SHARE, Learner
from logwright.detectors.unseen import Unseen
from logwright.errors import InputError
from logwright.settings import Settings
from logwright.templates.template import Template
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.window import Windows

__all__ = ["EventIds", "counts_of", "read", "whole_set"]

_FILE = "hdfs/hdfs_sequences.tsv.zst"
_CALIBRATION = 0.1


def read(path: Path, most: int | None = None) -> tuple[NDArray[np.bool_], list[list[int]]]:
    """Labels and event ids of a set of sequences: a head line, then label, tab, ids by space. The
    first `most` of them, if given."""
    if not path.is_file():
        raise InputError(f"{path} is not there: name the folder of the data sets with --data")
    raw = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
    labels, sequences = [], []
    with io.TextIOWrapper(raw, "utf-8") as lines:
        next(lines)
        for line in islice(lines, most):
            label, events = line.rstrip("\n").split("\t")
            labels.append(label != "0")
            sequences.append([int(e) for e in events.split()])
    return np.array(labels), sequences


class EventIds(Vocabulary):
    """A vocabulary of bare event ids."""

    def __init__(self, size: int) -> None:
        ids = np.arange(1, size + 1, dtype=np.uint64)
        self._hash = ids * np.uint64(0x9E3779B97F4A7C15)
        self.templates = [Template([bytes(16)], lines=((b"event",),))] * size

    def __len__(self) -> int:
        return len(self._hash)

    @property
    def hashes(self) -> NDArray[np.uint64]:
        return self._hash


def counts_of(alarms: NDArray[np.bool_], truth: NDArray[np.bool_]) -> dict[str, Any]:
    """Precision, recall, F1, specificity and alarms per 10,000 windows, from counts.

    >>> counts_of(np.array([True, False]), np.array([True, True]))["f1"]
    0.6667
    """
    tp = int((alarms & truth).sum())
    fp, fn = int((alarms & ~truth).sum()), int((~alarms & truth).sum())
    tn = len(truth) - tp - fp - fn

    def share(a: int, b: int) -> float:
        return round(a / b, 4) if b else 0.0

    return {
        "tp": tp,
        "fp": fp,
        "fn": fn,
        "tn": tn,
        "precision": share(tp, tp + fp),
        "recall": share(tp, tp + fn),
        "f1": share(2 * tp, 2 * tp + fp + fn),
        "specificity": share(tn, tn + fp),
        "alarms_per_10k": round(1e4 * (tp + fp) / len(truth), 1) if len(truth) else 0.0,
    }


def whole_set(data: Path, quick: bool = False) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Rows per history length and method, and what the README tells of them."""
    labels, sequences = read(data / _FILE, 60_000 if quick else None)
    windows = Windows.of_sequences(sequences)
    vocabulary = EventIds(int(windows.events.template.max()) + 1)
    settings = Settings()
    rows: list[dict[str, Any]] = []
    ladders: dict[str, list[str]] = {}
    for history in (0.6, 0.01):
        rows += _one(windows, labels, vocabulary, history, settings, ladders)
    summary: dict[str, Any] = {}
    for row in rows:
        if row["method"] == "ladder (default)":
            summary[f"f1_{row['history']}"] = row["f1"]
    summary["ladder"] = ladders
    return rows, summary


def _one(
    windows: Windows,
    labels: NDArray[np.bool_],
    vocabulary: Vocabulary,
    history: float,
    settings: Settings,
    ladders: dict[str, list[str]],
) -> list[dict[str, Any]]:
    n = len(labels)
    at = np.arange(n)
    cut, end = int(n * history), int(n * (history + _CALIBRATION))
    past = windows.select((at < cut) & ~labels)
    calibration = windows.select((at >= cut) & (at < end) & ~labels)
    test, truth = windows.select(at >= end), labels[end:]
    learner = Learner("session", 0, vocabulary, Budget(settings.budget))
    first = np.arange(len(past)) < int(len(past) * (1 - CHECK_SHARE))
    for part, checking in ((past.select(first), False), (past.select(~first), True)):
        learner.see(part.events, checking)
        (learner.check if checking else learner.learn)(part)
    name = f"{history:.0%}"
    common = {
        "table": "whole set",
        "set": "hdfs",
        "lines": f"blocks 1-{n:,}",
        "grouping": "block",
        "window": "session",
        "history": name,
        "labels_used": "normal windows chosen",
        "questions": 0,
        "llm_calls": 0,
        "llm_cost": 0,
        "sessions_learned": len(past),
        "windows": len(truth),
    }
    rows = []
    for basis, slice_ in (("", calibration), (", history alone", None)):
        ladder = learner.finish(slice_)
        alarms = np.zeros(len(truth), bool)
        for rung in ladder.rungs:
            alarms |= rung.threshold.alarms(rung.detector.score(test, vocabulary))
        ladders[name + basis] = ladder.reasons
        method = f"ladder ({'default' if not basis else 'no calibration slice'})"
        rows.append({**common, "method": method, **counts_of(alarms, truth)})
    for label, alarms in (
        ("flag all", np.ones(len(truth), bool)),
        ("flag none", np.zeros(len(truth), bool)),
    ):
        rows.append({**common, "method": label, **counts_of(alarms, truth)})
    for unit in UNITS:
        detector = Counts(unit)
        detector.fit(past, vocabulary)
        alarms = detector.score(test, vocabulary) >= 1.0
        rows.append({**common, "method": f"counts: {unit}", **counts_of(alarms, truth)})
    for kind in ("template", "bigram"):
        unseen = Unseen("bigram" if kind == "bigram" else "template")
        unseen.fit(past, vocabulary)
        alarms = unseen.score(test, vocabulary) > 0
        rows.append({**common, "method": f"unseen: {kind}", **counts_of(alarms, truth)})
    seen = Counts("count_vector")
    known = set(seen.keys(past, vocabulary).tolist())
    keys = seen.keys(test, vocabulary)
    for row in rows:
        row["test_seen_in_train"] = round(float(np.isin(keys, list(known)).mean()), 4)
        row["positive_rate"] = round(float(truth.mean()), 4)
        row["distinct_windows"] = len(np.unique(keys))
    return rows
