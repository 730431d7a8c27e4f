"""The ladder: what history shows decides which detectors run, and it says so."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

import numpy as np
import pytest

from logwright.detectors.base import Evidence, Floats
from logwright.detectors.counts import Counts
from logwright.detectors.ladder import Budget, Ladder, Rung
from logwright.detectors.learner import CHECK_SHARE, Learner
from logwright.detectors.parameters import Parameters
from logwright.detectors.thresholds import Threshold
from logwright.detectors.unseen import Unseen
from logwright.templates.miner import Miner
from logwright.templates.template import Template
from logwright.templates.vocabulary import Vocabulary
from logwright.windows.tumbling import TimeWindows
from logwright.windows.window import Events, Windows

MINUTE = 60 * 10**9
KEYS = [((i + 1) * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8, "big") * 2 for i in range(40)]
VOCABULARY = Vocabulary(
    Miner(),
    [Template([k], lines=((b"event %s" % (b"x" * (i + 1)),),)) for i, k in enumerate(KEYS)],
)


def settled(number: int, seed: int = 1) -> list[list[int]]:
    """Sessions of 12 make-ups, in any order of records within."""
    rng = random.Random(seed)
    makeups = [[0, 1, 2 + i, 2 + i, 9][: 3 + i % 3] for i in range(12)]
    out = [list(rng.choice(makeups)) for _ in range(number)]
    for session in out:
        rng.shuffle(session)
    return out


def retried(number: int) -> list[list[int]]:
    """The same templates always, but how often each comes is hardly ever the same."""
    rng = random.Random(2)
    return [[t for t in range(4) for _ in range(rng.randrange(1, 14))] for _ in range(number)]


def restless(number: int) -> list[list[int]]:
    """Sessions of one record, and in the last part some of which nothing was ever seen."""
    rng = random.Random(3)
    last = [rng.sample(range(40), 9) for _ in range(50)]
    return [[n % 40] for n in range(number - len(last))] + last


def learned(
    sequences: Sequence[list[int]], budget: float = 10.0, exploratory: bool = False
) -> Learner:
    made = Learner("session", 0, VOCABULARY, Budget(budget), exploratory)
    cut = int(len(sequences) * (1 - CHECK_SHARE))
    for at in range(0, cut, 4000):
        feed(made, sequences[at : min(at + 4000, cut)], checking=False)
    feed(made, sequences[cut:], checking=True)
    return made


def feed(made: Learner, sequences: Sequence[list[int]], checking: bool) -> None:
    windows = Windows.of_sequences(sequences)
    made.see(windows.events, checking)
    (made.check if checking else made.learn)(windows)


def units(ladder: Ladder) -> list[str]:
    return [f"{r.detector.name}/{r.detector.unit}" for r in ladder.rungs]


def alarms(ladder: Ladder, sequences: Sequence[list[int]]) -> list[tuple[int, str]]:
    windows = Windows.of_sequences(sequences)
    found = ladder.detect("windows", windows, VOCABULARY)
    return [(alarm.window, alarm.rung.detector.unit) for alarm in found]


def test_settled_sessions_are_judged_by_their_counts() -> None:
    ladder = learned(settled(16_000)).finish()
    assert units(ladder) == ["unseen/template", "counts/count_vector"]
    assert alarms(ladder, settled(2000, seed=9)) == []
    found = alarms(ladder, [[0, 1, 2], [0, 1, 1, 1], [0, 1, 39], [9]])
    # A new template is the cheaper rung's; it is not asked about its make-up again.
    assert found == [(2, "template"), (1, "count_vector"), (3, "count_vector")]
    assert any(
        "(0 questions, 0 alarms in 3,200 windows of the last" in reason for reason in ladder.reasons
    )


def test_sessions_whose_counts_have_not_settled_are_judged_by_what_has() -> None:
    made = learned(retried(16_000)).finish()
    assert "counts/count_vector" not in units(made)
    assert "counts/capped" in units(made)
    said = made.rungs[-1].reason
    assert said.startswith("questions are asked by capped: 0.312 questions per 1,000 windows")
    assert re.search(r"; stricter units would ask more than 1 \(count_vector \d{3}\)$", said)


def test_where_nothing_has_settled_only_new_templates_are_told() -> None:
    ladder = learned(restless(16_000)).finish()
    assert units(ladder) == ["unseen/template"]
    (said,) = [r for r in ladder.reasons if r.startswith("counts not used")]
    assert "questions are asked by template: 0 questions per 1,000 windows" in said
    rates = dict(re.findall(r"(\w+) ([\d.]+)[,)]", said.split("more than 1")[1]))
    assert list(rates) == ["count_vector", "capped", "bigram", "event_set"]
    assert all(float(rate) > 1 for rate in rates.values())


def recurring(times: int) -> list[list[int]]:
    """Settled sessions; in the last part one make-up that is new comes `times` times."""
    sequences = settled(16_000)
    sequences[13_000 : 13_000 + times] = [[0] * 9] * times
    return sequences


def test_what_recurs_is_one_question() -> None:
    """Answered once, it is silent: neither unit nor threshold gives way to it."""
    ladder = learned(recurring(1_000)).finish()
    assert units(ladder) == ["unseen/template", "counts/count_vector"]
    reason = ladder.rungs[-1].reason
    assert "asked by count_vector: 0.312 questions per 1,000 windows" in reason
    assert (
        "in place of 312 if each alarm were asked about (1 question, 1,000 alarms in 3,200"
        in reason
    )
    # What differs least from what is known is found, and what recurred is known by now.
    assert alarms(ladder, [[0, 1, 2, 2], [0] * 9]) == [(0, "count_vector")]


def test_what_recurs_in_a_log_that_is_scanned_counts_each_time() -> None:
    """Its findings are looked at before anyone has answered: alarms are what is kept few."""
    often = learned(recurring(1_000), exploratory=True).finish()
    assert "counts/count_vector" not in units(often)
    few = learned(recurring(100), exploratory=True).finish()
    assert units(few)[-1] == "counts/count_vector"
    assert few.rungs[-1].threshold.value > 1.0


@pytest.mark.parametrize(("budget", "unit"), [(10.0, "template"), (1_000.0, "count_vector")])
def test_a_larger_budget_allows_more_questions(budget: float, unit: str) -> None:
    made = learned(restless(16_000), budget=budget).finish()
    assert made.rungs[-1].detector.unit == unit


def test_too_short_a_history_is_said() -> None:
    ladder = learned(settled(500)).finish()
    assert units(ladder) == ["unseen/template"]
    assert any("history too short (500 sessions" in r for r in ladder.reasons)
    assert any("takes 15,000" in r for r in ladder.reasons)


def test_scan_uses_a_short_history_and_says_that_it_is_unproven() -> None:
    ladder = learned(settled(500), exploratory=True).finish()
    assert units(ladder) == ["unseen/template", "counts/count_vector"]
    assert any("unproven, history short (500 sessions)" in r for r in ladder.reasons)
    few = learned(settled(60), exploratory=True).finish()
    assert units(few) == ["unseen/template"]


@pytest.mark.parametrize("strays", [1, 3])
def test_normal_data_stays_within_the_budget(strays: int) -> None:
    """The part that is checked holds a few make-ups that history did not: as many as may alarm."""
    sequences = settled(15_000)
    for n in range(strays):
        sequences.append([0] * (7 + n))
    random.Random(5).shuffle(sequences[12_100:])
    ladder = learned(sequences).finish()
    rung = ladder.rungs[-1]
    assert rung.detector.unit == "count_vector"
    trial = Counts("count_vector")
    trial.fit(Windows.of_sequences(sequences[:12_000]), VOCABULARY)
    scores = trial.score(Windows.of_sequences(sequences[12_000:]), VOCABULARY)
    assert rung.threshold.alarms(scores).sum() == strays


def test_a_calibration_slice_has_the_last_word() -> None:
    made = learned(settled(16_000))
    normal = Windows.of_sequences(settled(3000, seed=8))
    assert units(made.finish(normal))[1:] == ["counts/count_vector"]
    changed = Windows.of_sequences(restless(3000))
    ladder = made.finish(changed)
    assert units(ladder) == ["unseen/template"]
    (said,) = [r for r in ladder.reasons if r.startswith("counts not used")]
    assert "stricter units would ask more than 1 (count_vector " in said


def test_chunks_do_not_matter() -> None:
    sequences = settled(16_000)
    one, other = learned(sequences).finish(), Learner("session", 0, VOCABULARY, Budget(10.0))
    feed(other, sequences[:12_800], checking=False)
    for at in range(12_800, 16_000, 700):
        feed(other, sequences[at : at + 700], checking=True)
    assert other.finish().reasons == one.reasons


def minutes(number: int, per: int = 3) -> Windows:
    n = number * per
    ts = np.repeat(np.arange(number), per) * MINUTE
    events = Events(
        np.arange(n, dtype=np.int32) % 3,
        ts.astype(np.int64),
        np.zeros(n, np.int8),
        np.full(n, -1, np.int32),
        np.arange(n, dtype=np.int64),
    )
    return TimeWindows(MINUTE, MINUTE, 0).push(events)


@pytest.mark.parametrize(
    ("interval", "number", "said"),
    [
        (0, 100, "rate not used: no times"),
        (MINUTE, 10, "rate not used: history too short (9 intervals, 20 are needed)"),
    ],
)
def test_rate_needs_times_and_some_intervals(interval: int, number: int, said: str) -> None:
    made = Learner("time", interval, VOCABULARY, Budget(10.0))
    slots = minutes(number)
    made.see(slots.events, checking=False)
    made.learn(slots)
    if interval:
        made.learn_intervals(slots)
    ladder = made.finish()
    assert units(ladder) == ["unseen/template"]
    assert said in ladder.reasons
    assert "counts not used: lines are not grouped by session" in ladder.reasons


def test_rate_runs_where_history_is_long_enough() -> None:
    made = Learner("time", MINUTE, VOCABULARY, Budget(10.0))
    slots = minutes(200)
    made.learn(slots)
    made.learn_intervals(slots)
    ladder = made.finish()
    assert units(ladder) == ["unseen/template", "rate/interval"]
    assert ladder.rungs[1].reads == "intervals"
    assert "199 intervals of 1 minute" in ladder.reasons[1]


def test_reasons_name_every_rung_first() -> None:
    ladder = learned(settled(16_000)).finish()
    for rung, reason in zip(ladder.rungs, ladder.reasons, strict=False):
        assert reason == f"{rung.detector.name} ({rung.detector.unit}): {rung.reason}"


def test_rungs_only_read_what_they_are_for() -> None:
    detector = Unseen("template")
    ladder = Ladder([Rung(detector, Threshold(0.0, "all"), "intervals", "")])
    windows = Windows.of_sequences([[0, 1]])
    assert list(ladder.detect("windows", windows, VOCABULARY)) == []
    assert list(ladder.detect("intervals", Windows.of_sequences([]), VOCABULARY)) == []


class Always(Parameters):
    """Finds something in every window."""

    def score(self, windows: Windows, vocabulary: Vocabulary) -> Floats:
        return np.full(len(windows), 9.0)

    def evidence(
        self, windows: Windows, i: int, vocabulary: Vocabulary, threshold: float
    ) -> list[Evidence]:
        return [Evidence(9.0, "", "", "", [], [], [], [])]


def test_a_parameter_that_stands_out_says_nothing_of_the_make_up() -> None:
    """Windows that it flags, and those with new templates, are judged by both."""
    made = learned(settled(16_000)).finish()
    rung = Rung(Always(), Threshold(3.0, "all"), "records", "")
    ladder = Ladder([made.rungs[0], rung, *made.rungs[1:]])
    found = alarms(ladder, [[0, 1, 2], [0, 1, 1, 1], [0, 1, 39]])
    assert found == [(2, "template"), (0, "value"), (1, "value"), (2, "value"), (1, "count_vector")]
    assert ladder.parameters is rung.detector
    assert made.parameters is None


def test_no_parameters_are_said_to_be_none() -> None:
    assert "parameters not used: none has enough lines and has settled" in learned(
        settled(200)
    ).finish().reasons  # fmt: skip


@pytest.mark.parametrize(("alarms_a_day", "hours", "expected"), [(10, 24, 10.0), (1, 12, 0.5)])
def test_a_budget_is_per_day_and_per_ten_thousand_sessions(
    alarms_a_day: float, hours: int, expected: float
) -> None:
    budget = Budget(alarms_a_day)
    assert budget.per_time(hours * 3600e9) == expected
    assert budget.per_session == alarms_a_day / 10_000
