"""The finding: ids, the JSON round trip, ranking and grouping."""

from __future__ import annotations

import random
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from logwright.findings.finding import (
    CitedLine,
    Finding,
    WindowRef,
    finding_id,
    hosts_of,
    pattern_id,
    standings,
)
from logwright.findings.run import (
    Run,
    SourceInfo,
    Timeline,
    by_pattern,
    from_ns,
    parse_time,
    ranked,
    span,
    telling,
)


def make(number: int, **changes: Any) -> Finding:
    """A finding that differs from others in its id only, unless told otherwise."""
    values: dict[str, Any] = {
        "id": f"f-{number:016x}",
        "pattern": "p-0000000000000001",
        "detector": "unseen",
        "unit": "template",
        "score": 10.0,
        "threshold": 9.0,
        "severity": "high",
        "summary": "new template",
        "expected": "none",
        "seen": "one",
        "window": WindowRef(kind="time", key="w", lines=3),
        "lines": (),
    }
    return Finding.model_validate(values | changes)


class TestIds:
    @given(st.text(), st.text(), st.lists(st.text()), st.randoms(use_true_random=False))
    def test_pattern_id_ignores_order(
        self, detector: str, unit: str, parts: list[str], rnd: random.Random
    ) -> None:
        shuffled = parts.copy()
        rnd.shuffle(shuffled)
        assert pattern_id(detector, unit, shuffled) == pattern_id(detector, unit, parts)

    def test_pattern_id_depends_on_each_part(self) -> None:
        ids = {
            pattern_id("unseen", "template", ["a", "b"]),
            pattern_id("rate", "template", ["a", "b"]),
            pattern_id("unseen", "bigram", ["a", "b"]),
            pattern_id("unseen", "template", ["a"]),
            pattern_id("unseen", "template", ["ab"]),
            pattern_id("unseen", "template", ["a", "b", "b"]),
            pattern_id("unsee", "ntemplate", ["a", "b"]),
        }
        assert len(ids) == 7

    def test_finding_id_depends_on_each_input(self) -> None:
        base = ("p-1", "key", 5, "hash", 0)
        changed = [
            ("p-2", "key", 5, "hash", 0),
            ("p-1", "kez", 5, "hash", 0),
            ("p-1", "key", 6, "hash", 0),
            ("p-1", "key", 5, "hasi", 0),
            ("p-1", "key", 5, "hash", 1),
            ("p-1k", "ey", 5, "hash", 0),
        ]
        assert len({finding_id(*arguments) for arguments in [base, *changed]}) == 7

    def test_ids_are_the_same_on_every_machine(self) -> None:
        # Verdicts are stored under these ids: a change here loses them.
        assert pattern_id("unseen", "template", ["b", "a"]) == "p-bb6ef495eb221fee"
        assert finding_id("p-1", "key", 5, "hash", 0) == "f-e28ef9ef2ac16edf"

    def test_bytes_that_are_not_utf8_have_ids(self) -> None:
        assert pattern_id("a", "b", ["\udc80"]) != pattern_id("a", "b", ["\udc81"])


class TestJson:
    def test_round_trip(self) -> None:
        line = CitedLine(source="a.log", line_no=3, offset=99, text="x\x1b", highlight=True)
        finding = make(1, lines=(line,), first_seen="2025-06-14T13:02:11Z")
        assert Finding.model_validate_json(finding.model_dump_json()) == finding

    def test_unknown_keys_are_refused(self) -> None:
        with pytest.raises(ValidationError, match="colour"):
            make(1, colour="red")

    def test_run_round_trip(self) -> None:
        run = Run(
            sources=(SourceInfo(name="-", lines=1, bytes=2, notes=("x",)),),
            timeline=Timeline(start=-5, step=1, lines=(1,), errors=(0,)),
        )
        assert Run.model_validate_json(run.model_dump_json()) == run


def cited(*hosts: str | None) -> tuple[CitedLine, ...]:
    return tuple(CitedLine(source="a", line_no=1, offset=0, text="x", host=h) for h in hosts)


class TestHosts:
    def test_a_finding_names_each_host_once_in_the_order_of_its_lines(self) -> None:
        found = make(1, lines=cited("web2", None, "web1", "web2"))
        assert found.hosts == ("web2", "web1")
        assert found.components == ()
        assert "hosts" not in found.model_dump()
        assert hosts_of([found, make(2, lines=cited("db1", "web1"))]) == ("web2", "web1", "db1")


