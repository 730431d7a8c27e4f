"""Classes: planted classes are told, rare ones too; rules say in the language what they decide."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from numpy.typing import NDArray

from logwright.errors import LogwrightError
from logwright.rules.induction.classes import (
    RECIPES,
    Classes,
    ClassRule,
    Columns,
    Recipe,
    apart,
    chosen,
    fitted,
    learn_classes,
    macro_f1,
)
from logwright.rules.induction.measures import Limit, Measure, Texted
from logwright.rules.induction.signs import Sign
from logwright.rules.language.emit import callable_of
from logwright.rules.language.gate import parse
from logwright.rules.language.plain import Line, Window
from logwright.windows.window import Windows

TEXTS = ["step done", "disk full", "link down", "retry of step", "begin"]
IDS = [f"t-{at}" for at in range(len(TEXTS))]
COUNTS = Recipe(("counts",), 2)


def _made(number: int, seed: int = 0) -> tuple[list[list[int]], list[str]]:
    """Runs: of all kinds some retry; full disks retry more, in a longer run."""
    chance = random.Random(seed)
    windows, labels = [], []
    for at in range(number):
        kind = ("", "", "", "disk", "disk", "net")[at % 6]
        steps = chance.randint(20, 40)
        retries = chance.randint(0, 3)
        window = [4, *[0] * steps, *[3] * retries]
        if kind == "disk":
            window += [1] * chance.randint(3, 6)
        elif kind == "net":
            window += [2] * chance.randint(1, 2)
        elif at % 5 == 0:
            window += [1]  # a disk that was full once is normal
        windows.append(window)
        labels.append(kind)
    return windows, labels


def _texted(windows: list[list[int]]) -> Texted:
    return Texted(Windows.of_sequences(windows), TEXTS, IDS)


def _plain(window: list[int]) -> Window:
    return Window(Line(TEXTS[at], template=IDS[at]) for at in window)


def test_planted_classes_are_told_in_windows_never_seen() -> None:
    windows, labels = _made(36)
    classes = learn_classes(_texted(windows), labels)
    others, truth = _made(60, seed=1)
    assert classes.decide(_texted(others)) == truth


def test_the_source_of_each_rule_says_what_was_decided() -> None:
    windows, labels = _made(36)
    classes = learn_classes(_texted(windows), labels)
    others, _ = _made(30, seed=2)
    for rule in classes.rules:
        says = callable_of(parse(rule.source))
        alone = Classes((rule,), {"none": 1.0}, classes.recipe)
        fires = [name == rule.target for name in alone.decide(_texted(others))]
        assert fires == [says(_plain(window)) for window in others]
        assert f"{rule.right} of the {rule.fired} windows" in rule.source
        assert max(map(len, rule.source.splitlines())) <= 100


def test_the_order_of_windows_changes_nothing() -> None:
    windows, labels = _made(24)
    here = learn_classes(_texted(windows), labels)
    order = np.random.default_rng(5).permutation(len(windows)).tolist()
    there = learn_classes(_texted([windows[at] for at in order]), [labels[at] for at in order])
    assert here == there


def test_the_plainest_recipe_is_taken_where_others_are_not_better() -> None:
    windows = [[4, (1, 2, 0)[at % 3]] for at in range(18)]
    labels = [("disk", "net", "")[at % 3] for at in range(18)]
    classes = learn_classes(_texted(windows), labels)
    assert classes.recipe == RECIPES[0]


def test_a_recipe_that_looks_at_shares_is_taken_where_only_they_tell() -> None:
    """As many retries in longer and longer runs: no count and no length tells the classes."""
    windows, labels = [], []
    for at, size in itertools.product((0, 1), (20, 30, 50, 80, 120, 200, 300, 500)):
        windows.append([0] * size + [3] * (size // (4 if at else 10)))
        labels.append("slow" if at else "")
    classes = learn_classes(_texted(windows), labels)
    assert "shares" in classes.recipe.families
    probe = [[0] * 60 + [3] * 15, [0] * 60 + [3] * 6]
    assert classes.decide(_texted(probe)) == ["slow", ""]


@pytest.mark.parametrize("recipe", RECIPES[1::3], ids=lambda r: "+".join(r.families))
def test_what_is_left_out_changes_no_rule(recipe: Recipe) -> None:
    """Not by its label, nor by its lines, though columns are made of all windows at once."""
    windows, labels = _made(18)
    labels[7] = "never seen"
    windows[7] = [1, 2, 3, 3, 3]
    rest = [at for at in range(18) if at != 7]
    mask = np.array([at != 7 for at in range(18)])
    with_it = fitted(Columns(_texted(windows)), np.array(labels, object), mask, recipe)
    alone = Columns(_texted([windows[at] for at in rest]))
    kinds = np.array([labels[at] for at in rest], object)
    assert with_it == fitted(alone, kinds, np.ones(17, bool), recipe)
    assert with_it.rules


def test_a_recipe_is_not_chosen_by_how_well_it_learns_by_heart() -> None:
    """One phrase tells most windows; the others, mislabelled, can be told only one by one."""
    chance = random.Random(3)
    windows = [
        [0, *([1] if at % 2 else [2]), *chance.choices([3, 4], k=chance.randint(3, 30))]
        for at in range(32)
    ]
    labels = [("disk" if at % 2 else "") if at % 8 else "disk" for at in range(32)]
    columns, of = Columns(_texted(windows)), np.array(labels, object)
    rows = np.ones(len(of), bool)
    picked = chosen(columns, of, rows)
    by_heart = {r: apart(fitted(columns, of, rows, r), columns, rows) for r in RECIPES}
    best = max(RECIPES, key=lambda r: macro_f1(labels, by_heart[r]))
    assert macro_f1(labels, by_heart[best]) > macro_f1(labels, by_heart[picked])


def test_accuracy_alone_does_not_choose_a_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """8 of 10 are right where the rare class is given up, 7 where it is always found."""
    labels = np.array([""] * 8 + ["disk"] * 2, object)

    def told(classes: Classes, columns: Columns, rows: NDArray[np.bool_]) -> list[str]:
        found = classes.recipe == RECIPES[1] and (rows[:3] | rows[8:9] | rows[9:]).any()
        return ["disk" if found else ""]

    monkeypatch.setattr("logwright.rules.induction.classes.apart", told)
    columns = Columns(_texted([[0], [0, 1]] * 5))
    assert chosen(columns, labels, np.ones(10, bool), RECIPES[:2]) == RECIPES[1]


def test_shares_are_of_phrases_that_most_windows_learned_from_have() -> None:
    windows = [[0, 1], [0], [0, 1, 1], [0, 0], [0, 0, 1]]
    columns = Columns(_texted(windows))
    place = columns.measures.index(Measure("share", Sign("phrase", "disk full")))
    every = np.ones(5, bool)
    assert place in columns.of(RECIPES[-1], every)
    assert place not in columns.of(RECIPES[-1], np.array([True, True, False, True, False]))
    assert place not in columns.of(RECIPES[0], every)


def _rule(target: str, words: str, right: int, prior: float) -> ClassRule:
    limit = Limit(Measure("count", Sign("phrase", words)), 1.0, True)
    return ClassRule(target, (limit,), right, right, prior)


def test_where_two_rules_fire_the_one_that_tells_more_counts() -> None:
    priors = {"": 0.6, "disk": 0.1, "net": 0.3}
    rules = (_rule("", "step done", 3, 0.6), _rule("disk", "disk full", 3, 0.1))
    windows = _texted([[0, 1], [0], [1], [4]])
    for ordered in (rules, rules[::-1]):
        classes = Classes(ordered, priors, COUNTS)
        assert classes.decide(windows) == ["disk", "", "disk", ""]


def test_of_rules_that_weigh_the_same_the_commoner_class_counts() -> None:
    # 5 of 5 at 10 % and 2 of 2 at 4 % both raise the odds by the same factor.
    rules = (_rule("rare", "link down", 2, 0.04), _rule("common", "disk full", 5, 0.10))
    assert rules[0].weight == pytest.approx(rules[1].weight)
    for ordered in (rules, rules[::-1]):
        classes = Classes(ordered, {"": 0.86, "rare": 0.04, "common": 0.10}, COUNTS)
        assert classes.decide(_texted([[1, 2]])) == ["common"]


def test_windows_for_which_no_rule_fires_are_of_the_commonest_class() -> None:
    classes = Classes((_rule("disk", "disk full", 3, 0.2),), {"": 0.3, "net": 0.5}, COUNTS)
    assert classes.decide(_texted([[0], [1]])) == ["net", "disk"]


def test_one_class_alone_needs_no_rules() -> None:
    classes = learn_classes(_texted([[0], [0, 3], [0]]), ["", "", ""])
    assert classes.rules == ()
    assert classes.decide(_texted([[1]])) == [""]


def test_labels_that_do_not_fit_are_refused() -> None:
    with pytest.raises(LogwrightError, match=r"1 labels for 2 windows: expected one each"):
        learn_classes(_texted([[0], [0]]), [""])
    with pytest.raises(LogwrightError, match="no windows"):
        learn_classes(_texted([]), [])


def test_macro_f1_counts_each_class_alike() -> None:
    truth = ["a"] * 8 + ["b"] * 2
    assert macro_f1(truth, ["a"] * 10) == pytest.approx(8 / 18 * 2 / 2)
    assert macro_f1(truth, truth) == 1.0
