"""Gating: what a text holds is found wherever it stands, and many matches cost little memory."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logwright.rules.engine.gating import Gate, leveled

_TEXTS = st.text(alphabet="ab0", max_size=30)


@given(
    st.lists(_TEXTS.filter(bool), min_size=1, max_size=5),
    st.lists(st.tuples(_TEXTS, st.sampled_from((0, 7, 32_740, 32_760, 65_500))), max_size=4),
)
@settings(max_examples=60)
def test_no_condition_is_missed_that_a_text_fulfils(
    literals: list[str], given_: list[tuple[str, int]]
) -> None:
    gate = Gate({i: (("", literal),) for i, literal in enumerate(literals)})
    texts = [b"-" * before + text.encode() for text, before in given_]
    text, condition = gate.hits(texts)
    found = set(zip(text.tolist(), condition.tolist(), strict=True))
    for i, one in enumerate(texts):
        for j, literal in enumerate(literals):
            beginning = literal.encode()[:16]
            assert ((i, j) in found) is (beginning in one)


def test_what_stands_across_two_pieces_is_found() -> None:
    gate = Gate({0: (("", "disk full"),)})
    for at in range((1 << 15) - 10, (1 << 15) + 2):
        assert gate.hits([b"-" * at + b"disk full"])[1].tolist() == [0], at


@pytest.mark.slow
def test_nested_literals_on_a_text_of_one_character_take_little_memory() -> None:
    gate = Gate({i: (("", "0" * i),) for i in range(1, 99)})
    text = leveled(b"7" * (1 << 16))
    tracemalloc.start()
    found = gate.hits([text])[1]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 98
    assert peak < 200 << 20  # of a piece: one of the whole text would be twice as large
