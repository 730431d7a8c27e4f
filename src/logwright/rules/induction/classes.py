"""Classes: rules that tell several kinds of windows apart, each kind from all others.

For failures that have names (a machine down, a full disk) and whole runs as windows, of which there
are few. Each class, normal included, gets rules of a few limits (`measures`), found by `splitting`.
A window is of the class whose rule speaks for it most: a rule's weight is by how much it raises the
odds of its class over those before, so that three right of three count more for a rare class than
for a common one. Where no rule fires the commonest class is taken.

How much the rules may look at, and how long they may be (`Recipe`), is chosen by leaving out
windows of history itself.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from logwright.errors import LogwrightError
from logwright.rules.induction.measures import (
    FAMILIES,
    Family,
    Limit,
    Measure,
    Texted,
    between,
    measures_of,
)
from logwright.rules.induction.splitting import Splitter, reliability
from logwright.rules.language.emit import emit
from logwright.rules.language.gate import parse

__all__ = [
    "RECIPES", "ClassRule", "Classes", "Columns", "Recipe",
    "apart", "chosen", "fitted", "learn_classes", "macro_f1",
]  # fmt: skip

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

_FEW = 50
"""Up to so many windows each is left out in turn to choose a recipe; of more, a tenth."""

_FOLDS = 10
_COLUMNS = 92
_COMMON = 0.5
"""A share of lines is looked at only for phrases that this share of the windows have: of others it
says no more than their presence."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What rules may look at, and how many limits one may have at most."""

    families: tuple[Family, ...]
    depth: int


RECIPES = tuple(
    Recipe(families, depth)
    for families in (("counts",), ("extent", "counts"), ("extent", "counts", "shares"))
    for depth in (1, 2, 3)
)
"""What is chosen from, the plainest first: it is taken where others are not better."""


@dataclass(frozen=True, slots=True)
class ClassRule:
    """A rule for one class: all limits must hold. It fired on `fired` windows of history and was
    right on `right` of them; `prior` is the class's share of all windows there."""

    target: str
    limits: tuple[Limit, ...]
    right: int
    fired: int
    prior: float

    @property
    def weight(self) -> float:
        """The logarithm of how many times it raises the odds of its class.

        >>> rare, common = ClassRule("a", (), 3, 3, 0.1), ClassRule("b", (), 3, 3, 0.6)
        >>> rare.weight > common.weight > 0
        True
        """
        return _odds(reliability(self.right, self.fired, self.prior)) - _odds(self.prior)

    @property
    def source(self) -> str:
        """The function in the language of rules."""
        told = " and ".join(limit.told for limit in self.limits)
        body = " and ".join(limit.source for limit in self.limits) or "True"
        told = "\n".join(textwrap.wrap(f"{self.target or 'normal'}: {told}.", _COLUMNS))
        doc = (
            f"{told}\n\nRight on {self.right:,} of the {self.fired:,} windows of history where it "
            f"holds. {self.prior:.0%} of all are {self.target or 'normal'}."
        )
        function = parse(f"def rule(w: Window) -> bool:\n    return {body}\n")
        return emit(replace(function, doc=doc))


def _odds(share: float) -> float:
    return math.log(share / (1.0 - share))


class Columns:
    """Measures of windows as columns, all that any recipe may look at; of measures of one family
    that are equal in every window the first one."""

    def __init__(self, texted: Texted) -> None:
        self.measures: list[Measure] = []
        columns: dict[tuple[bool, bytes], Floats] = {}
        for measure in measures_of(tuple(FAMILIES), texted.texts):
            values = measure.values(texted)
            key = measure.kind == "share", values.tobytes()
            if key not in columns and not np.isnan(values).any() and np.ptp(values) > 0:
                self.measures.append(measure)
                columns[key] = values
        self.values = np.array([*columns.values()]).T.reshape(len(texted), len(columns))
        self._kinds = np.array([measure.kind for measure in self.measures], object)

    def of(self, recipe: Recipe, rows: Bools) -> NDArray[np.intp]:
        """The columns a recipe looks at that tell some of these rows from others."""
        values = self.values[rows]
        looked = np.isin(self._kinds, [k for f in recipe.families for k in FAMILIES[f]])
        looked &= values.max(axis=0, initial=-np.inf) > values.min(axis=0, initial=np.inf)
        looked &= (self._kinds != "share") | ((values > 0).mean(axis=0) >= _COMMON)
        return np.flatnonzero(looked)


