"""The judge: verdicts decide, and for the rest a declared policy, so that few are asked much."""

from __future__ import annotations

import dataclasses

import pytest

from logwright.feedback.judge import Judge, told
from logwright.feedback.likeness import Likeness
from logwright.feedback.novelty import NEAR, Novelty
from logwright.feedback.rarity import Rarity
from logwright.feedback.standing import Found
from logwright.findings.finding import CitedLine, Finding, WindowRef
from logwright.findings.verdict import Verdict
from test_standing import NOON, found, verdict


def trouble(text: str, i: int = 7) -> Found:
    return Found(f"p-{i:016x}", "unseen", "template", (f"t-{i:016x}",), (text,), NOON)


class TestVerdicts:
    def test_real_confirms_benign_suppresses(self) -> None:
        judge = Judge()
        judge.add(verdict(1, "real", 0, by="ann", note="disk swap"))
        judge.add(verdict(2, "benign", 5))
        real, benign = judge.see(0, [found(0), found(5)])
        assert (real.state, real.raised, benign.state, benign.raised) == (
            "confirmed",
            True,
            "suppressed",
            False,
        )
        assert real.because == "real by ann (verdict 1): disk swap"

    def test_a_verdict_given_during_a_run_acts_on_the_next_batch(self) -> None:
        given: list[Verdict] = []
        judge = Judge(source=lambda after: [v for v in given if v.number > after])
        assert judge.see(0, [found(0)])[0].state == "open"
        given.append(verdict(1, "benign", 0))
        judge.refresh()
        assert judge.see(1, [found(0)])[0].state == "suppressed"

    def test_a_standing_alarm_has_its_own_severity(self) -> None:
        finding = _finding()
        judge = Judge()
        judge.add(Verdict(number=1, word="real", subjects=(Found.of(finding).subject(),)))
        confirmed = told(finding, judge.see(0, [Found.of(finding)])[0])
        assert (confirmed.state, confirmed.severity) == ("confirmed", "high")
        subject = Found.of(finding).subject()
        judge.add(Verdict(number=2, word="real", subjects=(subject,), severity="critical"))
        assert told(finding, judge.see(1, [Found.of(finding)])[0]).severity == "critical"

    def test_a_benign_template_is_no_part_of_make_ups_any_more(self) -> None:
        judge = Judge()
        judge.add(verdict(1, "benign", 0))
        assert judge.normal_templates == {found(0).templates[0]}
        judge.add(verdict(2, "real", 0))
        assert not judge.normal_templates


class TestPolicy:
    def test_what_names_trouble_is_asked_about_at_once(self) -> None:
        first = Judge().see(0, [trouble("mount failed")])[0]
        assert (first.state, first.raised, first.ask) == ("open", True, True)

    def test_a_wordless_template_is_raised_at_its_third_sight_only(self) -> None:
        judge = Judge()
        raised = [judge.see(i, [found(5)])[0].raised for i in range(5)]
        assert raised == [False, False, True, False, False]

    def test_a_new_make_up_is_raised_at_once_and_asked_about_at_its_third_sight(self) -> None:
        judge = Judge()
        made = Found("p-" + "a" * 16, "counts", "count_vector")
        judged = [judge.see(i, [made])[0] for i in range(3)]
        assert [(j.raised, j.ask) for j in judged] == [(True, False), (True, False), (True, True)]

    def test_trouble_that_comes_alone_again_and_again_decays(self) -> None:
        judge = Judge()
        states = [judge.see(100 * i, [trouble("odd failure")])[0].state for i in range(3)]
        assert states == ["open", "suppressed", "suppressed"]

    def test_trouble_that_comes_with_other_trouble_does_not(self) -> None:
        judge = Judge()
        both = [trouble("odd failure", 7), trouble("panic in unit", 8)]
        for i in range(20):
            assert {j.state for j in judge.see(100 * i, both)} == {"open"}

    def test_in_a_run_that_is_looked_at_when_it_is_over_nothing_decays_before_it_is_shown(
        self,
    ) -> None:
        first = Judge(whole=True)
        assert {first.see(100 * i, [trouble("odd failure")])[0].state for i in range(9)} == {"open"}
        first.passes(0, 1_000)
        second = Judge(whole=True)
        second.load(first.save() or {})
        second.passes(1_001, 2_000)
        assert second.see(0, [trouble("odd failure")])[0].state == "suppressed"

    def test_reading_the_same_log_again_is_no_evidence_of_health(self) -> None:
        first = Judge(whole=True)
        first.passes(0, 1_000)
        for i in range(9):
            first.see(100 * i, [trouble("odd failure")])
        again = Judge(whole=True)
        again.load(first.save() or {})
        again.passes(0, 1_000)
        assert again.see(0, [trouble("odd failure")])[0].state == "open"
        older = Judge(whole=True)
        older.load(first.save() or {})
        older.passes(-5_000, -4_000)
        assert older.see(0, [trouble("odd failure")])[0].state == "open"
        assert older.save() is None

    def test_the_log_of_the_last_run_is_judged_as_it_was_then(self) -> None:
        state = None
        for day in (0, 1, 1):
            judge = Judge(whole=True)
            if state:
                judge.load(state)
            judge.passes(1_000 * day, 1_000 * day + 999)
            states = {judge.see(100 * i, [trouble("odd failure")])[0].state for i in range(9)}
            assert states == ({"suppressed"} if day else {"open"})
            state = judge.save()

    def test_what_is_grave_neither_decays_nor_is_taken_for_something_like_it(self) -> None:
        judge = Judge(lambda: ["disk failed on unit c"])
        grave = dataclasses.replace(found(1), severity="critical")
        assert {judge.see(100 * i, [grave])[0].state for i in range(9)} == {"open"}
        judge.add(verdict(1, "benign", 0))
        assert judge.see(2_000, [grave])[0].ask
        words = trouble("kernel panic in unit nine")
        assert {judge.see(5_000 + 100 * i, [words])[0].state for i in range(9)} == {"open"}

    def test_without_the_policy_only_verdicts_act(self) -> None:
        judge = Judge(policy=False)
        assert {judge.see(i, [found(5)])[0].raised for i in range(9)} == {True}

    def test_text_like_one_judged_benign_is_suppressed_and_says_so(self) -> None:
        judge = Judge()
        judge.add(verdict(1, "benign", 0))
        alike = judge.see(0, [found(1)])[0]
        assert alike.state == "suppressed"
        assert alike.because == "like 'disk failed on unit a', which was judged benign"

    def test_text_like_one_of_history_is_shown_but_no_alarm(self) -> None:
        judge = Judge(lambda: ["disk failed on unit c"])
        alike = judge.see(0, [found(1)])[0]
        assert (alike.state, alike.raised, alike.ask) == ("open", False, False)

    def test_likeness_to_history_lowers_the_severity_and_says_why(self) -> None:
        judge = Judge(lambda: ["disk failed on unit c"])
        finding = _finding().model_copy(update={"severity": "medium"})
        lowered = told(finding, judge.see(0, [found(1)])[0])
        assert (lowered.severity, lowered.own_severity) == ("low", "medium")
        assert lowered.because == "like 'disk failed on unit c', which history holds"


