"""Benchmarks: quick runs reach their bars, and a result is one file that a table is made of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from logwright.bench import corpora, faults, formats
from logwright.bench.asking import Expert, Part, ask
from logwright.bench.builds import builds
from logwright.bench.detection import Options
from logwright.bench.hdfs import EventIds, counts_of, whole_set
from logwright.bench.metrics import Triple
from logwright.bench.predictions import beside
from logwright.bench.registry import chosen
from logwright.bench.results import machine, run_suite, table, write
from logwright.errors import InputError, LogwrightError
from logwright.logs.kernel import Table, lines
from logwright.windows.window import Windows

RESULT: dict[str, Any] = {
    "suite": "hdfs",
    "machine": {"cpu": "x"},
    "data": "d",
    "settings": {},
    "rows": [
        {"method": "a", "f1": 0.98765, "tp": 12345},
        {"method": "longer name", "f1": 1.0, "note": "n"},
    ],
    "summary": {"f1": 0.98765, "big": 123456.7},
}


def test_a_table_has_all_columns_and_lines_up() -> None:
    shown = table(RESULT).splitlines()
    assert shown[0].split() == ["method", "f1", "tp", "note"]
    assert set(shown[1]) == {"-", " "}
    assert shown[2].split() == ["a", "0.9877", "12,345"]
    assert shown[3].split("  ")[0] == "longer name"
    column = shown[0].index("f1")
    assert [line[column:].split()[0] for line in shown[2:4]] == ["0.9877", "1"]
    assert shown[-2:] == ["f1: 0.9877", "big: 123,457"]


def test_an_empty_result_has_a_table_too() -> None:
    assert table({**RESULT, "rows": [], "summary": {}})


def test_a_result_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write(RESULT, path)
    assert json.loads(path.read_text()) == RESULT
    before = path.read_text()
    with pytest.raises(TypeError):
        write({**RESULT, "rows": [{"bad": object()}]}, path)
    assert path.read_text() == before
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]


def test_the_machine_is_described() -> None:
    assert {"cpu", "cores", "memory_gib", "python", "kernel"} <= set(machine())


def test_counts_are_what_they_are_called() -> None:
    truth = np.array([True] * 4 + [False] * 6)
    alarms = np.array([True, True, True, False, True, *[False] * 5])
    found = counts_of(alarms, truth)
    assert [found[k] for k in ("tp", "fp", "fn", "tn")] == [3, 1, 1, 5]
    assert [found[k] for k in ("precision", "recall", "f1")] == [0.75, 0.75, 0.75]
    assert found["alarms_per_10k"] == 4000.0
    nothing = counts_of(np.zeros(3, bool), np.zeros(3, bool))
    assert (nothing["f1"], nothing["specificity"]) == (0.0, 1.0)


@pytest.mark.parametrize(
    "suite",
    [
        "hdfs",
        "bgl-raw",
        "bgl-windows",
        "hadoop",
        "feedback",
        "templates",
        "throughput",
        "memory",
        "formats",
    ],
)
def test_absent_data_is_said(tmp_path: Path, suite: str) -> None:
    with pytest.raises(InputError, match=r"is not there|holds no LogHub"):
        run_suite(suite, tmp_path, quick=True)


def test_templates_reach_their_bars(data: Path) -> None:
    pytest.importorskip("drain3")
    result = run_suite("templates", data, quick=True)
    assert {"suite", "machine", "data", "rows", "summary"} <= set(result)
    summary = result["summary"]
    assert len(result["rows"]) == 12
    assert summary["GA"] >= 0.90
    assert summary["PA"] >= 0.65
    assert summary["FTA"] >= 0.60
    for score in ("GA", "PA", "FTA"):
        assert summary[score] > summary[f"drain3_masks_{score}"]
    assert "BGL" in table(result)


TABLES = ["no labels", "questions asked", "labels"]
FLOORS = {"flag all", "flag none", "unseen template", "unseen length"}


@pytest.mark.parametrize("suite", ["bgl-raw", "bgl-windows", "hadoop"])
def test_a_detection_suite_has_floors_in_every_table(data: Path, suite: str) -> None:
    pytest.importorskip("sklearn")
    options = Options(methods=["ladder", "ask-once", "tree"], stress=False)
    rows = run_suite(suite, data, quick=True, options=options)["rows"]
    assert list(dict.fromkeys(row["table"] for row in rows)) == TABLES
    for table_ in TABLES:
        mine = {row["method"]: row for row in rows if row["table"] == table_}
        assert {*FLOORS, "keyword list"} <= set(mine)
        rate = mine["flag all"]["precision"]
        assert mine["flag all"]["f1"] == pytest.approx(2 * rate / (1 + rate), abs=1e-3)
        assert len(mine) > len(FLOORS) + 1
    for row in rows:
        Triple(row["precision"], row["recall"], row["f1"])
        assert row["questions"] == 0 or row["table"] == "questions asked"
        assert {"lines", "positive_rate", "distinct_windows", "test_seen_in_train"} <= set(row)


def own_log(folder: Path, fault: str = "disk 7 failed") -> Options:
    """400 lines of jobs, some of which fail in a new way."""
    lines, labels = [], []
    for i in range(400):
        bad = i % 40 == 5
        lines.append(fault if bad else f"job {i} took {i % 9} ms")
        labels.append("1" if bad else "0")
    log, truth = folder / "own.log", folder / "own.labels"
    log.write_text("\n".join(lines) + "\n")
    truth.write_text("\n".join(labels) + "\n")
    return Options(log=log, labels=truth, window="5", offsets=3, seeds=2)


def test_the_same_seed_gives_the_same_file_apart_from_machine_and_times(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    options = replace(own_log(tmp_path), methods=["ladder", "iforest", "forest", "judge"])
    texts = []
    for number in range(2):
        out = tmp_path / f"{number}.json"
        options = replace(options, predictions=beside(out))
        result = run_suite("log", tmp_path, options=options)
        write({**result, "machine": {}, "times": {}}, out)
        texts.append((out.read_bytes(), beside(out).read_bytes()))
    assert texts[0] == texts[1]


def test_predictions_tell_every_window_of_every_run(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    options = replace(own_log(tmp_path), methods=["ladder"], predictions=path)
    rows = run_suite("log", tmp_path, options=options)["rows"]
    table_ = pq.read_table(path)
    methods = table_.column("method").to_pylist()
    assert set(methods) == {row["method"] for row in rows}
    offsets = {round(offset, 3) for offset in table_.column("offset").to_pylist()}
    assert offsets == {0.0, 0.1, 0.2}
    first, number = table_.column("first_line").to_pylist(), table_.column("window").to_pylist()
    runs = set(zip(methods, table_.column("offset").to_pylist(), number, strict=True))
    assert len(runs) == len(first)
    assert all(f >= 0 for f in first)


def test_a_users_own_detector_stands_beside_the_floors(tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(
        "class Detector:\n"
        "    name, needs, natural = 'mine', 'nothing', None\n"
        "    def fit(self, train): self.known = train.known\n"
        "    def score(self, windows):\n"
        "        t, b = windows.events.template, windows.bounds\n"
        "        return [float((t[a:z] >= self.known).sum()) for a, z in zip(b, b[1:])]\n"
    )
    options = replace(own_log(tmp_path), detector=own)
    methods = [r["method"] for r in run_suite("log", tmp_path, options=options)["rows"]]
    assert methods[-1] == "mine"
    assert set(methods) > FLOORS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "expected a class Detector"),
        ("class Detector: pass", "has no name, needs, natural, fit, score"),
        ("raise ValueError('no')", "ValueError: no"),
        ("def (", "SyntaxError"),
        (
            "class Detector:\n name='m'; needs='normal'; natural=1.0\n"
            " def fit(self, t): pass\n def score(self, w): return [1.0]\n",
            "one number per window",
        ),
    ],
)
def test_what_is_wrong_with_a_detector_is_said(tmp_path: Path, text: str, said: str) -> None:
    own = tmp_path / "mine.py"
    own.write_text(text)
    with pytest.raises(LogwrightError, match=said):
        run_suite("log", tmp_path, options=replace(own_log(tmp_path), detector=own))


def test_a_frozen_configuration_is_named_and_scored_on_later_data(
    tmp_path: Path, data: Path
) -> None:
    options = Options(methods=["ladder"], train_data=data, test_data=data)
    first, again = (run_suite("bgl-raw", data, quick=True, options=options) for _ in range(2))
    assert first["summary"] == again["summary"]
    assert len(first["summary"]["frozen 20"]) == 16
    row = first["rows"][-1]
    assert (row["method"], row["windows"], row["offsets"]) == ("ladder: whole", 1000, 1)
    assert row["test_seen_in_train"] > 0.9  # it is the same data
    with pytest.raises(LogwrightError, match="go together"):
        run_suite("bgl-raw", data, options=replace(options, test_data=None))


def test_unknown_methods_are_named() -> None:
    with pytest.raises(LogwrightError, match="--methods oracle: there is no such method"):
        chosen(["oracle"], texts=True)


def test_hdfs_counts_add_up_and_keep_to_the_budget(data: Path) -> None:
    rows, summary = whole_set(data, quick=True)
    for row in rows:
        assert row["tp"] + row["fp"] + row["fn"] + row["tn"] == row["windows"]
    by = {(row["history"], row["method"]): row for row in rows}
    floor = by["60%", "flag all"]
    best = by["60%", "ladder (default)"]
    assert floor["recall"] == 1.0
    assert by["60%", "flag none"]["f1"] == 0.0
    assert best["f1"] > floor["f1"] + 0.5
    # Quick data is the part in which HDFS has not settled: few alarms, but true ones.
    assert best["precision"] >= 0.99
    assert best["f1"] >= 0.65
    assert summary["f1_60%"] == best["f1"]
    assert any("history too short" in r for r in summary["ladder"]["1%"])


def test_hdfs_shows_time_order_beside_a_random_split(data: Path) -> None:
    pytest.importorskip("sklearn")
    rows = run_suite("hdfs", data, quick=True, options=Options(methods=["tree"]))["rows"]
    tree = rows[-1]
    assert tree["method"] == "decision tree"
    assert tree["f1_random_split"] >= 0.95
    assert {"duplicates removed", "1% mislabelled", "10% of templates renamed"} <= set(
        tree["stress"]
    )


def test_ask_once_tells_rows_curves_and_costs(data: Path) -> None:
    result = run_suite("feedback", data, quick=True)
    by = {(row["set"], row["history"], row["policy"]): row for row in result["rows"]}
    asked, nobody = by["bgl", "20%", "answers at once"], by["bgl", "20%", "nobody answers"]
    floors = [row["f1"] for key, row in by.items() if key[0] == "bgl" and "floor" in key[2]]
    assert asked["f1"] > max(nobody["f1"], *floors)
    assert asked["f1_answered"] >= asked["f1"]
    assert nobody["questions"] == 0 < asked["benign"] <= asked["questions"] <= 100
    assert asked["unit"] == "template"
    assert by["hdfs", "60%", "answers at once"]["unit"] == "count_vector"
    assert [p["questions"] for p in result["curves"]["bgl"]] == [0, 1, 2]
    assert result["times"]["verdict_ms"] < 1
    assert "answers 1,000 windows late" in table(result)


def test_an_answer_changes_nothing_that_was_flagged_before_it() -> None:
    history = Windows.of_sequences([[0, 1]] * 50)
    test = Windows.of_sequences([[0, 2], [0, 1], [0, 2], [0, 3], [0, 3]])
    truth = np.array([False, False, False, True, True])
    part = Part(history, test, EventIds(4), None, "template", 5)
    at_once = ask(part, truth, Expert())
    assert at_once.flagged.tolist() == [True, False, False, True, True]
    assert at_once.answered.tolist() == [False, False, False, True, True]
    assert (at_once.asked, at_once.benign) == ([0, 3], 1)
    late = ask(part, truth, Expert(delay=2))
    assert late.flagged.tolist() == [True, False, False, True, True]
    nobody = ask(part, truth, None)
    assert nobody.flagged.tolist() == [True, False, True, True, True]
    assert ask(part, truth, Expert(most=1)).asked == [0]


@pytest.mark.parametrize("kind", ["uuid", "hex", "base64"])
def test_fresh_identifiers_make_few_shapes(data: Path, kind: str) -> None:
    text = corpora.fresh_ids(data, kind, 20_000)
    start, end = lines(text)
    codes = Table()
    codes.encode(text, start, end)
    assert len(start) == 20_000
    assert len(codes) <= 80 + 20_000 * 420 / 1e6


def test_replicas_go_on_in_time_and_have_blocks_of_their_own(data: Path) -> None:
    bgl = corpora.bgl(data)
    first, second = next(bgl), next(bgl)
    assert len(first.splitlines()) == len(second.splitlines()) == 100_000
    last = int(first.splitlines()[-1].split()[1])
    assert last < int(second.splitlines()[0].split()[1])


def test_committed_results_have_the_form() -> None:
    folder = Path(__file__).parents[1] / "bench" / "results"
    for path in folder.glob("*.json"):
        result = json.loads(path.read_text())
        assert {"suite", "machine", "data", "settings", "rows", "summary"} <= set(result), path
        assert result["rows"], path


def test_scan_names_the_fault_of_build_logs(tmp_path: Path) -> None:
    rows = faults.run(tmp_path, quick=True)["rows"]
    assert [row["case"] for row in rows] == [b.name for b in builds()]
    assert all(row["among_first_5"] for row in rows)
    assert not any(row["first_5_WARN_lines"] for row in rows)  # that would be too easy


def test_all_sample_files_are_of_the_format_found(data: Path) -> None:
    summary = formats.run(data)["summary"]
    assert summary["right"] == summary["of"]
    assert summary["times"] >= 0.99
