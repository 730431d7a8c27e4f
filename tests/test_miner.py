"""The miner: groups are a function of the set of shapes, restorable, frozen under `assign`."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from logwright.logs.shapes import mask, shape_key
from logwright.templates.miner import EXEMPLARS_MAX, Miner

WORDS = b"user root from ann bob cy dot eve 12 7 10.0.0.1 blk_1 /a/b Jul 12:30 = ( ) , : ok".split()
LINES = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.lists(st.sampled_from(WORDS), max_size=7).map(b" ".join),
        st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)).map(
            lambda w: b"login of %b by %b done" % w
        ),
    ),
    max_size=25,
)


def keys_of(lines: list[bytes]) -> NDArray[np.uint64]:
    return np.array([shape_key(mask(x)) for x in lines], np.uint64).reshape(-1, 2)


def mined(lines: list[bytes], **options: int) -> Miner:
    miner = Miner(**options)
    miner.add(keys_of(lines), lines)
    miner.group()
    return miner


def facts(miner: Miner) -> list[tuple[object, ...]]:
    return [(t.id, t.text, t.types, t.aliases, tuple(t.keys), t.exemplar) for t in miner.templates]


def texts(*lines: str) -> list[str]:
    return sorted(t.text for t in mined([x.encode() for x in lines]).templates)


@given(LINES, st.randoms(use_true_random=False), st.integers(0, 25))
def test_groups_are_a_function_of_the_set(lines: list[bytes], rng: random.Random, at: int) -> None:
    whole = mined(lines)
    shuffled = rng.sample(lines, len(lines))
    left, right = Miner(), Miner()
    left.add(keys_of(shuffled[:at]), shuffled[:at])
    left.group()
    right.add(keys_of(shuffled[at:]), shuffled[at:])
    right.add(keys_of(lines), lines)
    one, two = left.merge(right), right.merge(left)
    one.group()
    two.group()
    assert facts(one) == facts(two) == facts(whole)
    batches = Miner()
    for line in shuffled:
        batches.add(keys_of([line]), [line])
        if rng.random() < 0.2:
            batches.group()
    batches.group()
    assert facts(batches) == facts(whole)


@given(LINES, LINES, LINES)
@settings(max_examples=30)
def test_merge_is_associative(a: list[bytes], b: list[bytes], c: list[bytes]) -> None:
    one = mined(a).merge(mined(b)).merge(mined(c))
    two = mined(a).merge(mined(b).merge(mined(c)))
    one.group()
    two.group()
    assert facts(one) == facts(two)


@given(LINES)
def test_parameters_give_the_line_back(lines: list[bytes]) -> None:
    miner = mined(lines)
    for line, code in zip(lines, miner.of(keys_of(lines)).tolist(), strict=True):
        template = miner.templates[code]
        parameters = template.parameters(line)
        assert template.render(parameters) == line
        assert template.text.count("<*>") >= len(template.types)
        if parameters and parameters[-1].type != "line":
            assert len(parameters) == len(template.types)


@given(LINES)
def test_a_shape_known_to_the_groups_is_assigned_its_template(lines: list[bytes]) -> None:
    miner = mined(lines)
    keys = keys_of(lines)
    for line, code in zip(lines, miner.of(keys), strict=True):
        assert miner.assign(shape_key(mask(line)), line) is miner.templates[code]


@given(LINES, LINES, st.randoms(use_true_random=False))
def test_assignments_do_not_depend_on_each_other(
    known: list[bytes], new: list[bytes], rng: random.Random
) -> None:
    first, second = mined(known), mined(known)
    before = facts(first)
    shuffled = rng.sample(new, len(new))
    got = {line: first.assign(shape_key(mask(line)), line) for line in shuffled}
    for line in new:
        template = second.assign(shape_key(mask(line)), line)
        assert (template.id, template.text) == (got[line].id, got[line].text)
        assert template.render(template.parameters(line)) == line
    assert facts(first) == before


@given(LINES)
def test_table_restores_everything(lines: list[bytes]) -> None:
    miner = mined(lines)
    again = Miner.from_table(miner.to_table())
    assert facts(again) == facts(miner)
    assert again.to_table() == miner.to_table()
    bare = Miner.from_table(miner.to_table(exemplars=False))
    assert [(t.id, t.text, t.types) for t in bare.templates] == [
        (t.id, t.text, t.types) for t in miner.templates
    ]
    new = b"login of zed by 5 done"
    key = shape_key(mask(new))
    assert again.assign(key, new) == miner.assign(key, new)
    assert bare.assign(key, new).id == miner.assign(key, new).id
    again.group()
    bare.group()
    assert facts(again) == facts(miner)
    assert [t.keys for t in bare.templates] == [t.keys for t in miner.templates]


def test_dropped_exemplars_are_not_in_the_table() -> None:
    miner = mined([b"password=hunter2 for x1"])
    assert "hunter2" in str(miner.to_table().to_pylist())
    assert "hunter2" not in str(miner.to_table(exemplars=False).to_pylist())


def test_words_that_vary_become_parameters() -> None:
    lines = [f"session opened for user {u} by tool" for u in ("ann", "bob")]
    assert texts(*lines) == ["session opened for user <*> by tool"]
    assert texts(*[f"disk {w} is now ready" for w in ("a", "bb", "cc")]) != [
        "disk <*> is now ready"
    ]
    assert texts(*[f"disk {w} is now ready" for w in ("aa", "bb", "cc", "dd", "ee", "ff")]) == [
        "disk <*> is now ready"
    ]


def test_several_values_may_vary_at_once() -> None:
    pairs = ["ann lap", "bob box", "cy hub", "dot pad", "eve net", "fay mac"]
    lines = ["job done for {} from {}".format(*pair.split()) for pair in pairs]
    assert texts(*lines) == ["job done for <*> from <*>"]


def test_words_that_tell_what_happened_stay() -> None:
    words = ("Started", "Paused", "Resumed", "Stopped")
    assert len(texts(*[f"VM {w} by event loop" for w in words])) == 4


def test_states_without_context_stay_apart() -> None:
    assert len(texts("normal", "warning", "running", "blocked", "critical")) == 5


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("Failed for 10.0.0.1:80 after 12ms", "Failed for <*> after <*>"),
        ("jk2_init() Found child 12", "jk2_init() Found child <*>"),
        ("open /var/log/messages now", "open <*> now"),
        ("at Jul 12 10:11:12 2005 by x", "at <*> by x"),
        ("node-12 is at 50%", "node-<*> is at <*>%"),
        ("GET http://a.example.com:80/x took 3", "GET <*> took <*>"),
        ("lease 00:0a:ba:ff:12:ee gone", "lease <*> gone"),
        ("enabled=true", "enabled=<*>"),
        ('say "it 1"', 'say "it <*>"'),
        ("", ""),
        ("   ", "   "),
    ],
)
def test_texts(line: str, text: str) -> None:
    assert texts(line) == [text]


def test_lists_of_any_length_are_one_parameter() -> None:
    assert texts("ask 1 to delete b1 b2", "ask 1 to delete b1 b2 b3") == ["ask <*> to delete <*>"]


def test_assign_follows_the_frozen_generalisation() -> None:
    miner = mined([f"user {u} logged in".encode() for u in ("ann", "bob", "cy", "dot")])
    new = b"user zed logged in"
    assert miner.assign(shape_key(mask(new)), new) is miner.templates[0]
    other = b"user zed logged out"
    fresh = miner.assign(shape_key(mask(other)), other)
    assert fresh.text == "user zed logged out"
    assert fresh.id not in {t.id for t in miner.templates}


def test_exemplars_are_bounded_and_distinct() -> None:
    lines = [f"took {n} ms".encode() for n in range(50)] * 2
    row = mined(lines).to_table().to_pylist()[0]
    assert len(row["lines"]) == 1
    assert len(set(row["lines"][0])) == len(row["lines"][0]) == EXEMPLARS_MAX


def test_of_long_lines_one_is_kept_and_only_for_want_of_shorter_ones() -> None:
    lines = [b"took 1%b ms" % (b"0" * n) for n in (1, 2, 9000, 9001)]
    for some, kept in ((lines, lines[:2]), (lines[::-1], lines[:2])):
        (row,) = mined(some).to_table().to_pylist()
        assert sorted(row["lines"][0]) == kept
    (row,) = mined(lines[2:]).to_table().to_pylist()
    assert len(row["lines"][0]) == 1


def test_shapes_are_bounded_by_their_keys_whatever_the_order() -> None:
    lines = [f"word {'gh'[i % 2] * (i + 1)} here".encode() for i in range(30)]
    one, two = mined(lines, max_shapes=10), mined(lines[::-1], max_shapes=10)
    assert len(one) == 10
    assert facts(one) == facts(two)
    assert (one.of(keys_of(lines)) >= 0).sum() == 10


def test_evict_forgets_and_keeps_the_id_as_an_alias() -> None:
    lines = [f"user {u} logged in".encode() for u in ("ann", "bob", "cy", "dot", "eve", "fay")]
    miner = mined([*lines, b"alone"])
    template = next(t for t in miner.templates if len(t.keys) == 6)
    smallest = min(lines, key=lambda x: shape_key(mask(x)))
    miner.evict(keys_of([smallest, b"alone"]))
    assert miner.of(keys_of([smallest, b"alone"])).tolist() == [-1, -1]
    (row,) = miner.to_table().to_pylist()
    assert template.id in row["former"]
    (left,) = miner.group()
    assert left.id != template.id
    assert template.id in left.aliases
    restored = Miner.from_table(miner.to_table())
    restored.group()
    assert template.id in restored.templates[0].aliases


@pytest.mark.slow
def test_long_and_hostile_lines_are_quick() -> None:
    lines = [b"a" * 200_000, b"1 " * 50_000, b"x:" * 50_000, b"/" * 100_000, b"a." * 50_000 + b"1"]
    miner = mined(lines)
    for line in lines:
        template = miner.assign(shape_key(mask(line)), line)
        assert template.render(template.parameters(line)) == line


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="1 keys but 2 contents"):
        Miner().add(np.zeros((1, 2), np.uint64), [b"a", b"b"])
