"""What is kept of many texts: nothing twice, the best first, more unlike than what chance takes."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from logwright.reasoning.building.diversity import diverse, embedded

WORDS = ("disk", "full", "link", "down", "user", "login", "failed", "retry", "<*>")
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join), max_size=30)


@given(TEXTS, st.integers(0, 30))
def test_nothing_is_taken_twice_and_no_more_than_asked_for(texts: list[str], most: int) -> None:
    chosen = diverse(texts, most)
    assert len(chosen) <= min(most, len({text.lower() for text in texts}))
    assert len({texts[at] for at in chosen}) == len(chosen)


@given(TEXTS, st.integers(0, 30), st.integers(0, 30))
def test_a_shorter_choice_is_the_beginning_of_a_longer_one(
    texts: list[str], one: int, two: int
) -> None:
    short, long = sorted((one, two))
    assert diverse(texts, long)[:short] == diverse(texts, short)


@given(TEXTS)
def test_every_text_is_taken_or_explained_by_those_that_are(texts: list[str]) -> None:
    chosen = diverse(texts, len(texts))
    rows = embedded(texts).toarray() if texts else np.zeros((0, 1))
    for row in rows:
        if chosen:
            basis = rows[chosen]
            left = row - basis.T @ np.linalg.lstsq(basis.T, row, rcond=None)[0]
            assert left @ left < 0.01
    assert bool(chosen) == bool(texts)


def test_the_choice_is_less_alike_than_chance() -> None:
    draw = random.Random(0)
    # Nine of ten texts are of one sort, as in real logs.
    texts = [f"packet {draw.randrange(99)} of block {draw.randrange(99)} sent" for _ in range(270)]
    texts += [" ".join(draw.choices([f"word{n}" for n in range(60)], k=5)) for _ in range(30)]
    rows = embedded(texts).toarray()

    def volume(places: list[int]) -> float:
        sign, told = np.linalg.slogdet(rows[places] @ rows[places].T + 1e-9 * np.eye(len(places)))
        return float(told) if sign > 0 else float("-inf")

    ours = volume(diverse(texts, 20))
    assert ours > max(volume(draw.sample(range(300), 20)) for _ in range(50))
