"""Windows that speak of the same things are one cluster, whatever their number or order."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logwright.rules.synthesis.clustering import Clusters, clusters, space
from logwright.windows.window import Windows

TEXTS = [
    "data TLB error interrupt <*>",
    "instruction cache parity error corrected at <*>",
    "ciod: failed to read message prefix on control stream",
    "link severed between <*> and <*>",
    "generating core.<*>",
]
sequences = st.lists(st.lists(st.integers(0, len(TEXTS) - 1), max_size=6), max_size=20)


def clustered(held: list[list[int]], most: int = 40, most_rows: int = 2000) -> Clusters:
    windows = Windows.of_sequences(held)
    return clusters(space(windows, TEXTS), most=most, most_rows=most_rows)


def test_windows_of_one_subject_are_one_cluster_and_others_are_not() -> None:
    found = clustered([[0, 0, 0], [2], [0], [0, 0], [2, 2], [3]])
    assert found.of.tolist() == [0, 1, 0, 0, 1, 2]
    assert [found.of[medoid] for medoid in found.medoids] == [0, 1, 2]


def test_no_more_clusters_than_asked_for() -> None:
    apart = [[0], [1], [2], [3], [4]]
    assert len(clustered(apart)) == 5
    assert len(clustered(apart, most=2)) == 2


def test_only_what_is_asked_for_is_clustered() -> None:
    held = space(Windows.of_sequences([[0], [2], [0], [3]]), TEXTS)
    found = clusters(held, np.array([True, False, True, False]))
    assert found.of.tolist() == [0, -1, 0, -1]
    assert found.medoids.tolist() == [0]
    assert len(clusters(held, np.zeros(4, bool))) == 0


def test_parameters_and_digits_tell_no_windows_apart() -> None:
    texts = ["read <*> of core.17 at node", "read <*> of core.<*> at node"]
    found = clusters(space(Windows.of_sequences([[0], [1]]), texts))
    assert found.of.tolist() == [0, 0]


def test_a_window_is_told_by_its_most_frequent_tokens() -> None:
    """Of a long window with one odd line, the odd line does not decide."""
    many = [f"word{'abcdefghij'[i]} only here" for i in range(10)]
    usual = [*range(10)] * 20
    windows = Windows.of_sequences([usual, [*usual, 10], [10, 10]])
    found = clusters(space(windows, [*many, "something quite different"]))
    assert found.of[0] == found.of[1] != found.of[2]


@given(sequences)
@settings(deadline=None, max_examples=40)
def test_every_window_is_in_one_cluster_with_its_equals_and_its_medoid(
    held: list[list[int]],
) -> None:
    found = clustered(held)
    assert len(found.of) == len(held)
    assert (found.of >= 0).all()
    assert [int(found.of[m]) for m in found.medoids] == list(range(len(found)))
    sizes = [len(found.members(c)) for c in range(len(found))]
    assert sizes == sorted(sizes, reverse=True)
    of: dict[tuple[int, ...], int] = {}
    for sequence, cluster in zip(held, found.of.tolist(), strict=True):
        assert of.setdefault(tuple(sorted(sequence)), cluster) == cluster


@given(sequences, st.randoms())
@settings(deadline=None, max_examples=40)
def test_clusters_are_the_same_in_any_order(held: list[list[int]], chance: object) -> None:
    at = list(range(len(held)))
    chance.shuffle(at)  # type: ignore[attr-defined]
    found = clustered(held)
    turned = clustered([held[i] for i in at])
    pairs = {(int(found.of[i]), int(turned.of[j])) for j, i in enumerate(at)}
    assert len(pairs) == len(found) == len(turned)


def test_a_sample_places_all_others_at_the_nearest_medoid() -> None:
    """The two forms that are common are clustered, the two that are rare join them."""
    held = [[0]] * 500 + [[2]] * 400 + [[0, 4], [2, 4]]
    found = clustered(held, most_rows=2)
    assert found.of.tolist() == [0] * 500 + [1] * 400 + [0, 1]
    assert found.medoids.tolist() == [0, 500]


def test_distances_are_those_of_sets() -> None:
    held = space(Windows.of_sequences([[0], [1], [0, 1], []]), ["a b c", "c d"])
    told = held.distances(held.of, held.of)
    assert told[0].tolist() == pytest.approx([0, 3 / 4, 1 / 4, 1])
    assert np.allclose(told, told.T)
    assert told.diagonal().tolist() == [0, 0, 0, 0]


@pytest.mark.long
def test_a_million_windows_cluster_in_seconds() -> None:
    chance = np.random.default_rng(1)
    forms = [chance.integers(0, 60, size=chance.integers(3, 15)).tolist() for _ in range(5000)]
    at = chance.zipf(1.3, 1_000_000) % len(forms)
    windows = Windows.of_sequences([forms[i] for i in at])
    texts = [f"service{'x' * (i % 7)} says {chr(97 + i % 26)}{'y' * (i // 26)}" for i in range(60)]
    begun = time.perf_counter()
    found = clusters(space(windows, texts))
    assert time.perf_counter() - begun < 30
    assert (found.of >= 0).all()
