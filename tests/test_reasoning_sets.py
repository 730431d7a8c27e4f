"""The public sets as items, from files of the same form with words of our own."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from logwright.bench.reasoning_sets import SETS, items
from logwright.errors import InputError
from logwright.reasoning.task import Task

INCIDENTS = """### WordCount
Normal:
+ application_1445087491445_0001

Disk full:
+ application_1445087491445_0003
+ application_1445087491445_0004
+ application_1445087491445_0009

### PageRank
Machine down:
+ application_1445062781478_0001
Normal:
+ application_1445062781478_0002
"""


def put(folder: Path, name: str, told: object) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(told if isinstance(told, str) else json.dumps(told))


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Sets of the same form."""
    folder = tmp_path / "reasoning"
    parsing = [{"instruction": "", "input": f"job {n} done", "label": "x"} for n in range(1400)]
    put(folder, "logParsing_with_reason.json", parsing)
    anomalies = [{"input": f"event {n}", "label": "normal"} for n in range(200)]
    put(folder, "AnomalyDetection_with_reason.json", anomalies)
    put(folder, "label_corrections.json", [{"input": "event 5", "rectified": "abnormal"}])
    asked = [
        {"instruction": f"What is {n}?", "input": f"```\none {n}\ntwo\n```", "label": "It is."}
        for n in range(10)
    ]
    for name in ("LogInterpretation", "RootCauseAnalysis", "SolutionRecommendation"):
        put(folder, f"{name}_with_reason.json", asked)
    switch = [{"input": f" port {n} down ", "output": "True"} for n in range(4)]
    for name in ("interpretation", "solution", "failure"):
        put(folder, f"loginstruct/{name}_hwswitch.json", switch)
    fault = {
        "raw_log": ["fine", "lost peer"],
        "levels": ["INFO", "WARN"],
        "time": ["2026-01-01 10:00:00", "2026-01-01 10:00:01"],
        "ori_line": [70, 71],
        "ad_label": [0, 1],
        "summary": "lost peer",
    }
    put(folder, "lofi/train.json", [fault])
    put(folder, "lofi/dev.json", [fault])
    put(tmp_path / "hadoop", "abnormal_label.txt", INCIDENTS)
    runs = {"0001": "well", "0003": "full", "0004": "gone"}
    for app, text in (
        *((f"1445087491445_{run}", text) for run, text in runs.items()),
        ("1445062781478_0001", "x"),
        ("1445062781478_0002", "y"),
    ):
        for number in (1, 2):
            put(
                tmp_path / "hadoop",
                f"application_{app}/container_{number}.log",
                f"{text} {number}\n",
            )
    return tmp_path


def test_systems_and_parts_are_those_of_the_sets(sets: Path) -> None:
    parsing = items(Task.PARSE, sets)
    assert [one.system for one in parsing[::200]] == [
        *("HDFS", "Hadoop", "Zookeeper", "BGL", "HPC", "Linux", "Proxifier")
    ]
    assert {one.system for one in parsing if one.part == "unseen"} == {
        *("Zookeeper", "HPC", "Proxifier")
    }
    assert parsing[0].options.rendering == "characters"
    anomalies = items(Task.ANOMALY, sets)
    assert [one.system for one in anomalies].count("BGL") == 194
    assert {one.part for one in anomalies if one.system == "Spirit"} == {"unseen"}


def test_corrected_labels_count_and_published_ones_are_kept(sets: Path) -> None:
    mended = [one for one in items(Task.ANOMALY, sets) if one.truth != one.published]
    assert [(one.lines, one.truth) for one in mended] == [(("event 5",), "abnormal")]


def test_sets_of_one_system_are_held_out_by_half(sets: Path) -> None:
    asked = items(Task.SOLUTION, sets, names=("apache-solution",))
    assert [one.part for one in asked] == ["seen"] * 5 + ["unseen"] * 5
    assert asked[3].lines == ("one 3", "two")
    assert asked[3].options.question == "What is 3?"
    assert items(Task.SOLUTION, sets, "unseen", ("apache-solution",)) == asked[5:]


def test_faults_name_the_lines_that_tell_of_them(sets: Path) -> None:
    first = next(one for one in items(Task.INTERPRET, sets) if one.set == "faults")
    assert first.telling == (2,)
    assert first.lines[1] == "2026-01-01 10:00:01 WARN lost peer"
    assert first.material.where(2) == "-:71"


def test_failures_are_verdicts(sets: Path) -> None:
    assert {one.truth for one in items(Task.FAILURE, sets)} == {"failure"}


def test_incidents_have_the_healthy_runs_of_their_application(sets: Path) -> None:
    told = items(Task.ROOT_CAUSE, sets, names=("incidents",))
    assert [(one.system, one.part, one.truth) for one in told] == [
        ("WordCount", "seen", "disk full"),
        ("WordCount", "unseen", "disk full"),
        ("PageRank", "unseen", "machine down"),
    ]
    assert told[0].lines == ("full 1", "full 2")
    assert told[0].material.where(2).endswith("container_2.log:1")
    assert [run.lines for run in told[0].options.healthy] == [("well 1", "well 2")]


def test_packed_sets_are_the_same(sets: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    packed = tmp_path_factory.mktemp("packed")
    for folder, name in (("reasoning", "reasoning"), ("hadoop", "hadoop_apps")):
        (packed / folder).mkdir()
        target = str(packed / folder / f"{name}.tar.zst")
        with (
            pa.CompressedOutputStream(target, "zstd") as stream,
            tarfile.open(fileobj=stream, mode="w|") as tar,
        ):
            tar.add(sets / folder, ".")
    for task in Task:
        assert items(task, packed) == items(task, sets)


def test_names_are_those_of_one_item(sets: Path) -> None:
    for task in Task:
        names = [one.name for one in items(task, sets)]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda f: f.unlink(), "is not among the reasoning sets"),
        (lambda f: f.write_text("{"), "the set 'anomalies' in .* is not as expected"),
        (lambda f: f.write_text('[{"label": "x"}]'), "is not as expected: KeyError"),
    ],
)
def test_what_is_not_as_it_should_be_is_one_sentence(
    sets: Path, spoil: Callable[[Path], object], told: str
) -> None:
    spoil(sets / "reasoning" / "AnomalyDetection_with_reason.json")
    with pytest.raises(InputError, match=told):
        items(Task.ANOMALY, sets)


def test_a_folder_without_sets_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the reasoning sets are not in"):
        items(Task.PARSE, tmp_path)


def test_the_real_sets(data: Path) -> None:
    if not (data / "reasoning").is_dir():
        pytest.skip(f"the reasoning sets are not at {data}")
    assert {task: len(items(task, data)) for task in Task} == {
        Task.PARSE: 1400,
        Task.ANOMALY: 332,
        Task.INTERPRET: 4256,
        Task.ROOT_CAUSE: 331,
        Task.SOLUTION: 4143,
        Task.FAILURE: 2653,
    }
    assert set(SETS) == {one.set for task in Task for one in items(task, data)}
