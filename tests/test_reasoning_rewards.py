"""What a reply earns: R-Log's reward as released, its defects, and ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning import rewards
from logwright.reasoning.rewards import Balance, cited, judged, ours, parts, released
from logwright.reasoning.task import Task
from logwright.reasoning.token_f1 import classes, token_f1, tokens

pytest.importorskip("sacrebleu", reason="the extra train is not installed")
pytest.importorskip("rouge_score", reason="the extra train is not installed")

LINES = ["all well", "disk full on /dev/sda"]
WORDS = st.text("abc <*>./1", max_size=30)


def reply(answer: str, think: str = 'It says [2: "disk full"].') -> str:
    return f"<think>{think}</think>\n<answer>{answer}</answer>"


def test_the_released_totals_are_those_of_r_log() -> None:
    earned = [
        released(Task.ANOMALY, text, "abnormal").total
        for text in (reply("Abnormal"), reply("normal"), "abnormal", "<think>a<answer>abnormal")
    ]
    assert earned == pytest.approx([1.1, -0.9, -2.0, -2.0])


@pytest.mark.parametrize(
    "text",
    [
        "<think>a</think><think>b</think><answer>normal</answer>",
        "<answer>normal</answer><think>a</think>",
        "<think>a</think><answer>normal",
        "<think><answer>a</think>normal</answer>",
        "",
    ],
)
def test_tags_that_are_missing_twice_or_out_of_order_cost_the_same(text: str) -> None:
    assert released(Task.ANOMALY, text, "normal").total == -2.0
    assert ours(Task.ANOMALY, text, "normal", LINES).format == -1.0


def test_an_answer_that_comes_first_is_seen_as_such() -> None:
    text = "<answer>normal</answer><think>it is</think>"
    assert parts(text, answer_first=True) is not None
    assert parts(text) is None
    assert ours(Task.ANOMALY, text, "normal", LINES, answer_first=True).answer == 1.0


def test_a_constant_answer_pays_as_released_and_not_when_balanced() -> None:
    truths = ["normal"] * 88 + ["abnormal"] * 12
    as_released = [released(Task.ANOMALY, reply("normal"), truth).answer for truth in truths]
    assert sum(as_released) / 100 == pytest.approx(0.76)
    balance = Balance.of(truths)
    for constant in ("normal", "abnormal"):
        balanced = [
            ours(Task.ANOMALY, reply(constant), truth, LINES, balance).answer for truth in truths
        ]
        assert sum(balanced) == pytest.approx(0.0)


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1))
def test_balanced_every_truth_counts_one_on_the_mean(truths: list[str]) -> None:
    balance = Balance.of(truths)
    assert sum(balance.weight(truth) for truth in truths) == pytest.approx(len(truths))
    if len(set(truths)) == 2:
        constant = sum(balance.weight(t) * judged(truths[0], t) for t in truths)
        assert constant == pytest.approx(0.0, abs=1e-9)


def test_inventing_a_quote_costs_and_citing_nothing_earns_nothing() -> None:
    true = ours(Task.ANOMALY, reply("abnormal"), "abnormal", LINES)
    invented = ours(Task.ANOMALY, reply("abnormal", '[2: "disk gone"]'), "abnormal", LINES)
    silent = ours(Task.ANOMALY, reply("abnormal", "I know."), "abnormal", LINES)
    assert true.total > invented.total == silent.total
    assert cited('[2: "disk full"] [3: "disk full"]', LINES) == 0.5
    assert cited('[2: "d"]', LINES) == 0.0


def test_a_citation_said_twice_counts_once() -> None:
    text = '[2: "disk full"]' * 9 + '[1: "disk full"]'
    assert cited(text, LINES) == 0.5


def test_words_beyond_the_most_cost_up_to_one() -> None:
    long = reply("abnormal", 'It says [2: "disk full"]. ' + "and " * 5_000)
    assert ours(Task.ANOMALY, long, "abnormal", LINES).length == -1.0
    assert ours(Task.ANOMALY, reply("abnormal"), "abnormal", LINES).length == 0.0


def test_sentences_after_the_verdict_are_no_mistake_in_ours() -> None:
    text = reply("abnormal\nThe disk is full.")
    assert ours(Task.ANOMALY, text, "abnormal", LINES).answer == 1.0
    assert released(Task.ANOMALY, text, "abnormal").answer == -1.0


@pytest.mark.slow
def test_a_text_is_scored_by_wording() -> None:
    truth = "The disk is full, so that nothing can be written."
    same = released(Task.SOLUTION, reply(truth), truth)
    assert same.total == pytest.approx(0.1 + 1 / 0.8)
    assert released(Task.SOLUTION, reply("Buy milk"), truth).answer < 0.1


def test_short_wording_is_scored_where_bleu_of_four_words_cannot() -> None:
    assert rewards.worded("disk full", "disk full", smooth=False) < 1.0
    assert rewards.worded("disk full", "disk full") == pytest.approx(1.25)


def test_a_template_is_scored_by_what_varies() -> None:
    line, truth = (
        "Received block blk_17 of size 91 from /10.2.0.1",
        ("Received block blk_<*> of size <*> from /<*>"),
    )
    earned = [
        released(Task.PARSE, reply(said), truth, line).answer
        for said in (truth, "Received block <*> of size <*> from <*>", "<*>", line)
    ]
    assert earned[0] == 1.0
    assert earned == sorted(earned, reverse=True)
    assert earned[-1] == 0.0


def test_a_line_where_nothing_varies_is_scored_by_what_stays() -> None:
    assert token_f1("Starting up", "Starting up", "Starting up") == 1.0
    assert token_f1("Starting <*>", "Starting up", "Starting up") == pytest.approx(2 / 3)


@given(WORDS, WORDS, WORDS)
def test_f1_is_a_share_and_the_truth_is_never_beaten(said: str, truth: str, line: str) -> None:
    earned = token_f1(said, truth, line)
    assert 0.0 <= earned <= 1.0
    assert token_f1(truth, truth, line) == 1.0
    assert len(classes(said, line)) == len(tokens(line))


@given(st.lists(st.sampled_from(["up", "down", "at", "7"]), min_size=1, max_size=8), st.data())
def test_masking_words_of_a_line_marks_those_words(words: list[str], data: st.DataObject) -> None:
    line = " ".join(words)
    assert classes(line, line) == [False] * len(words)
    assert classes("<*>", line) == [True] * len(words)
    at = data.draw(st.integers(0, len(words) - 1))
    distinct = [f"{word}{n}" for n, word in enumerate(words)]
    masked = [*distinct[:at], "<*>", *distinct[at + 1 :]]
    expected = [n == at for n in range(len(words))]
    assert classes(" ".join(masked), " ".join(distinct)) == expected
