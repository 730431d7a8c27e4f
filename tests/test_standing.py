"""What stands: the latest verdict that reaches an alarm acts, and an undo leaves no trace."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.feedback.judge import Judge
from logwright.feedback.standing import Found, Standing
from logwright.findings.schedule import Schedule
from logwright.findings.verdict import ENTRY, Entry, Scope, Subject, Undo, Verdict

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEXTS = (
    "disk failed on unit a",
    "disk failed on unit b",
    "disk failed on drawer b",
    "fan speed set to low",
    "fan speed set to high",
    "node joined",
)


def found(i: int, time: datetime = NOON, host: str = "web1") -> Found:
    """The alarm that template `i` is new."""
    return Found(
        f"p-{i:016x}",
        "unseen",
        "template",
        (f"t-{i:016x}",),
        (TEXTS[i],),
        time,
        (host,),
        ("a.log",),
    )


def verdict(number: int, word: str, *which: int, **more: object) -> Verdict:
    if word == "expected":
        more.setdefault("until", NOON + timedelta(days=1))
    subjects = tuple(found(i).subject() for i in which)
    return Verdict.model_validate({"number": number, "word": word, "subjects": subjects, **more})


class TestWhatActs:
    def test_a_verdict_acts_on_its_pattern_only(self) -> None:
        standing = Standing([verdict(1, "benign", 0)])
        assert standing.acting(found(0)).word == "benign"
        assert standing.acting(found(1)) is None

    def test_the_later_of_two_experts_acts_and_both_are_kept(self) -> None:
        standing = Standing([verdict(1, "benign", 0, by="ann"), verdict(2, "real", 0, by="bob")])
        assert standing.acting(found(0)).by == "bob"
        assert [v.by for v in standing.reaching(found(0))] == ["bob", "ann"]
        assert [[v.number for v in each] for each in standing.conflicts()] == [[2, 1]]

    def test_undoing_the_later_lets_the_earlier_act_again(self) -> None:
        standing = Standing([verdict(1, "benign", 0), verdict(2, "real", 0)])
        standing.add(Undo(number=3, undoes=2))
        assert standing.acting(found(0)).number == 1
        assert not standing.conflicts()

    def test_expected_ends_with_its_date_as_the_log_tells_the_time(self) -> None:
        standing = Standing([verdict(1, "expected", 0, until=NOON)])
        assert standing.acting(found(0, NOON - timedelta(minutes=1))) is not None
        assert standing.acting(found(0, NOON)) is None

    def test_expected_holds_inside_its_schedule(self) -> None:
        standing = Standing([verdict(1, "expected", 0, until=None, during="fri 11:00-13:00")])
        assert standing.acting(found(0, NOON)) is not None
        assert standing.acting(found(0, NOON + timedelta(hours=2))) is None
        assert standing.acting(found(0, NOON + timedelta(days=1))) is None

    def test_what_is_not_expected_falls_back_to_the_verdict_before(self) -> None:
        standing = Standing([verdict(1, "real", 0), verdict(2, "expected", 0, until=NOON)])
        assert standing.acting(found(0, NOON - timedelta(hours=1))).number == 2
        assert standing.acting(found(0, NOON)).number == 1

    def test_a_scope_narrowed_to_a_host(self) -> None:
        standing = Standing([verdict(1, "benign", 0, scope=Scope(host="web1"))])
        assert standing.acting(found(0)) is not None
        assert standing.acting(found(0, host="web2")) is None

    def test_what_other_hosts_share_is_not_suppressed_but_is_an_alarm(self) -> None:
        both = dataclasses.replace(found(0), hosts=("web1", "db1"))
        assert Standing([verdict(1, "benign", 0, scope=Scope(host="web1"))]).acting(both) is None
        assert Standing([verdict(1, "real", 0, scope=Scope(host="web1"))]).acting(both) is not None

    def test_a_scope_of_templates_reaches_other_detectors(self) -> None:
        standing = Standing([verdict(1, "benign", 0, 1, scope=Scope(kind="templates"))])
        both = tuple(f"t-{i:016x}" for i in (0, 1))
        assert standing.acting(Found("p-" + "f" * 16, "rate", "burst", both)) is not None
        more = Found("p-" + "e" * 16, "rate", "burst", (*both, "t-2"))
        assert standing.acting(more) is None

    def test_a_scope_of_texts_reaches_patterns_that_come_later(self) -> None:
        wide = Scope(kind="text", text="disk failed on *")
        standing = Standing()
        assert standing.acting(found(2)) is None
        standing.add(verdict(1, "benign", 0, scope=wide))
        assert standing.acting(found(2)) is not None
        assert standing.acting(found(3)) is None
        standing.add(Undo(number=2, undoes=1))
        assert standing.acting(found(2)) is None


class TestSuspects:
    def test_real_of_several_acts_where_all_of_them_come_together(self) -> None:
        standing = Standing([verdict(1, "real", 0, 1)])
        patterns = {found(0).pattern, found(1).pattern}
        assert standing.acting(found(0), patterns) is not None
        assert standing.acting(found(0)) is None

    def test_who_is_cleared_later_is_no_suspect_and_the_last_one_is_the_culprit(self) -> None:
        standing = Standing([verdict(1, "real", 0, 1), verdict(2, "benign", 1)])
        assert standing.acting(found(0)).number == 1
        assert standing.acting(found(1)).number == 2
        standing.add(Undo(number=3, undoes=2))
        assert standing.acting(found(0)) is None


def _entries() -> st.SearchStrategy[list[tuple[str, tuple[int, ...], int]]]:
    kinds = st.sampled_from(("benign", "real", "expected", "wide", "host", "undo"))
    which = st.lists(st.integers(0, len(TEXTS) - 1), min_size=1, max_size=3, unique=True)
    return st.lists(st.tuples(kinds, which.map(tuple), st.integers(0, 9)), max_size=14)


def _built(steps: list[tuple[str, tuple[int, ...], int]]) -> list[Entry]:
    entries: list[Entry] = []
    standing: list[int] = []
    for number, (kind, which, pick) in enumerate(steps, 1):
        if kind == "undo":
            if standing:
                undone = standing.pop(pick % len(standing))
                entries.append(Undo(number=number, undoes=undone))
            continue
        scope, word = Scope(), kind
        if kind == "wide":
            word = "real" if pick % 2 else "benign"
            scope = Scope(
                kind="text", text=("disk *", "fan *", "*failed*", "node joined")[pick % 4]
            )
        if kind == "host":
            word, scope = "benign", Scope(host=f"web{pick % 2}")
        entries.append(verdict(number, word, *which, scope=scope))
        standing.append(number)
    return entries


def _behaviour(judge: Judge) -> list[object]:
    sights = ([0], [1], [2], [3], [4], [5], [0, 1], [1, 2], [3, 4, 5], list(range(6)))
    told = []
    for at, sight in enumerate(sights):
        alarms = [found(i, host=f"web{at % 2}") for i in sight]
        told.append([(j.state, j.verdict and j.verdict.number) for j in judge.see(at, alarms)])
    return [told, judge.normal_templates]


def _judge(entries: list[Entry]) -> Judge:
    judge = Judge(lambda: ["disk failed on unit c"])
    for entry in entries:
        judge.add(entry)
    return judge


class TestUndo:
    @given(_entries())
    def test_what_stands_is_a_function_of_the_verdicts_that_are_not_undone(
        self, steps: list[tuple[str, tuple[int, ...], int]]
    ) -> None:
        entries = _built(steps)
        undone = {e.undoes for e in entries if isinstance(e, Undo)}
        left = [e for e in entries if isinstance(e, Verdict) and e.number not in undone]
        assert _behaviour(_judge(entries)) == _behaviour(_judge(left))

    @given(_entries(), st.sampled_from(("benign", "real", "expected")), st.integers(0, 5))
    def test_an_undo_restores_the_exact_former_behaviour(
        self, steps: list[tuple[str, tuple[int, ...], int]], word: str, which: int
    ) -> None:
        entries = _built(steps)
        more = [verdict(100, word, which), Undo(number=101, undoes=100)]
        assert _behaviour(_judge([*entries, *more])) == _behaviour(_judge(entries))

    @given(_entries())
    def test_verdicts_and_undos_survive_export(
        self, steps: list[tuple[str, tuple[int, ...], int]]
    ) -> None:
        entries = _built(steps)
        again = [ENTRY.validate_json(e.model_dump_json()) for e in entries]
        assert again == entries


class TestRecords:
    @pytest.mark.parametrize("text", ["", "noon", "25:00-26:00", "10:00-10:00", "sat x y", "x UTC"])
    def test_what_is_no_schedule_is_told(self, text: str) -> None:
        with pytest.raises(SettingsError, match="is no schedule: expected such as"):
            Schedule.parse(text)

    def test_a_schedule_in_a_zone(self) -> None:
        berlin = Schedule.parse("13:00-14:00 Europe/Berlin")
        assert berlin.covers(NOON)
        assert not berlin.covers(NOON + timedelta(hours=1))

    @pytest.mark.parametrize(
        "wrong",
        [
            {"word": "expected"},
            {"word": "benign", "until": NOON},
            {"word": "benign", "severity": "high"},
            {"word": "benign", "subjects": ()},
            {"word": "benign", "scope": {"kind": "text", "text": "*"}},
            {"word": "maybe"},
        ],
    )
    def test_verdicts_that_say_nothing_are_refused(self, wrong: dict[str, object]) -> None:
        subject = Subject(pattern=found(0).pattern, detector="unseen", unit="template")
        with pytest.raises(ValueError, match="validation error"):
            Verdict.model_validate({"subjects": (subject,), **wrong})
