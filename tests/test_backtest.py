"""Backtests: the numbers by which people promote rules are those of plain counting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.logs.batch import NO_TIME
from logwright.rules.book import backtest
from logwright.rules.book.backtest import Trial, Word, words_of

RULES = [Word("a", "01", True), Word("b", "02", True), Word("n", "03", False)]
Row = tuple[tuple[bool, bool, bool], bool, bool]


def trial(rows: Sequence[Row], labels: bool = True) -> Trial:
    hits = np.array([row[0] for row in rows], bool).reshape(-1, 3)
    first = np.array([NO_TIME if i % 3 == 0 else i for i in range(len(rows))], np.int64)
    abnormal = np.array([row[1] for row in rows], bool)
    known = np.array([row[2] for row in rows], bool)
    both = (abnormal, known) if labels else (None, None)
    return Trial("x.log", 10 * len(rows), RULES, hits, first, first, *both)


rows = st.lists(
    st.tuples(st.tuples(st.booleans(), st.booleans(), st.booleans()), st.booleans(), st.booleans()),
    max_size=12,
)


@given(rows)
def test_ratings_are_those_of_plain_counting(given_rows: list[Row]) -> None:
    ratings = trial(given_rows).ratings([0.5, 0.0, 0.0])
    for i, rule in enumerate(RULES):
        mine = [row for row in given_rows if row[0][i]]
        told = [row for row in mine if row[2]]
        right = [row for row in told if row[1] is rule.abnormal]
        wanted = [row for row in given_rows if row[2] and row[1] is rule.abnormal]
        rating = ratings[rule.name]
        assert rating.hits == len(mine)
        assert rating.alone == sum(sum(row[0]) == 1 for row in mine)
        assert rating.precision == (len(right) / len(told) if told else None)
        assert rating.recall == (len(right) / len(wanted) if wanted else None)
        others = {r.name: sum(row[0][j] for row in mine) for j, r in enumerate(RULES) if j != i}
        assert rating.shared == max(others.values())
        assert not rating.shared or others[rating.near] == rating.shared
        assert rating.hash == rule.hash


@given(rows)
def test_what_is_abnormal_is_never_normal(given_rows: list[Row]) -> None:
    said = words_of(trial(given_rows).hits, RULES).tolist()
    for (a, b, n), word in zip((row[0] for row in given_rows), said, strict=True):
        assert word == (1 if a or b else 0 if n else -1)


@given(rows, st.integers(1, 5))
def test_blocks_do_not_matter(given_rows: list[Row], size: int) -> None:
    held = trial(given_rows)
    whole = held.ratings([0.0] * 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backtest, "_BLOCK", size)
        parts = held.ratings([0.0] * 3)
    assert {n: (r.near, r.shared) for n, r in whole.items()} == {
        n: (r.near, r.shared) for n, r in parts.items()
    }


def test_without_labels_nothing_is_said_of_right_and_wrong() -> None:
    rating = trial([((True, False, False), True, True)], labels=False).ratings([0.5, 0, 0])["a"]
    assert (rating.precision, rating.recall, rating.hits) == (None, None, 1)
    assert rating.speed == 20.0


def test_first_and_last_leave_out_windows_without_times() -> None:
    hit = ((True, False, False), False, True)
    rating = trial([hit] * 5).ratings([0.0] * 3)["a"]
    assert (rating.first, rating.last) == (
        "1970-01-01T00:00:00.000000001Z",
        "1970-01-01T00:00:00.000000004Z",
    )