class TestLikeness:
    def test_nearer_to_an_alarm_than_to_what_is_normal(self) -> None:
        likeness = Likeness(lambda: ["link up on port, four lanes"])
        likeness.add("link up on port, all lanes", "real")
        assert likeness.normal("link up on port, all lanes now") is None

    @pytest.mark.parametrize(
        ("known", "new"),
        [
            ("replica two is in sync with leader", "replica two is not in sync with leader"),
            ("port four on switch is enabled", "port four on switch is disabled"),
            ("volume home is mounted on unit", "volume home is unmounted on unit"),
            ("устройство три подключено к шине", "совсем другое сообщение о шине"),
        ],
    )
    def test_the_opposite_is_not_alike(self, known: str, new: str) -> None:
        assert Likeness(lambda: [known]).normal(new) is None

    def test_what_names_more_trouble_is_not_taken_for_normal(self) -> None:
        likeness = Likeness(lambda: ["volume mounted on drawer two of rack"])
        assert likeness.normal("volume corrupted on drawer two of rack") is None
        assert likeness.normal("volume remounted on drawer two of rack") == (
            "known",
            "volume mounted on drawer two of rack",
        )

    def test_what_was_added_can_be_taken_away(self) -> None:
        likeness = Likeness()
        likeness.add("fan speed set to low", "benign")
        likeness.discard("fan speed set to low", "benign")
        assert likeness.normal("fan speed set to high") is None


class TestNovelty:
    def test_a_burst_is_one_stretch(self) -> None:
        novelty = Novelty()
        assert {novelty.see(at, {"a": True})["a"] for at in range(50)} == {"raised"}
        assert novelty.see(50 + NEAR, {"a": True})["a"] == "decayed"

    def test_hosts_are_stretches_of_their_own(self) -> None:
        novelty = Novelty()
        assert novelty.see(0, {"a": True}, host="web1")["a"] == "raised"
        assert novelty.see(1, {"a": True}, host="web2")["a"] == "raised"  # first seen there
        assert novelty.see(2, {"a": True}, host="web2")["a"] == "decayed"
        assert novelty.see(90, {"a": True}, host="db1")["a"] == "raised"

    def test_what_was_saved_goes_on(self) -> None:
        first, second = Novelty(), Novelty()
        for at in (0, 1):
            first.see(at, {"a": False})
        second.load(first.save())
        assert second.see(0, {"a": False})["a"] == "raised"


class TestRarity:
    @pytest.mark.parametrize("shape", [-0.4, -0.1, 0.1, 0.4])
    def test_it_finds_the_distribution_that_counts_were_drawn_from(self, shape: float) -> None:
        from scipy.stats import genextreme

        drawn = genextreme.rvs(shape, loc=-8, scale=1, size=30, random_state=7)
        counts = [max(int(c), 1) for c in 2.718281828 ** (-drawn)]
        rarity = Rarity.of(counts)
        assert rarity is not None
        for count in (200, 1_000, 5_000, 20_000):
            expected = genextreme.cdf(-float(__import__("math").log(count)), shape, -8, 1)
            assert abs(rarity.score(count) - expected) < 0.15

    def test_rarer_is_higher_and_too_little_says_nothing(self) -> None:
        rarity = Rarity.of([10] * 30)
        assert rarity is not None
        scores = [rarity.score(count) for count in (1, 5, 10, 20, 1_000)]
        assert scores == sorted(scores, reverse=True)
        assert Rarity.of([1, 2, 3]) is None


def _finding() -> Finding:
    line = CitedLine(source="a.log", line_no=1, offset=0, text="node joined")
    return Finding(
        id="f-" + "1" * 16,
        pattern="p-" + "2" * 16,
        detector="unseen",
        unit="template",
        score=1.0,
        threshold=0.5,
        severity="low",
        summary="new: 'node joined'",
        expected="no line of this template",
        seen="1 line",
        window=WindowRef(kind="count", key="1", lines=1),
        lines=(line,),
    )
