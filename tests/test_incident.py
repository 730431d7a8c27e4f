"""Incidents: findings that share something and follow each other soon enough are one."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import logwright as lw
from logwright.findings.finding import CitedLine, Finding, TemplateRef, WindowRef
from logwright.findings.incident import incidents, with_incidents
from logwright.findings.report import render_html
from logwright.findings.run import Run
from logwright.findings.story import tell
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


def cited(source: str, words: str, header: str = "") -> tuple[CitedLine, ...]:
    text = header + words
    return (CitedLine(source=source, line_no=1, offset=0, text=text, message_at=len(header)),)


def test_a_place_alone_links_for_a_minute_and_only_where_nothing_better_is_known() -> None:
    near = [finding(1, "10:00:00"), finding(2, "10:00:50"), finding(3, "10:03:00")]
    assert groups(near) == [[1, 2], [3]]
    one = finding(1, "10:00:00", lines=cited("a.log", "req-11111 failed"))
    assert groups([one, finding(2, "10:00:01")]) == [[1], [2]]


def test_two_programs_in_one_file_are_two_places() -> None:
    disk = finding(
        1, "10:00:00", lines=cited("all", "disk is full", "May 1 10:00:00 web1 kernel: ")
    )
    cert = finding(2, "10:00:05", lines=cited("all", "it expires", "May 1 10:00:05 web1 nginx: "))
    more = finding(3, "10:00:09", lines=cited("all", "no inode", "May 1 10:00:09 web1 kernel: "))
    assert groups([disk, cert, more]) == [[1, 3], [2]]


def test_a_pattern_links_for_half_an_hour_and_at_its_own_slow_beat() -> None:
    def beats(minutes: list[int]) -> list[Finding]:
        same = {"pattern": "p-0000000000000001"}
        return [
            finding(n, f"{10 + m // 60:02}:{m % 60:02}:00", **same) for n, m in enumerate(minutes)
        ]

    assert groups(beats([0, 25, 80])) == [[0, 1], [2]]
    assert groups(beats([0, 50, 100, 150, 200])) == [[0, 1, 2, 3, 4]]


def test_a_template_links_other_patterns_of_other_services_for_ten_minutes() -> None:
    same = (TemplateRef(id="t-9", text="no route to host", count=1),)
    found = [
        finding(1, "10:00:00", source="a.log", templates=same),
        finding(2, "10:09:00", source="b.log", templates=same),
        finding(3, "10:20:00", source="c.log", templates=same),
    ]
    assert groups(found) == [[1, 2], [3]]


def test_what_everything_shows_links_nothing() -> None:
    """A pod's name in every message, and a template of every session."""
    common = (TemplateRef(id="t-9", text="session begins", count=1),)
    found = [
        finding(
            n,
            f"10:{n:02}:00",
            source=f"{n}.log",
            lines=cited(f"{n}.log", f"pod-77123 says no {n}"),
            templates=(*common, TemplateRef(id=f"t-{n}", text=str(n), count=1)),
        )
        for n in range(12)
    ]
    assert groups(found) == [[n] for n in range(12)]
    assert groups(found[:5]) == [[0, 1, 2, 3, 4]]  # of few, nothing is common


def test_a_name_in_the_header_is_no_request() -> None:
    one = finding(1, "10:00:00", lines=cited("a", "is slow", "10:00:00 node-00123 db: "))
    two = finding(2, "10:05:00", lines=cited("b", "is odd", "10:05:00 node-00123 web: "))
    assert groups([one, two]) == [[1], [2]]
    header = "10:00:00 [54fadb412c4e40cdbaed9335e4c35a9e] "
    one = finding(1, "10:00:00", lines=cited("a", "is slow", header))
    two = finding(2, "10:05:00", lines=cited("b", "is odd", header))
    assert groups([one, two]) == [[1, 2]]


def test_other_sources_join_by_a_shared_identifier() -> None:
    line = {"text": "got blk_471199 late", "line_no": 1, "offset": 0}
    one = finding(1, "10:00:00", lines=(CitedLine(source="a.log", **line),))
    two = finding(2, "10:00:05", lines=(CitedLine(source="b.log", **line),))
    alone = finding(3, "10:00:06", source="c.log")
    assert groups([one, two, alone]) == [[1, 2], [3]]


def test_one_finding_can_join_two_incidents() -> None:
    one = finding(1, "10:00:00", lines=cited("a.log", "req-11111"))
    two = finding(2, "10:00:01", lines=cited("b.log", "req-22222"))
    both = finding(3, "10:00:02", lines=cited("c.log", "req-11111 req-22222"))
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


def test_findings_can_name_their_incident() -> None:
    found = [finding(1, "10:00:00"), finding(2, "10:00:03"), finding(3, "11:00:00")]
    named = with_incidents(found)
    assert [f.id for f in named] == [f.id for f in found]
    assert named[0].incident == named[1].incident != named[2].incident
    # A part of them stands for the same incidents: nothing is worked out anew.
    assert {i.id for i in incidents(named[:1])} == {named[0].incident}
    assert {i.id for i in incidents(found)} == {i.id for i in incidents(named)}


def test_the_terminal_tells_incidents_of_several_patterns() -> None:
    found = [finding(1, "10:00:00"), finding(2, "10:00:03")]
    for width in (80, 100):
        text = render(Run(lines=9), found, width=width)
        assert "2 findings of 2 patterns" in text.split("incidents")[1]
        assert "began with 'text 1'" in text
        assert incidents(found)[0].id[:10] in text
    assert "began with" not in render(Run(lines=9), found[:1], width=100)


