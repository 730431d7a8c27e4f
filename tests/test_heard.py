"""Heard words: what only abnormal lines said, and nothing that healthy ones do."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from logwright.rules.induction.heard import blamed, heard_words, needed
from logwright.windows.window import Windows

WORDS = st.sampled_from(["link", "severed", "lost", "closed:", "port=", "the", "no", "x9", "<*>"])
TEXTS = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)


def heard(templates: list[list[int]], texts: list[str], bad: list[bool]) -> set[str]:
    windows = Windows.of_sequences(templates, "count")
    return {w for group in heard_words(windows, texts, np.array(bad), 0.9, 2) for w in group}


@given(
    st.lists(TEXTS, min_size=2, max_size=6),
    st.lists(st.tuples(st.lists(st.integers(0, 5), max_size=5), st.booleans()), min_size=1),
)
def test_no_healthy_line_holds_a_heard_word(
    texts: list[str], drawn: list[tuple[list[int], bool]]
) -> None:
    templates = [[t for t in window if t < len(texts)] for window, _ in drawn]
    bad = [label for _, label in drawn]
    words = heard(templates, texts, bad)
    for window, label in zip(templates, bad, strict=True):
        if not label:
            guilty = blamed(
                Windows.of_sequences(templates, "count"), np.array(bad), 0.9, 1, len(texts)
            )
            assert not any(set(texts[t].split()) & words for t in window if not guilty[t])
    assert not any(re.search(r"\d|<", word) for word in words)


def test_words_of_new_lines_are_known_from_old_ones() -> None:
    texts = ["link is up", "link severed by peer", "socket to <*> severed", "all well"]
    words = heard([[0, 1], [0, 3], [1, 3], [0]], texts, [True, False, True, False])
    assert "severed" in words
    assert not words & {"link", "all", "well", "by"}


def test_names_of_fields_and_small_words_are_not_heard() -> None:
    texts = ["ok", "no unit=<*> port:address by <*> severed"]
    assert heard([[1], [1], [0]], texts, [True, True, False]) == {"severed"}


def test_a_word_that_healthy_lines_hold_as_a_field_is_not_heard() -> None:
    assert heard([[1], [1], [0]], ["ok port:<*>", "port lost"], [True, True, False]) == {"lost"}


def test_words_seen_once_are_one_group() -> None:
    texts = ["ok", "first severed", "second lost", "third closed", "third closed again"]
    windows = Windows.of_sequences([[1], [2], [3], [3], [4], [0]], "count")
    bad = np.array([True] * 5 + [False])
    groups = [set(group) for group in heard_words(windows, texts, bad, 0.9, 2)]
    assert {"severed", "second", "lost"} <= set().union(*groups)
    assert any({"third", "closed"} == group for group in groups)
    assert any({"severed", "lost"} <= group for group in groups)


def test_a_word_is_in_one_group_however_it_is_capitalized() -> None:
    texts = ["ok", "TLB severed", "tlb lost", "Tlb closed"]
    windows = Windows.of_sequences([[1], [1], [2], [2], [3], [0]], "count")
    bad = np.array([True] * 5 + [False])
    groups = heard_words(windows, texts, bad, 0.9, 2)
    assert [w for w in groups if {"TLB", "tlb", "Tlb"} <= set(w)]
    words = [word for group in groups for word in group]
    assert sorted(words) == sorted({*words})
    assert {"severed", "lost", "closed"} <= set(words)


def test_a_group_of_many_words_is_cut() -> None:
    texts = ["ok", " ".join("w" + chr(97 + i) * 4 for i in range(26))]
    windows = Windows.of_sequences([[1], [1], [0]], "count")
    groups = heard_words(windows, texts, np.array([True, True, False]), 0.9, 2)
    assert max(map(len, groups)) <= 8
    assert sum(map(len, groups)) == 26


def test_without_blame_nothing_is_heard() -> None:
    assert heard([[0, 1], [0, 1]], ["a word", "other words"], [True, False]) == set()


@given(st.integers(0, 2**32 - 1), st.integers(0, 7), st.integers(0, 9))
def test_needed_groups_hit_all_that_any_group_hits(seed: int, n: int, windows: int) -> None:
    hits = list(np.random.default_rng(seed).random((n, windows)) < 0.3)
    groups = [("word",) * (at + 1) for at in range(n)]
    kept = needed(groups, hits)
    assert kept == sorted(set(kept))
    every = np.any(hits, axis=0) if hits else np.zeros(windows, bool)
    some = np.any([hits[at] for at in kept], axis=0) if kept else np.zeros(windows, bool)
    assert (some == every).all()
    assert len(kept) <= every.sum()


def test_of_groups_that_hit_the_same_windows_the_one_of_most_words_stays() -> None:
    hits = list(np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 1]], bool))
    groups = [("panic",), ("machine", "check"), ("socket",), ("link",)]
    assert needed(groups, hits) == [1, 3]
