"""Comparing two sides: false alarms stay below what is said, and real changes are found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from logwright.compare import SLOTS, chances, family, of_bursts, pace, shift, spread, tail
from logwright.findings.change import CLEAR
from logwright.intake import Intake
from logwright.settings import Settings
from logwright.templates.miner import Miner
from logwright.values import compare_values

pytestmark = pytest.mark.slow

Tables = NDArray[np.int64]
Process = Callable[[np.random.Generator, int, int, float], Tables]


def steady(rng: np.random.Generator, rows: int, slots: int, rate: float) -> Tables:
    return rng.poisson(rate, (rows, slots))


def clusters(rng: np.random.Generator, rows: int, slots: int, rate: float) -> Tables:
    """Bursts within a stretch, of very different sizes."""
    sizes = np.ceil(rng.lognormal(1.5, 1.5, (rows, slots)))
    return (rng.poisson(rate / 10, (rows, slots)) * sizes).astype(np.int64)


def storms(rng: np.random.Generator, rows: int, slots: int, rate: float) -> Tables:
    """Rare bursts without a largest size."""
    here = rng.random((rows, slots)) < min(rate / 40, 0.5)
    return (here * rng.pareto(1.2, (rows, slots)).clip(0, 1e5)).astype(np.int64)


def waves(rng: np.random.Generator, rows: int, slots: int, rate: float) -> Tables:
    """Bursts that last for many stretches and ebb away."""
    start = rng.poisson(rate / 20, (rows, slots + 60)) * rng.lognormal(0, 1, (rows, slots + 60))
    level = sum(0.8**j * start[:, 60 - j : 60 - j + slots] for j in range(60))
    return rng.poisson(4 * level)


PROCESSES: list[Process] = [steady, clusters, storms, waves]


def clear(a: Tables, b: Tables, share: float) -> NDArray[np.bool_]:
    """Which rows are called changed, as `logwright.diff` does it."""
    level = CLEAR / 2
    tested = family(a.sum(axis=1) + b.sum(axis=1), share, level)
    return tested.tested & (chances(a, b, share) * tested.factor <= level)


@pytest.mark.parametrize("ratio", [1, 5])
def test_logs_that_do_not_differ_show_no_change(ratio: int) -> None:
    """400 comparisons of 60 templates, most of them bursty: at most 1 in 100 may show anything."""
    rng = np.random.default_rng(ratio)
    alarms = 0
    for _ in range(200):
        all_ = [p(rng, 5, SLOTS * (1 + ratio), r) for p in PROCESSES for r in (0.2, 2.0, 30.0)]
        table = np.concatenate(all_)
        a = table[:, : SLOTS * ratio].reshape(len(table), SLOTS, ratio).sum(axis=2)
        b = table[:, SLOTS * ratio :]
        alarms += bool(clear(a, b, 1 / (1 + ratio)).any())
    assert alarms <= 2


@pytest.mark.parametrize("process", PROCESSES, ids=lambda p: p.__name__)
def test_one_template_alone_is_called_changed_no_more_often_than_stated(process: Process) -> None:
    table = process(np.random.default_rng(4), 4000, 2 * SLOTS, 2.0)
    chance = chances(table[:, :SLOTS], table[:, SLOTS:], 0.5)
    for level in (0.1, 0.01):
        assert (chance <= level).mean() <= level


def test_one_burst_is_one_event_however_many_lines_it_has() -> None:
    a, b = np.zeros((1, SLOTS), np.int64), np.zeros((1, SLOTS), np.int64)
    b[0, 20] = 100_000
    assert spread(b)[0] == pytest.approx(100_000)
    assert chances(a, b, 0.5)[0] > 0.5


def test_planted_changes_are_found() -> None:
    rng = np.random.default_rng(2)
    calm = np.concatenate([p(rng, 20, 2 * SLOTS, r) for p in PROCESSES for r in (0.2, 2.0)])
    a = np.concatenate((calm[:, :SLOTS], rng.poisson([[5.0], [0.0], [1.0], [3.0]], (4, SLOTS))))
    b = np.concatenate((calm[:, SLOTS:], rng.poisson([[10.0], [1.0], [0.0], [1.0]], (4, SLOTS))))
    assert clear(a, b, 0.5)[-4:].all()


def test_few_lines_in_a_long_side_are_no_news_for_a_short_one() -> None:
    assert of_bursts(np.array([0.0]), np.array([3.0]), 0.9)[0] > 0.5
    assert of_bursts(np.array([0.0]), np.array([3.0]), 0.01)[0] < 0.01


def test_templates_that_cannot_be_told_apart_cost_nothing() -> None:
    few = np.full(100_000, 2)
    often = np.full(20, 1_000)
    assert family(np.concatenate((few, often)), 0.5, 0.01).factor == 20


def test_pace_goes_by_the_typical_template_and_not_by_a_flood() -> None:
    x = np.full(20, 200)
    assert pace(x, 3 * x, np.ones(20), 0.5) == pytest.approx(3)
    flood = x.copy()
    flood[0] = 1_000_000
    assert pace(x, flood, np.ones(20), 0.5) == 1


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
def test_sides_may_be_swapped(seed: int, share: float) -> None:
    table = clusters(np.random.default_rng(seed), 5, 2 * SLOTS, 3.0)
    a, b = table[:, :SLOTS], table[:, SLOTS:]
    there, back = chances(a, b, share), chances(b, a, 1 - share)
    assert there == pytest.approx(back, rel=1e-6)
    assert ((there >= 0) & (there <= 1)).all()


def test_values_that_do_not_differ_are_rarely_called_changed() -> None:
    """Also where each value resembles the one before."""
    rng = np.random.default_rng(8)
    alarms = {"independent": 0, "alike": 0}
    for _ in range(300):
        noise = rng.lognormal(0, 1, 400)
        walk = np.repeat(rng.lognormal(0, 1, 40), 10)
        for name, values in (("independent", noise), ("alike", walk)):
            a, b = values[:200], values[200:]
            chance = min(shift(a, b, 200, 200)[0], tail(a, b, 200, 200)) * 2
            alarms[name] += chance <= 0.01
    assert alarms["independent"] <= 3
    assert alarms["alike"] <= 6


def words(values: NDArray[np.generic]) -> list[bytes]:
    return [str(v).encode() for v in values.tolist()]


def test_a_counter_is_no_change() -> None:
    numbers = np.arange(10_000, 10_400)
    assert compare_values(words(numbers[:200]), words(numbers[200:]), 200, 200).chance == 1


def test_identifiers_are_not_compared() -> None:
    rng = np.random.default_rng(3)
    ids = [rng.bytes(8).hex().encode() for _ in range(400)]
    assert compare_values(ids[:200], ids[200:], 200, 200).tests == 0


def test_what_changed_of_a_value_is_told() -> None:
    rng = np.random.default_rng(5)
    usual = words(rng.integers(10, 30, 300))
    slow = compare_values(usual, words(rng.integers(400, 600, 300)), 300, 300)
    assert slow.measure == "median"
    assert slow.chance < 1e-6
    rare = [v if i % 7 else b"4000" for i, v in enumerate(words(rng.integers(10, 30, 300)))]
    high = compare_values(usual, rare, 300, 300)
    assert (high.measure, high.after) == ("95 % quantile", 4000)
    assert high.chance < 1e-3
    codes = compare_values([b"200"] * 300, [b"200", b"200", b"500"] * 100, 300, 300)
    assert (codes.measure, codes.before, round(codes.after)) == ("500", 0, 33)
    assert codes.chance < 1e-6


def test_times_in_different_units_are_one_measure() -> None:
    rng = np.random.default_rng(6)
    a = [f"{v}ms".encode() for v in rng.integers(100, 900, 200)]
    b = [f"{v}s".encode() for v in rng.integers(1, 90, 200)]
    found = compare_values(a, b, 200, 200)
    assert found.unit == "ms"
    assert found.before < 1_000 < found.after


def test_values_from_one_burst_say_nothing() -> None:
    assert compare_values([b"12"] * 300, [b"480"] * 300, 1.0, 1.0).chance == 1


@pytest.mark.parametrize("shuffled", [False, True], ids=["as it is", "pieces in any order"])
def test_real_logs_split_at_random(data: Path, tmp_path: Path, shuffled: bool) -> None:
    """BlueGene/L: two adjacent pieces of random length, as they are and with pieces of half an hour
    dealt at random, which takes out what truly changed in those two days."""
    packed = data / "bgl" / "bgl_first100k.log.zst"
    if not packed.is_file():
        pytest.skip(f"{packed} is absent")
    rng = np.random.default_rng(9)
    read = Intake([str(packed)], Settings(label_prefix=True))
    miner = Miner()
    read.read(miner, None)
    vocabulary = read.group(miner)
    _, columns = next(read.recording.read(0, read.recording.rows, read.recording.rows))
    read.close()
    template = vocabulary.of(columns["shape"]).astype(np.int64)
    clock = columns["ts"] - columns["ts"].min()
    pieces, whole = 80, int(clock.max()) + 1
    compared = alarms = 0
    for _ in range(100):
        at = clock
        if shuffled:
            size = whole // pieces + 1
            at = rng.permutation(pieces)[clock // size] * size + clock % size
        first, last = np.sort(rng.uniform(0, 1, 2))
        if last - first < 0.1:
            continue
        cut = first + rng.uniform(0.2, 0.8) * (last - first)
        sides = []
        for low, high in ((first, cut), (cut, last)):
            mine = (at >= low * whole) & (at < high * whole)
            slot = ((at[mine] / whole - low) / (high - low) * SLOTS).astype(np.int64)
            key = template[mine] * SLOTS + np.minimum(slot, SLOTS - 1)
            table = np.bincount(key, minlength=len(vocabulary) * SLOTS).reshape(-1, SLOTS)
            sides.append(table)
        compared += 1
        alarms += bool(clear(sides[0], sides[1], (last - cut) / (last - first)).any())
    assert compared > 50
    assert alarms <= 0.02 * compared
