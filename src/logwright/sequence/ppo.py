"""PPO: small, bounded steps towards acts that earned more than expected (Schulman et al., 2017).

What LogGPT's text and LogNEO's abstract name, as one loop: rollouts (`rollouts`), rewards by rank
(`rewards`), a value head that says what was to be expected, advantages by GAE and normalised, the
clipped ratio, a penalty for leaving the pretrained network, and LogNEO's cross-entropy term. The
papers do not give their constants; those below are ours.

In forced rollouts the acts are the events that really came. They are logged, not drawn from the
policy, so a low reward takes probability from an event that was right: without the cross-entropy
term the network unlearns what it can not yet do. Free rollouts have no such bias, but their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from logwright.sequence.course import BACKWARD, FORWARD, Course
from logwright.sequence.packing import Batch
from logwright.sequence.rewards import DECAY, Yardstick, binary, graded, positional
from logwright.sequence.rollouts import Rollout, forced, free, log_chances

__all__ = ["Design", "advantages", "ppo"]

RATE = 0.1
"""The learning rate, as a share of the preset's."""
CLIP = 0.2
KL = 0.1
"""Weight of the divergence from the pretrained network, in nats per act."""
VALUE = 0.5
DISCOUNT, TRACE = 0.9, 0.95
ROUNDS = 2
"""Gradient steps on each rollout."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Design:
    """`reward` by rank, `cross_entropy` the weight of that term, `free` whether every other rollout
    runs free."""

    reward: Literal["binary", "positional", "graded"] = "binary"
    cross_entropy: float = 0.0
    free: bool = False

    def rewards(self, rollout: Rollout, yardstick: Yardstick) -> Floats:
        """The reward of each place [B, T], also where no act counts."""
        if self.reward == "binary":
            return binary(rollout.ranks, yardstick.k)
        if self.reward == "positional":
            return positional(rollout.ranks, rollout.at, yardstick.k, DECAY)
        return graded(rollout.ranks, rollout.at, yardstick.k, DECAY)


def advantages(rewards: Floats, values: Floats, acted: Floats) -> tuple[Floats, Floats]:
    """Generalised advantage estimates [B, T], and what the value head should have said.

    The last act of a row has nothing after it; places without an act have neither.

    >>> a, expected = advantages(np.array([[0.0, 1.0]]), np.zeros((1, 2)), np.ones((1, 2)))
    >>> a.round(3).tolist(), expected.round(3).tolist()
    ([[0.855, 1.0]], [[0.855, 1.0]])
    """
    found = np.zeros_like(rewards)
    ahead = np.zeros(len(rewards))
    value_after = np.zeros(len(rewards))
    for t in range(rewards.shape[1] - 1, -1, -1):
        surprise = rewards[:, t] + DISCOUNT * value_after - values[:, t]
        ahead = (surprise + DISCOUNT * TRACE * ahead) * acted[:, t]
        value_after = values[:, t] * acted[:, t]
        found[:, t] = ahead
    return found, (found + values) * acted


def ppo(course: Course, design: Design) -> None:
    """Tune a course's network until its computing is spent."""
    head = nn.Linear(course.preset.width, 1)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    course.learn_with(course.preset.rate * RATE, list(head.parameters()))
    turn = 0
    while course.going:
        turn += 1
        acting_freely = design.free and turn % 2 == 0
        taken = [_act(course, design, head, batch, acting_freely) for batch in course.draw()]
        flat = torch.cat([t.advantage[t.rollout.acted > 0] for t in taken])
        mean, spread = flat.mean(), flat.std(correction=0) + 1e-8
        acts = max(len(flat), 1)
        reward = sum(t.reward for t in taken) / acts
        for _ in range(ROUNDS):
            if not course.going:
                break
            total, drift = torch.zeros(()), 0.0
            for one in taken:
                loss, left = _loss(course, design, head, one, mean, spread)
                total = total + loss
                drift += left
            course.descend(total / acts, reward, drift / acts)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A rollout, the real sessions it was taken from, its advantages and expected values [B, T],
    what the pretrained network says of it [B, T, V], and the sum of its rewards."""

    rollout: Rollout
    batch: Batch
    advantage: Tensor
    expected: Tensor
    reference: Tensor
    reward: float
    freely: bool


def _act(course: Course, design: Design, head: nn.Linear, batch: Batch, freely: bool) -> _Taken:
    if freely:
        rollout = free(course.network, batch, course.generator)
        course.spend(rollout.places, 2 * FORWARD)  # drawn one by one, then ranked at once
    else:
        rollout = forced(course.network, batch)
        course.spend(rollout.places, FORWARD)
    with torch.no_grad():
        reference, _ = log_chances(course.start, rollout.codes, rollout.gaps)
        values = head(rollout.hidden).squeeze(-1).double().numpy()
    course.spend(rollout.places, FORWARD)
    acted = rollout.acted.double().numpy()
    rewards = design.rewards(rollout, course.yardstick) * acted
    advantage, expected = (
        torch.from_numpy(one).float() for one in advantages(rewards, values, acted)
    )
    return _Taken(rollout, batch, advantage, expected, reference, float(rewards.sum()), freely)


def _loss(
    course: Course, design: Design, head: nn.Linear, one: _Taken, mean: Tensor, spread: Tensor
) -> tuple[Tensor, float]:
    """The loss of one rollout, summed over its acts, and its divergence from the pretrained one."""
    rollout = one.rollout
    chances, hidden = log_chances(course.network, rollout.codes, rollout.gaps)
    course.spend(rollout.places, FORWARD + BACKWARD)
    logged = chances.gather(-1, rollout.acts.unsqueeze(-1)).squeeze(-1)
    ratio = (logged - rollout.old).exp()
    advantage = (one.advantage - mean) / spread
    gain = torch.minimum(ratio * advantage, ratio.clamp(1 - CLIP, 1 + CLIP) * advantage)
    # The value head learns beside the network, not through it: its errors do not move the policy.
    missed = (head(hidden.detach()).squeeze(-1) - one.expected) ** 2
    left = (chances.exp() * (chances - one.reference)).sum(-1)
    loss = ((-gain + VALUE * missed + KL * left) * rollout.acted).sum()
    if design.cross_entropy:
        loss = loss + design.cross_entropy * _cross_entropy(course, one, logged)
    return loss, float((left * rollout.acted).sum().detach())


def _cross_entropy(course: Course, one: _Taken, logged: Tensor) -> Tensor:
    """Of the real sessions, summed; in a forced rollout they are what was acted."""
    codes, gaps, targets, counted = one.batch.to("cpu")
    if one.freely:
        chances, _ = log_chances(course.network, codes, gaps)
        logged = chances.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        course.spend(one.batch.events, FORWARD + BACKWARD)
    return -(logged * counted).sum()