@dataclass(frozen=True, slots=True)
class Classes:
    """Rules by class, and the share of each class in history."""

    rules: tuple[ClassRule, ...]
    priors: dict[str, float]
    recipe: Recipe

    @property
    def usual(self) -> str:
        """The class of windows for which no rule fires."""
        return max(self.priors, key=lambda name: (self.priors[name], name))

    def decide(self, texted: Texted) -> list[str]:
        """The class of each window."""
        known = {m: m.values(texted) for rule in self.rules for m in _measures(rule)}
        return self.told(len(texted), known.__getitem__)

    def told(self, n: int, values: Callable[[Measure], Floats]) -> list[str]:
        """The class of each of `n` windows, whose measures `values` gives. Of rules that weigh the
        same the one for the commoner class counts."""
        found = [self.usual] * n
        # From the least to the most that is said: who speaks last is heard.
        for rule in sorted(self.rules, key=lambda r: (round(r.weight, 9), r.prior, r.target)):
            fires = np.full(n, rule.weight > 0)
            for limit in rule.limits:
                fires &= limit.holds(values(limit.measure))
            for at in np.flatnonzero(fires).tolist():
                found[at] = rule.target
        return found


def _measures(rule: ClassRule) -> Iterator[Measure]:
    return (limit.measure for limit in rule.limits)


def learn_classes(
    texted: Texted, labels: Sequence[str], recipes: Sequence[Recipe] = RECIPES
) -> Classes:
    """Rules for the classes of windows; `labels` name each window's class, "" for normal.

    >>> from logwright.windows.window import Windows
    >>> texts = ["all is well", "disk full", "link down"]
    >>> windows = Windows.of_sequences([[0], [0, 1], [0, 2], [0, 0], [0, 0, 1], [2, 0, 0], [0] * 3])
    >>> texted = Texted(windows, texts, ["a", "b", "c"])
    >>> classes = learn_classes(texted, ["", "disk", "net", "", "disk", "net", ""])
    >>> [rule.target for rule in classes.rules], classes.decide(texted)[:3]
    (['', 'disk', 'net'], ['', 'disk', 'net'])
    """
    if len(labels) != len(texted):
        raise LogwrightError(
            f"{len(labels):,} labels for {len(texted):,} windows: expected one each"
        )
    if not len(texted):
        raise LogwrightError("there are no windows to learn classes from")
    columns, of = Columns(texted), np.array(labels, object)
    every = np.ones(len(of), bool)
    return fitted(columns, of, every, chosen(columns, of, every, recipes))


def chosen(
    columns: Columns, of: NDArray[np.object_], rows: Bools, recipes: Sequence[Recipe] = RECIPES
) -> Recipe:
    """The recipe that is best on rows left out of these rows, by the mean of accuracy and macro-F1:
    accuracy alone would give up the rare classes."""
    if len(recipes) == 1:
        return recipes[0]
    worths = []
    for recipe in recipes:
        truth, found = list[str](), list[str]()
        for out in _left_out(rows):
            fit = fitted(columns, of, rows & ~out, recipe)
            truth += of[out].tolist()
            found += apart(fit, columns, out)
        right = sum(map(str.__eq__, truth, found)) / max(len(truth), 1)
        worths.append((right + macro_f1(truth, found)) / 2)
    return recipes[int(np.argmax(worths))]


def _left_out(rows: Bools) -> Iterator[Bools]:
    at = np.flatnonzero(rows)
    folds = len(at) if len(at) <= _FEW else _FOLDS
    for fold in range(folds):
        out = np.zeros(len(rows), bool)
        out[at[fold::folds]] = True
        yield out


def apart(classes: Classes, columns: Columns, rows: Bools) -> list[str]:
    """The classes of some rows of columns that are known."""
    place = {measure: at for at, measure in enumerate(columns.measures)}
    return classes.told(int(rows.sum()), lambda measure: columns.values[rows, place[measure]])


def fitted(columns: Columns, of: NDArray[np.object_], rows: Bools, recipe: Recipe) -> Classes:
    """Rules from some rows by one recipe."""
    mine = columns.of(recipe, rows)
    values, labels = columns.values[np.ix_(rows, mine)], of[rows]
    splitter = Splitter(values, np.array([columns.measures[at].cost for at in mine], np.float64))
    names = sorted(set(labels.tolist()))
    priors = {name: float((labels == name).mean()) for name in names}
    rules = []
    for name in names if len(names) > 1 else ():
        told = labels == name
        for clause in splitter.clauses(told, recipe.depth):
            limits, fires = list[Limit](), np.ones(len(told), bool)
            for split in clause:
                at = between(split.low, split.high)
                limits.append(Limit(columns.measures[mine[split.column]], at, split.least))
                fires &= split.rows(values)
            right, fired = int((fires & told).sum()), int(fires.sum())
            rules.append(ClassRule(name, tuple(limits), right, fired, priors[name]))
    return Classes(tuple(rules), priors, recipe)


def macro_f1(truth: Sequence[str], found: Sequence[str]) -> float:
    """The mean over the classes of truth of each one's F1.

    >>> macro_f1(["a", "a", "b"], ["a", "a", "a"])
    0.4
    """
    values = []
    for name in sorted(set(truth)):
        both = sum(t == f == name for t, f in zip(truth, found, strict=True))
        values.append(2 * both / (list(truth).count(name) + list(found).count(name)))
    return sum(values) / len(values) if values else 0.0
