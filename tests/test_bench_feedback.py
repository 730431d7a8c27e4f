"""The feedback suite: rows as in the detection suites, curves, costs, and what each window got."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from conftest import DATA
from logwright.bench.asking import Expert
from logwright.bench.hdfs import EventIds
from logwright.bench.markdown import markdown
from logwright.bench.metrics import f1_of
from logwright.bench.parts import Part, Train
from logwright.bench.policies import Policy, RareLately
from logwright.bench.rows import is_floor, load
from logwright.cli.bench import app
from logwright.windows.window import Windows

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Any]:
    """The result of a quick run, and its predictions."""
    if not DATA.is_dir():
        pytest.skip(f"the labelled logs are not at {DATA} (set LOGWRIGHT_TEST_DATA)")
    out = tmp_path_factory.mktemp("feedback") / "out.json"
    done = CliRunner().invoke(
        app, ["run", "feedback", "--quick", "--data", str(DATA), "--json", str(out)]
    )
    assert done.exit_code == 0, done.exception
    return load(out), pq.read_table(out.with_name("out-predictions.parquet"))


def test_ask_once_tells_rows_curves_and_costs(ran: tuple[dict[str, Any], Any]) -> None:
    result = ran[0]
    by = {(row["set"], row["history"], row["method"]): row for row in result["rows"]}
    name = "bgl-windows20"
    asked, nobody = (by[name, "20%", f"judge: {who}"] for who in ("ask once", "nobody answers"))
    floors = [row["f1"] for key, row in by.items() if key[0] == name and is_floor(row)]
    assert asked["f1"] > max(nobody["f1"], *floors)
    assert asked["f1_answered"] >= asked["f1"]
    assert nobody["questions"] == 0 < asked["benign"] <= asked["questions"] <= 100
    assert asked["unit"] == "template"
    assert by["hdfs", "60%", "judge: ask once"]["unit"] == "count_vector"
    assert [p["questions"] for p in result["curves"]["bgl"]] == [0, 1, 2]
    assert result["times"]["verdict_ms"] < 1
    assert result["settings"]["quick"] is True
    assert "A quick run" in markdown([result])


def test_every_table_has_the_header_and_the_floors_of_the_others(
    ran: tuple[dict[str, Any], Any],
) -> None:
    rows = ran[0]["rows"]
    told = {"lines", "grouping", "window", "windows", "positive_rate", "distinct_windows"}
    told |= {"test_seen_in_train", "labels_used", "questions", "llm_calls", "llm_cost"}
    tables: dict[tuple[str, str, str], set[str]] = {}
    for row in rows:
        assert told <= set(row), row["method"]
        tables.setdefault((row["set"], row["history"], row["table"]), set()).add(row["method"])
    assert {key[2] for key in tables} == {"no labels", "questions asked"}
    assert len(tables) == 8  # two sets, two lengths of history
    for (name, _, _), methods in tables.items():
        floors = {"flag all", "flag none", "unseen template", "unseen length"}
        assert floors < methods
        assert ("keyword list" in methods) is (name == "bgl-windows20")


def test_predictions_make_the_figures_of_the_rows(ran: tuple[dict[str, Any], Any]) -> None:
    result, every = ran
    for row in result["rows"]:
        if row["seeds"] > 1:
            continue
        mine = every.filter(
            (pc.field("set") == f"{row['set']}, history {row['history']}")
            & (pc.field("method") == row["method"])
        )
        alarm, truth = (mine.column(name).to_numpy() for name in ("alarm", "truth"))
        assert len(mine) == row["windows"]
        assert f1_of(alarm, truth) == row["f1"], row["method"]
        asked = mine.column("asked")
        if row["table"] == "questions asked" and not is_floor(row):
            assert pc.sum(asked).as_py() == row["questions"]
        else:
            assert asked.null_count == len(mine)


def history(sequences: list[list[int]]) -> Train:
    windows = Windows.of_sequences(sequences)
    return Train(windows, None, windows, EventIds(50), None, 40)


def judged(policy: Policy, truth: list[bool], sequences: list[list[int]]) -> NDArray[np.bool_]:
    # Make-ups that are always new: only templates are worth a question.
    draw = np.random.default_rng(0)
    policy.fit(history([draw.integers(0, 40, size=9).tolist() for _ in range(300)]))
    assert policy.unit == "template"
    test = Part(Windows.of_sequences(sequences), np.array(truth))
    return policy.answer(test).flagged


def test_a_policy_is_judged_with_its_own_expert() -> None:
    sequences, truth = [[0, 40], [0, 1], [0, 40], [0, 40]], [False] * 4
    at_once = Policy("a", Expert(), day=9)
    assert judged(at_once, truth, sequences).tolist() == [True, False, False, False]
    assert at_once.outcome is not None
    assert at_once.outcome.asked == [0]
    late = Policy("b", Expert(delay=3), day=9)
    assert judged(late, truth, sequences).tolist() == [True, False, True, False]


def test_questions_are_limited_by_the_day() -> None:
    sequences, truth = [[0, 40], [0, 41], [0, 42], [0, 43]], [True] * 4
    for day, asked in ((2, [0, 2]), (4, [0])):
        policy = Policy("a", Expert(per_day=1), day=day)
        judged(policy, truth, sequences)
        assert policy.outcome is not None
        assert policy.outcome.asked == asked


def test_only_an_expert_who_errs_is_asked_with_several_seeds() -> None:
    assert Policy("a", Expert(wrong=0.1), day=1).seeded
    assert not Policy("a", Expert(), day=1).seeded


def test_what_is_rare_lately_scores_above_what_is_common() -> None:
    windows = [[t % 8 for t in range(8)] * 9] * 600 + [[8]]
    rare = RareLately()
    rare.fit(history([[0]]))
    scores = rare.score(Windows.of_sequences(windows))
    assert scores[-1] > scores[-2]
    assert 0 <= scores.min() <= scores.max() <= 1
