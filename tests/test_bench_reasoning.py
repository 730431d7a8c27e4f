"""The suite of reasoning: what is right, what silence earns, floors, costs, and the tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from conftest import DATA
from logwright.bench import reasoning_scores
from logwright.bench.markdown import markdown
from logwright.bench.plain import text
from logwright.bench.reasoning_asked import Asked, ask, costs, form
from logwright.bench.reasoning_bars import bars
from logwright.bench.reasoning_causal import DEVELOPED
from logwright.bench.reasoning_cost import LINES, answer_first, incident, written
from logwright.bench.reasoning_floors import SIMILAR, floors
from logwright.bench.reasoning_runs import alarmed, healthy_runs, judged_runs
from logwright.bench.reasoning_sets import Item, items
from logwright.bench.results import run_suite
from logwright.bench.rows import is_floor, load
from logwright.cli.bench import app
from logwright.errors import LogwrightError
from logwright.llm.errors import ModelAnswerError, Waiting
from logwright.reasoning.answer import Answer, Citation, Step
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options
from logwright.reasoning.task import Task

pytestmark = pytest.mark.slow


def item(task: Task, lines: Iterable[str], truth: str, right: Any = "verdict", **more: Any) -> Item:
    material = Material.of_lines(list(lines))
    told: dict[str, Any] = {"set": "own", "system": "x", "part": "unseen", "place": 0}
    return Item(task=task, material=material, truth=truth, right=right, **{**told, **more})


def said(of: Item, verdict: str, *cited: int, enough: bool = True, text: str = "") -> Asked:
    citations = tuple(Citation(line=n, quote=of.material.text(n)) for n in cited)
    answer = Answer(
        task=of.task,
        verdict=verdict,
        text=text,
        citations=citations,
        confidence=0.5,
        enough=enough,
    )
    return Asked(of, answer, 1.0, 1.0)


class Told:
    """An engine that says what it is given, or raises it."""

    name = "told"

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[Options] = []

    def answer(self, task: Task, material: Material, options: Options) -> Answer:
        self.asked.append(options)
        told = self.answers[(len(self.asked) - 1) % len(self.answers)]
        if isinstance(told, Exception):
            raise told
        return told


def texts_compared() -> None:
    """Skips where the extra is not installed that compares texts."""
    pytest.importorskip("rouge_score")
    pytest.importorskip("sacrebleu")


NORMAL = item(Task.ANOMALY, ["all is well"], "normal", published="normal")
BROKEN = item(Task.ANOMALY, ["disk failed"], "abnormal", published="normal", place=1)
WELL = Answer(
    task=Task.ANOMALY,
    verdict="normal",
    text="",
    citations=(Citation(line=1, quote="all is well"),),
    confidence=1,
)


def test_an_answer_that_does_not_hold_is_counted_and_one_that_cannot_come_ends_the_run() -> None:
    asked = ask(Told(ModelAnswerError("it broke"), WELL), [NORMAL, NORMAL])
    assert [one.said for one in asked] == ["", "normal"]
    assert form(asked)["well_formed"] == form(asked)["answered"] == 0.5
    with pytest.raises(ModelAnswerError):
        ask(Told(ModelAnswerError("wrong key", final=True)), [NORMAL])


def test_all_requests_of_a_batch_lie_there_before_the_run_ends() -> None:
    engine = Told(Waiting(Path("b"), 1), Waiting(Path("b"), 2))
    with pytest.raises(Waiting, match="2 requests"):
        ask(engine, [NORMAL, BROKEN])
    assert len(engine.asked) == 2


def test_citations_are_checked_by_the_suite_itself() -> None:
    false = WELL.model_copy(update={"steps": (Step(text="x", citations=(BAD,)),)})
    told = form([Asked(NORMAL, false, 0, 0), Asked(NORMAL, WELL, 0, 0)])
    assert told["citations_valid"] == round(2 / 3, 4)
    assert told["well_formed"] == 0.5


BAD = Citation(line=1, quote="disk failed")


def test_silence_is_no_alarm_and_earns_nothing() -> None:
    silent = [said(NORMAL, "", enough=False), said(BROKEN, "abnormal", enough=False)]
    assert reasoning_scores.anomalies(silent)["f1"] == 0.0
    parsed = item(Task.PARSE, ["job 7 done"], "job <*> done")
    assert reasoning_scores.templates([said(parsed, "job <*> done", enough=False)])["exact"] == 0.0
    texts_compared()
    wrote = item(Task.INTERPRET, ["disk failed"], "the disk of node 7 failed", "text")
    quiet = said(wrote, "", enough=False, text="the disk of node 7 failed")
    assert reasoning_scores.texts([quiet])["rouge_l"] == 0.0


def test_anomalies_stand_beside_the_labels_as_they_were_published() -> None:
    told = reasoning_scores.anomalies([said(NORMAL, "abnormal"), said(BROKEN, "abnormal")])
    assert (told["precision"], told["recall"], told["positive_rate"]) == (0.5, 1.0, 0.5)
    assert told["positive_rate_published"] == 0.0
    assert "f1_published" not in told  # nothing to find there


def test_templates_count_tokens_and_whole_templates_by_system() -> None:
    one = item(Task.PARSE, ["job 7 done"], "job <*> done", system="a")
    two = item(Task.PARSE, ["job 8 of me done"], "job <*> of <*> done", system="b")
    told = reasoning_scores.templates([said(one, "job <*> done"), said(two, "job <*> of me done")])
    assert told["exact"] == 0.5
    assert told["exact_by_system"] == {"a": 1.0, "b": 0.0}
    assert told["token_f1_by_system"] == {"a": 1.0, "b": 0.6667}


FAULTS = [
    item(Task.ROOT_CAUSE, ["a", "b", "c", "disk is full"], truth, telling=(4,), place=place)
    for place, truth in enumerate(["disk full", "machine down", "machine down", "machine down"])
]


def test_a_constant_answer_has_the_macro_recall_of_one_class() -> None:
    told = reasoning_scores.causes([said(one, "machine down", 1) for one in FAULTS])
    assert (told["accuracy"], told["macro_recall"]) == (0.75, 0.5)
    assert told["confusion"]["disk full as machine down"] == 1
    silent = reasoning_scores.causes([said(one, "", enough=False) for one in FAULTS])
    assert silent["macro_recall"] == 0.0
    assert silent["confusion"]["disk full as not enough evidence"] == 1


def test_a_line_that_tells_of_the_fault_has_to_be_among_the_first_three_cited() -> None:
    first = said(FAULTS[0], "disk full", 1, 2, 4)
    late = said(FAULTS[1], "disk full", 1, 2, 3, 4)
    assert reasoning_scores.causes([first, late])["causal_in_first_3"] == 0.5
    assert reasoning_scores.causes([first, Asked(FAULTS[1], None, 0, 0)])["with_causal_lines"] == 2


verdicts = st.sampled_from(["abnormal", "normal"])


@given(st.lists(st.tuples(verdicts, verdicts, st.booleans()), min_size=1, max_size=30))
def test_silence_never_beats_saying_normal(drawn: list[tuple[str, str, bool]]) -> None:
    made = [replace(NORMAL, truth=truth, published=truth) for truth, _, _ in drawn]
    quiet = [said(o, v, enough=e) for o, (_, v, e) in zip(made, drawn, strict=True)]
    loud = [said(o, v if e else "normal") for o, (_, v, e) in zip(made, drawn, strict=True)]
    assert reasoning_scores.alarms(quiet) == reasoning_scores.alarms(loud)


@pytest.mark.parametrize("truth", ["abnormal", "normal"])
def test_floors_of_alarms_are_constants_and_words_for_trouble(truth: str) -> None:
    made = [replace(NORMAL, truth=truth), BROKEN]
    told = {name: [one.said for one in asked] for name, asked in floors(made, [])}
    assert told["floor: flag all"] == ["abnormal", "abnormal"]
    assert told["floor: flag none"] == ["normal", "normal"]
    assert told["floor: keyword list"] == ["normal", "abnormal"]


def test_a_floor_of_failures_reads_the_grade_that_a_switch_gives() -> None:
    lines = ("FAN/3/GONE: a fan is gone", "FAN/6/BACK: a fan is back", "no head")
    made = [item(Task.FAILURE, [line], "failure") for line in lines]
    told = dict(floors(made, []))["floor: grade of the head, 4 or worse"]
    assert [one.said for one in told] == ["failure", "no failure", "no failure"]


def test_the_most_similar_item_is_never_the_item_itself() -> None:
    made = [
        item(Task.SOLUTION, [f"the {word} of node failed"], f"mend the {word}", "text", place=n)
        for n, word in enumerate(("disk", "disk", "fan"))
    ]
    made[1] = replace(made[1], truth="another disk")
    told = dict(floors(made, made))[SIMILAR]
    assert told[0].said == "another disk"
    assert told[1].said == "mend the disk"
    assert SIMILAR not in dict(floors(made[:1], made[:1]))


def test_floors_of_incidents_name_one_class_and_cite_what_is_worst() -> None:
    lines = ["1 INFO a", "2 WARN b", "3 ERROR c", "4 FATAL d", "5 WARN e"]
    made = [item(Task.ROOT_CAUSE, lines, truth) for truth in ("disk full", "machine down")]
    told = dict(floors(made, []))
    assert len(told) == 2
    for asked in told.values():
        assert form(asked)["citations_valid"] == 1.0
        assert answered(asked[0]) == [2, 3, 4]


def answered(one: Asked) -> list[int]:
    assert one.answer is not None
    return [citation.line for citation in one.answer.citations]


steps = st.lists(st.text("ab c", min_size=1, max_size=40), max_size=5)


@given(steps, st.sampled_from(["normal", "abnormal"]), st.text("de f\n", max_size=30))
def test_answering_first_never_costs_more(thought: list[str], verdict: str, more: str) -> None:
    answer = WELL.model_copy(
        update={
            "verdict": verdict,
            "text": more,
            "steps": tuple(Step(text=one) for one in thought),
            "citations": (),
        }
    )
    fast, full = written(answer, fast=True), written(answer, fast=False)
    assert fast[0] <= full[0]
    assert fast[1] <= full[1]


def test_what_a_language_model_wrote_is_counted_by_itself_in_both_modes() -> None:
    full, quick = (WELL.model_copy(update={"tokens": n}) for n in (100, 10))
    engine = Told(quick)
    (row,) = answer_first("own", engine, [Asked(NORMAL, full, 1, 1)])
    assert (row["tokens_full"], row["tokens_fast"], row["times_fewer"]) == (100, 10, 10)
    assert [options.fast for options in engine.asked] == [True]
    assert not list(answer_first("own", engine, [Asked(NORMAL, WELL, 1, 1)]))
    assert costs([Asked(NORMAL, full, 1, 1)])["tokens_mean"] == 100


def test_bars_are_on_held_out_items_of_the_engine() -> None:
    row = {"table": "templates", "method": "mine", "source": "unseen: x", "token_f1": 0.95}
    row |= {"exact": 0.5, "citations_valid": 0.99}
    others = [{**row, "source": "seen: y", "token_f1": 0.1}, {**row, "method": "floor: x"}]
    told = {bar.key: bar for bar in bars([row, *others], "mine")}
    assert told["templates_token_f1"].value == 0.95
    assert told["templates_token_f1"].met
    assert not told["templates_exact"].met
    assert not told["citations_valid"].met


def test_only_this_suite_asks_a_language_model(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["run", "formats", "--llm", "replay:x", "--data", str(tmp_path)])
    assert isinstance(done.exception, LogwrightError)
    assert "asks no language model" in str(done.exception)


def test_held_out_incidents_are_of_all_classes(data: Path) -> None:
    found = items(Task.ROOT_CAUSE, data, names=("incidents",))
    assert [sum(one.part == part for one in found) for part in ("seen", "unseen")] == [10, 21]
    assert {one.system for one in found if one.part == "unseen"} == {"WordCount", "PageRank"}
    for part in ("seen", "unseen"):
        assert len({one.truth for one in found if one.part == part}) == 3
    runs = [one.material.where(1).partition("/")[0] for one in found if one.part == "seen"]
    assert DEVELOPED.issuperset(runs)


def test_each_healthy_run_is_judged_once_beside_the_others() -> None:
    well = tuple(Material.of_lines([f"ok {n}"], f"application_{n}/a.log") for n in range(3))
    options = Options(healthy=well)
    failed = [replace(one, options=options) for one in FAULTS]
    runs = healthy_runs(failed, Task.FAILURE)
    assert [one.lines for one in runs] == [("ok 0",), ("ok 1",), ("ok 2",)]
    assert all(one.material not in one.options.healthy for one in runs)
    assert all(len(one.options.healthy) == 2 for one in runs)
    assert [one.truth for one in judged_runs(failed)] == ["abnormal"] * 4 + ["normal"] * 3
    told = [said(runs[0], "failure"), said(runs[1], "no failure"), said(runs[2], "", enough=False)]
    assert alarmed(told) == 0.3333


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The result of a quick run."""
    if not DATA.is_dir():
        pytest.skip(f"the labelled logs are not at {DATA} (set LOGWRIGHT_TEST_DATA)")
    texts_compared()
    out = tmp_path_factory.mktemp("reasoning") / "out.json"
    done = CliRunner().invoke(
        app, ["run", "reasoning", "--quick", "--data", str(DATA), "--json", str(out)]
    )
    assert done.exit_code == 0, done.exception
    return load(out)


