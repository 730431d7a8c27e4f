"""Detection suites: every method on one set, at every offset and seed, in the tables it belongs to.

`hdfs`, `bgl-raw`, `bgl-windows` and `hadoop` read the layout of the data folder; `log` is a user's
own labelled log.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from logwright.bench import published
from logwright.bench.datasets import Dataset, check_session, of_files, open_dataset
from logwright.bench.drain import drained
from logwright.bench.fitted import BUDGET
from logwright.bench.frozen import apart, frozen_rows
from logwright.bench.hdfs import whole_set
from logwright.bench.methods.base import Method
from logwright.bench.parts import Part, Split
from logwright.bench.predictions import Predictions
from logwright.bench.protocol import cuts
from logwright.bench.registry import METHODS, chosen, own_detector
from logwright.bench.rows import is_floor
from logwright.bench.runner import Case, ordered, rows_of
from logwright.bench.stress import Stressed, transferred
from logwright.bench.view import View
from logwright.errors import InputError, LogwrightError
from logwright.settings import load_settings

__all__ = ["METHODS", "SETS", "Options", "floors_everywhere", "run"]

SETS = {"hdfs": "hdfs", "bgl-raw": "bgl-raw", "bgl-windows": "bgl-windows20", "hadoop": "hadoop"}
"""The data set of each suite."""

_FOREIGN = {"bgl-raw": "hadoop", "bgl-windows": "hadoop", "hadoop": "bgl-raw", "log": "bgl-raw"}
_QUICK = 20_000
_QUICK_PUBLISHED, _PUBLISHED_RUNS = 2, 25


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen; `named` is the set of suite log in place of `log`, `predictions` is where
    scores of single windows are written."""

    methods: Sequence[str] = ()
    offsets: int = 5
    seeds: int = 3
    window: str | None = None
    detector: Path | None = None
    log: Path | None = None
    labels: Path | None = None
    named: str | None = None
    session: str | None = None
    train_data: Path | None = None
    test_data: Path | None = None
    stress: bool = True
    predictions: Path | None = None


def run(
    suite: str, data: Path, quick: bool = False, options: Options | None = None
) -> dict[str, Any]:
    """The rows of a suite in all its tables, their seconds under "times"."""
    options = options or Options()
    if quick:
        options = replace(options, offsets=min(options.offsets, 2), seeds=1)
    _check(suite, options)
    most = _QUICK if quick else None
    settings: dict[str, Any] = {
        "budget": BUDGET,
        "offsets": options.offsets,
        "seeds": options.seeds,
        "methods": list(options.methods) or "all but the deep ones",
        "quick": quick,
    }
    if options.session is not None:
        settings["session"] = options.session
    rows: list[dict[str, Any]] = []
    times: dict[str, Any] = {}
    summary: dict[str, Any] = {}
    with Predictions(options.predictions) as sink:
        if options.train_data is not None and options.test_data is not None:
            # Frozen once: there are no offsets to choose from.
            del settings["offsets"]
            train, test = (
                _opened(suite, folder, most, options)
                for folder in (options.train_data, options.test_data)
            )
            apart(train, test)
            makes = _makes(train, options)
            for window in _windows(train, quick, options):
                found, digest = frozen_rows(train, test, window, makes, options.seeds, sink)
                rows += found
                summary[f"frozen {window}"] = digest
            told = f"learned on {train.lines} of one folder, scored on {test.lines} of another"
        else:
            dataset = _opened(suite, data, most, options)
            makes = _makes(dataset, options)
            for window in _windows(dataset, quick, options):
                series = dataset.series(window)
                case = Case(dataset.name, dataset.lines, dataset.grouping, window, series)
                stress = _stress(suite, case, dataset, data, options) if options.stress else None
                seeds = list(range(options.seeds))
                found, times[f"{dataset.name} {window}"] = rows_of(
                    case, makes, options.offsets, seeds, stress, sink
                )
                rows += found
            told = f"{dataset.title}: {dataset.lines}"
            if suite == "hdfs" and not options.methods and options.detector is None:
                rows, summary = _with_whole_set(rows, data, quick, dataset)
    rows = floors_everywhere(rows)
    return {
        "data": f"{told}, in order of time",
        "settings": settings,
        "rows": rows,
        "summary": {**_best(rows), **summary},
        "times": times,
    }


