"""Classes of whole runs: induced rules beside a random forest on template counts, one left out.

39 Hadoop applications of four classes, each left out in turn: nothing is learned or chosen from it,
neither templates nor the recipe of the rules. Classes were injected cluster start by cluster start
(all full disks in one), so that an application's siblings tell its class without any log: this is
a floor here, and everything is measured again with all applications of a cluster start left out.

The intervals are of a bootstrap over applications, which does not know of siblings either: they are
too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from logwright.bench.labelled import SESSION, LabelledLines, learn_templates, windows_of
from logwright.bench.loaders.applications import read_applications
from logwright.bench.methods.columns import learner
from logwright.errors import InputError
from logwright.logs.batch import Int32s, Int64s
from logwright.logs.shapes import MASK, mask
from logwright.rules.induction.classes import (
    RECIPES,
    Columns,
    Recipe,
    apart,
    chosen,
    fitted,
    macro_f1,
)
from logwright.rules.induction.measures import Texted
from logwright.windows.window import Windows

__all__ = ["Runs", "run", "runs_of", "spread"]

Bools = NDArray[np.bool_]
Predict = Callable[[Bools], list[str]]
"""The classes of the windows for which the mask is true, learned from all others."""

_FILE = "hadoop/hadoop_apps.tar.zst"
_TREES = 100
_SEEDS = 5
_ROUNDS = 2_000
_NORMAL = "normal"


@dataclass(frozen=True, slots=True)
class Runs:
    """Whole runs as windows, each with its class and the cluster start it is of."""

    lines: LabelledLines
    windows: Windows
    kinds: tuple[str, ...]
    starts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.kinds)

    def texted(self) -> Texted:
        """The windows with the masked texts of their shapes, which say as much as the lines where
        no digit counts."""
        texts = [
            mask(content).replace(MASK, b"<*>").decode("utf-8", "surrogateescape")
            for content in self.lines.contents
        ]
        return Texted(self.windows, texts, [f"shape-{at}" for at in range(len(texts))])


def runs_of(path: Path) -> Runs:
    """The applications of a folder, or of a tar.zst of it. A cluster start is the time in the names
    of its applications: application_1445062781478_0011."""
    lines = read_applications(path)
    windows, _, kinds, _ = windows_of(lines, np.arange(len(lines)), SESSION)
    names = [lines.sessions[key] for key in windows.key.tolist()]
    starts = tuple(name.split("_")[1] for name in names)
    return Runs(lines, windows, tuple(kind or _NORMAL for kind in kinds), starts)


def run(data: Path, quick: bool = False) -> dict[str, Any]:
    """Rows per method and per what is left out. `quick`: one recipe, one forest.

    Args:
        data: The folder of the data sets.
        quick: No recipe is chosen, which takes most of the time.
    """
    path = data / _FILE
    if not path.is_file():
        raise InputError(f"{path} is not there: name the folder of the data sets with --data")
    runs = runs_of(path)
    rows = [
        *_rows(runs, "application", np.arange(len(runs)), quick),
        *_rows(runs, "cluster start", np.unique(runs.starts, return_inverse=True)[1], quick),
    ]
    by = {(row["left_out"], row["method"]): row for row in rows}
    rules, forest = by["application", "rules"], by["application", "random forest"]
    return {
        "data": f"Hadoop: {len(runs)} applications, {len(runs.lines):,} lines",
        "settings": {"trees": _TREES, "forests": 1 if quick else _SEEDS, "quick": quick},
        "rows": rows,
        "summary": {
            "applications": len(runs),
            "rules_accuracy": rules["accuracy"],
            "forest_accuracy": forest["accuracy"],
            "rules_macro_f1": rules["macro_f1"],
            "forest_macro_f1": forest["macro_f1"],
        },
    }


def _rows(runs: Runs, out: str, part: Int64s, quick: bool) -> Iterator[dict[str, Any]]:
    """A row per method; `part` numbers what is left out together."""
    forests = [_told(part, _forest(runs, seed)) for seed in range(1 if quick else _SEEDS)]
    # The forest with the median accuracy, as rows show single runs.
    forests.sort(key=lambda told: _right(runs.kinds, told))
    forest = forests[len(forests) // 2]
    picked: list[Recipe] = []
    # A column of a window is of its own lines alone. What is learned, and which columns are looked
    # at, is of the windows that are not left out.
    columns = Columns(runs.texted())
    measured = _told(part, _measured(runs, columns))
    rules = _rules(runs, columns, RECIPES[-1:] if quick else RECIPES, picked)
    found: dict[str, list[str]] = {
        "rules": _told(part, rules),
        "random forest": forest,
        "random forest on the rules' measures": measured,
        "floor: commonest class": _told(part, partial(_commonest, runs, siblings=False)),
    }
    if out == "application":
        siblings = partial(_commonest, runs, siblings=True)
        found["floor: commonest class of the cluster start"] = _told(part, siblings)
    for method, told in found.items():
        row = {
            "table": "labels",
            "set": "hadoop",
            "grouping": "application",
            "window": SESSION,
            "left_out": out,
            "case": f"one {out} left out",
            "method": method,
            "windows": len(runs),
            "classes": {name: runs.kinds.count(name) for name in sorted(set(runs.kinds))},
            **spread(runs.kinds, told, forest),
            "confusion": _confusion(runs.kinds, told),
        }
        if method == "rules":
            names = [f"{' + '.join(r.families)}, {r.depth} limits" for r in picked]
            row["recipes"] = {name: names.count(name) for name in sorted(set(names))}
        if method == "random forest":
            ends = _right(runs.kinds, forests[0]), _right(runs.kinds, forests[-1])
            row["accuracy_of_forests"] = [round(end, 4) for end in ends]
        yield row


def _told(part: Int64s, predict: Predict) -> list[str]:
    found = [""] * len(part)
    for at in np.unique(part):
        out = part == at
        for place, name in zip(np.flatnonzero(out).tolist(), predict(out), strict=True):
            found[place] = name
    return found


def _rules(
    runs: Runs, columns: Columns, recipes: Sequence[Recipe], picked: list[Recipe]
) -> Predict:
    of = np.array(runs.kinds, object)

    def predict(out: Bools) -> list[str]:
        picked.append(chosen(columns, of, ~out, recipes))
        return apart(fitted(columns, of, ~out, picked[-1]), columns, out)

    return predict


def _forest(runs: Runs, seed: int) -> Predict:
    def predict(out: Bools) -> list[str]:
        rows = np.flatnonzero(~np.isin(runs.lines.session, runs.windows.key[out]))
        matrix = _counts(runs.lines, rows.astype(np.int64))
        return _grown(matrix, runs.kinds, out, seed)

    return predict


def _measured(runs: Runs, columns: Columns) -> Predict:
    def predict(out: Bools) -> list[str]:
        at = columns.of(RECIPES[-1], ~out)
        return _grown(columns.values[:, at], runs.kinds, out, 0)

    return predict


def _grown(matrix: NDArray[Any], kinds: Sequence[str], out: Bools, seed: int) -> list[str]:
    forest = learner("ensemble", "RandomForestClassifier")(_TREES, random_state=seed)
    forest.fit(matrix[~out], np.array(kinds)[~out])
    return [str(name) for name in forest.predict(matrix[out])]


def _counts(lines: LabelledLines, rows: Int64s) -> Int32s:
    """Windows by templates that are learned from some rows and occur in them."""
    vocabulary = learn_templates(lines, rows)
    every = np.arange(len(lines), dtype=np.int64)
    windows, *_ = windows_of(lines, every, SESSION, vocabulary)
    owner, template, number = windows.counts()
    matrix = np.zeros((len(windows), int(template.max()) + 1), np.int32)
    matrix[owner, template] = number
    return matrix[:, np.isin(np.arange(matrix.shape[1]), vocabulary.of(lines.shape[rows]))]


def _commonest(runs: Runs, out: Bools, siblings: bool) -> list[str]:
    """The commonest class of what is not left out; with `siblings` of the same cluster start, where
    there are any."""
    found = []
    for at in np.flatnonzero(out).tolist():
        others = [
            kind
            for kind, start, left in zip(runs.kinds, runs.starts, out.tolist(), strict=True)
            if not left and (not siblings or start == runs.starts[at])
        ] or [kind for kind, left in zip(runs.kinds, out.tolist(), strict=True) if not left]
        found.append(max(sorted(set(others)), key=others.count))
    return found


def _right(truth: Sequence[str], found: Sequence[str]) -> float:
    return sum(map(str.__eq__, truth, found)) / len(truth)


def _confusion(truth: Sequence[str], found: Sequence[str]) -> dict[str, dict[str, int]]:
    pairs = list(zip(truth, found, strict=True))
    names = sorted(set(truth))
    return {t: {f: pairs.count((t, f)) for f in names if (t, f) in pairs} for t in names}


def spread(truth: Sequence[str], found: Sequence[str], other: Sequence[str]) -> dict[str, Any]:
    """Accuracy and macro-F1 with their 95 % bootstrap intervals over windows, and the intervals of
    how far both are above those of another method on the same draws.

    >>> told = spread(["a", "a", "b", "b"], ["a", "a", "b", "a"], ["a", "a", "a", "a"])
    >>> told["accuracy"], told["macro_f1"], told["accuracy_above_forest"][0] >= 0.0
    (0.75, 0.7333, True)
    """
    of, mine, theirs = (np.array(names, object) for names in (truth, found, other))
    drawn = np.random.default_rng(0).integers(len(of), size=(_ROUNDS, len(of)))
    right = [_right(truth, found), *(of == mine)[drawn].mean(axis=1).tolist()]
    f1 = [macro_f1(truth, found), *(macro_f1(list(of[d]), list(mine[d])) for d in drawn)]
    result: dict[str, Any] = {}
    for name, values in (("accuracy", right), ("macro_f1", f1)):
        low, high = np.quantile(values[1:], [0.025, 0.975])
        result[name] = round(float(values[0]), 4)
        result[f"{name}_low"], result[f"{name}_high"] = round(float(low), 4), round(float(high), 4)
    if list(found) != list(other):
        accuracy = (of == theirs)[drawn].mean(axis=1)
        f1s = [macro_f1(list(of[d]), list(theirs[d])) for d in drawn]
        for name, mine_s, others in (("accuracy", right, accuracy), ("macro_f1", f1, f1s)):
            ends = np.quantile(np.array(mine_s[1:]) - others, [0.025, 0.975])
            result[f"{name}_above_forest"] = [round(float(end), 4) for end in ends]
    return result
