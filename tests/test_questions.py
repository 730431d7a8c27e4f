"""Questions: what is asked, together with what, in which order, and why."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedback_fakes import new_template, some
from logwright.feedback.judge import DECAYED
from logwright.feedback.kept import Kept
from logwright.feedback.questions import Asker, questions
from logwright.feedback.scopes import generalised, scopes
from logwright.feedback.standing import Found
from logwright.findings.finding import SEVERITIES, Finding
from logwright.findings.verdict import Entry, Scope, Subject, Undo, Verdict
from logwright.store.base import PatternRow, Sight
from logwright.store.sights import place_of, span_of

WORDS = ("alpha", "beta", "gamma", "delta", "eta", "theta", "iota", "kappa", "disk failed")


def row(findings: list[Finding]) -> PatternRow:
    """What a store says of the findings of one pattern."""
    first = min(findings, key=lambda f: f.id)
    times = [datetime.fromisoformat(f.first_seen) for f in findings if f.first_seen]
    return PatternRow(
        id=first.pattern,
        detector=first.detector,
        unit=first.unit,
        finding=first.id,
        severity=max((f.severity for f in findings), key=SEVERITIES.index),
        summary=first.summary,
        templates=tuple(t.id for t in first.templates),
        texts=tuple(t.text for t in first.templates),
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        findings=len(findings),
        further=0,
        lines=sum(f.count for f in findings),
        sources=("app.log",),
        hosts=tuple(sorted({h for f in findings for h in f.hosts})),
        runs=1,
    )


def kept(findings: list[Finding], *entries: Entry) -> Kept:
    findings = list({f.id: f for f in findings}.values())
    patterns: dict[str, list[Finding]] = {}
    for finding in findings:
        patterns.setdefault(finding.pattern, []).append(finding)
    return Kept(map(row, patterns.values()), lambda named: map(sight, ordered(findings)), entries)


def ordered(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda f: (f.first_seen or "", f.id))


def sight(finding: Finding) -> Sight:
    """What a store says of a finding before its lines are read."""
    time = datetime.fromisoformat(finding.first_seen) if finding.first_seen else None
    return Sight(
        *(finding.id, finding.pattern, finding.own_severity or finding.severity, time),
        *(span_of(finding.window), *place_of(finding), finding.because),
    )


def said(word: str, *findings: Finding, number: int = 1, **more: object) -> Verdict:
    subjects = tuple(Subject.of(f) for f in findings)
    values = {"number": number, "word": word, "subjects": subjects, **more}
    return Verdict.model_validate(values)


def test_what_settles_more_findings_is_asked_first() -> None:
    asked = questions(kept(some()))
    assert asked[0].text == "New template: 'disk sda: write failed'"
    assert asked[0].findings == 12
    assert asked[0].why.startswith("settles 12 findings; real or not is open: high severity")
    assert [q.worth for q in asked] == sorted((q.worth for q in asked), reverse=True)


def test_new_templates_after_a_deploy_are_one_question() -> None:
    drift = [q for q in questions(kept(some())) if q.kind == "drift"]
    assert [q.text for q in drift] == [
        "5 new templates, first at Jun 14 19:52:00, all of component deploy"
    ]
    assert len(drift[0].patterns) == 5
    assert not drift[0].can_be_real


def test_trouble_is_not_closed_together_with_what_a_deploy_brought() -> None:
    deploy = [new_template(f"{word} is ready", n / 2) for n, word in enumerate(WORDS[:4])]
    bad = new_template("request failed", 1)
    asked = questions(kept([*deploy, bad]))
    assert sorted(len(q.patterns) for q in asked) == [1, 4]


@pytest.mark.parametrize(("gap", "number"), [(1.9, 1), (2.1, 4)])
def test_drift_ends_where_new_templates_come_apart(gap: float, number: int) -> None:
    found = [new_template(f"{word} is ready", n * gap) for n, word in enumerate(WORDS[:4])]
    assert len(questions(kept(found))) == number


def test_new_templates_of_one_window_are_one_question() -> None:
    found = [new_template(word, component=word, window="w") for word in WORDS[:2]]
    (asked,) = questions(kept(found))
    assert asked.kind == "window"
    assert asked.can_be_real
    apart = questions(kept(found), apart=[f.pattern for f in found])
    assert [len(q.patterns) for q in apart] == [1, 1]


def test_what_is_settled_is_not_asked() -> None:
    first, like, other = (
        new_template("link is up on <*>, all lanes ready"),
        new_template("link is up on <*>, most lanes ready", 60),
        new_template("disk failed", 120),
    )
    old = new_template("clock drifts", 180, because=DECAYED)
    every = [first, like, other, old]
    assert len(questions(kept(every))) == 4
    asked = questions(kept(every, said("benign", first)))
    # What decayed is suppressed, and asked about nevertheless.
    assert {q.text for q in asked} == {
        "New template: 'disk failed'",
        "New template: 'clock drifts'",
    }
    assert kept(every).now()[old.id].state == "suppressed"
    taken_back = questions(kept(every, said("benign", first), Undo(number=2, undoes=1)))
    assert len(taken_back) == 4


def test_a_verdict_for_one_host_leaves_the_question_for_the_others() -> None:
    found = [new_template("disk failed", n, host=f"web{n}") for n in range(3)]
    verdict = said("benign", found[0], scope=Scope(host="web0"))
    (asked,) = questions(kept(found, verdict))
    assert asked.findings == 2
    assert asked.hosts == ("web1", "web2")


def test_verdicts_on_alike_texts_move_the_chance_and_are_shown() -> None:
    judged = new_template("node <*> lost power supply one")
    open_ = new_template("node <*> lost power supply two of rack", 60, component="other")
    before = questions(kept([judged, open_]))
    (asked,) = questions(kept([judged, open_], said("real", judged)))
    chance = {q.id: q.chance for q in before}[asked.id]
    assert asked.chance > chance
    assert "of 1 alike, 1 judged real" in asked.why
    assert asked.alike[0].text == "node <*> lost power supply one"


found_lists = st.lists(
    st.builds(
        new_template,
        st.sampled_from(WORDS),
        st.integers(0, 40),
        host=st.sampled_from(["web1", "web2", None]),
        component=st.sampled_from(["app", "db", None]),
        severity=st.sampled_from(["low", "high"]),
        window=st.sampled_from(["w1", "w2", ""]),
        unit=st.sampled_from(["template", "bigram"]),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(found_lists, st.sampled_from(["real", "benign"]), st.randoms())
def test_every_open_pattern_is_in_one_question_whatever_the_order(
    found: list[Finding], word: str, random: object
) -> None:
    found = list({f.id: f for f in found}.values())
    entries = [said(word, found[0])] if found else []
    here = kept(found, *entries)
    asked = questions(here)
    settled = {i for i, now in here.now().items() if now.settled}
    waiting = {f.pattern for f in found if f.id not in settled}
    patterns = [p.row.id for q in asked for p in q.patterns]
    assert sorted(patterns) == sorted(waiting)
    assert len({q.id for q in asked}) == len(asked)
    random.shuffle(found)  # type: ignore[attr-defined]
    assert [q.id for q in questions(kept(found, *entries))] == [q.id for q in asked]


def test_scopes_go_from_narrow_to_wide() -> None:
    finding = new_template("ciod: Error loading <*>: no such file or directory")
    choices = scopes([Found.of(finding)])
    assert [c.name for c in choices] == ["host", "source", "pattern", "templates", "text"]
    assert choices[-1].scope.text == "ciod: Error loading <*>: *"
    plain = scopes([Found("p-00000000000000aa", "rate", "burst")])
    assert [c.name for c in plain] == ["pattern"]


@pytest.mark.parametrize(
    "text", ["", "<*>", "a b", "2 * 3 is too many stars", "<*>: <*>", "x" * 5000]
)
def test_a_text_is_not_opened_to_everything(text: str) -> None:
    assert generalised(text) is None


def test_a_scope_that_no_verdict_can_hold_is_not_offered() -> None:
    found = Found.of(new_template("disk failed", host="h" * 5000, source="s" * 4096))
    assert [c.name for c in scopes([found])] == ["source", "pattern", "templates"]
    long = Found.of(new_template("ciod: " + "x y" * 3000 + ": end of it", host="\udc80" * 2000))
    assert [c.name for c in scopes([long])] == ["source", "pattern", "templates"]


@settings(max_examples=60, deadline=None)
@given(
    found_lists,
    st.lists(st.tuples(st.sampled_from(["real", "benign", "undo"]), st.integers(0, 24))),
)
def test_asked_again_after_each_answer_it_is_as_asked_anew(
    found: list[Finding], steps: list[tuple[str, int]]
) -> None:
    here = kept(found)
    asker, entries = Asker(here), list[Entry]()
    for word, at in steps:
        number = len(entries) + 1
        standing = [v.number for v in here.standing.verdicts]
        if word == "undo" and standing:
            entries.append(Undo(number=number, undoes=standing[at % len(standing)]))
        elif word != "undo" and found:
            several = found[at % len(found) :][: 1 + at % 3]
            entries.append(said(word, *several, number=number))
        here.add(entries[number - 1 :])
        anew = questions(kept(found, *entries))
        again = asker.ask()
        assert [(q.id, q.why, q.chance) for q in again] == [(q.id, q.why, q.chance) for q in anew]
        assert here.now() == kept(found, *entries).now()