def _check(suite: str, options: Options) -> None:
    """`LogwrightError` where options do not go together, rather than leave one of them out."""
    if (options.train_data is None) != (options.test_data is None):
        raise LogwrightError("--train-data and --test-data go together: one learns, one is scored")
    of_log = {
        "--log": options.log,
        "--labels": options.labels,
        "--set": options.named,
        "--session": options.session,
    }
    given = [name for name, value in of_log.items() if value is not None]
    if suite != "log":
        if given:
            raise LogwrightError(f"{given[0]} is for suite log: suite {suite} has a set of its own")
    elif options.named is None and options.log is None:
        raise LogwrightError("suite log takes --log FILE, with --labels FILE, or --set NAME")
    elif options.named is not None and len(given) > 1:
        raise LogwrightError(f"--set {options.named} is whole: {given[0]} does not go with it")
    elif options.log is not None and options.train_data is not None:
        raise LogwrightError(
            f"--log {options.log} is one log, --train-data and --test-data take two: add one to "
            "each folder with 'logwright data add', and name it with --set"
        )


def _opened(suite: str, data: Path, most: int | None, options: Options) -> Dataset:
    if options.log is None:
        return open_dataset(options.named or SETS[suite], data, most)
    settings = load_settings(session=options.session)
    dataset = of_files(options.log, options.labels, settings, most)
    check_session(options.session, dataset)
    return dataset


def _windows(dataset: Dataset, quick: bool, options: Options) -> Sequence[str]:
    if options.window is not None:
        return [options.window]
    return dataset.windows[:1] if quick else dataset.windows


def _makes(dataset: Dataset, options: Options) -> list[Callable[[], Method]]:
    texts = not isinstance(dataset.held, Part) or dataset.texts is not None
    if options.detector is not None:
        own = own_detector(options.detector)
        floors: list[Callable[[], Method]] = [
            method for method in METHODS if method.floor and (texts or not method.texts)
        ]
        some = chosen(options.methods, texts) if options.methods else floors
        return [*some, own]
    return chosen(options.methods, texts)


def _stress(suite: str, case: Case, dataset: Dataset, data: Path, options: Options) -> Stressed:
    """What is tried at the first offset; the set of another system where the folder holds it."""
    split = case.series.split(next(cuts(case.series, options.offsets)))
    others: dict[str, View] = {}
    if not isinstance(dataset.held, Part) and importlib.util.find_spec("drain3") is not None:
        others["templates of Drain3"] = View(drained(split, dataset.held))
    foreign: dict[str, View] = {}
    if split.texts is not None and (other := _foreign(suite, data, dataset.name)) is not None:
        foreign[f"learned here, tested on {other[0]}"] = View(
            transferred(split, other[1].test, other[1].vocabulary, list(other[1].texts or ()))
        )
    return Stressed.of(split, others, foreign, seed=0)


def _foreign(suite: str, data: Path, name: str) -> tuple[str, Split] | None:
    if suite not in _FOREIGN:
        return None
    # The sets of BGL overlap: none is foreign to another.
    foreign = "hadoop" if name.startswith("bgl") else _FOREIGN[suite]
    try:
        other = open_dataset(foreign, data, _QUICK)
    except InputError:
        return None  # the folder need not hold other systems
    series = other.series()
    return other.name, series.split(next(cuts(series, 1)))


def _with_whole_set(
    rows: list[dict[str, Any]], data: Path, quick: bool, dataset: Dataset
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """With the rows of single histories that the README tells, and those of the published
    protocol."""
    whole, summary = whole_set(data, quick)
    assert isinstance(dataset.held, Part)
    runs = _QUICK_PUBLISHED if quick else _PUBLISHED_RUNS
    return [
        *rows,
        *(ordered(row) for row in published.rows(dataset.held.truth, dataset.held.windows, runs)),
        *whole,
    ], summary


def floors_everywhere(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The floors of a set and window also in its other tables, before the rows there."""
    rows = list(rows)
    out = list(rows)
    for table in ("questions asked", "labels"):
        held = {(row["set"], row["window"]) for row in rows if row["table"] == table}
        out += [
            {**row, "table": table}
            for row in rows
            if row["table"] == "no labels" and is_floor(row) and (row["set"], row["window"]) in held
        ]
    order = ("no labels", "questions asked", "labels", published.TABLE, "whole set")
    return sorted(out, key=lambda row: (order.index(row["table"]), not is_floor(row)))


def _best(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The method with the best median F1 of each table, by set and window; floors are none."""
    best: dict[str, tuple[float, str]] = {}
    for row in rows:
        if "offsets" not in row or row["table"] == published.TABLE or is_floor(row):
            continue
        key = f"best of {row['table']}, {row['set']} {row['window']}"
        if key not in best or row["f1"] > best[key][0]:
            best[key] = row["f1"], row["method"]
    return {key: f"{method}, F1 {f1}" for key, (f1, method) in best.items()}
