"""What is made of result files: a page, Markdown, a comparison; and the list of suites."""

from __future__ import annotations

import copy
import importlib
import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from logwright.bench.compare import compare
from logwright.bench.markdown import markdown
from logwright.bench.methods import floors
from logwright.bench.report import page, write_report
from logwright.bench.rows import checked, identity, is_floor, load
from logwright.bench.suites import SUITES
from logwright.cli.bench import Suite, app
from logwright.errors import LogwrightError

MACHINE = {"cpu": "one", "cores": 2, "kernel": "C kernel", "python": "3.11.7"}


def row(method: str, f1: float, table: str = "no labels", **more: Any) -> dict[str, Any]:
    """A row of a detection suite, whose precision and recall are equal."""
    return {
        "table": table,
        "set": "hdfs",
        "lines": "blocks 1-460,048",
        "grouping": "block",
        "window": "session",
        "method": method,
        "labels_used": "all" if table == "labels" else "normal windows chosen",
        "questions": 0,
        "llm_calls": 0,
        "llm_cost": 0,
        "offsets": 5,
        "seeds": 3,
        "windows": 82_000,
        "positive_rate": 0.0311,
        "distinct_windows": 122,
        "test_seen_in_train": 0.9686,
        "precision": f1,
        "recall": f1,
        "f1": f1,
        "f1_low": max(f1 - 0.1, 0.0),
        "f1_high": min(f1 + 0.1, 1.0),
        "f1_ci_low": max(f1 - 0.01, 0.0),
        "f1_ci_high": min(f1 + 0.01, 1.0),
        **more,
    }


def result(rows: Sequence[dict[str, Any]], suite: str = "hdfs", **more: Any) -> dict[str, Any]:
    return {
        "suite": suite,
        "machine": dict(MACHINE),
        "data": "sessions in order of time",
        "settings": {"offsets": 5},
        "rows": list(rows),
        "summary": {},
        **more,
    }


ALL = result(
    [
        row("ladder", 0.99, stress={"label noise 1 %": 0.9, "renamed": {"10 %": 0.25}}),
        row("flag all", 0.06),
        row("PCA", 0.8, recall_by_kind={"KERNMC": 0.0, "APPREAD": 1.0}, note="a | b <i>c</i>"),
        row("ladder, asked", 0.999, "questions asked", questions=113),
        row("decision tree", 0.97, "labels", f1_random_split=0.999),
        row("ECVC", 0.96, "published protocol, tuned on test"),
    ],
    times={"ladder": {"fit": [1.0, 1.1, 1.05]}},
    curves={"hdfs": [{"questions": 0, "f1": 0.8}, {"questions": 9, "f1": 0.99}]},
)


