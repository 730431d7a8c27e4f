"""Word overlap against values counted by hand."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning.overlap import overlap

pytest.importorskip("sacrebleu", reason="the extra train is not installed")
pytest.importorskip("rouge_score", reason="the extra train is not installed")

WORDS = ["disk", "full", "on", "node", "seven"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)


@pytest.mark.slow
def test_by_hand() -> None:
    found = overlap("the disk is full", "the disk was full")
    # 3 of 4 words, 1 of 3 pairs; in order "the disk full".
    assert found.rouge1 == pytest.approx(3 / 4)
    assert found.rouge2 == pytest.approx(1 / 3)
    assert found.rouge_l == pytest.approx(3 / 4)
    assert found.bleu == 0.0  # no three words in a row


def test_bleu_by_hand() -> None:
    # n-grams of 5, 4, 3, 2 with 4, 3, 2, 1 matches, the same length.
    expected = (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** (1 / 4)
    assert overlap("a b c d e", "a b c d f").bleu == pytest.approx(expected)


def test_words_are_split_at_white_space_alone() -> None:
    assert overlap("full.", "full").mean == 0.0
    assert overlap("Full", "full").mean == 0.0


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        overlap("a b c d", "a b c d")
    assert not caplog.records


@given(TEXTS, TEXTS, st.booleans())
def test_shares_are_shares_and_a_text_is_most_like_itself(
    text: str, reference: str, smooth: bool
) -> None:
    found = overlap(text, reference, smooth)
    for value in (found.bleu, found.rouge1, found.rouge2, found.rouge_l):
        assert 0.0 <= value <= 1.0
    assert found.mean <= overlap(reference, reference, smooth).mean + 1e-9
