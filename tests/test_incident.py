"""Incidents: findings that share something and follow each other closely are one."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from logwright.findings.finding import CitedLine, Finding, TemplateRef, WindowRef
from logwright.findings.incident import incidents
from logwright.findings.run import Run
from logwright.findings.terminal import render


def finding(number: int, at: str | None, source: str = "a.log", **values: Any) -> Finding:
    first = None if at is None else f"2025-01-01T{at}Z"
    base: dict[str, Any] = {
        "id": f"f-{number:016x}",
        "pattern": f"p-{number:016x}",
        "detector": "unseen",
        "unit": "template",
        "score": 1.0,
        "threshold": 1.0,
        "severity": "low",
        "summary": f"new {number}",
        "expected": "nothing",
        "seen": "something",
        "first_seen": first,
        "last_seen": first,
        "window": WindowRef(kind="time", key="w", lines=1),
        "lines": (CitedLine(source=source, line_no=number, offset=0, text="up"),),
        "templates": (TemplateRef(id=f"t-{number}", text=f"text {number}", count=1),),
    }
    return Finding(**{**base, **values})


def groups(findings: list[Finding]) -> list[list[int]]:
    return sorted(sorted(int(f.id[2:], 16) for f in i.findings) for i in incidents(findings))


def test_close_findings_of_one_source_are_one_incident() -> None:
    found = [finding(1, "10:00:00"), finding(2, "10:09:00"), finding(3, "10:30:00")]
    assert groups(found) == [[1, 2], [3]]


def test_other_sources_join_by_a_shared_identifier() -> None:
    line = {"text": "got blk_471199 late", "line_no": 1, "offset": 0}
    one = finding(1, "10:00:00", lines=(CitedLine(source="a.log", **line),))
    two = finding(2, "10:00:05", lines=(CitedLine(source="b.log", **line),))
    alone = finding(3, "10:00:06", source="c.log")
    assert groups([one, two, alone]) == [[1, 2], [3]]


def test_one_finding_can_join_two_incidents() -> None:
    def text(source: str, words: str) -> tuple[CitedLine, ...]:
        return (CitedLine(source=source, line_no=1, offset=0, text=words),)

    one = finding(1, "10:00:00", lines=text("a.log", "req-11111"))
    two = finding(2, "10:00:01", lines=text("b.log", "req-22222"))
    both = finding(3, "10:00:02", lines=text("c.log", "req-11111 req-22222"))
    assert groups([one, two]) == [[1], [2]]
    assert groups([one, two, both]) == [[1, 2, 3]]


def test_an_incident_begins_with_its_earliest_finding_and_is_as_grave_as_its_worst() -> None:
    (incident,) = incidents([finding(2, "10:00:05", severity="critical"), finding(1, "10:00:00")])
    assert incident.first.id == "f-0000000000000001"
    assert incident.severity == "critical"
    assert incident.worst.id == "f-0000000000000002"
    assert incident.last_seen == "2025-01-01T10:00:05Z"


def test_findings_without_times_stand_alone() -> None:
    assert groups([finding(1, None), finding(2, None)]) == [[1], [2]]


@given(
    st.lists(st.tuples(st.integers(0, 59), st.sampled_from("abc")), max_size=12),
    st.randoms(use_true_random=False),
)
def test_every_finding_is_in_one_incident_whatever_the_order(
    given_: list[tuple[int, str]], rnd: random.Random
) -> None:
    found = [finding(n, f"10:{m:02d}:00", s) for n, (m, s) in enumerate(given_)]
    shuffled = found[:]
    rnd.shuffle(shuffled)
    assert groups(shuffled) == groups(found)
    assert sorted(n for g in groups(found) for n in g) == list(range(len(found)))
    assert [i.id for i in incidents(found)] == [i.id for i in incidents(shuffled)]


def test_the_terminal_tells_incidents_of_several_patterns_in_one_line() -> None:
    text = render(Run(lines=9), [finding(1, "10:00:00"), finding(2, "10:00:03")], width=100)
    assert "2 patterns, began with 'text 1'" in text
    assert "began with" not in render(Run(lines=9), [finding(1, "10:00:00")], width=100)