class Page(HTMLParser):
    """The text of cells by row, and all that could reach outside or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href"):
                self.links.append(value or "")
            assert not name.startswith("on")
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] = f"{self.rows[-1][-1]} {data.strip()}".strip()


def test_a_page_says_all_that_a_table_needs() -> None:
    text = page([ALL])
    for said in (
        "blocks 1-460,048",
        "3.11 %",
        "96.9 %",
        "122",
        "normal windows chosen",
        "LLM cost",
        "0.890 to 1.000",
        "0.980 to 1.000",
        "3.11.7",
    ):
        assert said in text, said
    order = [text.index(f"<h3>{name}") for name in ("no labels", "questions", "labels", "publ")]
    assert order == sorted(order)
    assert text.index('class="part apart"') > text.index("<h3>labels")
    heads = [r for r in Page(text).rows if r[0] == "ladder, asked"]
    assert heads, "a row is missing"


def test_what_a_row_does_not_state_is_said() -> None:
    silent = row("PCA", 0.5)
    del silent["llm_calls"], silent["llm_cost"]
    assert "not stated" in page([result([silent])])
    assert "not stated LLM calls, LLM cost" in markdown([result([silent])])


def test_labels_that_differ_stand_beside_the_figures() -> None:
    text = markdown([result([row("PCA", 0.5), row("rare", 0.4, labels_used="none")])])
    assert "| method | labels used | F1 |" in text


def test_a_page_needs_nothing_else_and_escapes_what_it_shows() -> None:
    evil = "<script>alert(1)</script>"
    bad = result(
        [row(evil, 0.5, note=evil), {"what": evil, evil: evil}],
        data=evil,
        settings={evil: evil},
        summary={evil: evil, "why": {evil: [evil]}},
        curves={evil: [{"questions": 0, "f1": 0.5}]},
    )
    bad["suite"] = evil
    text = page([bad, bad])
    found = Page(text)
    assert "script" not in found.tags
    assert all(link.startswith(("#", "data:image/svg+xml;base64,")) for link in found.links)
    assert "default-src 'none'" in text
    assert "http" not in re.sub(r"data:[^\"]*|http-equiv", "", text)
    assert "prefers-color-scheme: dark" in text


def test_floors_are_marked_and_rows_go_from_high_to_low() -> None:
    rows = [r for r in Page(page([ALL])).rows if r[0].split()[0] in ("ladder", "PCA", "flag")]
    assert [r[0] for r in rows[:3]] == ["ladder", "PCA", "flag all floor"]
    assert "| floor: flag all | 0.0600 |" in markdown([ALL])
    names = {
        getattr(floors, name).name
        for name in dir(floors)
        if name[0].isupper() and isinstance(getattr(getattr(floors, name), "name", None), str)
    }
    assert names
    assert all(is_floor({"method": name}) for name in names)


def test_every_column_sorts_without_a_script() -> None:
    text = page([result([row("b", 0.5, pr_auc=0.1), row("a", 0.4, pr_auc=0.9), row("c", 0.3)])])
    heads = next(r for r in Page(text).rows)
    by = heads.index("PR-AUC")
    places = [
        dict(re.findall(r"--c(\d+):(\d+)", re.search(rf"#t0r{i}{{([^}}]*)}}", text)[1]))
        for i in range(3)
    ]
    assert [p[str(by)] for p in places] == ["1", "0", "2"]  # what is absent stands last
    assert [p["0"] for p in places] == ["1", "0", "2"]  # text by the alphabet
    assert f".by{by}:checked~.scroll tbody tr{{order:var(--c{by})}}" in text
    assert f'<label for="t0c{by}">PR-AUC</label>' in text


def test_markdown_splits_wide_tables_and_shortens_objects() -> None:
    text = markdown([ALL])
    widths = [
        line.count("|") - 1 - line.count("\\|")
        for line in text.splitlines()
        if line.startswith("| ")
    ]
    assert max(widths) <= 12
    assert "1 of 2 in full, KERNMC 0.00" in text
    assert "label noise 1 % | renamed, 10 %" in text
    assert "a \\| b \\<i>c\\</i>" in text
    assert "\n> Not comparable" in text


def test_a_quick_run_is_told_apart() -> None:
    quick = result([row("PCA", 0.5)], settings={"quick": True})
    for text in (page([quick]), markdown([quick])):
        assert "its figures mean nothing" in text
    assert "mean nothing" not in page([ALL])


def test_other_suites_are_one_table() -> None:
    rates = result([{"what": "a", "seconds": 1.5}, {"what": "b", "seconds": 2.5}], "throughput")
    assert "| a | 1.5 |" in markdown([rates])
    assert ["a", "1.5"] in Page(page([rates])).rows


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"precision": 0.886, "recall": 0.893, "f1": 0.966}, "make F1 0.889, not 0.966"),
        ({"f1": 1.2}, "from 0 to 1"),
        ({"f1": "high"}, "from 0 to 1"),
        ({"f1": 0.5, "f1_low": 0.6, "f1_high": 0.7}, "not within its range"),
    ],
)
def test_a_row_that_cannot_be_true_is_refused(
    tmp_path: Path, bad: dict[str, Any], said: str
) -> None:
    path = tmp_path / "typed.json"
    path.write_text(json.dumps(result([{"method": "LogAnomaly", **bad}])), "utf-8")
    with pytest.raises(LogwrightError, match=said) as refused:
        load(path)
    assert "LogAnomaly" in str(refused.value)


def test_means_of_a_paper_need_not_be_one_triple() -> None:
    means = row("ECVC", 0.96, "published protocol, tuned on test", seeds=25)
    means |= {"precision": 0.99, "recall": 0.99}
    assert checked(result([means]), "x")
    with pytest.raises(LogwrightError, match="make F1"):
        checked(result([{**means, "table": "labels"}]), "x")


@pytest.mark.parametrize("text", ["", "[]", '{"suite": "x"}', '{"rows": {}}', "\x00"])
def test_a_file_that_is_no_result_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, "utf-8")
    with pytest.raises(LogwrightError, match="no result file"):
        load(path)
    with pytest.raises(LogwrightError, match="cannot be read"):
        load(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("curve", "said"),
    [
        (3, "a curve is no list of points"),
        ({"x": 3}, "a curve is no list"),
        ([3], "a point of a curve"),
        ([{"questions": "many", "f1": 0.5}], "a point of a curve"),
    ],
)
def test_a_curve_of_another_form_is_refused(curve: Any, said: str) -> None:
    with pytest.raises(LogwrightError, match=said):
        checked(result([], curves={"x": curve}), "x.json")


def test_committed_results_are_possible() -> None:
    for path in (Path(__file__).parents[1] / "bench" / "results").glob("*.json"):
        assert load(path)["rows"], path.name


def verdicts(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    found = compare(old, new)
    return {f"{c.row}: {c.figure}": c.verdict for c in found.changes if c.verdict != "same"}


def test_a_score_counts_outside_of_the_intervals_only() -> None:
    old = result([row("PCA", 0.8)])
    assert verdicts(old, result([row("PCA", 0.795)])) == {}
    worse = verdicts(old, result([row("PCA", 0.75)]))
    assert set(worse.values()) == {"worse"}
    assert any(name.endswith(": f1") for name in worse)
    assert set(verdicts(result([row("PCA", 0.75)]), old).values()) == {"better"}


def test_a_wide_range_over_offsets_hides_no_loss() -> None:
    wide = {"f1_low": 0.1, "f1_high": 0.95}
    old, new = (result([row("PCA", f1, **wide)]) for f1 in (0.8, 0.6))
    assert "worse" in verdicts(old, new).values()


def test_without_a_bootstrap_the_range_is_the_noise() -> None:
    rows = [row("PCA", f1, f1_low=0.5, f1_high=0.9) for f1 in (0.8, 0.6)]
    for one in rows:
        del one["f1_ci_low"], one["f1_ci_high"]
    assert verdicts(result(rows[:1]), result(rows[1:])) == {}


def test_rows_are_paired_by_what_they_are_not_by_where_they_stand() -> None:
    rows = [row("PCA", 0.8), row("PCA", 0.3, "labels"), row("ladder", 0.9)]
    assert verdicts(result(rows), result(rows[::-1])) == {}
    assert len({identity(one) for one in rows}) == 3
    assert set(verdicts(result(rows), result(rows[:2])).values()) == {"gone"}
    assert compare(result(rows), result(rows[:2])).worse


def test_rates_count_beyond_five_percent_and_on_one_machine() -> None:
    def rates(value: float, **machine: Any) -> dict[str, Any]:
        one = result([{"what": "shapes", "M_lines_per_s": value}], "throughput")
        one["machine"] |= machine
        return one

    assert verdicts(rates(5.0), rates(4.8)) == {}
    assert verdicts(rates(5.0), rates(4.7)) == {"shapes: M_lines_per_s": "worse"}
    other = compare(rates(5.0), rates(1.0, cpu="another"))
    assert not other.changes
    assert "another" in other.notes[0]
    assert "not compared" in other.notes[0]


def test_seconds_with_repeats_count_beyond_their_spread() -> None:
    def timed(*seconds: float) -> dict[str, Any]:
        return result([], times={"PCA": {"fit": list(seconds)}})

    assert verdicts(timed(1.0, 1.3, 1.1), timed(1.2, 1.4, 1.3)) == {}
    assert verdicts(timed(1.0, 1.1, 1.05), timed(1.5, 1.6, 1.55)) == {"PCA, fit: seconds": "worse"}


def test_seconds_taken_once_are_told_and_fail_nothing() -> None:
    def timed(seconds: float) -> dict[str, Any]:
        return result([row("PCA", 0.8)], times={"hdfs session": {"PCA": {"fit_seconds": seconds}}})

    assert verdicts(timed(1.0), timed(1.2)) == {}
    found = compare(timed(1.0), timed(3.0))
    assert [c.verdict for c in found.changes if c.verdict != "same"] == ["slower"]
    assert not found.worse
    assert set(verdicts(timed(3.0), timed(1.0)).values()) == {"faster"}


@pytest.mark.parametrize(
    ("figure", "old", "near", "worse"),
    [
        ("questions", 100, 109, 150),
        ("alarms_per_day", 50.0, 54.0, 70.0),
        ("alarms_per_10k", 50.0, 54.0, 70.0),
        ("lines_to_first_alarm", 20.0, 21.0, 40.0),
        ("seconds_to_first_alarm", 60.0, 65.0, 120.0),
        ("recall_by_kind", {"disk": 1.0}, {"disk": 0.95}, {"disk": 0.5}),
        (
            "stress",
            {"renamed": {"10 %": 0.9}},
            {"renamed": {"10 %": 0.85}},
            {"renamed": {"10 %": 0.2}},
        ),
    ],
)
def test_what_finding_costs_and_what_is_missed_under_stress_are_compared(
    figure: str, old: Any, near: Any, worse: Any
) -> None:
    before, close, after = (result([row("PCA", 0.8, **{figure: v})]) for v in (old, near, worse))
    assert verdicts(before, close) == {}
    assert set(verdicts(before, after).values()) == {"worse"}
    assert set(verdicts(after, before).values()) == {"better"}


def test_tables_do_not_deny_the_labels_that_chose_the_normal_windows() -> None:
    asked = result([row("judge: ask once", 0.9, "questions asked", questions=9)])
    text = markdown([asked])
    assert "nothing else was labelled" not in text
    assert "labels had also chosen the normal windows" in text
    assert "semi-supervised" in markdown([result([row("PCA", 0.9)])])


def test_the_list_looks_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGWRIGHT_DATA", str(tmp_path / "mine"))
    assert f"Not in {tmp_path / 'mine'}" in CliRunner().invoke(app, ["list"]).output


def test_two_suites_are_not_compared_and_other_data_are_told() -> None:
    with pytest.raises(LogwrightError, match="two suites"):
        compare(result([], "hdfs"), result([], "hadoop"))
    notes = compare(result([]), result([], data="another cut", settings={"quick": True})).notes
    assert [note.split(":")[0] for note in notes] == [
        "Other data",
        "Other settings",
        "A quick run measures nothing",
    ]


def test_the_commands(tmp_path: Path) -> None:
    run = CliRunner().invoke
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    worse = copy.deepcopy(ALL)
    worse["rows"][0] = row("ladder", 0.5)
    old.write_text(json.dumps(ALL), "utf-8")
    new.write_text(json.dumps(worse), "utf-8")
    for name in ("page.html", "table.md"):
        done = run(app, ["report", str(old), str(new), "-o", str(tmp_path / name)])
        assert done.exit_code == 0, done.output
        assert "ladder" in (tmp_path / name).read_text("utf-8")
    with pytest.raises(LogwrightError, match=r"\.html or \.md"):
        write_report([ALL], tmp_path / "page.pdf")
    assert run(app, ["compare", str(old), str(new)]).exit_code == 0
    failed = run(app, ["compare", str(old), str(new), "--fail"])
    assert failed.exit_code == 1
    assert "worse" in failed.output
    assert run(app, ["compare", str(old), str(old), "--fail"]).exit_code == 0
    told = json.loads(run(app, ["compare", str(old), str(new), "--json"]).output)
    assert told["worse"] >= 1


def test_the_list_has_every_suite_and_says_what_is_absent(tmp_path: Path) -> None:
    assert {entry.suite for entry in SUITES} == {suite.value for suite in Suite}
    listed = CliRunner().invoke(app, ["list", "--data", str(tmp_path)]).output
    for entry in SUITES:
        assert entry.suite in listed
        for name in entry.files:
            assert name in listed
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
    assert "absent" not in CliRunner().invoke(app, ["list", "--data", str(tmp_path)]).output
    lines = CliRunner().invoke(app, ["list", "--data", str(tmp_path), "--json"]).output
    assert [json.loads(line)["absent"] for line in lines.splitlines()] == [[]] * len(SUITES)


def test_the_block_of_feedback_is_made_of_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[1]
    monkeypatch.syspath_prepend(str(root / "scripts"))
    generate = importlib.import_module("generate")
    assert generate.feedback({}) == ""
    asked = row("judge: ask once", 0.9991, "questions asked", questions=31, history="60%")
    floor = row("flag all", 0.06, history="60%")
    rows = [floor, asked, {**floor, "table": "questions asked"}]
    rows += [{**one, "f1": 0.5, "history": "5%"} for one in rows]
    block = generate.feedback({"feedback": result(rows, "feedback")})
    assert "| hdfs | judge: ask once | 31 | 0.9991 |" in block
    assert block.count("flag all") == 1
    assert "0.5 |" not in block
    assert "- hdfs: blocks 1-460,048; history is the first 60%" in block
    assert "3.11% abnormal, 122 distinct, 96.9% seen in training" in block
