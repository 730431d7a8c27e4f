"""Classes of whole runs: what a window is, intervals, and the bar on the real applications."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from logwright.bench.rules_classes import run, runs_of, spread
from logwright.errors import InputError

_LINE = "2015-10-17 15:38:{:02d},000 INFO [main] org.example.Worker: {}\n"


def _folder(folder: Path) -> Path:
    """Two cluster starts of two applications each; 7 ran into a full disk."""
    labels = ["Normal:", "+ application_1_0001", "+ application_2_0001", "+ application_2_0002"]
    labels += ["Disk full:", "+ application_1_0002"]
    (folder / "abnormal_label.txt").write_text("\n".join(labels) + "\n")
    for name in ("1_0001", "1_0002", "2_0001", "2_0002"):
        app = folder / f"application_{name}"
        app.mkdir()
        texts = ["begin", f"task {name} done", *(["disk full"] if name == "1_0002" else [])]
        log = "".join(_LINE.format(at, text) for at, text in enumerate(texts))
        (app / f"container_{name}.log").write_text(log)
    return folder


def test_an_application_is_a_window_with_its_class_and_cluster_start(tmp_path: Path) -> None:
    runs = runs_of(_folder(tmp_path))
    assert sorted(zip(runs.starts, runs.kinds, strict=True)) == [
        ("1", "Disk full"), ("1", "normal"), ("2", "normal"), ("2", "normal"),
    ]  # fmt: skip
    sizes = dict(zip(runs.windows.sizes.tolist(), runs.kinds, strict=True))
    assert sizes == {3: "Disk full", 2: "normal"}


def test_texts_are_the_lines_with_their_digits_masked(tmp_path: Path) -> None:
    texts = runs_of(_folder(tmp_path)).texted().texts
    assert {"begin", "task <*> done", "disk full"} <= set(texts)


def test_a_better_method_is_above_and_the_same_one_is_not_compared() -> None:
    truth = ["a", "b"] * 20
    worse = ["a"] * 40
    told = spread(truth, truth, worse)
    assert told["accuracy"] == told["accuracy_low"] == 1.0
    low, high = told["accuracy_above_forest"]
    assert 0.3 < low < 0.5 < high < 0.7
    assert "accuracy_above_forest" not in spread(truth, worse, worse)


def test_an_interval_holds_its_figure_and_few_windows_make_it_wide() -> None:
    truth, found = ["a", "b"] * 50, (["a", "b"] * 4 + ["b", "a"]) * 10
    few, many = spread(truth[:10], found[:10], truth[:10]), spread(truth, found, truth)
    for told in (few, many):
        for name in ("accuracy", "macro_f1"):
            assert told[f"{name}_low"] <= told[name] <= told[f"{name}_high"]
    assert np.isclose(few["accuracy"], many["accuracy"])
    wide = [told["accuracy_high"] - told["accuracy_low"] for told in (few, many)]
    assert wide[0] > 2 * wide[1]


def test_absent_data_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--data"):
        run(tmp_path)


@pytest.mark.long
def test_rules_are_above_the_forest_and_the_commonest_class(data: Path) -> None:
    result = run(data)
    told = {(row["left_out"], row["method"]): row for row in result["rows"]}
    rules, forest = told["application", "rules"], told["application", "random forest"]
    assert result["summary"]["applications"] == 39
    assert rules["accuracy"] >= 0.70
    assert rules["accuracy"] > max(forest["accuracy_of_forests"])
    assert rules["macro_f1"] > forest["macro_f1"]
    floor = told["application", "floor: commonest class"]
    assert rules["macro_f1"] > floor["macro_f1"]
    assert round(floor["accuracy"], 2) == 0.59
    assert sum(rules["recipes"].values()) == 39, "a recipe is chosen for each that is left out"
