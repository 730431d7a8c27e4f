"""Rollouts: forced ones are the sessions, free ones begin like them and go on by the network."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from logwright.sequence.packing import Batch, Packs  # noqa: E402
from logwright.sequence.rollouts import PROMPT, forced, free, log_chances  # noqa: E402
from sequence_fakes import TRAIN, pretrained  # noqa: E402

pytestmark = pytest.mark.slow

KINDS = ["tiny", "recurrent"]


def batch() -> Batch:
    return next(Packs(TRAIN.take(slice(0, 40)), 64, 32).all(10_000))


@pytest.mark.parametrize("kind", KINDS)
def test_a_forced_rollout_acts_as_the_session_did(kind: str) -> None:
    network, given = pretrained(kind).network, batch()
    rollout = forced(network, given)
    assert np.array_equal(rollout.acts.numpy(), given.targets)
    assert np.array_equal(rollout.acted.numpy(), given.counted)
    assert rollout.places == given.events
    chances, _ = log_chances(network, rollout.codes, rollout.gaps)
    assert torch.allclose(chances.exp().sum(-1), torch.ones(()), atol=1e-5)
    inside = given.counted > 0
    assert np.all((rollout.ranks >= 1)[inside])
    assert np.all((rollout.ranks <= network.learned)[inside])
    likeliest = chances.argmax(-1).numpy() == given.targets
    assert np.array_equal((rollout.ranks == 1)[inside], likeliest[inside])
    assert np.all(rollout.at[:, 0] == 0)
    assert np.all(rollout.at[inside] <= 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_free_rollout_keeps_the_prompt_and_is_drawn_from_the_network(kind: str) -> None:
    network, given = pretrained(kind).network, batch()
    rollout = free(network, given, torch.Generator().manual_seed(1))
    acted = rollout.acted.numpy() > 0
    sizes = given.counted.sum(1).astype(int)
    for row, size in enumerate(sizes):
        prompt = int(np.ceil(size * PROMPT))
        assert np.flatnonzero(acted[row]).tolist() == list(range(prompt, size - 1))
        assert np.array_equal(rollout.codes[row, : prompt + 1], given.codes[row, : prompt + 1])
    # What was drawn goes in at the next place, and no mark is ever drawn.
    drawn, went_in = rollout.acts.numpy()[:, :-1], rollout.codes.numpy()[:, 1:]
    assert np.array_equal(drawn[acted[:, :-1]], went_in[acted[:, :-1]])
    assert drawn[acted[:, :-1]].min() >= 2
    again = free(network, given, torch.Generator().manual_seed(1))
    assert torch.equal(again.acts, rollout.acts)
    other = free(network, given, torch.Generator().manual_seed(2))
    assert not torch.equal(other.acts, rollout.acts)


def test_draws_follow_the_network_step_by_step_as_at_once() -> None:
    """What is said of the draws at once is what they were drawn by: likely acts are drawn often."""
    network, given = pretrained().network, batch()
    said, drawn = [], 0
    for seed in range(30):
        rollout = free(network, given, torch.Generator().manual_seed(seed))
        chances, _ = log_chances(network, rollout.codes, None)
        chances = chances[..., 2:].log_softmax(-1)  # no marks
        acts = (rollout.acts - 2).clamp(min=0)
        logged = chances.gather(-1, acts.unsqueeze(-1)).squeeze(-1)[rollout.acted > 0]
        entropy = -(chances.exp() * chances).sum(-1)[rollout.acted > 0]
        said.append(float((logged + entropy).sum().detach()))
        drawn += len(logged)
    # The mean of log-probability plus entropy is 0 exactly for draws from that distribution.
    assert abs(sum(said) / drawn) < 0.05