def test_every_table_has_its_floors_and_both_parts(ran: dict[str, Any]) -> None:
    for table in ("templates", "anomalies", "failures ahead", "incidents", "runs", "texts"):
        rows = [row for row in ran["rows"] if row["table"] == table]
        parts = {str(row.get("set", row.get("source"))) for row in rows}
        assert any("unseen" in part for part in parts)
        assert any("unseen" not in part for part in parts)
        for part in parts:
            mine = [row for row in rows if part in (row.get("set"), row.get("source"))]
            assert any(map(is_floor, mine)), part
            assert [row["method"] for row in mine].count("evidence") == 1, part


def test_citations_hold_and_forms_too(ran: dict[str, Any]) -> None:
    mine = [row for row in ran["rows"] if "well_formed" in row]
    assert mine
    assert all(row["well_formed"] == 1.0 for row in mine)
    assert all(row.get("citations_valid", 1.0) == 1.0 for row in mine)


def test_tables_fit_a_screen_and_a_page(ran: dict[str, Any]) -> None:
    assert max(map(len, text(ran).splitlines())) <= 230
    assert "A quick run" in markdown([ran])
    assert "times fewer tokens before the answer" in text(ran)


def test_a_language_model_is_asked_the_same(data: Path) -> None:
    texts_compared()
    engine = Told(ModelAnswerError("nothing that holds"))
    result = run_suite("reasoning", data, True, None, engine)
    mine = [row for row in result["rows"] if row["method"] == "told" and "well_formed" in row]
    assert mine
    assert all(row["well_formed"] == 0.0 for row in mine)
    assert not any("llm_calls" in row for row in mine)


def test_the_incident_that_is_timed_has_ten_thousand_lines(data: Path) -> None:
    material, healthy = incident(data)
    assert len(material) == LINES
    assert healthy