class TestStandings:
    def test_open_findings_have_none(self) -> None:
        assert standings([make(1), make(2)]) == []

    def test_a_state_is_told_with_its_reason(self) -> None:
        real = make(1, state="confirmed", because="real, 2026-11-20: disk swap")
        assert standings([real]) == [("confirmed", "confirmed: real, 2026-11-20: disk swap")]
        assert standings([make(1, state="suppressed")]) == [("suppressed", "suppressed")]

    def test_how_many_have_it_is_told_where_not_all_do(self) -> None:
        some = [make(n, state="suppressed", because="quiet hours") for n in range(2)]
        assert standings([make(9), *some]) == [("suppressed", "2 of 3 suppressed: quiet hours")]


class TestRank:
    def test_severity_comes_first(self) -> None:
        low, high = make(1, severity="low", score=99.0), make(2, severity="high", score=1.0)
        assert ranked([low, high]) == [high, low]

    def test_detectors_take_turns(self) -> None:
        # A score compares within its detector: 400 of one is not above 12 of another.
        rate = [make(n, detector="rate", score=400.0 - n, pattern="p-r", count=9) for n in (1, 2)]
        unseen = [make(n, score=15.0 - n, pattern="p-u") for n in (3, 4)]
        assert ranked([*rate, *unseen]) == [rate[0], unseen[0], rate[1], unseen[1]]

    def test_patterns_with_more_lines_come_first_then_earlier_ones_then_smaller_ids(self) -> None:
        often, once, twin = make(9, count=50), make(3, pattern="p-2"), make(2, pattern="p-3")
        early = make(5, pattern="p-4", first_seen="2025-01-01T00:00:00Z")
        late = make(4, pattern="p-5", first_seen="2025-01-01T00:00:01Z")
        assert ranked([late, early, once, twin, often]) == [often, twin, once, early, late]

    @given(st.randoms(use_true_random=False))
    def test_input_order_does_not_matter(self, rnd: random.Random) -> None:
        pool = [
            make(
                n,
                score=float(n % 3),
                severity=("low", "high")[n % 2],
                detector=("unseen", "rate")[n % 5 == 0],
                pattern=f"p-{n % 4}",
            )
            for n in range(20)
        ]
        expected = ranked(pool)
        rnd.shuffle(pool)
        assert ranked(pool) == expected

    def test_groups(self) -> None:
        first = make(1, score=11.0, count=3, first_seen="2025-06-14T10:00:00.5Z")
        second = make(2, score=12.0, first_seen="2025-06-14T10:00:00Z")
        third = make(3, pattern="p-other", severity="critical", last_seen="2025-06-14T09:00:00Z")
        groups = by_pattern([first, second, third])
        assert [group.pattern for group in groups] == ["p-other", first.pattern]
        assert groups[1].representative == second
        assert groups[1].count == 4
        # Sorted as times, not as texts: "00.5Z" is less than "00Z" as a text.
        assert groups[1].first_seen == "2025-06-14T10:00:00Z"
        assert groups[1].last_seen == "2025-06-14T10:00:00.5Z"
        assert groups[0].first_seen is None
        assert groups[0].last_seen == "2025-06-14T09:00:00Z"


class TestTimes:
    @given(st.datetimes(timezones=st.just(UTC)))
    def test_iso_times_are_read(self, time: Any) -> None:
        assert parse_time(time.isoformat()) == time

    @given(st.text())
    def test_other_texts_are_shown_as_they_are(self, text: str) -> None:
        parse_time(text)
        span(text, text)

    @given(st.integers())
    def test_any_number_is_a_time(self, number: int) -> None:
        from_ns(number)

    def test_span_over_days(self) -> None:
        assert span("2025-06-14T23:59:00Z", "2025-06-15T00:01:00Z") == (
            "Jun 14 23:59:00 to Jun 15 00:01:00"
        )
        assert span(None, None) == ""


def test_the_telling_line_is_the_highlighted_one() -> None:
    plain = CitedLine(source="a", line_no=1, offset=0, text="x")
    reason = CitedLine(source="a", line_no=2, offset=2, text="y", highlight=True)
    assert telling(make(1, lines=(plain, reason))) == reason
    assert telling(make(1, lines=(plain,))) == plain
    assert telling(make(1)) is None
