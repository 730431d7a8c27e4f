"""The memo: it answers what it was told, or nothing, and never grows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logwright.errors import SettingsError
from logwright.sequence.memo import Memo, fingerprint

HASHES = st.lists(st.lists(st.integers(0, 60), max_size=12), max_size=12)


def answers(hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (hashes % 1_000).astype(np.float32), (hashes % 77).astype(np.int32)


def spread(values: list[int]) -> np.ndarray:
    return fingerprint(np.array(values, np.int64).reshape(-1, 1), np.zeros(len(values), bool))


@given(HASHES)
def test_what_is_found_is_what_was_put(calls: list[list[int]]) -> None:
    memo, put = Memo(32), set()
    for values in calls:
        hashes = spread(values)
        found, nll, rank = memo.get(hashes)
        wanted = answers(hashes)
        assert set(np.array(values)[found].tolist()) <= put
        assert nll[found].tolist() == wanted[0][found].tolist()
        assert rank[found].tolist() == wanted[1][found].tolist()
        memo.put(hashes, *wanted)
        put.update(values)
        # What is new is there now, unless too many of one call share a set; it may have taken the
        # place of what was known.
        kept, _, _ = memo.get(hashes)
        assert len(set(values)) > 4 or kept[~found].all()


def test_nearly_all_of_what_fits_is_kept_and_older_gives_way() -> None:
    memo = Memo(4_096)
    size = memo.nbytes
    first, second = spread(list(range(2_000))), spread(list(range(2_000, 40_000)))
    memo.put(first, *answers(first))
    assert memo.get(first)[0].mean() > 0.95
    for at in range(0, len(second), 100):
        memo.put(second[at : at + 100], *answers(second[at : at + 100]))
    assert memo.get(first)[0].mean() < 0.05
    assert memo.get(second[-500:])[0].mean() > 0.95
    assert memo.nbytes == size
    assert (memo.asked, memo.found > 0) == (2_000 + 2_000 + 500, True)


@given(
    st.lists(st.lists(st.integers(-1, 300), min_size=10, max_size=10), max_size=50), st.booleans()
)
def test_histories_that_differ_have_hashes_that_differ(rows: list[list[int]], whole: bool) -> None:
    distinct = {tuple(row) for row in rows}
    histories = np.array(rows, np.int64).reshape(-1, 10)
    assert len(np.unique(fingerprint(histories, np.full(len(rows), whole)))) == len(distinct)


def test_the_order_of_events_and_the_beginning_count() -> None:
    rng = np.random.default_rng(0)
    histories = np.array([rng.permutation(10) for _ in range(20_000)])
    histories = np.unique(histories, axis=0)
    whole = np.zeros(len(histories), bool)
    both = np.concatenate([fingerprint(histories, whole), fingerprint(histories, ~whole)])
    assert len(np.unique(both)) == 2 * len(histories)


def test_a_memo_of_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="1 or more"):
        Memo(0)
