"""A model's word stands below a person's, whichever came first, and goes no further than asked."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.feedback.judge import Judge
from logwright.feedback.speaker import is_model, signature
from logwright.feedback.standing import Found, Standing
from logwright.findings.verdict import Entry, Undo, Verdict
from test_standing import NOON, TEXTS, _behaviour, _built, _entries, _judge, found, verdict

ALL = range(len(TEXTS))
SIGHTS = [[n] for n in ALL] + [[0, 1], [1, 2], [3, 4, 5], list(ALL)]
HOSTS = ("web0", "web1", "web2")


def by_model(number: int, word: str, *which: int, **more: object) -> Verdict:
    return verdict(number, word, *which, by=signature("m"), **more)


def mixed(entries: Sequence[Entry], words: Sequence[tuple[str, int, int]]) -> list[Entry]:
    """Entries among which a model speaks, at the places given; all are numbered anew."""
    steps: list[tuple[int | None, Entry]] = [(e.number, e) for e in entries]
    for word, which, place in words:
        at = place % (len(steps) + 1)
        steps.insert(at, (None, by_model(1, word, which, (which + 1) % len(TEXTS))))
    numbers = {old: new for new, (old, _) in enumerate(steps, 1) if old is not None}
    out: list[Entry] = []
    for number, (_, entry) in enumerate(steps, 1):
        if isinstance(entry, Undo):
            out.append(Undo(number=number, undoes=numbers[entry.undoes]))
        else:
            out.append(entry.model_copy(update={"number": number}))
    return out


def spoken(standing: Standing) -> list[int]:
    """On which patterns a person has spoken."""
    return [n for n in ALL if standing.is_judged(found(n))]


def judged(standing: Standing, which: Sequence[int]) -> list[object]:
    """What acts on these patterns, alone and together, on several hosts: without its number."""
    out: list[object] = []
    for host in HOSTS:
        for sight in SIGHTS:
            together = {found(n).pattern for n in sight}
            for n in set(sight) & set(which):
                acting = standing.acting(found(n, host=host), together)
                told = acting and (acting.word, acting.by, acting.patterns, acting.scope)
                out.append((host, n, told))
    return out


_words = st.lists(
    st.tuples(st.sampled_from(("real", "benign")), st.integers(0, 5), st.integers(0, 20)),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("order", [("ann", "model:m"), ("model:m", "ann")])
def test_a_person_is_heard_before_a_model_whoever_comes_later(order: tuple[str, str]) -> None:
    words = {"ann": "real", "model:m": "benign"}
    first, second = (verdict(n, words[by], 0, by=by) for n, by in enumerate(order, 1))
    standing = Standing([first, second])
    assert standing.acting(found(0)).by == "ann"
    assert [v.by for v in standing.reaching(found(0))] == ["ann", "model:m"]
    assert [v.by for v in standing.conflicts()[0]] == ["ann", "model:m"]


def test_where_a_persons_word_has_ended_a_model_is_not_heard_either() -> None:
    standing = Standing([by_model(1, "benign", 0), verdict(2, "expected", 0, until=NOON)])
    assert standing.acting(found(0)) is None
    standing.add(Undo(number=3, undoes=2))
    assert is_model(standing.acting(found(0)))


@given(_entries(), _words)
def test_a_model_changes_nothing_where_a_person_has_spoken(
    steps: list[tuple[str, tuple[int, ...], int]], words: list[tuple[str, int, int]]
) -> None:
    entries = _built(steps)
    alone, both = Standing(entries), Standing(mixed(entries, words))
    assert spoken(both) == spoken(alone)
    assert judged(both, spoken(alone)) == judged(alone, spoken(alone))
    assert both.real_make_ups() == alone.real_make_ups()


@given(_entries(), _words)
def test_a_model_says_nothing_of_alike_texts_and_of_what_is_learned_anew(
    steps: list[tuple[str, tuple[int, ...], int]], words: list[tuple[str, int, int]]
) -> None:
    entries = _built(steps)
    alone, both = _judge(entries), _judge(mixed(entries, words))
    assert both.normal_templates == alone.normal_templates
    assert both.real_templates == alone.real_templates


@pytest.mark.parametrize(("by", "patterns"), [("ann", 1), ("model:m", 0)])
def test_a_make_up_that_a_model_calls_real_is_no_alarm_for_ever(by: str, patterns: int) -> None:
    make_up = Found(f"p-{9:016x}", "counts", "count_vector", ("t-1", "t-2"))
    standing = Standing([Verdict(number=1, word="real", subjects=(make_up.subject(),), by=by)])
    assert standing.acting(make_up).by == by
    assert len(standing.real_make_ups()) == patterns


def test_what_is_like_a_models_benign_is_still_raised() -> None:
    for by, state in (("ann", "suppressed"), ("model:m", "open")):
        judge = Judge()
        judge.add(verdict(1, "benign", 0, by=by))
        assert judge.see(1, [found(1)])[0].state == state


@given(_entries(), _words)
def test_taking_a_models_words_back_restores_the_exact_former_behaviour(
    steps: list[tuple[str, tuple[int, ...], int]], words: list[tuple[str, int, int]]
) -> None:
    entries = _built(steps)
    said = [by_model(100 + n, word, which) for n, (word, which, _) in enumerate(words)]
    undone = [Undo(number=200 + v.number, undoes=v.number) for v in said]
    assert _behaviour(_judge([*entries, *said, *undone])) == _behaviour(_judge(entries))


def test_a_person_clears_a_suspect_of_a_model_and_not_the_other_way_round() -> None:
    both = {found(0).pattern, found(1).pattern}
    persons = Standing([verdict(1, "real", 0, 1, by="ann"), by_model(2, "benign", 1)])
    assert persons.acting(found(0)) is None  # alone: ann named two
    assert persons.acting(found(1), both).by == "ann"
    models = Standing([verdict(1, "benign", 1, by="ann"), by_model(2, "real", 0, 1)])
    assert models.acting(found(0)).by == "model:m"
    assert models.acting(found(1), both).by == "ann"


def test_a_name_of_any_length_can_sign() -> None:
    assert is_model(verdict(1, "real", 0, by=signature("\udcff" * 999)))