def test_an_incident_is_told_in_order_of_time_with_all_its_lines() -> None:
    trace = CitedLine(
        source="b.log", line_no=7, offset=0, text="boom \x1b[2J", more=("at a.B", "at c.D")
    )
    found = [finding(2, "10:00:03", lines=(trace,) * 3), finding(1, "10:00:00", source="b.log")]
    (incident,) = incidents(found)
    for width in (40, 80, 120):
        text = tell(incident, width=width)
        assert max(map(len, text.splitlines())) <= width
        assert text.index("new 1") < text.index("new 2")
        assert text.count("at c.D") == 3
        assert "\x1b" not in text


def on_host(number: int, at: str, host: str, **values: Any) -> Finding:
    line = CitedLine(source="a.log", line_no=1, offset=0, text="up", host=host)
    return finding(number, at, lines=(line,), **values)


def test_an_incident_names_its_hosts() -> None:
    found = [on_host(n, f"10:00:{n:02}", f"web{min(n, 6)}\x1b[2J") for n in range(1, 9)]
    (incident,) = incidents(found)
    assert incident.hosts == tuple(f"web{n}\x1b[2J" for n in range(1, 7))
    told = tell(incident, width=120)
    assert r"on web1\x1b[2J, web2\x1b[2J, web3\x1b[2J and 3 more" in told
    page = render_html(Run(lines=9), found).partition('<section class="incidents"')[2]
    assert r"on web1\x1b[2J, web2\x1b[2J, web3\x1b[2J and 3 more" in page
    for width, hosts in (
        (80, "on 6 hosts"),
        (120, r"on web1\x1b[2J, web2\x1b[2J, web3\x1b[2J and 3 more"),
    ):
        line = render(Run(lines=9), found, width=width).split("incidents")[1].splitlines()[1]
        assert hosts in line
        assert len(line) <= width
    without = [finding(1, "10:00:00"), finding(2, "10:00:03")]
    assert " on " not in render(Run(lines=9), without)


def test_a_story_tells_what_was_said_of_its_findings() -> None:
    (incident,) = incidents(
        [
            finding(1, "10:00:00", state="confirmed", because="real, 2026-11-20: disk\x1b[2J swap"),
            finding(2, "10:00:03", state="suppressed"),
        ]
    )
    for width in (80, 120):
        text = tell(incident, width=width)
        assert "✓ confirmed: real" in text
        assert r"disk\x1b[2J swap" in text
        assert "– suppressed" in text


# --- as an engineer on call meets them ------------------------------------------------------------


def at(second: float, level: str, message: str) -> str:
    moment = datetime(2024, 5, 1, 8, tzinfo=UTC) + timedelta(seconds=second)
    return f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond // 1000:03} {level} {message}\n"


def calm(program: str, seconds: int) -> list[str]:
    return [at(n, "INFO", f"{program}: job {n} done") for n in range(0, seconds, 2)]


def told(folder: Path, **logs: list[str]) -> list[set[str]]:
    """The incidents of some logs, worst first: the words in quotes of their summaries."""
    for name, lines in logs.items():
        (folder / f"{name}.log").write_text("".join(sorted(lines)))
    found = lw.scan(*(str(folder / f"{name}.log") for name in logs)).findings
    return [
        {f.summary.split("'")[1] for f in i.findings if "'" in f.summary} for i in incidents(found)
    ]


def test_a_cascade_over_three_services_is_one_incident(tmp_path: Path) -> None:
    db, api, web = calm("db", 8000), calm("api", 8000), calm("web", 8000)
    for n in range(8):
        request = f"req-{n:04x}{n * 7919:08x}"
        db.append(at(6000 + 9 * n, "ERROR", f"db: {request} no connection left"))
        api.append(at(6000.4 + 9 * n, "ERROR", f"api: {request} order service gave up"))
        web.append(at(6000.9 + 9 * n, "ERROR", f"web: {request} upstream answered 503"))
    (one,) = told(tmp_path, db=db, api=api, web=web)
    assert {words.partition(" ")[2] for words in one} == {
        "no connection left",
        "order service gave up",
        "upstream answered <*>",
    }


def test_two_troubles_at_the_same_time_in_one_file_are_two_incidents(tmp_path: Path) -> None:
    log = calm("app", 8000)
    for n in range(5):
        log.append(at(6000 + 20 * n, "ERROR", f"db: checksum mismatch on page {n}"))
        log.append(at(6005 + 20 * n, "WARN", f"tls: certificate {n} is about to expire"))
    assert sorted(map(sorted, told(tmp_path, app=log))) == [
        ["certificate <*> is about to expire"],
        ["checksum mismatch on page <*>"],
    ]


def test_a_flapping_service_is_one_incident(tmp_path: Path) -> None:
    log = calm("app", 12_000)
    for n in range(10):
        log.append(at(6500 + 400 * n, "ERROR", "lb: backend db-primary is down"))
        log.append(at(6530 + 400 * n, "WARN", "lb: backend db-primary is up again"))
    assert told(tmp_path, app=log) == [
        {"backend db-primary is down", "backend db-primary is up again"}
    ]


def test_a_slow_leak_is_one_incident(tmp_path: Path) -> None:
    log = calm("app", 40_000)
    for n in range(8):
        log.append(at(21_000 + 2300 * n, "WARN", f"jvm: old space at {70 + 3 * n} percent"))
    assert told(tmp_path, app=log) == [{"old space at <*> percent"}]
