"""Names: a code for each byte string, the same for the same, until there are too many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.logs import names as module
from logwright.logs.layout import level_code
from logwright.logs.names import Levels, Names

TEXTS = st.lists(st.binary(min_size=1, max_size=4), max_size=30)


def coded(names: Names, texts: list[bytes]) -> list[int]:
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    starts = ends - np.array([len(text) for text in texts], np.int64)
    return names.code(b"".join(texts), starts, ends).tolist()


@given(TEXTS, TEXTS)
def test_a_code_leads_back_to_its_name(first: list[bytes], then: list[bytes]) -> None:
    names = Names()
    codes = coded(names, first) + coded(names, then)
    assert [names.values[code] for code in codes] == first + then
    assert names.values == list(dict.fromkeys(first + then))


@given(TEXTS, st.data())
def test_codes_of_another_dictionary_stand_for_the_same(
    known: list[bytes], data: st.DataObject
) -> None:
    values = data.draw(st.lists(st.binary(min_size=1, max_size=4), unique=True, max_size=9))
    codes = data.draw(st.lists(st.integers(-1, len(values) - 1)))
    names = Names()
    coded(names, known)
    found = names.recode(np.array(codes, np.int32), values).tolist()
    told = [None if code < 0 else values[code] for code in codes]
    assert [None if code < 0 else names.values[code] for code in found] == told


def test_where_there_is_no_name_there_is_no_code() -> None:
    names = Names()
    assert names.code(b"web", np.array([-1, 0]), np.array([-1, 3])).tolist() == [-1, 0]


def test_a_full_dictionary_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    names = Names()
    assert coded(names, [b"a", b"b"]) == [0, 1]
    assert coded(names, [b"c", b"d"]) == [2, 3]  # a block is taken whole
    assert coded(names, [b"a", b"e"]) == [-1, -1]
    assert len(names.values) == 4


@given(st.lists(st.sampled_from([b"INFO", b"error", b"W", b"nonsense", b"FATAL", b"5"])))
def test_levels_are_what_their_words_say_whenever_they_came(words: list[bytes]) -> None:
    levels = Levels()
    for word in words:
        codes = np.array([*coded(levels.words, [word]), -1], np.int32)
        assert levels.of(codes).tolist() == [level_code(word), 0]
    codes = np.array(coded(levels.words, words), np.int32)
    assert levels.of(codes).tolist() == [level_code(word) for word in words]
