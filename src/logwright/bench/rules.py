"""Rules: how well induced rules detect, alone and with an expert above them, and how fast they are.

Detection is in order of time, with the labels of history; the last part of history is the rules'
own validation slice. What is not of rules is the runner's: the guard, what a row tells of the data,
its figures. The floors stand in each table, and a decision tree learns from the same labels.
`bench.rules_classes` tells classes of whole runs, `bench.rules_speed` measures rates, and
`bench.rules_bars` says what was aimed at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from logwright.bench import rules_classes, rules_speed
from logwright.bench.datasets import Dataset, open_dataset
from logwright.bench.detection import floors_everywhere
from logwright.bench.fitted import Fitted, Make
from logwright.bench.kinds import kinds_in_both, without
from logwright.bench.labelled import LabelledLines
from logwright.bench.methods.ours import AskOnce
from logwright.bench.methods.rules import CHECK, InducedRules
from logwright.bench.methods.rules_asked import RulesAsked
from logwright.bench.methods.tree import DecisionTree
from logwright.bench.predictions import Predictions
from logwright.bench.protocol import Cut, Series
from logwright.bench.registry import METHODS
from logwright.bench.rules_bars import bars
from logwright.bench.runner import Case, Gathered
from logwright.bench.series import Lines
from logwright.bench.view import View

__all__ = ["run"]

_CUTS, _SHARE = (0.4, 0.5, 0.6, 0.7), 0.6
_RAW, _RAW_WINDOW, _RAW_SHARE, _RAW_CHECK = "bgl-raw", "100", 0.7, 1 / 7
_SEEDS = 3
_QUICK = 20_000
_NOWHERE = Predictions(None)


def run(data: Path, quick: bool = False, predictions: Path | None = None) -> dict[str, Any]:
    """Rows per set, history and method; those of classes; rates.

    Args:
        data: The folder of the data sets.
        quick: The first windows of each set, one history, no recipe chosen, few lines.
        predictions: Where the decision on each window is written, if anywhere.
    """
    with Predictions(predictions) as sink:
        suite = _Suite(sink)
        suite.alerts(open_dataset(_RAW, data), quick)
        most = _QUICK if quick else None
        suite.months(open_dataset("bgl-windows20", data, most), [_SHARE] if quick else _CUTS)
        suite.sessions(open_dataset("hdfs", data, most))
    classes = rules_classes.run(data, quick)
    found = floors_everywhere([*suite.rows, *_of_classes(classes)])
    found += rules_speed.rows(data, quick)
    aimed = bars(found)
    told: dict[str, list[str]] = {}
    for bar in aimed:
        told.setdefault(bar.of, []).append(bar.told)
    return {
        "data": "; ".join([*suite.data, classes["data"]])
        + "; in order of time, the classes of applications by leaving one out",
        "settings": {"seeds": 1 if quick else _SEEDS, "quick": quick},
        "rows": found,
        "times": suite.times,
        "summary": {
            **{bar.key: bar.value for bar in aimed},
            "bars": told,
            "hadoop": _beside_siblings(classes),
            "what the rules say": suite.said,
        },
    }


class _Suite:
    """The rows of detection so far, with their seconds, and what rules say in words."""

    def __init__(self, sink: Predictions) -> None:
        self.rows: list[dict[str, Any]] = []
        self.times: dict[str, Any] = {}
        self.said: dict[str, list[str]] = {}
        self.data: list[str] = []
        self._sink = sink

    def alerts(self, dataset: Dataset, quick: bool) -> None:
        """The raw log, also without each kind of alert in turn."""
        assert isinstance(dataset.held, LabelledLines)
        lines = dataset.held
        end = int(len(lines) * _RAW_SHARE)
        kinds = kinds_in_both(lines, end)
        others = sorted({lines.kinds[k] for k in np.unique(lines.kind[:end])} - {"", *kinds})
        note = (
            "the last tenth of the set in history is the validation slice; of kinds of alerts in "
            f"history the later part holds {', '.join(kinds)}, and not {', '.join(others)}"
        )
        rules = partial(InducedRules, _RAW_CHECK)
        makes: list[Make] = [
            *_compared(texts=True),
            partial(InducedRules, _RAW_CHECK, words=False),
            rules,
            *_asked(_RAW_CHECK),
        ]
        case = _case(dataset, dataset.series(_RAW_WINDOW), _RAW_WINDOW, note)
        self._judge(case, end, "60 % + 10 %", makes, tell=True)
        self.data.append(f"{dataset.title}: {dataset.lines}")
        for kind in kinds[: 1 if quick else None]:
            held = without(lines, end, _RAW_WINDOW, kind)
            one = replace(case, series=Lines(held.lines, _RAW_WINDOW))
            makes = [*_floors(texts=True), rules, *_asked(_RAW_CHECK)]
            self._judge(one, held.end, f"60 % + 10 %, without {kind}", makes)

    def months(self, dataset: Dataset, shares: Sequence[float]) -> None:
        """Windows over months, at several lengths of history."""
        window = dataset.windows[0]
        case = _case(dataset, dataset.series(window), window)
        self.data.append(f"{dataset.title}: {dataset.lines}")
        makes: list[Make] = [
            *_compared(texts=True),
            partial(InducedRules, words=False),
            InducedRules,
            *_asked(CHECK),
        ]
        for share in shares:
            end = int(len(case.series) * share)
            self._judge(case, end, f"{share:.0%}", makes, tell=share == _SHARE)

    def sessions(self, dataset: Dataset) -> None:
        """Sessions, which have no texts."""
        window = dataset.windows[0]
        case = _case(dataset, dataset.series(window), window)
        self.data.append(f"{dataset.title}: {dataset.lines}")
        makes: list[Make] = [*_compared(texts=False), InducedRules]
        self._judge(case, int(len(case.series) * _SHARE), f"{_SHARE:.0%}", makes)

    def _judge(
        self, case: Case, end: int, history: str, makes: Sequence[Make], tell: bool = False
    ) -> None:
        """A row per method: what comes before `end` is history, what follows a gap is judged; with
        `tell`, what the rules say."""
        view = View(_split(case, end))
        times: dict[str, Any] = {}
        for make in makes:
            one = Gathered(make())
            for seed in range(_SEEDS if one.method.seeded else 1):
                fitted = Fitted.of(make, view, seed)
                test = view.of(fitted.method.needs)[2].test
                result = fitted.run(test)
                one.add((case.name, 0.0, seed), view, result, _NOWHERE)
                of = f"{case.name}, history {history}", one.method.name, 0.0, seed
                self._sink.add(of, view.split.test, result.scores, result.alarms)
            row = {**one.row(case), "history": history, **_size(fitted.method)}
            self.rows.append(row)
            times[one.method.name] = one.times()
            if tell and isinstance(fitted.method, InducedRules):
                self.said[f"{case.name}, history {history}"] = fitted.method.told
        self.times[f"{case.name}, history {history}"] = times


def _case(dataset: Dataset, series: Series, window: str, note: str = "") -> Case:
    return Case(dataset.name, dataset.lines, dataset.grouping, window, series, note)


def _split(case: Case, end: int) -> Any:
    """History is all before `end`; a method that needs a validation slice takes it from there."""
    n, after = len(case.series), case.series.after_gap(end)
    return case.series.split(Cut(0.0, slice(0, end), slice(end, end), slice(after, n)))


def _floors(texts: bool) -> list[Make]:
    return [method for method in METHODS if method.floor and (texts or not method.texts)]


def _compared(texts: bool) -> list[Make]:
    """The floors, and who learns from the same labels."""
    return [*_floors(texts), DecisionTree]


def _asked(check: float) -> list[Make]:
    """An expert who answers, without rules and with them."""
    asked = [
        AskOnce,
        partial(RulesAsked, check, rules=False),
        partial(RulesAsked, check),
    ]
    return cast(list[Make], asked)


def _size(method: object) -> dict[str, int]:
    """How much there is to read."""
    if isinstance(method, RulesAsked):
        method = method.rules
    if isinstance(method, InducedRules):
        return {"rules": len(method.drafts)}
    return {"leaves": method.leaves} if isinstance(method, DecisionTree) else {}


def _beside_siblings(result: dict[str, Any]) -> str:
    """How far the classes are told by which applications were started together."""
    by = {(row["left_out"], row["method"]): row["accuracy"] for row in result["rows"]}
    one, start = "application", "cluster start"
    return (
        f"without any log, the commonest class of the other applications of the same cluster start "
        f"is right for {by[one, 'floor: commonest class of the cluster start']:.3f}, rules for "
        f"{by[one, 'rules']:.3f}; with the whole cluster start left out, rules are right for "
        f"{by[start, 'rules']:.3f}, the commonest class for "
        f"{by[start, 'floor: commonest class']:.3f}"
    )


def _of_classes(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of classes, with the header of the others."""
    for row in result["rows"]:
        out, classes = row["left_out"], row["classes"]
        normal = classes.get("normal", 0)
        rest = {k: v for k, v in row.items() if k not in ("left_out", "case", "classes")}
        told = {
            f"{true} as {said}": number
            for true, found in row["confusion"].items()
            for said, number in found.items()
        }
        yield {
            **rest,
            "confusion": told,
            "lines": result["data"].split(": ", 1)[1],
            "history": f"all but one {out}",
            "positive_rate": round(1 - normal / row["windows"], 4),
            "labels_used": "all",
            "questions": 0,
            "llm_calls": 0,
            "llm_cost": 0,
            "classes": len(classes),
        }
