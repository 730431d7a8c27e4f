"""Second looks: what rests on one answer and acts on much is asked about once more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from feedback_fakes import new_template, some
from logwright.feedback.second import SecondAsker
from logwright.findings.finding import Finding
from logwright.findings.verdict import Entry, Scope, Undo
from test_questions import kept, said

EVERY = some()
DISK, LINK, DEPLOY = EVERY[:12], EVERY[12:15], EVERY[15:20]


def looks(*entries: Entry, findings: list[Finding] = EVERY) -> list[tuple[int, int]]:
    """The verdicts that are looked at again, with the findings on which each acts."""
    asked = SecondAsker(kept(findings, *entries)).ask()
    return [(look.verdict.number, look.findings) for look in asked]


def test_what_acts_on_most_findings_comes_first() -> None:
    entries = [
        said("benign", LINK[0], number=1),
        said("real", DISK[0], number=2),
        said("benign", *DEPLOY, number=3),
    ]
    assert looks(*entries) == [(2, 12), (3, 5), (1, 3)]


def test_it_tells_what_was_said_by_whom_and_on_how_much_it_acts() -> None:
    (look,) = SecondAsker(kept(EVERY, said("benign", DISK[0], by="ann", note="old"))).ask()
    assert look.why == "one answer acts on 12 findings: benign by ann (verdict 1)"
    assert look.text == "New template: 'disk sda: write failed'"
    assert look.alike == ()


def test_the_same_answer_confirms_and_it_is_not_asked_again() -> None:
    first = said("benign", DISK[0], number=1)
    assert looks(first, said("benign", DISK[0], number=2)) == []
    assert looks(first, said("benign", DISK[0], number=2), Undo(number=3, undoes=1)) == [(2, 12)]


def test_another_answer_is_a_conflict_that_a_third_one_decides() -> None:
    two = [said("benign", DISK[0], number=1), said("real", DISK[0], number=2, by="bob")]
    (look,) = SecondAsker(kept(EVERY, *two)).ask()
    assert (look.verdict.number, [v.number for v in look.against]) == (2, [1])
    assert look.why.endswith("real by bob (verdict 2); against it: benign (verdict 1)")
    for word in ("real", "benign"):
        assert looks(*two, said(word, DISK[0], number=3)) == []


def test_a_narrower_answer_confirms_no_wider_one() -> None:
    wide = said("benign", DISK[0], number=1)
    narrow = said("benign", DISK[0], number=2, scope=Scope(host="web1"))
    assert looks(wide, narrow) == [(1, 8), (2, 4)]


def test_a_part_of_what_was_called_real_is_no_confirmation_of_it() -> None:
    pair = [new_template(word, component=word, window="w") for word in ("alpha", "beta")]
    benign = [said("benign", *pair, number=1), said("benign", pair[0], number=2)]
    assert looks(*benign, findings=pair) == [(1, 1)]
    real = [said("real", *pair, number=1), said("real", pair[0], number=2)]
    assert looks(*real, findings=pair) == [(2, 1), (1, 1)]


def test_a_plan_and_what_acts_on_nothing_are_not_looked_at() -> None:
    plan = said("expected", DISK[0], number=1, during="00:00-23:59")
    gone = said("benign", new_template("never seen here"), number=2)
    assert looks(plan, gone) == []


def test_several_models_are_one_opinion() -> None:
    models = [said("benign", DISK[0], number=n, by=f"model:{n}") for n in (1, 2)]
    assert looks(*models) == [(2, 12)]
    assert looks(*models, said("benign", DISK[0], number=3, by="ann")) == []


def test_what_drifted_is_looked_at_as_one_or_one_by_one() -> None:
    asker = SecondAsker(kept(EVERY, said("benign", *DEPLOY)))
    (whole,) = asker.ask()
    assert (whole.kind, whole.can_be_real, len(whole.patterns)) == ("drift", False, 5)
    parts = asker.ask({p.row.id for p in whole.patterns})
    assert [(part.kind, part.findings) for part in parts] == [("pattern", 1)] * 5


_STEPS = st.lists(
    st.tuples(st.sampled_from(("real", "benign")), st.sampled_from((DISK, LINK, DEPLOY))),
    max_size=8,
)


@given(_STEPS)
def test_asking_again_after_each_answer_is_asking_anew(
    steps: list[tuple[str, list[Finding]]],
) -> None:
    entries = [said(word, *there[:1], number=n) for n, (word, there) in enumerate(steps, 1)]
    there = kept(EVERY)
    asker = SecondAsker(there)
    for number, entry in enumerate(entries, 1):
        there.add([entry])
        told = [(look.verdict.number, look.findings, look.why) for look in asker.ask()]
        anew = SecondAsker(kept(EVERY, *entries[:number])).ask()
        assert told == [(look.verdict.number, look.findings, look.why) for look in anew]


@given(_STEPS)
def test_what_has_the_same_word_twice_is_settled_and_all_else_is_offered(
    steps: list[tuple[str, list[Finding]]],
) -> None:
    entries = [said(word, *there[:1], number=n) for n, (word, there) in enumerate(steps, 1)]
    offered = {look.patterns[0].row.id for look in SecondAsker(kept(EVERY, *entries)).ask()}
    for there in (DISK, LINK, DEPLOY):
        words = [e.word for e in entries if e.patterns == (there[0].pattern,)]
        once = bool(words) and words.count(words[-1]) == 1
        assert (there[0].pattern in offered) == once
