"""Benchmarks: quick runs reach their bars, and a result is one file that a table is made of."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from logwright.bench import corpora, faults, formats
from logwright.bench.additions import add
from logwright.bench.asking import Expert, Part, ask
from logwright.bench.builds import builds
from logwright.bench.datasets import Dataset, of_files
from logwright.bench.detection import Options
from logwright.bench.frozen import apart
from logwright.bench.hdfs import EventIds, counts_of, whole_set
from logwright.bench.metrics import Triple
from logwright.bench.parts import LeakError
from logwright.bench.parts import Part as SeriesPart
from logwright.bench.plain import text
from logwright.bench.predictions import beside
from logwright.bench.registry import chosen
from logwright.bench.results import machine, run_suite, write
from logwright.cli.bench import app
from logwright.cli.main import app as main
from logwright.errors import InputError, LogwrightError
from logwright.logs.kernel import Table, lines
from logwright.windows.window import Windows

pytestmark = pytest.mark.slow

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
    assert "BGL" in text(result)


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


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "def fit(self, train): raise KeyError('x')",
            r"fails in fit\(\): KeyError: 'x' \(line 5\)",
        ),
        ("def score(self, w): return ['1.5'] * len(w)", "one number per window"),
        ("def score(self, w): return [float('inf')] * len(w)", "none of them infinite or NaN"),
        ("def score(self, w): return [[1.0], [1.0, 2.0]]", "one number per window"),
        ("natural = 'x'", "natural 'x': expected None, or a number"),
        ("needs = ['normal']", "expected nothing, normal, labels"),
        ("name = 7", "has the name 7"),
        ("name = 'Flag all'", "'Flag all' is that of a method"),
        ("name = 'decision tree'", "'decision tree' is that of a method"),
    ],
)
def test_a_detector_that_fails_at_work_is_one_sentence(
    tmp_path: Path, body: str, said: str
) -> None:
    own = tmp_path / "mine.py"
    own.write_text(
        "class Detector:\n"
        "    name, needs, natural = 'mine', 'nothing', None\n"
        "    def fit(self, train): pass\n"
        "    def score(self, windows): return [0.0] * len(windows)\n"
        f"    {body}\n"
    )
    with pytest.raises(LogwrightError, match=said) as told:
        run_suite("log", tmp_path, options=replace(own_log(tmp_path), detector=own))
    assert "\n" not in str(told.value)


def test_a_detector_may_be_a_data_class(tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass, field\n"
        "@dataclass\n"
        "class Detector:\n"
        "    name: str = 'mine'\n"
        "    needs: str = 'nothing'\n"
        "    natural: float | None = 1\n"
        "    known: list[int] = field(default_factory=list)\n"
        "    def fit(self, train): self.known.append(train.known)\n"
        "    def score(self, windows): return [False] * len(windows)\n"
    )
    options = replace(own_log(tmp_path), detector=own, stress=False)
    assert run_suite("log", tmp_path, options=options)["rows"][-1]["method"] == "mine"


def dated(folder: Path, first: int, size: int = 600, sessions: bool = False) -> Path:
    """A folder with the set `shop`: a line a minute from minute `first` on; or without times and
    with sessions of four lines, from session `first` on."""
    folder.mkdir()
    begin = datetime(2024, 1, 1)
    lines, labels = [], []
    for i in range(first, first + size):
        at = f"{begin + timedelta(minutes=i):%Y-%m-%d %H:%M:%S}"
        bad = i % 40 == 5
        if sessions:
            lines += [f"step {step} of <{i}>" for step in "abc"] + [f"{'bad' * bad}end <{i}>"]
        else:
            lines.append(f"{at} INFO " + ("disk 7 failed" if bad else f"job {i} took {i % 9} ms"))
        labels.append(f"{i},{int(bad)}" if sessions else str(int(bad)))
    log, truth = folder / "a.log", folder / "a.labels"
    log.write_text("\n".join(lines) + "\n")
    truth.write_text("session,label\n" * sessions + "\n".join(labels) + "\n")
    add(folder, "shop", log, truth, False, frozenset(), "<(.*?)>" if sessions else None)
    return folder


def frozen(train: Path, test: Path, **more: Any) -> Options:
    return Options(methods=["ladder"], named="shop", train_data=train, test_data=test, **more)


def test_a_frozen_configuration_is_named_and_scored_on_later_data(tmp_path: Path) -> None:
    train, test = dated(tmp_path / "train", 0), dated(tmp_path / "test", 600)
    options = frozen(train, test, window="20")
    first, again = (run_suite("log", tmp_path, options=options) for _ in range(2))
    assert first["summary"] == again["summary"]
    assert len(first["summary"]["frozen 20"]) == 16
    assert "offsets" not in first["settings"]
    row = first["rows"][-1]
    # One of 30 windows is the gap: the one log goes on where the other ends.
    assert (row["method"], row["windows"], row["offsets"]) == ("ladder: whole", 29, 1)
    assert row["set"] == "shop"
    with pytest.raises(LogwrightError, match="go together"):
        run_suite("log", tmp_path, options=replace(options, test_data=None))


@pytest.mark.parametrize(
    ("train", "test", "said"),
    [
        (0, 0, "hold the same log"),
        (0, 300, "300 of 600 records of --test-data are in --train-data too"),
        (300, 0, "300 of 600 records"),
        (600, 0, "--test-data begins before --train-data ends"),
    ],
)
def test_frozen_mode_scores_nothing_that_it_learned(
    tmp_path: Path, train: int, test: int, said: str
) -> None:
    options = frozen(dated(tmp_path / "train", train), dated(tmp_path / "test", test), window="20")
    with pytest.raises(LeakError, match=said):
        run_suite("log", tmp_path, options=options)


def test_frozen_sessions_are_of_one_folder_each(tmp_path: Path) -> None:
    train = dated(tmp_path / "train", 0, 100, sessions=True)
    both = dated(tmp_path / "both", 90, 100, sessions=True)
    later = dated(tmp_path / "later", 100, 100, sessions=True)
    with pytest.raises(LeakError, match="10 sessions are in both folders, such as 90"):
        run_suite("log", tmp_path, options=frozen(train, both))
    row = run_suite("log", tmp_path, options=frozen(train, later))["rows"][-1]
    assert (row["window"], row["windows"]) == ("session", 99)


def test_a_log_without_times_that_grew_is_a_copy(tmp_path: Path) -> None:
    drawn = np.random.default_rng(0).integers(0, 26, size=400).tolist()
    grown = []
    for name, size in (("a", 200), ("b", 400)):
        log, labels = tmp_path / f"{name}.log", tmp_path / f"{name}.labels"
        log.write_text("".join(f"{chr(97 + i)} went\n" for i in drawn[:size]))
        labels.write_text("".join(f"{int(i == 3)}\n" for i in drawn[:size]))
        grown.append(of_files(log, labels))
    with pytest.raises(LeakError, match="hold the same log"):
        apart(*grown)


def timeless(folder: Path, name: str, lines: list[str]) -> Dataset:
    log, labels = folder / f"{name}.log", folder / f"{name}.labels"
    log.write_text("".join(f"{line}\n" for line in lines))
    labels.write_text("".join(f"{i % 50 == 7:d}\n" for i in range(len(lines))))
    return of_files(log, labels)


def test_logs_without_times_that_overlap_in_part_are_found(tmp_path: Path) -> None:
    drawn = np.random.default_rng(1).integers(0, 9_999, size=600).tolist()
    log = [f"job {i} of user {i % 7} {'failed' if i % 5 else 'went'}" for i in drawn]
    train, test = timeless(tmp_path, "a", log[:400]), timeless(tmp_path, "b", log[340:])
    with pytest.raises(LeakError, match="60 of 260 lines of --test-data are in"):
        apart(train, test)
    apart(train, timeless(tmp_path, "c", log[400:]))


def test_a_long_trace_in_two_logs_with_times_is_no_copy(tmp_path: Path) -> None:
    trace = [f"frame {i} of {i * i}" for i in range(80)]
    day = [
        [f"2024-01-0{d} 10:{i // 60:02}:{i % 60:02} INFO job {i}" for i in range(200)]
        for d in (1, 2)
    ]
    apart(*(timeless(tmp_path, f"{at}", [*lines, *trace]) for at, lines in enumerate(day)))


def test_logs_without_times_may_say_the_same_things(tmp_path: Path) -> None:
    # Heartbeats, and the same statements in the same order with other values.
    beats = ["still here"] * 200
    first, later = (
        [f"step {i % 40} of job {run * 1_000 + i}" for i in range(300)] for run in (1, 2)
    )
    apart(timeless(tmp_path, "a", [*beats, *first]), timeless(tmp_path, "b", [*beats[:90], *later]))


def ready(rows: list[list[int]]) -> Dataset:
    part = SeriesPart(Windows.of_sequences(rows), np.arange(len(rows)) % 9 == 0)
    return Dataset("x", "X", "rows", "block", ("session",), part)


def test_frozen_windows_that_are_a_copy_are_found() -> None:
    draw = np.random.default_rng(0)
    rows = [draw.integers(0, 9, size=9).tolist() for _ in range(900)]
    for a, b, said in (
        (rows, rows, "hold the same windows"),
        (rows[:600], rows[300:], "300 of 600 windows of --test-data are in --train-data too"),
        (rows[300:], rows[:600], "300 of 600 windows"),
    ):
        with pytest.raises(LeakError, match=said):
            apart(ready(a), ready(b))
    apart(ready(rows[:450]), ready(rows[450:]))
    # The same windows often come in any log; their order says whether it is a copy.
    apart(ready([[1, 2], [3]] * 300), ready([[1, 2], [1, 2], [3]] * 300))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["log", "--log", "a.log", "--train-data", ".", "--test-data", "x"], "is one log"),
        (["log", "--set", "shop", "--log", "a.log"], "--log does not go with it"),
        (["log"], "suite log takes --log"),
        (["hadoop", "--log", "a.log"], "--log is for suite log"),
        (["bgl-raw", "--set", "shop"], "--set is for suite log"),
        (["hdfs", "--session", "x"], "--session is for suite log"),
        (["formats", "--methods", "tree"], "takes no methods"),
        (["log", "--set", "shop", "--methods", ","], "names no method"),
        (["log", "--set", "absent"], "no data set is called 'absent'"),
        (["log", "--log", "shop/a.log"], "has no labels: give them with --labels FILE"),
        (
            ["log", "--log", "shop/a.log", "--labels", "shop/a.labels", "--session", "x"],
            "has a label for each line",
        ),
    ],
)
def test_options_that_would_be_left_out_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    dated(tmp_path / "shop", 0)
    answer = CliRunner().invoke(app, ["run", *arguments, "--data", "shop"])
    assert isinstance(answer.exception, LogwrightError)
    assert said in str(answer.exception)


def test_methods_that_read_texts_need_a_set_with_texts() -> None:
    with pytest.raises(LogwrightError, match="--methods keywords: it reads texts"):
        chosen(["keywords"], texts=False)


def test_ready_windows_are_not_cut_anew() -> None:
    with pytest.raises(InputError, match="window 100: it comes as windows of 'session'"):
        ready([[1], [2]]).series("100")


def test_sessions_of_an_own_log_are_named_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log, labels = dated(tmp_path / "x", 0, 100, sessions=True) / "a.log", tmp_path / "x/a.labels"
    named = ["--labels", str(labels), "--session", "<(.*?)>"]
    added = CliRunner().invoke(main, ["data", "add", str(log), "--as", "b", "--data", "d", *named])
    assert added.exit_code == 0, added.output
    assert json.loads(Path("d/own/b/manifest.json").read_text())["session"] == "<(.*?)>"
    for given in (["--set", "b", "--data", "d"], ["--log", str(log), *named]):
        run = ["run", "log", *given, "--methods", "ladder", "--offsets", "1", "--no-stress"]
        answer = CliRunner().invoke(app, [*run, "--json", "out.json"])
        assert answer.exit_code == 0, answer.exception
        result = json.loads(Path("out.json").read_text())
        assert {row["windows"] for row in result["rows"]} == {29}
    assert result["settings"]["session"] == "<(.*?)>"


def test_no_floor_is_told_as_the_best_of_a_table(tmp_path: Path) -> None:
    own = tmp_path / "mine.py"
    own.write_text(
        "class Detector:\n"
        "    name, needs, natural = 'mine', 'labels', 1.0\n"
        "    def fit(self, train): pass\n"
        "    def score(self, windows): return [0] * len(windows)\n"
    )
    options = replace(own_log(tmp_path), detector=own, stress=False)
    summary = run_suite("log", tmp_path, options=options)["summary"]
    assert summary == {"best of labels, own.log 5": "mine, F1 0.0"}


def test_unknown_methods_are_named() -> None:
    with pytest.raises(LogwrightError, match="--methods oracle: there is no such method"):
        chosen(["oracle"], texts=True)


def test_hdfs_counts_add_up_and_the_unit_is_chosen_by_questions(data: Path) -> None:
    rows, summary = whole_set(data, quick=True)
    for row in rows:
        assert row["tp"] + row["fp"] + row["fn"] + row["tn"] == row["windows"]
    by = {(row["history"], row["method"]): row for row in rows}
    floor = by["60%", "flag all"]
    best = by["60%", "ladder (default)"]
    assert floor["recall"] == 1.0
    assert by["60%", "flag none"]["f1"] == 0.0
    assert best["f1"] > floor["f1"] + 0.5
    # Quick data is the part in which HDFS has not settled: many alarms by few questions.
    assert best["recall"] == 1.0
    assert best["f1"] >= 0.75
    assert any("asked by capped" in r for r in summary["ladder"]["60%"])
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


def test_a_part_asked_by_2_grams_finds_orders_that_history_never_held() -> None:
    history = Windows.of_sequences([[0, 1, 2]] * 50)
    test = Windows.of_sequences([[0, 1, 2], [0, 2, 1], [0, 2, 1], [0, 2, 1], [0, 2, 1]])
    truth = np.array([False, True, True, True, True])
    part = Part(history, test, EventIds(3), None, "bigram", 5)
    assert part.interesting == [1, 2, 3, 4]
    asked = ask(part, truth, Expert())
    assert asked.flagged.tolist() == truth.tolist()
    assert asked.asked == [3]  # at its third sight
