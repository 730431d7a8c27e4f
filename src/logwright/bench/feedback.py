"""Ask once: questions asked and F1 reached, on HDFS sessions and on BGL windows of 20 lines.

Both sets in order of time, with the same default settings: history is the first part, normal
windows only (labels choose them); the unit to ask about is chosen by the product from history; from
then on an expert answers by the true labels (`bench.asking`). Rows also tell what happens with
wrong, late, few or no answers, without the templates' texts, and for other lengths of history.

What is not of asking is the runner's: the guard, what a row tells of the data, its figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from logwright.bench.asking import Expert, Part, ask
from logwright.bench.cost import costs
from logwright.bench.datasets import open_dataset
from logwright.bench.detection import floors_everywhere
from logwright.bench.fitted import Fitted, Make
from logwright.bench.methods.ours import Judged
from logwright.bench.metrics import f1_of
from logwright.bench.parts import Bools, Split
from logwright.bench.policies import Policy, RareLately
from logwright.bench.predictions import Predictions
from logwright.bench.protocol import Cut, Series
from logwright.bench.registry import METHODS
from logwright.bench.runner import Case, Gathered
from logwright.bench.view import View
from logwright.settings import Settings
from logwright.templates.wording import words

__all__ = ["run"]

_CURVE = (0, 1, 2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 100, 150)
_SEEDS = 5
_AGAIN = 100
_QUICK = 20_000
_AT_ONCE, _NOBODY = "judge: ask once", Judged().name
_NOWHERE = Predictions(None)


@dataclass(frozen=True, slots=True)
class _Set:
    """A data set by its name in `bench.datasets`; `history` is the usual share of it."""

    name: str
    dataset: str
    history: float
    others: tuple[float, ...]


_SETS = (
    _Set("hdfs", "hdfs", 0.6, (0.05, 0.2, 0.4, 0.5, 0.7)),
    _Set("bgl", "bgl-windows20", 0.2, (0.1, 0.3, 0.4, 0.5, 0.6)),
)


def run(data: Path, quick: bool = False, predictions: Path | None = None) -> dict[str, Any]:
    """Rows per set and policy; curves of F1 against questions; what single words are worth.

    Args:
        data: The folder of the data sets.
        quick: The first windows of each set, and one other length of history.
        predictions: Where the decision on each window is written, if anywhere.
    """
    rows: list[dict[str, Any]] = []
    curves: dict[str, list[dict[str, Any]]] = {}
    summary: dict[str, Any] = {}
    told = []
    with Predictions(predictions) as sink:
        for each in _SETS:
            dataset = open_dataset(each.dataset, data, _QUICK if quick else None)
            window = dataset.windows[0]
            series = dataset.series(window)
            case = Case(dataset.name, dataset.lines, dataset.grouping, window, series)
            day = int(dataset.per_day or 1)
            view = View(_split(series, each.history))
            mine = list(_rows(case, view, each.history, _policies(view, day), sink))
            rows += mine
            for share in each.others[: 1 if quick else None]:
                other = View(_split(series, share))
                usual = [*_floors(other), partial(Policy, _AT_ONCE, Expert(), day), Judged]
                rows += _rows(case, other, share, cast(list[Make], usual), sink)
            sight, truth, reason = _sight(view, day)
            curves[each.name] = _curve(sight, truth, _CURVE[: 3 if quick else None])
            by = {row["method"]: row for row in mine}
            summary |= {
                f"{each.name}_f1": by[_AT_ONCE]["f1"],
                f"{each.name}_questions": by[_AT_ONCE]["questions"],
                f"{each.name}_f1_without_answers": by[_NOBODY]["f1"],
                f"{each.name}_unit": reason,
            }
            if sight.texts is not None and not quick:
                summary[f"{each.name}_words"] = _without_each_word(sight, truth)
            told.append(f"{dataset.title}: {dataset.lines}")
    return {
        "data": "; ".join(told) + "; in order of time",
        "settings": {"budget": Settings().budget, "seeds": _SEEDS, "quick": quick},
        "rows": floors_everywhere(rows),
        "curves": curves,
        "times": costs(data, quick),
        "summary": summary,
    }


def _split(series: Series, share: float) -> Split:
    """The first `share` of the windows is history, all others are judged: nothing is tuned, so no
    window is held back for validation."""
    cut, n = int(len(series) * share), len(series)
    return series.split(Cut(0.0, slice(0, cut), slice(cut, cut), slice(cut, n)))


def _floors(view: View) -> list[Make]:
    texts = view.split.texts is not None
    floors: list[Make] = [m for m in METHODS if m.floor and (texts or not m.texts)]
    return floors


def _policies(view: View, day: int) -> list[Make]:
    """Floors, experts of several kinds, and that nobody answers."""
    wrong = "judge: 10 % of answers wrong"
    again = f"{wrong}, second opinion after {_AGAIN} windows"
    experts: list[Any] = [
        partial(Policy, _AT_ONCE, Expert(), day),
        partial(Policy, "judge: answers 1,000 windows late", Expert(delay=1_000), day),
        partial(Policy, "judge: 10 answers a day", Expert(per_day=10), day),
        partial(Policy, wrong, Expert(wrong=0.1), day),
        partial(Policy, again, Expert(wrong=0.1, again=_AGAIN), day),
    ]
    if view.split.texts is not None:
        experts.append(partial(Policy, f"{_AT_ONCE}, texts not looked at", Expert(), day, False))
    return [*_floors(view), RareLately, *cast(list[Make], experts), Judged]


def _rows(
    case: Case, view: View, share: float, makes: Iterable[Make], sink: Predictions
) -> Iterator[dict[str, Any]]:
    """A row per policy; of those that draw numbers the run with the median F1."""
    history = f"{share:.0%}"
    for make in makes:
        one = Gathered(make())
        told: list[dict[str, Any]] = []
        for seed in range(_SEEDS if one.method.seeded else 1):
            fitted = Fitted.of(make, view, seed)
            test = view.of(fitted.method.needs)[2].test
            run = fitted.run(test)
            one.add((case.name, 0.0, seed), view, run, _NOWHERE)
            asked, more = _answers(fitted.method, test.truth)
            of = f"{case.name}, history {history}", one.method.name, 0.0, seed
            sink.add(of, view.split.test, run.scores, run.alarms, asked)
            told.append(one.runs[-1][0] | more)
        # As the row itself is chosen: figures of two runs would not belong together.
        middle = sorted(told, key=lambda f: (f["f1"], f["pr_auc"]))[(len(told) - 1) // 2]
        more = {key: middle[key] for key in ("f1_answered", "benign", "unit") if key in middle}
        yield {**one.row(case), "history": history, **more}


def _answers(policy: object, truth: Bools) -> tuple[Bools | None, dict[str, Any]]:
    """The windows asked about, and what a row tells of the answers; nothing of who never asks."""
    if not isinstance(policy, Policy) or policy.outcome is None:
        return None, {}
    asked = np.zeros(len(truth), bool)
    asked[policy.outcome.asked] = True
    return asked, {
        "f1_answered": round(f1_of(policy.outcome.answered, truth) or 0.0, 4),
        "benign": policy.outcome.benign,
        "unit": policy.unit,
    }


def _sight(view: View, day: int) -> tuple[Part, Bools, str]:
    """What history says of the test part, its truth, and why the unit was chosen."""
    fitted = Fitted.of(cast(Make, partial(Policy, _AT_ONCE, Expert(), day)), view, 0)
    fitted.seal.open()  # all of the test part is scored from here on
    policy = cast(Policy, fitted.method)
    test = view.of(policy.needs)[2].test
    return policy.sight(test.windows), test.truth, policy.reasons[0]


def _curve(sight: Part, truth: Bools, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """F1 by how many questions the expert answers, the first ones that are asked."""
    points = []
    for most in numbers:
        outcome = ask(sight, truth, Expert(most=most))
        f1 = round(f1_of(outcome.flagged, truth) or 0.0, 4)
        points.append({"questions": len(outcome.asked), "f1": f1})
        if len(outcome.asked) < most:
            break
    return points


def _without_each_word(sight: Part, truth: Bools) -> str:
    """How F1 without answers changes if one word of the list is unknown; the list is that of
    `templates.wording`, which is older than this measurement."""
    texts = list(sight.texts or ())
    found = sorted({word for text in texts for word in words(text)})
    results = {
        word: f1_of(ask(sight.reworded(_hide(texts, word)), truth, None).flagged, truth) or 0.0
        for word in found
    }
    low, high = min(results, key=results.__getitem__), max(results, key=results.__getitem__)
    return (
        f"F1 without answers if one of {len(found)} words were not in the list: "
        f"{results[low]:.3f} (without '{low}') to {results[high]:.3f} (without '{high}')"
    )


def _hide(texts: Iterable[str], word: str) -> list[str]:
    """Texts in which a word is spelled so that no list knows it, everywhere in the same way."""
    spelled = f"{word[0]}q{word[1:]}"
    return [re.sub(re.escape(word), spelled, text, flags=re.I) for text in texts]
