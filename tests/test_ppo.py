"""PPO: advantages are right, the network stays near the pretrained one, rewards are raised."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="torch is not installed")

from logwright.sequence.course import Course  # noqa: E402
from logwright.sequence.ppo import DISCOUNT, Design, advantages, ppo  # noqa: E402
from logwright.sequence.sequences import Sequences  # noqa: E402
from sequence_fakes import CHECK, TRAIN, course, pretrained  # noqa: E402

pytestmark = pytest.mark.slow

NUMBERS = st.lists(st.floats(-1, 1), min_size=1, max_size=12).map(lambda x: np.array([x]))


@given(NUMBERS)
def test_a_value_head_that_is_right_leaves_no_advantage(rewards: Any) -> None:
    to_come = np.zeros_like(rewards)
    after = 0.0
    for t in range(rewards.shape[1] - 1, -1, -1):
        after = rewards[0, t] + DISCOUNT * after
        to_come[0, t] = after
    found, expected = advantages(rewards, to_come, np.ones_like(rewards))
    assert np.allclose(found, 0.0, atol=1e-12)
    assert np.allclose(expected, to_come)


@given(NUMBERS, st.integers(0, 12))
def test_places_without_an_act_change_nothing(rewards: Any, more: int) -> None:
    acted = np.ones_like(rewards)
    values = np.full_like(rewards, 0.3)
    padded = [np.pad(x, ((0, 0), (0, more))) for x in (rewards, values, acted)]
    padded[0][:, rewards.shape[1] :] = 9.0
    found, _ = advantages(*padded)
    assert np.allclose(found[:, : rewards.shape[1]], advantages(rewards, values, acted)[0])
    assert np.all(found[:, rewards.shape[1] :] == 0)


@pytest.mark.parametrize("design", [Design("graded", 1.0), Design("graded", 1.0, free=True)])
def test_it_spends_its_computing_and_stays_near_the_pretrained_network(design: Design) -> None:
    run = course(steps=15)
    ppo(run, design)
    assert run.share == 1.0
    assert not run.going
    assert 0.0 < run.log[-1].drift < 0.2


def test_without_cross_entropy_acts_that_earn_less_than_expected_lose_probability() -> None:
    """The event of every session that ranks last loses, though it was right: the known defect."""
    wrong = Sequences.of_lists([[2, 3, 4, 5, 7, 6, 6]] * 20)  # a retry late: rare, so a miss
    run = Course(pretrained(), wrong, CHECK, 0, 40)
    assert run.yardstick.k < 5

    def chance(network: Any) -> float:
        with torch.no_grad():
            logits = network(torch.tensor([[0, 2, 3, 4, 5]]))
        return float(logits[0, -1].log_softmax(-1)[7])

    before = chance(run.network)
    ppo(run, Design("binary"))
    assert chance(run.network) < before


def test_the_rewards_of_a_design_are_those_it_is_named_after() -> None:
    run = course()
    from logwright.sequence.rollouts import forced

    rollout = forced(run.network, run.draw()[0])
    inside = rollout.acted.numpy() > 0
    rewards = {
        name: Design(name).rewards(rollout, run.yardstick)[inside]  # type: ignore[arg-type]
        for name in ("binary", "positional", "graded")
    }
    assert set(np.unique(rewards["binary"])) <= {-1.0, 1.0}
    assert np.all(np.abs(rewards["positional"]) <= np.abs(rewards["binary"]))
    assert np.all(np.abs(rewards["graded"]) <= np.abs(rewards["positional"]) + 1e-12)
    assert len(TRAIN) > 0
