"""Anomalies by what lines state: alerts that are asserted, not those named, denied or handled."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning.answer import problems
from logwright.reasoning.evidence.judging import answer
from logwright.reasoning.evidence.statements import stated
from logwright.reasoning.material import Material
from logwright.reasoning.reasoner import Options

ABNORMAL = [
    "kernel panic - not syncing: attempted to kill init",
    "worker 3 exited abnormally, status 11",
    "stopped due to assertion failure",
    "machine check exception on cpu 2",
    "2 uncorrectable memory errors on bank 4",
    "link is down on port 7",
    "lost connection to the leader",
    "ext3-fs error: journal is gone",
    "no space left on device",
    "cannot open the ledger",
    "could not load plugin",
    "error writing block 5",
    "java.lang.IllegalStateException: closed",
    "corrected errors exceed threshold",
    "FATAL: role does not exist",
    "missing or invalid header",
]
NORMAL = [
    "all is well",
    "0 errors found",
    "no errors, no failures",
    "finished without error",
    "errors: 0, retries: 0",
    "registered the error handler",
    "error reporting is on",
    "failover policy loaded",
    "writing to error.log",
    "retry if the call fails",
    "12 parity errors detected and corrected",
    "connect failed, retrying in 5 s",
    "Failed password for invalid user guest from 10.0.0.7",
    "permission denied for user maria",
    "machine check reporting enabled on cpu 0",
    "warning: option speed is deprecated",
    "timeout is 30 s",
    "lr:<*> cr:<*> xer:<*>",
    "3fd2b2fb 5573f0e0",
    "<*> <*>",
    "ok",
]


@pytest.mark.parametrize("line", ABNORMAL)
def test_an_alert_that_is_stated_is_abnormal(line: str) -> None:
    assert stated(line).abnormal


@pytest.mark.parametrize("line", NORMAL)
def test_what_is_named_denied_or_put_right_is_normal(line: str) -> None:
    assert not stated(line).abnormal


def test_one_alert_among_many_lines_is_found_and_cited_first() -> None:
    lines = [f"request {n} took {n % 9} ms" for n in range(500)]
    lines[321] = "request 321 failed"
    told = answer(Material.of_lines(lines), Options())
    assert told.verdict == "abnormal"
    assert (told.citations[0].line, told.citations[0].quote) == (322, "failed")
    assert told.text == "Line 322 states something that did not work: 'request 321 failed'."


def test_the_worst_alert_comes_first() -> None:
    told = answer(Material.of_lines(["upload failed", "kernel panic"]), Options())
    assert [citation.line for citation in told.citations] == [2, 1]


def test_what_softens_is_told() -> None:
    told = answer(Material.of_lines(["parity error corrected"]), Options())
    assert told.verdict == "normal"
    assert told.text == (
        "Line 1 speaks of failing hardware, but it was put right or is tried again."
    )
    assert [step.text.partition(":")[0] for step in told.steps] == ["Hardware", "Recovered"]


def test_what_stands_in_a_healthy_run_too_is_no_alarm() -> None:
    lines = ["cache warmup failed on node 7"]
    healthy = (Material.of_lines(["cache warmup failed on node 3"]),)
    assert answer(Material.of_lines(lines), Options()).verdict == "abnormal"
    told = answer(Material.of_lines(lines), Options(healthy=healthy))
    assert (told.verdict, told.text) == (
        "normal",
        "What reads like an alert stands in healthy runs too.",
    )


def test_a_json_record_is_judged_by_its_message() -> None:
    record = '{"policy": "pages that failed", "level": "info", "msg": "saved"}'
    assert answer(Material.of_lines([record]), Options()).verdict == "normal"
    material = Material.of_lines(['{"level": "error", "msg": "disk \\"b\\" failed"}'])
    told = answer(material, Options())
    assert told.verdict == "abnormal"
    assert problems(told, material) == []


def test_frames_of_a_trace_are_not_judged() -> None:
    trace = ["went on", "    at com.example.FatalError.panic(FatalError.java:3)", "  ... 12 more"]
    assert answer(Material.of_lines(trace), Options()).verdict == "normal"


def test_confidence_falls_with_the_force_of_the_claim() -> None:
    strong, weak, doubt, clear = (
        answer(Material.of_lines([line]), Options()).confidence
        for line in ("kernel panic", "error 3", "parity error corrected", "all is well")
    )
    assert strong > weak
    assert clear > doubt


@given(
    st.lists(st.text(max_size=60), min_size=1, max_size=5).filter(lambda x: any(map(str.strip, x)))
)
def test_every_citation_holds(lines: list[str]) -> None:
    material = Material.of_lines(lines)
    assert problems(answer(material, Options()), material) == []


@given(st.lists(st.sampled_from(ABNORMAL + NORMAL), min_size=1, max_size=6), st.randoms())
def test_the_order_of_lines_does_not_change_the_verdict(lines: list[str], random: object) -> None:
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = (answer(Material.of_lines(them), Options()) for them in (lines, shuffled))
    assert (first.verdict, first.confidence) == (second.verdict, second.confidence)


@given(st.sampled_from(NORMAL), st.sampled_from(ABNORMAL))
def test_a_normal_line_beside_an_alert_hides_nothing(normal: str, abnormal: str) -> None:
    assert answer(Material.of_lines([normal, abnormal]), Options()).verdict == "abnormal"


def test_ten_thousand_lines_take_a_moment() -> None:
    lines = [f"request {n} from 10.0.{n % 250}.{n % 99} took {n % 9} ms" for n in range(10_000)]
    began = time.process_time()
    answer(Material.of_lines(lines), Options())
    assert time.process_time() - began < 0.5


def test_labelled_templates_of_the_system_looked_at(data: Path) -> None:
    from logwright.bench.reasoning_sets import items
    from logwright.reasoning.task import Task

    right = {True: 0, False: 0}
    found = truly = 0
    for item in items(Task.ANOMALY, data, "seen"):
        told = answer(Material.of_lines(item.lines), Options()).verdict == "abnormal"
        true = item.truth == "abnormal"
        found += told
        truly += true
        right[true] += told is true
    assert right[True] / found > 0.9
    assert right[True] / truly > 0.85


SAID = st.sampled_from(
    ["ready", "errors: 0", "errors: 5", "disk 3 failed", "job 7 started", "fan 2 is bad", "panic 4",
     "0 failed", "retrying 3", "\tat a.b.C(D.java:1)", '{"msg":"disk 3 failed","n":1}']
)  # fmt: skip


@given(st.lists(SAID, min_size=1, max_size=12))
def test_a_material_is_as_abnormal_as_the_worst_of_its_lines(lines: list[str]) -> None:
    one_by_one = [answer(Material.of_lines([line]), Options()).verdict for line in lines]
    told = answer(Material.of_lines(lines), Options())
    frames = [line.startswith("\t") for line in lines]
    assert told.verdict == ("abnormal" if "abnormal" in one_by_one else "normal") or any(frames)


def test_lines_of_a_shape_are_judged_by_their_own_words() -> None:
    told = answer(Material.of_lines(["errors: 0", "errors: 0", "errors: 5"]), Options())
    assert (told.verdict, told.citations[0].line) == ("abnormal", 3)


def test_what_no_healthy_run_has_is_abnormal_if_it_names_a_cause() -> None:
    lines = ["10:00:00 INFO up", "10:00:09 INFO job ran on unusable node n7:80"]
    healthy = (Material.of_lines(["10:00:00 INFO up"]), Material.of_lines(["10:00:00 INFO up"]))
    told = answer(Material.of_lines(lines), Options(healthy))
    assert (told.verdict, told.citations[0].line) == ("abnormal", 2)
    assert "machine down" in told.text
    well = (Material.of_lines(lines), Material.of_lines(lines))
    assert answer(Material.of_lines(lines), Options(well)).verdict == "normal"


def test_of_a_long_log_an_alert_says_less() -> None:
    def sure(many: int) -> float:
        lines = ["INFO ready"] * many + ["kernel panic"]
        return answer(Material.of_lines(lines), Options()).confidence

    assert sure(3) == 0.95
    assert sure(500) == 0.75
