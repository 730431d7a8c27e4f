"""The rules suite: what is learned from, who is asked, the bars, rates, and what a table tells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from conftest import DATA
from logwright.bench.bar import Bar
from logwright.bench.fitted import Fitted, Make
from logwright.bench.hdfs import EventIds
from logwright.bench.kinds import kinds_in_both, without
from logwright.bench.labelled import LabelledLines, read_lines, windows_of
from logwright.bench.markdown import markdown
from logwright.bench.methods.rules import InducedRules
from logwright.bench.methods.rules_asked import RulesAsked
from logwright.bench.metrics import f1_of
from logwright.bench.parts import Part
from logwright.bench.protocol import Cut
from logwright.bench.rows import is_floor, load
from logwright.bench.rules_bars import bars
from logwright.bench.rules_drawn import MIXES, drawn
from logwright.bench.series import Lines, Ready
from logwright.bench.view import View
from logwright.cli.bench import app
from logwright.rules.language.emit import emit
from logwright.rules.language.gate import parse
from logwright.settings import Settings
from logwright.windows.window import Windows

pytestmark = pytest.mark.slow

TEXTS = [
    "job <*> done",
    "disk <*> failed",
    "link is down",
    "fan <*> failed",
    "backup <*> timed out",
]


def view(sequences: Sequence[Sequence[int]], truth: Sequence[bool], end: int) -> View:
    """Windows of lines, the first `end` of which are history."""
    part = Part(Windows.of_sequences([list(s) for s in sequences], "count"), np.array(truth))
    series = Ready(part, EventIds(len(TEXTS)), TEXTS)
    n = len(part)
    return View(series.split(Cut(0.0, slice(0, end), slice(end, end), slice(end, n))))


def judged(make: Make, held: View) -> tuple[list[bool], Any]:
    fitted = Fitted.of(make, held, 0)
    test = held.of(fitted.method.needs)[2].test
    return fitted.run(test).alarms.tolist(), fitted.method


# Disks fail in history; fans and links do later, and backups, of which nobody minds.
HISTORY = [[0, 0], [0, 1], [0, 0], [1, 0, 0], [0, 0], [1, 1]] * 20
LATER = [[0, 0], [0, 1], [0, 3], [0, 2], [0, 4], [0, 2], [0, 4], [1, 2]]
TRUE = [1 in s for s in HISTORY] + [bool({1, 2, 3} & set(s)) for s in LATER]


def test_rules_tell_what_history_held_and_words_what_is_worded_alike() -> None:
    held = view([*HISTORY, *LATER], TRUE, len(HISTORY))
    alarms, method = judged(InducedRules, held)
    assert alarms == [False, True, True, False, False, False, False, True]
    assert any("failed" in told for told in method.told)
    alarms, method = judged(partial(InducedRules, words=False), held)
    assert "rules, without" in method.name
    assert method.drafts
    assert not any(draft.basis == "words" for draft in method.drafts)


def test_what_only_one_form_of_window_supports_does_not_alarm() -> None:
    history = [[0, 0]] * 50 + [[0, 1]] * 4 + [[0, 0]] * 10
    later = [[0, 0], [0, 1]]
    held = view([*history, *later], [1 in s for s in (*history, *later)], len(history))
    alarms, method = judged(partial(InducedRules, words=False), held)
    assert method.drafts == []
    assert alarms == [False, False]


def test_new_templates_are_asked_about_once_and_what_rules_say_is_not_lost() -> None:
    held = view([*HISTORY, *LATER], TRUE, len(HISTORY))
    make: Any = partial(RulesAsked, rules=False)
    fitted = Fitted.of(make, held, 0)
    fitted.seal.open()
    test = held.of("labels")[2].test
    outcome = fitted.method.answer(test)  # type: ignore[attr-defined]
    assert outcome.asked == [3, 4]
    assert outcome.benign == 1
    assert outcome.flagged.tolist() == [False, True, True, True, True, True, False, True]
    assert outcome.answered.tolist() == test.truth.tolist()


def test_each_rule_is_asked_about_where_that_is_wanted() -> None:
    held = view([*HISTORY, *LATER], TRUE, len(HISTORY))
    fitted = Fitted.of(RulesAsked, held, 0)  # type: ignore[arg-type]
    fitted.seal.open()
    test = held.of("labels")[2].test
    outcome = fitted.method.answer(test)  # type: ignore[attr-defined]
    assert outcome.asked[0] == 1
    assert set(outcome.asked) > {3, 4}
    assert outcome.answered.tolist() == test.truth.tolist()


def test_a_rule_that_is_judged_benign_is_silent_afterwards() -> None:
    later = [[0, 1]] * 5
    truth = [1 in s for s in HISTORY] + [False] * 5
    held = view([*HISTORY, *later], truth, len(HISTORY))
    fitted = Fitted.of(RulesAsked, held, 0)  # type: ignore[arg-type]
    fitted.seal.open()
    outcome = fitted.method.answer(held.of("labels")[2].test)  # type: ignore[attr-defined]
    assert outcome.flagged.tolist() == [True, False, False, False, False]
    assert judged(InducedRules, held)[0] == [True] * 5


def test_texts_of_the_test_part_do_not_reach_the_search() -> None:
    held = view([*HISTORY, *LATER], TRUE, len(HISTORY))
    known = held.of("labels")[2].known
    assert known < len(
        TEXTS
    )  # else nothing would be under the seal, and this test would say nothing
    fitted = Fitted.of(InducedRules, held, 0)
    told = " ".join(fitted.method.told)  # type: ignore[attr-defined]
    assert "fan" not in told
    assert "link" not in told


def alerts(folder: Path, kinds: Sequence[str]) -> LabelledLines:
    log = folder / "a.log"
    texts = {"-": "all is well", "DISK": "disk failed", "LINK": "link is down", "FAN": "fan is off"}
    log.write_text("".join(f"{kind} {texts[kind]}\n" for kind in kinds))
    return read_lines([str(log)], Settings(label_prefix=True, session="none"))


def test_kinds_that_come_before_and_after_can_be_held_out(tmp_path: Path) -> None:
    lines = alerts(tmp_path, ["DISK", "FAN", "LINK", "-", "-", "LINK", "DISK"])
    assert kinds_in_both(lines, 5) == ["DISK", "LINK"]


@given(st.lists(st.sampled_from(["-", "DISK", "LINK"]), min_size=8, max_size=40), st.data())
def test_history_without_a_kind_is_the_rest_of_it(
    tmp_path_factory: pytest.TempPathFactory, kinds: list[str], data: st.DataObject
) -> None:
    kinds[0] = "DISK"
    lines = alerts(tmp_path_factory.mktemp("held"), kinds)
    end = data.draw(st.integers(2, len(kinds)))
    held = without(lines, end, "2", "DISK")
    names = [lines.kinds[code] or "-" for code in held.lines.kind.tolist()]
    wanted = [kinds[at : at + 2] for at in range(0, end, 2)]
    wanted[-1] = kinds[len(wanted) * 2 - 2 : end]
    before = [kind for window in wanted if "DISK" not in window for kind in window]
    assert names == [*before, *kinds[end:]]
    assert held.end == len(before)


def test_templates_of_a_kind_that_is_held_out_are_not_learned(tmp_path: Path) -> None:
    lines = alerts(tmp_path, ["-", "DISK", "-", "LINK"] * 10 + ["DISK", "-"] * 5)
    held = without(lines, 40, "2", "DISK")
    n = len(held.lines)
    series = Lines(held.lines, "2")
    split = series.split(
        Cut(0.0, slice(0, held.end), slice(held.end, held.end), slice(held.end, n))
    )
    texts = list(split.texts or ())
    assert texts.index("disk failed") >= split.known > texts.index("link is down")
    windows, *_ = windows_of(held.lines, np.arange(held.end, dtype=np.int64), "2")
    assert len(windows) == 10


def test_a_bar_is_met_from_its_value_on() -> None:
    assert Bar("a", "a", "F1", 0.97, 0.97).met
    assert not Bar("a", "a", "F1", 0.9699, 0.97).met
    assert not Bar("a", "a", "questions", 11, 10, most=True).met
    assert Bar("a", "a", "F1", 0.5, 0.97).told.endswith("MISSED")


def test_bars_take_the_worst_length_of_history() -> None:
    common = {"set": "bgl-windows20", "method": "rules"}
    rows = [
        {**common, "history": "40%", "precision": 0.99, "f1": 0.7},
        {**common, "history": "50%", "precision": 0.93, "f1": 0.8},
    ]
    found = {bar.key: bar for bar in bars(rows)}
    assert found["bgl20_precision"].value == 0.93
    assert not found["bgl20_precision"].met
    assert found["bgl20_f1"].value == 0.7
    assert found["bgl20_f1"].met


@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(MIXES)))
def test_drawn_rules_are_rules(seed: int, mix: str) -> None:
    texts = ["disk sda1 failed at 17", "job done in 12 ms: size=4096", "blk_17 <*> x"]
    rules = drawn(texts, 12, seed, mix)
    assert len(rules) == 12
    assert all(parse(emit(function)) == function for function in rules.values())
    assert mix != "words" or "number(" not in "".join(map(emit, rules.values()))
    assert rules == drawn(texts, 12, seed, mix)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Any]:
    """The result of a quick run, and its predictions."""
    if not DATA.is_dir():
        pytest.skip(f"the labelled logs are not at {DATA} (set LOGWRIGHT_TEST_DATA)")
    out = tmp_path_factory.mktemp("rules") / "out.json"
    done = CliRunner().invoke(
        app, ["run", "rules", "--quick", "--data", str(DATA), "--json", str(out)]
    )
    assert done.exit_code == 0, done.exception
    return load(out), pq.read_table(out.with_name("out-predictions.parquet"))


def test_tables_have_the_header_and_the_floors(ran: tuple[dict[str, Any], Any]) -> None:
    rows = [row for row in ran[0]["rows"] if "table" in row]
    told = {"lines", "grouping", "window", "windows", "positive_rate", "history"}
    told |= {"labels_used", "questions", "llm_calls", "llm_cost"}
    tables: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        assert told <= set(row), row["method"]
        tables.setdefault((row["set"], row["history"], row["table"]), []).append(row)
    assert {key[0] for key in tables} == {"bgl-raw", "bgl-windows20", "hdfs", "hadoop"}
    for key, mine in tables.items():
        floors = {row["method"] for row in mine if is_floor(row)}
        assert floors, key
        if key[0].startswith("bgl"):
            assert "keyword list" in floors
    text = markdown([ran[0]])
    assert "A quick run" in text
    assert "without KERNDTLB" in text


def test_rules_beat_the_floors_and_say_what_they_look_for(ran: tuple[dict[str, Any], Any]) -> None:
    result = ran[0]
    by = {(r["set"], r["history"], r["method"]): r for r in result["rows"] if "table" in r}
    mine = by["bgl-raw", "60 % + 10 %", "rules"]
    assert mine["rules"] <= 40
    floors = [r["f1"] for k, r in by.items() if k[:2] == ("bgl-raw", "60 % + 10 %") and is_floor(r)]
    assert mine["f1"] >= max(floors)
    said = result["summary"]["what the rules say"]["bgl-raw, history 60 % + 10 %"]
    assert any("data TLB error interrupt" in each for each in said)
    held = by["bgl-raw", "60 % + 10 %, without KERNDTLB", "rules, unseen, ask once"]
    alone = by["bgl-raw", "60 % + 10 %, without KERNDTLB", "rules"]
    assert held["f1"] > alone["f1"]
    assert 0 < held["questions"] <= 10


def test_predictions_make_the_figures_of_the_rows(ran: tuple[dict[str, Any], Any]) -> None:
    result, every = ran
    checked = 0
    for row in result["rows"]:
        if row.get("seeds") != 1:
            continue
        mine = every.filter(
            (pc.field("set") == f"{row['set']}, history {row['history']}")
            & (pc.field("method") == row["method"])
        )
        alarm, truth = (mine.column(name).to_numpy() for name in ("alarm", "truth"))
        assert len(mine) == row["windows"]
        assert f1_of(alarm, truth) == row["f1"], row["method"]
        checked += 1
    assert checked > 20


def test_rates_stand_beside_the_plain_functions(ran: tuple[dict[str, Any], Any]) -> None:
    rows = {row["what"]: row for row in ran[0]["rows"] if "what" in row}
    assert len(rows) == 12
    for name in ("HDFS-like", "BGL-like", "12 systems shuffled"):
        bare = rows[f"{name}: reading and windows alone"]
        ruled = rows[f"{name}: 10 rules of words"]
        assert ruled["not_compiled"] == 0
        assert ruled["lines"] == bare["lines"]
        assert ruled["hits"] > 0
        assert math.isfinite(ruled["times_plain"])
        assert ruled["times_plain_without_reading"] > 1


def test_what_was_aimed_at_is_told(ran: tuple[dict[str, Any], Any]) -> None:
    told = ran[0]["summary"]["bars"]
    assert any("one left out" in name for name in told)
    every = [line for lines in told.values() for line in lines]
    assert all(line.endswith(("met", "MISSED")) for line in every)
    assert "cluster start" in ran[0]["summary"]["hadoop"]
