"""The event vocabulary: codes that stay, words that say what an event is made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import InputError
from logwright.sequence import vocabulary as module
from logwright.sequence.vocabulary import BUCKETS, END, FIRST, MOST_PIECES, START, EventVocabulary

NAMES = st.lists(st.text(max_size=5), unique=True, max_size=12)


@given(NAMES, NAMES)
def test_codes_are_those_of_first_sight_and_stay(learned: list[str], later: list[str]) -> None:
    v = EventVocabulary(learned)
    assert v.codes(learned).tolist() == list(range(FIRST, FIRST + len(learned)))
    met = [v.meet(name, name) for name in later]
    assert [v.meet(name, name) for name in later] == met == v.codes(later).tolist()
    assert len(v) == FIRST + len(set(learned) | set(later))
    assert v.codes(learned).tolist() == list(range(FIRST, FIRST + len(learned)))
    assert v.learned == FIRST + v.known == FIRST + len(learned)


@given(st.lists(st.text(), unique=True, max_size=8), st.text())
def test_every_code_has_between_one_and_the_most_rows_of_words(
    texts: list[str], later: str
) -> None:
    v = EventVocabulary([str(i) for i in range(len(texts))], texts)
    before = v.pieces
    v.meet("later", later)
    rows, bounds = v.pieces
    sizes = np.diff(bounds)
    assert len(sizes) == len(v)
    assert sizes.min() >= 1
    assert sizes.max() <= MOST_PIECES
    assert 0 <= rows.min() <= rows.max() < BUCKETS
    assert np.array_equal(rows[: len(before[0])], before[0])


def test_words_hash_the_same_in_every_process() -> None:
    rows, bounds = EventVocabulary(["a"], ["disk <*> full"]).pieces
    assert rows[bounds[2] :].tolist() == [1551, 425]


def test_same_words_same_rows_and_masks_say_nothing() -> None:
    v = EventVocabulary(["a", "b", "c"], ["read <*> from disk <path>", "read from disk", "reads"])
    rows, bounds = v.pieces
    of = [rows[bounds[code] : bounds[code + 1]].tolist() for code in range(len(v))]
    assert of[2] == of[3] != of[4]


def test_events_without_words_differ_by_their_ids() -> None:
    rows, bounds = EventVocabulary(["a", "b"], ["<*> <*>", ""]).pieces
    assert rows[bounds[2]] != rows[bounds[3]]


def test_an_event_never_met_is_named() -> None:
    with pytest.raises(InputError, match="'x' was neither learned nor met"):
        EventVocabulary(["a"]).codes(["a", "x"])


def test_beyond_the_most_all_new_events_share_one_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_MET", 3)
    v = EventVocabulary(["a"])
    met = [v.meet(str(i), "disk full") for i in range(10)]
    assert met == [3, 4, 5, 6, 6, 6, 6, 6, 6, 6]
    assert len(v) == 7
    assert len(v.pieces[1]) == 8
    assert v.text(6) == "(other)"
    assert v.meet("1") == 4


def test_equal_ids_and_texts_that_are_missing_are_refused() -> None:
    with pytest.raises(InputError, match="differ"):
        EventVocabulary(["a", "a"])
    with pytest.raises(InputError, match="2 events need as many texts, not 1"):
        EventVocabulary(["a", "b"], ["x"])


def test_codes_tell_what_they_stand_for() -> None:
    v = EventVocabulary(["t1", "t2"], ["disk full", ""])
    assert [v.text(c) for c in (START, END, 2, 3)] == ["(start)", "(end)", "disk full", "t2"]
