"""Verdicts: what one would change is told before, and is what it does; an undo takes it back."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback_fakes import new_template, some, stored
from logwright.errors import InputError
from logwright.feedback.exchange import import_entries, read_entries, write_entries
from logwright.feedback.kept import Kept
from logwright.feedback.questions import questions
from logwright.feedback.standing import Found
from logwright.feedback.verdicts import give, lookup, preview, undo
from logwright.findings.finding import Finding
from logwright.findings.verdict import Scope, Subject, Undo, Verdict
from logwright.store import open_store
from logwright.store.base import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(stored(tmp_path / "store.db", some())) as store:
        yield store


def said(word: str, *findings: Finding, **more: Any) -> Verdict:
    subjects = tuple(Subject.of(f) for f in findings)
    return Verdict.model_validate({"word": word, "subjects": subjects, **more})


def finding(store: Store, text: str) -> Finding:
    return next(f for f in store.findings() if text in f.summary)


def states(store: Store) -> dict[str, str]:
    return {id: now.state for id, now in Kept.of(store).now().items()}


def test_a_verdict_acts_on_all_findings_of_its_pattern_as_it_said(store: Store) -> None:
    verdict = said("benign", finding(store, "disk"), by="ann")
    told = preview(store, verdict)
    assert told.sentence == "closes 12 findings of 1 pattern on 3 hosts"
    given, effect = give(store, verdict)
    assert (given.number, effect) == (1, told)
    assert given.position.records == 5000
    closed = [f for f in store.findings() if states(store)[f.id] == "suppressed"]
    assert {f.summary for f in closed} == {"New template: 'disk sda: write failed'"}
    assert store.audit()[0].changed["moves"] == {"open to suppressed": 12}


def test_undo_says_and_does_the_reverse(store: Store) -> None:
    before = states(store)
    give(store, said("benign", finding(store, "disk")))
    _, taken, effect = undo(store, by="bob", note="was wrong")
    assert taken.number == 1
    assert effect.sentence == "reopens 12 findings of 1 pattern on 3 hosts"
    assert states(store) == before
    with pytest.raises(InputError, match="no verdict to undo"):
        undo(store)
    with pytest.raises(InputError, match="no verdict 1 to undo: standing are none"):
        undo(store, 1)


def test_what_was_not_named_is_told(tmp_path: Path) -> None:
    texts = ("link is up, all <*> lanes ready", "link is up, most <*> lanes ready", "disk failed")
    found = [new_template(text, 60 * n) for n, text in enumerate(texts)]
    with open_store(stored(tmp_path / "store.db", found)) as store:
        effect = preview(store, said("benign", found[0]))
    assert (effect.findings, effect.also, effect.also_patterns) == (2, 1, 1)
    assert effect.sentence.endswith("1 of them of 1 pattern that was not named")


def test_a_wider_scope_is_announced_and_takes_more(tmp_path: Path) -> None:
    found = [
        new_template(f"ciod: Error loading <*>: {reason}", 60 * n, severity="high")
        for n, reason in enumerate(("no such file", "permission denied", "bad image"))
    ]
    with open_store(stored(tmp_path / "store.db", found)) as store:
        assert preview(store, said("real", found[0])).wider == 2
        wide = Scope(kind="text", text="ciod: Error loading <*>: *")
        _, effect = give(store, said("real", found[0], scope=wide))
        assert effect.sentence.startswith("confirms 3 findings of 3 patterns")
        assert set(states(store).values()) == {"confirmed"}


def test_the_later_verdict_acts_and_both_are_kept(store: Store) -> None:
    disk = finding(store, "disk")
    give(store, said("benign", disk, by="ann"))
    give(store, said("real", disk, by="bob"))
    assert states(store)[disk.id] == "confirmed"
    (conflict,) = Kept.of(store).standing.conflicts()
    assert [v.by for v in conflict] == ["bob", "ann"]
    undo(store)
    assert states(store)[disk.id] == "suppressed"


def test_ids_name_findings_patterns_and_questions(store: Store) -> None:
    kept, disk = Kept.of(store), finding(store, "disk")
    (drift,) = (q for q in questions(kept) if q.kind == "drift")
    assert lookup(store, kept, disk.id[:10]).found[0].pattern == disk.pattern
    assert lookup(store, kept, disk.pattern).finding is not None
    assert len(lookup(store, kept, drift.id).found) == 5
    for wrong in ("q-0000", "disk", "p-", "p-0000000000000000", "f-\x1b"):
        with pytest.raises(InputError):
            lookup(store, kept, wrong)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["real", "benign", "undo"]),
            st.integers(0, 20),
            st.sampled_from(["pattern", "templates", "host", "text"]),
        ),
        max_size=8,
    )
)
def test_effects_tell_what_happens_and_undos_lead_back(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, str]]
) -> None:
    every = some()
    scopes = {
        "pattern": Scope(),
        "templates": Scope(kind="templates"),
        "host": Scope(host="web1"),
        "text": Scope(kind="text", text="*of version*"),
    }
    with open_store(stored(tmp_path_factory.mktemp("s") / "store.db", every)) as store:
        first, kept = states(store), Kept.of(store)
        for word, at, scope in steps:
            before = states(store)
            if word != "undo":
                verdict = said(word, every[at], scope=scopes[scope])
                _, effect = give(store, verdict, kept)
            elif kept.standing.verdicts:
                numbers = [v.number for v in kept.standing.verdicts]
                *_, effect = undo(store, numbers[at % len(numbers)], kept=kept)
            else:
                continue
            after = states(store)
            assert effect.findings == sum(before[i] != after[i] for i in before)
            assert after == {i: now.state for i, now in kept.now().items()}
        while kept.standing.verdicts:
            undo(store, kept=kept)
        assert states(store) == first


def test_an_import_is_idempotent_and_maps_undos(store: Store, tmp_path: Path) -> None:
    give(store, said("benign", finding(store, "disk"), note="line\nbreak"))
    give(store, said("real", finding(store, "link")))
    undo(store, 1)
    text = io.StringIO()
    assert write_entries(store.entries(), text) == 3
    entries = read_entries(io.StringIO(text.getvalue()), "v.jsonl")
    assert entries == store.entries()
    done = import_entries(store, entries)
    assert (done.added, done.skipped) == ((), 3)
    with open_store(stored(tmp_path / "other.db", some())) as other:
        give(other, said("benign", finding(store, "link")))
        done = import_entries(other, entries)
        assert len(done.added) == 3
        assert [[v.word for v in group] for group in done.conflicts] == [["real", "benign"]]
        assert states(other)[finding(other, "link").id] == "confirmed"
        assert states(other)[finding(other, "disk").id] == "open"
        assert import_entries(other, entries).added == ()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["{}"], "line 1: no verdict or undo"),
        (["[]"], "line 1: no verdict or undo"),
        (['{"entry": "verdict", "number": 1, "word": "good", "subjects": []}'], "line 1"),
        (['{"entry": "undo", "number": 2, "undoes": 1}'], "time: it says when it was given"),
        ([Undo(number=2, undoes=1).model_dump_json()], "verdict 1, which is not before it"),
    ],
)
def test_a_file_that_holds_something_else_is_refused_whole(lines: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_entries(lines, "v.jsonl")


def test_a_number_may_be_there_once_only() -> None:
    entry = said("benign", some()[0], number=4).model_dump_json()
    with pytest.raises(InputError, match="number 4 is 0, or there twice"):
        read_entries([entry, "", entry], "v.jsonl")


def test_an_import_is_one_transaction(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, link = finding(store, "disk"), finding(store, "link")
    entries = [
        said("benign", disk, number=1),
        said("benign", link, number=2),
        Undo(number=3, undoes=1),
    ]
    calls: list[int] = []
    add = store.add_entries

    def counted(*arguments: Any) -> Any:
        calls.append(1)
        return add(*arguments)

    monkeypatch.setattr(store, "add_entries", counted)
    assert len(import_entries(store, entries).added) == 3
    assert calls == [1]
    assert states(store)[disk.id] == "open"
    assert states(store)[link.id] == "suppressed"
    # Another store took back what is here, too.
    more = [said("benign", link, number=2, time=entries[1].time), Undo(number=9, undoes=2)]
    assert len(import_entries(store, more).added) == 1
    assert states(store)[link.id] == "open"


@pytest.mark.parametrize(
    "times",
    [
        {"time": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59-14:00"},
        {"position": {"time": "0001-01-01T00:00:00+14:00"}},
    ],
)
def test_times_that_utc_does_not_have_are_refused(times: dict[str, Any]) -> None:
    verdict = said("expected", some()[0], number=1, until="2030-01-01T00:00:00Z")
    line = json.dumps(verdict.model_dump(mode="json") | times)
    with pytest.raises(InputError, match="years 1 to 9999"):
        read_entries([line], "v.jsonl")


def test_a_file_may_begin_with_a_mark_and_an_entry_be_too_large() -> None:
    line = said("benign", some()[0], number=1).model_dump_json()
    assert len(read_entries(["\ufeff" + line], "v.jsonl")) == 1
    with pytest.raises(InputError, match="line 1: an entry of 40 MB is too large"):
        read_entries([" " * 40_000_000 + line], "v.jsonl")


def test_bytes_that_are_no_text_are_kept_escaped(store: Store) -> None:
    odd = new_template("disk \udc80 failed").model_copy(update={"summary": "\udcff" * 5000})
    verdict = said(
        "benign", odd, by="\udc80", note="\udcff", scope={"host": "h\udc80", "source": "\ud800"}
    )
    assert verdict.subjects[0].texts == ("disk \\x80 failed",)
    assert (verdict.by, verdict.note, verdict.scope.host) == ("\\x80", "\\xff", "h\\x80")
    assert verdict.scope.source == "\\ud800"
    assert give(store, verdict)[0].number == 1
    assert Found.of(odd).subject() == Subject.of(odd)


def test_undo_restores_the_severity_that_a_verdict_changed(tmp_path: Path) -> None:
    own = new_template("cache is cold").model_copy(
        update={
            "state": "confirmed",
            "severity": "critical",
            "own_severity": "medium",
            "because": "real by ann (verdict 1)",
        }
    )
    with open_store(stored(tmp_path / "store.db", [own])) as store:

        def severity() -> str:
            return Kept.of(store).states(own.pattern)[own.id].severity

        assert (severity(), store.patterns()[0].severity) == ("medium", "medium")
        give(store, said("real", own, severity="critical"))
        assert severity() == "critical"
        undo(store)
        give(store, said("real", own))
        assert severity() == "high"
        give(store, said("benign", own))
        assert severity() == "medium"


def test_a_host_is_closed_with_what_is_of_it_alone(tmp_path: Path) -> None:
    one, both = (
        new_template("disk failed", host="web1"),
        new_template("disk failed", 5, host="web1"),
    )
    line = both.lines[0].model_copy(update={"host": "web2"})
    both = both.model_copy(update={"lines": (*both.lines, line)})
    with open_store(stored(tmp_path / "store.db", [one, both])) as store:
        effect = preview(store, said("benign", one, scope=Scope(host="web1")))
        assert effect.sentence == "closes 1 finding of 1 pattern that is of this host alone"
        effect = preview(store, said("real", one, scope=Scope(host="web1")))
        assert effect.sentence == "confirms 2 findings of 1 pattern on 2 hosts"


def test_a_verdict_reads_only_what_it_touches(store: Store) -> None:
    read: list[set[str]] = []
    kept = Kept.of(store)
    load = kept._load
    kept._load = lambda patterns: load(read.append(set(patterns or kept.patterns)) or patterns)
    disk = finding(store, "disk")
    preview(store, said("benign", disk), kept)
    assert set().union(*read) == {disk.pattern}
